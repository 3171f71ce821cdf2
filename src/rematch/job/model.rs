//! Jobs and their results: plain values, as stored and returned.

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::reason::{Failure, FullReason, read_failure, read_full_reason};
use duijie_core::domain::{Filter, Kind, Problem, RecordName, Violation, hit::Level};
use duijie_store::StoreVersions;

/// Collection of the names of jobs.
pub(crate) const JOBS: &str = "rematch/jobs";
/// Most targets of each kind per demand.
pub const MAX_LIMIT: usize = 100;
/// Default number of targets of each kind per demand.
pub(crate) const DEFAULT_LIMIT: usize = 20;
/// Most names in a selection.
pub const MAX_NAMES: usize = 1_000;
/// Most demands per job.
pub(crate) const MAX_DEMANDS: usize = 1_000_000;
/// Longest `request_id` in bytes.
pub const MAX_REQUEST_ID: usize = 64;
/// Most error samples per job.
pub const MAX_ERRORS: usize = 20;

/// Id of a job. Later jobs have higher ones; its name is `rematch/jobs/{16 hexadecimal digits}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct JobId(u64);

/// Request for a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobRequest {
    /// Selection of the demands.
    pub selection: Selection,
    /// Kinds of targets, in order, each once: achievements, experts or both.
    pub targets: Vec<Kind>,
    /// Most targets of each kind per demand, 1 to [`MAX_LIMIT`].
    pub limit: usize,
    /// Achievements below this level are left out.
    #[serde(rename = "least_level", default, skip_serializing_if = "Option::is_none")]
    pub min_level: Option<Level>,
    /// Experts below this score, 0 to 1, are left out.
    #[serde(rename = "least_score", default)]
    pub min_score: f64,
    /// A finished job with an equal request: only results that can have changed since then are matched again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<JobId>,
    /// Idempotency key chosen by the caller, at most [`MAX_REQUEST_ID`] bytes: starting again with it returns the first
    /// job. Empty means none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub request_id: String,
}

/// Selection of a job's demands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Selection {
    /// Demands that match a filter; without a status, only ACTIVE ones. The empty filter selects all open demands;
    /// `update_time` selects recently changed ones.
    Filter(Box<Filter>),
    /// These demands, at most [`MAX_NAMES`], each once, in any status.
    Names(Vec<RecordName>),
}

/// How many jobs may be open: queued or running.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobBounds {
    /// In all.
    pub all: usize,
    /// Of one caller.
    pub of_caller: usize,
}

/// A job with its state and progress.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// Id.
    pub id: JobId,
    /// Request.
    pub request: JobRequest,
    /// Who started it; empty for the service itself.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub caller: String,
    /// State.
    pub state: State,
    /// Creation time.
    pub create_time: Timestamp,
    /// Start of the first run.
    #[serde(default)]
    pub start_time: Option<Timestamp>,
    /// End time.
    #[serde(default)]
    pub end_time: Option<Timestamp>,
    /// Time of the last write.
    pub update_time: Timestamp,
    /// Inputs of the results; set once the job runs.
    #[serde(default)]
    pub inputs: Option<Inputs>,
    /// Method; set once the job runs.
    #[serde(default)]
    pub method: Option<Method>,
    /// Progress in numbers.
    #[serde(default)]
    pub counts: Counts,
    /// The first errors of demands, at most [`MAX_ERRORS`].
    #[serde(default)]
    pub errors: Vec<ErrorSample>,
    /// Reason of the failure; `None` unless the job failed.
    #[serde(default, deserialize_with = "read_failure")]
    pub failure: Option<Failure>,
    /// Whether a caller asked the job to stop.
    #[serde(default)]
    pub cancel_requested: bool,
    /// Number of times an instance took the job.
    #[serde(default)]
    pub attempts: u32,
    /// Working time in milliseconds.
    #[serde(default)]
    pub worked_ms: u64,
    /// Location of the results, and the number of blocks written.
    #[serde(default)]
    pub(super) progress: ResultsLocation,
}

/// State of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Waiting for a free instance.
    Queued,
    /// Running, or about to be taken over.
    Running,
    /// Finished.
    Done,
    /// Stopped on request; finished results are kept.
    Cancelled,
    /// Failed for good; finished results are kept.
    Failed,
}

