//! What a job is, and what it finds: plain values, as they are stored and handed out.

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use duijie_core::domain::{Filter, Kind, Problem, RecordName, Violation, hit::Level};
use duijie_store::StoreVersions;

/// Collection of the names of jobs.
pub const JOBS: &str = "rematch/jobs";
/// Most targets that a demand may keep of each kind.
pub const MAX_LIMIT: usize = 100;
/// Targets that a demand keeps of each kind where nothing is said.
pub const DEFAULT_LIMIT: usize = 20;
/// Most names of a selection.
pub const MAX_NAMES: usize = 1_000;
/// Most demands of a job.
pub const MAX_DEMANDS: usize = 1_000_000;
/// Most bytes of a `request_id`.
pub const MAX_REQUEST_ID: usize = 64;
/// Errors that a job keeps as samples.
pub const MAX_ERRORS: usize = 20;

/// Id of a job. Later jobs have higher ones; its name is `rematch/jobs/{16 hexadecimal digits}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct JobId(u64);

/// What a job is to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobRequest {
    /// Which demands.
    pub selection: Selection,
    /// Kinds of targets, in order and each once: achievements, experts or both.
    pub targets: Vec<Kind>,
    /// Most targets of each kind for a demand, 1 to [`MAX_LIMIT`].
    pub limit: usize,
    /// Achievements below this level are left out.
    #[serde(rename = "least_level", default, skip_serializing_if = "Option::is_none")]
    pub min_level: Option<Level>,
    /// Experts below this score, 0 to 1, are left out.
    #[serde(rename = "least_score", default)]
    pub min_score: f64,
    /// A finished job of the same request: only what can have changed since is matched anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<JobId>,
    /// A name by the caller, at most [`MAX_REQUEST_ID`] bytes: a second start with it gives the first one's job. Empty:
    /// none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub request_id: String,
}

/// Which demands a job matches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Selection {
    /// Those that meet a filter; no status means ACTIVE. The empty filter: all open demands; `update_time`: those that
    /// have changed since.
    Filter(Box<Filter>),
    /// These, at most [`MAX_NAMES`], each once, whatever their status.
    Names(Vec<RecordName>),
}

/// A job with all that is known of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// What it is to do.
    pub request: JobRequest,
    /// How far it is.
    pub state: State,
    /// When it was asked for.
    pub create_time: Timestamp,
    /// When it first ran.
    #[serde(default)]
    pub start_time: Option<Timestamp>,
    /// When it ended.
    #[serde(default)]
    pub end_time: Option<Timestamp>,
    /// When this was written.
    pub update_time: Timestamp,
    /// What its results depend on; known once it runs.
    #[serde(default)]
    pub inputs: Option<Inputs>,
    /// How it does it; known once it runs.
    #[serde(default)]
    pub method: Option<Method>,
    /// How much is done.
    #[serde(default)]
    pub counts: Counts,
    /// The first errors at demands, at most [`MAX_ERRORS`].
    #[serde(default)]
    pub errors: Vec<ErrorSample>,
    /// Why it failed, a sentence in Chinese; empty where it did not.
    #[serde(default)]
    pub failure: String,
    /// Whether somebody wants it to stop.
    #[serde(default)]
    pub cancel_requested: bool,
    /// How often an instance took it up.
    #[serde(default)]
    pub attempts: u32,
    /// Time that was worked on it, in milliseconds.
    #[serde(default)]
    pub worked_ms: u64,
    /// Where its results lie and how far they are written.
    #[serde(default)]
    pub(super) progress: Progress,
}

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It waits for an instance that has nothing else to do.
    Queued,
    /// It runs, or is about to be taken over.
    Running,
    /// Everything is done.
    Done,
    /// It was stopped; what was done is kept.
    Cancelled,
    /// It cannot go on; what was done is kept.
    Failed,
}

/// What the results of a job depend on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Inputs {
    /// From when on changes are not surely in it.
    pub time: Timestamp,
    /// Versions of store, dictionary and model.
    pub versions: StoreVersions,
    /// Version of the calibration of the levels.
    pub calibration: String,
    /// How matching was done: a text to be compared.
    pub settings: String,
    /// For each kind of targets: the statistics of terms that scores were made with, and how many records there were.
    pub targets: Vec<TargetInputs>,
    /// Records of demands that there were.
    pub demands: u64,
}

/// What the results depend on for one kind of targets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetInputs {
    /// Kind of targets.
    pub kind: Kind,
    /// Version of the statistics of terms.
    pub statistics: String,
    /// Records that there were.
    pub records: u64,
}

