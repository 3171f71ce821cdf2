//! Conversion between the messages and the engine's types.

use std::{collections::HashMap, fmt::Display};

use qdrant_client::qdrant::{
    self as proto, DenseVector, ListValue, NamedVectorsOutput, PointId, PointStruct, PrefetchQuery, QueryPoints,
    RetrievedPoint, Struct, Value, VectorOutput, VectorsOutput, WithPayloadSelector, WithVectorsSelector,
    condition::ConditionOneOf, r#match::MatchValue, point_id::PointIdOptions, query::Variant, value::Kind, vector,
    vector_input, vector_output, vectors::VectorsOptions, vectors_output, with_payload_selector, with_vectors_selector,
};
use qdrant_edge::{
    AcornSearchParams, AnyVariants, Condition, FieldCondition, Filter, Fusion, HasIdCondition, JsonPath, Match,
    NamedQuery, OperationError, Payload, PayloadSelector, PointId as EdgeId, PointStructPersisted, Prefetch,
    QuantizationSearchParams, QueryEnum, QueryRequest, Range, Record, ScoredPoint, ScoringQuery, SearchParams,
    SparseVector, ValueVariants, VectorInternal, VectorPersisted, VectorStructInternal, VectorStructPersisted,
    WithPayloadInterface, WithVector,
    external::{ordered_float::OrderedFloat, uuid::Uuid},
};
use serde_json::{Map, Value as Json};
use tonic::Status;

/// Result of a conversion.
pub(super) type Result<T> = std::result::Result<T, Status>;

/// Error for an invalid request.
pub(super) fn wrong(what: impl Display) -> Status {
    Status::invalid_argument(format!("Wrong input: {what}"))
}

/// Error for a failed engine operation.
pub(super) fn failed(error: OperationError) -> Status {
    match error {
        OperationError::WrongVectorDimension { .. }
        | OperationError::VectorNameNotExists { .. }
        | OperationError::TypeError { .. }
        | OperationError::ValidationError { .. }
        | OperationError::WrongSparse
        | OperationError::WrongMulti => wrong(error),
        OperationError::PointIdError { .. } => Status::not_found(format!("Not found: {error}")),
        _ => Status::internal(format!("Service internal error: {error}")),
    }
}

fn unknown(what: &str) -> Status {
    Status::unimplemented(format!("the test server knows no such {what}"))
}

/// The engine's id.
pub(super) fn point_id(id: PointId) -> Result<EdgeId> {
    match id.point_id_options.ok_or_else(|| Status::invalid_argument("Malformed Point ID"))? {
        PointIdOptions::Num(number) => Ok(EdgeId::NumId(number)),
        PointIdOptions::Uuid(text) => {
            let uuid = Uuid::parse_str(&text);
            uuid.map(EdgeId::Uuid).map_err(|_| Status::invalid_argument(format!("Unable to parse UUID: {text}")))
        }
    }
}

/// The id for the wire.
pub(super) fn id_out(id: EdgeId) -> PointId {
    let id = match id {
        EdgeId::NumId(number) => PointIdOptions::Num(number),
        EdgeId::Uuid(uuid) => PointIdOptions::Uuid(uuid.to_string()),
    };
    PointId { point_id_options: Some(id) }
}

/// The engine's path to a field.
pub(super) fn path(key: &str) -> Result<JsonPath> {
    key.parse().map_err(|()| Status::invalid_argument(format!("Unable to parse key: {key}")))
}

/// The engine's filter.
pub(super) fn filter(filter: proto::Filter) -> Result<Filter> {
    if filter.min_should.is_some() {
        return Err(unknown("condition"));
    }
    let list = |conditions: Vec<proto::Condition>| -> Result<Option<Vec<Condition>>> {
        let conditions = conditions.into_iter().map(condition).collect::<Result<Vec<_>>>()?;
        Ok((!conditions.is_empty()).then_some(conditions))
    };
    let (should, must, must_not) = (list(filter.should)?, list(filter.must)?, list(filter.must_not)?);
    Ok(Filter { should, min_should: None, must, must_not })
}

