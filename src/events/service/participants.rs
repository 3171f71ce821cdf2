//! Who takes part: records of the catalogue, by name or by filter.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Events,
    life::{check_list, wrong_state},
    stored::{ParticipantCounts, StoredEvent},
};
use crate::{
    error::{Error, Result},
    events::model::{Contact, EventError, EventState, Participant, ParticipantState, Window, setup::MAX_PARTICIPANTS},
};
use duijie_core::domain::{Filter, Kind, Problem, RecordName, Violation, codes::Status};
use duijie_store::{FieldSelection, PageRequest, Point, pages::Pages};

/// Most participants of one call that names them.
pub const MAX_DRAFTS: usize = 500;
/// Records of a page of the catalogue.
const PAGE: usize = 200;

/// Who shall take part.
#[derive(Debug, Clone)]
pub enum Who {
    /// These, 1 to 500. Those that take part already are changed, and come again if they had called off.
    Given(Vec<Draft>),
    /// The first `limit` records that meet a filter, in the order of ids; no status means ACTIVE. Those that take part
    /// already are left as they are.
    Found {
        /// Kind of records.
        kind: Kind,
        /// Conditions.
        filter: Box<Filter>,
        /// Most records, 1 to [`MAX_PARTICIPANTS`].
        limit: usize,
    },
}

/// A participant as given: what the catalogue does not say. [`Participant`] says what the fields mean.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// The record.
    pub record: RecordName,
    /// Whom to call.
    pub contact: Contact,
    /// Who sits at the table.
    pub presenter: String,
    /// Meetings at one time.
    pub people: u32,
    /// When they can come.
    pub windows: Vec<Window>,
    /// Most meetings.
    pub cap: Option<u32>,
    /// Table that it keeps, from 0.
    pub table: Option<u32>,
}

/// What became of those who shall take part.
#[derive(Debug, Clone)]
pub struct Added {
    /// New ones.
    pub added: u32,
    /// Changed ones.
    pub updated: u32,
    /// Those that took part already, as they are.
    pub unchanged: u32,
    /// The event now.
    pub event: StoredEvent,
}

// === impl Events ===

impl Events {
    /// Adds participants, or changes them.
    ///
    /// # Errors
    /// All violations, with paths below `participants`; [`EventError::Stale`].
    pub async fn add(&self, id: &str, who: Who, etag: &str) -> Result<Added> {
        self.alone(id, self.added(id, who, etag)).await
    }

    async fn added(&self, id: &str, who: Who, etag: &str) -> Result<Added> {
        let mut stored = self.seen(id, etag).await?;
        let all = self.store.participants(id).await?;
        let mut all: BTreeMap<RecordName, Participant> = all.into_iter().map(|it| (it.record.clone(), it)).collect();
        let wanted = match who {
            Who::Given(drafts) => self.given(&stored, drafts, &all).await?,
            Who::Found { kind, filter, limit } => {
                let found = self.found(kind, *filter, limit).await?;
                found.into_iter().map(|it| all.get(&it.record).cloned().unwrap_or(it)).collect()
            }
        };
        let mut written = Vec::new();
        let (mut added, mut updated, mut unchanged) = (0, 0, 0);
        for participant in wanted {
            match all.get(&participant.record) {
                Some(known) if *known == participant => unchanged += 1,
                Some(known) => {
                    updated += 1;
                    note_change(&mut stored, known, &participant);
                    written.push(participant.clone());
                    all.insert(participant.record.clone(), participant);
                }
                None => {
                    added += 1;
                    written.push(participant.clone());
                    all.insert(participant.record.clone(), participant);
                }
            }
        }
        if MAX_PARTICIPANTS < all.len() {
            return Err(Violation::new("participants", Problem::TooMany { max: MAX_PARTICIPANTS }).into());
        }
        if written.is_empty() {
            return Ok(Added { added, updated, unchanged, event: stored });
        }
        self.store.write_participants(id, &written).await?;
        stored.event.inputs += u64::from(0 < added);
        let event = self.counted(stored, all.into_values()).await?;
        Ok(Added { added, updated, unchanged, event })
    }

    /// Drafts with what the catalogue says of their records.
    async fn given(
        &self,
        stored: &StoredEvent,
        drafts: Vec<Draft>,
        all: &BTreeMap<RecordName, Participant>,
    ) -> Result<Vec<Participant>> {
        check_list("participants", drafts.len(), MAX_DRAFTS)?;
        let names: Vec<RecordName> = drafts.iter().map(|draft| draft.record.clone()).collect();
        let points = self.store.index().get(&names, FieldSelection::Payload).await?;
        let (mut wanted, mut violations) = (Vec::new(), Vec::new());
        let mut seen = BTreeSet::new();
        for (index, (draft, point)) in drafts.into_iter().zip(points).enumerate() {
            let path = format!("participants[{index}]");
            if !seen.insert(draft.record.clone()) {
                violations.push(Violation::new(format!("{path}.record"), Problem::Repeated));
            }
            let Some(Point { record, .. }) = point else {
                violations.push(Violation::new(format!("{path}.record"), Problem::NoSuchRecord));
                continue;
            };
            let participant = draft.of(Participant::of(&record));
            violations.extend(participant.check(&stored.event, &path).err().unwrap_or_default());
            wanted.push(participant);
        }
        violations.extend(tables_taken(&wanted, all));
        if violations.is_empty() { Ok(wanted) } else { Err(violations.into()) }
    }

