//! Finds the pairs that differ by reading two lists side by side.

use std::{cmp::Ordering, collections::BTreeMap};

use super::{Change, DemandResult, PairChange, RankedTarget, Ranking, SCORE_STEP, Totals};
use duijie_core::domain::RecordName;

/// Result that has the next demand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The earlier one; the later one lacks this demand.
    Before,
    /// The later one; the earlier one lacks this demand.
    After,
    /// Both.
    Both,
}

/// Next step through two results in the same order; `None` at the end of both.
pub fn step<K: Ord>(before: Option<&K>, after: Option<&K>) -> Option<Step> {
    match (before, after) {
        (None, None) => None,
        (Some(_), None) => Some(Step::Before),
        (None, Some(_)) => Some(Step::After),
        (Some(before), Some(after)) => Some(match before.cmp(after) {
            Ordering::Less => Step::Before,
            Ordering::Greater => Step::After,
            Ordering::Equal => Step::Both,
        }),
    }
}

/// The changed pairs of one demand that is in at least one result: those of the later result in its order, then the
/// lost ones in the order of the earlier result. Unchanged pairs are counted.
pub fn changes(before: Option<&DemandResult>, after: Option<&DemandResult>, totals: &mut Totals) -> Vec<PairChange> {
    let Some(demand) = after.or(before).map(|result| &result.demand) else { return Vec::new() };
    match (before, after) {
        (Some(_), Some(_)) => totals.demands_in_both += 1,
        (Some(_), None) => totals.demands_before += 1,
        _ => totals.demands_after += 1,
    }
    let revision = |result: Option<&DemandResult>| result.map(|result| result.revision);
    let change = |target: &RecordName, change, before_place, after_place| PairChange {
        demand: demand.clone(),
        target: target.clone(),
        change,
        before: before_place,
        after: after_place,
        demand_before: revision(before),
        demand_after: revision(after),
    };
    let earlier = places(before);
    let later = places(after);
    let mut found = Vec::new();
    for RankedTarget { target, place } in after.map_or(&[][..], |result| &result.pairs) {
        let Some(was) = earlier.get(target) else {
            found.push(change(target, Change::New, None, Some(*place)));
            continue;
        };
        match moved(was, place) {
            Some(how) => found.push(change(target, how, Some(*was), Some(*place))),
            None => {
                totals.same += 1;
                totals.moved += u64::from(SCORE_STEP < (place.score - was.score).abs());
            }
        }
    }
    for RankedTarget { target, place } in before.map_or(&[][..], |result| &result.pairs) {
        if !later.contains_key(target) {
            found.push(change(target, Change::Lost, Some(*place), None));
        }
    }
    found
}

fn places(result: Option<&DemandResult>) -> BTreeMap<&RecordName, Ranking> {
    let pairs = result.map_or(&[][..], |result| &result.pairs);
    pairs.iter().map(|pair| (&pair.target, pair.place)).collect()
}

/// Direction of a level change. If only one side has a level, for example because the later job had no calibration,
/// this is no change.
fn moved(before: &Ranking, after: &Ranking) -> Option<Change> {
    match before.level?.cmp(&after.level?) {
        Ordering::Less => Some(Change::Up),
        Ordering::Greater => Some(Change::Down),
        Ordering::Equal => None,
    }
}
