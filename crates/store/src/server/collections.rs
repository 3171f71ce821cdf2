//! The collections: created if missing, checked if present. Collections and payload indexes are created side by side: each
//! takes a round of a cluster's consensus.

use std::{collections::HashMap, time::Duration};

use futures::future::try_join_all;
use qdrant_client::qdrant::{
    BinaryQuantization, CollectionInfo, CollectionStatus, CreateCollection, CreateFieldIndexCollection,
    DeleteCollection, Distance, FieldType as ServerType, GetCollectionInfoRequest, HnswConfigDiff, Modifier,
    OptimizersConfigDiff, PayloadSchemaType, QuantizationConfig, QuantizationType, ScalarQuantization,
    SparseVectorConfig, SparseVectorParams, VectorParams, VectorParamsMap, VectorsConfig,
    quantization_config::Quantization as ServerQuantization, vectors_config,
};
use tokio::time::{Instant, sleep};
use tonic::Code;

use super::options::Quantization;
use super::{
    convert::{DENSE, SPARSE},
    core::{HealthCheck, ServerCore, StoreFile},
    wire::WireFailure,
};
use crate::{
    CollectionKind, IndexError, KindStatus, Result,
    document_row::INDEXED,
    payload::{FieldType, FilterField},
};
use duijie_core::domain::Kind;

/// Graph links per point, and beam width when inserting: see the embedded engine's `Tuning`.
const GRAPH_LINKS: u64 = 32;
const GRAPH_BEAM: u64 = 200;
/// Segments with at least this many KiB of embeddings get a graph; below it a full scan is as fast, and exact.
const GRAPH_FROM_KIB: u64 = 10_000;
/// If a filter leaves at most this many KiB of embeddings, the search scans them instead of using the graph.
const SCAN_UP_TO_KIB: u64 = 30_000;
/// Longest time until a new collection is known at every node.
const VISIBLE: Duration = Duration::from_secs(10);
/// Interval of looking for it.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Creates the collection of versions and duties if missing.
pub(super) async fn ensure_state(core: &ServerCore) -> Result<()> {
    let name = core.state_name();
    if info(core, &name).await?.is_some() {
        return Ok(());
    }
    let collection = CreateCollection {
        collection_name: name,
        shard_number: Some(1),
        replication_factor: Some(core.layout.replication_factor),
        write_consistency_factor: Some(core.layout.write_consistency_factor),
        ..CreateCollection::default()
    };
    create(core, collection).await.map(drop)
}

/// Creates the collection of documents and its indexes if missing.
#[allow(deprecated, reason = "the newer names of these settings are not known to servers before 1.19")]
pub(super) async fn ensure_documents(core: &ServerCore) -> Result<()> {
    let name = core.documents_name();
    let found = match info(core, &name).await? {
        Some(found) => found,
        None => {
            let collection = CreateCollection {
                collection_name: name.clone(),
                shard_number: Some(1),
                on_disk_payload: Some(true),
                replication_factor: Some(core.layout.replication_factor),
                write_consistency_factor: Some(core.layout.write_consistency_factor),
                ..CreateCollection::default()
            };
            create(core, collection).await?
        }
    };
    let missing = INDEXED.into_iter().filter(|key| !found.payload_schema.contains_key(*key));
    try_join_all(missing.map(|key| create_index(core, &name, key, FieldType::Keyword))).await.map(drop)
}

/// Creates the collections and payload indexes of a store if missing, and checks the existing ones.
pub(super) async fn ensure_records(core: &ServerCore, store: &StoreFile) -> Result<()> {
    let ensure = async |kind| {
        let name = core.records_name(kind, store.generation);
        let found = match info(core, &name).await? {
            Some(found) => {
                note_factors(core, &name, &found);
                found
            }
            None => create(core, layout(core, &name, store.shape.dimensions)).await?,
        };
        check(&name, &found, store.shape.dimensions)?;
        // before any data arrives: created later, each index takes a pass over all points
        let missing = FilterField::ALL.into_iter().filter(|field| !found.payload_schema.contains_key(field.key()));
        try_join_all(missing.map(|field| create_index(core, &name, field.key(), field.field_type()))).await.map(drop)
    };
    try_join_all(Kind::ALL.map(ensure)).await.map(drop)
}

