//! A small TOML file that maps columns to fields, for tables with unknown headings.
//!
//! ```toml
//! kind = "demands"            # achievements, demands or experts
//! source = "tangshan"         # source system of rows that name none
//!
//! [columns]
//! "我们的题目" = "title"       # heading = key of the field
//! "经费" = "budget_yuan(万元)" # an amount may say its unit
//! "备注" = "ignore"           # not read, even if the heading is known
//!
//! [values.status]
//! "上架" = "active"           # value in the cell = value meant
//! ```
//!
//! Unknown keys, fields and codes are refused, all mistakes at once.

use std::{
    collections::{BTreeMap, HashMap},
    fs::File,
    io::Read,
    path::Path,
};

use serde_json::Value as Json;
use toml::{Table, Value};

use super::{
    cell::Cell,
    fields::{Field, TABLE},
    headings::{self, MAX_COLUMNS, Target},
    values,
};
use duijie_core::domain::{
    Kind,
    codes::{AchievementLevel, OwnerType, PolicyField, ShareClass, Stage, Status, TransferMode},
    name::check_source,
};

/// Largest mapping file: some hundred lines take 20 kB.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// Fields whose values can be replaced: those with codes or a fixed form, not free text or ids.
const REPLACEABLE: [Field; 17] = [
    Field::Source,
    Field::Industry,
    Field::HighTech,
    Field::Programme,
    Field::Region,
    Field::OwnerType,
    Field::Status,
    Field::ShareClass,
    Field::PublishTime,
    Field::Stage,
    Field::Trl,
    Field::Level,
    Field::TransferModes,
    Field::CooperationModes,
    Field::Price,
    Field::Budget,
    Field::Deadline,
];

/// Contents of a mapping file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mapping {
    /// Kind of the records; `None` if not given.
    pub kind: Option<Kind>,
    /// Source system for rows without one.
    pub source: Option<String>,
    /// Headings in normal form with their meaning; `None` is "ignore".
    columns: HashMap<String, Option<Target>>,
    values: BTreeMap<Field, HashMap<String, String>>,
}

/// Error of a mapping file.
#[derive(Debug, thiserror::Error)]
pub enum MappingError {
    /// The file cannot be read.
    #[error("读不出映射文件 {path}（{source}），请检查路径和权限")]
    Unreadable {
        /// Its path.
        path: String,
        /// Error of the operating system.
        source: std::io::Error,
    },
    /// The file is larger than 1 MiB.
    #[error("映射文件 {path} 超过 1 MiB，请确认给出的是映射文件而不是数据文件")]
    TooLarge {
        /// Its path.
        path: String,
    },
    /// All mistakes of the file, each as a sentence.
    #[error("映射文件有 {} 处错误，请改正：\n{}", .0.len(), .0.join("\n"))]
    Mistakes(Vec<String>),
}

// === impl Mapping ===

impl Mapping {
    /// Reads a mapping file.
    ///
    /// # Errors
    /// [`MappingError`].
    pub fn read(path: &Path) -> Result<Self, MappingError> {
        let name = path.display().to_string();
        let unreadable = |source| MappingError::Unreadable { path: name.clone(), source };
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(unreadable)?;
        file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        if MAX_FILE_BYTES < bytes.len() as u64 {
            return Err(MappingError::TooLarge { path: name });
        }
        let text = String::from_utf8(bytes)
            .map_err(|_| MappingError::Mistakes(vec!["文件不是 UTF-8 编码，请另存为 UTF-8".into()]))?;
        text.trim_start_matches('\u{FEFF}').parse()
    }

    /// Meaning of a heading in this mapping: `None` if the heading is not listed, `Some(None)` if it is ignored.
    pub(super) fn find(&self, heading: &str) -> Option<Option<Target>> {
        if self.columns.is_empty() || headings::is_long(heading) {
            return None;
        }
        self.columns.get(&headings::normal(heading)).copied()
    }

