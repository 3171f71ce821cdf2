//! Shortlists and meetings, as made at one time from one set of inputs.

use serde::{Deserialize, Serialize};

use super::LeftOut;
use duijie_core::domain::{Code, RecordName, hit::Level};

/// A demand and its counterpart, an achievement or an expert.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Pair {
    /// The demand.
    pub demand: RecordName,
    /// The achievement or expert.
    pub counterpart: RecordName,
}

/// One plan of an event. It appears whole and is never changed; the event says which one holds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Number, from 1.
    pub number: u64,
    /// `Event::inputs` that its shortlists were made from.
    pub inputs: u64,
    /// `Event::layout` that its meetings were made from.
    pub layout: u64,
    /// What it was made with.
    pub versions: PlanVersions,
    /// Chosen pairs: by demand, best first.
    pub shortlist: Vec<Shortlisted>,
    /// Pairs that rank high and were not chosen: by demand, best first.
    pub left_out: Vec<LeftOut>,
    /// How good the shortlists are.
    pub proof: Proof,
    /// Quotas whose fewest pairs cannot be had.
    pub shortfalls: Vec<Shortfall>,
    /// Rules that cost something, dearest first.
    pub costs: Vec<Cost>,
    /// Meetings: by slot, then table. Empty before the first schedule.
    pub meetings: Vec<Meeting>,
    /// Chosen pairs without a meeting. Empty before the first schedule.
    pub unplaced: Vec<Unplaced>,
    /// How good the schedule is; `None` before the first one.
    pub schedule: Option<ScheduleFigures>,
    /// What is different from the plan before.
    pub changes: Vec<Change>,
}

/// Versions of what a plan was made with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanVersions {
    /// Text pipeline.
    pub text: String,
    /// Model.
    pub model: String,
    /// Calibration of the levels.
    pub calibration: String,
}

/// A chosen pair.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shortlisted {
    /// The pair.
    pub pair: Pair,
    /// Score of the match, 0 to 1.
    pub score: f64,
    /// Level of a demand and an achievement; `None` for experts, and where the service has no levels.
    pub level: Option<Level>,
    /// Place of the counterpart among all that take part, by score for this demand, from 1.
    pub rank: u32,
    /// Why it is there.
    pub why: Why,
}

/// Why a pair was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// The optimum has it.
    Chosen,
    /// Staff want it.
    Pinned,
    /// It was handed out already and stays.
    Kept,
}

/// How good shortlists are.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Proof {
    /// Sum of the scores of the chosen pairs.
    pub value: f64,
    /// No choice under the rules has a higher sum.
    pub bound: f64,
    /// Whether value and bound are equal.
    pub is_optimal: bool,
    /// How it is known, in Chinese.
    pub certificate: String,
    /// Pairs that were weighed.
    pub candidates: u64,
    /// Best counterparts that were weighed for each demand; all of them where no demand had more.
    pub per_demand: u32,
}

/// What a rule costs: what the sum of scores would gain were it looser by one pair, or not there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// Which rule, in Chinese.
    pub rule: String,
    /// Whether the rule as a whole is meant, not one pair more.
    pub is_whole: bool,
    /// The sum gains this at least.
    pub at_least: f64,
    /// The sum gains this at most.
    pub at_most: f64,
}

/// A quota whose fewest pairs cannot be had under the other rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shortfall {
    /// Which quota, in Chinese.
    pub quota: String,
    /// Fewest pairs that it asks for.
    pub at_least: u32,
    /// Pairs that there are.
    pub reached: u32,
}

/// A meeting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meeting {
    /// Who meets.
    pub pair: Pair,
    /// Slot, from 0.
    pub slot: usize,
    /// Table, from 0.
    pub table: u32,
    /// Whether staff fixed slot and table.
    #[serde(default)]
    pub locked: bool,
}

