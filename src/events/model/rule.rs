//! Names of rules and quotas, to which the costs of a plan and the reasons for left-out pairs refer.

use serde::{Deserialize, Serialize};

use super::{Group, Side};
use duijie_core::domain::{Code, RecordName, gb};

/// Name of a rule of an event. The aliases are the sentences that plans stored before rules had names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleRef {
    /// Maximum meetings of a participant.
    ParticipantMaximum {
        /// The participant's record.
        record: RecordName,
        /// The maximum.
        max: u32,
    },
    /// Maximum pairs of an organisation.
    OrganisationMaximum {
        /// Side on which the organisation's pairs count.
        side: Side,
        /// Name or credit code of the organisation.
        organisation: String,
    },
    /// Maximum pairs of a quota.
    QuotaMaximum(QuotaRef),
    /// Minimum pairs of a quota.
    QuotaMinimum(QuotaRef),
    /// Minimum level.
    #[serde(alias = "最低匹配等级")]
    MinLevel,
    /// Records of one organisation do not meet.
    #[serde(alias = "同一单位不对接")]
    SameOrganisation,
    /// Organisations that must not meet.
    #[serde(alias = "回避名单")]
    AvoidedOrganisations,
    /// Pairs that met at another event do not meet again.
    #[serde(alias = "以往活动中已对接的不再对接")]
    MetBefore,
    /// Pairs that the staff forbids.
    #[serde(alias = "人工排除")]
    Forbidden,
    /// Pairs that the staff pinned.
    #[serde(alias = "人工指定")]
    Pinned,
    /// Chinese name with parameters, from a plan that was stored before rules had names.
    #[serde(untagged)]
    Told(String),
}

/// Name of a quota.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuotaRef {
    /// Side whose city or field counts.
    pub side: Side,
    /// Attribute: city or field.
    pub group: Group,
    /// Region or field.
    pub code: String,
}

// === impl RuleRef ===

impl RuleRef {
    /// Returns the Chinese name.
    pub fn chinese(&self) -> String {
        match self {
            Self::ParticipantMaximum { record, max } => format!("{record} 至多 {max} 场"),
            Self::OrganisationMaximum { side, organisation } => {
                format!("{}单位 {organisation}的名额上限", side.label())
            }
            Self::QuotaMaximum(quota) => format!("{}的名额上限", quota.label()),
            Self::QuotaMinimum(quota) => format!("{}的名额下限", quota.label()),
            Self::MinLevel => "最低匹配等级".into(),
            Self::SameOrganisation => "同一单位不对接".into(),
            Self::AvoidedOrganisations => "回避名单".into(),
            Self::MetBefore => "以往活动中已对接的不再对接".into(),
            Self::Forbidden => "人工排除".into(),
            Self::Pinned => "人工指定".into(),
            Self::Told(text) => text.clone(),
        }
    }
}

// === impl QuotaRef ===

impl QuotaRef {
    /// Returns the Chinese name, such as 需求方·河北石家庄.
    pub fn label(&self) -> String {
        let place = match self.group {
            Group::City => gb::region_label(&self.code),
            Group::Field => gb::field_label(&self.code).to_string(),
        };
        let place = if place.is_empty() { self.code.clone() } else { place };
        format!("{}·{place}", self.side.label())
    }
}
