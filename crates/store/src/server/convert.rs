//! Conversion between our types and Qdrant's messages. No other code in the crate builds or reads messages about
//! points.

use std::collections::HashMap;

use qdrant_client::qdrant::{
    AcornSearchParams, Condition as PointCondition, FieldCondition, Filter as PointFilter, GetPoints, HasIdCondition,
    ListValue, Match, NamedVectors, PayloadIncludeSelector, PointId as ServerId, PointStruct, QuantizationSearchParams,
    Query, QueryPoints, Range as PointRange, RepeatedStrings, RetrievedPoint, ScoredPoint, SearchParams,
    SparseVector as ServerSparse, Value, Vector, VectorInput, Vectors, VectorsOutput, VectorsSelector,
    WithPayloadSelector, WithVectorsSelector, condition::ConditionOneOf, r#match::MatchValue, point_id::PointIdOptions,
    query::Variant, value::Kind as ValueKind, vector, vector_input, vectors, vectors_output, with_payload_selector,
    with_vectors_selector,
};
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use crate::{
    Damaged, DocumentQuery, FieldSelection, Hit, Point, PointId, Search, VectorSelection, Vectors as PlainVectors,
    damage::Checked,
    document_row,
    filter::{Condition, conditions},
    payload::{FilterField, QUERY, RECORD, StoredRow},
    row_sum::{self, SUM},
    search::SourceSearches,
};
use duijie_core::{
    domain::{Filter, Range},
    text::SparseVector,
};

/// Vector name of the embedding.
pub(super) const DENSE: &str = "dense";
/// Vector name of the term weights.
pub(super) const SPARSE: &str = "sparse";

/// All payload fields of a record that have checksums, and these.
const EVERYTHING: [&str; FilterField::ALL.len() + 3] = {
    let mut fields = [RECORD; FilterField::ALL.len() + 3];
    (fields[0], fields[1]) = (QUERY, SUM);
    let mut place = 0;
    while place < FilterField::ALL.len() {
        fields[place + 2] = FilterField::ALL[place].key();
        place += 1;
    }
    fields
};

/// Parameters of a graph search.
#[derive(Debug, Clone, Copy)]
pub(super) struct Beam {
    /// Beam width.
    pub(super) width: u64,
    /// Factor of extra candidates for quantized vectors; `None` without quantization.
    pub(super) oversampling: Option<f64>,
}

/// The server's id of a point.
pub(super) fn server_id(id: PointId) -> ServerId {
    ServerId { point_id_options: Some(PointIdOptions::Uuid(id.to_string())) }
}

/// Our id of a server's point; `None` if it is not one of ours.
pub(super) fn point_id(id: Option<&ServerId>) -> Option<PointId> {
    match id?.point_id_options.as_ref()? {
        PointIdOptions::Uuid(text) => Uuid::parse_str(text).ok().map(PointId::from),
        PointIdOptions::Num(_) => None,
    }
}

