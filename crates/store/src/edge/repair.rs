//! Repair of points that are in two segments. The optimiser builds a new segment, adds it, then removes the old ones; a
//! kill in between leaves both. Searches return such a point once, but counts include it twice.

use qdrant_edge::{CountRequest, EdgeShard, OperationError, OperationResult, PointId as EdgeId, ScrollRequest};

use super::convert;
use crate::PointId;

/// Points per page.
const PAGE_POINTS: usize = 1_000;

/// Stores every point that is in two segments again; the engine then removes the old copies. Returns the number stored.
pub(super) fn remove_doubles(engine: &EdgeShard) -> OperationResult<u64> {
    let (mut stored, mut offset) = (0, None);
    loop {
        let IdPage { ids, next } = page(engine, offset)?;
        let filter = Some(convert::id_filter(ids.iter().copied()));
        if ids.len() < engine.count(CountRequest { filter, exact: true })? {
            stored += ids.len() as u64;
            store_anew(engine, &ids)?;
        }
        match next {
            Some(next) => offset = Some(next),
            None => return Ok(stored),
        }
    }
}

struct IdPage {
    ids: Vec<PointId>,
    /// Where the next page starts; `None` on the last one.
    next: Option<EdgeId>,
}

fn page(engine: &EdgeShard, offset: Option<EdgeId>) -> OperationResult<IdPage> {
    let request = ScrollRequest {
        offset,
        limit: Some(PAGE_POINTS),
        with_payload: Some(false.into()),
        ..ScrollRequest::default()
    };
    let (records, next) = engine.scroll(request)?;
    Ok(IdPage { ids: records.into_iter().filter_map(|record| convert::point_id(record.id)).collect(), next })
}

fn store_anew(engine: &EdgeShard, ids: &[PointId]) -> OperationResult<()> {
    let ids: Vec<EdgeId> = ids.iter().copied().map(convert::edge_id).collect();
    let records = engine.retrieve(&ids, Some(true.into()), Some(true.into()))?;
    let whole = records.len() == ids.len();
    let rows = records.into_iter().filter_map(|record| Some((convert::point_id(record.id)?, convert::row(record))));
    engine.update(convert::upsert(rows))?;
    if whole { Ok(()) } else { Err(OperationError::service_error("points vanished during the repair")) }
}
