//! Mean-centering: the mean vector of a model's vectors, and its subtraction from each.
//!
//! e5 puts all texts into a narrow cone: two unrelated texts have a cosine of 0.75 to 0.8. With most of the mean
//! subtracted, cosines reflect topics only (nDCG@10 +0.013, Spearman +0.043 on the judged set).
//!
//! `c = unit(v - alpha m)` for records and queries alike. Vectors centred by different mean vectors must not be
//! compared, so the mean vector's version is part of the model's.

use std::{fs, path::Path};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{EmbedError, folder::hex};

/// Share of the mean subtracted: between the optima of the judged set (0.9) and the samples (0.8).
pub const MEAN_SHARE: f64 = 0.85;
/// Hexadecimal digits of the version.
const VERSION_DIGITS: usize = 12;
/// Largest file accepted: 8,192 numbers, far more than any model has.
const MAX_FILE_BYTES: u64 = 256 * 1024;

/// Vector subtracted from every vector.
#[derive(Debug, Clone, PartialEq)]
pub struct MeanVector {
    file: File,
    version: String,
}

/// File format of a mean vector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// Origin, for people; not used by the program.
    made_from: String,
    /// Share of the mean, in [0, 1).
    alpha: f64,
    /// Mean of uncentred unit vectors; its length is below 1.
    mean: Vec<f32>,
}

/// Sums the vectors of one kind of records.
#[derive(Debug, Clone, Default)]
pub struct MeanAccumulator {
    sum: Vec<f64>,
    count: u32,
}

// === impl MeanVector ===

impl MeanVector {
    /// Creates a mean vector from this mean.
    ///
    /// # Errors
    /// A sentence: `alpha` outside [0, 1), or a mean that is empty, not finite or longer than 1.
    pub fn new(alpha: f64, mean: Vec<f32>, made_from: impl Into<String>) -> Result<Self, String> {
        let file = File { made_from: made_from.into(), alpha, mean };
        if !(0.0..1.0).contains(&alpha) {
            return Err(format!("alpha = {alpha} 应不小于 0 且小于 1"));
        }
        let length = dot(&file.mean, &file.mean).sqrt();
        if file.mean.is_empty() || !length.is_finite() || 1.0 + 1e-6 < length {
            return Err(format!("mean 的长度为 {length}，应不大于 1"));
        }
        let mut hash = Sha256::new();
        hash.update(alpha.to_le_bytes());
        file.mean.iter().for_each(|value| hash.update(value.to_le_bytes()));
        let version = hex(&hash.finalize()).chars().take(VERSION_DIGITS).collect();
        Ok(Self { file, version })
    }

    /// Mean vector of two kinds that search for each other: half of each mean, or the only mean there is. `None`
    /// without any mean, or if [`MeanVector::new`] refuses the result.
    pub fn between(one: &MeanAccumulator, other: &MeanAccumulator, made_from: &str) -> Option<Self> {
        let means: Vec<Vec<f64>> = [one, other].into_iter().filter_map(MeanAccumulator::mean).collect();
        let share = match means.len() {
            2 => 0.5,
            _ => 1.0,
        };
        let mut sum = vec![0.0; means.first()?.len()];
        for mean in &means {
            sum.iter_mut().zip(mean).for_each(|(sum, value)| *sum += share * value);
        }
        // stored in the precision of a vector
        #[expect(clippy::cast_possible_truncation, reason = "the values lie between -1 and 1")]
        let mean = sum.into_iter().map(|value| value as f32).collect();
        Self::new(MEAN_SHARE, mean, made_from).ok()
    }

    /// Reads a file written by [`MeanVector::to_json`]; `None` if there is no such file.
    ///
    /// # Errors
    /// [`EmbedError::MeanVector`].
    pub fn read(path: &Path) -> Result<Option<Self>, EmbedError> {
        let error = |detail: String| EmbedError::MeanVector { path: path.to_path_buf(), detail };
        match fs::metadata(path) {
            Err(problem) if problem.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(problem) => return Err(error(problem.to_string())),
            Ok(metadata) if MAX_FILE_BYTES < metadata.len() => return Err(error("文件过大".to_string())),
            Ok(_) => {}
        }
        let text = fs::read_to_string(path).map_err(|problem| error(problem.to_string()))?;
        let File { made_from, alpha, mean } =
            serde_json::from_str(&text).map_err(|problem| error(problem.to_string()))?;
        Self::new(alpha, mean, made_from).map(Some).map_err(error)
    }

    /// Contents of the file.
    pub fn to_json(&self) -> String {
        let mean: Vec<String> = self.file.mean.iter().map(ToString::to_string).collect();
        let made_from = serde_json::Value::from(self.file.made_from.as_str());
        format!("{{\"made_from\": {made_from}, \"alpha\": {}, \"mean\": [{}]}}\n", self.file.alpha, mean.join(", "))
    }

    /// Twelve hexadecimal digits of a hash over share and mean.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Length of the vectors.
    pub fn dimensions(&self) -> usize {
        self.file.mean.len()
    }

    /// Centres a unit vector of the model. Returns the vector unchanged if the difference is zero.
    pub fn apply(&self, vector: &[f32]) -> Vec<f32> {
        self.combine(vector, 1.0, -self.file.alpha)
    }

    /// Inverse of [`MeanVector::apply`]: returns the unit vector on the ray from `alpha m` along `centred`.
    pub fn undo(&self, centred: &[f32]) -> Vec<f32> {
        let alpha = self.file.alpha;
        let along = alpha * dot(centred, &self.file.mean);
        let rest = 1.0 - alpha * alpha * dot(&self.file.mean, &self.file.mean);
        self.combine(centred, (along * along + rest).sqrt() - along, alpha)
    }

