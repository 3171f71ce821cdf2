//! Writes that revisions decide, with any number of instances writing at once.
//!
//! Who writes a record has seen it before: which revision, made by which write. The engine stores the new version only
//! where that write is still the last one (Qdrant's conditional update), and a look afterwards says whose is there. Of
//! two who saw the same version one wins; the other looks again. A write that reaches the engine twice is applied once.
//!
//! Each record carries the tokens of its last writes, so that who was overwritten at once still learns that he was not
//! refused.

use std::collections::{HashMap, HashSet};

use qdrant_client::qdrant::{DeletePoints, GetPoints, PointStruct, UpsertPoints, Value};
use serde_json::Value as Json;

use super::{
    convert::{self, integer, text, texts},
    core::Core,
    state::{WRITE, token, written_by},
};
use crate::{
    domain::Kind,
    index::{
        IndexError, Point, PointId, Result, Written,
        payload::{REVISION, Row},
    },
};

/// Points of one request: a few MB.
const GROUP_POINTS: usize = 500;
/// Rounds of a write that others are faster than.
const ROUNDS: u32 = 20;
/// Tokens of former writes that a record keeps.
const KEPT_TOKENS: usize = 8;
/// Key of these tokens.
const PAST: &str = "past";

/// What a writer sees of a record.
#[derive(Debug, Clone, Default)]
struct Mark {
    revision: u64,
    write: String,
    past: Vec<String>,
}

/// One point on its way: where its outcome goes, and the token of its write.
struct Pending {
    place: usize,
    point: Point,
    token: String,
}

/// Stores points of one kind in order; see [`Index::upsert`](crate::index::Index::upsert).
pub(super) async fn upsert(core: &Core, kind: Kind, points: Vec<Point>) -> Result<Vec<Written>> {
    let store = core.store()?;
    for point in &points {
        point.check(kind, store.shape.dimensions)?;
    }
    let collection = core.records_name(kind, store.generation);
    let mut outcomes = vec![Written::Created; points.len()];
    let mut waiting: Vec<(usize, Point)> = points.into_iter().enumerate().collect();
    while !waiting.is_empty() {
        // a record that comes twice is stored twice, one after the other
        let mut taken = HashSet::new();
        let (group, rest) =
            waiting.into_iter().partition(|(_, point)| taken.len() < GROUP_POINTS && taken.insert(point.id()));
        write_group(core, &collection, group, &mut outcomes).await?;
        waiting = rest;
    }
    Ok(outcomes)
}

/// Removes a point. Two who do so at the same time may both be told that there was one.
pub(super) async fn delete(core: &Core, kind: Kind, id: PointId) -> Result<bool> {
    let collection = core.records(kind)?;
    let there = !marks(core, &collection, &[id]).await?.is_empty();
    let request = DeletePoints {
        collection_name: collection,
        wait: Some(true),
        points: Some(vec![convert::server_id(id)].into()),
        ordering: Some(core.ordering()),
        ..DeletePoints::default()
    };
    let deleted = core.wire.call(|node| {
        let request = request.clone();
        async move { node.points().delete(request).await }
    });
    deleted.await?;
    Ok(there)
}

