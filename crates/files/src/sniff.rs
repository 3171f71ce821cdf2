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
    /// A name of the years before XLSX.
    OldWorkbook,
}

/// Bytes looked at.
pub const HEAD_BYTES: u64 = 1024;

/// Advice for a web page under the name of a table.
const WEB_PAGE: (&str, &str) = (
    "网页（HTML），不是表格文件",
    "多半是网站或管理系统“导出 Excel”时写的；请用 Excel 或 WPS 打开它，另存为“Excel 工作簿（.xlsx）”后再导入，只改扩展名没有用",
);
/// Advice for the XML of Excel 2003.
const OLD_XML: (&str, &str) =
    ("Excel 2003 的 XML 表格，不是 .xlsx 工作簿", "请用 Excel 或 WPS 打开它，另存为“Excel 工作簿（.xlsx）”后再导入");
/// Advice for a page in one file.
const ONE_FILE_PAGE: (&str, &str) =
    ("单个文件的网页（MHTML）", "请用 Excel 或 WPS 打开它，另存为“Excel 工作簿（.xlsx）”后再导入");

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
            // often a web page or a workbook under an old name: the first bytes say what to do
            "xls" | "et" => Ok(Self::OldWorkbook),
            _ => Err(FileProblem::UnknownEnding),
        }
    }

    /// Rejects first bytes that belong to another format.
    pub fn check(self, head: &[u8]) -> Result<(), FileProblem> {
        if let Some((content, advice)) = markup(head) {
            return Err(FileProblem::WrongContent { content, advice });
        }
        let found = SIGNATURES.iter().find(|(signature, ..)| head.starts_with(signature));
        match (self, found) {
            (Self::Workbook, Some((b"PK\x03\x04", ..))) | (Self::Lines, Some((b"{\"", ..))) => Ok(()),
            (_, Some((_, content, advice))) => Err(FileProblem::WrongContent { content, advice }),
            (Self::Workbook, None) => Err(FileProblem::WrongContent {
                content: "文本或其他数据，不是 Excel 工作簿",
                advice: "若是 CSV 请把扩展名改为 .csv，否则请用 Excel 或 WPS 打开后另存为 .xlsx",
            }),
            (Self::OldWorkbook, None) => Err(FileProblem::UnknownEnding),
            (_, None) => Ok(()),
        }
    }
}

/// Content and advice for a page or an XML table, in any encoding of its letters.
fn markup(head: &[u8]) -> Option<(&'static str, &'static str)> {
    let head: Vec<u8> = head.iter().copied().filter(|byte| *byte != 0).collect();
    let text = String::from_utf8_lossy(&head).to_lowercase();
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '\u{FEFF}' | '\u{FFFD}'));
    if text.starts_with("mime-version:") || text.starts_with("from:") && text.contains("mime-version:") {
        return Some(ONE_FILE_PAGE);
    }
    if text.starts_with("<?xml") && text.contains("office:spreadsheet") {
        return Some(OLD_XML);
    }
    let tags = [
        "<html",
        "<!doctype html",
        "<table",
        "<head",
        "<meta",
        "<body",
        "<div",
        "<style",
        "<script",
        "<center",
        "<tr",
        "<!--",
    ];
    let page = tags.iter().any(|tag| text.starts_with(tag)) || (text.starts_with("<?xml") && text.contains("<html"));
    page.then_some(WEB_PAGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_under_any_name_are_told() {
        let check = |head: &[u8], part: &str| {
            for format in [Format::Delimited, Format::Workbook, Format::OldWorkbook, Format::Lines] {
                let said = format.check(head).unwrap_err().to_string();
                assert!(said.contains(part) && said.contains(".xlsx") && !said.contains("改为 .csv"), "{said}");
            }
        };
        check(b"<html><body><table>", "HTML");
        check(b"\xEF\xBB\xBF\r\n <!DOCTYPE HTML>", "HTML");
        check(b"<table border='1'><tr>", "HTML");
        check(b"\xFF\xFE<\0h\0t\0m\0l\0", "HTML");
        check(b"<?xml version=\"1.0\"?><Workbook xmlns=\"urn:schemas-microsoft-com:office:spreadsheet\">", "XML");
        check(b"MIME-Version: 1.0\r\nX-Document-Type: Workbook", "MHTML");
        assert!(Format::Delimited.check("需求名称,<p>说明</p>".as_bytes()).is_ok());
    }
}
