//! Meetings: converts an event to the input of the scheduler and its schedule to meetings. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::events::model::{
    BlockedSlots, Edits, Event, EventError, Meeting, Pair, Participant, ScheduleFigures, SharedPeople, Shortlisted,
    Slot, Unplaced, UnplacedCause,
    shared::{Presenter, presenters, shared},
};
use duijie_core::domain::RecordName;
use duijie_solver::scheduling::{
    self, Cause, Conflict, Failure, Input, Lock, Published, Schedule, Seat, Work, schedule,
};

/// Inputs of the schedule.
pub(super) struct Wanted<'a> {
    pub event: &'a Event,
    /// All participants, ordered by record, including cancelled ones.
    pub participants: &'a [Participant],
    pub shortlist: &'a [Shortlisted],
    pub edits: &'a Edits,
    /// Published meetings to keep in place; `None`: everything may move.
    pub held: Option<&'a [Meeting]>,
    /// Number of first slots that are over.
    pub closed: usize,
}

/// Schedule part of a plan.
#[derive(Debug, Default)]
pub(super) struct Arranged {
    pub meetings: Vec<Meeting>,
    pub unplaced: Vec<Unplaced>,
    pub figures: ScheduleFigures,
    pub shared: Vec<SharedPeople>,
}

/// Makes the schedule. `None` if stopped.
///
/// # Errors
/// [`EventError::Contradictions`], [`EventError::TooLarge`].
pub(super) fn arrange(wanted: &Wanted<'_>, stop: &dyn Fn() -> bool) -> Result<Option<Arranged>, EventError> {
    let input = wanted.input();
    match schedule(&input, &Work { stop, ..Work::default() }) {
        Ok(schedule) => Ok(Some(wanted.arranged(&schedule))),
        Err(Failure::Stopped) => Ok(None),
        Err(Failure::Conflicts(conflicts)) => Err(wanted.contradictions(&conflicts)),
    }
}

// === impl Wanted ===