fn condition(condition: proto::Condition) -> Result<Condition> {
    let condition = condition.condition_one_of.ok_or_else(|| Status::invalid_argument("Malformed Condition type"))?;
    Ok(match condition {
        ConditionOneOf::Field(field) => Condition::Field(field_condition(field)?),
        ConditionOneOf::IsEmpty(empty) => Condition::IsEmpty(path(&empty.key)?.into()),
        ConditionOneOf::IsNull(null) => Condition::IsNull(path(&null.key)?.into()),
        ConditionOneOf::Filter(inner) => Condition::Filter(filter(inner)?),
        ConditionOneOf::HasId(ids) => {
            let ids = ids.has_id.into_iter().map(point_id).collect::<Result<Vec<_>>>()?;
            Condition::HasId(ids.into_iter().collect::<HasIdCondition>())
        }
        _ => return Err(unknown("condition")),
    })
}

fn field_condition(field: proto::FieldCondition) -> Result<FieldCondition> {
    let key = path(&field.key)?;
    let matched = field.r#match.and_then(|matched| matched.match_value).map(matching).transpose()?;
    let end = |end: Option<f64>| end.map(OrderedFloat);
    let range = field.range.map(|r| Range { lt: end(r.lt), gt: end(r.gt), gte: end(r.gte), lte: end(r.lte) });
    match (matched, range) {
        (Some(matched), None) => Ok(FieldCondition::new_match(key, matched)),
        (None, Some(range)) => Ok(FieldCondition::new_range(key, range)),
        _ => Err(unknown("condition on a field")),
    }
}

fn matching(value: MatchValue) -> Result<Match> {
    let strings = |list: proto::RepeatedStrings| AnyVariants::Strings(list.strings.into_iter().collect());
    let integers = |list: proto::RepeatedIntegers| AnyVariants::Integers(list.integers.into_iter().collect());
    Ok(match value {
        MatchValue::Keyword(keyword) => Match::new_value(ValueVariants::String(keyword)),
        MatchValue::Integer(integer) => Match::new_value(ValueVariants::Integer(integer)),
        MatchValue::Boolean(boolean) => Match::new_value(ValueVariants::Bool(boolean)),
        MatchValue::Keywords(list) => Match::new_any(strings(list)),
        MatchValue::Integers(list) => Match::new_any(integers(list)),
        MatchValue::ExceptKeywords(list) => Match::new_except(strings(list)),
        MatchValue::ExceptIntegers(list) => Match::new_except(integers(list)),
        _ => return Err(unknown("match")),
    })
}

/// The engine's point.
pub(super) fn point(point: PointStruct) -> Result<PointStructPersisted> {
    let id = point_id(point.id.ok_or_else(|| Status::invalid_argument("Empty ID is not allowed"))?)?;
    let vectors = point.vectors.ok_or_else(|| Status::invalid_argument("Expected some vectors"))?;
    let vectors = match vectors.vectors_options {
        Some(VectorsOptions::Vectors(named)) => named.vectors,
        Some(VectorsOptions::Vector(_)) => return Err(unknown("vector without a name")),
        None => return Err(Status::invalid_argument("No Vector Provided")),
    };
    let vectors = vectors.into_iter().map(|(name, vector)| Ok((name, vector_in(vector)?)));
    let vector = VectorStructPersisted::Named(vectors.collect::<Result<HashMap<_, _>>>()?);
    let payload = Payload(point.payload.into_iter().map(|(key, value)| (key, json(value))).collect());
    Ok(PointStructPersisted { id, vector, payload: Some(payload) })
}

/// Reads vectors in the current format and in the one before 1.13.
fn vector_in(given: proto::Vector) -> Result<VectorPersisted> {
    match (given.vector, given.indices) {
        (Some(vector::Vector::Dense(dense)), _) => Ok(VectorPersisted::Dense(dense.data)),
        (Some(vector::Vector::Sparse(given)), _) => Ok(VectorPersisted::Sparse(sparse(given.indices, given.values)?)),
        (Some(_), _) => Err(unknown("sort of vector")),
        (None, Some(indices)) => Ok(VectorPersisted::Sparse(sparse(indices.data, given.data)?)),
        (None, None) => Ok(VectorPersisted::Dense(given.data)),
    }
}

