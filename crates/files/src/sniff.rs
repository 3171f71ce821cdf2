//! Format of a file by its extension, checked against its first bytes.

use std::path::Path;

use super::error::FileProblem;

/// Format of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// CSV, TSV.
    Delimited,
    /// JSONL.
    Lines,
    /// XLSX.
    Workbook,
}

/// First bytes of formats that users mistake for others, with the format's name and advice.
const SIGNATURES: [(&[u8], &str, &str); 6] = [
    (b"PK\x03\x04", "Excel 工作簿或压缩包", "若是 Excel 工作簿请把扩展名改为 .xlsx，若是压缩包请先解压"),
    (b"PK\x05\x06", "空的压缩包", "请重新导出"),
    (b"\xD0\xCF\x11\xE0", "旧版 Excel（.xls）或加密的工作簿", "请用 Excel 或 WPS 打开后另存为 .xlsx 或 CSV"),
    (b"%PDF", "PDF", "请导出为 .xlsx 或 CSV"),
    (b"\x1F\x8B", "gzip 压缩文件", "请先解压"),
    (b"{\"", "JSON", "若每行是一个对象，请把扩展名改为 .jsonl"),
];

// === impl Format ===

impl Format {
    /// Format by the extension, ignoring case.
    pub fn by_ending(path: &Path) -> Result<Self, FileProblem> {
        let ending = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        match ending.as_str() {
            "csv" | "tsv" => Ok(Self::Delimited),
            "jsonl" | "ndjson" => Ok(Self::Lines),
            "xlsx" | "xlsm" => Ok(Self::Workbook),
            _ => Err(FileProblem::UnknownEnding),
        }
    }

    /// Rejects first bytes that belong to another format.
    pub fn check(self, head: &[u8]) -> Result<(), FileProblem> {
        let found = SIGNATURES.iter().find(|(signature, ..)| head.starts_with(signature));
        match (self, found) {
            (Self::Workbook, Some((b"PK\x03\x04", ..))) | (Self::Lines, Some((b"{\"", ..))) => Ok(()),
            (_, Some((_, content, advice))) => Err(FileProblem::WrongContent { content, advice }),
            (Self::Workbook, None) => Err(FileProblem::WrongContent {
                content: "文本或其他数据，不是 Excel 工作簿",
                advice: "若是 CSV 请把扩展名改为 .csv，否则请另存为 .xlsx",
            }),
            (_, None) => Ok(()),
        }
    }
}
