//! Properties of every event.

use proptest::prelude::*;

use super::model::{brute_force, check_causes, events, fault, keeps_spare, solved};
use crate::scheduling::{Fate, Input, Lock, Meeting, Published, Schedule, Work, schedule};

fn publish(input: &Input, schedule: &Schedule, refill: bool) -> Input {
    Input { published: Some(Published { meetings: schedule.meetings.clone(), refill }), ..input.clone() }
}

fn is_of(meeting: &Meeting, participant: usize) -> bool {
    meeting.demand == participant || meeting.counterpart == participant
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn every_rule_holds_and_every_cause_is_true(input in events(14, 6, 5, 40)) {
        let schedule = solved(&input);
        prop_assert_eq!(fault(&input, &schedule.meetings), None);
        prop_assert!(keeps_spare(&input, &schedule.meetings));
        let placed = schedule.meetings.iter().map(|meeting| (meeting.demand, meeting.counterpart));
        let mut all: Vec<(usize, usize)> =
            placed.chain(schedule.unplaced.iter().map(|pair| (pair.demand, pair.counterpart))).collect();
        all.sort_unstable();
        let mut wanted: Vec<(usize, usize)> = input.pairs.iter().map(|pair| (pair.demand, pair.counterpart)).collect();
        wanted.sort_unstable();
        prop_assert_eq!(all, wanted);
        check_causes(&input, &schedule);
        prop_assert!(schedule.statistics.placed_weight <= schedule.statistics.max_weight);
        prop_assert!(schedule.changes.is_empty());
    }

    #[test]
    fn few_pairs_are_placed_as_brute_force_would(input in events(6, 3, 3, 5)) {
        let schedule = solved(&input);
        prop_assert_eq!(schedule.statistics.placed_weight, brute_force(&input));
        prop_assert!(schedule.statistics.is_optimal);
    }

    #[test]
    fn without_a_step_rules_and_bound_hold_too(input in events(6, 3, 3, 5)) {
        let schedule = schedule(&input, &Work { steps: 0, stop: &|| false }).unwrap();
        prop_assert!(schedule.statistics.placed_weight <= brute_force(&input));
        prop_assert!(brute_force(&input) <= schedule.statistics.max_weight);
        prop_assert_eq!(fault(&input, &schedule.meetings), None);
        check_causes(&input, &schedule);
    }

    #[test]
    fn the_order_of_the_lists_does_not_matter(input in events(10, 5, 4, 20), turn in 0..20usize) {
        let first = solved(&input);
        let mut other = publish(&input, &first, true);
        let locked = first.meetings.iter().step_by(3);
        other.locks = locked.map(|one| Lock { demand: one.demand, counterpart: one.counterpart, slot: one.place.slot, table: None }).collect();
        let same = solved(&other);
        let turn = turn % other.pairs.len().max(1);
        other.pairs.rotate_left(turn);
        other.locks.reverse();
        other.published.iter_mut().for_each(|published| published.meetings.reverse());
        prop_assert_eq!(same, solved(&other));
    }

    #[test]
    fn a_cancellation_removes_one_participants_meetings_and_nothing_else(
        input in events(12, 6, 4, 30), who in 0..12usize, closed in 0..3usize,
    ) {
        let before = solved(&input);
        let who = who % input.participants.len();
        let mut after = publish(&input, &before, false);
        after.closed = closed.min(input.days.len());
        after.participants[who].available.fill(false);
        after.pairs.retain(|pair| pair.demand != who && pair.counterpart != who);
        let stays = |meeting: &&Meeting| meeting.place.slot < after.closed || !is_of(meeting, who);
        let stay: Vec<Meeting> = before.meetings.iter().filter(stays).copied().collect();
        let cut = solved(&after);
        prop_assert_eq!(&cut.meetings, &stay);
        prop_assert_eq!(cut.changes.len(), before.meetings.len());
        // Refilling can only add weight.
        after.published.iter_mut().for_each(|published| published.refill = true);
        let refilled = solved(&after);
        prop_assert!(stay.iter().all(|meeting| refilled.meetings.contains(meeting)));
        for change in &refilled.changes {
            let is_his = change.demand == who || change.counterpart == who;
            prop_assert!(matches!(change.fate, Fate::Kept(_) | Fate::Added(_)) || is_his, "{:?}", change);
        }
        let ahead: Vec<Meeting> =
            refilled.meetings.iter().filter(|meeting| after.closed <= meeting.place.slot).copied().collect();
        prop_assert_eq!(fault(&after, &ahead), None);
        check_causes(&after, &refilled);
    }

    #[test]
    fn a_slot_that_somebody_loses_changes_only_the_meeting_there(
        input in events(12, 6, 4, 30), who in 0..12usize, slot in 0..6usize,
    ) {
        let before = solved(&input);
        let (who, slot) = (who % input.participants.len(), slot % input.days.len());
        let mut after = publish(&input, &before, false);
        after.participants[who].available[slot] = false;
        let now = solved(&after);
        prop_assert_eq!(fault(&after, &now.meetings), None);
        let must = before.meetings.iter().filter(|meeting| is_of(meeting, who) && meeting.place.slot == slot);
        let changed = now.changes.iter().filter(|change| !matches!(change.fate, Fate::Kept(_)));
        let must: Vec<(usize, usize)> = must.map(|meeting| (meeting.demand, meeting.counterpart)).collect();
        let changed: Vec<(usize, usize)> = changed.map(|change| (change.demand, change.counterpart)).collect();
        prop_assert_eq!(must, changed);
    }

    #[test]
    fn somebody_new_moves_nobody(input in events(10, 6, 4, 20), more in events(10, 6, 4, 20)) {
        let before = solved(&input);
        let mut after = publish(&input, &before, true);
        let people = input.participants.len();
        let known: Vec<(usize, usize)> = input.pairs.iter().map(|pair| (pair.demand, pair.counterpart)).collect();
        let new = more.pairs.iter().filter(|pair| pair.demand.max(pair.counterpart) < people);
        after.pairs.extend(new.filter(|pair| !known.contains(&(pair.demand, pair.counterpart))));
        let now = solved(&after);
        prop_assert_eq!(fault(&after, &now.meetings), None);
        prop_assert!(before.meetings.iter().all(|meeting| now.meetings.contains(meeting)));
        prop_assert!(now.changes.iter().all(|change| matches!(change.fate, Fate::Kept(_) | Fate::Added(_))));
        check_causes(&after, &now);
    }

    #[test]
    fn locks_stay(input in events(12, 6, 4, 30), turn in 0..6usize) {
        let before = solved(&input);
        let mut after = input.clone();
        after.locks = before.meetings.iter().step_by(turn + 1).map(|one| Lock {
            demand: one.demand, counterpart: one.counterpart, slot: one.place.slot, table: Some(one.place.table),
        }).collect();
        let now = solved(&after);
        prop_assert_eq!(fault(&after, &now.meetings), None);
        for meeting in before.meetings.iter().step_by(turn + 1) {
            prop_assert!(now.meetings.contains(meeting));
        }
    }
}
