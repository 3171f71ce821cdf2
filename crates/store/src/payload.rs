//! Layout of a point in an engine: the record and its lexical query as JSON texts, plus flat fields for filters. The
//! layout is the same for the embedded engine and a server.
//!
//! JSON texts, not trees: the engine parses the whole payload once per indexed field and once per point read. Parsing
//! trees took most of the time of building an index.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

use super::{
    FieldSelection, Point, PointId,
    damage::{Checked, Damaged},
    row_sum,
};
use duijie_core::{
    domain::{Code, Detail, Record, gb},
    text::{LexicalQuery, SparseVector},
};

/// Key of the record.
pub const RECORD: &str = "record";
/// Key of the lexical query.
pub const QUERY: &str = "query";
/// Key of the revision.
pub(crate) const REVISION: &str = "revision";

/// Code lengths of GB/T 2260 that are a region: province, city, county.
const REGION_LENGTHS: [usize; 3] = [2, 4, 6];
/// Code lengths of GB/T 4754 that are an industry: section, division, group, class.
const INDUSTRY_LENGTHS: [usize; 4] = [1, 3, 4, 5];
/// Code lengths of 八大领域 that are a field.
const FIELD_LENGTHS: [usize; 3] = [2, 3, 5];

/// A field used by filters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FilterField {
    /// The region and its ancestors.
    Region,
    /// The industry and its ancestors.
    Industry,
    /// The field of 八大领域 and its ancestors.
    TechnologyField,
    /// Special programme.
    PolicyField,
    /// Stage of maturity.
    Stage,
    /// Status.
    Status,
    /// Credit code and name of the owner.
    Owner,
    /// Source system.
    Source,
    /// Technology readiness level.
    Trl,
    /// Price or budget in yuan.
    AmountYuan,
    /// Publication time, in whole seconds since 1970.
    PublishTime,
    /// Time of the last change in this service, in whole seconds since 1970.
    UpdateTime,
    /// Deadline, in whole seconds since 1970.
    Deadline,
    /// Revision.
    Revision,
    /// Full names of the achievements that an expert contributed to.
    Achievements,
}

/// Type of an indexed field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldType {
    /// Strings, compared as a whole.
    Keyword,
    /// 64-bit integers, compared by range.
    Integer,
}

/// A point as an engine stores it.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredRow {
    /// Payload: [`RECORD`] and [`QUERY`] as JSON texts, every [`FilterField`] that the record has, and the checksums.
    pub payload: Map<String, Value>,
    /// Embedding.
    pub dense: Vec<f32>,
    /// Term weights.
    pub sparse: SparseVector,
}

// === impl FilterField ===

impl FilterField {
    /// All fields; an engine indexes each before any data arrives.
    pub const ALL: [Self; 15] = [
        Self::Region,
        Self::Industry,
        Self::TechnologyField,
        Self::PolicyField,
        Self::Stage,
        Self::Status,
        Self::Owner,
        Self::Source,
        Self::Trl,
        Self::AmountYuan,
        Self::PublishTime,
        Self::UpdateTime,
        Self::Deadline,
        Self::Revision,
        Self::Achievements,
    ];

    /// Key in the payload.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Region => "region",
            Self::Industry => "industry",
            Self::TechnologyField => "field",
            Self::PolicyField => "policy_field",
            Self::Stage => "stage",
            Self::Status => "status",
            Self::Owner => "owner",
            Self::Source => "source",
            Self::Trl => "trl",
            Self::AmountYuan => "amount_yuan",
            Self::PublishTime => "publish_s",
            Self::UpdateTime => "update_s",
            Self::Deadline => "deadline_s",
            Self::Revision => REVISION,
            Self::Achievements => "achievements",
        }
    }

    /// Type of the field.
    pub fn field_type(self) -> FieldType {
        match self {
            Self::Region
            | Self::Industry
            | Self::TechnologyField
            | Self::PolicyField
            | Self::Stage
            | Self::Status
            | Self::Owner
            | Self::Source
            | Self::Achievements => FieldType::Keyword,
            Self::Trl | Self::AmountYuan | Self::PublishTime | Self::UpdateTime | Self::Deadline | Self::Revision => {
                FieldType::Integer
            }
        }
    }

    /// Value of the field in a record: none, one value or a list.
    fn value(self, record: &Record) -> Option<Value> {
        let list = |values: Vec<&str>| (!values.is_empty()).then(|| json!(values));
        match self {
            Self::Region => list(gb::prefixes(&record.region, &REGION_LENGTHS).collect()),
            Self::Industry => list(gb::prefixes(&record.industry, &INDUSTRY_LENGTHS).collect()),
            Self::TechnologyField => list(gb::prefixes(&record.field, &FIELD_LENGTHS).collect()),
            Self::PolicyField => record.policy_field.map(|policy_field| json!(policy_field.key())),
            Self::Stage => match &record.detail {
                Detail::Achievement(achievement) => achievement.stage.map(|stage| json!(stage.key())),
                Detail::Demand(_) | Detail::Expert(_) => None,
            },
            Self::Status => Some(json!(record.status.key())),
            Self::Owner => record.owner.as_ref().and_then(|owner| {
                list([owner.credit_code.as_str(), &owner.name].into_iter().filter(|part| !part.is_empty()).collect())
            }),
            Self::Source => Some(json!(record.source)),
            Self::Trl => match &record.detail {
                Detail::Achievement(achievement) => achievement.trl.map(|trl| json!(trl)),
                Detail::Demand(_) | Detail::Expert(_) => None,
            },
            Self::AmountYuan => record.amount_yuan().map(|amount| json!(amount)),
            Self::PublishTime => record.publish_time.map(|time| json!(time.as_second())),
            Self::UpdateTime => record.update_time.map(|time| json!(time.as_second())),
            Self::Deadline => match &record.detail {
                Detail::Demand(demand) => demand.deadline.map(|time| json!(time.as_second())),
                Detail::Achievement(_) | Detail::Expert(_) => None,
            },
            Self::Revision => Some(json!(record.revision)),
            Self::Achievements => {
                let names: Vec<String> = record.achievements().map(|name| name.to_string()).collect();
                (!names.is_empty()).then(|| json!(names))
            }
        }
    }
}