    /// Fields that the mapping assigns to columns.
    pub(super) fn fields(&self) -> impl Iterator<Item = Field> {
        self.columns.values().flatten().map(|target| target.field)
    }

    /// The cell, with its value replaced if the mapping says so.
    pub(super) fn replaced(&self, field: Field, cell: &Cell) -> Cell {
        let Some(table) = self.values.get(&field) else { return cell.clone() };
        let meant = |text: &str| table.get(&values::plain(text)).cloned();
        match cell {
            Cell::Text(text) | Cell::Json(Json::String(text)) | Cell::Number { shown: text, .. } => match meant(text) {
                Some(text) => Cell::Text(text),
                None if matches!(field, Field::TransferModes | Field::CooperationModes) => {
                    let entries = super::cell::codes(text);
                    let entries: Vec<_> = entries.into_iter().map(|entry| meant(&entry).unwrap_or(entry)).collect();
                    Cell::Text(entries.join("；"))
                }
                None => cell.clone(),
            },
            Cell::Json(Json::Array(entries)) => {
                let replaced = |entry: &Json| match entry {
                    Json::String(text) => Json::String(meant(text).unwrap_or_else(|| text.clone())),
                    other => other.clone(),
                };
                Cell::Json(Json::Array(entries.iter().map(replaced).collect()))
            }
            Cell::Json(Json::Number(number)) => meant(&number.to_string()).map_or_else(|| cell.clone(), Cell::Text),
            _ => cell.clone(),
        }
    }
}

impl std::str::FromStr for Mapping {
    type Err = MappingError;

    fn from_str(text: &str) -> Result<Self, MappingError> {
        let table: Table = text.parse().map_err(|error: toml::de::Error| {
            let place = error.span().map_or(0, |span| span.start);
            let line = text.get(..place).map_or(1, |before| before.matches('\n').count() + 1);
            MappingError::Mistakes(vec![format!("第 {line} 行不是合法的 TOML，写法应为 \"列名\" = \"字段\"")])
        })?;
        let mut reading = Reading::default();
        for (key, value) in &table {
            reading.take(key, value);
        }
        reading.check_kind();
        if reading.mistakes.is_empty() { Ok(reading.mapping) } else { Err(MappingError::Mistakes(reading.mistakes)) }
    }
}

/// A partly read mapping, with the mistakes so far.
#[derive(Default)]
struct Reading {
    mapping: Mapping,
    mistakes: Vec<String>,
}

// === impl Reading ===

impl Reading {
    fn take(&mut self, key: &str, value: &Value) {
        match (key, value) {
            ("kind", Value::String(name)) => match Kind::from_name(name) {
                Some(kind) => self.mapping.kind = Some(kind),
                None => self.say(format!("kind = \"{name}\"：应为 achievements、demands 或 experts")),
            },
            ("source", Value::String(source)) => match check_source(source) {
                Ok(()) => self.mapping.source = Some(source.clone()),
                Err(problem) => self.say(format!("source = \"{source}\"：{}", problem.chinese())),
            },
            ("columns", Value::Table(columns)) => self.take_columns(columns),
            ("values", Value::Table(fields)) => {
                for (field, table) in fields {
                    self.take_values(field, table);
                }
            }
            ("kind" | "source", _) => self.say(format!("{key} 应为一段文字")),
            ("columns" | "values", _) => self.say(format!("{key} 应为一节，写作 [{key}]")),
            _ => self.say(format!("不认识 {key}；可用：kind、source、[columns]、[values.字段]")),
        }
    }

