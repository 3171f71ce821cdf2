//! Pairs that are not in the plan, with reasons.

use serde::{Deserialize, Serialize};

use super::{Pair, RuleRef};
use duijie_core::domain::{RecordName, hit::Level};

/// A high-ranking pair that was not chosen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LeftOut {
    /// The pair.
    pub pair: Pair,
    /// Score of the match, 0 to 1.
    pub score: f64,
    /// Level of a pair of demand and achievement, if known.
    pub level: Option<Level>,
    /// Rank of the counterpart among all participants by score for this demand, from 1.
    pub rank: u32,
    /// Reasons for leaving it out, at least one.
    pub reasons: Vec<LeftOutReason>,
    /// Minimum loss in the sum of scores if the pair were forced in; `None` if a rule excludes it.
    pub loss: Option<f64>,
}

/// Reason a pair was left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeftOutReason {
    /// Forbidden by the staff.
    Forbidden,
    /// Both belong to the same organisation.
    SameOrganisation,
    /// Their organisations must not meet.
    Avoided,
    /// They met at another event.
    MetBefore {
        /// Id of that event.
        event: String,
    },
    /// The level is below the minimum.
    BelowLevel,
    /// The score is below the minimum.
    BelowScore,
    /// The demand's cap is taken by pairs of higher value.
    DemandCap,
    /// The counterpart's cap is taken by pairs of higher value.
    CounterpartCap {
        /// Demands that were given the counterpart.
        taken_by: Vec<RecordName>,
    },
    /// The cap of an organisation is reached.
    OrganisationCap {
        /// Credit code or name of the organisation.
        organisation: String,
    },
    /// A quota is full, or needs other pairs to reach its minimum.
    Quota {
        /// That rule.
        quota: RuleRef,
    },
    /// A pair of the same demand with lower value has to stay.
    Kept {
        /// That pair.
        instead: Pair,
        /// Rule that keeps that pair.
        rule: RuleRef,
    },
    /// The pair has no value.
    NoValue,
    /// Unknown: the search ended before the optimum was proven.
    NotSearched,
}

// === impl LeftOutReason ===

impl LeftOutReason {
    /// Returns a sentence in Chinese.
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
            Self::Quota { quota } => format!("受名额限制：{}", quota.chinese()),
            Self::Kept { instead, rule } => format!("{} 须保留（{}）", instead.counterpart, rule.chinese()),
            Self::NoValue => "得分为零".into(),
            Self::NotSearched => "计算量达到上限，未能证明最优".into(),
        }
    }
}
