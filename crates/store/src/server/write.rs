//! Conditional writes, safe with any number of concurrent instances: records by revision, documents by version.
//!
//! A writer first reads the stored revision and the token of its last write. The engine stores the new version only if
//! that token is unchanged (Qdrant's conditional update); reading afterwards shows which write won. Of two writers that
//! saw the same version, one wins and the other retries. A write that reaches the engine twice is applied once.
//!
//! Each record and document keeps the tokens of its recent writes, so a writer whose version was overwritten at once
//! still learns that its write was applied.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use qdrant_client::qdrant::{DeletePoints, GetPoints, PointStruct, RetrievedPoint, UpsertPoints, Value};
use serde_json::Value as Json;

use super::{
    backoff,
    convert::{self, integer, text, texts},
    core::ServerCore,
    state::{WRITE, token, written_by},
};
use crate::{
    CollectionKind, FieldSelection, IndexError, Point, PointId, Result, Written,
    payload::{REVISION, StoredRow},
};
use duijie_core::domain::Kind;

/// Points per request: a few MB.
const GROUP_POINTS: usize = 500;
/// Rounds in which a write may lose against others before it fails.
const ROUNDS: u32 = 20;
/// Longest wait after the first round; this much more after each further one.
const ROUND_WAIT: Duration = Duration::from_millis(10);
/// Tokens of former writes that a record keeps.
const KEPT_TOKENS: usize = 8;
/// Key of these tokens.
const PAST: &str = "past";

/// An item to store under an id, if the stored version allows it.
pub(super) trait Item: Clone + Send + Sync {
    /// Outcome of the write.
    type Outcome: Copy + Send;

    /// Id of the item.
    fn id(&self) -> PointId;

    /// Outcome if the item must not be stored over this revision.
    fn refusal(&self, stored: Option<u64>) -> Option<Self::Outcome>;

    /// Outcome after the item was stored over this revision.
    fn done(&self, stored: Option<u64>) -> Self::Outcome;

    /// Whether the stored row is damaged, so that any revision may replace it. Asked only where a write is refused.
    fn is_damaged(found: RetrievedPoint) -> bool;

    /// Row of the item when it is stored over this revision.
    fn row(self, stored: Option<u64>) -> Result<StoredRow>;
}

/// Stored revision and tokens of a point.
#[derive(Debug, Clone, Default)]
struct Mark {
    revision: u64,
    write: String,
    past: Vec<String>,
}

/// An item and the index of its outcome.
struct Placed<I> {
    place: usize,
    item: I,
}

/// A pending item: the index of its outcome, and the token of its write.
struct Pending<I> {
    place: usize,
    item: I,
    token: String,
}

/// Stores points of one kind in order; see [`Records::upsert`](crate::Records::upsert).
pub(super) async fn upsert(core: &ServerCore, kind: Kind, points: Vec<Point>) -> Result<Vec<Written>> {
    let store = core.store()?;
    for point in &points {
        point.check(kind, store.shape.dimensions)?;
    }
    let ids: Vec<PointId> = points.iter().map(Point::id).collect();
    let written = write_all(core, &core.records_name(kind, store.generation), points).await?;
    core.damage.forget(CollectionKind::Records(kind), &ids);
    Ok(written)
}

/// Stores items in order, each if its stored version allows it.
pub(super) async fn write_all<I: Item>(core: &ServerCore, collection: &str, items: Vec<I>) -> Result<Vec<I::Outcome>> {
    let mut outcomes: Vec<Option<I::Outcome>> = vec![None; items.len()];
    let placed = items.into_iter().enumerate();
    let mut waiting: Vec<Placed<I>> = placed.map(|(place, item)| Placed { place, item }).collect();
    while !waiting.is_empty() {
        // items with the same id are stored one after the other
        let mut taken = HashSet::new();
        let (group, rest) =
            waiting.into_iter().partition(|it| taken.len() < GROUP_POINTS && taken.insert(it.item.id()));
        write_group(core, collection, group, &mut outcomes).await?;
        waiting = rest;
    }
    let whole: Option<Vec<I::Outcome>> = outcomes.into_iter().collect();
    whole.ok_or_else(|| IndexError::Server { reason: "写入的结果不完整".to_string() })
}

/// Deletes a point and returns whether it existed; two concurrent deletes may both return true.
pub(super) async fn delete(core: &ServerCore, kind: Kind, id: PointId) -> Result<bool> {
    let collection = core.records(kind)?;
    let there = !marks(core, &collection, &[id]).await?.is_empty();
    remove(core, collection, vec![id]).await?;
    core.damage.forget(CollectionKind::Records(kind), [&id]);
    Ok(there)
}

/// Deletes all points with these ids.
pub(super) async fn remove(core: &ServerCore, collection: String, ids: Vec<PointId>) -> Result<()> {
    let ids: Vec<_> = ids.into_iter().map(convert::server_id).collect();
    let request = DeletePoints {
        collection_name: collection,
        wait: Some(true),
        points: Some(ids.into()),
        ordering: Some(core.ordering()),
        ..DeletePoints::default()
    };
    let deleted = core.wire.write(|node| {
        let request = request.clone();
        async move { node.points().delete(request).await }
    });
    deleted.await.map(drop)
}

