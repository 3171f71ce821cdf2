//! Maps the score of a match to a relevance level, 无, 弱, 较强 or 强, each with a probability.
//!
//! Three logistic regressions, for level ≥ 2, ≥ 3 and ≥ 4, on the score and the query's context; a running minimum
//! makes them monotone. The predicted level is the median of the distribution, which minimises the expected absolute
//! error. The coefficients come from graded pairs (`duijie calibrate`); docs/relevance.md gives their accuracy.

use serde::{Deserialize, Serialize};

use super::Context;
use crate::domain::hit::{Level, Relevance};

/// Calibration shipped with the program, from graded pairs of real demands.
const SHIPPED: &str = include_str!("../../data/calibration.json");
/// The only supported kind of calibration.
const KIND: &str = "three_logits";
/// Input features, in order.
const FEATURES: [&str; 2] = ["score", "context"];
/// Lower level of each regression.
const CUTS: [u8; 3] = [2, 3, 4];

/// A calibration file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    kind: String,
    features: [String; 2],
    /// The regressions.
    #[serde(flatten)]
    pub logits: Logits,
    /// Thresholds; if both are missed, no record is good enough.
    #[serde(rename = "nothing_good_enough_below")]
    pub gate: Gate,
    /// Training data.
    pub data: Data,
    /// Expected error against human grades.
    pub expected: Expected,
    /// Version shown in answers: `levels-1-` and 12 hexadecimal digits.
    pub version: String,
}

/// The regressions, on standardised features.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Logits {
    /// Range to which the context is clamped; few pairs outside were graded.
    pub context_limits: [f64; 2],
    /// Mean of score and context.
    pub mean: [f64; 2],
    /// Standard deviation of score and context, above 0.
    pub deviation: [f64; 2],
    /// Penalty on the slopes used in the fit.
    pub l2: f64,
    /// Regressions for level ≥ 2, ≥ 3, ≥ 4.
    pub logits: [Logit; 3],
}

/// One regression.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Logit {
    /// Lower level of the regression: 2, 3 or 4.
    pub level_at_least: u8,
    /// Log odds at the mean.
    pub intercept: f64,
    /// Change per standard deviation of score and of context.
    pub slopes: [f64; 2],
}

/// Thresholds that 95 % of the calibration's demands exceed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Gate {
    /// Mean score of the feedback records.
    pub context: f64,
    /// Best score of the first pass.
    pub best: f64,
}

/// Description of the training data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Data {
    /// Name of the data.
    pub name: String,
    /// Number of demands.
    pub demands: usize,
    /// Number of distinct graded pairs.
    pub pairs: usize,
    /// Number of pairs of level 1, 2, 3, 4.
    pub levels: [usize; 4],
}

/// Expected error of the levels, by cross-validation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Expected {
    /// Mean absolute error in levels, 0 to 3.
    pub mae: f64,
    /// 1 / (1 + MAE).
    pub score: f64,
    /// 95 % interval of `score`, by drawing demands anew.
    pub score_95: [f64; 2],
    /// Mean of -ln of the probability of the human grade.
    pub log_loss: f64,
    /// Description of the measurement.
    pub how: String,
}

/// Why a calibration file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("校准文件有误：{0}，请用 duijie calibrate 重新生成，或改正 match.calibration")]
pub struct CalibrationError(String);

// === impl Calibration ===

impl Calibration {
    /// Returns the calibration shipped with the program.
    ///
    /// # Errors
    /// None in practice; a test reads the shipped file.
    pub fn shipped() -> Result<Self, CalibrationError> {
        Self::read(SHIPPED)
    }

    /// Returns a calibration of these parts, with an empty version.
    pub fn new(logits: Logits, gate: Gate, data: Data, expected: Expected) -> Self {
        let (kind, features) = (KIND.to_string(), FEATURES.map(str::to_string));
        Self { kind, features, logits, gate, data, expected, version: String::new() }
    }

