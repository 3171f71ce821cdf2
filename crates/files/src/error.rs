//! Errors of a file as a whole.

use std::{io, path::Path};

use super::headings::MAX_COLUMNS;
use duijie_core::domain::Kind;

/// A file that cannot be read, with the reason.
#[derive(Debug, thiserror::Error)]
#[error("{path}：{problem}")]
pub struct FileError {
    /// Path as given by the user.
    pub path: String,
    /// The problem.
    pub problem: FileProblem,
}

/// Problem of a file as a whole. Each message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum FileProblem {
    /// The file does not exist.
    #[error("找不到文件，请检查路径")]
    Missing,
    /// The path is a folder or other non-file.
    #[error("不是普通文件，请给出具体的 .csv、.xlsx 或 .jsonl 文件")]
    NotAFile,
    /// Reading failed.
    #[error("读取失败（{0}），请检查权限或磁盘")]
    Unreadable(io::Error),
    /// The extension is unknown.
    #[error("不认识扩展名；支持 .csv、.tsv、.xlsx、.xlsm、.jsonl、.ndjson，请另存为其中一种")]
    UnknownEnding,
    /// The content does not match the extension.
    #[error("内容是{content}，与扩展名不符；{advice}")]
    WrongContent {
        /// Format of the content.
        content: &'static str,
        /// Advice.
        advice: &'static str,
    },
    /// The file is empty or only white space.
    #[error("文件是空的，请确认导出是否成功")]
    Empty,
    /// There are no rows below the heading.
    #[error("只有表头，没有数据行")]
    NoRows,
    /// There are more columns than allowed.
    #[error("表头有 {columns} 列，最多 {MAX_COLUMNS} 列；请删去不需要的列")]
    TooManyColumns {
        /// Columns of the heading.
        columns: usize,
    },
    /// No column holds the title.
    #[error(
        "没有找到名称列（如“成果名称”“需求名称”“姓名”“title”）；读到的列：{headings}；请修改表头，或用 --mapping 说明各列的含义"
    )]
    NoTitle {
        /// The first headings.
        headings: String,
    },
    /// The kind is neither given nor recognisable.
    #[error("看不出是成果、需求还是专家，请用 --kind achievements、--kind demands 或 --kind experts 指明")]
    UnknownKind,
    /// The command line and the mapping name different kinds.
    #[error("命令行指明的是{}，映射文件写的是{}，请统一", .asked.label(), .mapped.label())]
    KindConflict {
        /// Kind on the command line.
        asked: Kind,
        /// Kind in the mapping.
        mapped: Kind,
    },
    /// The mapping uses fields that the kind does not have.
    #[error("映射文件中的字段不适用于{}：{fields}；请改正映射文件或 --kind", .kind.label())]
    FieldsOfOtherKind {
        /// Kind of the file.
        kind: Kind,
        /// Keys of the fields.
        fields: String,
    },
    /// A workbook exceeds the size limit for reading into memory.
    #[error("工作簿超过 {max_mib} MiB，请另存为 CSV 后导入（CSV 不限大小），或拆成几个文件")]
    WorkbookTooLarge {
        /// Limit in MiB.
        max_mib: u64,
    },
    /// A workbook unpacks to more than allowed (a "zip bomb", or a sheet of millions of formatted cells).
    #[error("工作簿解压后过大，请另存为 CSV 后导入，或删去多余的工作表和空行空列")]
    Unfolds,
    /// A sheet has more rows than allowed.
    #[error("工作表超过 {max_rows} 行，请另存为 CSV 后导入")]
    TooManyRows {
        /// Limit of rows.
        max_rows: u32,
    },
    /// A workbook is damaged or protected.
    #[error("工作簿损坏、加密或不是标准的 .xlsx（{0}），请用 Excel 或 WPS 打开后另存为 .xlsx 或 CSV")]
    BrokenWorkbook(String),
}

// === impl FileError ===

impl FileError {
    /// Error for the problem of a file.
    pub fn new(path: &Path, problem: FileProblem) -> Self {
        Self { path: path.display().to_string(), problem }
    }
}

impl From<io::Error> for FileProblem {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::Missing,
            io::ErrorKind::IsADirectory => Self::NotAFile,
            _ => Self::Unreadable(error),
        }
    }
}