/// A chosen pair without a meeting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unplaced {
    /// The pair.
    pub pair: Pair,
    /// Why, in Chinese.
    pub reason: String,
    /// Why, for machines: `SAME_PERSON`, `NO_COMMON_SLOT`, `SLOTS_OVER`, `NOT_REFILLED`, `BLOCKED`.
    pub code: String,
}

/// How good a schedule is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct ScheduleFigures {
    /// Slots that somebody waits between two meetings of a day, over all presenters.
    pub gaps: u32,
    /// Times that a demand's side changes tables from one meeting to the next.
    pub host_moves: u32,
    /// Times that a counterpart's side does, which often cannot be avoided.
    pub guest_moves: u32,
    /// Share of the usable tables and slots that is used, 0 to 1.
    pub used: f64,
    /// Whether it is known that no schedule places pairs of a higher sum of scores.
    pub is_most: bool,
}

/// What happened to a meeting between two plans. Meetings that stay as they are have none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Who meets.
    pub pair: Pair,
    /// Slot and table before, from 0; `None`: it is new.
    pub from: Option<(usize, u32)>,
    /// Slot and table now, from 0; `None`: it is gone.
    pub to: Option<(usize, u32)>,
}

// === impl Pair ===

impl Pair {
    /// A pair of these two.
    pub fn new(demand: RecordName, counterpart: RecordName) -> Self {
        Self { demand, counterpart }
    }

    /// Whether one of the two is this record.
    pub fn has(&self, record: &RecordName) -> bool {
        self.demand == *record || self.counterpart == *record
    }

    /// Under what it is stored; `|` stands in no name.
    pub fn key(&self) -> String {
        format!("{}|{}", self.demand, self.counterpart)
    }
}

impl std::fmt::Display for Pair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} × {}", self.demand, self.counterpart)
    }
}

// === impl Plan ===

impl Plan {
    /// Brings shortlist, meetings and the rest into their one order.
    pub fn sort(&mut self) {
        self.shortlist.sort_by(|one, other| {
            let by_demand = one.pair.demand.cmp(&other.pair.demand);
            by_demand.then(other.score.total_cmp(&one.score)).then_with(|| one.pair.cmp(&other.pair))
        });
        self.left_out.sort_by(|one, other| {
            let by_demand = one.pair.demand.cmp(&other.pair.demand);
            by_demand.then(other.score.total_cmp(&one.score)).then_with(|| one.pair.cmp(&other.pair))
        });
        self.meetings
            .sort_by(|one, other| (one.slot, one.table, &one.pair).cmp(&(other.slot, other.table, &other.pair)));
        self.unplaced.sort_by(|one, other| one.pair.cmp(&other.pair));
        self.changes.sort_by(|one, other| one.pair.cmp(&other.pair));
    }

    /// What is different from the meetings before.
    pub fn changes_since(&self, before: &[Meeting]) -> Vec<Change> {
        use std::collections::BTreeMap;
        let places = |meetings: &[Meeting]| -> BTreeMap<Pair, (usize, u32)> {
            meetings.iter().map(|it| (it.pair.clone(), (it.slot, it.table))).collect()
        };
        let (before, now) = (places(before), places(&self.meetings));
        let gone_or_moved = before.iter().map(|(pair, from)| (pair, Some(*from), now.get(pair).copied()));
        let new = now.iter().filter(|(pair, _)| !before.contains_key(pair));
        let all = gone_or_moved.chain(new.map(|(pair, to)| (pair, None, Some(*to))));
        let mut changes: Vec<Change> = all
            .filter(|(_, from, to)| from != to)
            .map(|(pair, from, to)| Change { pair: pair.clone(), from, to })
            .collect();
        changes.sort_by(|one, other| one.pair.cmp(&other.pair));
        changes
    }
}

impl Code for Why {
    const NAME: &'static str = "入选原因";
    const TABLE: &'static [(Self, &'static [&'static str])] = &[
        (Self::Chosen, &["优选", "chosen"]),
        (Self::Pinned, &["人工指定", "pinned"]),
        (Self::Kept, &["沿用", "kept"]),
    ];
}
