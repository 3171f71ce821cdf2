//! Properties of damaged files, for `fuzz/` and for tests.

use std::{fs, io};

use super::{Journal, JournalChanges, Replayed};

/// A journal of any bytes is read to its end or said to be damaged, and what stands before the end is given once.
pub fn journal(bytes: &[u8]) {
    let Ok(folder) = tempfile::tempdir() else { return };
    let path = folder.path().join("journal");
    if fs::write(&path, bytes).is_err() {
        return;
    }
    let Ok(journal) = Journal::open(&path) else { return };
    let mut found = JournalChanges::new();
    let ended = journal.replay::<io::Error>(|changes| {
        found.extend(changes);
        Ok(())
    });
    match ended {
        Ok(Replayed::Whole { torn_bytes }) => assert!(torn_bytes <= bytes.len() as u64),
        Ok(Replayed::Damaged { offset }) => assert!(offset < bytes.len() as u64),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_journal_may_hold_any_bytes() {
        duijie_hostile::check("journal", super::journal);
    }
}
