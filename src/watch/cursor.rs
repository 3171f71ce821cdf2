//! Progress of a subscriber: the token that resumes a stream. Pure.
//!
//! A record counts as seen by its update time. The instances' clocks differ, and a write becomes visible a moment after
//! its update time. So each look goes back by [`OVERLAP_SECONDS`], and the ids of the matches sent within the overlap
//! are kept to avoid sending them again. A token holds the newest [`MAX_IDS`] of these ids: older matches may be sent
//! twice, but nothing is lost.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

/// Seconds by which each look goes back: more than the clocks' difference plus the time from a batch's time stamp to
/// its storage.
pub const OVERLAP_SECONDS: i64 = 120;
/// The end of the year 9999, in seconds since 1970: no change is later.
pub const END_OF_TIME: i64 = 253_402_300_799;
/// Most ids that a token holds.
pub const MAX_IDS: usize = 2_000;
/// Bytes of the floor in a token: seconds since 1970.
const FLOOR_BYTES: usize = 8;
/// Bytes of an entry: the id (8) and its age in seconds after the floor (1).
const ENTRY_BYTES: usize = 9;

/// Stable id of a new match: the same pair of revisions always has the same id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MatchId(pub u64);

/// Progress of a subscriber.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// All changes before this time, in seconds since 1970, were seen.
    floor: i64,
    /// Matches sent since the floor, each with the time of its change.
    sent: BTreeMap<MatchId, i64>,
}

/// A query or a record at one revision.
#[derive(Debug, Clone, Copy)]
pub struct Versioned<'a> {
    /// Name of the record, or the text of the query.
    pub name: &'a str,
    /// Revision; 0 for a text.
    pub revision: u64,
}

// === impl MatchId ===

impl MatchId {
    /// Id of the match of a query with a record.
    pub fn of(query: Versioned<'_>, target: Versioned<'_>) -> Self {
        let hash = Sha256::new()
            .chain_update(query.name)
            .chain_update([0])
            .chain_update(query.revision.to_be_bytes())
            .chain_update(target.name)
            .chain_update([0])
            .chain_update(target.revision.to_be_bytes());
        Self(hash.finalize().iter().take(8).fold(0, |id, byte| id << 8 | u64::from(*byte)))
    }
}

impl std::fmt::Display for MatchId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

// === impl Cursor ===

impl Cursor {
    /// A cursor that has seen no change at `floor` or later.
    pub fn starting_at(floor: i64) -> Self {
        Self { floor, sent: BTreeMap::new() }
    }

    /// Earliest change to look at, in seconds since 1970.
    pub fn floor(&self) -> i64 {
        self.floor
    }

    /// Whether a match was already sent.
    pub(crate) fn has_sent(&self, id: MatchId) -> bool {
        self.sent.contains_key(&id)
    }

    /// Records a sent match; `changed` is when its record or its query was last changed.
    pub fn note(&mut self, id: MatchId, changed: i64) {
        self.sent.insert(id, changed);
    }

    /// Records a finished look at all changes since the floor, begun at `now`.
    pub fn looked(&mut self, now: i64) {
        self.floor = self.floor.max(now.saturating_sub(OVERLAP_SECONDS));
        let floor = self.floor;
        self.sent.retain(|_, changed| floor <= *changed);
    }

    /// Encodes the cursor.
    pub fn bytes(&self) -> Vec<u8> {
        let mut newest: Vec<(i64, MatchId)> = self.sent.iter().map(|(id, changed)| (*changed, *id)).collect();
        newest.sort_unstable_by(|one, other| other.cmp(one));
        newest.truncate(MAX_IDS);
        let mut bytes = self.floor.to_be_bytes().to_vec();
        for (changed, id) in newest {
            bytes.extend(id.0.to_be_bytes());
            // if a clock is far ahead, the stored age is too short, and the match is sent twice
            bytes.push(u8::try_from(changed.saturating_sub(self.floor).clamp(0, 255)).unwrap_or(u8::MAX));
        }
        bytes
    }