/// How a job does its work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Every demand is matched.
    Full {
        /// Why not only what changed, where that was asked for: a sentence in Chinese; else empty.
        because: String,
    },
    /// What cannot have changed since the base is taken from it.
    Incremental {
        /// Changed, new and gone demands since.
        changed_demands: u64,
        /// Changed, new and gone targets since.
        changed_targets: u64,
    },
}

/// How much of a job is done, and with what result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Demands of the selection.
    pub demands: u64,
    /// Demands that have a result, or an error.
    pub done: u64,
    /// Of these: taken from the base.
    pub carried: u64,
    /// Of these: with an error.
    pub failed: u64,
    /// Pairs in the results.
    pub pairs: u64,
}

/// An error at a demand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorSample {
    /// Demand.
    pub demand: RecordName,
    /// A sentence in Chinese.
    pub message: String,
}

/// Where the results of a job lie, and how far they are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Progress {
    /// Full job whose blocks are beneath this one's, or this one itself.
    pub root: u64,
    /// Job that this one builds on; 0: none.
    #[serde(default)]
    pub base: u64,
    /// From when on changes are looked for, in seconds since 1970; of a job that builds on another.
    #[serde(default)]
    pub since: i64,
    /// Blocks.
    pub blocks: u64,
    /// All blocks before this one are written.
    pub written: u64,
    /// Demands by which a block of an incremental job may have grown over its root's, at most.
    #[serde(default)]
    pub grown: u64,
}

/// What was found for one demand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DemandResult {
    /// Demand.
    pub demand: RecordName,
    /// Revision of the demand that was matched.
    pub revision: u64,
    /// Each kind of targets, in the order of the request.
    pub lists: Vec<TargetList>,
    /// Whether it was taken from the base.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub carried: bool,
}

/// What was found for a demand among one kind of targets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TargetList {
    /// Kind of targets.
    pub kind: Kind,
    /// Whether the catalogue has nothing on the demand's subject; said of achievements only.
    #[serde(default)]
    pub nothing_good_enough: bool,
    /// Targets, best first; the first is at rank 1.
    pub pairs: Vec<Pair>,
}

/// A target of a demand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pair {
    /// Target.
    pub target: RecordName,
    /// Revision of the target that was matched.
    pub revision: u64,
    /// Score, 0 to 1.
    pub score: f64,
    /// How related people would call it; known for achievements.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
    /// Probability of each level, the lowest first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probabilities: Option<[f64; 4]>,
}

/// One page of results, in the order of the demands' ids ([`PointId::of`](duijie_store::PointId::of)); the same order in
/// every job, so that two jobs can be read side by side.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ResultPage {
    /// Results.
    pub results: Vec<DemandResult>,
    /// Demand to go on after; `None` at the end of what is there. A running job may have more later.
    pub next: Option<RecordName>,
}

/// One page of jobs, the latest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct JobPage {
    /// Jobs.
    pub jobs: Vec<Job>,
    /// Job to go on after; `None` on the last page.
    pub next: Option<JobId>,
}

// === impl JobId ===

impl JobId {
    /// Id of a number.
    pub fn new(number: u64) -> Self {
        Self(number)
    }

    /// Its number.
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

    /// Reads a name; the digits alone are enough.
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
    /// All open demands towards achievements.
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

// === impl Progress ===

impl Progress {
    /// Job that this one builds on.
    pub fn base(&self) -> Option<JobId> {
        (self.base != 0).then_some(JobId(self.base))
    }

    /// From when on changes are looked for.
    pub fn since(&self) -> Timestamp {
        Timestamp::from_second(self.since).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

// === impl State ===

impl State {
    /// Whether nothing more will happen.
    pub fn ended(self) -> bool {
        matches!(self, Self::Done | Self::Cancelled | Self::Failed)
    }

    /// What users call it.
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
    /// A job that nobody has begun.
    pub fn new(id: JobId, request: JobRequest, now: Timestamp) -> Self {
        Self {
            id,
            request,
            state: State::Queued,
            create_time: now,
            start_time: None,
            end_time: None,
            update_time: now,
            inputs: None,
            method: None,
            counts: Counts::default(),
            errors: Vec::new(),
            failure: String::new(),
            cancel_requested: false,
            attempts: 0,
            worked_ms: 0,
            progress: Progress::default(),
        }
    }

    /// Demands per second of work; 0 before any.
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