/// State of each collection.
///
/// # Errors
/// [`IndexError::Unfit`] if one has disappeared.
pub(super) async fn look(core: &ServerCore, store: &StoreFile) -> Result<HealthCheck> {
    let mut kinds = Vec::new();
    for kind in Kind::ALL {
        let name = core.records_name(kind, store.generation);
        let found = existing(core, &name).await?;
        kinds.push(KindStatus {
            kind,
            points: found.points_count.unwrap_or(0),
            indexed: found.indexed_vectors_count.unwrap_or(0),
            damaged: core.damage.count(CollectionKind::Records(kind)),
            segments: found.segments_count,
            optimizing: found.status == i32::from(CollectionStatus::Yellow),
            problem: problem(&name, &found),
        });
    }
    let name = core.documents_name();
    let found = existing(core, &name).await?;
    Ok(HealthCheck { kinds, documents_problem: problem(&name, &found) })
}

fn problem(name: &str, found: &CollectionInfo) -> Option<String> {
    let red = found.status == i32::from(CollectionStatus::Red);
    let said = found.optimizer_status.as_ref().map(|status| status.error.clone()).unwrap_or_default();
    red.then(|| format!("Qdrant 中的集合 {name} 出错（{said}），请查看 Qdrant 的日志"))
}

/// Deletes the record collections of a store.
pub(super) async fn remove_records(core: &ServerCore, generation: u64) -> Result<()> {
    for kind in Kind::ALL {
        let collection_name = core.records_name(kind, generation);
        let request = DeleteCollection { collection_name, timeout: None };
        let removed = core.wire.send(|node| {
            let request = request.clone();
            async move { node.collections().delete(request).await }
        });
        match removed.await {
            Err(WireFailure::Refused(status)) if status.code() == Code::NotFound => {}
            removed => drop(removed.map_err(|failure| core.wire.error(failure))?),
        }
    }
    Ok(())
}

/// A collection that should be there; missing only if no node knows it, as one that has just come back may lag behind.
async fn existing(core: &ServerCore, name: &str) -> Result<CollectionInfo> {
    for _ in 0..core.wire.rounds(2) {
        if let Some(found) = info(core, name).await? {
            return Ok(found);
        }
        sleep(LOOK_AGAIN).await;
    }
    Err(missing(name))
}

async fn info(core: &ServerCore, name: &str) -> Result<Option<CollectionInfo>> {
    let request = GetCollectionInfoRequest { collection_name: name.to_string() };
    let answer = core.wire.send(|node| {
        let request = request.clone();
        async move { node.collections().get(request).await }
    });
    match answer.await {
        Ok(answer) => Ok(answer.result),
        Err(WireFailure::Refused(status)) if status.code() == Code::NotFound => Ok(None),
        Err(failure) => Err(core.wire.error(failure)),
    }
}

/// Creates a collection, or waits for the one that another instance is creating, and returns what was found.
async fn create(core: &ServerCore, request: CreateCollection) -> Result<CollectionInfo> {
    let created = core.wire.send(|node| {
        let request = request.clone();
        async move { node.collections().create(request).await }
    });
    let created = created.await;
    if created.is_ok() {
        tracing::info!(collection = request.collection_name, "collection made");
    }
    let refused = matches!(&created, Err(WireFailure::Refused(status)) if status.code() != Code::AlreadyExists);
    // a node of a cluster may hear of it a little later; after a failure another instance may have made it
    let end = Instant::now() + VISIBLE;
    loop {
        if let Some(found) = info(core, &request.collection_name).await? {
            return Ok(found);
        }
        if refused || end <= Instant::now() {
            let late = || IndexError::Server { reason: format!("集合 {} 尚未建成", request.collection_name) };
            return Err(created.err().map_or_else(late, |failure| core.wire.error(failure)));
        }
        sleep(LOOK_AGAIN).await;
    }
}

async fn create_index(core: &ServerCore, name: &str, key: &str, field_type: FieldType) -> Result<()> {
    let field_type = match field_type {
        FieldType::Keyword => ServerType::Keyword,
        FieldType::Integer => ServerType::Integer,
    };
    let request = CreateFieldIndexCollection {
        collection_name: name.to_string(),
        wait: Some(true),
        field_name: key.to_string(),
        field_type: Some(field_type.into()),
        ..CreateFieldIndexCollection::default()
    };
    let created = core.wire.send(|node| {
        let request = request.clone();
        async move { node.points().create_field_index(request).await }
    });
    created.await.map(drop).map_err(|failure| core.wire.error(failure))
}

