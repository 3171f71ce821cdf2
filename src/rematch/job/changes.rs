//! Changes since a job: demands and targets that were stored or deleted.

use std::collections::{BTreeMap, HashSet};

use jiff::{SignedDuration, Timestamp};

use super::{
    candidates::{Changes, Fresh},
    model::Selection,
    statistics::Moved,
    statistics_store::from,
    targets::Engine,
};
use crate::error::Result;
use duijie_core::domain::{Filter, Kind, Range, RecordName, codes::Status};
use duijie_store::{FieldSelection, PageRequest, Point, PointId, pages::Pages, tombstones};

/// Overlap before the job's time in which changes are searched: the instances' clocks differ, and a record is stored a
/// moment after its time stamp.
const OVERLAP: SignedDuration = SignedDuration::from_secs(60);
/// Points per read.
const PAGE: usize = 500;
/// Most changed records of a kind for an incremental job; with more, a full job is not much slower.
pub(super) const MAX: usize = 4_000;

/// Changed demands.
#[derive(Debug, Default)]
pub(super) struct DemandChanges {
    /// Changed, new or deleted demands; the base's results for them do not hold.
    pub touched: BTreeMap<PointId, RecordName>,
    /// Those of them that are now in the selection.
    pub selected: HashSet<RecordName>,
}

/// Start of the search for changes since a job.
pub(super) fn begin(time: Timestamp) -> Timestamp {
    time.checked_sub(OVERLAP).unwrap_or(time)
}

/// Demands changed since a time; `None` if too many.
pub(super) async fn demands(engine: &Engine, selection: &Selection, since: Timestamp) -> Result<Option<DemandChanges>> {
    let mut changes = DemandChanges::default();
    let Some(points) =
        points(engine, Kind::Demand, since_filter(Filter::default(), since), FieldSelection::Payload).await?
    else {
        return Ok(None);
    };
    changes.touched.extend(points.iter().map(|point| (point.id(), point.record.name())));
    let Some(gone) = tombstones::since(&*engine.index, Kind::Demand, since, MAX).await? else { return Ok(None) };
    changes.touched.extend(gone.into_iter().map(|name| (PointId::of(&name), name)));
    let selected = match selection {
        Selection::Names(names) => {
            names.iter().filter(|name| changes.touched.contains_key(&PointId::of(name))).cloned().collect()
        }
        Selection::Filter(filter) => {
            let filter = since_filter((**filter).clone(), since);
            let Some(points) = self::points(engine, Kind::Demand, filter, FieldSelection::Payload).await? else {
                return Ok(None);
            };
            points.into_iter().map(|point| point.record.name()).collect()
        }
    };
    changes.selected = selected;
    Ok(Some(changes))
}

/// Targets of a kind changed since a time; `None` if too many.
pub(super) async fn targets(engine: &Engine, kind: Kind, since: Timestamp) -> Result<Option<Changes>> {
    let mut changes = Changes::default();
    let Some(points) = points(engine, kind, since_filter(Filter::default(), since), FieldSelection::Everything).await?
    else {
        return Ok(None);
    };
    for point in points {
        let id = point.id();
        let open = point.record.status == Status::Active;
        changes.add(id, open.then_some(Fresh { dense: point.dense, sparse: point.sparse }));
    }
    let Some(gone) = tombstones::since(&*engine.index, kind, since, MAX).await? else { return Ok(None) };
    // a target that was stored again is already in the changes, so this adds nothing
    gone.iter().for_each(|name| changes.add(PointId::of(name), None));
    Ok((changes.len() <= MAX).then_some(changes))
}

/// What has changed of a kind since its statistics were taken: never much, see
/// [`drift_limit`](super::statistics::drift_limit).
pub(super) async fn moved(engine: &Engine, kind: Kind, time: Timestamp) -> Result<Moved> {
    let since = begin(time);
    let (mut moved, mut after, filter) = (Moved::default(), None, since_filter(Filter::default(), since));
    loop {
        let page = PageRequest { after, limit: PAGE, with: FieldSelection::Sparse };
        let page = engine.read(engine.index.scroll(kind, &filter, page)).await?;
        page.points.iter().for_each(|point| moved.add(&point.sparse));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let gone = tombstones::since(&*engine.index, kind, since, usize::MAX).await?;
    moved.remove(gone.map_or(0, |gone| gone.len()));
    Ok(moved)
}

/// Points that meet a filter; `None` where they are too many.
async fn points(engine: &Engine, kind: Kind, filter: Filter, with: FieldSelection) -> Result<Option<Vec<Point>>> {
    let mut points = Vec::new();
    let read = |after| engine.read(engine.index.scroll(kind, &filter, PageRequest { after, limit: PAGE, with }));
    let mut pages = Pages::new(read);
    while let Some(page) = pages.next_page().await? {
        points.extend(page.points);
        if MAX < points.len() {
            return Ok(None);
        }
    }
    Ok(Some(points))
}

/// The filter, limited to changes since a time.
fn since_filter(filter: Filter, since: Timestamp) -> Filter {
    let since = from(since.as_second());
    let update_time = match filter.update_time {
        Some(range) => Range { min: range.min.max(since.min), max: range.max },
        None => since,
    };
    Filter { update_time: Some(update_time), ..filter }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed_since_narrows_a_filter() {
        let check = |range: Option<(Option<i64>, Option<i64>)>, want: (Option<i64>, Option<i64>)| {
            let update_time = range.map(|(min, max)| Range { min, max });
            let filter = Filter { update_time, ..Filter::default() };
            let got = since_filter(filter, Timestamp::from_second(100).unwrap()).update_time.unwrap();
            assert_eq!((got.min, got.max), want);
        };
        check(None, (Some(100), None));
        check(Some((Some(5), Some(200))), (Some(100), Some(200)));
        check(Some((Some(150), None)), (Some(150), None));
        check(Some((None, Some(7))), (Some(100), Some(7)));
    }
}
