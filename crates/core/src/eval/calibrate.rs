//! Fits a calibration file to features of graded pairs, and estimates its error.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use super::{
    features::Features,
    levels::{Levels, Said},
};
use crate::rank::{Calibration, Data, Expected, FitError, Gate, Graded, Logits, fit, fit_any, quantile};

/// Minimum demands for reliable levels; with fewer, `duijie calibrate` warns.
pub const FEW_DEMANDS: usize = 20;
/// Share of the demands used as quantile for the "nothing good enough" gate.
const GATE: f64 = 0.05;
/// Number of random assignments of demands to folds.
const REPEATS: u64 = 5;
/// Number of cross-validation folds.
const FOLDS: usize = 6;
/// Number of bootstrap draws of demands, for confidence intervals.
const DRAWS: usize = 4000;

/// A calibration and its accuracy on held-out demands.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibrated {
    /// The calibration file.
    pub calibration: Calibration,
    /// Accuracy on out-of-fold pairs, all repeats together.
    pub levels: Levels,
}

/// Pairs of one demand.
type Demand<'a> = Vec<&'a Features>;

/// Fits the levels.
///
/// # Errors
/// [`FitError`].
pub fn calibrate(rows: &[Features], name: &str) -> Result<Calibrated, FitError> {
    let demands = by_demand(rows);
    let pairs: Vec<Graded> = rows.iter().map(Features::graded).collect();
    let logits = fit(&pairs)?;
    let edge = |what: fn(&Features) -> f64| {
        let mut values: Vec<f64> = demands.iter().filter_map(|demand| demand.first().map(|row| what(row))).collect();
        values.sort_by(f64::total_cmp);
        quantile(&values, GATE)
    };
    let gate = Gate { context: edge(|row| row.context), best: edge(|row| row.best) };
    let levels = [1, 2, 3, 4].map(|level| pairs.iter().filter(|pair| pair.level == level).count());
    let data = Data { name: name.to_string(), demands: demands.len(), pairs: pairs.len(), levels };
    let out_of_fold: Vec<Vec<Vec<Said>>> = (0..REPEATS).map(|repeat| out_of_fold(&demands, repeat)).collect();
    let levels = Levels::of(&out_of_fold.iter().flatten().flatten().copied().collect::<Vec<_>>());
    let (mae, log_loss) = (levels.mae(), levels.log_loss());
    let how = format!("{REPEATS}x{FOLDS}-fold cross-validation by demand");
    let expected = Expected { mae, score: 1.0 / (1.0 + mae), score_95: spread(&out_of_fold), log_loss, how };
    let mut calibration = Calibration::new(logits, gate, data, expected);
    calibration.version = version(&calibration);
    Ok(Calibrated { calibration, levels })
}

/// Probabilities and level that a calibration gives a graded pair.
pub fn said(logits: &Logits, pair: &Graded) -> Said {
    let at_least = logits.at_least(pair.score, pair.context);
    Said { at_least, announced: logits.level(pair.score, pair.context).number(), graded: pair.level }
}

/// Pairs grouped by demand, in order of first occurrence.
fn by_demand(rows: &[Features]) -> Vec<Demand<'_>> {
    let mut demands: Vec<Demand<'_>> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for row in rows {
        let place = *places.entry(&row.demand).or_insert(demands.len());
        match demands.get_mut(place) {
            Some(demand) => demand.push(row),
            None => demands.push(vec![row]),
        }
    }
    demands
}

