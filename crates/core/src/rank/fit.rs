//! Fits the regressions of [`Logits`](super::Logits) to graded pairs by Newton's method on the penalised
//! log-likelihood, which has a single maximum.

use super::level::{Logit, Logits, sigmoid};

/// Minimum pairs on each side of each cut; with fewer, the regression overfits.
pub const MIN_PAIRS: usize = 10;
/// Share of the pairs cut off at each end of the context range.
const CONTEXT_TAIL: f64 = 0.05;
/// Penalty on the slopes. It only keeps a slope finite: the log-likelihood sums some thousand pairs.
const L2: f64 = 1.0;
/// Maximum deviation treated as rounding; the feature then does not vary.
const MIN_DEVIATION: f64 = 1e-12;
/// Maximum Newton steps; six are usual.
const MAX_STEPS: usize = 50;
/// Maximum halvings of a step.
const MAX_HALVINGS: usize = 30;
/// The search ends when no coefficient moves more than this.
const SHORT_STEP: f64 = 1e-10;

/// A graded pair.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Graded {
    /// Final score.
    pub score: f64,
    /// Context of the query.
    pub context: f64,
    /// Human grade, 1 to 4.
    pub level: u8,
}

/// Why judgements cannot be fitted; a message that says what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FitError {
    /// Too few pairs on one side of a cut.
    #[error("级别{} {level} 的判分只有 {pairs} 对，至少需要 {MIN_PAIRS} 对，请补充判分", if *.below { "低于" } else { "不低于" })]
    TooFew {
        /// The cut.
        level: u8,
        /// Whether the pairs below the cut are too few.
        below: bool,
        /// Number of pairs on that side.
        pairs: usize,
    },
    /// A higher score predicts a lower level.
    #[error("得分越高级别反而越低（级别不低于 {level}），请检查判分与特征是否来自同一批数据")]
    Downwards {
        /// The cut.
        level: u8,
    },
}

/// Intercept and two slopes.
type Numbers = [f64; 3];

/// A row: 1, the standardised features, and whether the level is reached.
type Row = (Numbers, bool);

/// Fits the regressions.
///
/// # Errors
/// [`FitError`].
pub fn fit(pairs: &[Graded]) -> Result<Logits, FitError> {
    for level in [2, 3, 4] {
        let below = pairs.iter().filter(|pair| pair.level < level).count();
        for (below, pairs) in [(true, below), (false, pairs.len() - below)] {
            if pairs < MIN_PAIRS {
                return Err(FitError::TooFew { level, below, pairs });
            }
        }
    }
    let fitted = fit_any(pairs);
    match fitted.logits.iter().find(|logit| logit.slopes[0] <= 0.0) {
        Some(logit) => Err(FitError::Downwards { level: logit.level_at_least }),
        None => Ok(fitted),
    }
}

/// Fits the regressions without checking the pairs; for cross-validation folds.
pub(crate) fn fit_any(pairs: &[Graded]) -> Logits {
    let mut contexts: Vec<f64> = pairs.iter().map(|pair| pair.context).collect();
    contexts.sort_by(f64::total_cmp);
    let context_limits @ [low, high] = [CONTEXT_TAIL, 1.0 - CONTEXT_TAIL].map(|share| quantile(&contexts, share));
    let features = |pair: &Graded| [pair.score, pair.context.max(low).min(high)];
    let count = f64::from(u32::try_from(pairs.len()).unwrap_or(u32::MAX)).max(1.0);
    let mean = sum(pairs.iter().map(features)).map(|sum| sum / count);
    let squares = |pair: &Graded| pairwise(features(pair), mean, |value, mean| (value - mean).powi(2));
    let deviation = sum(pairs.iter().map(squares)).map(|sum| (sum / count).sqrt());
    let deviation = deviation.map(|deviation| if MIN_DEVIATION < deviation { deviation } else { 1.0 });
    let logits = [2, 3, 4].map(|level| {
        let row = |pair: &Graded| {
            let [score, context] =
                pairwise(pairwise(features(pair), mean, |value, mean| value - mean), deviation, |a, b| a / b);
            ([1.0, score, context], level <= pair.level)
        };
        let rows: Vec<Row> = pairs.iter().map(row).collect();
        let [intercept, score, context] = newton(&rows);
        Logit { level_at_least: level, intercept, slopes: [score, context] }
    });
    Logits { context_limits, mean, deviation, l2: L2, logits }
}

