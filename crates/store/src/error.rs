//! Errors of an index; each message says what to do.

use std::{io, path::PathBuf};

use duijie_cpu::CpuError;

use super::CollectionKind;

impl From<CpuError> for IndexError {
    fn from(error: CpuError) -> Self {
        match error {
            CpuError::Busy => Self::Busy,
            CpuError::Panicked(reason) => {
                tracing::error!(reason, "work of the index panicked");
                Self::Closed
            }
            CpuError::Closed => Self::Closed,
        }
    }
}

/// An operation on the index failed.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// Another process holds the store.
    #[error("索引目录 {folder} 正被另一个进程（{holder}）使用，请先停止该进程")]
    InUse {
        /// Folder of the store.
        folder: PathBuf,
        /// Process id from the lock file, or a note that it is unknown.
        holder: String,
    },
    /// The store was built by another text pipeline, model or format.
    #[error("存储 {store} 是用其他版本建立的（{difference}），请停止服务后执行 duijie reindex 重建")]
    OtherVersions {
        /// Folder or address of the store.
        store: String,
        /// The difference: stored and wanted value.
        difference: String,
    },
    /// The folder is not empty and holds no store.
    #[error("目录 {folder} 中已有其他文件（{found}），不是本程序的索引，请改用空目录")]
    Foreign {
        /// The folder.
        folder: PathBuf,
        /// One of the entries found.
        found: String,
    },
    /// The folder cannot be read or written.
    #[error("无法读写 {path}（{source}），请检查路径、权限和磁盘空间")]
    Folder {
        /// File or folder.
        path: PathBuf,
        /// Error of the operating system.
        source: io::Error,
    },
    /// The files of one collection cannot be loaded.
    #[error("{}库 {folder} 已损坏（{reason}），请从备份恢复，或删除索引目录后重新导入", collection.label())]
    Damaged {
        /// The collection.
        collection: CollectionKind,
        /// Its folder.
        folder: PathBuf,
        /// Reason.
        reason: String,
    },
    /// A stored record is not what was written.
    #[error("记录 {name} 在存储中已损坏（{reason}），请重新导入该记录，或将其删除")]
    RecordDamaged {
        /// Its name, or its id.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// A stored document is not what was written.
    #[error("文档 {name} 在存储中已损坏（{reason}），请从备份恢复")]
    DocumentDamaged {
        /// Its folder and key, or its id.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// The points of one collection are not those of the last checkpoint.
    #[error(
        "{}库 {folder} 中的条目与上次存盘时不符（当时 {before} 条，现在 {now} 条，或有编号改变），为免有缺失而无人知晓，不启动；\
         请执行 duijie verify 查看，然后从备份恢复，或以 duijie verify --accept 接受现状",
        collection.label()
    )]
    CountedOtherwise {
        /// The collection.
        collection: CollectionKind,
        /// Its folder.
        folder: PathBuf,
        /// Points at the last checkpoint.
        before: u64,
        /// Points now.
        now: u64,
    },
    /// The journal of one collection has damage among acknowledged changes.
    #[error(
        "{}库的日志 {path} 从第 {offset} 字节起有损坏，其后还有已应答的写入，为免丢失而不启动，文件未改动；请执行 duijie \
         repair 查看能挽救什么",
        collection.label()
    )]
    JournalDamaged {
        /// The collection.
        collection: CollectionKind,
        /// The file.
        path: PathBuf,
        /// Offset of the first damaged record.
        offset: u64,
    },
    /// A collection had a journal that is not there.
    #[error(
        "{}库的日志 {path} 不见了，其中可能有已应答的写入，因此不启动；请把它放回原处，或执行 duijie repair 查看如何处理",
        collection.label()
    )]
    JournalMissing {
        /// The collection.
        collection: CollectionKind,
        /// Where it should be.
        path: PathBuf,
    },
    /// The disk has too little room; nothing was written.
    #[error(
        "{folder} 所在的磁盘只剩 {free_mib} MB，需要 {needed_mib} MB，{consequence}；请腾出空间，或调整 store.disk_reserve_mb"
    )]
    DiskFull {
        /// Folder of the store.
        folder: PathBuf,
        /// Free MiB.
        free_mib: u64,
        /// MiB that must be free.
        needed_mib: u64,
        /// What is not done, in Chinese.
        consequence: &'static str,
    },
    /// A point cannot be stored: wrong dimension, NaN or infinite number, repeated term.
    #[error("记录 {name} 无法写入索引：{reason}，请检查模型与文本处理的版本")]
    BadPoint {
        /// Name of the record.
        name: String,
        /// Reason.
        reason: String,
    },
    /// A document cannot be stored: label or text too long, or its id belongs to another document.
    #[error("文档 {folder}/{key} 无法写入：{reason}")]
    BadDocument {
        /// Its folder.
        folder: String,
        /// Its key within the folder.
        key: String,
        /// Reason.
        reason: String,
    },
    /// The search request is invalid.
    #[error("检索参数有误：{reason}，请修改后重试")]
    BadSearch {
        /// Reason.
        reason: String,
    },
    /// An engine operation failed; nothing was acknowledged.
    #[error("{}库操作失败（{reason}），请稍后重试并查看日志", collection.label())]
    Engine {
        /// The collection.
        collection: CollectionKind,
        /// The engine's message.
        reason: String,
    },
    /// A server collection differs from the required layout.
    #[error("Qdrant 中的集合 {collection} 不符合要求：{difference}，请改正配置，或换一个 qdrant.prefix")]
    Unfit {
        /// Name of the collection.
        collection: String,
        /// The difference: found and required.
        difference: String,
    },
    /// The server does not answer.
    #[error("连接不上 Qdrant {url}（{reason}），请检查 qdrant.url、网络和 Qdrant 的状态")]
    Unreachable {
        /// Its addresses.
        url: String,
        /// Reason.
        reason: String,
    },
    /// Nodes of a cluster do not answer, and the others could not complete the request.
    #[error("Qdrant 节点 {nodes} 没有应答（{reason}），请检查这些节点和网络")]
    NodesAway {
        /// Their addresses.
        nodes: String,
        /// Reason.
        reason: String,
    },
    /// The server refused a request, or its answer cannot be used.
    #[error("Qdrant 未能完成请求（{reason}），请稍后重试并查看 Qdrant 的日志")]
    Server {
        /// The server's message.
        reason: String,
    },
    /// This program cannot work on the store; the sentence gives the reason.
    #[error("{0}")]
    Refused(String),
    /// The store is being rebuilt, restored or copied into.
    #[error("存储正在维护（重建、恢复或迁移），请待其完成后再试")]
    Maintenance,
    /// The caller's deadline passed before the engine answered; a write may or may not be stored.
    #[error("引擎未能在时限内应答，请稍后重试")]
    DeadlineExceeded,
    /// Too many reads are queued.
    #[error("检索请求过多，请稍后重试")]
    Busy,
    /// The index is shutting down.
    #[error("索引正在关闭，请稍后重试")]
    Closed,
}

// === impl IndexError ===

impl IndexError {
    /// The same error once more, if the disk is full: each caller whose write is refused gets one.
    pub(crate) fn disk_full(&self) -> Option<Self> {
        let Self::DiskFull { folder, free_mib, needed_mib, consequence } = self else { return None };
        let (free_mib, needed_mib) = (*free_mib, *needed_mib);
        Some(Self::DiskFull { folder: folder.clone(), free_mib, needed_mib, consequence })
    }
}
