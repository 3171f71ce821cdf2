//! Every exit code of the command line. README.md has the same table.

use std::process::ExitCode;

/// The command failed.
pub const FAILED: u8 = 1;
/// Done, but some rows or demands were refused.
pub const SOME_REFUSED: u8 = 2;
/// Done and all rows were read, with warnings.
pub const WITH_WARNINGS: u8 = 3;
/// Wrong usage or a bad configuration (`EX_USAGE` of sysexits).
pub const USAGE: u8 = 64;

/// Outcome of a successful command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// Everything was done.
    All,
    /// Some rows were refused.
    SomeRefused,
    /// All rows were read, but not all that stands in the file was.
    WithWarnings,
}

// === impl Done ===

impl From<Done> for ExitCode {
    fn from(done: Done) -> Self {
        match done {
            Done::All => Self::SUCCESS,
            Done::SomeRefused => Self::from(SOME_REFUSED),
            Done::WithWarnings => Self::from(WITH_WARNINGS),
        }
    }
}
