//! Conversion between our types and the engine's. No other code in the crate builds or reads engine values.

use std::collections::HashMap;

use qdrant_edge::{
    AcornSearchParams, AnyVariants, Condition as EdgeCondition, CreateIndex, EdgeConfig, EdgeOptimizersConfig,
    EdgeSparseVectorParams, EdgeVectorParams, FieldCondition, FieldIndexOperations, Filter as EdgeFilter,
    HasIdCondition, HnswIndexConfig, JsonPath, Match, Modifier, NamedQuery, Payload, PayloadFieldSchema,
    PayloadSchemaType, PointId as EdgeId, PointInsertOperations, PointOperations, PointStructPersisted, QueryEnum,
    Range as EdgeRange, Record as EdgeRecord, ScoredPoint, SearchParams, SearchRequest, SparseVector as EdgeSparse,
    UpdateOperation, VectorInternal, VectorPersisted, VectorStructInternal, VectorStructPersisted,
    WithPayloadInterface, WithVector, external::ordered_float::OrderedFloat,
};

use super::options::Tuning;
use crate::{
    CollectionKind, Damaged, DocumentQuery, FieldSelection, Hit, Point, PointId, Search, VectorSelection, Vectors,
    damage::Checked,
    document_row,
    filter::{Condition, conditions},
    payload::{FieldType, FilterField, RECORD, StoredRow},
    row_sum::{self, SUM},
    search::SourceSearches,
};
use duijie_core::{
    domain::{Filter, Range},
    text::SparseVector,
};

/// Vector name of the embedding.
const DENSE: &str = "dense";
/// Vector name of the term weights.
const SPARSE: &str = "sparse";

/// Configuration of a shard. Vectors and graphs are in memory. Payloads are on disk, as a page reads only a few.
pub(super) fn config(dimensions: usize, tuning: &Tuning) -> EdgeConfig {
    let hnsw = HnswIndexConfig {
        m: tuning.graph_links,
        ef_construct: tuning.graph_beam,
        max_indexing_threads: tuning.graph_threads,
        // no separate graph for each value of each field: with them, 100,000 points took 5 times as long to build
        payload_m: Some(0),
        full_scan_threshold: tuning.scan_up_to_kib,
        ..HnswIndexConfig::default()
    };
    let dense = EdgeVectorParams::builder(dimensions, qdrant_edge::Distance::Cosine).on_disk(false).build();
    let sparse = EdgeSparseVectorParams::builder().on_disk(false).modifier(Modifier::Idf).build();
    let optimizers = EdgeOptimizersConfig {
        indexing_threshold: Some(tuning.graph_from_kib.max(1)),
        // one graph while memory allows: searching two takes twice as long
        max_segment_size: Some(4 << 20),
        ..EdgeOptimizersConfig::default()
    };
    EdgeConfig::builder()
        .on_disk_payload(true)
        .vector(DENSE, dense)
        .sparse_vector(SPARSE, sparse)
        .hnsw_config(hnsw)
        .optimizers(optimizers)
        .build()
}

/// Configuration of the shard of documents: payloads on disk, no vectors.
pub(super) fn documents_config() -> EdgeConfig {
    EdgeConfig::builder().on_disk_payload(true).build()
}

/// Operations that create the indexes of a shard; existing indexes are unchanged.
pub(super) fn create_indexes(collection: CollectionKind) -> Vec<UpdateOperation> {
    match collection {
        CollectionKind::Records(_) => {
            FilterField::ALL.map(|field| create_index(field.key(), field.field_type())).to_vec()
        }
        CollectionKind::Documents => document_row::INDEXED.map(|key| create_index(key, FieldType::Keyword)).to_vec(),
    }
}

fn create_index(key: &str, field_type: FieldType) -> UpdateOperation {
    let schema = match field_type {
        FieldType::Keyword => PayloadSchemaType::Keyword,
        FieldType::Integer => PayloadSchemaType::Integer,
    };
    UpdateOperation::FieldIndexOperation(FieldIndexOperations::CreateIndex(CreateIndex {
        field_name: path(key),
        field_schema: Some(PayloadFieldSchema::FieldType(schema)),
    }))
}

/// Operation that stores rows; rows of documents have no vectors.
pub(super) fn upsert(rows: impl Iterator<Item = (PointId, StoredRow)>) -> UpdateOperation {
    let points = rows.map(|(id, row)| PointStructPersisted {
        id: edge_id(id),
        vector: VectorStructPersisted::Named(match row.dense.is_empty() {
            true => HashMap::new(),
            false => HashMap::from([
                (DENSE.to_string(), VectorPersisted::Dense(row.dense)),
                (SPARSE.to_string(), VectorPersisted::Sparse(edge_sparse(row.sparse))),
            ]),
        }),
        payload: Some(Payload(row.payload)),
    });
    let points = PointInsertOperations::PointsList(points.collect());
    UpdateOperation::PointOperation(PointOperations::UpsertPoints(points))
}