/// Inputs that a job's results depend on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Inputs {
    /// Snapshot time; later changes may be missing.
    pub time: Timestamp,
    /// Versions of the store, the dictionary and the model.
    pub versions: StoreVersions,
    /// Version of the calibration of the levels.
    pub calibration: String,
    /// Matching settings, as a text for comparison.
    pub settings: String,
    /// For each kind of targets: the term statistics used for scores, and the number of records.
    pub targets: Vec<TargetInputs>,
    /// Number of demands in the store.
    pub demands: u64,
}

/// Inputs for one kind of targets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetInputs {
    /// Kind of targets.
    pub kind: Kind,
    /// Version of the term statistics.
    pub statistics: String,
    /// Number of records.
    pub records: u64,
}

/// Method of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Matches every demand.
    Full {
        /// Reason why a requested incremental job was not possible.
        #[serde(default, deserialize_with = "read_full_reason")]
        because: Option<FullReason>,
    },
    /// Takes results that cannot have changed from the base.
    Incremental {
        /// Demands that were changed, created or deleted since the base.
        changed_demands: u64,
        /// Targets that were changed, created or deleted since the base.
        changed_targets: u64,
    },
}

/// Progress of a job in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Demands in the selection.
    pub demands: u64,
    /// Demands with a result or an error.
    pub done: u64,
    /// Among `done`: taken from the base.
    pub carried: u64,
    /// Among `done`: with an error.
    pub failed: u64,
    /// Pairs in the results.
    pub pairs: u64,
}

/// An error of a demand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorSample {
    /// Name of the demand.
    pub demand: RecordName,
    /// The error.
    #[serde(alias = "message")]
    pub failure: Failure,
}

/// Location of a job's results, and the number of blocks written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ResultsLocation {
    /// The full job whose blocks lie below this job's, or this job itself.
    pub root: u64,
    /// The base of this job; 0 means none.
    #[serde(default)]
    pub base: u64,
    /// Start of the search for changes, in seconds since 1970; only for a job with a base.
    #[serde(default)]
    pub since: i64,
    /// Number of blocks.
    pub blocks: u64,
    /// Number of the first block that is not written; all earlier ones are.
    pub written: u64,
    /// Most demands that a block of an incremental job may have beyond its root's block.
    #[serde(default)]
    pub grown: u64,
}

/// Result for one demand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DemandResult {
    /// Name of the demand.
    pub demand: RecordName,
    /// Matched revision of the demand.
    pub revision: u64,
    /// One list per kind of targets, in the order of the request.
    pub lists: Vec<TargetList>,
    /// Whether the result was taken from the base.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub carried: bool,
}

/// Result for a demand and one kind of targets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TargetList {
    /// Kind of targets.
    pub kind: Kind,
    /// Whether the catalogue has nothing on the demand's subject; only for achievements.
    #[serde(default)]
    pub nothing_good_enough: bool,
    /// Targets, best first; the first has rank 1.
    pub pairs: Vec<MatchedTarget>,
}

/// A target in a demand's result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MatchedTarget {
    /// Name of the target.
    pub target: RecordName,
    /// Matched revision of the target.
    pub revision: u64,
    /// Score, 0 to 1.
    pub score: f64,
    /// Level, as people would grade it; only for achievements.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
    /// Probability of each level, lowest level first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probabilities: Option<[f64; 4]>,
}

/// A page of results, in the order of the demands' ids ([`PointId::of`](duijie_store::PointId::of)). The order is the
/// same in every job, so two jobs can be read side by side.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ResultPage {
    /// Results.
    pub results: Vec<DemandResult>,
    /// Demand after which to continue; `None` at the end of the written results. A running job may have more later.
    pub next: Option<RecordName>,
}

/// A page of jobs, the latest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct JobPage {
    /// Jobs.
    pub jobs: Vec<Job>,
    /// Job after which to continue; `None` on the last page.
    pub next: Option<JobId>,
}

// === impl JobId ===

impl JobId {
    /// Id with a given number.
    pub fn new(number: u64) -> Self {
        Self(number)
    }

    /// Number of the id.
    pub fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{JOBS}/{:016x}", self.0)
    }
}

