//! Input and output types of an allocation. Participants are indices; the caller keeps the lists.

use thiserror::Error;

/// Millionths per unit of value: values are summed in whole millionths, so sums are exact.
pub const MILLION: i64 = 1_000_000;

/// One of the two sides of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The demands (需求).
    Demands,
    /// The achievements or experts (成果、专家).
    Counterparts,
}

/// Attribute that groups participants of one side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Attribute {
    /// Organisation behind a participant.
    Organisation,
    /// City.
    City,
    /// Technical field.
    Field,
}

/// All participants of one side with one value of one attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Group {
    /// Side of the participants.
    pub side: Side,
    /// Grouping attribute.
    pub attribute: Attribute,
    /// Attribute value, as stored in the participants.
    pub key: u32,
}

/// A demand, or an achievement or expert.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Participant {
    /// Maximum pairs that it may be in; 0 or more.
    pub limit: u32,
    /// Organisation; one numbering for both sides. `None` means in no group by organisation.
    pub organisation: Option<u32>,
    /// City.
    pub city: Option<u32>,
    /// Technical field.
    pub field: Option<u32>,
}

/// A pair that may be chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// Index into [`Problem::demands`].
    pub demand: u32,
    /// Index into [`Problem::counterparts`].
    pub counterpart: u32,
    /// Value of the pair, 0 to 1; rounded to millionths.
    pub value: f64,
    /// Level, 1 (无) to 4 (强); `None` (experts) is not excluded by a minimum level.
    pub level: Option<u8>,
}

/// Bounds on the chosen pairs with a member of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quota {
    /// Group whose pairs are counted.
    pub group: Group,
    /// Minimum, 0 for none. An unreachable minimum is reported as a [`Shortfall`].
    pub min: u32,
    /// Maximum.
    pub max: Option<u32>,
}

/// A demand and a counterpart, by their indices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PairIndex {
    /// Index into [`Problem::demands`].
    pub demand: u32,
    /// Index into [`Problem::counterparts`].
    pub counterpart: u32,
}

/// An allocation problem. The order of `pairs`, `quotas` and the lists of [`Rules`] does not matter. Participant order
/// may decide between plans of equal value, so sort participants by a stable key (by name).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Problem {
    /// Demands, each limited to the number of counterparts it wants.
    pub demands: Vec<Participant>,
    /// Counterparts, each limited to the number of demands it takes.
    pub counterparts: Vec<Participant>,
    /// Candidate pairs, each once. Other pairs are never chosen.
    pub pairs: Vec<Candidate>,
    /// Organisation caps, city and field quotas; at most one per group.
    pub quotas: Vec<Quota>,
    /// Rules for single pairs.
    pub rules: Rules,
}

/// Rules for single pairs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    /// Pairs below this level are excluded.
    pub min_level: Option<u8>,
    /// Whether pairs within one organisation are excluded.
    pub same_organisation_apart: bool,
    /// Pairs of organisations, in either order, that must not meet.
    pub organisations_apart: Vec<(u32, u32)>,
    /// Pairs that met at an earlier event.
    pub met: Vec<PairIndex>,
    /// Pairs forbidden by staff.
    pub forbidden: Vec<PairIndex>,
    /// Pairs pinned by staff. They count towards limits and quotas, and must not contradict a rule.
    pub pinned: Vec<PairIndex>,
}

/// A constraint, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Constraint {
    /// Maximum counterparts of this demand.
    DemandLimit(u32),
    /// Maximum demands of this counterpart.
    CounterpartLimit(u32),
    /// Maximum pairs of a group.
    Max(Group),
    /// Minimum pairs of a group.
    Min(Group),
    /// [`Rules::min_level`].
    MinLevel,
    /// [`Rules::same_organisation_apart`].
    SameOrganisation,
    /// [`Rules::organisations_apart`].
    OrganisationsApart,
    /// [`Rules::met`].
    Met,
    /// [`Rules::forbidden`].
    Forbidden,
    /// [`Rules::pinned`].
    Pinned,
}

/// An error in a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Error)]
pub enum Fault {
    /// A pair names a participant that does not exist.
    #[error("pair {0:?} names a participant that is not there")]
    UnknownParticipant(PairIndex),
    /// A pair is given twice.
    #[error("pair {0:?} is given twice")]
    PairTwice(PairIndex),
    /// A value is not a number from 0 to 1, or a level is not 1 to 4.
    #[error("value or level of pair {0:?} is out of range")]
    OutOfRange(PairIndex),
    /// The minimum level is not 1 to 4.
    #[error("least level {0} is not 1 to 4")]
    MinLevelOutOfRange(u8),
    /// A group has two quotas.
    #[error("{0:?} has two quotas")]
    QuotaTwice(Group),
    /// A quota's minimum is above its maximum.
    #[error("the minimum of {0:?} is above its maximum")]
    MinAboveMax(Group),
    /// A pinned pair is not a candidate, so its value is unknown.
    #[error("pinned pair {0:?} is not among the candidates")]
    PinWithoutCandidate(PairIndex),
    /// A pinned pair contradicts a rule.
    #[error("pinned pair {pin:?} contradicts {constraint:?}")]
    PinAgainst {
        /// The pinned pair.
        pin: PairIndex,
        /// The constraint that it contradicts: alone or, for a limit, together with other pins.
        constraint: Constraint,
    },
    /// More participants, pairs, quotas or chosen pairs than [`MAX_PARTICIPANTS`], [`MAX_PAIRS`], [`MAX_QUOTAS`] and
    /// [`MAX_CHOSEN`] allow.
    #[error("larger than the limits of an allocation")]
    TooLarge,
}

/// The problem is invalid. Contains all faults, in order.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the allocation has {} faults, the first: {}", .0.len(), .0.first().map(ToString::to_string).unwrap_or_default())]
pub struct Faults(pub Vec<Fault>);