    fn take_columns(&mut self, columns: &Table) {
        if MAX_COLUMNS < columns.len() {
            self.say(format!("[columns] 有 {} 列，最多 {MAX_COLUMNS} 列", columns.len()));
        }
        for (heading, value) in columns.iter().take(MAX_COLUMNS) {
            let Value::String(key) = value else {
                self.say(format!("[columns] \"{heading}\" 应对应一个字段名，如 \"title\""));
                continue;
            };
            let target = match key.as_str() {
                "ignore" => Some(None),
                key => target(key).map(Some),
            };
            let Some(target) = target else {
                let keys: Vec<_> = keys().collect();
                self.say(format!(
                    "[columns] \"{heading}\" = \"{key}\"：没有这个字段；可用：ignore、{}",
                    keys.join("、")
                ));
                continue;
            };
            if self.mapping.columns.insert(headings::normal(heading), target).is_some() {
                self.say(format!("[columns] \"{heading}\" 写了两次（不计空格、大小写和全角半角）"));
            }
        }
    }

    fn take_values(&mut self, key: &str, table: &Value) {
        let field = TABLE.iter().find(|row| row.key == key).map(|row| row.field);
        let Some(field) = field.filter(|field| REPLACEABLE.contains(field)) else {
            let keys: Vec<_> = REPLACEABLE.iter().map(|field| field.key()).collect();
            return self.say(format!("[values.{key}]：没有这个字段或不能替换其值；可用：{}", keys.join("、")));
        };
        let Value::Table(table) = table else {
            return self.say(format!("values.{key} 应为一节，写作 [values.{key}]"));
        };
        for (from, to) in table {
            match to {
                Value::String(to) => match check_value(field, to) {
                    Ok(()) => {
                        self.mapping.values.entry(field).or_default().insert(values::plain(from), to.clone());
                    }
                    Err(reason) => self.say(format!("[values.{key}] \"{from}\" = \"{to}\"：{reason}")),
                },
                _ => self.say(format!("[values.{key}] \"{from}\" 应对应一段文字")),
            }
        }
    }

    /// Checks that all fields belong to the kind, if the file names one.
    fn check_kind(&mut self) {
        let Some(kind) = self.mapping.kind else { return };
        let mut strange: Vec<_> = self.mapping.fields().filter(|field| !field.belongs_to(kind)).collect();
        strange.sort_unstable();
        strange.dedup();
        for field in strange {
            self.say(format!("[columns] {}没有字段 {}", kind.label(), field.key()));
        }
    }

    fn say(&mut self, mistake: String) {
        self.mistakes.push(mistake);
    }
}

/// Keys of all fields, without duplicates.
fn keys() -> impl Iterator<Item = &'static str> {
    let first = |(index, row): &(usize, &super::fields::FieldRow)| {
        TABLE.iter().position(|other| other.key == row.key) == Some(*index)
    };
    TABLE.iter().enumerate().filter(first).map(|(_, row)| row.key)
}

/// Meaning of a key such as `title`, `content` or `budget_yuan(万元)`. Rank 0 puts it before all known headings.
fn target(key: &str) -> Option<Target> {
    let english = key.starts_with(|c: char| c.is_ascii_lowercase());
    headings::find(key, None).filter(|_| english).map(|target| Target { rank: 0, ..target })
}

/// Checks that a replacement is a valid value of the field.
fn check_value(field: Field, text: &str) -> Result<(), String> {
    match field {
        Field::Source => check_source(text).map_err(|problem| problem.chinese()),
        Field::Industry => values::industry(text).map(drop),
        Field::HighTech => values::tech_field(text).map(drop),
        Field::Programme => values::code::<PolicyField>(text).map(drop),
        Field::Region => values::region(text).map(drop),
        Field::OwnerType => values::code::<OwnerType>(text).map(drop),
        Field::Status => values::code::<Status>(text).map(drop),
        Field::ShareClass => values::code::<ShareClass>(text).map(drop),
        Field::Stage => values::code::<Stage>(text).map(drop),
        Field::Trl => values::trl(text).map(drop),
        Field::Level => values::code::<AchievementLevel>(text).map(drop),
        Field::TransferModes | Field::CooperationModes => {
            values::codes::<TransferMode>(&super::cell::codes(text)).map(drop)
        }
        Field::Price | Field::Budget => super::amount::parse(text, 0).map(drop),
        Field::PublishTime | Field::Deadline => super::dates::parse(text, super::dates::Edge::Last).map(drop),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
