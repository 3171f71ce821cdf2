//! Participants: records of the catalogue, added by name or by filter.

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
use duijie_core::domain::{Filter, Kind, Problem, RecordName, Violation, Violations, codes::Status};
use duijie_store::{FieldSelection, PageRequest, Point, pages::Pages};

/// Maximum participants named in one call.
pub const MAX_DRAFTS: usize = 500;
/// Records read from the catalogue at a time.
const PAGE: usize = 200;

/// Participants to add.
#[derive(Debug, Clone)]
pub enum Who {
    /// Named participants, 1 to 500. Existing ones are updated; cancelled ones become active again.
    Given(Vec<Draft>),
    /// The first `limit` records that meet a filter, ordered by id; status defaults to ACTIVE. Existing participants
    /// stay unchanged.
    Found {
        /// Kind of records.
        kind: Kind,
        /// Conditions.
        filter: Box<Filter>,
        /// Maximum records, 1 to [`MAX_PARTICIPANTS`].
        limit: usize,
    },
}

/// Participant data given by the caller, beyond the catalogue. For the fields see [`Participant`].
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// The record.
    pub record: RecordName,
    /// Contact.
    pub contact: Contact,
    /// Presenter at the table.
    pub presenter: String,
    /// Meetings at the same time.
    pub people: u32,
    /// Availability windows.
    pub windows: Vec<Window>,
    /// Maximum meetings.
    pub cap: Option<u32>,
    /// Reserved table, from 0.
    pub table: Option<u32>,
}

/// Result of adding participants.
#[derive(Debug, Clone)]
pub struct Added {
    /// Number of new participants.
    pub added: u32,
    /// Number of updated participants.
    pub updated: u32,
    /// Number of unchanged participants.
    pub unchanged: u32,
    /// The event after the change.
    pub event: StoredEvent,
}

// === impl Events ===

impl Events {
    /// Adds or updates participants.
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

    /// Completes drafts with data of the catalogue.
    async fn given(
        &self,
        stored: &StoredEvent,
        drafts: Vec<Draft>,
        all: &BTreeMap<RecordName, Participant>,
    ) -> Result<Vec<Participant>> {
        check_list("participants", drafts.len(), MAX_DRAFTS)?;
        let names: Vec<RecordName> = drafts.iter().map(|draft| draft.record.clone()).collect();
        let points = self.store.index().get(&names, FieldSelection::Payload).await?;
        let (mut wanted, mut violations) = (Vec::new(), Violations::default());
        let mut seen = BTreeSet::new();
        for (index, (draft, point)) in drafts.into_iter().zip(points).enumerate() {
            let path = format!("participants[{index}]");
            if !seen.insert(draft.record.clone()) {
                violations.say(format_args!("{path}.record"), Problem::Repeated);
            }
            let Some(Point { record, .. }) = point else {
                violations.say(format_args!("{path}.record"), Problem::NoSuchRecord);
                continue;
            };
            let participant = draft.of(Participant::of(&record));
            violations.join(participant.check(&stored.event, &path).err().unwrap_or_default());
            wanted.push(participant);
        }
        violations.join(tables_taken(&wanted, all));
        Ok(violations.passed(wanted)?)
    }

    /// Returns the records that meet a filter.
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

    /// Removes participants and the staff decisions about them. After publication participants can only cancel.
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

    /// Returns all participants, ordered by record.
    ///
    /// # Errors
    /// [`EventError::NotFound`].
    pub async fn participants(&self, id: &str) -> Result<Vec<Participant>> {
        self.store.event(id).await?;
        self.store.participants(id).await
    }

    /// Writes the event with its participant counts.
    pub(super) async fn counted(
        &self,
        mut stored: StoredEvent,
        all: impl Iterator<Item = Participant>,
    ) -> Result<StoredEvent> {
        stored.counts = ParticipantCounts::of(&all.collect::<Vec<_>>());
        self.keep(stored).await
    }
}

/// Counts a change of a participant as a change of shortlist inputs, or of the schedule only.
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

/// Checks that no two participants reserve the same table.
fn tables_taken(wanted: &[Participant], all: &BTreeMap<RecordName, Participant>) -> Violations {
    let mut owners: BTreeMap<u32, &RecordName> = BTreeMap::new();
    let others = all.values().filter(|it| it.is_active() && wanted.iter().all(|new| new.record != it.record));
    owners.extend(others.filter_map(|it| Some((it.table?, &it.record))));
    let mut violations = Violations::default();
    for (index, participant) in wanted.iter().enumerate() {
        let Some(table) = participant.table else { continue };
        if owners.insert(table, &participant.record).is_some() {
            violations.say(format_args!("participants[{index}].table"), Problem::Repeated);
        }
    }
    violations
}

// === impl Draft ===

impl Draft {
    /// Creates a draft with the record only.
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

/// Returns the participant of a record, or [`EventError::NoParticipant`].
pub(super) fn find<'a>(all: &'a mut [Participant], record: &RecordName) -> Result<&'a mut Participant> {
    let found = all.iter_mut().find(|it| it.record == *record);
    found.ok_or_else(|| Error::from(EventError::NoParticipant(record.clone())))
}
