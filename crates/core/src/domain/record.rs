//! Achievements, demands and experts as plain values. [`super::check`] validates them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Kind, RecordName,
    codes::{AchievementLevel, IpKind, IpStatus, OwnerType, PolicyField, ShareClass, Stage, Status, TransferMode},
};

/// One entry of the catalogue. The proto `duijie.v1.Common` documents the fields with their ranges.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Identifier within kind and source system.
    pub id: String,
    /// Source system.
    pub source: String,
    /// Title; an expert's name.
    pub title: String,
    /// Full text; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub body: String,
    /// Keywords.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keywords: Vec<String>,
    /// GB/T 4754-2017 in normal form; empty if not stated.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub industry: String,
    /// 八大领域; empty if not stated.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub field: String,
    /// Special programme.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_field: Option<PolicyField>,
    /// GB/T 2260 in six digits; empty if not stated.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub region: String,
    /// Owning organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Owner>,
    /// Life-cycle status.
    #[serde(default)]
    pub status: Status,
    /// Sharing class.
    #[serde(default)]
    pub share_class: ShareClass,
    /// Publication time at the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publish_time: Option<Timestamp>,
    /// Time of first storage; set by the service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub create_time: Option<Timestamp>,
    /// Time of last change; set by the service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update_time: Option<Timestamp>,
    /// Revision; 0 in an input means that the source keeps no revisions.
    #[serde(default)]
    pub revision: u64,
    /// Fields specific to the kind.
    pub detail: Detail,
}

/// An organisation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Owner {
    /// Name.
    pub name: String,
    /// 统一社会信用代码; empty if not stated.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub credit_code: String,
    /// Type of organisation.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub owner_type: Option<OwnerType>,
}

/// Fields specific to one kind of record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Detail {
    /// Fields of an achievement.
    Achievement(Achievement),
    /// Fields of a demand.
    Demand(Demand),
    /// Fields of an expert.
    Expert(Expert),
}

/// Fields specific to achievements.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Achievement {
    /// 批准登记号; empty if not stated.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub registration_number: String,
    /// Stage of maturity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<Stage>,
    /// Technology readiness level, 1 to 9.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trl: Option<u8>,
    /// Level from the evaluation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<AchievementLevel>,
    /// Intellectual property rights.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub intellectual_property: Vec<IntellectualProperty>,
    /// Ways of transfer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transfer_modes: Vec<TransferMode>,
    /// Price in yuan; `None` means negotiable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_yuan: Option<i64>,
}

/// One intellectual property right.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IntellectualProperty {
    /// Type of right.
    pub kind: IpKind,
    /// Number; empty if not stated.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub number: String,
    /// Legal status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<IpStatus>,
}

/// Fields specific to demands.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Demand {
    /// Budget in yuan; `None` means negotiable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget_yuan: Option<i64>,
    /// Deadline for solutions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Timestamp>,
    /// Ways of cooperation wanted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cooperation_modes: Vec<TransferMode>,
}

/// Fields specific to experts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Expert {
    /// 职称; empty if not stated.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub professional_title: String,
    /// Achievements that the expert took part in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub achievement_ids: Vec<String>,
}

// === impl Record ===

impl Record {
    /// Returns a record with only an id, a title and a kind-specific detail.
    pub fn new(source: impl Into<String>, id: impl Into<String>, title: impl Into<String>, detail: Detail) -> Self {
        Self {
            id: id.into(),
            source: source.into(),
            title: title.into(),
            body: String::new(),
            keywords: Vec::new(),
            industry: String::new(),
            field: String::new(),
            policy_field: None,
            region: String::new(),
            owner: None,
            status: Status::default(),
            share_class: ShareClass::default(),
            publish_time: None,
            create_time: None,
            update_time: None,
            revision: 0,
            detail,
        }
    }

    /// Kind of the record.
    pub fn kind(&self) -> Kind {
        self.detail.kind()
    }

    /// Name of the record.
    pub fn name(&self) -> RecordName {
        RecordName { kind: self.kind(), source: self.source.clone(), id: self.id.clone() }
    }

    /// Price of an achievement or budget of a demand, in yuan.
    pub fn amount_yuan(&self) -> Option<i64> {
        match &self.detail {
            Detail::Achievement(achievement) => achievement.price_yuan,
            Detail::Demand(demand) => demand.budget_yuan,
            Detail::Expert(_) => None,
        }
    }

    /// Names of an expert's achievements; empty for other kinds.
    pub fn achievements(&self) -> impl Iterator<Item = RecordName> {
        let ids = match &self.detail {
            Detail::Expert(expert) => expert.achievement_ids.as_slice(),
            Detail::Achievement(_) | Detail::Demand(_) => &[],
        };
        let name = |id: &String| RecordName { kind: Kind::Achievement, source: self.source.clone(), id: id.clone() };
        ids.iter().map(name)
    }

    /// Returns whether both have the same content. Fields set by the service (times, revision) are ignored.
    pub fn same_content(&self, other: &Self) -> bool {
        // names every field, so that a new one cannot be forgotten
        let Self {
            id,
            source,
            title,
            body,
            keywords,
            industry,
            field,
            policy_field,
            region,
            owner,
            status,
            share_class,
            publish_time,
            create_time: _,
            update_time: _,
            revision: _,
            detail,
        } = self;
        (id, source, title, body) == (&other.id, &other.source, &other.title, &other.body)
            && (keywords, industry, field) == (&other.keywords, &other.industry, &other.field)
            && (policy_field, region, owner) == (&other.policy_field, &other.region, &other.owner)
            && (status, share_class) == (&other.status, &other.share_class)
            && (publish_time, detail) == (&other.publish_time, &other.detail)
    }

    /// Returns whether both have the same texts, so that stored vectors can be reused.
    pub fn same_text(&self, other: &Self) -> bool {
        self.title == other.title && self.body == other.body && self.keywords == other.keywords
    }
}

// === impl Detail ===

impl Detail {
    /// Kind that this detail belongs to.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Achievement(_) => Kind::Achievement,
            Self::Demand(_) => Kind::Demand,
            Self::Expert(_) => Kind::Expert,
        }
    }

    /// Empty detail of a kind.
    pub fn empty(kind: Kind) -> Self {
        match kind {
            Kind::Achievement => Self::Achievement(Achievement::default()),
            Kind::Demand => Self::Demand(Demand::default()),
            Kind::Expert => Self::Expert(Expert::default()),
        }
    }
}