    /// Reads and checks a calibration file.
    ///
    /// # Errors
    /// [`CalibrationError`] with the fault.
    pub fn read(json: &str) -> Result<Self, CalibrationError> {
        let calibration: Self = serde_json::from_str(json).map_err(|error| CalibrationError(error.to_string()))?;
        calibration.check().map_err(|sentence| CalibrationError(sentence.to_string()))?;
        Ok(calibration)
    }

    fn check(&self) -> Result<(), &'static str> {
        let Logits { context_limits: [low, high], mean, deviation, l2, logits } = self.logits;
        let numbers = [low, high, l2, self.gate.context, self.gate.best, self.expected.mae, self.expected.score];
        let of_logits = logits.iter().flat_map(|logit| [logit.intercept, logit.slopes[0], logit.slopes[1]]);
        let mut numbers = numbers.into_iter().chain(mean).chain(deviation).chain(of_logits);
        let rules = [
            (self.kind == KIND, "kind 应为 three_logits"),
            (self.features == FEATURES, "features 应为 score、context"),
            (numbers.all(f64::is_finite), "含有非有限数"),
            (deviation.iter().all(|deviation| 0.0 < *deviation), "deviation 应大于 0"),
            (low <= high, "context_limits 的下限大于上限"),
            (logits.map(|logit| logit.level_at_least) == CUTS, "logits 应依次为 level_at_least 2、3、4"),
            (logits.iter().all(|logit| 0.0 < logit.slopes[0]), "得分的斜率应大于 0"),
            (!self.version.is_empty() && self.version.len() <= 100, "version 应为 1 到 100 个字节"),
        ];
        rules.into_iter().find(|(holds, _)| !holds).map_or(Ok(()), |(_, sentence)| Err(sentence))
    }

    /// Returns whether the query's context is below both thresholds, which nearly all of the calibration's demands
    /// exceed.
    pub fn nothing_good_enough(&self, context: Context) -> bool {
        context.mean < self.gate.context && context.best < self.gate.best
    }

    /// Relevance of a match with this score. If nothing is good enough, the level is 无 without probabilities, because
    /// such queries were never graded.
    pub fn relevance(&self, score: f64, context: Context) -> Relevance {
        if self.nothing_good_enough(context) {
            return Relevance { level: Level::Unrelated, probabilities: None };
        }
        let at_least = self.logits.at_least(score, context.mean);
        Relevance { level: level(at_least), probabilities: Some(probabilities(at_least)) }
    }
}

// === impl Logits ===

impl Logits {
    /// Probabilities of level ≥ 2, ≥ 3, ≥ 4, non-increasing.
    pub fn at_least(&self, score: f64, context: f64) -> [f64; 3] {
        let [low, high] = self.context_limits;
        // not clamp, which panics if the limits are out of order
        let features = [score, context.max(low).min(high)];
        let mut min = 1.0;
        self.logits.map(|Logit { intercept, slopes, .. }| {
            let parts = features.iter().zip(self.mean).zip(self.deviation).zip(slopes);
            let sum: f64 = parts.map(|(((value, mean), deviation), slope)| slope * (value - mean) / deviation).sum();
            min = sigmoid(intercept + sum).min(min);
            min
        })
    }

    /// Predicted level, 1 to 4.
    pub fn level(&self, score: f64, context: f64) -> Level {
        level(self.at_least(score, context))
    }

    /// Probabilities of the four levels, 无 first.
    pub fn probabilities(&self, score: f64, context: f64) -> [f64; 4] {
        probabilities(self.at_least(score, context))
    }
}

fn level(at_least: [f64; 3]) -> Level {
    // the probabilities are non-increasing, so counting those above 0.5 is enough
    match at_least.iter().filter(|probability| 0.5 < **probability).count() {
        0 => Level::Unrelated,
        1 => Level::Weak,
        2 => Level::Fair,
        _ => Level::Strong,
    }
}

fn probabilities([weak, fair, strong]: [f64; 3]) -> [f64; 4] {
    [1.0 - weak, weak - fair, fair - strong, strong]
}

