//! Memory of this process, from `/proc/self/status`.

use std::{fmt, fs};

/// Memory in MB (10^6 bytes).
pub struct Memory {
    /// All resident memory.
    pub resident_mb: u64,
    /// Resident memory that belongs to this process only.
    pub anonymous_mb: u64,
    /// Resident mapped files, which the system may drop and read again.
    pub files_mb: u64,
    /// Peak of the resident memory.
    pub highest_mb: u64,
}

// === impl Memory ===

impl Memory {
    /// Current values; zeros if the system does not report them.
    pub fn now() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let value = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
            kib.unwrap_or(0) * 1024 / 1_000_000
        };
        Self {
            resident_mb: value("VmRSS"),
            anonymous_mb: value("RssAnon"),
            files_mb: value("RssFile"),
            highest_mb: value("VmHWM"),
        }
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} + {} of files)", self.resident_mb, self.anonymous_mb, self.files_mb)
    }
}