/// Same layout as the embedded engine, except for settings that depend on one machine's memory.
#[allow(deprecated, reason = "the newer names of these settings are not known to servers before 1.19")]
fn layout(core: &ServerCore, name: &str, dimensions: usize) -> CreateCollection {
    let layout = &core.layout;
    let dense = VectorParams {
        size: dimensions as u64,
        distance: Distance::Cosine.into(),
        on_disk: Some(layout.vectors_on_disk),
        ..VectorParams::default()
    };
    let sparse = SparseVectorParams { modifier: Some(Modifier::Idf.into()), ..SparseVectorParams::default() };
    let quantization = match layout.quantization {
        Quantization::None => None,
        Quantization::Int8 => Some(ServerQuantization::Scalar(ScalarQuantization {
            r#type: QuantizationType::Int8.into(),
            // 1 in 100 numbers lies outside the range that the bytes cover
            quantile: Some(0.99),
            always_ram: Some(true),
            ..ScalarQuantization::default()
        })),
        Quantization::Binary => Some(ServerQuantization::Binary(BinaryQuantization {
            always_ram: Some(true),
            ..BinaryQuantization::default()
        })),
    };
    let named = VectorParamsMap { map: HashMap::from([(DENSE.to_string(), dense)]) };
    CreateCollection {
        collection_name: name.to_string(),
        hnsw_config: Some(HnswConfigDiff {
            m: Some(GRAPH_LINKS),
            ef_construct: Some(GRAPH_BEAM),
            // no separate graph for each value of each field: with them, building took 5 times as long
            payload_m: Some(0),
            full_scan_threshold: Some(SCAN_UP_TO_KIB),
            ..HnswConfigDiff::default()
        }),
        optimizers_config: Some(OptimizersConfigDiff {
            indexing_threshold: Some(GRAPH_FROM_KIB),
            ..OptimizersConfigDiff::default()
        }),
        shard_number: Some(layout.shard_number),
        on_disk_payload: Some(layout.payload_on_disk),
        vectors_config: Some(VectorsConfig { config: Some(vectors_config::Config::ParamsMap(named)) }),
        replication_factor: Some(layout.replication_factor),
        write_consistency_factor: Some(layout.write_consistency_factor),
        quantization_config: quantization.map(|quantization| QuantizationConfig { quantization: Some(quantization) }),
        sparse_vectors_config: Some(SparseVectorConfig { map: HashMap::from([(SPARSE.to_string(), sparse)]) }),
        ..CreateCollection::default()
    }
}

/// Says in the log where an existing collection has other copies than configured: it keeps them.
fn note_factors(core: &ServerCore, name: &str, found: &CollectionInfo) {
    let Some(params) = found.config.as_ref().and_then(|config| config.params.as_ref()) else { return };
    let copies = params.replication_factor.unwrap_or(1);
    let confirming = params.write_consistency_factor.unwrap_or(1);
    let layout = &core.layout;
    if (copies, confirming) != (layout.replication_factor, layout.write_consistency_factor) {
        tracing::warn!(
            collection = name,
            copies,
            confirming,
            configured_copies = layout.replication_factor,
            configured_confirming = layout.write_consistency_factor,
            "the collection keeps the copies that it was created with; docs/scale.md says how to change them"
        );
    }
}

/// Checks only settings that affect results; storage settings are the administrator's choice.
fn check(name: &str, found: &CollectionInfo, dimensions: usize) -> Result<()> {
    let unfit = |difference: String| IndexError::Unfit { collection: name.to_string(), difference };
    let params = found.config.as_ref().and_then(|config| config.params.as_ref());
    let named = params.and_then(|params| params.vectors_config.as_ref()?.config.as_ref());
    let dense = match named {
        Some(vectors_config::Config::ParamsMap(map)) => map.map.get(DENSE),
        Some(vectors_config::Config::Params(_)) | None => None,
    };
    let Some(dense) = dense else { return Err(unfit(format!("没有名为 {DENSE} 的向量"))) };
    if dense.size != dimensions as u64 {
        return Err(unfit(format!("向量为 {} 维，应为 {dimensions} 维", dense.size)));
    }
    if dense.distance != i32::from(Distance::Cosine) {
        return Err(unfit("向量的距离不是余弦".to_string()));
    }
    let sparse = params.and_then(|params| params.sparse_vectors_config.as_ref()?.map.get(SPARSE));
    if sparse.is_none_or(|sparse| sparse.modifier != Some(Modifier::Idf.into())) {
        return Err(unfit(format!("没有带 idf 的稀疏向量 {SPARSE}")));
    }
    for field in FilterField::ALL {
        let wanted = match field.field_type() {
            FieldType::Keyword => PayloadSchemaType::Keyword,
            FieldType::Integer => PayloadSchemaType::Integer,
        };
        let found = found.payload_schema.get(field.key());
        if found.is_some_and(|found| found.data_type != i32::from(wanted)) {
            return Err(unfit(format!("字段 {} 的索引不是 {}", field.key(), wanted.as_str_name())));
        }
    }
    Ok(())
}

fn missing(name: &str) -> IndexError {
    IndexError::Unfit { collection: name.to_string(), difference: "集合不存在".to_string() }
}
