//! Computes a store's mean vector from its vectors, and converts vectors from one mean vector to another. Neither needs
//! the model.

use crate::error::{Error, Result};
use duijie_core::domain::{Filter, Kind};
use duijie_embed::{MeanAccumulator, MeanVector};
use duijie_store::{FieldSelection, Index, PageRequest, pages::Pages};

/// Records of each kind that the mean vector is computed from, in the order of their ids, which is as good as random.
/// 50 give the same mean vector; 2000 take only a second longer.
pub(crate) const SAMPLE: u32 = 2000;
/// Records per read.
const PAGE: usize = 256;

/// Returns the mean vector midway between the demands and the achievements of a store. `present` is the mean vector
/// already subtracted from the stored vectors. `None` if the store has neither kind. Experts are left out: their
/// distance to the others was never measured.
///
/// # Errors
/// When the store fails.
pub(crate) async fn mean_vector_of(index: &dyn Index, present: Option<&MeanVector>) -> Result<Option<MeanVector>> {
    let demands = mean_of(index, Kind::Demand, present).await?;
    let achievements = mean_of(index, Kind::Achievement, present).await?;
    let made_from = format!("{} demands, {} achievements", demands.count(), achievements.count());
    Ok(MeanVector::between(&demands, &achievements, &made_from))
}

async fn mean_of(index: &dyn Index, kind: Kind, present: Option<&MeanVector>) -> Result<MeanAccumulator> {
    let mut mean = MeanAccumulator::default();
    let request = |after| PageRequest { after, limit: PAGE, with: FieldSelection::Everything };
    let mut pages = Pages::new(|after| index.scroll(kind, &Filter::default(), request(after)));
    while mean.count() < SAMPLE
        && let Some(page) = pages.next_page().await?
    {
        let rest = usize::try_from(SAMPLE - mean.count()).map_err(|error| Error::Internal(error.to_string()))?;
        page.points.iter().take(rest).for_each(|point| mean.add(&recentred_vector(&point.dense, present, None)));
    }
    Ok(mean)
}

/// Converts a vector from the mean vector `from` to the mean vector `to`.
pub(crate) fn recentred_vector(vector: &[f32], from: Option<&MeanVector>, to: Option<&MeanVector>) -> Vec<f32> {
    if from == to {
        return vector.to_vec();
    }
    let plain = from.map_or_else(|| vector.to_vec(), |from| from.undo(vector));
    to.map_or_else(|| plain.clone(), |to| to.apply(&plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vector_goes_from_centre_to_centre_and_back() {
        let mean_vector = |mean: [f32; 2]| MeanVector::new(0.85, mean.to_vec(), "").unwrap();
        let (one, other) = (mean_vector([0.6, 0.5]), mean_vector([0.1, -0.7]));
        let plain = [0.6, 0.8];
        let near = |a: &[f32], b: &[f32]| assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-5), "{a:?} {b:?}");
        near(&recentred_vector(&one.apply(&plain), Some(&one), Some(&other)), &other.apply(&plain));
        near(&recentred_vector(&one.apply(&plain), Some(&one), None), &plain);
        near(&recentred_vector(&plain, None, Some(&one)), &one.apply(&plain));
        assert_eq!(recentred_vector(&plain, Some(&one), Some(&one)), plain);
    }
}
