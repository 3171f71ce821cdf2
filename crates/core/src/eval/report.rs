//! Means over all demands.

use std::{collections::HashMap, fmt};

use super::{
    judgements::JudgedAchievement,
    measures::{Judged, RELATED, auc, ndcg, recall, reciprocal_rank, spearman},
};

/// Depth of nDCG.
const NDCG_DEPTH: usize = 10;
/// Depth of recall.
const RECALL_DEPTH: usize = 20;

/// An achievement as ranked for a demand.
#[derive(Debug, Clone, PartialEq)]
pub struct RankedAchievement {
    /// Achievement id.
    pub id: String,
    /// Score, 0 to 1.
    pub score: f64,
}

/// Sums over demands; each measure counts the demands for which it is defined.
#[derive(Debug, Clone, Default)]
pub struct QualityReport {
    demands: usize,
    pairs: usize,
    ndcg: Mean,
    spearman: Mean,
    auc: Mean,
    recall: Mean,
    reciprocal_rank: Mean,
}

/// Running mean.
#[derive(Debug, Clone, Copy, Default)]
pub struct Mean {
    sum: f64,
    count: u32,
}

// === impl QualityReport ===

impl QualityReport {
    /// Adds one demand: all achievements, best first, and the judged ones. A judged achievement missing from the order
    /// counts as last, with score 0.
    pub fn add(&mut self, order: &[RankedAchievement], judged: &[JudgedAchievement]) {
        let places: HashMap<&str, (usize, f64)> =
            order.iter().zip(1..).map(|(ranked, place)| (ranked.id.as_str(), (place, ranked.score))).collect();
        let place_of = |id: &str| places.get(id).copied().unwrap_or((usize::MAX, 0.0));
        let related = judged.iter().filter(|judged| RELATED <= judged.level);
        let related: Vec<usize> = related.map(|judged| place_of(&judged.id).0).collect();
        let judged: Vec<Judged> =
            judged.iter().map(|it| Judged { score: place_of(&it.id).1, level: it.level }).collect();
        self.demands += 1;
        self.pairs += judged.len();
        self.ndcg.add(ndcg(&judged, NDCG_DEPTH));
        self.spearman.add(spearman(&judged));
        self.auc.add(auc(&judged));
        self.recall.add(recall(&related, RECALL_DEPTH));
        self.reciprocal_rank.add(reciprocal_rank(&related));
    }

    /// Mean nDCG@10 over the judged achievements.
    pub fn ndcg(&self) -> f64 {
        self.ndcg.value()
    }

    /// Mean recall@20 over the whole catalogue.
    pub fn recall(&self) -> f64 {
        self.recall.value()
    }
}

impl fmt::Display for QualityReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "需求 {} 项，判分 {} 对（各项指标为各需求的平均值）", self.demands, self.pairs)?;
        let rows = [
            ("nDCG@10", self.ndcg, "仅在判过分的成果中，增益 2^(级-1)-1"),
            ("Spearman", self.spearman, "得分与级别的秩相关"),
            ("AUC", self.auc, "级别 ≥ 3 的排在其余之前的概率"),
            ("recall@20", self.recall, "在全部成果中，级别 ≥ 3 的进入前 20 的比例"),
            ("MRR", self.reciprocal_rank, "在全部成果中，首个级别 ≥ 3 的名次的倒数"),
        ];
        for (name, mean, what) in rows {
            writeln!(f, "{name:<10} {:.4}  （{} 项需求）{what}", mean.value(), mean.count)?;
        }
        Ok(())
    }
}

// === impl Mean ===

impl Mean {
    fn add(&mut self, value: Option<f64>) {
        if let Some(value) = value {
            self.sum += value;
            self.count += 1;
        }
    }

    fn value(self) -> f64 {
        if self.count == 0 { 0.0 } else { self.sum / f64::from(self.count) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_order_does_not_hold_counts_as_last() {
        let mut report = QualityReport::default();
        let order = [("b", 0.9), ("a", 0.5)].map(|(id, score)| RankedAchievement { id: id.into(), score });
        let judged = [("a", 4), ("b", 1), ("gone", 4)].map(|(id, level)| JudgedAchievement { id: id.into(), level });
        report.add(&order, &judged);
        assert!((report.recall() - 0.5).abs() < 1e-12);
        assert!(report.ndcg() < 1.0);
        assert!(report.to_string().contains("MRR        0.5000"));
    }
}
