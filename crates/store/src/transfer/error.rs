//! Errors of a transfer between two stores; each message says what to do.

use std::{io, path::PathBuf};

use crate::IndexError;

/// Result of a transfer.
pub type Result<T> = std::result::Result<T, TransferError>;

/// A copy, a snapshot or a restore failed.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// One of the stores failed.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The target was built with other versions than the source.
    #[error("目标与来源的版本不同（{difference}），向量不能照搬，请改用空的目标")]
    Mismatch {
        /// The difference: source and target.
        difference: String,
    },
    /// The target holds points that the source lacks.
    #[error("目标中有 {extra} 条来源没有的记录、{newer} 条修订号更高的记录，复制不删除也不覆盖它们，请改用空的目标")]
    Foreign {
        /// Points missing in the source.
        extra: u64,
        /// Points with a higher revision than the source's.
        newer: u64,
    },
    /// Same names and revisions, other content.
    #[error("目标中有修订号与来源相同而内容不同的记录，校验和不符，请改用空的目标")]
    Different,
    /// The source changes faster than it is copied.
    #[error("来源在复制期间不断有写入，{rounds} 轮之后两边仍不一致，请暂停写入后再次执行同一命令")]
    Unsettled {
        /// Rounds made.
        rounds: u32,
    },
    /// Another process took over the duty.
    #[error("维护权已失去（与存储的联系中断过，或被另一个维护命令取得），已停止，请查明后再次执行同一命令")]
    LeaseLost,
    /// A file cannot be read or written.
    #[error("无法读写 {path}（{source}），请检查路径、权限和磁盘空间")]
    File {
        /// Its path.
        path: PathBuf,
        /// Error of the operating system.
        source: io::Error,
    },
    /// Writing the snapshot out failed: a full disk, or the receiver is gone.
    #[error("写备份失败（{0}），请检查磁盘空间和权限")]
    Sink(io::Error),
    /// The file already exists.
    #[error("文件 {path} 已存在，不会覆盖，请换一个文件名")]
    Exists {
        /// Its path.
        path: PathBuf,
    },
    /// Another process is writing this file.
    #[error("文件 {path} 正由另一个进程写入，请等它完成或换一个文件名")]
    InUse {
        /// Its path.
        path: PathBuf,
    },
    /// The file is not a snapshot of this program.
    #[error("文件 {path} 不是 duijie 的备份，请检查文件名")]
    Foreigner {
        /// Its path.
        path: PathBuf,
    },
    /// The file was truncated or altered.
    #[error("备份文件 {path} 不完整或已损坏（{reason}），请换用另一份备份")]
    Damaged {
        /// Its path.
        path: PathBuf,
        /// Reason.
        reason: String,
    },
    /// The file, or its source store, has a format that this program does not know.
    #[error("备份文件 {path} 的格式为 {found}，本程序只支持 {wanted}，请用生成它的 duijie 版本恢复")]
    OtherFormat {
        /// Its path.
        path: PathBuf,
        /// Its format.
        found: String,
        /// The supported format.
        wanted: String,
    },
    /// A point cannot be written to a snapshot such that it could be read back.
    #[error("记录 {name} 无法写入备份（{reason}），请修改或删除该记录后重试")]
    Unwritable {
        /// Name of the record.
        name: String,
        /// Reason.
        reason: String,
    },
    /// The target of a restore holds other points.
    #[error("存储中有 {others} 条不属于该备份的记录，恢复不删除也不覆盖它们，请改用空的存储（store.folder）")]
    NotEmpty {
        /// Number of those points.
        others: u64,
    },
    /// The restored contents differ from the snapshot.
    #[error("恢复后的存储与备份不一致（{difference}），请换一个空的存储文件夹再恢复")]
    NotRestored {
        /// Kind with both counts.
        difference: String,
    },
    /// The program is shutting down.
    #[error("操作已中止，请再次执行同一命令")]
    Stopped,
}