// === impl StoredRow ===

impl StoredRow {
    /// Lays a point out.
    ///
    /// # Errors
    /// When the record cannot be written as JSON; this never happens for a checked record.
    pub fn of(point: Point) -> Result<Self, String> {
        let mut payload: Map<String, Value> = FilterField::ALL
            .into_iter()
            .filter_map(|field| Some((field.key().to_string(), field.value(&point.record)?)))
            .collect();
        payload.insert(RECORD.to_string(), to_json(&point.record)?);
        payload.insert(QUERY.to_string(), to_json(&point.query)?);
        let id = point.id();
        let mut row = Self { payload, dense: point.dense, sparse: point.sparse };
        row_sum::seal_record(id, &mut row);
        Ok(row)
    }

    /// About the bytes that it takes.
    pub(crate) fn bytes(&self) -> u64 {
        let text = self.payload.iter().map(|(key, value)| key.len() + value.as_str().map_or(64, str::len));
        (text.sum::<usize>() + 4 * self.dense.len() + 8 * self.sparse.indices.len()) as u64
    }

    /// Reads the point with this id back, as much of it as was asked for, and compares it with its checksums. A lexical
    /// query that was not read is empty.
    ///
    /// # Errors
    /// When the row is not the one that was written under this id.
    pub(crate) fn into_point(self, id: PointId, read: FieldSelection) -> Result<Checked<Point>, Damaged> {
        let checked = row_sum::check_record(id, &self, read);
        let record: Result<Record, String> = from_json(&self.payload, RECORD);
        let name = record.as_ref().ok().map(|record| record.name());
        let damaged = |reason| Damaged { id, name: name.as_ref().map(ToString::to_string), reason };
        if let Some(other) = name.as_ref().filter(|name| PointId::of(name) != id) {
            return Err(Damaged { id, name: None, reason: format!("该编号下存的是另一条记录 {other}") });
        }
        let checked = checked.map_err(|part| damaged(format!("{part}与校验和不符")))?;
        let query = match read {
            FieldSelection::Everything => from_json(&self.payload, QUERY).map_err(damaged)?,
            FieldSelection::Payload | FieldSelection::Sparse => LexicalQuery::default(),
        };
        let record = record.map_err(damaged)?;
        Ok(Checked { row: Point { record, query, dense: self.dense, sparse: self.sparse }, checked })
    }
}

/// Revision in a payload.
pub fn revision(payload: &Map<String, Value>) -> Option<u64> {
    payload.get(REVISION)?.as_u64()
}

fn to_json(value: &impl Serialize) -> Result<Value, String> {
    serde_json::to_string(value).map(Value::String).map_err(|error| error.to_string())
}