    /// Decodes a cursor; `None` if the bytes are not from [`Cursor::bytes`]. All times are checked, whoever signed them.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let (floor, entries) = bytes.split_first_chunk::<FLOOR_BYTES>()?;
        let floor = i64::from_be_bytes(*floor);
        if !(0..=END_OF_TIME).contains(&floor) {
            return None;
        }
        let (entries, rest) = entries.as_chunks::<ENTRY_BYTES>();
        if !rest.is_empty() || MAX_IDS < entries.len() {
            return None;
        }
        let entry = |[id @ .., age]: &[u8; ENTRY_BYTES]| {
            (MatchId(u64::from_be_bytes(*id)), floor.saturating_add(i64::from(*age)))
        };
        Some(Self { floor, sent: entries.iter().map(entry).collect() })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ids_tell_revisions_apart() {
        let versioned = |(name, revision): (&'static str, u64)| Versioned { name, revision };
        let id = |query, target| MatchId::of(versioned(query), versioned(target));
        let one = id(("demands/d-1", 1), ("achievements/a-1", 1));
        assert_eq!(one, id(("demands/d-1", 1), ("achievements/a-1", 1)));
        assert_ne!(one, id(("demands/d-1", 2), ("achievements/a-1", 1)));
        assert_ne!(one, id(("demands/d-1", 1), ("achievements/a-1", 2)));
        assert_ne!(one, id(("demands/d-11", 1), ("achievements/a-1", 1)));
        // subscribers store these ids
        assert_eq!(one.to_string(), "82eb35b58783c7f4");
    }

    #[test]
    fn what_was_sent_is_forgotten_when_it_can_not_come_again() {
        let mut cursor = Cursor::starting_at(1_000);
        cursor.note(MatchId(1), 1_005);
        cursor.looked(1_010);
        assert_eq!((cursor.floor(), cursor.has_sent(MatchId(1))), (1_000, true));
        cursor.looked(1_005 + OVERLAP_SECONDS);
        assert_eq!((cursor.floor(), cursor.has_sent(MatchId(1))), (1_005, true));
        cursor.looked(1_006 + OVERLAP_SECONDS);
        assert_eq!((cursor.floor(), cursor.has_sent(MatchId(1))), (1_006, false));
        // a clock that goes back does not move the floor back
        cursor.looked(10);
        assert_eq!(cursor.floor(), 1_006);
    }

    #[test]
    fn a_token_has_a_size() {
        let mut cursor = Cursor::starting_at(0);
        for id in 0..3_000 {
            cursor.note(MatchId(id), i64::try_from(id % 100).unwrap());
        }
        let bytes = cursor.bytes();
        assert_eq!(bytes.len(), FLOOR_BYTES + MAX_IDS * ENTRY_BYTES);
        let read = Cursor::read(&bytes).unwrap();
        assert!((0..3_000).filter(|id| id % 100 == 99).all(|id| read.has_sent(MatchId(id))), "the newest are kept");
        let mut more = bytes;
        more.extend([0; ENTRY_BYTES]);
        assert_eq!(Cursor::read(&more), None);
        assert_eq!((Cursor::read(&[]), Cursor::read(&[0; 10])), (None, None));
        // times beyond all changes made the look that halves spans of time run for ever
        for floor in [i64::MIN, -1, END_OF_TIME + 1, i64::MAX] {
            assert_eq!(Cursor::read(&floor.to_be_bytes()), None, "{floor}");
        }
        assert_eq!(Cursor::read(&END_OF_TIME.to_be_bytes()), Some(Cursor::starting_at(END_OF_TIME)));
    }

    proptest! {
        #[test]
        fn cursors_come_back(floor in 0i64..4_000_000_000, sent in proptest::collection::btree_map(any::<u64>(), 0i64..=255, 0..50)) {
            let mut cursor = Cursor::starting_at(floor);
            sent.iter().for_each(|(id, age)| cursor.note(MatchId(*id), floor + age));
            prop_assert_eq!(Cursor::read(&cursor.bytes()), Some(cursor));
        }

        #[test]
        fn nothing_is_lost_and_nothing_comes_twice(changes in proptest::collection::vec((0i64..600, 0i64..100), 0..60)) {
            // each change becomes visible at most the overlap after its time; looks come every 7 seconds
            let mut cursor = Cursor::starting_at(0);
            let mut got = Vec::new();
            for now in (0..900).step_by(7) {
                for (id, (changed, delay)) in changes.iter().enumerate() {
                    let id = MatchId(id as u64);
                    if changed + delay <= now && cursor.floor() <= *changed && !cursor.has_sent(id) {
                        cursor.note(id, *changed);
                        got.push(id);
                    }
                }
                cursor.looked(now);
                // from time to time the stream is cut off and resumed
                if now % 5 == 0 {
                    cursor = Cursor::read(&cursor.bytes()).unwrap();
                }
            }
            got.sort();
            prop_assert_eq!(got, (0..changes.len() as u64).map(MatchId).collect::<Vec<_>>());
        }

        #[test]
        fn anything_may_come_from_outside(bytes: Vec<u8>) {
            let _ = Cursor::read(&bytes);
        }
    }
}
