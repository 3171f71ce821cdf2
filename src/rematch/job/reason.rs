//! Why a job failed, and why it matched everything despite a base: codes with values. Their sentences are made here.

use serde::{Deserialize, Deserializer, Serialize};

use crate::error::Error;
use duijie_core::domain::Kind;

/// Reason of a failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "StoredFailure")]
pub struct Failure {
    /// Kind.
    pub kind: FailureKind,
    /// Details in Chinese; empty if the kind says all.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

/// Kind of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// The request cannot be fulfilled; the detail names each violation.
    InvalidRequest,
    /// A record or job that the job needs does not exist.
    NotFound,
    /// The demand does not exist.
    DemandNotFound,
    /// The job was deleted.
    JobDeleted,
    /// An error in the service.
    Internal,
}

/// Reason a job matched everything despite a base. The aliases are the sentences that older builds stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FullReason {
    /// The base does not exist.
    #[serde(alias = "基准任务已不存在")]
    BaseNotFound,
    /// The base has not ended with every demand done.
    #[serde(alias = "基准任务没有完成")]
    BaseUnfinished,
    /// The base belongs to another request.
    #[serde(alias = "基准任务的条件不同")]
    BaseDiffers,
    /// The base has no results.
    #[serde(alias = "基准任务没有结果")]
    BaseEmpty,
    /// The base is so old that records of deletions are gone.
    #[serde(alias = "基准任务过旧，删除记录已清理")]
    BaseTooOld,
    /// Text pipeline or dictionary changed.
    #[serde(alias = "词典已更换")]
    TextChanged,
    /// Model or format changed.
    #[serde(alias = "模型或格式已更换")]
    ModelChanged,
    /// The calibration changed.
    #[serde(alias = "校准已更换")]
    CalibrationChanged,
    /// The settings of matching changed.
    #[serde(alias = "匹配参数已更改")]
    SettingsChanged,
    /// The base's term statistics do not exist.
    #[serde(alias = "基准任务的词频统计已不存在")]
    StatisticsNotFound,
    /// So many records changed that the term statistics are outdated.
    StatisticsOutdated {
        /// Kind of records.
        kind: Kind,
    },
    /// Too many records changed.
    TooManyChanges {
        /// Kind of records.
        kind: Kind,
        /// The maximum.
        max: u64,
    },
    /// The recorded changes do not explain the number of records, as after a copy.
    ChangesIncomplete {
        /// Kind of records.
        kind: Kind,
        /// Records of the base.
        before: u64,
        /// Records now.
        now: u64,
    },
    /// So many demands are new that the results need new blocks.
    #[serde(alias = "需求增加过多，结果需要重新分块")]
    TooManyNewDemands,
    /// Sentence with values, stored by an older build.
    #[serde(untagged)]
    Told(String),
}

/// The stored form of a failure, now and before failures had kinds.
#[derive(Deserialize)]
#[serde(untagged)]
enum StoredFailure {
    Now {
        kind: FailureKind,
        #[serde(default)]
        detail: String,
    },
    Before(String),
}

const DEMAND_NOT_FOUND: &str = "没有这条需求";
const JOB_DELETED: &str = "任务已被删除";

// === impl Failure ===

impl Failure {
    /// A failure without details.
    pub fn new(kind: FailureKind) -> Self {
        Self { kind, detail: String::new() }
    }

    /// Returns a sentence in Chinese.
    pub fn chinese(&self) -> &str {
        match self.kind {
            FailureKind::DemandNotFound => DEMAND_NOT_FOUND,
            FailureKind::JobDeleted => JOB_DELETED,
            FailureKind::InvalidRequest | FailureKind::NotFound | FailureKind::Internal => &self.detail,
        }
    }
}

impl From<&Error> for Failure {
    fn from(error: &Error) -> Self {
        let kind = match error {
            Error::Invalid(_) => FailureKind::InvalidRequest,
            Error::NotFound(_) | Error::NoSuchJob(_) => FailureKind::NotFound,
            _ => FailureKind::Internal,
        };
        Self { kind, detail: error.to_string() }
    }
}

impl From<StoredFailure> for Failure {
    fn from(stored: StoredFailure) -> Self {
        match stored {
            StoredFailure::Now { kind, detail } => Self { kind, detail },
            StoredFailure::Before(text) => match text.as_str() {
                DEMAND_NOT_FOUND => Self::new(FailureKind::DemandNotFound),
                JOB_DELETED => Self::new(FailureKind::JobDeleted),
                other if other.starts_with("输入有") => Self { kind: FailureKind::InvalidRequest, detail: text },
                other if other.starts_with("没有名为") => Self { kind: FailureKind::NotFound, detail: text },
                _ => Self { kind: FailureKind::Internal, detail: text },
            },
        }
    }
}

