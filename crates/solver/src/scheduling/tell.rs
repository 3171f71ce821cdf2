//! Builds the answer from a finished plan: meetings, causes, changes, statistics.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Blocked, Cause, Change, Fate, Input, Meeting, Schedule, Seat, Statistics, Unplaced, bound,
    budget::Budget,
    cost::wear,
    input::Sides,
    plan::{Against, Plan},
    start::Start,
};

/// Builds the answer.
pub(super) struct Teller<'a> {
    pub input: &'a Input,
    pub plan: &'a Plan<'a>,
    pub start: &'a Start,
}

impl Teller<'_> {
    /// Builds the schedule. `is_optimal` means that the weight is proved maximal.
    pub fn tell(&self, budget: &Budget, is_optimal: bool) -> Schedule {
        let Self { input, plan, start } = *self;
        let problem = plan.problem;
        let meeting = |pair: usize| {
            let meet = &problem.pairs[pair];
            plan.place(pair).map(|place| Meeting { demand: meet.demand, counterpart: meet.counterpart, place })
        };
        let mut meetings: Vec<Meeting> = (0..problem.pairs.len()).filter_map(meeting).collect();
        meetings.extend(start.past.iter().map(|(_, meeting)| *meeting));
        meetings.sort_unstable();
        let published = published(input);
        let past: BTreeSet<usize> = start.past.iter().map(|(pair, _)| *pair).collect();
        let unplaced = (0..problem.pairs.len()).filter(|pair| plan.place(*pair).is_none() && !past.contains(pair));
        let unplaced = unplaced.map(|pair| {
            let meet = &problem.pairs[pair];
            let is_published = published.contains_key(&Sides { demand: meet.demand, counterpart: meet.counterpart });
            let is_asked_for = is_published || input.published.as_ref().is_none_or(|published| published.refill);
            let cause = cause(input, plan, pair, is_asked_for);
            Unplaced { demand: meet.demand, counterpart: meet.counterpart, cause }
        });
        Schedule {
            unplaced: unplaced.collect(),
            changes: if input.published.is_some() { changes(&published, &meetings) } else { Vec::new() },
            statistics: self.statistics(&meetings, budget, is_optimal),
            meetings,
        }
    }

    fn statistics(&self, meetings: &[Meeting], budget: &Budget, is_optimal: bool) -> Statistics {
        let (plan, problem) = (self.plan, self.plan.problem);
        let weight = |pair: usize| problem.pairs[pair].weight;
        let past_weight: u64 = self.start.past.iter().map(|(pair, _)| weight(*pair)).sum();
        let placed = (0..problem.pairs.len()).filter(|pair| plan.place(*pair).is_some());
        let placed_weight = placed.map(weight).sum::<u64>() + past_weight;
        let max_weight = if is_optimal { placed_weight } else { bound::max_weight(plan) + past_weight };
        let mut statistics = Statistics {
            placed: meetings.len(),
            wanted: problem.pairs.len(),
            placed_weight,
            wanted_weight: (0..problem.pairs.len()).map(weight).sum(),
            max_weight,
            is_optimal: placed_weight == max_weight,
            slot_meetings: vec![0; problem.slots()],
            open_tables: problem.max_per_slot,
            steps: budget.used(),
            is_cut: budget.is_cut(),
            ..Statistics::default()
        };
        meetings.iter().for_each(|meeting| statistics.slot_meetings[meeting.place.slot] += 1);
        for (unit, one) in problem.units.iter().enumerate() {
            let wear = wear(plan, unit);
            statistics.gaps += wear.gaps;
            let moves = if one.is_host { &mut statistics.host_moves } else { &mut statistics.guest_moves };
            *moves += wear.moves;
        }
        statistics
    }
}

/// Places of published meetings.
fn published(input: &Input) -> BTreeMap<Sides, Seat> {
    let meetings = input.published.iter().flat_map(|published| &published.meetings);
    meetings.map(|meeting| (meeting.sides(), meeting.place)).collect()
}

fn cause(input: &Input, plan: &Plan, pair: usize, is_asked_for: bool) -> Cause {
    let problem = plan.problem;
    let meet = &problem.pairs[pair];
    let [host, guest] = [meet.demand, meet.counterpart].map(|side| &input.participants[side].available);
    match () {
        () if problem.is_same_person(pair) => Cause::SamePerson,
        () if !host.iter().zip(guest).any(|(host, guest)| *host && *guest) => Cause::NoCommonSlot,
        () if meet.open.is_empty() => Cause::CommonSlotsClosed,
        () if !is_asked_for => Cause::NotAskedFor,
        () => Cause::Blocked(blocked(plan, pair)),
    }
}

fn blocked(plan: &Plan, pair: usize) -> Blocked {
    let mut blocked = Blocked::default();
    for slot in plan.problem.pairs[pair].open.iter() {
        blocked.slots += 1;
        match plan.against(pair, slot) {
            Some(Against::Host) => blocked.demand_busy += 1,
            Some(Against::Guest) => blocked.counterpart_busy += 1,
            Some(Against::Crowd) => blocked.presenter_busy += 1,
            Some(Against::Table) => blocked.tables_taken += 1,
            None => {}
        }
    }
    blocked
}

fn changes(before: &BTreeMap<Sides, Seat>, meetings: &[Meeting]) -> Vec<Change> {
    let now: BTreeMap<Sides, Seat> = meetings.iter().map(|meeting| (meeting.sides(), meeting.place)).collect();
    let mut fates: BTreeMap<Sides, Fate> = BTreeMap::new();
    for (pair, from) in before {
        let fate = match now.get(pair) {
            None => Fate::Removed(*from),
            Some(to) if to == from => Fate::Kept(*to),
            Some(to) => Fate::Moved { from: *from, to: *to },
        };
        fates.insert(*pair, fate);
    }
    for (pair, place) in now {
        fates.entry(pair).or_insert(Fate::Added(place));
    }
    fates.into_iter().map(|(Sides { demand, counterpart }, fate)| Change { demand, counterpart, fate }).collect()
}
