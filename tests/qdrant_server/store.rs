//! Collections and points in a folder, and the implementation of each method. Everything here blocks.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, LockResult, Mutex, PoisonError, RwLock},
};

use prost::Message;
use qdrant_client::qdrant::{
    self as proto, BatchResult, CollectionDescription, CollectionExists, CollectionExistsRequest,
    CollectionExistsResponse, CollectionInfo, CollectionOperationResponse, CountPoints, CountResponse, CountResult,
    CreateCollection, CreateFieldIndexCollection, DeleteCollection, DeletePoints, FieldType, GetCollectionInfoRequest,
    GetCollectionInfoResponse, GetPoints, GetResponse, HealthCheckReply, ListCollectionsRequest,
    ListCollectionsResponse, PayloadSchemaInfo, PointsOperationResponse, QueryBatchPoints, QueryBatchResponse,
    QueryPoints, QueryResponse, ScrollPoints, ScrollResponse, UpdateMode, UpdateResult, UpdateStatus, UpsertPoints,
    points_selector::PointsSelectorOneOf,
};
use qdrant_edge::{
    ConditionalInsertOperation, CountRequest, CreateIndex, EdgeShard, FieldIndexOperations, OperationResult,
    PayloadFieldSchema, PayloadSchemaType, PointInsertOperations, PointOperations, ScrollRequest, UpdateOperation,
};
use tonic::Status;

use super::{
    config,
    convert::{self, Result, failed, filter, point_id, with_payload, with_vectors, wrong},
};

/// File with the configuration of a collection: a [`CollectionInfo`] without counts.
const INFO_FILE: &str = "info.pb";

/// All collections.
pub(super) struct Store {
    folder: PathBuf,
    collections: RwLock<BTreeMap<String, Arc<Collection>>>,
}

struct Collection {
    folder: PathBuf,
    info: RwLock<CollectionInfo>,
    /// `None` once it is closed.
    shard: RwLock<Option<EdgeShard>>,
    /// Locked while writing or optimising; counts the operations so far.
    writing: Mutex<u64>,
}

/// Contents of a lock, also after a panic of another thread.
pub(super) fn held<G>(lock: LockResult<G>) -> G {
    lock.unwrap_or_else(PoisonError::into_inner)
}

/// Name and version of the server.
pub(super) fn health() -> HealthCheckReply {
    HealthCheckReply { title: "qdrant - vector search engine".into(), version: "1.18.3".into(), commit: None }
}

// === impl Store ===

impl Store {
    /// Opens the collections in `folder`.
    pub(super) fn open(folder: &Path) -> Self {
        fs::create_dir_all(folder).unwrap();
        let mut collections = BTreeMap::new();
        for entry in fs::read_dir(folder).unwrap() {
            let folder = entry.unwrap().path();
            let Ok(info) = fs::read(folder.join(INFO_FILE)) else { continue };
            let info = CollectionInfo::decode(info.as_slice()).unwrap();
            let shard = EdgeShard::load(&folder.join("shard"), None).unwrap();
            let name = folder.file_name().unwrap().to_string_lossy().into_owned();
            collections.insert(name, Arc::new(Collection::new(folder, info, shard)));
        }
        Self { folder: folder.to_path_buf(), collections: RwLock::new(collections) }
    }

    /// Waits for running calls and flushes everything to disk; later calls fail.
    pub(super) fn close(&self) {
        for collection in held(self.collections.read()).values() {
            drop(held(collection.shard.write()).take());
        }
    }

    /// Builds graphs.
    pub(super) fn optimize(&self) {
        for collection in held(self.collections.read()).values() {
            let _writing = held(collection.writing.lock());
            collection.read(EdgeShard::optimize).unwrap();
        }
    }

    fn collection(&self, name: &str) -> Result<Arc<Collection>> {
        let collection = held(self.collections.read()).get(name).cloned();
        collection.ok_or_else(|| Status::not_found(format!("Not found: Collection `{name}` doesn't exist!")))
    }

    pub(super) fn list(&self, _: ListCollectionsRequest) -> Result<ListCollectionsResponse> {
        let names = held(self.collections.read()).keys().cloned().collect::<Vec<_>>();
        let collections = names.into_iter().map(|name| CollectionDescription { name }).collect();
        Ok(ListCollectionsResponse { collections, time: 0.0 })
    }

    pub(super) fn exists(&self, asked: CollectionExistsRequest) -> Result<CollectionExistsResponse> {
        let exists = held(self.collections.read()).contains_key(&asked.collection_name);
        Ok(CollectionExistsResponse { result: Some(CollectionExists { exists }), time: 0.0 })
    }

