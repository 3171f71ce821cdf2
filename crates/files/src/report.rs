//! Report of bad rows as a table that opens in a spreadsheet: 行号,列名,原值,原因.

use std::{
    fs::File,
    io::{self, BufWriter},
    path::{Path, PathBuf},
};

use super::{CellError, export::Csv};

/// Writes the errors of a file's rows. The report is created at the first error, overwriting one of an earlier run;
/// without errors no file is created or changed.
#[derive(Debug)]
pub struct ErrorReport {
    path: PathBuf,
    table: Option<Csv<BufWriter<File>>>,
    rows: u64,
    cells: u64,
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
        Self { path, table: None, rows: 0, cells: 0 }
    }

    /// Adds the errors of row `number`.
    ///
    /// # Errors
    /// [`ReportError`] when the report cannot be created or written.
    pub fn add(&mut self, number: u64, errors: &[CellError]) -> Result<(), ReportError> {
        if errors.is_empty() {
            return Ok(());
        }
        self.rows += 1;
        self.cells += errors.len() as u64;
        self.write(number, errors).map_err(|source| self.error(source))
    }

    fn write(&mut self, number: u64, errors: &[CellError]) -> io::Result<()> {
        let table = match &mut self.table {
            Some(table) => table,
            None => self.table.insert(create(&self.path)?),
        };
        for CellError { column, value, reason } in errors {
            let texts = [column, value, reason].map(|text| text.as_str().into());
            table.write([number.to_string().into()].into_iter().chain(texts))?;
        }
        Ok(())
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
        Ok(Some(Written { path: self.path, rows: self.rows, cells: self.cells }))
    }

    fn error(&self, source: io::Error) -> ReportError {
        ReportError { path: self.path.display().to_string(), source }
    }
}

/// A new table with its headings.
fn create(path: &Path) -> io::Result<Csv<BufWriter<File>>> {
    Csv::new(BufWriter::new(File::create(path)?), ["行号", "列名", "原值", "原因"])
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
        report.add(3, &[error("价格", "-5", "金额不能为负"), error("名称", "a,\"b\"", "过长")]).unwrap();
        report.add(4, &[]).unwrap();
        report.add(9, &[error("=HYPERLINK(1)", "@SUM(A1)", "+1")]).unwrap();
        assert_eq!(report.rows(), 2);
        let written = report.finish().unwrap().unwrap();
        assert_eq!(written, Written { path: folder.path().join("成果.csv.错误.csv"), rows: 2, cells: 3 });
        let text = std::fs::read_to_string(written.path).unwrap();
        assert_eq!(
            text,
            "\u{FEFF}行号,列名,原值,原因\r\n3,价格,'-5,金额不能为负\r\n3,名称,\"a,\"\"b\"\"\",过长\r\n\
             9,'=HYPERLINK(1),'@SUM(A1),'+1\r\n"
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
        let said = report.add(1, &[error("a", "b", "c")]).unwrap_err().to_string();
        assert!(said.contains("a.csv.错误.csv"), "{said}");
    }
}