pub(super) fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rank::{Candidate, Fusion, fuse};

    /// Values from a second implementation; see docs/relevance.md.
    const VECTORS: &str = include_str!("../../tests/vectors/levels.json");
    /// Calibration behind the values.
    const THEIRS: &str = include_str!("../../tests/vectors/calibration.json");
    const FUSION: Fusion = Fusion { dense_weight: 0.75, cosine_floor: 0.0, bm25_saturation: 25.0 };

    #[derive(Deserialize)]
    struct Vectors {
        calibration: String,
        cases: Vec<Case>,
    }

    #[derive(Debug, Deserialize)]
    struct Case {
        cosine_feedback: f32,
        bm25: f32,
        context: f64,
        score: f64,
        at_least: [f64; 3],
        probabilities: [f64; 4],
        level: u8,
    }

    fn near(got: &[f64], want: &[f64], case: &Case) {
        assert!(got.iter().zip(want).all(|(a, b)| (a - b).abs() < 1e-6), "{got:?}: {case:?}");
    }

    #[test]
    fn the_same_numbers_as_elsewhere() {
        let vectors: Vectors = serde_json::from_str(VECTORS).unwrap();
        let calibration = Calibration::read(THEIRS).unwrap();
        assert_eq!(calibration.version, vectors.calibration);
        for case in &vectors.cases {
            let part = |score| [Candidate { id: 1, score }];
            let score = fuse(&part(case.cosine_feedback), &[], &part(case.bm25), &FUSION)[0].score;
            near(&[score], &[case.score], case);
            near(&calibration.logits.at_least(case.score, case.context), &case.at_least, case);
            near(&calibration.logits.probabilities(case.score, case.context), &case.probabilities, case);
            assert_eq!(calibration.logits.level(case.score, case.context).number(), case.level, "{case:?}");
        }
    }

    #[test]
    fn where_nothing_is_good_enough_all_is_unrelated() {
        let calibration = Calibration::shipped().unwrap();
        let Gate { context, best } = calibration.gate;
        let check = |mean: f64, best: f64, want: bool| {
            let context = Context { best, mean };
            assert_eq!(calibration.nothing_good_enough(context), want, "{context:?}");
            let relevance = calibration.relevance(1.0, context);
            assert_eq!(relevance.probabilities.is_none(), want);
            assert_eq!(relevance.level == Level::Unrelated, want);
        };
        check(context - 0.01, best - 0.01, true);
        check(context, best - 0.01, false);
        check(context - 0.01, best, false);
        check(0.0, 0.0, true);
    }

    #[test]
    fn a_wrong_file_is_refused_with_a_sentence() {
        let check = |from: &str, to: &str, want: &str| {
            assert!(THEIRS.contains(from), "{from}");
            let error = Calibration::read(&THEIRS.replacen(from, to, 1)).unwrap_err().to_string();
            assert!(error.contains(want) && error.contains("match.calibration"), "{error}");
        };
        check("three_logits", "two_logits", "kind");
        check("\"context\"", "\"cosine\"", "features");
        check("0.15120022685480322", "0.0", "deviation");
        check("0.305322472", "0.9", "下限");
        check("\"level_at_least\": 3", "\"level_at_least\": 2", "level_at_least");
        check("1.6953209379036347", "-1.6953209379036347", "斜率");
        check("levels-1-ab4eec1bbacf", "", "version");
        check("\"kind\"", "\"kin\"", "kind");
        let read = Calibration::read(THEIRS).unwrap();
        assert_eq!(Calibration::read(&serde_json::to_string(&read).unwrap()), Ok(read));
    }

    proptest! {
        #[test]
        fn probabilities_are_some(score in 0f64..1.0, mean in 0f64..1.0) {
            let logits = Calibration::shipped().unwrap().logits;
            let probabilities = logits.probabilities(score, mean);
            prop_assert!(probabilities.iter().all(|p| (0.0..=1.0).contains(p)));
            prop_assert!((probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-9);
            prop_assert!(logits.level(score, mean) <= logits.level(score + 0.1, mean));
        }
    }
}