impl Wanted<'_> {
    fn input(&self) -> Input {
        let (presenters, presenter_of) = self.presenters();
        let available =
            |it: &Participant| self.event.slots.iter().map(|slot| it.is_active() && it.can_come(slot)).collect();
        let participants = self.participants.iter().zip(presenter_of);
        let mut tables: Vec<Option<usize>> = vec![None; number(self.event.tables)];
        for (place, participant) in self.participants.iter().enumerate().filter(|(_, it)| it.is_active()) {
            if let Some(owner) = participant.table.and_then(|table| tables.get_mut(number(table))) {
                *owner = Some(place);
            }
        }
        let pairs = self.shortlist.iter().filter_map(|it| {
            let (demand, counterpart) = self.places(&it.pair)?;
            Some(scheduling::MeetingRequest { demand, counterpart, weight: weight(it.score) })
        });
        Input {
            participants: participants
                .map(|(it, presenter)| scheduling::Participant { available: available(it), presenter: Some(presenter) })
                .collect(),
            presenters,
            days: days(&self.event.slots),
            closed: self.closed.min(self.event.slots.len()),
            tables,
            spare_percent: u8::try_from(self.event.spare_percent).unwrap_or(u8::MAX),
            pairs: pairs.collect(),
            locks: self.locks(),
            published: self.held.map(|held| Published { meetings: self.published(held), refill: true }),
        }
    }

    /// Returns the people of each presenter, and the presenter of each participant.
    fn presenters(&self) -> (Vec<u32>, Vec<usize>) {
        let mut numbers: BTreeMap<Presenter, usize> = BTreeMap::new();
        let mut people: Vec<u32> = Vec::new();
        let mut presenter_of = Vec::with_capacity(self.participants.len());
        for (participant, presenter) in self.participants.iter().zip(presenters(self.participants)) {
            let place = *numbers.entry(presenter).or_insert_with(|| {
                people.push(1);
                people.len() - 1
            });
            if let Some(max) = people.get_mut(place) {
                *max = participant.people.max(*max);
            }
            presenter_of.push(place);
        }
        // what is published holds: whoever has two meetings at once there sends two people
        let mut at_once: BTreeMap<(usize, usize), u32> = BTreeMap::new();
        for meeting in self.held.unwrap_or_default() {
            let Some((demand, counterpart)) = self.places(&meeting.pair) else { continue };
            // both sides count: one presenter on both sends two people, too
            for presenter in [demand, counterpart].into_iter().filter_map(|side| presenter_of.get(side).copied()) {
                let count = at_once.entry((presenter, meeting.slot)).or_default();
                *count += 1;
                if let Some(max) = people.get_mut(presenter) {
                    *max = (*count).max(*max);
                }
            }
        }
        (people, presenter_of)
    }

    fn locks(&self) -> Vec<Lock> {
        let locks = self.shortlist.iter().filter_map(|it| {
            let (slot, table) = self.edits.place(&it.pair)?;
            let (demand, counterpart) = self.places(&it.pair)?;
            Some(Lock { demand, counterpart, slot, table: Some(number(table)) })
        });
        locks.collect()
    }

    fn published(&self, held: &[Meeting]) -> Vec<scheduling::Meeting> {
        let meetings = held.iter().filter_map(|it| {
            let (demand, counterpart) = self.places(&it.pair)?;
            let place = Seat { slot: it.slot, table: number(it.table) };
            Some(scheduling::Meeting { demand, counterpart, place })
        });
        meetings.collect()
    }

    fn places(&self, pair: &Pair) -> Option<(usize, usize)> {
        let place = |record: &RecordName| self.participants.binary_search_by(|it| it.record.cmp(record)).ok();
        Some((place(&pair.demand)?, place(&pair.counterpart)?))
    }

    fn pair(&self, demand: usize, counterpart: usize) -> Option<Pair> {
        let record = |place: usize| self.participants.get(place).map(|it| it.record.clone());
        Some(Pair::new(record(demand)?, record(counterpart)?))
    }

    fn arranged(&self, schedule: &Schedule) -> Arranged {
        let meetings = schedule.meetings.iter().filter_map(|it| {
            let pair = self.pair(it.demand, it.counterpart)?;
            let locked = self.edits.place(&pair).is_some();
            let table = u32::try_from(it.place.table).unwrap_or(u32::MAX);
            Some(Meeting { pair, slot: it.place.slot, table, locked })
        });
        let unplaced = schedule
            .unplaced
            .iter()
            .filter_map(|it| Some(Unplaced { pair: self.pair(it.demand, it.counterpart)?, cause: cause(&it.cause) }));
        let statistics = &schedule.statistics;
        let room = statistics.open_tables * self.event.slots.len();
        Arranged {
            meetings: meetings.collect(),
            unplaced: unplaced.collect(),
            figures: ScheduleFigures {
                gaps: count(statistics.gaps),
                host_moves: count(statistics.host_moves),
                guest_moves: count(statistics.guest_moves),
                used: f64::from(count(statistics.placed)) / f64::from(count(room).max(1)),
                is_optimal: statistics.is_optimal,
            },
            shared: self.shared(),
        }
    }

    /// Returns the chosen participants that share people although nobody has said so.
    fn shared(&self) -> Vec<SharedPeople> {
        let pairs = self.shortlist.iter().map(|it| &it.pair);
        let meet: BTreeSet<&RecordName> = pairs.flat_map(|pair| [&pair.demand, &pair.counterpart]).collect();
        shared(self.participants, |record| meet.contains(record))
    }

    fn contradictions(&self, conflicts: &[Conflict]) -> EventError {
        let large = conflicts.iter().any(|it| matches!(it, Conflict::TooMany { .. }));
        if large {
            return EventError::TooLarge("参会者、时段、桌子或对接对过多".into());
        }
        EventError::Contradictions(conflicts.iter().map(|it| self.sentence(it)).collect())
    }

    fn sentence(&self, conflict: &Conflict) -> String {
        match conflict {
            Conflict::LockBeyondAvailability(lock) => format!("{}：有一方在该时段不能到场", self.lock(lock)),
            Conflict::LockInClosedSlot(lock) => format!("{}：该时段已经结束", self.lock(lock)),
            Conflict::LockAtOwnTable(lock) => format!("{}：该桌固定给另一方，或有一方固定在别的桌", self.lock(lock)),
            Conflict::LockWithoutPair(lock) => format!("{}：双方不在对接名单中", self.lock(lock)),
            Conflict::LocksCollide { first, second } => {
                format!("{} 与 {} 冲突", self.lock(first), self.lock(second))
            }
            other => format!("{other:?}"),
        }
    }

    fn lock(&self, lock: &Lock) -> String {
        let pair = self.pair(lock.demand, lock.counterpart).map(|pair| pair.to_string()).unwrap_or_default();
        let slot = self.event.slots.get(lock.slot).map(Slot::label).unwrap_or_default();
        let table = lock.table.map(|table| format!(" 第 {} 桌", table + 1)).unwrap_or_default();
        format!("{pair} 固定于 {slot}{table}")
    }
}

