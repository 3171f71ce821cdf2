//! Reading rows of a shard. The engine fails, or panics, over a row that it cannot decode, and with it the whole read; the
//! rows are then read one by one, and each that cannot be read is told as damaged.

use qdrant_edge::{
    EdgeShard, OperationResult, PointId as EdgeId, Record as EdgeRecord, ScrollRequest, WithPayloadInterface,
    WithVector,
};

use std::collections::HashMap;

use super::{convert, shard::Shard};
use crate::{
    Damaged, Document, FieldSelection, Point, PointId, PointPage, Result, VectorPage, VectorSelection, Vectors,
    damage::Sorted,
    document_row,
    records::{Fetched, in_order},
};

/// How much of each row to read.
#[derive(Debug, Clone)]
pub(super) struct Parts {
    /// Payload.
    pub(super) payload: WithPayloadInterface,
    /// Vectors.
    pub(super) vectors: WithVector,
}

/// Rows as the engine gives them, and those that it cannot read.
#[derive(Debug, Default)]
pub(super) struct Rows {
    /// Rows.
    pub(super) rows: Vec<EdgeRecord>,
    /// The others.
    pub(super) unreadable: Vec<Damaged>,
}

/// A page of rows.
#[derive(Debug, Default)]
pub(super) struct RowPage {
    /// Rows.
    pub(super) rows: Rows,
    /// What to ask for `after` to get the next page; `None` on the last one.
    pub(super) next: Option<PointId>,
}

// === impl Parts ===

impl Parts {
    /// What is read of a point.
    pub(super) fn of(with: FieldSelection) -> Self {
        Self { payload: convert::payload_of_interest(with), vectors: convert::vectors_of_interest(with) }
    }

    /// What is read of a document.
    pub(super) fn document() -> Self {
        Self { payload: WithPayloadInterface::Bool(true), vectors: WithVector::Bool(false) }
    }
}

// === impl Rows ===

impl Rows {
    /// Reads rows by id; missing ones are left out.
    pub(super) fn read(shard: &Shard, ids: &[PointId], parts: &Parts) -> Result<Self> {
        let mut rows = Self::default();
        rows.add(shard, ids, parts)?;
        Ok(rows)
    }

    fn add(&mut self, shard: &Shard, ids: &[PointId], parts: &Parts) -> Result<()> {
        let edge_ids: Vec<EdgeId> = ids.iter().copied().map(convert::edge_id).collect();
        let (payload, vectors) = (Some(parts.payload.clone()), Some(parts.vectors.clone()));
        let error = match shard.read(|engine| engine.retrieve(&edge_ids, payload, vectors)) {
            Ok(found) => {
                self.rows.extend(found);
                return Ok(());
            }
            Err(error) => error,
        };
        // not because of a row
        shard.check_loaded()?;
        match ids {
            [] => Err(error),
            [id] => {
                self.unreadable.push(Damaged::unreadable(*id, &error.to_string()));
                Ok(())
            }
            ids => {
                let (first, second) = ids.split_at(ids.len() / 2);
                self.add(shard, first, parts)?;
                self.add(shard, second, parts)
            }
        }
    }

    /// The points among them, compared with their checksums.
    pub(super) fn points(self, shard: &Shard, with: FieldSelection) -> Sorted<Point> {
        let points = self.rows.into_iter().filter_map(|record| convert::point(record, with));
        noted(shard, points.collect(), self.unreadable)
    }

    /// The documents among them, compared with their checksums.
    pub(super) fn documents(self, shard: &Shard) -> Sorted<Document> {
        let documents = self.rows.into_iter().filter_map(|record| {
            let id = convert::point_id(record.id)?;
            Some(document_row::document(id, record.payload.map(|payload| payload.0).unwrap_or_default()))
        });
        noted(shard, documents.collect(), self.unreadable)
    }
}

fn noted<T>(shard: &Shard, mut sorted: Sorted<T>, unreadable: Vec<Damaged>) -> Sorted<T> {
    sorted.damaged.extend(unreadable);
    shard.state.damage.note(shard.place.collection, &sorted.damaged);
    sorted
}

// === impl RowPage ===

impl RowPage {
    /// Reads a page. `request` says which rows; `parts` how much of each.
    pub(super) fn read(shard: &Shard, request: ScrollRequest, parts: &Parts) -> Result<Self> {
        let whole = ScrollRequest {
            with_payload: Some(parts.payload.clone()),
            with_vector: parts.vectors.clone(),
            ..request.clone()
        };
        if let Ok(page) = shard.read_settled(|engine| scroll(engine, whole)) {
            let Scrolled { rows, next } = page;
            return Ok(Self { rows: Rows { rows, unreadable: Vec::new() }, next });
        }
        let bare = ScrollRequest {
            with_payload: Some(WithPayloadInterface::Bool(false)),
            with_vector: WithVector::Bool(false),
            ..request
        };
        let Scrolled { rows, next } = shard.read_settled(|engine| scroll(engine, bare))?;
        let ids: Vec<PointId> = rows.into_iter().filter_map(|row| convert::point_id(row.id)).collect();
        Ok(Self { rows: Rows::read(shard, &ids, parts)?, next })
    }
}

/// A page as the engine gives it.
struct Scrolled {
    rows: Vec<EdgeRecord>,
    next: Option<PointId>,
}

fn scroll(engine: &EdgeShard, request: ScrollRequest) -> OperationResult<Scrolled> {
    let (rows, more) = engine.scroll(request)?;
    let last = rows.last().and_then(|row| convert::point_id(row.id));
    Ok(Scrolled { rows, next: last.filter(|_| more.is_some()) })
}

/// Points by id.
pub(super) fn fetch(shard: &Shard, ids: &[PointId], with: FieldSelection) -> Result<Fetched> {
    let read = Rows::read(shard, ids, &Parts::of(with))?.points(shard, with);
    let found: HashMap<PointId, Point> = read.rows.into_iter().map(|point| (point.id(), point)).collect();
    Ok(Fetched { points: in_order(ids, found), damaged: read.damaged })
}

/// Vectors by id.
pub(super) fn read_vectors(shard: &Shard, ids: &[PointId], which: VectorSelection) -> Result<Vec<Option<Vectors>>> {
    let parts = Parts { payload: WithPayloadInterface::Bool(false), vectors: convert::these_vectors(which) };
    let read = Rows::read(shard, ids, &parts)?;
    shard.state.damage.note(shard.place.collection, &read.unreadable);
    let mut found: HashMap<PointId, Vectors> = read.rows.into_iter().filter_map(convert::vectors).collect();
    Ok(ids.iter().map(|id| found.remove(id)).collect())
}

/// A page of vectors.
pub(super) fn scan_page(shard: &Shard, request: ScrollRequest, which: VectorSelection) -> Result<VectorPage> {
    let parts = Parts { payload: WithPayloadInterface::Bool(false), vectors: convert::these_vectors(which) };
    let RowPage { rows, next } = RowPage::read(shard, request, &parts)?;
    shard.state.damage.note(shard.place.collection, &rows.unreadable);
    Ok(VectorPage { rows: rows.rows.into_iter().filter_map(convert::vectors).collect(), next })
}

/// A page of points.
pub(super) fn read_page(shard: &Shard, request: ScrollRequest, with: FieldSelection) -> Result<PointPage> {
    let RowPage { rows, next } = RowPage::read(shard, request, &Parts::of(with))?;
    let Sorted { rows: points, damaged, unchecked } = rows.points(shard, with);
    Ok(PointPage { points, damaged, unchecked, next })
}
