//! Reasons why a pair differs.

use super::{Change, ChangeReason, Inputs, PairChange, State};

/// What happened to a record between two jobs, judged by the record as it is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Between {
    /// Nothing.
    Same,
    /// It was first stored.
    Made,
    /// It was changed.
    Changed,
    /// It was deleted or closed.
    Gone,
    /// Unknown: it was changed after the later job, which hides the earlier changes.
    Hidden,
}

/// Reasons why a pair differs, at least one, in the order of [`ChangeReason::ALL`]. `demand` and `target` are the current
/// records; `None` means deleted.
pub fn explain(
    change: &PairChange,
    before: &Inputs,
    after: &Inputs,
    demand: Option<&State>,
    target: Option<&State>,
) -> Vec<ChangeReason> {
    let mut reasons = Vec::new();
    let mut hidden = false;
    match of_demand(change, before, after, demand) {
        Between::Made => reasons.push(ChangeReason::DemandNew),
        Between::Changed => reasons.push(ChangeReason::DemandChanged),
        Between::Gone => reasons.push(ChangeReason::DemandGone),
        Between::Hidden => hidden = true,
        Between::Same => {}
    }
    // if only one job has the demand, that explains all its pairs
    let in_both = change.demand_before.is_some() && change.demand_after.is_some();
    if in_both {
        match of_target(change, before, after, target) {
            Between::Made => reasons.push(ChangeReason::TargetNew),
            Between::Changed => reasons.push(ChangeReason::TargetChanged),
            Between::Gone => reasons.push(ChangeReason::TargetGone),
            Between::Hidden => hidden = true,
            Between::Same => {}
        }
    }
    reasons.extend(of_versions(change, before, after));
    if reasons.is_empty() {
        reasons.push(if hidden || !in_both { ChangeReason::Unknown } else { ChangeReason::Others });
    }
    reasons
}

fn of_demand(change: &PairChange, before: &Inputs, after: &Inputs, now: Option<&State>) -> Between {
    match (change.demand_before, change.demand_after) {
        (Some(was), Some(is)) if was != is => Between::Changed,
        (Some(_), Some(_)) => Between::Same,
        (None, is) => came(is, before, now),
        (Some(was), None) => went(was, after, now),
    }
}

fn of_target(change: &PairChange, before: &Inputs, after: &Inputs, now: Option<&State>) -> Between {
    match (change.before, change.after) {
        (Some(was), Some(is)) if was.revision != is.revision => Between::Changed,
        (Some(_), Some(_)) => Between::Same,
        (None, is) => came(is.map(|place| place.revision), before, now),
        (Some(was), None) => went(was.revision, after, now),
    }
}

/// What happened to a record that only the later job has, with revision `is`.
fn came(is: Option<u64>, before: &Inputs, now: Option<&State>) -> Between {
    let Some(now) = now else { return Between::Hidden };
    if now.create_time.is_some_and(|made| before.start <= made) {
        return Between::Made;
    }
    if is != Some(now.revision) {
        return Between::Hidden;
    }
    if now.update_time.is_some_and(|changed| before.start <= changed) { Between::Changed } else { Between::Same }
}

/// What happened to a record that only the earlier job has, with revision `was`.
fn went(was: u64, after: &Inputs, now: Option<&State>) -> Between {
    match now {
        None => Between::Gone,
        Some(now) if now.revision == was => Between::Same,
        Some(now) if now.update_time.is_some_and(|changed| after.end < changed) => Between::Hidden,
        Some(now) if !now.active => Between::Gone,
        Some(_) => Between::Changed,
    }
}

fn of_versions(change: &PairChange, before: &Inputs, after: &Inputs) -> Vec<ChangeReason> {
    let levelled = matches!(change.change, Change::Up | Change::Down);
    let demand_in_both = change.demand_before.is_some() && change.demand_after.is_some();
    let kind = change.target.kind;
    let statistics = (before.statistics(kind), after.statistics(kind));
    let asked_in_both = statistics.0.is_some() && statistics.1.is_some();
    let levels_count = levelled || before.has_min_level || after.has_min_level;
    let selection = !levelled && (!asked_in_both || (!demand_in_both && before.selection != after.selection));
    let lacking = |demand: Option<u64>, inputs: &Inputs| demand.is_none() && !inputs.complete;
    let incomplete = lacking(change.demand_before, before) || lacking(change.demand_after, after);
    let rows = [
        (demand_in_both && before.text != after.text, ChangeReason::Dictionary),
        (demand_in_both && before.model != after.model, ChangeReason::Model),
        (demand_in_both && levels_count && before.calibration != after.calibration, ChangeReason::Calibration),
        (demand_in_both && before.settings != after.settings, ChangeReason::Settings),
        (demand_in_both && asked_in_both && statistics.0 != statistics.1, ChangeReason::Statistics),
        (selection, ChangeReason::Selection),
        (demand_in_both && !levelled && before.limits != after.limits, ChangeReason::Limits),
        (incomplete, ChangeReason::Incomplete),
    ];
    rows.into_iter().filter(|(holds, _)| *holds).map(|(_, reason)| reason).collect()
}
