//! Arithmetic on vectors. All vectors returned have unit length and no NaN.

use super::EmbedError;

/// Tolerance for the length of the model's vectors. f32 rounding over 1,024 dimensions stays below 1e-5; a larger
/// difference means a broken model.
const UNIT_TOLERANCE: f32 = 1e-3;

/// A vector and its weight in a sum.
#[derive(Debug, Clone)]
pub struct WeightedVector {
    /// The vector.
    pub vector: Vec<f32>,
    /// Its weight.
    pub weight: f32,
}

/// Returns the vector if it has unit length.
///
/// # Errors
/// [`EmbedError::Failed`] for NaN, infinity, and any other length.
pub fn checked_unit(vector: Vec<f32>) -> Result<Vec<f32>, EmbedError> {
    let length = length(&vector);
    // this form rejects NaN
    if (length - 1.0).abs() <= UNIT_TOLERANCE { Ok(vector) } else { Err(not_unit(length)) }
}

/// Weighted sum of vectors, scaled to unit length. A single vector is returned unchanged.
///
/// # Errors
/// [`EmbedError::Failed`] when there is no vector, when lengths differ, or when the sum is zero.
pub fn weighted_unit(vectors: &[WeightedVector]) -> Result<Vec<f32>, EmbedError> {
    let Some((WeightedVector { vector: first, .. }, rest)) = vectors.split_first() else { return Err(not_unit(0.0)) };
    if rest.is_empty() {
        return checked_unit(first.clone());
    }
    if rest.iter().any(|other| other.vector.len() != first.len()) {
        return Err(EmbedError::Failed { detail: "vectors of different dimensions".to_string() });
    }
    let mut sum = vec![0.0_f32; first.len()];
    for WeightedVector { vector, weight } in vectors {
        sum.iter_mut().zip(vector).for_each(|(sum, value)| *sum += weight * value);
    }
    let length = length(&sum);
    if !length.is_finite() || length < f32::EPSILON {
        return Err(not_unit(length));
    }
    sum.iter_mut().for_each(|value| *value /= length);
    checked_unit(sum)
}

fn length(vector: &[f32]) -> f32 {
    vector.iter().map(|value| value * value).sum::<f32>().sqrt()
}

fn not_unit(length: f32) -> EmbedError {
    EmbedError::Failed { detail: format!("vector of length {length} instead of 1") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_unit_vectors_pass() {
        let check = |vector: &[f32], want: bool| assert_eq!(checked_unit(vector.to_vec()).is_ok(), want, "{vector:?}");
        check(&[1.0, 0.0], true);
        check(&[0.6, -0.8], true);
        check(&[0.0, 0.0], false);
        check(&[1.0, 1.0], false);
        check(&[f32::NAN, 1.0], false);
        check(&[f32::INFINITY, 1.0], false);
        check(&[], false);
    }

    fn weighted(vectors: &[(Vec<f32>, f32)]) -> Vec<WeightedVector> {
        vectors.iter().map(|(vector, weight)| WeightedVector { vector: vector.clone(), weight: *weight }).collect()
    }

    #[test]
    fn sums_by_weight() {
        let check = |vectors: &[(Vec<f32>, f32)], want: Option<&[f32]>| match (weighted_unit(&weighted(vectors)), want)
        {
            (Ok(got), Some(want)) => {
                assert!(got.iter().zip(want).all(|(a, b)| (a - b).abs() < 1e-6), "{got:?} {want:?}");
            }
            (got, want) => assert_eq!(got.is_ok(), want.is_some(), "{vectors:?}"),
        };
        check(&[(vec![0.6, 0.8], 3.0)], Some(&[0.6, 0.8]));
        check(&[(vec![1.0, 0.0], 3.0), (vec![0.0, 1.0], 4.0)], Some(&[0.6, 0.8]));
        check(&[(vec![1.0, 0.0], 1.0), (vec![-1.0, 0.0], 1.0)], None);
        check(&[(vec![1.0, 0.0], 1.0), (vec![1.0], 1.0)], None);
        check(&[], None);
    }

    proptest! {
        #[test]
        fn a_sum_is_of_unit_length(angles in prop::collection::vec((0.0_f32..1.5, 1.0_f32..512.0), 1..40)) {
            let vectors: Vec<_> = angles.iter().map(|(a, weight)| (vec![a.cos(), a.sin()], *weight)).collect();
            let sum = weighted_unit(&weighted(&vectors)).unwrap();
            prop_assert!((length(&sum) - 1.0).abs() < 1e-5);
        }
    }
}