/// Quantile of sorted values with linear interpolation; 0 if there are none.
pub fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    let place = f64::from(u32::try_from(last).unwrap_or(u32::MAX)) * share.clamp(0.0, 1.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the last place")]
    let below = place.floor() as usize;
    let at = |place: usize| sorted.get(place.min(last)).copied().unwrap_or(0.0);
    at(below) + (place - place.floor()) * (at(below + 1) - at(below))
}

fn sum(rows: impl Iterator<Item = [f64; 2]>) -> [f64; 2] {
    rows.fold([0.0; 2], |sum, row| pairwise(sum, row, |sum, value| sum + value))
}

fn pairwise([a, b]: [f64; 2], [c, d]: [f64; 2], what: impl Fn(f64, f64) -> f64) -> [f64; 2] {
    [what(a, c), what(b, d)]
}

/// Minimises `Σ ln(1 + exp η) - y η + ½ L2 |slopes|²` from 0.
fn newton(rows: &[Row]) -> Numbers {
    let mut numbers = [0.0; 3];
    for _ in 0..MAX_STEPS {
        let step = step(rows, numbers);
        let before = objective(rows, numbers);
        let scales = (0..=MAX_HALVINGS).scan(1.0, |scale, _| Some(std::mem::replace(scale, *scale / 2.0)));
        let next = scales.map(|scale| add(numbers, step, -scale)).find(|next| objective(rows, *next) <= before);
        let Some(next) = next else { break };
        numbers = next;
        if step.iter().all(|part| part.abs() < SHORT_STEP) {
            break;
        }
    }
    numbers
}

/// Hessian⁻¹ · gradient.
fn step(rows: &[Row], numbers: Numbers) -> Numbers {
    let [_, score, context] = numbers;
    let mut gradient = [0.0, L2 * score, L2 * context];
    let mut hessian = [[0.0; 3], [0.0, L2, 0.0], [0.0, 0.0, L2]];
    for (row, reached) in rows {
        let said = sigmoid(dot(*row, numbers));
        let error = said - f64::from(u8::from(*reached));
        gradient = add(gradient, *row, error);
        let weight = said * (1.0 - said);
        for (line, value) in hessian.iter_mut().zip(row) {
            *line = add(*line, *row, weight * value);
        }
    }
    solve(hessian, gradient)
}

fn objective(rows: &[Row], numbers: Numbers) -> f64 {
    let [_, score, context] = numbers;
    let loss = |(row, reached): &Row| {
        let eta = dot(*row, numbers);
        let softplus = eta.max(0.0) + (-eta.abs()).exp().ln_1p();
        if *reached { softplus - eta } else { softplus }
    };
    rows.iter().map(loss).sum::<f64>() + 0.5 * L2 * (score * score + context * context)
}

/// Solves three equations by Cramer's rule, for a positive definite matrix. Returns 0 if there is no solution, which
/// ends the search.
fn solve([a, b, c]: [Numbers; 3], right: Numbers) -> Numbers {
    // the matrix is symmetric, so its lines are its columns
    let whole = determinant(a, b, c);
    if whole == 0.0 || !whole.is_finite() {
        return [0.0; 3];
    }
    [determinant(right, b, c), determinant(a, right, c), determinant(a, b, right)].map(|part| part / whole)
}

fn determinant([a1, a2, a3]: Numbers, [b1, b2, b3]: Numbers, [c1, c2, c3]: Numbers) -> f64 {
    a1 * (b2 * c3 - b3 * c2) - a2 * (b1 * c3 - b3 * c1) + a3 * (b1 * c2 - b2 * c1)
}

