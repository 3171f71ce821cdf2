//! What is to be scheduled: indices instead of names, so that this room knows nothing of the crate.

/// Most participants.
pub const MAX_PARTICIPANTS: usize = 10_000;
/// Most slots, all days together.
pub const MAX_SLOTS: usize = 256;
/// Most tables.
pub const MAX_TABLES: usize = 2_000;
/// Most pairs, and most meetings published before.
pub const MAX_PAIRS: usize = 50_000;
/// Most of the tables that can be kept spare, in per cent.
pub const MAX_SPARE_PERCENT: u8 = 50;

/// All that a schedule is made from. Slots, tables, participants and presenters are named by their index in these lists;
/// the order of pairs, locks and published meetings does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Input {
    /// Everybody, those who cancelled included (with no slot), so that indices stay what they are.
    pub participants: Vec<Participant>,
    /// How many people each presenter (an organisation, a person) brings: 1 or more.
    pub presenters: Vec<u32>,
    /// Day of each slot, in order of time: gaps do not run over night. Never falling.
    pub days: Vec<u32>,
    /// How many slots at the beginning are over: nothing new goes there, and what was published there stays.
    pub closed: usize,
    /// For each table the participant whose own it is. All meetings of that participant are there, and nobody else's.
    pub tables: Vec<Option<usize>>,
    /// Share of the tables that stay free in each slot, in per cent, rounded up to whole tables, but one table can always be
    /// used. 0..=[`MAX_SPARE_PERCENT`]. Locks and published meetings may use spare tables.
    pub spare_percent: u8,
    /// Who is to meet whom.
    pub pairs: Vec<Pair>,
    /// What staff has fixed.
    pub locks: Vec<Lock>,
    /// What was published before; none for the first schedule, which may move everything but the locks.
    pub published: Option<Published>,
}

/// Who comes: a demand, an achievement, an expert.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Participant {
    /// For each slot whether the participant is there.
    pub available: Vec<bool>,
    /// Who presents it. Several participants of one presenter can meet in one slot as far as its people go; none: people of
    /// its own.
    pub presenter: Option<usize>,
}

/// Two who are to meet, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pair {
    /// The participant who asks, and hosts at its table.
    pub demand: usize,
    /// The participant who answers, and comes to that table.
    pub counterpart: usize,
    /// What the meeting is worth beside the others; 0 is placed where there is room.
    pub weight: u32,
}

/// Where a meeting is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The slot.
    pub slot: usize,
    /// The table.
    pub table: usize,
}

/// A meeting that staff has fixed. It must be one of the pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lock {
    /// The demand side.
    pub demand: usize,
    /// The other side.
    pub counterpart: usize,
    /// The slot where it stays.
    pub slot: usize,
    /// The table where it stays; none: any.
    pub table: Option<usize>,
}

/// A meeting with its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Meeting {
    /// The demand side.
    pub demand: usize,
    /// The other side.
    pub counterpart: usize,
    /// Slot and table.
    pub place: Place,
}

/// What was published before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Published {
    /// The meetings that people have in their hands. Each stays where it is unless that has become impossible.
    pub meetings: Vec<Meeting>,
    /// Whether pairs that were not published are placed in what is free; else they stay out.
    pub refill: bool,
}

/// How long it may take.
pub struct Work<'a> {
    /// Most steps. A step moves one meeting, for a try or for good, and takes about 0.1 µs to 1 µs. The same number gives the
    /// same schedule on every machine.
    pub steps: u64,
    /// Whether nobody waits for the answer any longer; asked every thousand steps or so.
    pub stop: &'a dyn Fn() -> bool,
}

// === impl Work ===

impl Work<'_> {
    /// Steps that are enough for 1,000 demands and 3,000 counterparts.
    pub const STEPS: u64 = 10_000_000;
}

impl Default for Work<'_> {
    fn default() -> Self {
        Self { steps: Self::STEPS, stop: &|| false }
    }
}