    pub(super) fn info(&self, asked: GetCollectionInfoRequest) -> Result<GetCollectionInfoResponse> {
        let collection = self.collection(&asked.collection_name)?;
        let known = collection.read(|shard| Ok(shard.info()))?;
        let mut info = held(collection.info.read()).clone();
        info.segments_count = known.segments_count as u64;
        info.points_count = Some(known.points_count as u64);
        info.indexed_vectors_count = Some(known.indexed_vectors_count as u64);
        for (key, index) in known.payload_schema {
            if let Some(field) = info.payload_schema.get_mut(&key.to_string()) {
                field.points = Some(index.points as u64);
            }
        }
        Ok(GetCollectionInfoResponse { result: Some(info), time: 0.0 })
    }

    pub(super) fn create(&self, mut given: CreateCollection) -> Result<CollectionOperationResponse> {
        let name = std::mem::take(&mut given.collection_name);
        if name.is_empty() || name.contains(['/', '.']) {
            return Err(Status::invalid_argument("Validation error in body: [collection_name]"));
        }
        let mut collections = held(self.collections.write());
        if collections.contains_key(&name) {
            let taken = format!("Wrong input: Collection `{name}` already exists!");
            return Err(Status::already_exists(taken));
        }
        let info = config::info(given);
        let engine = config::engine(&info)?;
        let folder = self.folder.join(&name);
        fs::create_dir_all(folder.join("shard"))?;
        let shard = EdgeShard::new(&folder.join("shard"), engine).map_err(failed)?;
        let collection = Collection::new(folder, info, shard);
        collection.save()?;
        collections.insert(name, Arc::new(collection));
        Ok(CollectionOperationResponse { result: true, time: 0.0 })
    }

    pub(super) fn remove(&self, asked: DeleteCollection) -> Result<CollectionOperationResponse> {
        let removed = held(self.collections.write()).remove(&asked.collection_name);
        if let Some(collection) = &removed {
            drop(held(collection.shard.write()).take());
            fs::remove_dir_all(&collection.folder)?;
        }
        Ok(CollectionOperationResponse { result: removed.is_some(), time: 0.0 })
    }

    pub(super) fn upsert(&self, asked: UpsertPoints) -> Result<PointsOperationResponse> {
        let collection = self.collection(&asked.collection_name)?;
        let points = asked.points.into_iter().map(convert::point).collect::<Result<Vec<_>>>()?;
        let points = PointInsertOperations::PointsList(points);
        let mode = match asked.update_mode.map(UpdateMode::try_from) {
            None => None,
            Some(Ok(UpdateMode::Upsert)) => Some(qdrant_edge::UpdateMode::Upsert),
            Some(Ok(UpdateMode::InsertOnly)) => Some(qdrant_edge::UpdateMode::InsertOnly),
            Some(Ok(UpdateMode::UpdateOnly)) => Some(qdrant_edge::UpdateMode::UpdateOnly),
            Some(Err(_)) => return Err(Status::invalid_argument("Unknown update mode")),
        };
        let operation = if asked.update_filter.is_some() || mode.is_some() {
            let condition = filter(asked.update_filter.unwrap_or_default())?;
            let conditional = ConditionalInsertOperation { points_op: points, condition, update_mode: mode };
            PointOperations::UpsertPointsConditional(conditional)
        } else {
            PointOperations::UpsertPoints(points)
        };
        collection.write(UpdateOperation::PointOperation(operation), asked.wait)
    }

    pub(super) fn delete(&self, asked: DeletePoints) -> Result<PointsOperationResponse> {
        let collection = self.collection(&asked.collection_name)?;
        let selector = asked.points.and_then(|points| points.points_selector_one_of);
        let operation = match selector.ok_or_else(|| Status::invalid_argument("PointSelector is missing"))? {
            PointsSelectorOneOf::Points(points) => PointOperations::DeletePoints { ids: ids(points.ids)? },
            PointsSelectorOneOf::Filter(given) => PointOperations::DeletePointsByFilter(filter(given)?),
        };
        collection.write(UpdateOperation::PointOperation(operation), asked.wait)
    }

    pub(super) fn create_field_index(&self, asked: CreateFieldIndexCollection) -> Result<PointsOperationResponse> {
        let collection = self.collection(&asked.collection_name)?;
        let field_type = asked.field_type.and_then(|field_type| FieldType::try_from(field_type).ok());
        let (told, schema) = match field_type {
            Some(FieldType::Keyword) => (proto::PayloadSchemaType::Keyword, PayloadSchemaType::Keyword),
            Some(FieldType::Integer) => (proto::PayloadSchemaType::Integer, PayloadSchemaType::Integer),
            Some(FieldType::Float) => (proto::PayloadSchemaType::Float, PayloadSchemaType::Float),
            Some(FieldType::Bool) => (proto::PayloadSchemaType::Bool, PayloadSchemaType::Bool),
            Some(FieldType::Uuid) => (proto::PayloadSchemaType::Uuid, PayloadSchemaType::Uuid),
            _ => return Err(Status::unimplemented("the test server knows no such index")),
        };
        let field_name = convert::path(&asked.field_name)?;
        let field = PayloadSchemaInfo { data_type: told.into(), params: asked.field_index_params, points: None };
        let key = field_name.to_string();
        let operation = CreateIndex { field_name, field_schema: Some(PayloadFieldSchema::FieldType(schema)) };
        let operation = UpdateOperation::FieldIndexOperation(FieldIndexOperations::CreateIndex(operation));
        let answer = collection.write(operation, asked.wait)?;
        held(collection.info.write()).payload_schema.insert(key, field);
        collection.save()?;
        Ok(answer)
    }

