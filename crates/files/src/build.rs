//! Turns the cells of one row into a checked record, or into a list of errors.

use sha2::{Digest, Sha256};

use super::{
    CellError, amount,
    cell::{Cell, cut, one_line},
    dates,
    fields::Field,
    headings::Target,
    mapping::Mapping,
    values,
};
use duijie_core::domain::{Detail, Kind, Record, codes::OwnerType, record::Owner};

/// Marks an undecodable byte in a decoded text.
const LOST: char = '\u{FFFD}';

/// Settings common to all rows of a file.
#[derive(Debug)]
pub struct Context {
    /// Kind of the records.
    pub kind: Kind,
    /// Source system for rows without one; empty for the default.
    pub source: String,
    /// Replacements of values.
    pub mapping: Mapping,
}

/// One cell of a row with its column.
#[derive(Debug, Clone, PartialEq)]
pub struct Place<'a> {
    /// Heading or key, as in the file.
    pub column: &'a str,
    /// Field of the column.
    pub target: Target,
    /// The cell.
    pub cell: Cell,
}

/// Builds the record of a row.
///
/// # Errors
/// All errors of the row, each with its column.
pub fn record(context: &Context, places: &[Place<'_>], lossy: bool) -> Result<Record, Vec<CellError>> {
    let mut row = Row::new(context, places);
    for place in places {
        if lossy && place.cell.contains(LOST) {
            row.say(place, "含有无法识别的字符（文件编码损坏），请另存为 UTF-8 后重试".into());
        } else if let Err(reason) = row.take(place) {
            row.say(place, reason);
        }
    }
    row.finish()
}

/// A partly read record.
struct Row<'a> {
    context: &'a Context,
    places: &'a [Place<'a>],
    record: Record,
    bodies: Vec<(&'a str, String)>,
    owner: Owner,
    errors: Vec<CellError>,
    bad: Vec<Field>,
}

// === impl Row ===

