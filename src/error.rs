//! Why a call can fail. `grpc::status` turns each into a gRPC status, the command line into a sentence.

use crate::{
    domain::{RecordName, Violation},
    embed::EmbedError,
    index::IndexError,
};

/// Why a call failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The caller's input breaks rules.
    #[error("输入有 {} 处不符合要求：{}", .0.len(), list(.0))]
    Invalid(Vec<Violation>),
    /// No such record.
    #[error("没有名为 {0} 的记录")]
    NotFound(RecordName),
    /// Too much waits; try again later.
    #[error("服务繁忙，请在 {retry_ms} 毫秒后重试")]
    Busy {
        /// When to try again, in milliseconds.
        retry_ms: u64,
    },
    /// The call's deadline has passed.
    #[error("超过调用时限")]
    DeadlineExceeded,
    /// Model or engine do not answer; the call may be repeated.
    #[error("服务暂不可用：{0}")]
    Unavailable(String),
    /// A mistake of ours.
    #[error("内部错误：{0}")]
    Internal(String),
}

/// When to come back after the model was busy: a few texts' time.
const RETRY_MS: u64 = 200;

/// Result of a call.
pub type Result<T> = std::result::Result<T, Error>;

// === impl Error ===

impl From<Violation> for Error {
    fn from(violation: Violation) -> Self {
        Self::Invalid(vec![violation])
    }
}

impl From<Vec<Violation>> for Error {
    fn from(violations: Vec<Violation>) -> Self {
        Self::Invalid(violations)
    }
}

impl From<EmbedError> for Error {
    fn from(error: EmbedError) -> Self {
        match error {
            EmbedError::Busy => Self::Busy { retry_ms: RETRY_MS },
            EmbedError::Blank { .. } | EmbedError::TooLong { .. } => Self::Internal(error.to_string()),
            other => Self::Unavailable(other.to_string()),
        }
    }
}

impl From<IndexError> for Error {
    fn from(error: IndexError) -> Self {
        match error {
            IndexError::Busy => Self::Busy { retry_ms: RETRY_MS },
            IndexError::BadPoint { .. } | IndexError::BadSearch { .. } => Self::Internal(error.to_string()),
            other => Self::Unavailable(other.to_string()),
        }
    }
}

fn list(violations: &[Violation]) -> String {
    let say = |violation: &Violation| format!("{} {}", violation.field, violation.problem.chinese());
    violations.iter().map(say).collect::<Vec<_>>().join("；")
}
