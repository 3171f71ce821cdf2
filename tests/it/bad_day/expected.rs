//! What may be found after a kill.

use std::collections::BTreeMap;

/// Allowed revisions of each record after a kill: the last acknowledged one (0: none), or one tried after it.
#[derive(Debug, Default)]
pub struct Expected(BTreeMap<usize, Vec<u64>>);

impl Expected {
    /// Numbers of the records that were tried.
    pub fn keys(&self) -> Vec<usize> {
        self.0.keys().copied().collect()
    }

    /// A write or, as revision 0, a deletion was sent.
    pub fn tried(&mut self, number: usize, revision: u64) {
        self.0.entry(number).or_insert_with(|| vec![0]).push(revision);
    }

    /// It was answered.
    pub fn acknowledged(&mut self, number: usize, revision: u64) {
        self.0.insert(number, vec![revision]);
    }

    /// Compares what was found with it; from then on only this is allowed.
    pub fn found(&mut self, number: usize, revision: u64) {
        let states = &self.0[&number];
        assert!(states.contains(&revision), "record {number} is at {revision}, acknowledged or tried: {states:?}");
        self.0.insert(number, vec![revision]);
    }
}
