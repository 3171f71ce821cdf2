//! Turns the cells of one row into a checked record, or into a list of errors.

use sha2::{Digest, Sha256};

use super::{
    CellError, amount,
    cell::{self, Cell, cut, one_line},
    dates::{self, Edge},
    fields::Field,
    headings::Target,
    leave_out,
    mapping::Mapping,
    values,
};
use duijie_core::domain::{
    Detail, Kind, Record,
    codes::{OwnerType, ShareClass, Status},
    name::check_id,
    record::Owner,
};

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

/// What became of a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Built {
    /// A checked record, or all errors of the row.
    pub result: Result<Record, Vec<CellError>>,
    /// What is not in the record although its row has it. Empty without a record.
    pub warnings: Vec<CellError>,
    /// Whether the id was made from title and owner.
    pub is_derived: bool,
}

/// Builds the record of a row. An optional cell that cannot be read is left out with a warning; id, title, source and body
/// must be readable, and so must every cell with a formula.
pub fn record(context: &Context, places: &[Place<'_>], lossy: bool) -> Built {
    let mut row = Row::new(context, places);
    for place in places {
        if lossy && place.cell.contains(LOST) {
            row.say(place, "含有无法识别的字符（文件编码损坏），请另存为 UTF-8 后重试".into(), true);
        } else if let Err(reason) = row.take(place) {
            row.say(place, reason, is_required(place));
        }
    }
    row.finish()
}

/// Returns whether a row is refused if the cell cannot be read. A formula without its value, or lost digits, are mended in
/// the spreadsheet in a moment, so nothing is guessed there.
fn is_required(place: &Place<'_>) -> bool {
    matches!(place.target.field, Field::Id | Field::Source | Field::Title | Field::Body | Field::Secrecy)
        || matches!(place.cell, Cell::Broken { .. })
}

/// A partly read record.
struct Row<'a> {
    context: &'a Context,
    places: &'a [Place<'a>],
    record: Record,
    bodies: Vec<(&'a str, String)>,
    owner: Owner,
    /// In the order of the cells.
    found: Vec<CellError>,
    refused: bool,
    bad: Vec<Field>,
}

// === impl Row ===

impl<'a> Row<'a> {
    fn new(context: &'a Context, places: &'a [Place<'a>]) -> Self {
        let record = Record::new(context.source.clone(), "", "", Detail::empty(context.kind));
        let owner = Owner { name: String::new(), credit_code: String::new(), owner_type: None };
        let (bodies, found, bad) = (Vec::new(), Vec::new(), Vec::new());
        Self { context, places, record, bodies, owner, found, refused: false, bad }
    }

    fn say(&mut self, place: &Place<'_>, reason: String, refuse: bool) {
        self.bad.push(place.target.field);
        self.note(place, reason);
        self.refused |= refuse;
        if !refuse {
            let record = &mut self.record;
            match place.target.field {
                // what nobody can read is not published
                Field::Status => record.status = Status::Draft,
                Field::ShareClass => record.share_class = ShareClass::None,
                _ => (),
            }
        }
    }

    fn note(&mut self, place: &Place<'_>, reason: String) {
        self.found.push(CellError { column: place.column.to_string(), value: place.cell.shown(), reason });
    }

    /// Reads one cell into the record.
    fn take(&mut self, place: &'a Place<'a>) -> Result<(), String> {
        let field = place.target.field;
        let cleaned = place.cell.cleaned();
        if cleaned.is_some() {
            self.note(place, "含有空字符（NUL）等控制字符，已去掉，其余照常读取".into());
        }
        let cell = cleaned.as_ref().unwrap_or(&place.cell);
        if cell.is_missing() {
            return Ok(());
        }
        let cell = self.context.mapping.replaced(field, cell);
        match field {
            Field::Keywords => self.record.keywords = cell.list(cell::words)?,
            Field::IntellectualProperty | Field::TransferModes | Field::CooperationModes | Field::AchievementIds => {
                self.take_list(field, &cell)?
            }
            Field::Body => {
                let body = cell.text()?.replace("\r\n", "\n").replace('\r', "\n").trim().to_string();
                self.bodies.push((place.column, body));
            }
            Field::Id => self.take_id(place, &cell)?,
            _ => self.take_value(place.target, &cell)?,
        }
        Ok(())
    }

    /// An id that identifies nothing elsewhere (`冀科需〔2026〕001号`) is replaced by one made from it.
    fn take_id(&mut self, place: &Place<'_>, cell: &Cell) -> Result<(), String> {
        let id = values::exact(cell)?;
        self.record.id = usable_id(&id);
        if self.record.id != id {
            let reason = format!(
                "编号含有字母、数字、.、_、- 以外的字符，已改用 {}；再次导入同一编号仍是这条记录",
                self.record.id
            );
            self.note(place, reason);
        }
        Ok(())
    }

    /// A number of a sheet is read as the sheet displays it, or else by its value.
    fn take_value(&mut self, target: Target, cell: &Cell) -> Result<(), String> {
        match (target.field, cell) {
            (Field::CreditCode | Field::RegistrationNumber, cell) => self.take_text(target, &values::exact(cell)?),
            (Field::Price | Field::Budget, Cell::Number { raw, shown }) => {
                let text = if amount::has_unit(shown) { shown } else { raw };
                self.take_text(target, text)
            }
            (_, Cell::Number { raw, shown }) => self.take_text(target, shown).or_else(|_| self.take_text(target, raw)),
            (_, cell) => self.take_text(target, &cell.text()?),
        }
    }

    fn take_text(&mut self, target: Target, text: &str) -> Result<(), String> {
        let record = &mut self.record;
        match target.field {
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
            Field::PublishTime => record.publish_time = dates::parse(text, Edge::First)?,
            Field::Revision => record.revision = values::revision(text)?,
            Field::Secrecy => values::unclassified(text)?,
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
            (Detail::Demand(detail), Field::Deadline) => detail.deadline = dates::parse(text, Edge::Last)?,
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
                detail.transfer_modes = values::codes(&cell.list(cell::codes)?)?
            }
            (Detail::Demand(detail), Field::CooperationModes) => {
                detail.cooperation_modes = values::codes(&cell.list(cell::codes)?)?;
            }
            (Detail::Expert(detail), Field::AchievementIds) => {
                detail.achievement_ids = cell.list(cell::codes)?.iter().map(|id| usable_id(id)).collect();
            }
            _ => (),
        }
        Ok(())
    }

