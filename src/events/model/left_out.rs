//! Why a pair is not in the plan.

use serde::{Deserialize, Serialize};

use super::Pair;
use duijie_core::domain::{RecordName, hit::Level};

/// A pair that ranks high and was not chosen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LeftOut {
    /// The pair.
    pub pair: Pair,
    /// Score of the match, 0 to 1.
    pub score: f64,
    /// Level of a demand and an achievement, where it is known.
    pub level: Option<Level>,
    /// Place of the counterpart among all that take part, by score for this demand, from 1.
    pub rank: u32,
    /// What kept it out, one or more.
    pub reasons: Vec<LeftOutReason>,
    /// By how much the sum of scores would fall at least were it in all the same; `None` where a rule keeps it out.
    pub loss: Option<f64>,
}

/// What kept a pair out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeftOutReason {
    /// Staff forbid it.
    Forbidden,
    /// Both belong to one organisation.
    SameOrganisation,
    /// Their organisations shall not meet.
    Avoided,
    /// They met at this event.
    MetBefore {
        /// Its id.
        event: String,
    },
    /// Its level is below the least one.
    BelowLevel,
    /// Its score is below the least one.
    BelowScore,
    /// The demand has as many as it may have, and these are worth more.
    DemandCap,
    /// The counterpart has as many as it may have, and they are worth more there.
    CounterpartCap {
        /// Demands that have it.
        taken_by: Vec<RecordName>,
    },
    /// An organisation has as many pairs as it may have.
    OrganisationCap {
        /// Its credit code or name.
        organisation: String,
    },
    /// A quota is full, or has to be met by others.
    Quota {
        /// Which one, in Chinese.
        quota: String,
    },
    /// A less valuable pair of the same demand has to stay.
    Kept {
        /// That pair.
        instead: Pair,
        /// What holds it, in Chinese.
        rule: String,
    },
    /// It is worth nothing, so that it adds nothing.
    NoValue,
    /// Nothing that can be named: the search ended before the optimum was proved.
    NotSearched,
}

// === impl LeftOutReason ===

impl LeftOutReason {
    /// For machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Forbidden => "FORBIDDEN",
            Self::SameOrganisation => "SAME_ORGANISATION",
            Self::Avoided => "AVOIDED",
            Self::MetBefore { .. } => "MET_BEFORE",
            Self::BelowLevel => "BELOW_LEVEL",
            Self::BelowScore => "BELOW_SCORE",
            Self::DemandCap => "DEMAND_CAP",
            Self::CounterpartCap { .. } => "COUNTERPART_CAP",
            Self::OrganisationCap { .. } => "ORGANISATION_CAP",
            Self::Quota { .. } => "QUOTA",
            Self::Kept { .. } => "KEPT",
            Self::NoValue => "NO_VALUE",
            Self::NotSearched => "NOT_SEARCHED",
        }
    }

    /// A sentence in Chinese.
    pub fn chinese(&self) -> String {
        match self {
            Self::Forbidden => "工作人员已排除".into(),
            Self::SameOrganisation => "双方属同一单位".into(),
            Self::Avoided => "双方单位列入回避".into(),
            Self::MetBefore { event } => format!("双方已在活动 {event} 中洽谈"),
            Self::BelowLevel => "匹配等级低于要求".into(),
            Self::BelowScore => "得分低于要求".into(),
            Self::DemandCap => "该需求的名额已由更合适的对象占满".into(),
            Self::CounterpartCap { taken_by } => {
                let names: Vec<String> = taken_by.iter().map(ToString::to_string).collect();
                format!("对方的场次已满，由 {} 占用", names.join("、"))
            }
            Self::OrganisationCap { organisation } => format!("单位 {organisation} 的场次已满"),
            Self::Quota { quota } => format!("受名额限制：{quota}"),
            Self::Kept { instead, rule } => format!("{} 须保留（{rule}）", instead.counterpart),
            Self::NoValue => "得分为零".into(),
            Self::NotSearched => "计算量达到上限，未能证明最优".into(),
        }
    }
}
