//! Plans: shortlists and meetings, made from one set of inputs.

use serde::{Deserialize, Serialize};

use super::{LeftOut, RuleRef, SharedPeople, Unplaced};
use duijie_core::domain::{Code, RecordName, hit::Level};

/// A demand and its counterpart, an achievement or an expert.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Pair {
    /// The demand.
    pub demand: RecordName,
    /// The achievement or expert.
    pub counterpart: RecordName,
}

/// A plan of an event. It is written whole and never changes; the event points to the current plan.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Number, from 1.
    pub number: u64,
    /// `Event::inputs` at the time of the shortlists.
    pub inputs: u64,
    /// `Event::layout` at the time of the schedule.
    pub layout: u64,
    /// Versions that the plan was made with.
    pub versions: PlanVersions,
    /// Chosen pairs, ordered by demand, best first.
    pub shortlist: Vec<Shortlisted>,
    /// High-ranking pairs that were not chosen, ordered by demand, best first.
    pub left_out: Vec<LeftOut>,
    /// Quality of the shortlists.
    pub proof: Proof,
    /// Quotas whose minimum cannot be reached.
    pub shortfalls: Vec<Shortfall>,
    /// Rules with a cost, highest cost first.
    pub costs: Vec<Cost>,
    /// Meetings, ordered by slot and table. Empty before the first schedule.
    pub meetings: Vec<Meeting>,
    /// Chosen pairs without a meeting. Empty before the first schedule.
    pub unplaced: Vec<Unplaced>,
    /// Quality of the schedule; `None` before the first one.
    pub schedule: Option<ScheduleFigures>,
    /// Participants with a chosen pair that share people although nobody has said so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shared: Vec<SharedPeople>,
    /// Changes since the previous plan.
    pub changes: Vec<Change>,
}

/// Versions that a plan was made with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanVersions {
    /// Version of the text pipeline.
    pub text: String,
    /// Version of the embedding model.
    pub model: String,
    /// Version of the calibration of the levels.
    pub calibration: String,
}

/// A chosen pair.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shortlisted {
    /// The pair.
    pub pair: Pair,
    /// Score of the match, 0 to 1.
    pub score: f64,
    /// Level of a pair of demand and achievement; `None` for experts, and if the service has no calibration.
    pub level: Option<Level>,
    /// Rank of the counterpart among all participants by score for this demand, from 1.
    pub rank: u32,
    /// Reason for the choice.
    pub why: Why,
}

/// Reason a pair was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// Chosen by the optimisation.
    Chosen,
    /// Pinned by the staff.
    Pinned,
    /// Already published, therefore kept.
    Kept,
}

/// Quality of shortlists.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Proof {
    /// Sum of the scores of the chosen pairs.
    pub value: f64,
    /// Upper bound: no choice under the rules has a higher sum.
    pub bound: f64,
    /// Whether the value equals the bound.
    pub is_optimal: bool,
    /// Proof of the bound.
    pub certificate: Certificate,
    /// Number of candidate pairs.
    pub candidates: u64,
    /// Maximum candidates per demand, best first.
    pub per_demand: u32,
}

/// Proof of a bound. The aliases are the sentences that plans stored before certificates had names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Certificate {
    /// The dual solution of a network flow has the same value.
    #[serde(alias = "网络流的对偶解与方案等值，已证明最优")]
    FlowDual,
    /// Prices of the quotas give a bound of the same value.
    #[serde(alias = "名额的影子价格给出的上界与方案等值，已证明最优")]
    Prices,
    /// Branch and bound has searched all cases.
    #[serde(alias = "分支定界穷尽了全部情形，已证明最优")]
    Branches,
    /// Not proved: the work limit was reached. The bound holds.
    #[default]
    #[serde(alias = "计算量达到上限，尚未证明最优；上界成立", alias = "")]
    Open,
    /// Participants cancelled since; the bound is the one before.
    #[serde(alias = "有参会者取消，未重新优化；上界为取消之前的")]
    Cancelled,
}

