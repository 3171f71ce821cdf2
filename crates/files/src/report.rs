//! Report of bad rows and of what was not read, as a table that opens in a spreadsheet: 行号,列名,原值,原因,处理,工作表.

use std::{
    fs::File,
    io::{self, BufWriter},
    path::{Path, PathBuf},
};

use super::{CellError, Note, Row, export::Csv};

/// What the report says of a row that was not stored.
const REFUSED: &str = "未导入";
/// What it says of the rest.
const WARNED: &str = "警告";

/// Writes the errors and warnings of a file's rows. The report is created at the first one, overwriting one of an earlier
/// run; without any no file is created or changed.
#[derive(Debug)]
pub struct ErrorReport {
    path: PathBuf,
    table: Option<Csv<BufWriter<File>>>,
    rows: u64,
    cells: u64,
    warnings: u64,
}

/// A finished report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Path.
    pub path: PathBuf,
    /// Rows with errors.
    pub rows: u64,
    /// Number of errors.
    pub cells: u64,
    /// Number of warnings.
    pub warnings: u64,
}

/// The report cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("写不进错误报告 {path}（{source}），请检查该文件夹的权限和剩余空间，或关闭正在打开它的程序")]
pub struct ReportError {
    /// Path.
    pub path: String,
    /// Error of the operating system.
    pub source: io::Error,
}

// === impl ErrorReport ===

impl ErrorReport {
    /// Report beside its input: `成果.csv.错误.csv` for `成果.csv`.
    pub fn beside(input: &Path) -> Self {
        let mut name = input.file_name().unwrap_or_default().to_os_string();
        name.push(".错误.csv");
        Self::at(input.with_file_name(name))
    }

    /// Report at the given path.
    pub fn at(path: PathBuf) -> Self {
        Self { path, table: None, rows: 0, cells: 0, warnings: 0 }
    }

    /// Adds the errors or the warnings of a row.
    ///
    /// # Errors
    /// [`ReportError`] when the report cannot be created or written.
    pub fn row(&mut self, row: &Row) -> Result<(), ReportError> {
        match &row.result {
            Err(errors) => self.refused(&row.sheet, row.number, errors),
            Ok(_) => self.warned(&row.sheet, row.number, &row.warnings),
        }
    }

    /// Adds the errors of a row that was not stored.
    ///
    /// # Errors
    /// As [`Self::row`].
    pub fn refused(&mut self, sheet: &str, number: u64, errors: &[CellError]) -> Result<(), ReportError> {
        self.rows += u64::from(!errors.is_empty());
        self.cells += errors.len() as u64;
        self.write(sheet, Some(number), errors, REFUSED)
    }

    /// Adds the warnings of a row that was stored.
    ///
    /// # Errors
    /// As [`Self::row`].
    pub fn warned(&mut self, sheet: &str, number: u64, warnings: &[CellError]) -> Result<(), ReportError> {
        self.warnings += warnings.len() as u64;
        self.write(sheet, Some(number), warnings, WARNED)
    }

    /// Adds a note that warns.
    ///
    /// # Errors
    /// As [`Self::row`].
    pub fn note(&mut self, note: &Note) -> Result<(), ReportError> {
        if !note.warns {
            return Ok(());
        }
        self.warnings += 1;
        self.write(&note.sheet, note.row, std::slice::from_ref(&note.cell), WARNED)
    }

    fn write(&mut self, sheet: &str, number: Option<u64>, cells: &[CellError], what: &str) -> Result<(), ReportError> {
        let mut write = || -> io::Result<()> {
            for CellError { column, value, reason } in cells {
                let table = match &mut self.table {
                    Some(table) => table,
                    None => self.table.insert(create(&self.path)?),
                };
                let number = number.map(|number| number.to_string()).unwrap_or_default();
                table.write([number.as_str(), column, value, reason, what, sheet].map(Into::into))?;
            }
            Ok(())
        };
        write().map_err(|source| ReportError { path: self.path.display().to_string(), source })
    }

    /// Warnings so far.
    pub fn warnings(&self) -> u64 {
        self.warnings
    }

    /// Rows with errors so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Finishes the report; `None` if there were no errors and so no file.
    ///
    /// # Errors
    /// [`ReportError`] when the rest cannot be written.
    pub fn finish(mut self) -> Result<Option<Written>, ReportError> {
        let Some(table) = self.table.take() else { return Ok(None) };
        table.finish().map_err(|source| self.error(source))?;
        Ok(Some(Written { path: self.path, rows: self.rows, cells: self.cells, warnings: self.warnings }))
    }

    fn error(&self, source: io::Error) -> ReportError {
        ReportError { path: self.path.display().to_string(), source }
    }
}

/// A new table with its headings.
fn create(path: &Path) -> io::Result<Csv<BufWriter<File>>> {
    Csv::new(BufWriter::new(File::create(path)?), ["行号", "列名", "原值", "原因", "处理", "工作表"])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(column: &str, value: &str, reason: &str) -> CellError {
        CellError { column: column.into(), value: value.into(), reason: reason.into() }
    }

    #[test]
    fn a_report_opens_in_a_spreadsheet() {
        let folder = tempfile::tempdir().unwrap();
        let input = folder.path().join("成果.csv");
        let mut report = ErrorReport::beside(&input);
        report.refused("", 3, &[error("价格", "-5", "金额不能为负"), error("名称", "a,\"b\"", "过长")]).unwrap();
        report.refused("", 4, &[]).unwrap();
        report.warned("表一", 5, &[error("地区", "火星", "不认识")]).unwrap();
        report.refused("", 9, &[error("=HYPERLINK(1)", "@SUM(A1)", "+1")]).unwrap();
        assert_eq!(report.rows(), 2);
        let written = report.finish().unwrap().unwrap();
        assert_eq!(written, Written { path: folder.path().join("成果.csv.错误.csv"), rows: 2, cells: 3, warnings: 1 });
        let text = std::fs::read_to_string(written.path).unwrap();
        assert_eq!(
            text,
            "\u{FEFF}行号,列名,原值,原因,处理,工作表\r\n3,价格,'-5,金额不能为负,未导入,\r\n3,名称,\"a,\"\"b\"\"\",过长,未导入,\r\n\
             5,地区,火星,不认识,警告,表一\r\n9,'=HYPERLINK(1),'@SUM(A1),'+1,未导入,\r\n"
        );
    }

    #[test]
    fn no_error_no_report() {
        let folder = tempfile::tempdir().unwrap();
        let report = ErrorReport::beside(&folder.path().join("a.jsonl"));
        assert_eq!(report.finish().unwrap(), None);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_folder_that_is_missing_is_named() {
        let mut report = ErrorReport::beside(Path::new("/没有/这个/a.csv"));
        let said = report.refused("", 1, &[error("a", "b", "c")]).unwrap_err().to_string();
        assert!(said.contains("a.csv.错误.csv"), "{said}");
    }
}
