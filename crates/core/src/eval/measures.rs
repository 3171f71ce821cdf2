//! Ranking measures for one demand. Levels are 4 strong, 3 fair, 2 weak, 1 unrelated; 3 and 4 count as related.

/// Lowest level that counts as related.
pub(crate) const RELATED: u8 = 3;

/// A judged achievement: its score and its human grade.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judged {
    /// Score that ranks it.
    pub score: f64,
    /// Level, 1 to 4.
    pub level: u8,
}

/// Normalised discounted cumulative gain over the first `depth` judged achievements, with gain 2^(level-1) - 1 and
/// discount log2(1 + rank) (Järvelin and Kekäläinen 2002). `None` if no achievement has any gain. Equal scores keep the
/// given order.
pub fn ndcg(judged: &[Judged], depth: usize) -> Option<f64> {
    let gain = |judged: &Judged| f64::from((1u32 << judged.level.clamp(1, 4).saturating_sub(1)) - 1);
    let total = |order: &[Judged]| -> f64 {
        order.iter().take(depth).zip(1u32..).map(|(judged, rank)| gain(judged) / f64::from(rank + 1).log2()).sum()
    };
    let mut order = judged.to_vec();
    order.sort_by_key(|judged| std::cmp::Reverse(judged.level));
    let ideal = total(&order);
    order = judged.to_vec();
    order.sort_by(|a, b| b.score.total_cmp(&a.score));
    (0.0 < ideal).then(|| total(&order) / ideal)
}

/// Spearman's rank correlation of scores and levels; ties share their mean rank. `None` if either does not vary.
pub(crate) fn spearman(judged: &[Judged]) -> Option<f64> {
    let scores = ranks(&judged.iter().map(|judged| judged.score).collect::<Vec<_>>());
    let levels = ranks(&judged.iter().map(|judged| f64::from(judged.level)).collect::<Vec<_>>());
    pearson(&scores, &levels)
}

/// Probability that a related achievement scores higher than an unrelated one; ties count half (area under the ROC
/// curve). `None` if all or none are related.
pub(crate) fn auc(judged: &[Judged]) -> Option<f64> {
    let ranks = ranks(&judged.iter().map(|judged| judged.score).collect::<Vec<_>>());
    let related = |judged: &Judged| RELATED <= judged.level;
    let (count, sum) = judged
        .iter()
        .zip(ranks)
        .filter(|(judged, _)| related(judged))
        .fold((0u32, 0.0), |(count, sum), (_, rank)| (count + 1, sum + rank));
    let related = f64::from(count);
    let unrelated = f64::from(u32::try_from(judged.len()).unwrap_or(u32::MAX)) - related;
    let pairs = related * unrelated;
    (0.0 < pairs).then(|| (sum - related * (related + 1.0) / 2.0) / pairs)
}

/// Share of the related achievements ranked within `depth` in the whole order. `None` if there are none.
pub fn recall(places: &[usize], depth: usize) -> Option<f64> {
    let hits = places.iter().filter(|place| **place <= depth).count();
    ratio(hits, places.len())
}

/// One over the rank of the first related achievement in the whole order. `None` if there are none.
pub(crate) fn reciprocal_rank(places: &[usize]) -> Option<f64> {
    places.iter().min().and_then(|&first| ratio(1, first))
}

fn ratio(part: usize, whole: usize) -> Option<f64> {
    let float = |number: usize| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
    (0 < whole).then(|| float(part) / float(whole))
}

/// Ranks from 1; equal values share their mean rank.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    let value = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
    order.sort_by(|&a, &b| value(a).total_cmp(&value(b)));
    let mut ranks = vec![0.0; values.len()];
    let mut first = 1u32;
    for equal in order.chunk_by(|&a, &b| value(a).total_cmp(&value(b)).is_eq()) {
        let count = u32::try_from(equal.len()).unwrap_or(u32::MAX);
        let mean = f64::from(first) + f64::from(count - 1) / 2.0;
        for &index in equal {
            if let Some(rank) = ranks.get_mut(index) {
                *rank = mean;
            }
        }
        first += count;
    }
    ranks
}

fn pearson(a: &[f64], b: &[f64]) -> Option<f64> {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / f64::from(u32::try_from(values.len()).unwrap_or(u32::MAX));
    let (mean_a, mean_b) = (mean(a), mean(b));
    let product: f64 = a.iter().zip(b).map(|(a, b)| (a - mean_a) * (b - mean_b)).sum();
    let spread = |values: &[f64], mean: f64| values.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
    let scale = (spread(a, mean_a) * spread(b, mean_b)).sqrt();
    (0.0 < scale).then(|| product / scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(rows: &[(f64, u8)]) -> Vec<Judged> {
        rows.iter().map(|&(score, level)| Judged { score, level }).collect()
    }

    fn near(got: Option<f64>, want: f64) {
        assert!(got.is_some_and(|got| (got - want).abs() < 1e-9), "{got:?} is not {want}");
    }

    #[test]
    fn by_hand() {
        // gains 7, 0, 1 in the order of the scores; ideal 7, 1, 0
        let rows = judged(&[(0.9, 4), (0.8, 1), (0.7, 2)]);
        near(ndcg(&rows, 10), (7.0 + 0.5) / (7.0 + 1.0 / 3f64.log2()));
        near(ndcg(&rows, 1), 1.0);
        near(auc(&rows), 1.0);
        near(spearman(&rows), 0.5);
        near(recall(&[1, 20, 21], 20), 2.0 / 3.0);
        near(reciprocal_rank(&[7, 4]), 0.25);
    }

    #[test]
    fn ties_share_their_rank() {
        let rows = judged(&[(0.5, 3), (0.5, 1)]);
        near(auc(&rows), 0.5);
        assert_eq!(spearman(&rows), None);
        assert_eq!(ranks(&[1.0, 3.0, 1.0, 2.0]), [1.5, 4.0, 1.5, 3.0]);
    }

    #[test]
    fn nothing_to_measure_is_said() {
        let unrelated = judged(&[(0.5, 1), (0.4, 1)]);
        assert_eq!((ndcg(&unrelated, 10), auc(&unrelated), spearman(&unrelated)), (None, None, None));
        assert_eq!((recall(&[], 20), reciprocal_rank(&[])), (None, None));
        assert_eq!(ndcg(&[], 10), None);
    }
}
