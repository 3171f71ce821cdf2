//! The schedule, unplaced pairs with causes, and changes.

use thiserror::Error;

use super::{Lock, Meeting, Seat};

/// The resulting schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// All meetings, sorted by demand, then counterpart.
    pub meetings: Vec<Meeting>,
    /// Unplaced pairs, sorted by demand, then counterpart.
    pub unplaced: Vec<Unplaced>,
    /// Changes to published meetings and new meetings, sorted by demand, then counterpart; empty for a first schedule.
    pub changes: Vec<Change>,
    /// Statistics.
    pub statistics: Statistics,
}

/// An unplaced pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unplaced {
    /// Demand.
    pub demand: usize,
    /// Counterpart.
    pub counterpart: usize,
    /// Cause.
    pub cause: Cause,
}

/// Why a pair is unplaced in this schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// One person would sit on both sides.
    SamePerson,
    /// The two are never available in the same slot.
    NoCommonSlot,
    /// All common slots are over.
    CommonSlotsClosed,
    /// The pair was not published, and only published pairs were to be placed.
    NotAskedFor,
    /// Every common slot is blocked.
    Blocked(Blocked),
}

/// Slots in which both sides are available, each counted once under the first matching cause.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Blocked {
    /// All such slots; the sum of the other fields.
    pub slots: usize,
    /// The demand (or its sole presenter) has another meeting.
    pub demand_busy: usize,
    /// The counterpart (or its sole presenter) has another meeting.
    pub counterpart_busy: usize,
    /// All people of one side's presenter have other meetings.
    pub presenter_busy: usize,
    /// All tables except the spare ones are taken.
    pub tables_taken: usize,
}

/// Change of a meeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// Demand.
    pub demand: usize,
    /// Counterpart.
    pub counterpart: usize,
    /// Type of change.
    pub fate: Fate,
}

/// Type of change of a published or new meeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Unchanged.
    Kept(Seat),
    /// Had to move.
    Moved {
        /// Old place.
        from: Seat,
        /// New place.
        to: Seat,
    },
    /// Removed.
    Removed(Seat),
    /// New.
    Added(Seat),
}

/// Statistics of a schedule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Number of meetings.
    pub placed: usize,
    /// Number of pairs to place.
    pub wanted: usize,
    /// Total weight of the meetings.
    pub placed_weight: u64,
    /// Total weight of all pairs to place.
    pub wanted_weight: u64,
    /// Upper bound on the weight while locks and published meetings stay.
    pub max_weight: u64,
    /// Whether the weight is proved maximal. It may be maximal without proof.
    pub is_optimal: bool,
    /// Waiting slots between two meetings on the same day in which the participant is available, summed.
    pub gaps: usize,
    /// Table changes of hosts between consecutive meetings.
    pub host_moves: usize,
    /// Table changes of other participants between consecutive meetings. Not 0 if a participant meets hosts at
    /// different tables.
    pub guest_moves: usize,
    /// Number of meetings per slot.
    pub slot_meetings: Vec<usize>,
    /// Maximum meetings placed per slot: tables minus spare ones.
    pub open_tables: usize,
    /// Steps used.
    pub steps: u64,
    /// Whether the steps ran out, so that more steps could improve the result.
    pub is_cut: bool,
}

/// Why there is no schedule.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Failure {
    /// The input contradicts itself.
    #[error("the input contradicts itself in {} places", .0.len())]
    Conflicts(Vec<Conflict>),
    /// The stop callback returned true.
    #[error("stopped")]
    Stopped,
}

/// A contradiction in the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Conflict {
    /// A limit is exceeded.
    TooMany {
        /// List or value that exceeds it.
        what: Part,
        /// The limit.
        max: usize,
    },
    /// An index out of range, a list whose length differs from the slots, no people, or a day before the previous one.
    OutOfRange {
        /// List with the fault.
        what: Part,
        /// Index in the list.
        index: usize,
    },
    /// The same pair twice, or two tables of one participant.
    Twice {
        /// List with the fault.
        what: Part,
        /// Demand or participant.
        demand: usize,
        /// Counterpart, or the same participant.
        counterpart: usize,
    },
    /// The lock is not one of the pairs.
    LockWithoutPair(Lock),
    /// The lock is in a slot in which one side is not available.
    LockBeyondAvailability(Lock),
    /// The lock is in a slot that is over, and no such meeting was published.
    LockInClosedSlot(Lock),
    /// The lock is at another participant's own table, or away from the participant's own table.
    LockAtOwnTable(Lock),
    /// Two locks that exclude each other: the same table, the same person twice, or too few people or tables.
    LocksCollide {
        /// First lock.
        first: Lock,
        /// Second lock.
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