/// Stores points whose ids differ.
async fn write_group(
    core: &Core,
    collection: &str,
    group: Vec<(usize, Point)>,
    outcomes: &mut [Written],
) -> Result<()> {
    let mut waiting: Vec<Pending> =
        group.into_iter().map(|(place, point)| Pending { place, point, token: token() }).collect();
    for round in 0..ROUNDS {
        let ids: Vec<PointId> = waiting.iter().map(|pending| pending.point.id()).collect();
        let seen = marks(core, collection, &ids).await?;
        waiting.retain(|pending| match seen.get(&pending.point.id()) {
            // applied in an earlier round, although a replica that lagged did not show it
            Some(mark) if mark.is_after(&pending.token) => false,
            Some(mark) if pending.point.record.revision <= mark.revision => {
                set(outcomes, pending, Written::Stale { stored: mark.revision });
                false
            }
            _ => true,
        });
        if waiting.is_empty() {
            return Ok(());
        }
        store(core, collection, &waiting, &seen).await?;
        let ids: Vec<PointId> = waiting.iter().map(|pending| pending.point.id()).collect();
        let now = marks(core, collection, &ids).await?;
        waiting.retain(|pending| {
            let id = pending.point.id();
            let outcome = if seen.contains_key(&id) { Written::Updated } else { Written::Created };
            set(outcomes, pending, outcome);
            // gone again: deleted by another, or not there yet on a replica that lags, so it is looked at once more
            !now.get(&id).map_or(0 < round, |mark| mark.is_after(&pending.token))
        });
        if waiting.is_empty() {
            return Ok(());
        }
        let wait_ms = fastrand::u64(0..10 * u64::from(round + 1));
        tokio::time::sleep(std::time::Duration::from_millis(wait_ms)).await;
    }
    Err(IndexError::Server { reason: "同一记录正被多处反复写入".to_string() })
}

/// Sends the points; each is applied only where what was seen of it is still there.
async fn store(core: &Core, collection: &str, points: &[Pending], seen: &HashMap<PointId, Mark>) -> Result<()> {
    let mut rows = Vec::with_capacity(points.len());
    for Pending { point, token, .. } in points {
        let mark = seen.get(&point.id()).cloned().unwrap_or_default();
        rows.push(row(point.clone(), token, mark)?);
    }
    // a token is of one write of one record, so that the whole set can stand for each
    let tokens = points.iter().filter_map(|pending| seen.get(&pending.point.id()));
    let request = UpsertPoints {
        collection_name: collection.to_string(),
        wait: Some(true),
        points: rows,
        ordering: Some(core.ordering()),
        update_filter: Some(written_by(tokens.map(|mark| mark.write.clone()).collect())),
        ..UpsertPoints::default()
    };
    let stored = core.wire.call(|node| {
        let request = request.clone();
        async move { node.points().upsert(request).await }
    });
    stored.await.map(drop)
}

fn row(point: Point, token: &str, mark: Mark) -> Result<PointStruct> {
    let (id, name) = (point.id(), point.record.name().to_string());
    let row = Row::of(point).map_err(|reason| IndexError::BadPoint { name, reason })?;
    let past = std::iter::once(mark.write).chain(mark.past).filter(|token| !token.is_empty()).take(KEPT_TOKENS);
    let past = convert::value(Json::Array(past.map(Json::String).collect()));
    Ok(convert::point_in(id, row, [(WRITE, Value::from(token)), (PAST, past)]))
}

/// What is stored of these points.
async fn marks(core: &Core, collection: &str, ids: &[PointId]) -> Result<HashMap<PointId, Mark>> {
    let request = GetPoints {
        collection_name: collection.to_string(),
        ids: ids.iter().copied().map(convert::server_id).collect(),
        with_payload: Some(convert::fields(&[REVISION, WRITE, PAST])),
        ..GetPoints::default()
    };
    let answer = core.wire.call(|node| {
        let request = request.clone();
        async move { node.points().get(request).await }
    });
    let marks = answer.await?.result.into_iter().filter_map(|point| {
        let revision = point.payload.get(REVISION).and_then(integer).unwrap_or(0);
        let mark = Mark {
            revision: u64::try_from(revision).unwrap_or(0),
            write: point.payload.get(WRITE).and_then(text).unwrap_or_default(),
            past: point.payload.get(PAST).map(texts).unwrap_or_default(),
        };
        Some((convert::point_id(point.id.as_ref())?, mark))
    });
    Ok(marks.collect())
}

fn set(outcomes: &mut [Written], pending: &Pending, outcome: Written) {
    if let Some(slot) = outcomes.get_mut(pending.place) {
        *slot = outcome;
    }
}

// === impl Mark ===

impl Mark {
    /// Whether the write of this token was applied: last, or before others that saw it.
    fn is_after(&self, token: &str) -> bool {
        self.write == token || self.past.iter().any(|past| past == token)
    }
}
