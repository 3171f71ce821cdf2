//! The reasons why a call fails. `api::status` turns each into a gRPC status; the command line turns it into a
//! sentence.

use duijie_core::domain::{Problem, RecordName, Violation, Violations};
use duijie_cpu::CpuError;
use duijie_embed::EmbedError;
use duijie_store::{IndexError, transfer::TransferError};

/// Reason why a call failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The caller's input breaks rules.
    #[error("输入有 {} 处不符合要求：{}", .0.count(), list(.0))]
    Invalid(Violations),
    /// No such record.
    #[error("没有名为 {0} 的记录")]
    NotFound(RecordName),
    /// No such job.
    #[error("没有名为 {0} 的任务")]
    NoSuchJob(String),
    /// No such subscription.
    #[error("没有编号为 {0} 的订阅")]
    NoSuchSubscription(String),
    /// The service is stopping. Another instance, or this one after its restart, continues.
    #[error("服务正在停止，请稍后凭令牌继续")]
    Stopping,
    /// A stream was cut before its end: the caller took nothing for too long, or the work behind it ended.
    #[error("数据流未传完即中断（接收过慢或服务中断），已收到的部分不完整，请重新请求")]
    StreamCut,
    /// The request did not come whole within its time.
    #[error("请求未在时限内完整送达，请检查网络后重试")]
    TooSlow,
    /// A message is too large, as it came or unpacked.
    #[error("消息解压或展开后超过上限（{max} 字节），请分批发送")]
    MessageTooLarge {
        /// Most bytes of a message.
        max: usize,
    },
    /// The current state does not allow the call, for a reason specific to one feature.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Too much work is waiting; try again later.
    #[error("服务繁忙，请在 {retry_ms} 毫秒后重试")]
    Busy {
        /// When to try again, in milliseconds.
        retry_ms: u64,
    },
    /// The call's deadline has passed.
    #[error("超过调用时限")]
    DeadlineExceeded,
    /// The model or the engine does not answer; the call may be repeated.
    #[error("服务暂不可用：{0}")]
    Unavailable(String),
    /// Nodes of the Qdrant cluster do not answer, and the others could not do the work; the call may be repeated.
    #[error("Qdrant 节点 {nodes} 没有应答，请稍后重试")]
    NodesAway {
        /// Their addresses.
        nodes: String,
        /// What failed, for the log.
        what: String,
    },
    /// A bug in this service.
    #[error("内部错误：{0}")]
    Internal(String),
}

/// A call refused for a reason specific to one feature, such as an event in the wrong state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{chinese}")]
pub struct Refusal {
    /// What a caller can do about it; decides the gRPC code.
    pub kind: RefusalKind,
    /// Stable, machine-readable reason in UPPER_SNAKE.
    pub reason: &'static str,
    /// A sentence in English.
    pub english: String,
    /// A sentence in Chinese.
    pub chinese: String,
    /// Machine-readable values, by name.
    pub metadata: Vec<(&'static str, String)>,
}

/// What a caller can do about a refusal; each maps to a gRPC code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalKind {
    /// NOT_FOUND: name something that exists.
    NotFound,
    /// ALREADY_EXISTS: choose another name.
    AlreadyExists,
    /// ABORTED: read again, then repeat.
    Aborted,
    /// FAILED_PRECONDITION: change the state first.
    FailedPrecondition,
    /// RESOURCE_EXHAUSTED: ask for less.
    TooLarge,
    /// DATA_LOSS: store it anew, or restore it from a backup.
    DataLoss,
    /// UNAUTHENTICATED: present a valid key.
    Unauthenticated,
    /// PERMISSION_DENIED: use a key that may.
    PermissionDenied,
}

/// Back-off after the model was busy: the time of a few texts.
const RETRY_MS: u64 = 200;

/// Result of a call.
pub type Result<T> = std::result::Result<T, Error>;

// === impl Error ===

impl Error {
    /// Whether the same call may work in a while.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Busy { .. } | Self::DeadlineExceeded | Self::Unavailable(_) | Self::NodesAway { .. })
    }
}

impl From<Violation> for Error {
    fn from(violation: Violation) -> Self {
        Self::Invalid(violation.into())
    }
}

impl From<Violations> for Error {
    fn from(violations: Violations) -> Self {
        Self::Invalid(violations)
    }
}

impl From<EmbedError> for Error {
    fn from(error: EmbedError) -> Self {
        match error {
            EmbedError::Busy => Self::Busy { retry_ms: RETRY_MS },
            // the import path refuses such records one by one; here the text is a query
            EmbedError::Blank { .. } | EmbedError::TooLong { .. } => {
                let want = "text that is not blank and not written out beyond 48,000 tokens";
                let want_zh = "可读的文字（不能全是空白或展开后过长的字符）";
                Violation::new("text", Problem::Malformed { want, want_zh }).into()
            }
            other => Self::Unavailable(other.to_string()),
        }
    }
}

