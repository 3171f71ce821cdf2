//! The schedule, what could not be placed and why, and what changed.

use thiserror::Error;

use super::{Lock, Meeting, Place};

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// All meetings by demand, then counterpart.
    pub meetings: Vec<Meeting>,
    /// Pairs without a place, by demand, then counterpart.
    pub unplaced: Vec<Unplaced>,
    /// What became of what was published, and what is new, by demand, then counterpart; empty for a first schedule.
    pub changes: Vec<Change>,
    /// Numbers about it.
    pub statistics: Statistics,
}

/// A pair without a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unplaced {
    /// The demand side.
    pub demand: usize,
    /// The other side.
    pub counterpart: usize,
    /// Why.
    pub cause: Cause,
}

/// Why a pair has no place. True of the schedule that it comes with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// One person would have to sit on both sides.
    SamePerson,
    /// The two are never there in the same slot.
    NoCommonSlot,
    /// The slots in which both are there are over.
    CommonSlotsClosed,
    /// It was not published, and only what was published was to be placed.
    NotAskedFor,
    /// Something stands against it in each slot in which both are there.
    Blocked(Blocked),
}

/// The slots in which both sides are there, each counted once, under the first of these that holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Blocked {
    /// All of them; the sum of the others.
    pub slots: usize,
    /// The demand (or the one person who presents it) has another meeting.
    pub demand_busy: usize,
    /// The counterpart (or the one person who presents it) has another meeting.
    pub counterpart_busy: usize,
    /// All people of a side's presenter have other meetings.
    pub presenter_busy: usize,
    /// All tables but the spare ones are taken.
    pub tables_taken: usize,
}

/// What became of a meeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// The demand side.
    pub demand: usize,
    /// The other side.
    pub counterpart: usize,
    /// What became of it.
    pub fate: Fate,
}

/// What became of a meeting that was published, or is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It stays.
    Kept(Place),
    /// It had to move.
    Moved {
        /// Where it was.
        from: Place,
        /// Where it is now.
        to: Place,
    },
    /// It is gone.
    Removed(Place),
    /// It is new.
    Added(Place),
}

/// Numbers about a schedule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Meetings.
    pub placed: usize,
    /// Pairs that were to be placed.
    pub wanted: usize,
    /// Weight of the meetings.
    pub placed_weight: u64,
    /// Weight of all pairs.
    pub wanted_weight: u64,
    /// Weight that no schedule can exceed while locks and published meetings stay.
    pub max_weight: u64,
    /// Whether it is known that no schedule places more weight. It may be so where it is not known.
    pub is_most: bool,
    /// Slots in which somebody is there and waits between two meetings of the same day, over all.
    pub gaps: usize,
    /// How often a host has another table than at its meeting before.
    pub host_moves: usize,
    /// How often another participant has another table than at its meeting before. It cannot be 0 where it meets hosts at
    /// different tables.
    pub guest_moves: usize,
    /// Meetings in each slot.
    pub slot_meetings: Vec<usize>,
    /// Most meetings of a slot that can be placed: tables less the spare ones.
    pub open_tables: usize,
    /// Steps that were used.
    pub steps: u64,
    /// Whether the steps ran out, so that more of them could find something better.
    pub is_cut: bool,
}

/// Why there is no schedule.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Failure {
    /// The input contradicts itself.
    #[error("the input contradicts itself in {} places", .0.len())]
    Conflicts(Vec<Conflict>),
    /// The stop callback said so.
    #[error("stopped")]
    Stopped,
}

/// A contradiction of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Conflict {
    /// More of something than there may be.
    TooMany {
        /// What.
        what: Part,
        /// How many there may be.
        most: usize,
    },
    /// An index beyond its list, a list of another length than the slots, no people, or a day before the last one.
    OutOfRange {
        /// Where it stands.
        what: Part,
        /// Its index there.
        index: usize,
    },
    /// The same pair twice, or two tables of one participant.
    Twice {
        /// Where it stands.
        what: Part,
        /// The demand, or the participant.
        demand: usize,
        /// The counterpart, or the same participant.
        counterpart: usize,
    },
    /// A lock of what is not one of the pairs.
    LockWithoutPair(Lock),
    /// A lock in a slot in which one side is not there.
    LockBeyondAvailability(Lock),
    /// A lock in a slot that is over, where nothing of the kind was published.
    LockInClosedSlot(Lock),
    /// A lock at a table that is another's own, or away from the own table.
    LockAtOwnTable(Lock),
    /// Two locks that cannot both be: the same table, the same person twice, or too few people or tables.
    LocksCollide {
        /// The one.
        first: Lock,
        /// The other.
        second: Lock,
    },
}

/// A list of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Participants.
    Participants,
    /// Presenters.
    Presenters,
    /// Slots.
    Slots,
    /// Tables.
    Tables,
    /// Share of spare tables.
    Spare,
    /// Pairs.
    Pairs,
    /// Locks.
    Locks,
    /// Published meetings.
    Published,
}