fn add([a, b, c]: Numbers, [d, e, f]: Numbers, scale: f64) -> Numbers {
    [a + scale * d, b + scale * e, c + scale * f]
}

fn dot([a, b, c]: Numbers, [d, e, f]: Numbers) -> f64 {
    a * d + b * e + c * f
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Data and fit from another implementation; see docs/relevance.md.
    const PAIRS: &str = include_str!("../../tests/vectors/calibrate.tsv");
    const FITTED: &str = include_str!("../../tests/vectors/calibrate.json");

    fn pairs() -> Vec<Graded> {
        let row = |line: &str| {
            let parts: Vec<f64> = line.split('\t').map(|part| part.parse().unwrap()).collect();
            Graded { score: parts[0], context: parts[1], level: parts[2] as u8 }
        };
        PAIRS.lines().skip(1).map(row).collect()
    }

    fn near(got: &[f64], want: &serde_json::Value) {
        let want: Vec<f64> = want.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect();
        assert!(got.iter().zip(&want).all(|(a, b)| (a - b).abs() < 1e-6), "{got:?} is not {want:?}");
    }

    #[test]
    fn the_same_numbers_as_elsewhere() {
        let want: serde_json::Value = serde_json::from_str(FITTED).unwrap();
        let fitted = fit(&pairs()).unwrap();
        near(&fitted.context_limits, &want["context_limits"]);
        near(&fitted.mean, &want["mean"]);
        near(&fitted.deviation, &want["deviation"]);
        for (place, logit) in fitted.logits.iter().enumerate() {
            near(&[logit.intercept, logit.slopes[0], logit.slopes[1]], &want["logits"][place]);
        }
        let errors = pairs()
            .iter()
            .map(|pair| f64::from(fitted.level(pair.score, pair.context).number().abs_diff(pair.level)))
            .sum::<f64>();
        near(&[errors / 120.0], &serde_json::json!([want["training_mae"]]));
    }

    #[test]
    fn judgements_from_which_nothing_can_be_learned_are_refused() {
        assert_eq!(fit(&[]), Err(FitError::TooFew { level: 2, below: true, pairs: 0 }));
        let few: Vec<_> = pairs().into_iter().filter(|pair| pair.level < 4).collect();
        assert_eq!(fit(&few), Err(FitError::TooFew { level: 4, below: false, pairs: 0 }));
        let upside_down: Vec<_> = pairs().into_iter().map(|pair| Graded { score: 1.0 - pair.score, ..pair }).collect();
        let refusal = fit(&upside_down).unwrap_err();
        assert!(matches!(refusal, FitError::Downwards { .. }) && refusal.to_string().contains("请检查"), "{refusal}");
    }

    #[test]
    fn features_that_do_not_vary_and_levels_that_split_cleanly_have_a_fit() {
        let pair = |score: f64, level: u8| Graded { score, context: 0.4, level };
        let pairs: Vec<_> = (0..80u8).map(|i| pair(f64::from(i) / 80.0, 1 + i / 20)).collect();
        let fitted = fit(&pairs).unwrap();
        assert_eq!(fitted.deviation[1], 1.0);
        assert!(fitted.logits.iter().all(|logit| logit.intercept.is_finite() && logit.slopes[1].abs() < 1e-9));
        assert_eq!([0.01, 0.3, 0.6, 0.99].map(|score| fitted.level(score, 0.4).number()), [1, 2, 3, 4]);
    }

    #[test]
    fn quantiles_between_values() {
        let check = |values: &[f64], share: f64, want: f64| assert!((quantile(values, share) - want).abs() < 1e-12);
        check(&[1.0, 2.0, 3.0], 0.5, 2.0);
        check(&[1.0, 2.0, 3.0], 0.25, 1.5);
        check(&[1.0, 2.0], 1.0, 2.0);
        check(&[7.0], 0.3, 7.0);
        check(&[], 0.3, 0.0);
    }
}