/// An operation on one row: its deletion, then what is stored in its place.
pub(super) struct SingleStep {
    /// Deletes the row.
    pub(super) delete: UpdateOperation,
    /// Stores the new one; `None` if it is only deleted.
    pub(super) upsert: Option<UpdateOperation>,
}

/// An operation of [`upsert`] or [`delete`] as one for each row; none for any other operation.
pub(super) fn one_by_one(operation: UpdateOperation) -> Vec<SingleStep> {
    let delete = |id| UpdateOperation::PointOperation(PointOperations::DeletePoints { ids: vec![id] });
    match operation {
        UpdateOperation::PointOperation(PointOperations::UpsertPoints(PointInsertOperations::PointsList(points))) => {
            let one = |point: PointStructPersisted| SingleStep {
                delete: delete(point.id),
                upsert: Some(UpdateOperation::PointOperation(PointOperations::UpsertPoints(
                    PointInsertOperations::PointsList(vec![point]),
                ))),
            };
            points.into_iter().map(one).collect()
        }
        UpdateOperation::PointOperation(PointOperations::DeletePoints { ids }) => {
            ids.into_iter().map(|id| SingleStep { delete: delete(id), upsert: None }).collect()
        }
        _ => Vec::new(),
    }
}

/// Operation that removes points.
pub(super) fn delete(ids: impl Iterator<Item = PointId>) -> UpdateOperation {
    UpdateOperation::PointOperation(PointOperations::DeletePoints { ids: ids.map(edge_id).collect() })
}

/// The engine's id of a point.
pub(super) fn edge_id(id: PointId) -> EdgeId {
    EdgeId::Uuid(id.uuid())
}

/// Our id of an engine's point; `None` for a numeric id, which we never use.
pub(super) fn point_id(id: EdgeId) -> Option<PointId> {
    match id {
        EdgeId::Uuid(uuid) => Some(PointId::from(uuid)),
        EdgeId::NumId(_) => None,
    }
}

/// Filter that keeps the points with these ids.
pub(super) fn id_filter(ids: impl IntoIterator<Item = PointId>) -> EdgeFilter {
    EdgeFilter::new_must(has_id(ids))
}

/// The engine's filter; `None` if it keeps everything.
pub(super) fn edge_filter(filter: &Filter) -> Option<EdgeFilter> {
    narrowed(filter, Vec::new(), None)
}

/// The engine's filter, with the points to exclude and the only points to keep.
fn narrowed(filter: &Filter, exclude: Vec<PointId>, within: Option<Vec<PointId>>) -> Option<EdgeFilter> {
    let (mut must, mut must_not) = (Vec::new(), Vec::new());
    for condition in conditions(filter) {
        match condition {
            Condition::Any { field, values } => must.push(any(field.key(), values)),
            Condition::None { field, values } => must_not.push(any(field.key(), values)),
            Condition::Between { field, range } => must.push(between(field, range)),
        }
    }
    must_not.extend((!exclude.is_empty()).then(|| has_id(exclude)));
    must.extend(within.map(has_id));
    let some = |conditions: Vec<EdgeCondition>| (!conditions.is_empty()).then_some(conditions);
    let (must, must_not) = (some(must), some(must_not));
    (must.is_some() || must_not.is_some()).then_some(EdgeFilter { should: None, min_should: None, must, must_not })
}

/// The engine's filter of documents; `None` if it keeps everything.
pub(super) fn document_filter(query: DocumentQuery) -> Option<EdgeFilter> {
    let must: Vec<_> = document_row::conditions(query).into_iter().map(|(key, value)| any(key, vec![value])).collect();
    (!must.is_empty()).then(|| EdgeFilter { should: None, min_should: None, must: Some(must), must_not: None })
}

/// Searches of both sources; `None` if a source is not requested or cannot match.
pub(super) fn searches(search: Search, beam: usize) -> SourceSearches<SearchRequest> {
    let filter = narrowed(&search.filter, search.exclude, search.within);
    // looks two steps ahead in the graph if a filter keeps at most 7 of 10 points, as filtered points lie in between:
    // at 4 of 10, recall of the 20 nearest is 100 instead of 90 %
    let acorn =
        filter.is_some().then_some(AcornSearchParams { enable: true, max_selectivity: Some(OrderedFloat(0.7)) });
    let request = |vector: VectorInternal, name: &str, beam: Option<usize>| SearchRequest {
        query: QueryEnum::Nearest(NamedQuery::new(vector, name)),
        filter: filter.clone(),
        params: beam.map(|beam| SearchParams { hnsw_ef: Some(beam), acorn, ..SearchParams::default() }),
        limit: search.depth,
        offset: 0,
        with_payload: None,
        with_vector: None,
        score_threshold: None,
    };
    let dense = search.dense.map(|dense| request(VectorInternal::Dense(dense), DENSE, Some(beam)));
    // a query without terms matches nothing, so the engine is not asked
    let sparse = search.sparse.filter(|sparse| !sparse.indices.is_empty());
    let sparse = sparse.map(|sparse| request(VectorInternal::Sparse(edge_sparse(sparse)), SPARSE, None));
    SourceSearches { dense, sparse }
}

