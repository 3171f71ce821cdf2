//! Tests of the test server: every call, condition and fault once, with the generated stubs only.
#![allow(deprecated, reason = "a server of 1.18 has the older fields")]

use std::{collections::HashMap, time::Duration};

use ::qdrant_client::{
    Payload,
    qdrant::{
        collections_client::CollectionsClient, r#match::MatchValue, points_client::PointsClient,
        points_selector::PointsSelectorOneOf, qdrant_client::QdrantClient, quantization_config::Quantization,
        query::Variant, vectors::VectorsOptions, vectors_config::Config, *,
    },
};
use serde_json::json;
use tempfile::TempDir;
use tonic::{Code, Request, Status, transport::Channel};

use super::qdrant_server::{Fault, QdrantServer, value};

const NAME: &str = "demands";

struct Wire {
    server: QdrantServer,
    folder: TempDir,
    points: PointsClient<Channel>,
    collections: CollectionsClient<Channel>,
}

// === impl Wire ===

impl Wire {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::at(QdrantServer::start(folder.path()), folder)
    }

    /// Starts with a collection of 4 points.
    async fn filled() -> Self {
        let mut wire = Self::start().await;
        wire.collections.create(collection()).await.unwrap();
        for (field, field_type) in [("kind", FieldType::Keyword), ("count", FieldType::Integer)] {
            wire.index(field, field_type).await;
        }
        wire.upsert(points(), None, None).await.unwrap();
        wire
    }

    fn at(server: QdrantServer, folder: TempDir) -> Self {
        let channel = Channel::from_shared(server.url()).unwrap().connect_lazy();
        Self {
            server,
            folder,
            points: PointsClient::new(channel.clone()),
            collections: CollectionsClient::new(channel),
        }
    }

    async fn restart(self) -> Self {
        let address = self.server.address();
        self.server.stop().await;
        Self::at(QdrantServer::start_at(self.folder.path(), address), self.folder)
    }

    async fn index(&mut self, field: &str, field_type: FieldType) {
        let request = CreateFieldIndexCollection {
            collection_name: NAME.into(),
            wait: Some(true),
            field_name: field.into(),
            field_type: Some(field_type.into()),
            ..Default::default()
        };
        let answer = self.points.create_field_index(request).await.unwrap().into_inner();
        assert_eq!(answer.result.unwrap().status, i32::from(UpdateStatus::Completed));
    }

    async fn upsert(
        &mut self,
        points: Vec<PointStruct>,
        update_filter: Option<Filter>,
        mode: Option<UpdateMode>,
    ) -> Result<(), Status> {
        let (collection_name, update_mode) = (NAME.into(), mode.map(Into::into));
        let request = UpsertPoints { collection_name, points, update_filter, update_mode, ..Default::default() };
        self.points.upsert(request).await.map(|_| ())
    }

    async fn info(&mut self) -> Result<CollectionInfo, Status> {
        let request = GetCollectionInfoRequest { collection_name: NAME.into() };
        self.collections.get(request).await.map(|answer| answer.into_inner().result.unwrap())
    }

    async fn scroll(&mut self, filter: Option<Filter>, offset: Option<PointId>, limit: u32) -> ScrollResponse {
        let request =
            ScrollPoints { collection_name: NAME.into(), filter, offset, limit: Some(limit), ..Default::default() };
        self.points.scroll(request).await.unwrap().into_inner()
    }

    async fn kept(&mut self, filter: Filter) -> Vec<u64> {
        let filter_too = Some(filter.clone());
        let counted = CountPoints { collection_name: NAME.into(), filter: filter_too, ..Default::default() };
        let count = self.points.count(counted).await.unwrap().into_inner().result.unwrap().count;
        let found = self.scroll(Some(filter), None, 10).await.result;
        assert_eq!(found.len() as u64, count);
        found.into_iter().map(|point| number(point.id)).collect()
    }

    async fn count(&mut self) -> u64 {
        self.kept(Filter::default()).await.len() as u64
    }

    async fn get(&mut self, number: u64) -> Option<RetrievedPoint> {
        let request = GetPoints {
            collection_name: NAME.into(),
            ids: vec![id(number)],
            with_vectors: Some(true.into()),
            ..Default::default()
        };
        self.points.get(request).await.unwrap().into_inner().result.pop()
    }

    async fn query(&mut self, query: QueryPoints) -> Result<Vec<(u64, f32)>, Status> {
        let query = QueryPoints { collection_name: NAME.into(), ..query };
        let found = self.points.query(query).await?.into_inner().result;
        Ok(found.into_iter().map(|point| (number(point.id), point.score)).collect())
    }
}