/// Reads the failure of a job or run; older builds stored an empty text for none.
pub(crate) fn read_failure<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Failure>, D::Error> {
    let read = Option::<Failure>::deserialize(from)?;
    Ok(read.filter(|it| !it.chinese().is_empty()))
}

// === impl FullReason ===

impl FullReason {
    /// Returns a sentence in Chinese.
    pub fn chinese(&self) -> String {
        match self {
            Self::BaseNotFound => "基准任务已不存在".into(),
            Self::BaseUnfinished => "基准任务没有完成".into(),
            Self::BaseDiffers => "基准任务的条件不同".into(),
            Self::BaseEmpty => "基准任务没有结果".into(),
            Self::BaseTooOld => "基准任务过旧，删除记录已清理".into(),
            Self::TextChanged => "词典已更换".into(),
            Self::ModelChanged => "模型或格式已更换".into(),
            Self::CalibrationChanged => "校准已更换".into(),
            Self::SettingsChanged => "匹配参数已更改".into(),
            Self::StatisticsNotFound => "基准任务的词频统计已不存在".into(),
            Self::StatisticsOutdated { kind } => format!("{}变动过多，词频统计需要更新", kind.label()),
            Self::TooManyChanges { kind, max } => format!("变动的{}超过 {max} 条", kind.label()),
            Self::ChangesIncomplete { kind, before, now } => {
                format!("{}由 {before} 条变为 {now} 条，变动记录不全（可能复制过数据）", kind.label())
            }
            Self::TooManyNewDemands => "需求增加过多，结果需要重新分块".into(),
            Self::Told(text) => text.clone(),
        }
    }
}

/// Reads the reason of a job; older builds stored an empty text for none.
pub(super) fn read_full_reason<'de, D: Deserializer<'de>>(from: D) -> Result<Option<FullReason>, D::Error> {
    let read = Option::<FullReason>::deserialize(from)?;
    Ok(read.filter(|it| !matches!(it, FullReason::Told(text) if text.is_empty())))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rematch::job::{ErrorSample, Job, Method};

    #[test]
    fn failures_and_reasons_are_stored_and_read_again() {
        let failures = [
            Failure::new(FailureKind::DemandNotFound),
            Failure { kind: FailureKind::Internal, detail: "内部错误：x".into() },
        ];
        for failure in failures {
            let json = serde_json::to_string(&failure).unwrap();
            assert_eq!(serde_json::from_str::<Failure>(&json).unwrap(), failure, "{json}");
        }
        let reasons = [
            FullReason::BaseTooOld,
            FullReason::StatisticsOutdated { kind: Kind::Expert },
            FullReason::TooManyChanges { kind: Kind::Demand, max: 3 },
            FullReason::ChangesIncomplete { kind: Kind::Achievement, before: 1, now: 9 },
        ];
        for reason in reasons {
            let json = serde_json::to_string(&reason).unwrap();
            assert_eq!(serde_json::from_str::<FullReason>(&json).unwrap(), reason, "{json}");
        }
    }

    #[test]
    fn jobs_of_the_old_form_are_read() {
        let job = |state: &str, method: serde_json::Value, failure: &str| -> Job {
            let request = json!({
                "selection": {"names": ["demands/d-1"]}, "targets": ["achievement"], "limit": 20, "least_score": 0.0
            });
            serde_json::from_value(json!({
                "id": "rematch/jobs/00000000000000ff",
                "request": request,
                "state": state,
                "create_time": "2026-11-01T00:00:00Z",
                "update_time": "2026-11-01T00:01:00Z",
                "method": method,
                "errors": [{"demand": "demands/d-1", "message": "没有这条需求"}],
                "failure": failure,
            }))
            .unwrap()
        };
        let full = |because: &str| json!({"full": {"because": because}});
        let done = job("done", full(""), "");
        assert_eq!((done.method, done.failure), (Some(Method::Full { because: None }), None));
        let failure = Failure::new(FailureKind::DemandNotFound);
        assert_eq!(done.errors, [ErrorSample { demand: "demands/d-1".parse().unwrap(), failure }]);
        let because = |sentence: &str| match job("done", full(sentence), "").method {
            Some(Method::Full { because: Some(because) }) => {
                assert_eq!(because.chinese(), sentence);
                because
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(because("词典已更换"), FullReason::TextChanged);
        assert_eq!(because("基准任务过旧，删除记录已清理"), FullReason::BaseTooOld);
        assert_eq!(because("变动的需求超过 3 条"), FullReason::Told("变动的需求超过 3 条".into()));
        let check = |sentence: &str, kind: FailureKind| {
            let failure = job("failed", full(""), sentence).failure.unwrap();
            assert_eq!((failure.kind, failure.chinese()), (kind, sentence));
        };
        check("输入有 1 处不符合要求：filter 至多 1000000 项", FailureKind::InvalidRequest);
        check("没有名为 rematch/jobs/0 的任务", FailureKind::NotFound);
        check("内部错误：x", FailureKind::Internal);
    }
}