fn sparse(indices: Vec<u32>, values: Vec<f32>) -> Result<SparseVector> {
    let mut vector = SparseVector::new(indices, values).map_err(|error| {
        Status::invalid_argument(format!("Sparse indices does not match sparse vector conditions: {error}"))
    })?;
    vector.sort_by_indices();
    Ok(vector)
}

/// The engine's query.
pub(super) fn query(query: QueryPoints) -> Result<QueryRequest> {
    Ok(QueryRequest {
        prefetches: query.prefetch.into_iter().map(prefetch).collect::<Result<_>>()?,
        query: scoring(query.query, query.using)?,
        filter: query.filter.map(filter).transpose()?,
        score_threshold: query.score_threshold.map(OrderedFloat),
        limit: query.limit.unwrap_or(10) as usize,
        offset: query.offset.unwrap_or(0) as usize,
        params: query.params.map(params),
        with_vector: with_vectors(query.with_vectors),
        with_payload: with_payload(query.with_payload, false)?,
    })
}

fn prefetch(query: PrefetchQuery) -> Result<Prefetch> {
    Ok(Prefetch {
        prefetches: query.prefetch.into_iter().map(prefetch).collect::<Result<_>>()?,
        query: scoring(query.query, query.using)?,
        limit: query.limit.unwrap_or(10) as usize,
        params: query.params.map(params),
        filter: query.filter.map(filter).transpose()?,
        score_threshold: query.score_threshold.map(OrderedFloat),
    })
}

fn scoring(query: Option<proto::Query>, using: Option<String>) -> Result<Option<ScoringQuery>> {
    let Some(variant) = query.and_then(|query| query.variant) else { return Ok(None) };
    let rrf = |k, weights| ScoringQuery::Fusion(Fusion::Rrf { k, weights });
    Ok(Some(match variant {
        Variant::Nearest(input) => {
            let vector = match input.variant.ok_or_else(|| Status::invalid_argument("VectorInput is missing"))? {
                vector_input::Variant::Dense(dense) => VectorInternal::Dense(dense.data),
                vector_input::Variant::Sparse(given) => VectorInternal::Sparse(sparse(given.indices, given.values)?),
                _ => return Err(unknown("sort of query vector")),
            };
            ScoringQuery::Vector(QueryEnum::Nearest(NamedQuery::new(vector, using.unwrap_or_default())))
        }
        // 2 is the server's default
        Variant::Fusion(fusion) if fusion == i32::from(proto::Fusion::Rrf) => rrf(2, None),
        Variant::Rrf(given) => {
            let weights = given.weights.into_iter().map(OrderedFloat).collect::<Vec<_>>();
            rrf(given.k.unwrap_or(2) as usize, (!weights.is_empty()).then_some(weights))
        }
        _ => return Err(unknown("query")),
    }))
}

fn params(params: proto::SearchParams) -> SearchParams {
    let acorn = |acorn: proto::AcornSearchParams| AcornSearchParams {
        enable: acorn.enable.unwrap_or(false),
        max_selectivity: acorn.max_selectivity.map(OrderedFloat),
    };
    let quantization = |quantization: proto::QuantizationSearchParams| QuantizationSearchParams {
        ignore: quantization.ignore.unwrap_or(false),
        rescore: quantization.rescore,
        oversampling: quantization.oversampling,
    };
    SearchParams {
        hnsw_ef: params.hnsw_ef.map(|beam| beam as usize),
        exact: params.exact.unwrap_or(false),
        quantization: params.quantization.map(quantization),
        indexed_only: params.indexed_only.unwrap_or(false),
        acorn: params.acorn.map(acorn),
    }
}

/// Payload selection of a response.
pub(super) fn with_payload(selector: Option<WithPayloadSelector>, default: bool) -> Result<WithPayloadInterface> {
    use with_payload_selector::SelectorOptions;
    let paths = |fields: Vec<String>| fields.iter().map(|field| path(field)).collect::<Result<Vec<_>>>();
    Ok(match selector.and_then(|selector| selector.selector_options) {
        None => WithPayloadInterface::Bool(default),
        Some(SelectorOptions::Enable(enable)) => WithPayloadInterface::Bool(enable),
        Some(SelectorOptions::Include(include)) => {
            WithPayloadInterface::Selector(PayloadSelector::new_include(paths(include.fields)?))
        }
        Some(SelectorOptions::Exclude(exclude)) => {
            WithPayloadInterface::Selector(PayloadSelector::new_exclude(paths(exclude.fields)?))
        }
    })
}