fn collection() -> CreateCollection {
    let quantization =
        ScalarQuantization { r#type: 1, quantile: Some(0.99), always_ram: Some(true), ..Default::default() };
    let dense = VectorParams {
        size: 2,
        distance: Distance::Cosine.into(),
        on_disk: Some(true),
        quantization_config: Some(QuantizationConfig { quantization: Some(Quantization::Scalar(quantization)) }),
        ..Default::default()
    };
    let dense = VectorParamsMap { map: HashMap::from([("dense".into(), dense)]) };
    let sparse = SparseVectorParams { modifier: Some(Modifier::Idf.into()), index: None };
    CreateCollection {
        collection_name: NAME.into(),
        shard_number: Some(2),
        replication_factor: Some(3),
        vectors_config: Some(VectorsConfig { config: Some(Config::ParamsMap(dense)) }),
        sparse_vectors_config: Some(SparseVectorConfig { map: HashMap::from([("sparse".into(), sparse)]) }),
        optimizers_config: Some(OptimizersConfigDiff { indexing_threshold: Some(1), ..Default::default() }),
        hnsw_config: Some(HnswConfigDiff { m: Some(8), payload_m: Some(0), ..Default::default() }),
        ..Default::default()
    }
}

fn id(number: u64) -> PointId {
    PointId::from(uuid::Uuid::from_u128(number.into()).to_string())
}

fn number(id: Option<PointId>) -> u64 {
    match id.unwrap().point_id_options.unwrap() {
        point_id::PointIdOptions::Uuid(text) => uuid::Uuid::parse_str(&text).unwrap().as_u128() as u64,
        point_id::PointIdOptions::Num(number) => number,
    }
}

fn point(number: u64, dense: [f32; 2], sparse: &[(u32, f32)], payload: serde_json::Value) -> PointStruct {
    let (indices, values): (Vec<u32>, Vec<f32>) = sparse.iter().copied().unzip();
    let vectors = NamedVectors::default()
        .add_vector("dense", Vector::new_dense(dense.to_vec()))
        .add_vector("sparse", Vector::new_sparse(indices, values));
    let Some(value::Kind::StructValue(payload)) = value(payload).kind else { panic!("an object") };
    PointStruct::new(id(number), vectors, Payload::from(payload.fields))
}

fn points() -> Vec<PointStruct> {
    vec![
        point(3, [0.0, 1.0], &[(7, 2.0)], json!({"kind": "c", "count": 30, "open": false, "tags": []})),
        point(
            1,
            [1.0, 0.0],
            &[(9, 1.0), (7, 1.0)],
            json!({"kind": "a", "count": i64::MAX, "open": true, "tags": ["x"]}),
        ),
        point(2, [0.8, 0.6], &[(9, 3.0)], json!({"kind": ["b", "c"], "count": 20, "deep": {"list": [1, 2.5, null]}})),
        point(4, [-1.0, 0.0], &[(5, 1.0)], json!({})),
    ]
}

fn near(vector: Query, using: &str) -> QueryPoints {
    QueryPoints { query: Some(vector), using: Some(using.into()), limit: Some(3), ..Default::default() }
}

fn said(status: &Status) -> (Code, &str) {
    (status.code(), status.message())
}

#[tokio::test]
async fn collections_are_answered_as_they_were_made_also_after_a_restart() {
    let mut wire = Wire::start().await;
    let absent = wire.info().await.unwrap_err();
    assert_eq!(said(&absent), (Code::NotFound, "Not found: Collection `demands` doesn't exist!"));
    wire.collections.create(collection()).await.unwrap();
    let taken = wire.collections.create(collection()).await.unwrap_err();
    assert_eq!(said(&taken), (Code::AlreadyExists, "Wrong input: Collection `demands` already exists!"));
    wire.index("kind", FieldType::Keyword).await;
    wire.index("at", FieldType::Integer).await;
    wire.upsert(points(), None, None).await.unwrap();

    let info = wire.info().await.unwrap();
    let config = info.config.clone().unwrap();
    let params = config.params.unwrap();
    let given = collection();
    assert_eq!(
        (params.vectors_config, params.sparse_vectors_config),
        (given.vectors_config, given.sparse_vectors_config)
    );
    assert_eq!(
        (params.shard_number, params.replication_factor, params.write_consistency_factor),
        (2, Some(3), Some(1))
    );
    assert_eq!(config.hnsw_config.map(|hnsw| (hnsw.m, hnsw.ef_construct)), Some((Some(8), Some(100))));
    assert_eq!(info.payload_schema["kind"].data_type, i32::from(PayloadSchemaType::Keyword));
    assert_eq!(info.payload_schema["kind"].points, Some(3));
    assert_eq!((info.points_count, info.status), (Some(4), i32::from(CollectionStatus::Green)));

    // points in a collection without vectors must state explicitly that they have none
    let leases = CreateCollection { collection_name: "leases".into(), ..Default::default() };
    wire.collections.create(leases).await.unwrap();
    for (vectors, want) in [
        (None, Code::InvalidArgument),
        (Some(Vectors { vectors_options: Some(VectorsOptions::Vectors(NamedVectors::default())) }), Code::Ok),
    ] {
        let lease = PointStruct { id: Some(7.into()), vectors, payload: HashMap::from([("until".into(), 5.into())]) };
        let upsert = UpsertPoints { collection_name: "leases".into(), points: vec![lease], ..Default::default() };
        let code = wire.points.upsert(upsert).await.map_or_else(|status| status.code(), |_| Code::Ok);
        assert_eq!(code, want);
    }

    let before = wire.scroll(None, None, 9).await.result;
    let mut wire = wire.restart().await;
    assert_eq!(wire.info().await.unwrap(), info);
    assert_eq!(wire.scroll(None, None, 9).await.result, before);
    wire.upsert(vec![point(1, [1.0, 0.0], &[], json!({"kind": "new"}))], None, None).await.unwrap();
    assert_eq!(wire.get(1).await.unwrap().payload["kind"], "new".into());

    let list = wire.collections.list(ListCollectionsRequest {}).await.unwrap().into_inner().collections;
    assert_eq!(list.into_iter().map(|collection| collection.name).collect::<Vec<_>>(), [NAME, "leases"]);
    for (exists, removed) in [(true, true), (false, false)] {
        let asked = CollectionExistsRequest { collection_name: NAME.into() };
        let answer = wire.collections.collection_exists(asked).await.unwrap().into_inner();
        assert_eq!(answer.result.unwrap().exists, exists);
        let asked = DeleteCollection { collection_name: NAME.into(), timeout: None };
        assert_eq!(wire.collections.delete(asked).await.unwrap().into_inner().result, removed);
    }
}

#[tokio::test]
async fn filters_keep_what_they_say() {
    let mut wire = Wire::filled().await;
    let strings = |list: &[&str]| RepeatedStrings { strings: list.iter().map(ToString::to_string).collect() };
    let one = |condition: Condition| Filter::must([condition]);
    let kind = |kind: &str| Condition::matches("kind", kind.to_string());
    let range = |range| one(Condition::range("count", range));
    let rows: Vec<(Filter, &[u64])> = vec![
        (one(kind("c")), &[2, 3]),
        (one(Condition::matches("kind", MatchValue::Keywords(strings(&["a", "b"])))), &[1, 2]),
        (one(Condition::matches("kind", MatchValue::ExceptKeywords(strings(&["a", "b"])))), &[2, 3]),
        (one(Condition::matches("count", 20)), &[2]),
        (one(Condition::matches("count", MatchValue::Integers(RepeatedIntegers { integers: vec![20, 30] }))), &[2, 3]),
        (one(Condition::matches("open", true)), &[1]),
        (range(Range { gte: Some(20.0), lt: Some(30.0), ..Default::default() }), &[2]),
        (range(Range { gt: Some(20.0), lte: Some(30.0), ..Default::default() }), &[3]),
        (one(Condition::has_id([id(4), id(9), 1.into()])), &[4]),
        (one(Condition::is_empty("tags")), &[2, 3, 4]),
        (Filter::must_not([kind("c")]), &[1, 4]),
        (Filter::should([kind("a"), kind("b")]), &[1, 2]),
        (Filter { must_not: vec![kind("b")], ..one(kind("c")) }, &[3]),
        (
            one(Filter::should([kind("a"), Filter::must_not([Condition::is_empty("count"), kind("c")]).into()]).into()),
            &[1],
        ),
    ];
    for (filter, want) in rows {
        assert_eq!(wire.kept(filter.clone()).await, want, "{filter:?}");
    }
}

#[tokio::test]
async fn points_come_back_as_they_went_page_by_page() {
    let mut wire = Wire::filled().await;
    let mut point = wire.get(1).await.unwrap();
    assert_eq!(point.payload, points()[1].payload);
    assert_eq!(point.payload["count"].kind, Some(value::Kind::IntegerValue(i64::MAX)));
    let vectors = point.vectors.take().unwrap();
    assert_eq!(
        vectors.get_vector_by_name("dense"),
        Some(vector_output::Vector::Dense(DenseVector { data: vec![1.0, 0.0] }))
    );
    let sparse = SparseVector { values: vec![1.0, 1.0], indices: vec![7, 9] };
    assert_eq!(vectors.get_vector_by_name("sparse"), Some(vector_output::Vector::Sparse(sparse)));
    assert_eq!(wire.get(2).await.unwrap().payload, points()[2].payload);
    assert!(wire.get(9).await.is_none());

    let first = wire.scroll(None, None, 3).await;
    assert_eq!(first.result.iter().map(|point| number(point.id.clone())).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(first.result.iter().all(|point| point.vectors.is_none() && !point.payload.is_empty()));
    assert_eq!(first.next_page_offset, Some(id(4)));
    let second = wire.scroll(None, first.next_page_offset, 3).await;
    assert_eq!((second.result.len(), second.next_page_offset), (1, None));
    let request = ScrollPoints {
        collection_name: NAME.into(),
        limit: Some(1),
        with_payload: Some(vec!["kind"].into()),
        with_vectors: Some(vec!["sparse"].into()),
        ..Default::default()
    };
    let point = wire.points.scroll(request).await.unwrap().into_inner().result.remove(0);
    assert_eq!(point.payload.into_keys().collect::<Vec<_>>(), ["kind"]);
    assert!(point.vectors.as_ref().unwrap().get_vector_by_name("dense").is_none());

    let of_kind = Filter::must([Condition::matches("kind", "c".to_string())]);
    for (selector, left) in [
        (PointsSelectorOneOf::Points(PointsIdsList { ids: vec![id(1), id(9)] }), 3),
        (PointsSelectorOneOf::Filter(of_kind), 1),
    ] {
        let points = Some(PointsSelector { points_selector_one_of: Some(selector) });
        let request = DeletePoints { collection_name: NAME.into(), points, ..Default::default() };
        wire.points.delete(request).await.unwrap();
        assert_eq!(wire.count().await, left);
    }
}

#[tokio::test]
async fn a_condition_decides_which_points_an_upsert_replaces() {
    let mut wire = Wire::filled().await;
    let below =
        |count| Some(Filter::must([Condition::range("count", Range { lt: Some(count), ..Default::default() })]));
    let at = |number, count: i64| vec![point(number, [1.0, 0.0], &[], json!({"count": count}))];
    let rows = [
        (2, 21, below(21.0), None, Some(21)),
        (2, 19, below(19.0), None, Some(21)),
        (8, 1, below(0.0), None, Some(1)),
        (9, 1, None, Some(UpdateMode::UpdateOnly), None),
        (9, 2, below(0.0), Some(UpdateMode::InsertOnly), Some(2)),
        (9, 3, None, Some(UpdateMode::InsertOnly), Some(2)),
    ];
    for (number, count, filter, mode, want) in rows {
        wire.upsert(at(number, count), filter, mode).await.unwrap();
        let stored = wire.get(number).await.map(|point| point.payload["count"].as_integer().unwrap());
        assert_eq!(stored, want, "{number} {count}");
    }
}

#[tokio::test]
async fn queries_find_by_vector_by_terms_and_by_both() {
    let mut wire = Wire::filled().await;
    let dense = || near(vec![1.0, 0.0].into(), "dense");
    let close = |found: &[(u64, f32)], want: &[(u64, f32)]| {
        let fits = found.len() == want.len()
            && found.iter().zip(want).all(|(one, other)| one.0 == other.0 && (one.1 - other.1).abs() < 1e-5);
        assert!(fits, "{found:?} is not {want:?}");
    };
    close(&wire.query(dense()).await.unwrap(), &[(1, 1.0), (2, 0.8), (3, 0.0)]);
    // 4 points; term 7 is in 2 of them, term 9 in 2: ln(1 + 2.5 / 2.5)
    let idf = 2.0_f32.ln();
    let sparse = || near(vec![(9, 1.0), (7, 0.5)].into(), "sparse");
    close(&wire.query(sparse()).await.unwrap(), &[(2, 3.0 * idf), (1, 1.5 * idf), (3, idf)]);

    let not_first = Filter::must_not([Condition::has_id([id(1)])]);
    let params = SearchParams {
        hnsw_ef: Some(64),
        exact: Some(true),
        quantization: Some(QuantizationSearchParams { rescore: Some(true), ..Default::default() }),
        acorn: Some(AcornSearchParams { enable: Some(true), max_selectivity: Some(0.7) }),
        ..Default::default()
    };
    let filtered = QueryPoints { filter: Some(not_first), params: Some(params.clone()), limit: Some(1), ..dense() };
    close(&wire.query(filtered.clone()).await.unwrap(), &[(2, 0.8)]);
    let batch =
        QueryBatchPoints { collection_name: NAME.into(), query_points: vec![filtered, sparse()], ..Default::default() };
    let batch = wire.points.query_batch(batch).await.unwrap().into_inner().result;
    assert_eq!(batch.iter().map(|found| found.result.len()).collect::<Vec<_>>(), [1, 3]);

    // rank 0 in one list and 1 in the other, with k = 2: 1/2 + 1/3
    let prefetch = |query: QueryPoints| PrefetchQuery {
        query: query.query,
        using: query.using,
        limit: Some(2),
        ..Default::default()
    };
    let both = QueryPoints {
        prefetch: vec![prefetch(dense()), prefetch(sparse())],
        query: Some(Query { variant: Some(Variant::Fusion(Fusion::Rrf.into())) }),
        with_payload: Some(true.into()),
        limit: Some(2),
        ..Default::default()
    };
    let found = wire.query(both).await.unwrap();
    assert!(found.iter().all(|(_, score)| (score - 5.0 / 6.0).abs() < 1e-6), "{found:?}");

    for (query, want) in [
        (near(vec![1.0].into(), "dense"), "Wrong input: Vector dimension error: expected dim: 2, got 1"),
        (near(vec![1.0, 0.0].into(), "other"), "Wrong input: Not existing vector name error: other"),
    ] {
        assert_eq!(said(&wire.query(query).await.unwrap_err()), (Code::InvalidArgument, want));
    }
    let other = PointStruct::new(id(9), HashMap::from([("dense".to_string(), vec![1.0])]), Payload::new());
    let unknown = PointStruct::new(id(9), HashMap::from([("other".to_string(), vec![1.0])]), Payload::new());
    for bad in [other, unknown] {
        assert_eq!(wire.upsert(vec![bad], None, None).await.unwrap_err().code(), Code::InvalidArgument);
    }

    // enough for a graph
    let many = (100..400).map(|number| {
        let dense = HashMap::from([("dense".to_string(), vec![-1.0, number as f32 / 1000.0])]);
        PointStruct::new(id(number), dense, Payload::new())
    });
    wire.upsert(many.collect(), None, None).await.unwrap();
    wire.server.optimize();
    assert!(300 <= wire.info().await.unwrap().indexed_vectors_count.unwrap());
    let mut wire = wire.restart().await;
    assert_eq!(wire.info().await.unwrap().points_count, Some(304));
    // scores now come from the quantized vectors, unless the query requests others
    assert_ne!(wire.query(dense()).await.unwrap()[1].1, 0.8);
    close(&wire.query(QueryPoints { params: Some(params), ..dense() }).await.unwrap(), &[(1, 1.0), (2, 0.8), (3, 0.0)]);
}

#[tokio::test]
async fn faults_come_as_often_as_they_were_injected() {
    let wait = Duration::from_millis(50);
    let rows = [
        (Fault::Unavailable, Some(Code::Unavailable), false),
        (Fault::UnavailableAfter, Some(Code::Unavailable), true),
        (Fault::Error(Code::ResourceExhausted), Some(Code::ResourceExhausted), false),
        (Fault::Slow(wait), None, true),
        (Fault::Late(wait), None, true),
        (Fault::Repeat, None, true),
    ];
    let mut wire = Wire::filled().await;
    let new = |number| vec![point(number, [1.0, 0.0], &[], json!({}))];
    for (number, (fault, code, done)) in (10..).zip(rows) {
        wire.server.inject("Upsert", fault, 1);
        let started = std::time::Instant::now();
        let answer = wire.upsert(new(number), None, None).await;
        assert_eq!(answer.err().map(|status| status.code()), code, "{fault:?}");
        assert!(!matches!(fault, Fault::Slow(_) | Fault::Late(_)) || wait <= started.elapsed());
        assert_eq!(wire.get(number).await.is_some(), done, "{fault:?}");
        wire.upsert(new(number), None, None).await.unwrap();
    }
    // a cut connection tells the caller nothing about the outcome of the work
    for (number, fault, done) in [(20, Fault::DropConnection, false), (21, Fault::DropConnectionAfter, true)] {
        wire.server.inject("Points/Upsert", fault, 1);
        let status = wire.upsert(new(number), None, None).await.unwrap_err();
        assert_eq!(said(&status), (Code::Unknown, "transport error"), "{fault:?}");
        assert_eq!(wire.get(number).await.is_some(), done, "{fault:?}");
    }
    wire.server.inject("*", Fault::Unavailable, 9);
    wire.server.heal();
    // the condition no longer holds for the second of two equal writes
    wire.server.inject("Upsert", Fault::Repeat, 1);
    let once = Filter::must([Condition::is_empty("count")]);
    wire.upsert(vec![point(4, [1.0, 0.0], &[], json!({"count": 1}))], Some(once), None).await.unwrap();
    assert_eq!(wire.server.calls("Upsert"), 1 + 12 + 2 + 1);
    // a stop does not wait for calls, and another server can take the same address
    wire.server.inject("Upsert", Fault::Slow(Duration::from_secs(600)), 1);
    let (mut points, address) = (wire.points.clone(), wire.server.address());
    let request = UpsertPoints { collection_name: NAME.into(), points: new(30), ..Default::default() };
    let waiting = tokio::spawn(async move { points.upsert(request).await });
    while wire.server.calls("Upsert") < 17 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let mut wire = wire.restart().await;
    assert_eq!(waiting.await.unwrap().unwrap_err().message(), "transport error");
    assert_eq!((wire.server.address(), wire.get(30).await), (address, None));
}

#[tokio::test]
async fn keys_timeouts_and_calls_that_nobody_takes() {
    let mut wire = Wire::filled().await;
    let mut request = Request::new(CountPoints { collection_name: NAME.into(), ..Default::default() });
    request.set_timeout(Duration::from_millis(1500));
    wire.points.count(request).await.unwrap();
    assert_eq!(wire.server.last_timeout("Count"), Some(Duration::from_millis(1500)));
    assert_eq!((wire.server.last_timeout("Upsert"), wire.server.calls("Count")), (None, 1));
    let request = ClearPayloadPoints { collection_name: NAME.into(), ..Default::default() };
    assert_eq!(wire.points.clear_payload(request).await.unwrap_err().code(), Code::Unimplemented);

    wire.server = wire.server.with_api_key("secret");
    for (key, want) in
        [(None, Code::Unauthenticated), (Some("other"), Code::Unauthenticated), (Some("secret"), Code::Ok)]
    {
        let mut request = Request::new(ListCollectionsRequest {});
        if let Some(key) = key {
            request.metadata_mut().insert("api-key", key.parse().unwrap());
        }
        let code = wire.collections.list(request).await.map_or_else(|status| status.code(), |_| Code::Ok);
        assert_eq!(code, want);
    }
    let channel = Channel::from_shared(wire.server.url()).unwrap().connect_lazy();
    let health = QdrantClient::new(channel).health_check(HealthCheckRequest {}).await.unwrap();
    assert_eq!(health.into_inner().version, "1.18.3");
}
