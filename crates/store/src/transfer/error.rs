//! What can go wrong between two stores, in sentences that say what to do.

use std::{io, path::PathBuf};

use crate::IndexError;

/// What a transfer answers.
pub type Result<T> = std::result::Result<T, TransferError>;

/// A copy, a snapshot or a restore failed.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// One of the stores failed.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The target was built by other versions than the source.
    #[error("目标与来源的版本不同（{difference}），向量不能照搬，请改用空的目标")]
    Mismatch {
        /// What differs: source and target.
        difference: String,
    },
    /// The target holds what the source has not.
    #[error("目标中有 {extra} 条来源没有的记录、{newer} 条修订号更高的记录，复制不删除也不覆盖它们，请改用空的目标")]
    Foreign {
        /// Points that the source has not.
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
        /// Rounds that were gone.
        rounds: u32,
    },
    /// Another process took the duty over.
    #[error("维护权已失去（与存储的联系中断过，或被另一个维护命令取得），已停止，请查明后再次执行同一命令")]
    LeaseLost,
    /// A file cannot be read or written.
    #[error("无法读写 {path}（{source}），请检查路径、权限和磁盘空间")]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The snapshot cannot be handed on: a full disk, or a receiver that is gone.
    #[error("写备份失败（{0}），请检查磁盘空间和权限")]
    Sink(io::Error),
    /// A file of the name is there already.
    #[error("文件 {path} 已存在，不会覆盖，请换一个文件名")]
    Exists {
        /// Which file.
        path: PathBuf,
    },
    /// Another process writes a file of the name.
    #[error("文件 {path} 正由另一个进程写入，请等它完成或换一个文件名")]
    InUse {
        /// Which file.
        path: PathBuf,
    },
    /// The file is none of ours.
    #[error("文件 {path} 不是 duijie 的备份，请检查文件名")]
    Foreigner {
        /// Which file.
        path: PathBuf,
    },
    /// The file was cut off or altered.
    #[error("备份文件 {path} 不完整或已损坏（{reason}），请换用另一份备份")]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// The file, or the store that it was made of, has a format that this program does not know.
    #[error("备份文件 {path} 的格式为 {found}，本程序只支持 {wanted}，请用生成它的 duijie 版本恢复")]
    OtherFormat {
        /// Which file.
        path: PathBuf,
        /// Its format.
        found: String,
        /// Ours.
        wanted: String,
    },
    /// A point cannot be written into a snapshot so that it could be read back.
    #[error("记录 {name} 无法写入备份（{reason}），请修改或删除该记录后重试")]
    Unwritable {
        /// Name of the record.
        name: String,
        /// Why not.
        reason: String,
    },
    /// The store to restore into holds other points.
    #[error("存储中有 {others} 条不属于该备份的记录，恢复不删除也不覆盖它们，请改用空的存储（store.folder）")]
    NotEmpty {
        /// How many.
        others: u64,
    },
    /// What was restored is not what the snapshot holds.
    #[error("恢复后的存储与备份不一致（{difference}），请换一个空的存储文件夹再恢复")]
    NotRestored {
        /// Kind with both counts.
        difference: String,
    },
    /// The work was given up because the program ends.
    #[error("操作已中止，请再次执行同一命令")]
    Stopped,
}
