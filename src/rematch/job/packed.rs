//! Embeddings as 16-bit numbers, half their size: precise enough to rule out targets that cannot be near. Pure.

use super::bytes::{Damaged, Reader, Writer};

/// The 16-bit number for 1.
const ONE: f32 = 32_767.0;

/// A unit vector of 16-bit numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Packed(Box<[i16]>);

// === impl Packed ===

impl Packed {
    /// Packs a vector, scaled to length 1.
    pub fn new(vector: &[f32]) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "the values lie between -ONE and ONE")]
        let pack = |value: f32| (value * ONE).round().clamp(-ONE, ONE) as i16;
        Self(unit(vector).into_iter().map(pack).collect())
    }

    /// Cosine of both vectors, to within [`Packed::slack`].
    pub fn cosine(&self, other: &Self) -> f64 {
        // sums over unit vectors stay below ONE · ONE, about 2^30
        let sum = self.0.iter().zip(&other.0).fold(0i32, |sum, (a, b)| sum.wrapping_add(i32::from(*a) * i32::from(*b)));
        f64::from(sum) / f64::from(ONE * ONE)
    }

    /// Upper bound of the cosine of the two vectors.
    pub fn max_cosine(&self, other: &Self) -> f64 {
        self.cosine(other) + self.slack()
    }

    /// Largest error of a cosine of two packed vectors: each is off by half a step per dimension.
    pub fn slack(&self) -> f64 {
        let off = 0.5 * (self.0.len() as f64).sqrt() / f64::from(ONE);
        // plus a little for the engine's own 32-bit sums
        2.0 * off + off * off + 1e-4
    }

    /// Encodes the vector.
    pub fn write(&self, writer: &mut Writer) {
        writer.list(&self.0, |writer, value| writer.i16(*value));
    }

    /// Decodes a vector.
    ///
    /// # Errors
    /// [`Damaged`].
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, Damaged> {
        Ok(Self(reader.list(Reader::i16)?.into()))
    }
}

/// A vector, scaled to length 1.
fn unit(vector: &[f32]) -> Vec<f32> {
    let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
    if length <= f32::EPSILON { vector.to_vec() } else { vector.iter().map(|value| value / length).collect() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bounds_of_cosines() {
        let one = Packed::new(&[3.0, 4.0]);
        let max = one.max_cosine(&Packed::new(&[1.0, 0.0]));
        assert!((0.6..0.6 + 2.0 * one.slack()).contains(&max), "{max}");
    }

    #[test]
    fn damaged_numbers_do_no_harm() {
        let packed = Packed(vec![i16::MIN; 1_024].into());
        assert!(packed.cosine(&packed).is_finite());
    }

    proptest! {
        #[test]
        fn cosines_stay_within_the_slack(
            (one, other) in (1usize..400).prop_flat_map(|size| {
                let vector = || prop::collection::vec(-1f32..1.0, size);
                (vector(), vector())
            }),
        ) {
            prop_assume!(one.iter().chain(&other).any(|value| value.abs() > 1e-3));
            let want: f64 = unit(&one).iter().zip(unit(&other)).map(|(a, b)| f64::from(*a) * f64::from(b)).sum();
            let (one, other) = (Packed::new(&one), Packed::new(&other));
            prop_assert!((one.cosine(&other) - want).abs() <= one.slack());
        }
    }
}