fn from_json<T: DeserializeOwned>(payload: &Map<String, Value>, key: &str) -> Result<T, String> {
    let text = payload.get(key).and_then(Value::as_str).ok_or_else(|| format!("缺少 {key}"))?;
    serde_json::from_str(text).map_err(|error| format!("{key} 无法解析（{error}）"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use duijie_core::domain::{Kind, codes::*, record::*};

    fn full(kind: Kind) -> Record {
        let mut record = Record::new("tianjin", "x-1", "激光焊接", Detail::empty(kind));
        record.body = "用于\n薄板".into();
        record.keywords = vec!["激光".into()];
        record.industry = "C3851".into();
        record.field = "80406".into();
        record.region = "130102".into();
        record.policy_field = Some(PolicyField::Equipment);
        record.owner = Some(Owner {
            name: "甲大学".into(),
            credit_code: "914403001922038216".into(),
            owner_type: Some(OwnerType::University),
        });
        record.status = Status::Closed;
        record.publish_time = "2024-05-06T07:08:09.5Z".parse().ok();
        record.create_time = "2024-05-07T00:00:00Z".parse().ok();
        record.update_time = "1969-12-31T23:59:59Z".parse().ok();
        record.revision = 1 << 62;
        record.detail = match kind {
            Kind::Achievement => Detail::Achievement(Achievement {
                registration_number: "1302021Y0123".into(),
                stage: Some(Stage::Pilot),
                trl: Some(6),
                level: Some(AchievementLevel::DomesticLeading),
                intellectual_property: vec![IntellectualProperty {
                    kind: IpKind::Invention,
                    number: "ZL2020".into(),
                    status: Some(IpStatus::Granted),
                }],
                transfer_modes: vec![TransferMode::Equity],
                price_yuan: Some(1_000_000_000_000),
            }),
            Kind::Demand => Detail::Demand(Demand {
                budget_yuan: Some(0),
                deadline: "2030-01-01T00:00:00Z".parse().ok(),
                cooperation_modes: vec![TransferMode::JointDevelopment],
            }),
            Kind::Expert => {
                Detail::Expert(Expert { professional_title: "教授".into(), achievement_ids: vec!["a-1".into()] })
            }
        };
        record
    }

    fn point(record: Record) -> Point {
        Point {
            record,
            dense: vec![0.6, -0.8],
            sparse: SparseVector { indices: vec![u32::MAX, 1], values: vec![0.1, 7.0] },
            query: LexicalQuery { terms: vec![("激光".into(), 0.1), ("焊接".into(), 1e-9)] },
        }
    }

    #[test]
    fn points_come_back_as_they_went_in() {
        for kind in Kind::ALL {
            for record in [full(kind), Record::new("local", "a", "b", Detail::empty(kind))] {
                let point = point(record);
                let row = StoredRow::of(point.clone()).unwrap();
                // engines keep the payload as text
                let text = serde_json::to_string(&row.payload).unwrap();
                let row = StoredRow { payload: serde_json::from_str(&text).unwrap(), ..row };
                assert_eq!(revision(&row.payload), Some(point.record.revision));
                let read = row.into_point(point.id(), FieldSelection::Everything).unwrap();
                assert_eq!((read.row, read.checked), (point, true));
            }
        }
    }

    #[test]
    fn flat_fields_of_full_and_bare_records() {
        let flat = |record: Record| {
            let mut payload = StoredRow::of(point(record)).unwrap().payload;
            payload.remove(RECORD);
            payload.remove(QUERY);
            payload.remove(row_sum::SUM);
            Value::Object(payload)
        };
        let common = json!({
            "region": ["13", "1301", "130102"], "industry": ["C", "C38", "C385", "C3851"], "field": ["80", "804", "80406"],
            "policy_field": "equipment", "status": "closed", "owner": ["914403001922038216", "甲大学"],
            "source": "tianjin", "publish_s": 1_714_979_289, "update_s": -1, "revision": 1_u64 << 62,
        });
        let with = |more: Value| {
            let mut all = common.as_object().unwrap().clone();
            all.extend(more.as_object().unwrap().clone());
            Value::Object(all)
        };
        let achievement = json!({ "stage": "pilot", "trl": 6, "amount_yuan": 1_000_000_000_000_i64 });
        assert_eq!(flat(full(Kind::Achievement)), with(achievement));
        assert_eq!(flat(full(Kind::Demand)), with(json!({ "amount_yuan": 0, "deadline_s": 1_893_456_000 })));
        assert_eq!(flat(full(Kind::Expert)), with(json!({ "achievements": ["achievements/tianjin/a-1"] })));
        let bare = Record::new("local", "a", "b", Detail::empty(Kind::Demand));
        assert_eq!(flat(bare), json!({ "status": "active", "source": "local", "revision": 0 }));
    }

    #[test]
    fn damaged_payloads_say_what_is_missing() {
        let row = |payload: Value| StoredRow {
            payload: payload.as_object().unwrap().clone(),
            dense: vec![],
            sparse: SparseVector::default(),
        };
        let read = |payload: Value| {
            let id = PointId::of(&"demands/a".parse().unwrap());
            row(payload).into_point(id, FieldSelection::Payload).unwrap_err().reason
        };
        assert_eq!(read(json!({})), "缺少 record");
        assert!(read(json!({ "record": "1" })).contains("record 无法解析"));
    }
}
