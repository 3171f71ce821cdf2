//! Input of a schedule: indices instead of names, so that the solver needs no record types.

/// Maximum participants.
pub const MAX_PARTICIPANTS: usize = 10_000;
/// Maximum slots, all days together.
pub const MAX_SLOTS: usize = 256;
/// Maximum tables.
pub const MAX_TABLES: usize = 2_000;
/// Maximum pairs, and maximum published meetings.
pub const MAX_PAIRS: usize = 50_000;
/// Maximum share of spare tables, in per cent.
pub const MAX_SPARE_PERCENT: u8 = 50;

/// Complete input of a schedule. Slots, tables, participants and presenters are indices into these lists. The order of
/// pairs, locks and published meetings does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Input {
    /// All participants, including those who cancelled (with no slots), so that indices stay stable.
    pub participants: Vec<Participant>,
    /// Number of people of each presenter (an organisation, a person): 1 or more.
    pub presenters: Vec<u32>,
    /// Day of each slot, in order of time, non-decreasing. Gaps do not extend over night.
    pub days: Vec<u32>,
    /// Number of slots at the start that are over: nothing new is placed there, and published meetings stay.
    pub closed: usize,
    /// Owner of each table, if any. All meetings of the owner are there, and nobody else's.
    pub tables: Vec<Option<usize>>,
    /// Share of tables kept free in each slot, in per cent, rounded up to whole tables; at least one table stays
    /// usable. 0..=[`MAX_SPARE_PERCENT`]. Locks and published meetings may use spare tables.
    pub spare_percent: u8,
    /// Pairs to place.
    pub pairs: Vec<MeetingRequest>,
    /// Meetings fixed by staff.
    pub locks: Vec<Lock>,
    /// Published meetings; `None` for the first schedule, which may move everything except locks.
    pub published: Option<Published>,
}

/// A participant: a demand, an achievement, an expert.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Participant {
    /// Availability per slot.
    pub available: Vec<bool>,
    /// Presenter. Participants of one presenter can meet in the same slot as long as it has enough people. `None` means
    /// people of its own.
    pub presenter: Option<usize>,
}

/// Two participants who are to meet once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct MeetingRequest {
    /// The demand, which hosts at its table.
    pub demand: usize,
    /// The counterpart, which comes to that table.
    pub counterpart: usize,
    /// Weight relative to other meetings; 0 is placed if there is room.
    pub weight: u32,
}

/// The two participants of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Sides {
    pub demand: usize,
    pub counterpart: usize,
}

/// Slot and table of a meeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seat {
    /// Slot index.
    pub slot: usize,
    /// Table index.
    pub table: usize,
}

/// A meeting fixed by staff. It must be one of the pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lock {
    /// Demand.
    pub demand: usize,
    /// Counterpart.
    pub counterpart: usize,
    /// Fixed slot.
    pub slot: usize,
    /// Fixed table; `None` means any.
    pub table: Option<usize>,
}

/// A meeting with its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Meeting {
    /// Demand.
    pub demand: usize,
    /// Counterpart.
    pub counterpart: usize,
    /// Slot and table.
    pub place: Seat,
}

/// The previously published schedule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Published {
    /// Published meetings. Each keeps its place unless that has become impossible.
    pub meetings: Vec<Meeting>,
    /// Whether unpublished pairs are placed in the free places; otherwise they stay out.
    pub refill: bool,
}

/// Work limits.
pub struct Work<'a> {
    /// Maximum steps. A step moves one meeting, tentatively or finally, and takes about 0.1 µs to 1 µs. The same number
    /// gives the same schedule on every machine.
    pub steps: u64,
    /// Returns whether to stop because nobody waits for the answer; called about every thousand steps.
    pub stop: &'a dyn Fn() -> bool,
}

// === impl MeetingRequest ===

impl MeetingRequest {
    pub(super) fn sides(&self) -> Sides {
        Sides { demand: self.demand, counterpart: self.counterpart }
    }
}

// === impl Meeting ===

impl Meeting {
    pub(super) fn sides(&self) -> Sides {
        Sides { demand: self.demand, counterpart: self.counterpart }
    }
}

// === impl Work ===

impl Work<'_> {
    /// Enough steps for 1,000 demands and 3,000 counterparts.
    pub(crate) const STEPS: u64 = 10_000_000;
}

impl Default for Work<'_> {
    fn default() -> Self {
        Self { steps: Self::STEPS, stop: &|| false }
    }
}