/// Stores items with distinct ids.
async fn write_group<I: Item>(
    core: &ServerCore,
    collection: &str,
    group: Vec<Placed<I>>,
    outcomes: &mut [Option<I::Outcome>],
) -> Result<()> {
    let mut waiting: Vec<Pending<I>> =
        group.into_iter().map(|Placed { place, item }| Pending { place, item, token: token() }).collect();
    for round in 0..ROUNDS {
        let ids: Vec<PointId> = waiting.iter().map(|pending| pending.item.id()).collect();
        let seen = marks(core, collection, &ids).await?;
        let refused = waiting.iter().filter(|pending| {
            let mark = seen.get(&pending.item.id());
            !mark.is_some_and(|mark| mark.is_after(&pending.token))
                && pending.item.refusal(mark.map(|mark| mark.revision)).is_some()
        });
        let refused: Vec<PointId> = refused.map(|pending| pending.item.id()).collect();
        let damaged = damaged::<I>(core, collection, &refused).await?;
        waiting.retain(|pending| {
            let mark = seen.get(&pending.item.id());
            // applied in an earlier round, but a lagging replica did not show it
            if mark.is_some_and(|mark| mark.is_after(&pending.token)) {
                return false;
            }
            let whole = !damaged.contains(&pending.item.id());
            let refusal = pending.item.refusal(mark.map(|mark| mark.revision)).filter(|_| whole);
            if refusal.is_some() {
                set(outcomes, pending.place, refusal);
            }
            refusal.is_none()
        });
        if waiting.is_empty() {
            return Ok(());
        }
        store(core, collection, &waiting, &seen).await?;
        let ids: Vec<PointId> = waiting.iter().map(|pending| pending.item.id()).collect();
        let now = marks(core, collection, &ids).await?;
        waiting.retain(|pending| {
            let id = pending.item.id();
            set(outcomes, pending.place, Some(pending.item.done(seen.get(&id).map(|mark| mark.revision))));
            // missing again: deleted by another, or not yet on a lagging replica; so check once more
            !now.get(&id).map_or(0 < round, |mark| mark.is_after(&pending.token))
        });
        if waiting.is_empty() {
            return Ok(());
        }
        tokio::time::sleep(backoff::jitter(ROUND_WAIT * (round + 1))).await;
    }
    Err(IndexError::Server { reason: "同一内容正被多处反复写入".to_string() })
}

/// Those of these points whose stored rows are damaged.
async fn damaged<I: Item>(core: &ServerCore, collection: &str, ids: &[PointId]) -> Result<HashSet<PointId>> {
    if ids.is_empty() {
        return Ok(HashSet::new());
    }
    let with_payload = Some(convert::all_payload());
    let request = GetPoints { with_payload, ..convert::get(collection, ids, FieldSelection::Everything) };
    let answer = core.wire.call(|node| {
        let request = request.clone();
        async move { node.points().get(request).await }
    });
    let damaged = answer.await?.result.into_iter().filter_map(|found| {
        let id = convert::point_id(found.id.as_ref())?;
        I::is_damaged(found).then_some(id)
    });
    Ok(damaged.collect())
}

/// Sends the items; each is applied only if its stored token is unchanged.
async fn store<I: Item>(
    core: &ServerCore,
    collection: &str,
    items: &[Pending<I>],
    seen: &HashMap<PointId, Mark>,
) -> Result<()> {
    let mut rows = Vec::with_capacity(items.len());
    for Pending { item, token, .. } in items {
        rows.push(row(item.clone(), token, seen.get(&item.id()))?);
    }
    // a token belongs to one write of one item, so one filter with all tokens is enough
    let tokens = items.iter().filter_map(|pending| seen.get(&pending.item.id()));
    let request = UpsertPoints {
        collection_name: collection.to_string(),
        wait: Some(true),
        points: rows,
        ordering: Some(core.ordering()),
        update_filter: Some(written_by(tokens.map(|mark| mark.write.clone()).collect())),
        ..UpsertPoints::default()
    };
    let stored = core.wire.write(|node| {
        let request = request.clone();
        async move { node.points().upsert(request).await }
    });
    stored.await.map(drop)
}

fn row<I: Item>(item: I, token: &str, mark: Option<&Mark>) -> Result<PointStruct> {
    let id = item.id();
    let row = item.row(mark.map(|mark| mark.revision))?;
    let past = mark.into_iter().flat_map(|mark| std::iter::once(&mark.write).chain(&mark.past));
    let past = past.filter(|token| !token.is_empty()).take(KEPT_TOKENS).cloned();
    let past = convert::value(Json::Array(past.map(Json::String).collect()));
    Ok(convert::point_in(id, row, [(WRITE, Value::from(token)), (PAST, past)]))
}

/// Stored revisions and tokens of these points.
async fn marks(core: &ServerCore, collection: &str, ids: &[PointId]) -> Result<HashMap<PointId, Mark>> {
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

fn set<T>(outcomes: &mut [Option<T>], place: usize, outcome: Option<T>) {
    if let Some(slot) = outcomes.get_mut(place) {
        *slot = outcome;
    }
}

// === impl Point ===

impl Item for Point {
    type Outcome = Written;

    fn id(&self) -> PointId {
        Self::id(self)
    }

    fn refusal(&self, stored: Option<u64>) -> Option<Written> {
        stored.filter(|stored| self.record.revision <= *stored).map(|stored| Written::Stale { stored })
    }

    fn done(&self, stored: Option<u64>) -> Written {
        if stored.is_some() { Written::Updated } else { Written::Created }
    }

    fn is_damaged(found: RetrievedPoint) -> bool {
        convert::point_out(found, FieldSelection::Everything).is_some_and(|point| point.is_err())
    }

    fn row(self, _: Option<u64>) -> Result<StoredRow> {
        let name = self.record.name().to_string();
        StoredRow::of(self).map_err(|reason| IndexError::BadPoint { name, reason })
    }
}

// === impl Mark ===

impl Mark {
    /// Returns whether the write with this token was applied: as the last write, or before later ones.
    fn is_after(&self, token: &str) -> bool {
        self.write == token || self.past.iter().any(|past| past == token)
    }
}