    fn finish(mut self) -> Built {
        self.record.body = joined(std::mem::take(&mut self.bodies));
        if self.owner.name.is_empty() && self.owner.credit_code.is_empty() && self.owner.owner_type.is_none() {
            self.record.owner = None;
        } else {
            self.record.owner = Some(self.owner.clone());
        }
        let is_derived = !self.places.iter().any(|place| place.target.field == Field::Id);
        if is_derived {
            self.record.id = derived_id(&self.record);
        }
        let kind = self.context.kind;
        // each round leaves out what broke a rule: a keyword, then an owner whose name is missing without its code
        loop {
            let violations = match self.record.clone().checked() {
                Ok(record) if !self.refused => return Built { result: Ok(record), warnings: self.found, is_derived },
                Ok(_) => break,
                Err(violations) => violations,
            };
            let mut left_out = false;
            for violation in violations.iter().rev() {
                left_out |= leave_out::field(&mut self.record, &violation.field);
            }
            let news = violations.iter().filter_map(|violation| {
                let field = Field::of_path(&violation.field);
                let known = field.is_some_and(|field| self.bad.contains(&field));
                (!known).then(|| cell_error(self.places, kind, field, violation))
            });
            self.found.extend(news);
            self.refused |= !violations.iter().all(|violation| leave_out::may(&violation.field));
            if self.refused || !left_out {
                break;
            }
        }
        Built { result: Err(self.found), warnings: Vec::new(), is_derived }
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

/// The id, or one made from it where it could identify nothing elsewhere.
fn usable_id(id: &str) -> String {
    let foreign = |c: char| !c.is_ascii() || matches!(c, '/' | '(' | ')' | '[' | ']' | '#' | '&');
    if check_id(id).is_err() && id.contains(foreign) { hashed("no-", id) } else { id.to_string() }
}

/// `row-` and 16 hexadecimal digits of SHA-256 over title and owner, so the same row gives the same record again.
fn derived_id(record: &Record) -> String {
    let owner = record.owner.as_ref().map_or("", |owner| owner.name.as_str());
    hashed("row-", &format!("{}\n{owner}", record.title))
}

/// As [`derived_id`], over the content as well: for another row of the same title and owner.
pub fn id_of_content(record: &Record) -> String {
    let owner = record.owner.as_ref().map_or("", |owner| owner.name.as_str());
    let own = (&record.body, &record.keywords, &record.detail);
    hashed("row-", &format!("{}\n{owner}\n{}", record.title, serde_json::to_string(&own).unwrap_or_default()))
}

fn hashed(prefix: &str, text: &str) -> String {
    let digest = Sha256::digest(text);
    digest.iter().take(8).fold(String::from(prefix), |id, byte| format!("{id}{byte:02x}"))
}

/// An error of a whole row.
pub fn row_error(value: &str, reason: impl Into<String>) -> CellError {
    CellError { column: "（整行）".into(), value: cut(value), reason: reason.into() }
}
