//! Error of predicted levels against human grades, and reliability of the probabilities.

use std::fmt;

/// Number of bins in the reliability table.
const PARTS: usize = 10;
/// Lower bound of probabilities in the log loss, so that one surprise does not dominate it.
const MIN: f64 = 1e-9;

/// Prediction for a graded pair.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Said {
    /// Probabilities of level ≥ 2, ≥ 3, ≥ 4, decreasing.
    pub at_least: [f64; 3],
    /// Predicted level, 1 to 4.
    pub announced: u8,
    /// Human grade, 1 to 4.
    pub graded: u8,
}

/// Errors and reliability of levels.
#[derive(Debug, Clone, PartialEq)]
pub struct Levels {
    pairs: usize,
    mae: f64,
    mae_of_weak: f64,
    log_loss: f64,
    reliability: [Vec<Bin>; 3],
}

/// Pairs with similar predictions.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Bin {
    /// Mean predicted probability.
    predicted: f64,
    /// Observed share.
    observed: f64,
}

// === impl Said ===

impl Said {
    /// Absolute difference of predicted and graded level, 0 to 3.
    pub fn error(&self) -> f64 {
        f64::from(self.announced.abs_diff(self.graded))
    }

    /// -ln of the probability of the graded level.
    pub(crate) fn log_loss(&self) -> f64 {
        let [weak, fair, strong] = self.at_least;
        let probability = match self.graded {
            1 => 1.0 - weak,
            2 => weak - fair,
            3 => fair - strong,
            _ => strong,
        };
        -probability.max(MIN).ln()
    }
}

// === impl Levels ===

impl Levels {
    /// Measures the predictions.
    pub fn of(said: &[Said]) -> Self {
        Self {
            pairs: said.len(),
            mae: mean(said.iter().map(Said::error)),
            mae_of_weak: mean(said.iter().map(|said| f64::from(said.graded.abs_diff(2)))),
            log_loss: mean(said.iter().map(Said::log_loss)),
            reliability: [(0, 2), (1, 3), (2, 4)].map(|(place, level)| {
                let probability = |said: &Said| said.at_least.get(place).copied().unwrap_or(0.0);
                reliability(said.iter().map(|said| (probability(said), level <= said.graded)).collect())
            }),
        }
    }

    /// Mean absolute error in levels.
    pub fn mae(&self) -> f64 {
        self.mae
    }

    /// Mean log loss.
    pub(crate) fn log_loss(&self) -> f64 {
        self.log_loss
    }
}

impl fmt::Display for Levels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let score = |mae: f64| 1.0 / (1.0 + mae);
        let (mae, weak) = (self.mae, self.mae_of_weak);
        writeln!(f, "MAE        {mae:.4}  （{} 对）报出的级别与判分相差的级数", self.pairs)?;
        writeln!(f, "1/(1+MAE)  {:.4}  一律报“弱”为 {:.4}", score(mae), score(weak))?;
        writeln!(f, "对数损失   {:.4}", self.log_loss)?;
        writeln!(f, "可靠性（按预报的概率分为十份，每份为预报/实际）：")?;
        for (name, cells) in ["≥ 弱  ", "≥ 较强", "强    "].iter().zip(&self.reliability) {
            let texts: Vec<String> =
                cells.iter().map(|bin| format!("{:.2}/{:.2}", bin.predicted, bin.observed)).collect();
            let gap = mean(cells.iter().map(|bin| (bin.predicted - bin.observed).abs()));
            writeln!(f, "  {name} {}  平均相差 {gap:.3}", texts.join(" "))?;
        }
        Ok(())
    }
}

/// One bin for each tenth of the pairs, by rising probability; `said` has predictions and results. If ten does not
/// divide the number of pairs, the first tenths are longer by one.
fn reliability(mut said: Vec<(f64, bool)>) -> Vec<Bin> {
    said.sort_by(|one, other| one.0.total_cmp(&other.0));
    let (short, longer) = (said.len() / PARTS, said.len() % PARTS);
    let mut rest = said.as_slice();
    let mut cells = Vec::with_capacity(PARTS);
    for part in 0..PARTS {
        let length = short + usize::from(part < longer);
        let (now, later) = rest.split_at(length.min(rest.len()));
        rest = later;
        if !now.is_empty() {
            let observed = mean(now.iter().map(|(_, seen)| f64::from(u8::from(*seen))));
            cells.push(Bin { predicted: mean(now.iter().map(|(said, _)| *said)), observed });
        }
    }
    cells
}

/// Mean; 0 if there are no values.
fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (count, sum) = values.fold((0u32, 0.0), |(count, sum), value| (count + 1, sum + value));
    if count == 0 { 0.0 } else { sum / f64::from(count) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let said = [
            Said { at_least: [0.5, 0.25, 0.125], announced: 1, graded: 1 },
            Said { at_least: [0.75, 0.25, 0.0], announced: 2, graded: 4 },
        ];
        let levels = Levels::of(&said);
        assert!((levels.mae() - 1.0).abs() < 1e-12 && (levels.mae_of_weak - 1.5).abs() < 1e-12);
        assert!((levels.log_loss() - f64::midpoint(2f64.ln(), -MIN.ln())).abs() < 1e-12);
        let text = levels.to_string();
        assert!(
            text.contains("1/(1+MAE)  0.5000  一律报“弱”为 0.4000") && text.contains("0.50/0.00 0.75/1.00"),
            "{text}"
        );
        assert!(!Levels::of(&[]).to_string().contains("NaN"));
    }

    #[test]
    fn tenths_as_even_as_can_be() {
        let cells = reliability((0..23u8).map(|i| (f64::from(i), true)).collect());
        let means: Vec<f64> = cells.iter().map(|bin| bin.predicted).collect();
        assert_eq!(means, [1.0, 4.0, 7.0, 9.5, 11.5, 13.5, 15.5, 17.5, 19.5, 21.5]);
    }
}