/// Cost of a rule: the gain in the sum of scores with one pair more, or without the rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// The rule.
    pub rule: RuleRef,
    /// Whether the cost is of the whole rule; otherwise of one pair more.
    pub is_whole: bool,
    /// Lower bound of the gain.
    #[serde(rename = "at_least")]
    pub min_gain: f64,
    /// Upper bound of the gain.
    #[serde(rename = "at_most")]
    pub max_gain: f64,
}

/// A quota whose minimum cannot be reached under the other rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shortfall {
    /// The quota: a [`RuleRef::QuotaMinimum`], or the name that an older plan stored.
    pub quota: RuleRef,
    /// Minimum number of pairs of the quota.
    #[serde(rename = "at_least")]
    pub min_pairs: u32,
    /// Number of pairs reached.
    pub reached: u32,
}

/// A meeting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meeting {
    /// The pair.
    pub pair: Pair,
    /// Slot, from 0.
    pub slot: usize,
    /// Table, from 0.
    pub table: u32,
    /// Whether staff fixed slot and table.
    #[serde(default)]
    pub locked: bool,
}

/// Quality of a schedule.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct ScheduleFigures {
    /// Idle slots between two meetings of the same day, summed over all presenters.
    pub gaps: u32,
    /// Number of times a demand side changes tables from one meeting to the next.
    pub host_moves: u32,
    /// Number of times a counterpart side changes tables, often unavoidable.
    pub guest_moves: u32,
    /// Fraction of the usable table slots in use, 0 to 1.
    pub used: f64,
    /// Whether it is proven that no schedule places pairs with a higher sum of scores.
    #[serde(rename = "is_most")]
    pub is_optimal: bool,
}

/// Change of a meeting between two plans. Unchanged meetings have none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The pair.
    pub pair: Pair,
    /// Slot and table before, from 0; `None` for a new meeting.
    pub from: Option<(usize, u32)>,
    /// Slot and table now, from 0; `None` for a removed meeting.
    pub to: Option<(usize, u32)>,
}

// === impl Pair ===

impl Pair {
    /// Creates a pair.
    pub fn new(demand: RecordName, counterpart: RecordName) -> Self {
        Self { demand, counterpart }
    }

    /// Returns whether the record is one of the two.
    pub fn has(&self, record: &RecordName) -> bool {
        self.demand == *record || self.counterpart == *record
    }

    /// Returns the storage key; no record name contains `|`.
    pub fn key(&self) -> String {
        format!("{}|{}", self.demand, self.counterpart)
    }
}

impl std::fmt::Display for Pair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} × {}", self.demand, self.counterpart)
    }
}

// === impl Certificate ===

impl Code for Certificate {
    const NAME: &'static str = "最优性证明";
    const TABLE: &'static [(Self, &'static [&'static str])] = &[
        (Self::FlowDual, &["网络流的对偶解与方案等值，已证明最优", "flow_dual"]),
        (Self::Prices, &["名额的影子价格给出的上界与方案等值，已证明最优", "prices"]),
        (Self::Branches, &["分支定界穷尽了全部情形，已证明最优", "branches"]),
        (Self::Open, &["计算量达到上限，尚未证明最优；上界成立", "open"]),
        (Self::Cancelled, &["有参会者取消，未重新优化；上界为取消之前的", "cancelled"]),
    ];
}

// === impl Shortfall ===

impl Shortfall {
    /// Returns a sentence in Chinese.
    pub fn chinese(&self) -> String {
        let quota = match &self.quota {
            RuleRef::QuotaMinimum(quota) => quota.label(),
            other => other.chinese(),
        };
        format!("{quota} 至少 {} 对，只能安排 {} 对", self.min_pairs, self.reached)
    }
}

// === impl Plan ===

impl Plan {
    /// Sorts all lists into their canonical order.
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

    /// Returns the changes since earlier meetings.
    pub(crate) fn changes_since(&self, before: &[Meeting]) -> Vec<Change> {
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