/// Out-of-fold predictions for each demand's pairs, in demand order.
fn out_of_fold(demands: &[Demand<'_>], repeat: u64) -> Vec<Vec<Said>> {
    let mut fold_of: Vec<usize> = (0..demands.len()).map(|place| place % FOLDS).collect();
    // the same folds on every run
    fastrand::Rng::with_seed(repeat).shuffle(&mut fold_of);
    let graded = |demand: &Demand<'_>| demand.iter().map(|row| row.graded()).collect::<Vec<_>>();
    let fits: Vec<Logits> = (0..FOLDS)
        .map(|fold| {
            let others = demands.iter().zip(&fold_of).filter(|(_, other)| **other != fold);
            fit_any(&others.flat_map(|(demand, _)| graded(demand)).collect::<Vec<_>>())
        })
        .collect();
    let of = |(demand, fold): (&Demand<'_>, &usize)| {
        let logits = fits.get(*fold);
        graded(demand).iter().filter_map(|pair| Some(said(logits?, pair))).collect()
    };
    demands.iter().zip(&fold_of).map(of).collect()
}

/// 95 % bootstrap interval of 1/(1+MAE), over demands.
fn spread(repeats: &[Vec<Vec<Said>>]) -> [f64; 2] {
    let Some(first) = repeats.first() else { return [0.0, 0.0] };
    let sums = |place: usize| {
        let pairs = repeats.iter().filter_map(|repeat| repeat.get(place)).flatten();
        pairs.fold((0.0, 0.0), |(errors, count), said| (errors + said.error(), count + 1.0))
    };
    let sums: Vec<(f64, f64)> = (0..first.len()).map(sums).collect();
    let mut random = fastrand::Rng::with_seed(0);
    let mut draw = || {
        let drawn = (0..sums.len()).filter_map(|_| sums.get(random.usize(..sums.len())));
        let (errors, count) = drawn.fold((0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        1.0 / (1.0 + errors / f64::max(count, 1.0))
    };
    let mut scores: Vec<f64> = (0..DRAWS).map(|_| draw()).collect();
    scores.sort_by(f64::total_cmp);
    [quantile(&scores, 0.025), quantile(&scores, 0.975)]
}

/// Version name, derived from the whole content of the file.
fn version(calibration: &Calibration) -> String {
    let text = serde_json::to_string(calibration).unwrap_or_default();
    let digits: String = Sha256::digest(text).iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    format!("levels-1-{digits}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(demands: usize) -> Vec<Features> {
        let mut random = fastrand::Rng::with_seed(1);
        let mut rows = Vec::new();
        for demand in 0..demands {
            for achievement in 0..20 {
                let score = random.f64();
                // a noisy rise of the level with the score
                let level = 1
                    + u8::from(0.3 < score + 0.3 * random.f64())
                    + u8::from(0.7 < score * (0.8 + 0.4 * random.f64()))
                    + u8::from(0.9 < score);
                rows.push(Features {
                    demand: format!("d{demand}"),
                    achievement: format!("a{achievement}"),
                    level,
                    score,
                    base: score,
                    cosine: score,
                    cosine_feedback: score,
                    bm25: 0.0,
                    context: 0.3 + demand as f64 / 100.0,
                    best: 0.5 + demand as f64 / 100.0,
                    rank: 1,
                });
            }
        }
        rows
    }

    #[test]
    fn a_calibration_can_be_read_again_and_says_what_to_expect() {
        let rows = rows(21);
        let Calibrated { calibration, levels } = calibrate(&rows, "test").unwrap();
        let read = Calibration::read(&serde_json::to_string(&calibration).unwrap()).unwrap();
        assert_eq!(read.version, calibration.version);
        assert!(calibration.version.starts_with("levels-1-") && calibration.version.len() == 21);
        let Expected { mae, score, score_95: [low, high], .. } = calibration.expected;
        assert!(mae < 0.5 && low < score && score < high && high < low + 0.1, "{mae} {low} {score} {high}");
        assert_eq!(mae, levels.mae());
        assert!((calibration.gate.context - 0.31).abs() < 1e-9 && (calibration.gate.best - 0.51).abs() < 1e-9);
        assert_eq!((calibration.data.demands, calibration.data.pairs), (21, 420));
        assert_eq!(calibrate(&rows, "test").unwrap(), Calibrated { calibration, levels }, "the same on each run");
    }

    #[test]
    fn too_little_is_refused() {
        assert!(matches!(calibrate(&rows(1), ""), Err(FitError::TooFew { .. })));
        assert!(calibrate(&[], "").is_err());
    }
}