    /// `share vector + mean_share mean`, scaled to unit length.
    fn combine(&self, vector: &[f32], share: f64, mean_share: f64) -> Vec<f32> {
        let sum = vector.iter().zip(&self.file.mean);
        let sum: Vec<f64> =
            sum.map(|(value, mean)| share * f64::from(*value) + mean_share * f64::from(*mean)).collect();
        let length = sum.iter().map(|value| value * value).sum::<f64>().sqrt();
        if length < f64::from(f32::EPSILON) {
            return vector.to_vec();
        }
        #[expect(clippy::cast_possible_truncation, reason = "the values lie between -1 and 1")]
        let unit = sum.into_iter().map(|value| (value / length) as f32).collect();
        unit
    }
}

// === impl MeanAccumulator ===

impl MeanAccumulator {
    /// Adds a vector of the model; ignores a vector with a length other than the first.
    pub fn add(&mut self, vector: &[f32]) {
        if self.count == 0 {
            self.sum = vec![0.0; vector.len()];
        }
        if self.sum.len() == vector.len() {
            self.sum.iter_mut().zip(vector).for_each(|(sum, value)| *sum += f64::from(*value));
            self.count += 1;
        }
    }

    /// Number of vectors added.
    pub fn count(&self) -> u32 {
        self.count
    }

    fn mean(&self) -> Option<Vec<f64>> {
        (0 < self.count).then(|| self.sum.iter().map(|sum| sum / f64::from(self.count)).collect())
    }
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Expected values from a second implementation; see docs/relevance.md.
    const VECTORS: &str = include_str!("../../core/tests/vectors/feedback.json");

    #[derive(Deserialize)]
    struct Vectors {
        records: Vec<Vec<f32>>,
        queries: Vec<Vec<f32>>,
        #[serde(rename = "centre")]
        mean_vector: Vec<f32>,
        centred_records: Vec<Vec<f32>>,
        centred_query_0: Vec<f32>,
    }

    fn unit(vector: &[f32]) -> Vec<f32> {
        let length = dot(vector, vector).sqrt() as f32;
        vector.iter().map(|value| value / length).collect()
    }

    fn near(got: &[f32], want: &[f32]) {
        assert_eq!(got.len(), want.len());
        assert!(got.iter().zip(want).all(|(a, b)| (a - b).abs() < 2e-6), "{got:?} is not {want:?}");
    }

    #[test]
    fn the_same_numbers_as_elsewhere() {
        let vectors: Vectors = serde_json::from_str(VECTORS).unwrap();
        let (mut demands, mut achievements) = (MeanAccumulator::default(), MeanAccumulator::default());
        vectors.queries.iter().for_each(|query| demands.add(&unit(query)));
        vectors.records.iter().for_each(|record| achievements.add(&unit(record)));
        let mean_vector = MeanVector::between(&demands, &achievements, "test").unwrap();
        near(&mean_vector.file.mean, &vectors.mean_vector);
        for (record, centred) in vectors.records.iter().zip(&vectors.centred_records) {
            near(&mean_vector.apply(&unit(record)), centred);
            near(&mean_vector.undo(centred), &unit(record));
        }
        near(&mean_vector.apply(&unit(&vectors.queries[0])), &vectors.centred_query_0);
    }

    #[test]
    fn one_kind_alone_makes_a_centre_and_none_makes_none() {
        let (mut some, none) = (MeanAccumulator::default(), MeanAccumulator::default());
        assert_eq!(MeanVector::between(&some, &none, ""), None);
        some.add(&[1.0, 0.0]);
        some.add(&[0.0, 1.0]);
        some.add(&[1.0]);
        assert_eq!(some.count(), 2);
        assert_eq!(MeanVector::between(&none, &some, "").unwrap().file.mean, [0.5, 0.5]);
    }

    #[test]
    fn a_file_is_read_as_it_was_written_and_a_wrong_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mean_vector.json");
        assert_eq!(MeanVector::read(&path).unwrap(), None);
        let mean_vector = MeanVector::new(0.85, vec![0.1, -0.333_333_34, 1e-9], "引号\"").unwrap();
        fs::write(&path, mean_vector.to_json()).unwrap();
        assert_eq!(MeanVector::read(&path).unwrap(), Some(mean_vector.clone()));
        assert_ne!(MeanVector::new(0.8, mean_vector.file.mean.clone(), "").unwrap().version(), mean_vector.version());
        for (text, want) in [
            ("", "EOF"),
            ("{\"made_from\": \"\", \"alpha\": 1.0, \"mean\": [0.5]}", "alpha = 1"),
            ("{\"made_from\": \"\", \"alpha\": 0.8, \"mean\": [0.9, 0.9]}", "应不大于 1"),
            ("{\"made_from\": \"\", \"alpha\": 0.8, \"mean\": []}", "应不大于 1"),
            ("{\"made_from\": \"\", \"alpha\": 0.8, \"mean\": [0.5], \"more\": 1}", "more"),
        ] {
            fs::write(&path, text).unwrap();
            let error = MeanVector::read(&path).unwrap_err().to_string();
            assert!(error.contains(want) && error.contains("mean_vector.json"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn undoing_gives_the_vector_back(
            vector in prop::collection::vec(-1f32..1.0, 8),
            mean in prop::collection::vec(-0.35f32..0.35, 8),
        ) {
            prop_assume!(0.1 < dot(&vector, &vector));
            let (vector, mean_vector) = (unit(&vector), MeanVector::new(0.85, mean, "").unwrap());
            let centred = mean_vector.apply(&vector);
            prop_assert!((dot(&centred, &centred) - 1.0).abs() < 1e-5);
            for (got, want) in mean_vector.undo(&centred).iter().zip(&vector) {
                prop_assert!((got - want).abs() < 1e-4);
            }
        }
    }
}
