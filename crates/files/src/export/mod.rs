//! Tables out: what all exports and reports share. Rows in, bytes out.
//!
//! - `cell`: one cell, and the guard against texts that a spreadsheet would take for a formula
//! - `csv`: CSV that Excel opens
//! - `sheet`: headings, widths and rows of a sheet in a workbook
//!
//! A file's columns, words and looks are its owner's.

mod cell;
mod csv;
mod sheet;

pub use self::{
    cell::{Cell, harmless, unguarded},
    csv::Csv,
    sheet::{Column, begin_sheet, begin_workbook, write_row},
};