/// Maximum participants per side.
pub const MAX_PARTICIPANTS: usize = 10_000;
/// Maximum candidate pairs.
pub const MAX_PAIRS: usize = 1_000_000;
/// Maximum pairs that limits and candidates allow to be chosen together.
pub const MAX_CHOSEN: u64 = 100_000;
/// Maximum quotas.
pub const MAX_QUOTAS: usize = 10_000;

/// A chosen pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Chosen {
    /// The pair.
    pub pair: PairIndex,
    /// Its value in millionths.
    pub value: i64,
    /// Whether staff pinned it.
    pub is_pinned: bool,
}

/// Proof of a plan's optimality.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Proof {
    /// All quotas nest, so the plan is a flow; prices for all constraints (its dual) give the same total.
    FlowDual,
    /// Some quotas cross; prices for those, with a flow for the rest, bound every plan by this plan's total.
    Prices,
    /// As [`Proof::Prices`], in each part of a complete partition of all plans (branch and bound).
    Branches,
    /// Not proved: the work limit was reached or the caller stopped it. [`Allocation::bound`] still holds.
    #[default]
    Open,
}

/// A minimum that the plan misses. The total over all minimums is as small as possible (if proved).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shortfall {
    /// Group with the minimum.
    pub group: Group,
    /// The minimum.
    pub min: u32,
    /// Number reached by the plan.
    pub reached: u32,
}

/// How far [`Cost`] relaxes a constraint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Relaxed {
    /// By one: a limit or maximum raised by one, a minimum lowered by one.
    ByOne,
    /// Removed entirely.
    Removed,
}

/// Cost of a constraint: increase of the total value if it were relaxed, in millionths.
///
/// By one: `max_gain` is the constraint's dual price plus the plan's gap; `min_gain` is exact if all constraints nest
/// (the longest augmenting cycle), otherwise 0. Removed: from solving again without it. If minimums cannot all be met,
/// values are compared at the same shortfall, and a minimum's costs are omitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Relaxed constraint.
    pub constraint: Constraint,
    /// Extent of the relaxation.
    pub relaxed: Relaxed,
    /// Minimum increase of the value.
    pub min_gain: i64,
    /// Maximum increase of the value.
    pub max_gain: i64,
}

/// Why a pair is not in the plan.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeftOutCause {
    /// A rule excludes it, whatever its value.
    Excluded(Constraint),
    /// The demand's capacity is taken by pairs of at least the same value.
    LowerValue,
    /// A limit or maximum that counts this pair is used up.
    Full {
        /// The limit or maximum.
        constraint: Constraint,
        /// Chosen pairs that use it up, lowest value first; at most [`MAX_HOLDERS`] are listed.
        held_by: Vec<PairIndex>,
    },
    /// It would replace this pair, which a minimum or a pin keeps in.
    Kept {
        /// Chosen pair of the same demand with lower value.
        instead: PairIndex,
        /// Minimum or pin that keeps it.
        constraint: Constraint,
    },
    /// Its value is 0.
    NoValue,
    /// No obstacle is known: the plan is not proved optimal ([`Proof::Open`]).
    NotSearched,
}

/// Maximum pairs listed by [`LeftOutCause::Full`].
pub const MAX_HOLDERS: usize = 20;

/// A pair among the best of its demand that is not in the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// The pair.
    pub pair: PairIndex,
    /// Its value in millionths.
    pub value: i64,
    /// Rank among the demand's candidates by value, from 1.
    pub rank: u32,
    /// Reasons, in order; never empty. Either all rules that exclude it, or all obstacles to adding it or to replacing
    /// a pair of its demand with lower value.
    pub reasons: Vec<LeftOutCause>,
    /// Minimum drop of the total if it were forced in, in millionths; `None` if it is excluded.
    pub loss: Option<i64>,
}

/// Result of an allocation.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Allocation {
    /// Chosen pairs, sorted by demand and counterpart.
    pub chosen: Vec<Chosen>,
    /// Total value in millionths.
    pub value: i64,
    /// Upper bound on the value of plans that keep the constraints (and miss the minimums by no more), in millionths.
    pub bound: i64,
    /// Proof of optimality. Value and bound are equal unless it is [`Proof::Open`].
    pub proof: Proof,
    /// Missed minimums.
    pub shortfalls: Vec<Shortfall>,
    /// Costs of constraints above 0, sorted by constraint.
    ///
    /// Plans are compared by value at the same number of missing pairs, with each minimum lowered to what is reachable.
    /// Constraints that may keep a minimum from being reached are omitted.
    pub costs: Vec<Cost>,
    /// For each demand, those of its best `limit` candidates that are not in the plan, by demand and rank.
    pub left_out: Vec<LeftOut>,
    /// Work done, in pivots of the network simplex.
    pub pivots: u64,
}

/// Work limits. Counted, not timed, so the same input gives the same answer on every machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effort {
    /// Pivots of the network simplex for the plan; a few hundred thousand per second.
    ///
    /// Plans with nesting quotas take 20,000 (100 × 300) to 150,000 (1,000 × 3,000), crossing ones usually five times
    /// that. Hard ones (organisations, cities and fields all crossing, with minimums) can use any number; the gap is
    /// then small.
    pub pivots: u64,
    /// Pivots for all costs together: first by one, then rules, then quotas, highest price first. Costs not reached are
    /// omitted; 0 omits all costs.
    pub cost_pivots: u64,
    /// Maximum parts that branch and bound divides.
    pub branches: u32,
}

impl Default for Effort {
    fn default() -> Self {
        Self { pivots: 2_000_000, cost_pivots: 1_000_000, branches: 2_000 }
    }
}
