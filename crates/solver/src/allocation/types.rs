//! What an allocation is asked of, and what it answers. Names are indices: the caller keeps the lists.

use thiserror::Error;

/// Millionths in a value of 1: values are summed as whole millionths, so sums are exact.
pub const MILLION: i64 = 1_000_000;

/// One of the two sides of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The demands (需求).
    Demands,
    /// The achievements or experts (成果、专家).
    Counterparts,
}

/// What puts participants of one side into groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Attribute {
    /// The organisation that stands behind a participant.
    Organisation,
    /// Its city.
    City,
    /// Its technical field.
    Field,
}

/// All participants of one side that have one value of one attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Group {
    /// Of which side.
    pub side: Side,
    /// By which attribute.
    pub attribute: Attribute,
    /// The value of the attribute, as the participants carry it.
    pub key: u32,
}

/// A demand, or an achievement or expert.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Participant {
    /// The most pairs that it may be in; 0 or more.
    pub limit: u32,
    /// Its organisation; one numbering for both sides. Without one it is in no group by organisation.
    pub organisation: Option<u32>,
    /// Its city.
    pub city: Option<u32>,
    /// Its field.
    pub field: Option<u32>,
}

/// A pair that may be chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// Index into [`Problem::demands`].
    pub demand: u32,
    /// Index into [`Problem::counterparts`].
    pub counterpart: u32,
    /// What the pair is worth, 0 to 1; rounded to millionths.
    pub value: f64,
    /// Its level, 1 (无) to 4 (强); without one (experts) no least level keeps it out.
    pub level: Option<u8>,
}

/// How many chosen pairs may, and should, have a member of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quota {
    /// Whose pairs are counted.
    pub group: Group,
    /// At least so many, 0 for no minimum. A minimum that cannot be met is told as a [`Shortfall`].
    pub least: u32,
    /// At most so many.
    pub most: Option<u32>,
}

/// A demand and a counterpart, by their indices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pair {
    /// Index into [`Problem::demands`].
    pub demand: u32,
    /// Index into [`Problem::counterparts`].
    pub counterpart: u32,
}

/// An allocation to be made. The order of the lists `pairs`, `quotas` and those of [`Rules`] does not matter; among plans
/// of equal value the order of the participants may decide, so give them in an order of their own (by name).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Problem {
    /// The demands, each with the most counterparts that it wants.
    pub demands: Vec<Participant>,
    /// The counterparts, each with the most demands that it takes.
    pub counterparts: Vec<Participant>,
    /// Pairs that may be chosen, each once. Others never are.
    pub pairs: Vec<Candidate>,
    /// Caps per organisation, quotas by city and field, at most one for each group.
    pub quotas: Vec<Quota>,
    /// Rules about single pairs.
    pub rules: Rules,
}

/// Rules about single pairs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    /// Pairs below this level are left out.
    pub min_level: Option<u8>,
    /// Whether pairs within one organisation are left out.
    pub same_organisation_apart: bool,
    /// Organisations, two and two in either order, that are not brought together.
    pub organisations_apart: Vec<(u32, u32)>,
    /// Pairs that met at an earlier event.
    pub met: Vec<Pair>,
    /// Pairs that staff forbid.
    pub forbidden: Vec<Pair>,
    /// Pairs that staff want. They count against limits and quotas, and no rule may speak against them.
    pub pinned: Vec<Pair>,
}

/// A constraint, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Constraint {
    /// The most counterparts of this demand.
    DemandLimit(u32),
    /// The most demands of this counterpart.
    CounterpartLimit(u32),
    /// The most pairs of a group.
    Most(Group),
    /// The fewest pairs of a group.
    Least(Group),
    /// [`Rules::min_level`].
    LeastLevel,
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

/// What is wrong with a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Error)]
pub enum Fault {
    /// A pair names a participant that is not there.
    #[error("pair {0:?} names a participant that is not there")]
    UnknownParticipant(Pair),
    /// A pair is given twice.
    #[error("pair {0:?} is given twice")]
    PairTwice(Pair),
    /// A value is not a number from 0 to 1, or a level not 1 to 4.
    #[error("value or level of pair {0:?} is out of range")]
    OutOfRange(Pair),
    /// The least level is not 1 to 4.
    #[error("least level {0} is not 1 to 4")]
    LeastLevelOutOfRange(u8),
    /// A group has two quotas.
    #[error("{0:?} has two quotas")]
    QuotaTwice(Group),
    /// A quota's minimum is above its maximum.
    #[error("the minimum of {0:?} is above its maximum")]
    LeastAboveMost(Group),
    /// A pinned pair is not among the candidates, so its value is not known.
    #[error("pinned pair {0:?} is not among the candidates")]
    PinWithoutCandidate(Pair),
    /// A pinned pair contradicts a rule.
    #[error("pinned pair {pin:?} contradicts {constraint:?}")]
    PinAgainst {
        /// The pinned pair.
        pin: Pair,
        /// What speaks against it: alone, or where it is a limit, together with other pins.
        constraint: Constraint,
    },
    /// More participants, pairs, quotas or places than [`MOST_PARTICIPANTS`], [`MOST_PAIRS`], [`MOST_QUOTAS`] and
    /// [`MOST_CHOSEN`] allow.
    #[error("larger than the limits of an allocation")]
    TooLarge,
}

/// The problem cannot be asked like this. All faults, in order.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the allocation has {} faults, the first: {}", .0.len(), .0.first().map(ToString::to_string).unwrap_or_default())]
pub struct Faults(pub Vec<Fault>);