/// Returns the day number of each slot, from 0.
fn days(slots: &[Slot]) -> Vec<u32> {
    let mut day = 0;
    let mut before = None;
    let mut days = Vec::with_capacity(slots.len());
    for slot in slots {
        day += u32::from(before.is_some_and(|before| before != slot.date));
        before = Some(slot.date);
        days.push(day);
    }
    days
}

/// Converts a score to ten-thousandths, at least 1; finer differences do not matter for the schedule.
fn weight(score: f64) -> u32 {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=10,000")]
    let weight = (score.clamp(0.0, 1.0) * 10_000.0).round() as u32;
    weight.max(1)
}

fn cause(cause: &Cause) -> UnplacedCause {
    match cause {
        Cause::SamePerson => UnplacedCause::SamePerson,
        Cause::NoCommonSlot => UnplacedCause::NoCommonSlot,
        Cause::CommonSlotsClosed => UnplacedCause::SlotsOver,
        Cause::NotAskedFor => UnplacedCause::NotRefilled,
        Cause::Blocked(it) => UnplacedCause::Blocked(BlockedSlots {
            slots: count(it.slots),
            demand_busy: count(it.demand_busy),
            counterpart_busy: count(it.counterpart_busy),
            presenter_busy: count(it.presenter_busy),
            tables_taken: count(it.tables_taken),
        }),
    }
}

fn count(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn number(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use jiff::{
        Timestamp,
        civil::{date, time},
    };

    use super::*;
    use crate::events::model::{EventState, Organisation, Rules, Slot, Why};
    use duijie_core::domain::{Detail, Record, RecordName};

    #[test]
    fn gaps_do_not_run_over_night() {
        let slot =
            |day, hour| Slot { date: date(2026, 12, day), start: time(hour, 0, 0, 0), end: time(hour, 30, 0, 0) };
        assert_eq!(days(&[slot(1, 9), slot(1, 10), slot(2, 9), slot(5, 9)]), [0, 0, 1, 2]);
        assert_eq!(days(&[]), [0u32; 0]);
    }

    /// Presenters were once each record's own; what was published then holds.
    #[test]
    fn published_meetings_of_one_presenter_on_both_sides_stay() {
        let participant = |name: &str| {
            let record: RecordName = name.parse().unwrap();
            let mut it = Participant::of(&Record::new("local", &record.id, "题目", Detail::empty(record.kind)));
            it.organisation = Some(Organisation { name: "甲公司".into(), credit_code: String::new() });
            it
        };
        let event = Event {
            id: "fair".into(),
            title: "对接会".into(),
            place: String::new(),
            slots: vec![Slot { date: date(2026, 12, 1), start: time(9, 0, 0, 0), end: time(9, 30, 0, 0) }],
            tables: 2,
            spare_percent: 0,
            rules: Rules::default(),
            state: EventState::Published,
            inputs: 0,
            layout: 0,
            create_time: Timestamp::UNIX_EPOCH,
            update_time: Timestamp::UNIX_EPOCH,
        };
        let participants = [participant("achievements/1"), participant("demands/1")];
        let pair = Pair::new(participants[1].record.clone(), participants[0].record.clone());
        let shortlist = [Shortlisted { pair: pair.clone(), score: 0.5, level: None, rank: 1, why: Why::Chosen }];
        let (held, edits) = ([Meeting { pair, slot: 0, table: 0, locked: false }], Edits::default());
        let wanted = Wanted {
            event: &event,
            participants: &participants,
            shortlist: &shortlist,
            edits: &edits,
            held: Some(&held),
            closed: 0,
        };
        assert_eq!(arrange(&wanted, &|| false).unwrap().unwrap().meetings, held);
    }

    #[test]
    fn weights_are_whole_and_never_none() {
        assert_eq!([0.0, 0.00004, 0.5, 1.0, 7.0, f64::NAN].map(weight), [1, 1, 5_000, 10_000, 10_000, 1]);
    }
}