    /// Records that meet a filter.
    async fn found(&self, kind: Kind, mut filter: Filter, limit: usize) -> Result<Vec<Participant>> {
        if !(1..=MAX_PARTICIPANTS).contains(&limit) {
            let max = i64::try_from(MAX_PARTICIPANTS).unwrap_or(i64::MAX);
            return Err(Violation::new("limit", Problem::OutOfRange { min: 1, max }).into());
        }
        if filter.statuses.is_empty() {
            filter.statuses = vec![Status::Active];
        }
        let mut found = Vec::new();
        let request = |after| PageRequest { after, limit: PAGE.min(limit), with: FieldSelection::Payload };
        let mut pages = Pages::new(|after| self.store.index().scroll(kind, &filter, request(after)));
        while found.len() < limit
            && let Some(page) = pages.next_page().await?
        {
            let rest = limit - found.len();
            found.extend(page.points.iter().take(rest).map(|point| Participant::of(&point.record)));
        }
        Ok(found)
    }

    /// Takes participants off the list, with what staff decided about them. Not once published: then they call off.
    ///
    /// # Errors
    /// [`EventError::NoParticipant`], [`EventError::Stale`], [`EventError::WrongState`].
    pub async fn remove(&self, id: &str, records: &[RecordName], etag: &str) -> Result<StoredEvent> {
        check_list("records", records.len(), MAX_DRAFTS)?;
        self.alone(id, self.removed(id, records, etag)).await
    }

    async fn removed(&self, id: &str, records: &[RecordName], etag: &str) -> Result<StoredEvent> {
        let mut stored = self.seen(id, etag).await?;
        if stored.event.state == EventState::Published {
            return Err(wrong_state(&stored.event, "删除参会者，请改用取消参会"));
        }
        let all = self.store.participants(id).await?;
        if let Some(missing) = records.iter().find(|record| all.iter().all(|it| it.record != **record)) {
            return Err(EventError::NoParticipant(missing.clone()).into());
        }
        let mut edits = self.store.edits(id).await?;
        let before = edits.0.len();
        edits.0.retain(|pair, _| !records.iter().any(|record| pair.has(record)));
        if edits.0.len() != before {
            self.store.write_edits(id, &edits).await?;
        }
        self.store.remove_participants(id, records).await?;
        stored.event.inputs += 1;
        self.counted(stored, all.into_iter().filter(|it| !records.contains(&it.record))).await
    }

    /// All participants, in the order of their records.
    ///
    /// # Errors
    /// [`EventError::NotFound`].
    pub async fn participants(&self, id: &str) -> Result<Vec<Participant>> {
        self.store.event(id).await?;
        self.store.participants(id).await
    }

    /// Keeps the event with its participants counted.
    pub(super) async fn counted(
        &self,
        mut stored: StoredEvent,
        all: impl Iterator<Item = Participant>,
    ) -> Result<StoredEvent> {
        stored.counts = ParticipantCounts::of(&all.collect::<Vec<_>>());
        self.keep(stored).await
    }
}

/// Counts a change of a participant: of what shortlists are made from, or of the schedule only.
fn note_change(stored: &mut StoredEvent, old: &Participant, new: &Participant) {
    let for_schedule_only = Participant {
        contact: old.contact.clone(),
        presenter: old.presenter.clone(),
        people: old.people,
        windows: old.windows.clone(),
        table: old.table,
        ..new.clone()
    };
    let counter = if for_schedule_only == *old { &mut stored.event.layout } else { &mut stored.event.inputs };
    *counter += 1;
}

/// A table is one participant's own.
fn tables_taken(wanted: &[Participant], all: &BTreeMap<RecordName, Participant>) -> Vec<Violation> {
    let mut owners: BTreeMap<u32, &RecordName> = BTreeMap::new();
    let others = all.values().filter(|it| it.is_active() && wanted.iter().all(|new| new.record != it.record));
    owners.extend(others.filter_map(|it| Some((it.table?, &it.record))));
    let mut violations = Vec::new();
    for (index, participant) in wanted.iter().enumerate() {
        let Some(table) = participant.table else { continue };
        if owners.insert(table, &participant.record).is_some() {
            violations.push(Violation::new(format!("participants[{index}].table"), Problem::Repeated));
        }
    }
    violations
}

// === impl Draft ===

impl Draft {
    /// A participant of whom only the record is known.
    pub fn new(record: RecordName) -> Self {
        Self {
            record,
            contact: Contact::default(),
            presenter: String::new(),
            people: 1,
            windows: Vec::new(),
            cap: None,
            table: None,
        }
    }

    fn of(self, known: Participant) -> Participant {
        Participant {
            contact: self.contact,
            presenter: self.presenter,
            people: self.people,
            windows: self.windows,
            cap: self.cap,
            table: self.table,
            state: ParticipantState::Active,
            ..known
        }
    }
}

/// A participant must be known.
pub(super) fn find<'a>(all: &'a mut [Participant], record: &RecordName) -> Result<&'a mut Participant> {
    let found = all.iter_mut().find(|it| it.record == *record);
    found.ok_or_else(|| Error::from(EventError::NoParticipant(record.clone())))
}