/// The point as the server stores it, with extra payload fields.
pub(super) fn point_in(
    id: PointId,
    row: StoredRow,
    more: impl IntoIterator<Item = (&'static str, Value)>,
) -> PointStruct {
    let mut payload: HashMap<String, Value> = row.payload.into_iter().map(|(key, json)| (key, value(json))).collect();
    payload.extend(more.into_iter().map(|(key, value)| (key.to_string(), value)));
    let named = |vector| Vector { vector: Some(vector), ..Vector::default() };
    // the server requires an explicit empty set for a document
    let vectors = match row.dense.is_empty() {
        true => HashMap::new(),
        false => HashMap::from([
            (DENSE.to_string(), named(vector::Vector::Dense(row.dense.into()))),
            (SPARSE.to_string(), named(vector::Vector::Sparse(server_sparse(row.sparse)))),
        ]),
    };
    let vectors = Vectors { vectors_options: Some(vectors::VectorsOptions::Vectors(NamedVectors { vectors })) };
    PointStruct { id: Some(server_id(id)), payload, vectors: Some(vectors) }
}

/// Converts a point read from the server, and compares it with its checksums; vectors that were not read are empty.
/// `None` if the id is not one of ours.
pub(super) fn point_out(found: RetrievedPoint, read: FieldSelection) -> Option<Result<Checked<Point>, Damaged>> {
    let id = point_id(found.id.as_ref())?;
    let PlainVectors { dense, sparse } = vectors_out(found.vectors);
    Some(StoredRow { payload: payload_out(found.payload), dense, sparse }.into_point(id, read))
}

/// Text of a payload value.
pub(super) fn text(value: &Value) -> Option<String> {
    match value.kind.as_ref()? {
        ValueKind::StringValue(text) => Some(text.clone()),
        _ => None,
    }
}

/// Texts of a payload value.
pub(super) fn texts(value: &Value) -> Vec<String> {
    match value.kind.as_ref() {
        Some(ValueKind::ListValue(list)) => list.values.iter().filter_map(text).collect(),
        _ => Vec::new(),
    }
}

/// Integer of a payload value.
pub(super) fn integer(value: &Value) -> Option<i64> {
    match value.kind.as_ref()? {
        ValueKind::IntegerValue(number) => Some(*number),
        _ => None,
    }
}

/// Payload value of a JSON value.
pub(super) fn value(json: Json) -> Value {
    let kind = match json {
        Json::Null => ValueKind::NullValue(0),
        Json::Bool(flag) => ValueKind::BoolValue(flag),
        Json::Number(number) => match number.as_i64() {
            Some(number) => ValueKind::IntegerValue(number),
            None => ValueKind::DoubleValue(number.as_f64().unwrap_or_default()),
        },
        Json::String(text) => ValueKind::StringValue(text),
        Json::Array(values) => ValueKind::ListValue(ListValue { values: values.into_iter().map(value).collect() }),
        // none of our fields is an object; an object would be kept as text
        object @ Json::Object(_) => ValueKind::StringValue(object.to_string()),
    };
    Value { kind: Some(kind) }
}

/// Converts a payload of texts, lists of texts and integers; drops all other values.
pub(super) fn payload_out(payload: HashMap<String, Value>) -> Map<String, Json> {
    let json = |value: Value| match value.kind? {
        ValueKind::StringValue(text) => Some(Json::String(text)),
        ValueKind::IntegerValue(number) => Some(Json::from(number)),
        ValueKind::ListValue(list) => Some(list.values.iter().filter_map(text).collect()),
        _ => None,
    };
    payload.into_iter().filter_map(|(key, value)| Some((key, json(value)?))).collect()
}

/// Request that reads points by id.
pub(super) fn get(collection: &str, ids: &[PointId], with: FieldSelection) -> GetPoints {
    GetPoints {
        collection_name: collection.to_string(),
        ids: ids.iter().copied().map(server_id).collect(),
        with_payload: Some(payload_of_interest(with)),
        with_vectors: Some(vectors_of_interest(with)),
        ..GetPoints::default()
    }
}

/// Selector for the payload fields to read.
pub(super) fn payload_of_interest(with: FieldSelection) -> WithPayloadSelector {
    fields(match with {
        FieldSelection::Payload | FieldSelection::Sparse => &[RECORD, SUM],
        FieldSelection::Everything => &EVERYTHING,
    })
}

/// Selector for these payload fields.
pub(super) fn fields(names: &[&str]) -> WithPayloadSelector {
    let fields = names.iter().map(ToString::to_string).collect();
    let include = with_payload_selector::SelectorOptions::Include(PayloadIncludeSelector { fields });
    WithPayloadSelector { selector_options: Some(include) }
}

/// Selector for the vectors to read.
pub(super) fn vectors_of_interest(with: FieldSelection) -> WithVectorsSelector {
    let options = match with {
        FieldSelection::Payload => with_vectors_selector::SelectorOptions::Enable(false),
        FieldSelection::Sparse => {
            with_vectors_selector::SelectorOptions::Include(VectorsSelector { names: vec![SPARSE.to_string()] })
        }
        FieldSelection::Everything => with_vectors_selector::SelectorOptions::Enable(true),
    };
    WithVectorsSelector { selector_options: Some(options) }
}

/// Selector for no payload.
pub(super) fn no_payload() -> WithPayloadSelector {
    with_payload_selector::SelectorOptions::Enable(false).into()
}

/// Selector for the whole payload.
pub(super) fn all_payload() -> WithPayloadSelector {
    with_payload_selector::SelectorOptions::Enable(true).into()
}

/// Selector for these vectors.
pub(super) fn these_vectors(which: VectorSelection) -> WithVectorsSelector {
    let names: &[&str] = match which {
        VectorSelection::Dense => &[DENSE],
        VectorSelection::Sparse => &[SPARSE],
        VectorSelection::Both => &[DENSE, SPARSE],
    };
    let names = names.iter().map(ToString::to_string).collect();
    let options = with_vectors_selector::SelectorOptions::Include(VectorsSelector { names });
    WithVectorsSelector { selector_options: Some(options) }
}

/// Id and vectors of a point read from the server; `None` if the id is not one of ours, or the vectors cannot be those of
/// a record.
pub(super) fn plain_vectors(found: RetrievedPoint) -> Option<(PointId, PlainVectors)> {
    let id = point_id(found.id.as_ref())?;
    let vectors = vectors_out(found.vectors);
    row_sum::is_sane(&vectors.dense).then_some((id, vectors))
}

/// The server's filter; `None` if it keeps everything.
pub(super) fn point_filter(filter: &Filter) -> Option<PointFilter> {
    narrowed(filter, Vec::new(), None)
}

/// The server's filter, with the points to exclude and the only points to keep.
fn narrowed(filter: &Filter, exclude: Vec<PointId>, within: Option<Vec<PointId>>) -> Option<PointFilter> {
    let mut all = PointFilter::default();
    for condition in conditions(filter) {
        match condition {
            Condition::Any { field, values } => all.must.push(any(field.key(), values)),
            Condition::None { field, values } => all.must_not.push(any(field.key(), values)),
            Condition::Between { field, range } => all.must.push(between(field, range)),
        }
    }
    all.must_not.extend((!exclude.is_empty()).then(|| has_id(exclude)));
    all.must.extend(within.map(has_id));
    (all != PointFilter::default()).then_some(all)
}

/// The server's filter of documents; `None` if it keeps everything.
pub(super) fn document_filter(query: DocumentQuery) -> Option<PointFilter> {
    let must: Vec<_> = document_row::conditions(query).into_iter().map(|(key, value)| any(key, vec![value])).collect();
    (!must.is_empty()).then(|| PointFilter { must, ..PointFilter::default() })
}

/// Condition: the keyword field has one of these values.
pub(super) fn any(key: &str, values: Vec<String>) -> PointCondition {
    let value = MatchValue::Keywords(RepeatedStrings { strings: values });
    field(FieldCondition {
        key: key.to_string(),
        r#match: Some(Match { match_value: Some(value) }),
        ..FieldCondition::default()
    })
}

/// Searches of both sources; `None` if a source is not requested or cannot match.
pub(super) fn searches(collection: &str, search: Search, beam: Beam) -> SourceSearches<QueryPoints> {
    let filter = narrowed(&search.filter, search.exclude, search.within);
    // looks two steps ahead in the graph if a filter keeps at most 7 of 10 points, as filtered points lie in between
    let acorn = filter.is_some().then_some(AcornSearchParams { enable: Some(true), max_selectivity: Some(0.7) });
    let request = |vector: vector_input::Variant, name: &str, params: Option<SearchParams>| QueryPoints {
        filter: filter.clone(),
        params,
        limit: Some(u64::try_from(search.depth).unwrap_or(u64::MAX)),
        ..nearest(collection, vector, name)
    };
    let params = SearchParams {
        hnsw_ef: Some(beam.width),
        acorn,
        quantization: beam.oversampling.map(|oversampling| QuantizationSearchParams {
            ignore: Some(false),
            rescore: Some(true),
            oversampling: Some(oversampling),
        }),
        ..SearchParams::default()
    };
    let dense = search.dense.map(|dense| request(vector_input::Variant::Dense(dense.into()), DENSE, Some(params)));
    // a query without terms matches nothing, so the engine is not asked
    let sparse = search.sparse.filter(|sparse| !sparse.indices.is_empty());
    let sparse = sparse.map(|sparse| request(vector_input::Variant::Sparse(server_sparse(sparse)), SPARSE, None));
    SourceSearches { dense, sparse }
}

/// Request for the cosines of these points.
pub(super) fn cosines(collection: &str, dense: Vec<f32>, ids: &[PointId]) -> QueryPoints {
    QueryPoints {
        filter: Some(PointFilter { must: vec![has_id(ids.iter().copied())], ..PointFilter::default() }),
        params: Some(SearchParams { exact: Some(true), ..SearchParams::default() }),
        limit: Some(u64::try_from(ids.len()).unwrap_or(u64::MAX)),
        ..nearest(collection, vector_input::Variant::Dense(dense.into()), DENSE)
    }
}

/// Hits, with equal scores in id order, so that the same search returns the same list.
pub(super) fn hits(points: Vec<ScoredPoint>) -> Vec<Hit> {
    let hits = points.iter().filter_map(|point| Some(Hit { id: point_id(point.id.as_ref())?, score: point.score }));
    let mut hits: Vec<Hit> = hits.collect();
    hits.sort_by(|one, other| other.score.total_cmp(&one.score).then_with(|| one.id.cmp(&other.id)));
    hits
}

fn nearest(collection: &str, vector: vector_input::Variant, name: &str) -> QueryPoints {
    QueryPoints {
        collection_name: collection.to_string(),
        query: Some(Query { variant: Some(Variant::Nearest(VectorInput { variant: Some(vector) })) }),
        using: Some(name.to_string()),
        with_payload: Some(with_payload_selector::SelectorOptions::Enable(false).into()),
        ..QueryPoints::default()
    }
}

/// Sorts terms, as the engine requires.
fn server_sparse(sparse: SparseVector) -> ServerSparse {
    let mut terms: Vec<(u32, f32)> = sparse.indices.into_iter().zip(sparse.values).collect();
    terms.sort_by_key(|(index, _)| *index);
    let (indices, values) = terms.into_iter().unzip();
    ServerSparse { values, indices }
}

fn vectors_out(found: Option<VectorsOutput>) -> PlainVectors {
    let mut vectors = PlainVectors::default();
    let Some(vectors_output::VectorsOptions::Vectors(named)) = found.and_then(|found| found.vectors_options) else {
        return vectors;
    };
    for vector in named.vectors.into_values() {
        // also reads the format of older servers
        match vector.into_vector() {
            qdrant_client::qdrant::vector_output::Vector::Dense(dense) => vectors.dense = dense.data,
            qdrant_client::qdrant::vector_output::Vector::Sparse(sparse) => {
                vectors.sparse = SparseVector { indices: sparse.indices, values: sparse.values };
            }
            qdrant_client::qdrant::vector_output::Vector::MultiDense(_) => {}
        }
    }
    vectors
}

fn has_id(ids: impl IntoIterator<Item = PointId>) -> PointCondition {
    let has_id = ids.into_iter().map(server_id).collect();
    PointCondition { condition_one_of: Some(ConditionOneOf::HasId(HasIdCondition { has_id })) }
}

fn field(condition: FieldCondition) -> PointCondition {
    PointCondition { condition_one_of: Some(ConditionOneOf::Field(condition)) }
}

/// The engine compares integers as floats; amounts and seconds are far below 2^53, where floats are exact.
fn between(on: FilterField, range: Range) -> PointCondition {
    let end = |value: Option<i64>| value.map(|value| value as f64);
    let range = PointRange { lt: None, gt: None, gte: end(range.min), lte: end(range.max) };
    field(FieldCondition { key: on.key().to_string(), range: Some(range), ..FieldCondition::default() })
}