    pub(super) fn get(&self, asked: GetPoints) -> Result<GetResponse> {
        let collection = self.collection(&asked.collection_name)?;
        let (ids, payload) = (ids(asked.ids)?, with_payload(asked.with_payload, true)?);
        let vectors = with_vectors(asked.with_vectors);
        let found = collection.read(|shard| shard.retrieve(&ids, Some(payload), Some(vectors)))?;
        Ok(GetResponse { result: found.into_iter().map(convert::record).collect(), ..GetResponse::default() })
    }

    pub(super) fn scroll(&self, asked: ScrollPoints) -> Result<ScrollResponse> {
        let collection = self.collection(&asked.collection_name)?;
        if asked.order_by.is_some() {
            return Err(Status::unimplemented("the test server knows no order but that of ids"));
        }
        if asked.limit == Some(0) {
            return Err(wrong("limit: value 0 invalid, must be 1 or larger"));
        }
        let request = ScrollRequest {
            offset: asked.offset.map(point_id).transpose()?,
            limit: Some(asked.limit.unwrap_or(10) as usize),
            filter: asked.filter.map(filter).transpose()?,
            with_payload: Some(with_payload(asked.with_payload, true)?),
            with_vector: with_vectors(asked.with_vectors),
            order_by: None,
        };
        let (found, next) = collection.read(|shard| shard.scroll(request))?;
        Ok(ScrollResponse {
            next_page_offset: next.map(convert::id_out),
            result: found.into_iter().map(convert::record).collect(),
            ..ScrollResponse::default()
        })
    }

    pub(super) fn count(&self, asked: CountPoints) -> Result<CountResponse> {
        let collection = self.collection(&asked.collection_name)?;
        let filter = asked.filter.map(filter).transpose()?;
        let request = CountRequest { filter, exact: asked.exact.unwrap_or(true) };
        let count = collection.read(|shard| shard.count(request))? as u64;
        Ok(CountResponse { result: Some(CountResult { count }), ..CountResponse::default() })
    }

    pub(super) fn query(&self, asked: QueryPoints) -> Result<QueryResponse> {
        let collection = self.collection(&asked.collection_name)?;
        let request = convert::query(asked)?;
        let found = collection.read(|shard| shard.query(request))?;
        Ok(QueryResponse { result: found.into_iter().map(convert::scored).collect(), ..QueryResponse::default() })
    }

    pub(super) fn query_batch(&self, asked: QueryBatchPoints) -> Result<QueryBatchResponse> {
        // the collection name of the batch applies, as on the real server
        let name = asked.collection_name;
        let queries = asked.query_points.into_iter();
        let result = queries.map(|query| self.query(QueryPoints { collection_name: name.clone(), ..query }));
        let result = result.map(|answer| Ok(BatchResult { result: answer?.result })).collect::<Result<Vec<_>>>()?;
        Ok(QueryBatchResponse { result, ..QueryBatchResponse::default() })
    }
}

// === impl Collection ===

impl Collection {
    fn new(folder: PathBuf, info: CollectionInfo, shard: EdgeShard) -> Self {
        Self { folder, info: RwLock::new(info), shard: RwLock::new(Some(shard)), writing: Mutex::new(0) }
    }

    fn save(&self) -> Result<()> {
        Ok(fs::write(self.folder.join(INFO_FILE), held(self.info.read()).encode_to_vec())?)
    }

    fn read<T>(&self, ask: impl FnOnce(&EdgeShard) -> OperationResult<T>) -> Result<T> {
        let shard = held(self.shard.read());
        let shard = shard.as_ref().ok_or_else(|| Status::unavailable("the collection is closed"))?;
        ask(shard).map_err(failed)
    }

    fn write(&self, operation: UpdateOperation, wait: Option<bool>) -> Result<PointsOperationResponse> {
        let mut operations = held(self.writing.lock());
        *operations += 1;
        self.read(|shard| shard.update(operation))?;
        let status = if wait == Some(true) { UpdateStatus::Completed } else { UpdateStatus::Acknowledged };
        let result = UpdateResult { operation_id: Some(*operations), status: status.into() };
        Ok(PointsOperationResponse { result: Some(result), ..PointsOperationResponse::default() })
    }
}

fn ids(ids: Vec<proto::PointId>) -> Result<Vec<qdrant_edge::PointId>> {
    ids.into_iter().map(point_id).collect()
}