impl From<CpuError> for Error {
    fn from(error: CpuError) -> Self {
        match error {
            CpuError::Busy => Self::Busy { retry_ms: RETRY_MS },
            CpuError::Panicked(_) => Self::Internal(error.to_string()),
            CpuError::Closed => Self::Unavailable(error.to_string()),
        }
    }
}

impl From<IndexError> for Error {
    fn from(error: IndexError) -> Self {
        match error {
            IndexError::Busy => Self::Busy { retry_ms: RETRY_MS },
            IndexError::DeadlineExceeded => Self::DeadlineExceeded,
            IndexError::DiskFull { free_mib, needed_mib, .. } => Self::Refused(Refusal {
                kind: RefusalKind::TooLarge,
                reason: "DISK_FULL",
                english: format!("the disk has {free_mib} MiB left of the {needed_mib} MiB that writes need"),
                chinese: error.to_string(),
                metadata: vec![("free_mib", free_mib.to_string()), ("needed_mib", needed_mib.to_string())],
            }),
            IndexError::RecordDamaged { ref name, ref reason } => Self::Refused(Refusal {
                kind: RefusalKind::DataLoss,
                reason: "RECORD_DAMAGED",
                english: format!("the stored record {name} is damaged, import it anew or delete it"),
                chinese: error.to_string(),
                metadata: vec![("name", name.clone()), ("damage", reason.clone())],
            }),
            IndexError::DocumentDamaged { ref name, ref reason } => Self::Refused(Refusal {
                kind: RefusalKind::DataLoss,
                reason: "DOCUMENT_DAMAGED",
                english: format!("the stored document {name} is damaged, restore it from a backup"),
                chinese: error.to_string(),
                metadata: vec![("name", name.clone()), ("damage", reason.clone())],
            }),
            IndexError::BadPoint { .. } | IndexError::BadSearch { .. } | IndexError::BadDocument { .. } => {
                Self::Internal(error.to_string())
            }
            IndexError::NodesAway { ref nodes, .. } => {
                Self::NodesAway { nodes: nodes.clone(), what: error.to_string() }
            }
            other => Self::Unavailable(other.to_string()),
        }
    }
}

impl From<TransferError> for Error {
    fn from(error: TransferError) -> Self {
        match error {
            TransferError::Index(error) => error.into(),
            TransferError::Unwritable { .. } => Self::Internal(error.to_string()),
            other => Self::Unavailable(other.to_string()),
        }
    }
}

fn list(violations: &Violations) -> String {
    let say = |violation: &Violation| format!("{} {}", violation.field, violation.problem.chinese());
    let mut said: Vec<String> = violations.iter().map(say).collect();
    said.extend((0 < violations.beyond()).then(|| format!("另有 {} 处", violations.beyond())));
    said.join("；")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_the_model_cannot_take_is_the_callers_mistake() {
        for error in [EmbedError::Blank { index: 0 }, EmbedError::TooLong { index: 0, max_chars: 1 }] {
            let Error::Invalid(violations) = Error::from(error) else { panic!("not the caller's") };
            assert_eq!(violations[0].field, "text");
        }
        assert!(matches!(Error::from(EmbedError::Busy), Error::Busy { .. }));
        assert!(matches!(Error::from(IndexError::Busy), Error::Busy { .. }));
        assert!(matches!(Error::from(CpuError::Busy), Error::Busy { .. }));
        assert!(matches!(Error::from(CpuError::Panicked("x".into())), Error::Internal(_)));
        assert!(matches!(Error::from(IndexError::Closed), Error::Unavailable(_)));
    }

    #[test]
    fn a_damaged_record_is_told_by_its_name() {
        let error = IndexError::RecordDamaged { name: "demands/d-1".into(), reason: "内容与校验和不符".into() };
        let Error::Refused(refusal) = Error::from(error) else { panic!("not told") };
        assert_eq!((refusal.kind, refusal.reason), (RefusalKind::DataLoss, "RECORD_DAMAGED"));
        assert!(refusal.english.contains("demands/d-1"), "{}", refusal.english);
        assert!(refusal.chinese.contains("demands/d-1") && refusal.chinese.contains("重新导入"), "{}", refusal.chinese);
    }

    #[test]
    fn a_full_disk_is_told_to_the_caller() {
        let error = IndexError::DiskFull {
            folder: "data/store".into(),
            free_mib: 99,
            needed_mib: 512,
            consequence: "已停止写入，查询照常",
        };
        let Error::Refused(refusal) = Error::from(error) else { panic!("not told") };
        assert_eq!((refusal.kind, refusal.reason), (RefusalKind::TooLarge, "DISK_FULL"));
        assert!(refusal.chinese.contains("只剩 99 MB，需要 512 MB，已停止写入"), "{}", refusal.chinese);
    }
}