/// Most participants of one side.
pub const MOST_PARTICIPANTS: usize = 10_000;
/// Most candidate pairs.
pub const MOST_PAIRS: usize = 1_000_000;
/// Most pairs that limits and candidates leave possible at once.
pub const MOST_CHOSEN: u64 = 100_000;
/// Most quotas.
pub const MOST_QUOTAS: usize = 10_000;

/// A chosen pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Chosen {
    /// Which.
    pub pair: Pair,
    /// Its value in millionths.
    pub value: i64,
    /// Whether staff pinned it.
    pub is_pinned: bool,
}

/// By what a plan is known to be the best.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Proof {
    /// All constraints nest, so the plan is a flow; prices for all constraints (its dual) give the same total.
    FlowDual,
    /// Some quotas cross others; prices for those, with a flow below, bound every plan by this plan's total.
    Prices,
    /// As [`Proof::Prices`], in each part of a complete division of all plans (branch and bound).
    Branches,
    /// Not known to be the best: the work limit was reached or the caller stopped it. [`Plan::bound`] holds all the same.
    #[default]
    Open,
}

/// A minimum that the plan does not reach. The sum over all minimums is as small as it can be (where proved).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shortfall {
    /// Whose minimum.
    pub group: Group,
    /// The minimum.
    pub least: u32,
    /// What the plan has.
    pub reached: u32,
}

/// How far a constraint is relaxed in [`Cost`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Relaxed {
    /// By one: a limit or maximum one higher, a minimum one lower.
    ByOne,
    /// Taken away as a whole.
    Removed,
}

/// What a constraint costs: by how much the total value would grow were it relaxed. In millionths.
///
/// By one: `at_most` is the price of the constraint in the dual solution plus the plan's gap; `at_least` is exact where all
/// constraints nest (the longest augmenting cycle), otherwise 0. Removed: from solving again without it.
/// Where minimums cannot all be met, values are compared at the same shortfall, and a minimum's costs are not told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// What is relaxed.
    pub constraint: Constraint,
    /// How far.
    pub relaxed: Relaxed,
    /// The value grows by at least this.
    pub at_least: i64,
    /// The value grows by at most this.
    pub at_most: i64,
}

/// Why a pair is not in the plan.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// A rule leaves it out, however good it is.
    Excluded(Constraint),
    /// The demand's places are taken by pairs that are worth at least as much.
    LowerValue,
    /// A limit or maximum that holds for this pair is used up.
    Full {
        /// Which.
        constraint: Constraint,
        /// The chosen pairs that use it up, the least valuable first; at most [`MOST_HOLDERS`] are listed.
        held_by: Vec<Pair>,
    },
    /// It would take the place of this pair, which a minimum or a pin keeps in.
    Kept {
        /// The less valuable chosen pair of the same demand.
        instead: Pair,
        /// The minimum or pin that holds it.
        constraint: Constraint,
    },
    /// It is worth nothing.
    NoValue,
    /// Nothing stands in its way that can be named: the plan is not proved to be the best ([`Proof::Open`]).
    NotSearched,
}

/// Most pairs that [`Reason::Full`] lists.
pub const MOST_HOLDERS: usize = 20;

/// A pair that ranks among the best of its demand and is not in the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Which.
    pub pair: Pair,
    /// Its value in millionths.
    pub value: i64,
    /// Its place among the demand's candidates by value, from 1.
    pub rank: u32,
    /// What keeps it out, in order; never empty. Either rules that exclude it (all that do), or everything that stands
    /// against adding it or putting it in the place of a less valuable pair of its demand.
    pub reasons: Vec<Reason>,
    /// By at least how much the total would fall were it put in all the same, in millionths; none where it is excluded.
    pub loss: Option<i64>,
}

/// The answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// The chosen pairs, by demand and counterpart.
    pub chosen: Vec<Chosen>,
    /// Sum of their values in millionths.
    pub value: i64,
    /// No plan that keeps the constraints (and misses the minimums by no more) is worth more than this, in millionths.
    pub bound: i64,
    /// By what that is known. Value and bound are equal exactly where it is not [`Proof::Open`].
    pub proof: Proof,
    /// Minimums that are not reached.
    pub shortfalls: Vec<Shortfall>,
    /// What constraints cost, those that cost nothing left out, by constraint.
    ///
    /// Plans compare by value where they miss as many pairs of the minimums as this one, each minimum taken as far as it
    /// can be reached. Constraints that may keep a minimum from being reached are not told.
    pub costs: Vec<Cost>,
    /// For each demand, those of its best `limit` candidates that are not in the plan, by demand and rank.
    pub left_out: Vec<LeftOut>,
    /// Work done, in pivots of the network simplex.
    pub pivots: u64,
}

/// How much work may be done. Counted, not timed, so the same input gives the same answer on every machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effort {
    /// Pivots of the network simplex for the plan; a few hundred thousand a second.
    ///
    /// Plans whose quotas nest take 20,000 (100 × 300) to 150,000 (1,000 × 3,000), crossing ones five times that, mostly. Hard
    /// ones (organisations, cities and fields all crossing, with minimums) can use up any number; the gap is then small.
    pub pivots: u64,
    /// Pivots for the costs, all of them together: first by one, then rules, then quotas, the dearest first. What is not
    /// reached is not told; 0 leaves all costs out.
    pub cost_pivots: u64,
    /// Parts into which branch and bound divides at most.
    pub branches: u32,
}

impl Default for Effort {
    fn default() -> Self {
        Self { pivots: 2_000_000, cost_pivots: 1_000_000, branches: 2_000 }
    }
}