/// Vector selection of a response.
pub(super) fn with_vectors(selector: Option<WithVectorsSelector>) -> WithVector {
    use with_vectors_selector::SelectorOptions;
    match selector.and_then(|selector| selector.selector_options) {
        None => WithVector::Bool(false),
        Some(SelectorOptions::Enable(enable)) => WithVector::Bool(enable),
        Some(SelectorOptions::Include(include)) => WithVector::Selector(include.names),
    }
}

/// Wire message of a point that was read.
pub(super) fn record(record: Record) -> RetrievedPoint {
    RetrievedPoint {
        id: Some(id_out(record.id)),
        payload: payload_out(record.payload),
        vectors: record.vector.map(vectors_out),
        ..RetrievedPoint::default()
    }
}

/// Wire message of a search hit.
pub(super) fn scored(point: ScoredPoint) -> proto::ScoredPoint {
    proto::ScoredPoint {
        id: Some(id_out(point.id)),
        payload: payload_out(point.payload),
        score: point.score,
        version: point.version,
        vectors: point.vector.map(vectors_out),
        ..proto::ScoredPoint::default()
    }
}

fn payload_out(payload: Option<Payload>) -> HashMap<String, Value> {
    payload
        .map(|payload| payload.0)
        .unwrap_or_default()
        .into_iter()
        .map(|(key, value)| (key, from_json(value)))
        .collect()
}

fn vectors_out(vectors: VectorStructInternal) -> VectorsOutput {
    use vector_output::Vector;
    let VectorStructInternal::Named(named) = vectors else { return VectorsOutput::default() };
    let out = |vector: VectorInternal| match vector {
        VectorInternal::Dense(data) => Some(Vector::Dense(DenseVector { data })),
        VectorInternal::Sparse(sparse) => {
            Some(Vector::Sparse(proto::SparseVector { values: sparse.values, indices: sparse.indices }))
        }
        VectorInternal::MultiDense(_) => None,
    };
    let vectors =
        named.into_iter().map(|(name, vector)| (name, VectorOutput { vector: out(vector), ..VectorOutput::default() }));
    let vectors = NamedVectorsOutput { vectors: vectors.collect() };
    VectorsOutput { vectors_options: Some(vectors_output::VectorsOptions::Vectors(vectors)) }
}

fn json(value: Value) -> Json {
    match value.kind {
        None | Some(Kind::NullValue(_)) => Json::Null,
        Some(Kind::DoubleValue(double)) => Json::from(double),
        Some(Kind::IntegerValue(integer)) => Json::from(integer),
        Some(Kind::StringValue(text)) => Json::from(text),
        Some(Kind::BoolValue(boolean)) => Json::from(boolean),
        Some(Kind::StructValue(fields)) => {
            Json::Object(fields.fields.into_iter().map(|(key, value)| (key, json(value))).collect::<Map<_, _>>())
        }
        Some(Kind::ListValue(list)) => list.values.into_iter().map(json).collect(),
    }
}

/// Wire value of a JSON value.
pub fn from_json(value: Json) -> Value {
    let kind = match value {
        Json::Null => Kind::NullValue(0),
        Json::Bool(boolean) => Kind::BoolValue(boolean),
        Json::Number(number) => match number.as_i64() {
            Some(integer) => Kind::IntegerValue(integer),
            None => Kind::DoubleValue(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(text) => Kind::StringValue(text),
        Json::Array(values) => Kind::ListValue(ListValue { values: values.into_iter().map(from_json).collect() }),
        Json::Object(fields) => Kind::StructValue(Struct {
            fields: fields.into_iter().map(|(key, value)| (key, from_json(value))).collect(),
        }),
    };
    Value { kind: Some(kind) }
}