impl<'a> Row<'a> {
    fn new(context: &'a Context, places: &'a [Place<'a>]) -> Self {
        let record = Record::new(context.source.clone(), "", "", Detail::empty(context.kind));
        let owner = Owner { name: String::new(), credit_code: String::new(), owner_type: None };
        Self { context, places, record, bodies: Vec::new(), owner, errors: Vec::new(), bad: Vec::new() }
    }

    fn say(&mut self, place: &Place<'_>, reason: String) {
        self.bad.push(place.target.field);
        self.errors.push(CellError { column: place.column.to_string(), value: place.cell.shown(), reason });
    }

    /// Reads one cell into the record.
    fn take(&mut self, place: &'a Place<'a>) -> Result<(), String> {
        let field = place.target.field;
        let cell = self.context.mapping.replaced(field, &place.cell);
        match field {
            Field::Keywords => self.record.keywords = cell.list()?,
            Field::IntellectualProperty | Field::TransferModes | Field::CooperationModes | Field::AchievementIds => {
                self.take_list(field, &cell)?
            }
            Field::Body => {
                let body = cell.text()?.replace("\r\n", "\n").replace('\r', "\n").trim().to_string();
                self.bodies.push((place.column, body));
            }
            _ => self.take_text(place.target, &cell.text()?)?,
        }
        Ok(())
    }

    fn take_text(&mut self, target: Target, text: &str) -> Result<(), String> {
        let record = &mut self.record;
        match target.field {
            Field::Id => record.id = values::plain(text),
            Field::Title => record.title = one_line(text),
            Field::Source if text.trim().is_empty() => (),
            Field::Source => record.source = values::plain(text),
            Field::Industry => record.industry = values::industry(text)?,
            Field::HighTech => record.field = values::tech_field(text)?,
            Field::Programme => record.policy_field = values::code(text)?,
            Field::Region => record.region = values::region(text)?,
            Field::Owner => self.owner.name = one_line(text),
            Field::OwnerType => self.owner.owner_type = values::code::<OwnerType>(text)?,
            Field::CreditCode => self.owner.credit_code = values::plain(text).replace(' ', ""),
            Field::Status => record.status = values::code(text)?.unwrap_or_default(),
            Field::ShareClass => record.share_class = values::code(text)?.unwrap_or_default(),
            Field::PublishTime => record.publish_time = dates::parse(text)?,
            Field::Revision => record.revision = values::revision(text)?,
            _ => self.take_detail(target, text)?,
        }
        Ok(())
    }

    fn take_detail(&mut self, target: Target, text: &str) -> Result<(), String> {
        match (&mut self.record.detail, target.field) {
            (Detail::Achievement(detail), Field::RegistrationNumber) => {
                detail.registration_number = values::plain(text).replace(' ', "").to_uppercase();
            }
            (Detail::Achievement(detail), Field::Stage) => detail.stage = values::code(text)?,
            (Detail::Achievement(detail), Field::Trl) => detail.trl = values::trl(text)?,
            (Detail::Achievement(detail), Field::Level) => detail.level = values::code(text)?,
            (Detail::Achievement(detail), Field::Price) => detail.price_yuan = amount::parse(text, target.unit_power)?,
            (Detail::Demand(detail), Field::Budget) => detail.budget_yuan = amount::parse(text, target.unit_power)?,
            (Detail::Demand(detail), Field::Deadline) => detail.deadline = dates::parse(text)?,
            (Detail::Expert(detail), Field::ProfessionalTitle) => detail.professional_title = one_line(text),
            // columns only have fields of the file's kind
            _ => (),
        }
        Ok(())
    }

    fn take_list(&mut self, field: Field, cell: &Cell) -> Result<(), String> {
        match (&mut self.record.detail, field) {
            (Detail::Achievement(detail), Field::IntellectualProperty) => {
                detail.intellectual_property = values::rights(cell)?;
            }
            (Detail::Achievement(detail), Field::TransferModes) => {
                detail.transfer_modes = values::codes(&cell.list()?)?
            }
            (Detail::Demand(detail), Field::CooperationModes) => {
                detail.cooperation_modes = values::codes(&cell.list()?)?;
            }
            (Detail::Expert(detail), Field::AchievementIds) => detail.achievement_ids = cell.list()?,
            _ => (),
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Record, Vec<CellError>> {
        self.record.body = joined(std::mem::take(&mut self.bodies));
        if self.owner.name.is_empty() && self.owner.credit_code.is_empty() && self.owner.owner_type.is_none() {
            self.record.owner = None;
        } else {
            self.record.owner = Some(self.owner);
        }
        if !self.places.iter().any(|place| place.target.field == Field::Id) {
            self.record.id = derived_id(&self.record);
        }
        let kind = self.context.kind;
        match self.record.checked() {
            Ok(record) if self.errors.is_empty() => return Ok(record),
            Ok(_) => (),
            Err(violations) => {
                let news = violations.iter().filter_map(|violation| {
                    let field = Field::of_path(&violation.field);
                    let known = field.is_some_and(|field| self.bad.contains(&field));
                    (!known).then(|| cell_error(self.places, kind, field, violation))
                });
                self.errors.extend(news);
            }
        }
        Err(self.errors)
    }
}

/// Converts a violation to an error with its column and value.
fn cell_error(
    places: &[Place<'_>],
    kind: Kind,
    field: Option<Field>,
    violation: &duijie_core::domain::Violation,
) -> CellError {
    let reason = violation.problem.chinese();
    let of_field = |place: &&Place<'_>| Some(place.target.field) == field;
    match places.iter().find(of_field) {
        Some(place) => CellError { column: place.column.to_string(), value: place.cell.shown(), reason },
        None => {
            let column = field.map_or(violation.field.as_str(), |field| field.label(kind)).to_string();
            CellError { column, value: String::new(), reason }
        }
    }
}

/// Joins the texts of a row; if there are several, each under its heading.
fn joined(bodies: Vec<(&str, String)>) -> String {
    let filled: Vec<_> = bodies.into_iter().filter(|(_, body)| !body.is_empty()).collect();
    match filled.as_slice() {
        [] => String::new(),
        [(_, body)] => body.clone(),
        several => {
            let parts: Vec<_> =
                several.iter().map(|(column, body)| format!("【{}】{body}", one_line(column))).collect();
            parts.join("\n")
        }
    }
}

/// `row-` and 16 hexadecimal digits of SHA-256 over title and owner, so the same row gives the same record again.
fn derived_id(record: &Record) -> String {
    let owner = record.owner.as_ref().map_or("", |owner| owner.name.as_str());
    let digest = Sha256::new().chain_update(&record.title).chain_update("\n").chain_update(owner).finalize();
    digest.iter().take(8).fold(String::from("row-"), |id, byte| format!("{id}{byte:02x}"))
}

/// An error of a whole row.
pub fn row_error(value: &str, reason: String) -> CellError {
    CellError { column: "（整行）".into(), value: cut(value), reason }
}