/// Request for the cosines of these points.
pub(super) fn cosines(dense: Vec<f32>, ids: Vec<PointId>) -> SearchRequest {
    let limit = ids.len();
    let must = Some(vec![has_id(ids)]);
    SearchRequest {
        query: QueryEnum::Nearest(NamedQuery::new(VectorInternal::Dense(dense), DENSE)),
        filter: Some(EdgeFilter { should: None, min_should: None, must, must_not: None }),
        params: Some(SearchParams { exact: true, ..SearchParams::default() }),
        limit,
        offset: 0,
        with_payload: None,
        with_vector: None,
        score_threshold: None,
    }
}

/// Hits, with equal scores in id order, so that the same search returns the same list.
pub(super) fn hits(points: Vec<ScoredPoint>) -> Vec<Hit> {
    let hits = points.into_iter().filter_map(|point| Some(Hit { id: point_id(point.id)?, score: point.score }));
    let mut hits: Vec<Hit> = hits.collect();
    hits.sort_by(|one, other| other.score.total_cmp(&one.score).then_with(|| one.id.cmp(&other.id)));
    hits
}

/// Selector for the payload fields to read.
pub(super) fn payload_of_interest(with: FieldSelection) -> WithPayloadInterface {
    match with {
        FieldSelection::Payload | FieldSelection::Sparse => WithPayloadInterface::Fields(vec![path(RECORD), path(SUM)]),
        FieldSelection::Everything => WithPayloadInterface::Bool(true),
    }
}

/// Selector for the vectors to read.
pub(super) fn vectors_of_interest(with: FieldSelection) -> WithVector {
    match with {
        FieldSelection::Payload => WithVector::Bool(false),
        FieldSelection::Sparse => WithVector::Selector(vec![SPARSE.to_string()]),
        FieldSelection::Everything => WithVector::Bool(true),
    }
}

/// Selector for these vectors.
pub(super) fn these_vectors(which: VectorSelection) -> WithVector {
    match which {
        VectorSelection::Dense => WithVector::Selector(vec![DENSE.to_string()]),
        VectorSelection::Sparse => WithVector::Selector(vec![SPARSE.to_string()]),
        VectorSelection::Both => WithVector::Bool(true),
    }
}

/// Id and vectors of an engine record; `None` if the id is not one of ours, or the vectors cannot be those of a record.
pub(super) fn vectors(record: EdgeRecord) -> Option<(PointId, Vectors)> {
    let id = point_id(record.id)?;
    let StoredRow { dense, sparse, .. } = row(record);
    row_sum::is_sane(&dense).then_some((id, Vectors { dense, sparse }))
}

/// Row of an engine record; vectors that were not read are empty.
pub(super) fn row(record: EdgeRecord) -> StoredRow {
    let payload = record.payload.map(|payload| payload.0).unwrap_or_default();
    let mut row = StoredRow { payload, dense: Vec::new(), sparse: SparseVector::default() };
    let Some(VectorStructInternal::Named(vectors)) = record.vector else { return row };
    for vector in vectors.into_values() {
        match vector {
            VectorInternal::Dense(dense) => row.dense = dense,
            VectorInternal::Sparse(sparse) => {
                row.sparse = SparseVector { indices: sparse.indices, values: sparse.values };
            }
            VectorInternal::MultiDense(_) => {}
        }
    }
    row
}

/// Point of an engine record; `None` if the id is not one of ours.
pub(super) fn point(record: EdgeRecord, read: FieldSelection) -> Option<Result<Checked<Point>, Damaged>> {
    let id = point_id(record.id)?;
    Some(row(record).into_point(id, read))
}

/// Sorts terms, as the engine requires.
fn edge_sparse(sparse: SparseVector) -> EdgeSparse {
    let mut sparse = EdgeSparse { indices: sparse.indices, values: sparse.values };
    sparse.sort_by_indices();
    sparse
}

fn has_id(ids: impl IntoIterator<Item = PointId>) -> EdgeCondition {
    EdgeCondition::HasId(ids.into_iter().map(edge_id).collect::<HasIdCondition>())
}

fn any(key: &str, values: Vec<String>) -> EdgeCondition {
    let any = Match::new_any(AnyVariants::Strings(values.into_iter().collect()));
    EdgeCondition::Field(FieldCondition::new_match(path(key), any))
}

/// The engine compares integers as floats; amounts and seconds are far below 2^53, where floats are exact.
fn between(field: FilterField, range: Range) -> EdgeCondition {
    let end = |value: Option<i64>| value.map(|value| OrderedFloat(value as f64));
    let range = EdgeRange { lt: None, gt: None, gte: end(range.min), lte: end(range.max) };
    EdgeCondition::Field(FieldCondition::new_range(path(field.key()), range))
}

/// The engine's path to a top-level payload key.
pub(super) fn path(key: &str) -> JsonPath {
    JsonPath { first_key: key.to_string(), rest: Vec::new() }
}