impl From<JobId> for String {
    fn from(id: JobId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for JobId {
    type Error = Violation;

    fn try_from(text: String) -> Result<Self, Violation> {
        text.parse()
    }
}

impl FromStr for JobId {
    type Err = Violation;

    /// Parses a name; the digits alone also work.
    fn from_str(text: &str) -> Result<Self, Violation> {
        let malformed = || {
            let want = "rematch/jobs/{16 hexadecimal digits}";
            let want_zh = "“rematch/jobs/”后接 16 位十六进制数字";
            Violation::new("name", Problem::Malformed { want, want_zh })
        };
        if text.is_empty() {
            return Err(Violation::new("name", Problem::Required));
        }
        let digits = text.strip_prefix(JOBS).and_then(|rest| rest.strip_prefix('/')).unwrap_or(text);
        let hexadecimal = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if digits.len() != 16 || !digits.bytes().all(hexadecimal) {
            return Err(malformed());
        }
        u64::from_str_radix(digits, 16).map(Self).map_err(|_| malformed())
    }
}

// === impl JobRequest ===

impl Default for JobRequest {
    /// Request for all open demands and achievements.
    fn default() -> Self {
        Self {
            selection: Selection::Filter(Box::default()),
            targets: vec![Kind::Achievement],
            limit: DEFAULT_LIMIT,
            min_level: None,
            min_score: 0.0,
            base: None,
            request_id: String::new(),
        }
    }
}

// === impl JobBounds ===

impl Default for JobBounds {
    fn default() -> Self {
        Self { all: 100, of_caller: 20 }
    }
}

// === impl ResultsLocation ===

impl ResultsLocation {
    /// Base of this job.
    pub fn base(&self) -> Option<JobId> {
        (self.base != 0).then_some(JobId(self.base))
    }

    /// Start of the search for changes.
    pub fn since(&self) -> Timestamp {
        Timestamp::from_second(self.since).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

// === impl State ===

impl State {
    /// Whether the state is final.
    pub fn ended(self) -> bool {
        matches!(self, Self::Done | Self::Cancelled | Self::Failed)
    }

    /// Label for users.
    pub fn label(self) -> &'static str {
        match self {
            Self::Queued => "排队",
            Self::Running => "运行",
            Self::Done => "完成",
            Self::Cancelled => "已取消",
            Self::Failed => "失败",
        }
    }
}

// === impl Job ===

impl Job {
    /// A queued job.
    pub fn new(id: JobId, request: JobRequest, now: Timestamp) -> Self {
        Self {
            id,
            request,
            caller: String::new(),
            state: State::Queued,
            create_time: now,
            start_time: None,
            end_time: None,
            update_time: now,
            inputs: None,
            method: None,
            counts: Counts::default(),
            errors: Vec::new(),
            failure: None,
            cancel_requested: false,
            attempts: 0,
            worked_ms: 0,
            progress: ResultsLocation::default(),
        }
    }

    /// Demands per second of working time; 0 before any work.
    pub fn demands_per_second(&self) -> f64 {
        if self.worked_ms == 0 { 0.0 } else { self.counts.done as f64 * 1_000.0 / self.worked_ms as f64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_jobs() {
        let check = |text: &str, want: Option<u64>| assert_eq!(text.parse().ok(), want.map(JobId), "{text}");
        check("rematch/jobs/00000000000000ff", Some(255));
        check("00000000000000ff", Some(255));
        check("", None);
        check("rematch/jobs/", None);
        check("rematch/jobs/ff", None);
        check("rematch/jobs/00000000000000FF", None);
        check("rematch/jobs/+0000000000000ff", None);
        check("jobs/00000000000000ff", None);
        assert_eq!(JobId(255).to_string(), "rematch/jobs/00000000000000ff");
    }

    #[test]
    fn requests_are_stored_and_read_again() {
        let request = JobRequest {
            selection: Selection::Names(vec!["demands/tianjin/d-1".parse().unwrap()]),
            min_level: Some(Level::Fair),
            base: Some(JobId(7)),
            request_id: "r".into(),
            ..JobRequest::default()
        };
        for request in [request, JobRequest::default()] {
            let json = serde_json::to_string(&request).unwrap();
            assert_eq!(serde_json::from_str::<JobRequest>(&json).unwrap(), request, "{json}");
        }
    }
}
