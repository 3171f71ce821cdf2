//! Configuration of a collection: as created, for responses, and as the engine takes it.

use qdrant_client::qdrant::{
    BinaryQuantization, CollectionConfig, CollectionInfo, CollectionParams, CollectionStatus, CreateCollection,
    Distance, HnswConfigDiff, OptimizerStatus, OptimizersConfigDiff, QuantizationConfig, ScalarQuantization,
    VectorParamsMap, VectorsConfig, WalConfigDiff, quantization_config::Quantization, vectors_config::Config,
};
use qdrant_edge::{
    BinaryQuantizationConfig, EdgeConfig, EdgeOptimizersConfig, EdgeSparseVectorParams, EdgeVectorParams,
    HnswIndexConfig, Modifier, QuantizationConfig as EdgeQuantization, ScalarQuantizationConfig, ScalarType,
};
use tonic::Status;

use super::convert::{Result, wrong};

/// Info of a collection created with this request, without counts.
pub(super) fn info(given: CreateCollection) -> CollectionInfo {
    let vectors = given.vectors_config.and_then(|vectors| vectors.config);
    let vectors = vectors.unwrap_or_else(|| Config::ParamsMap(VectorParamsMap::default()));
    let params = CollectionParams {
        shard_number: given.shard_number.unwrap_or(1),
        on_disk_payload: given.on_disk_payload.unwrap_or(true),
        vectors_config: Some(VectorsConfig { config: Some(vectors) }),
        replication_factor: Some(given.replication_factor.unwrap_or(1)),
        write_consistency_factor: Some(given.write_consistency_factor.unwrap_or(1)),
        sharding_method: given.sharding_method,
        sparse_vectors_config: given.sparse_vectors_config,
        ..CollectionParams::default()
    };
    let hnsw = given.hnsw_config.unwrap_or_default();
    let hnsw = HnswConfigDiff {
        m: hnsw.m.or(Some(16)),
        ef_construct: hnsw.ef_construct.or(Some(100)),
        full_scan_threshold: hnsw.full_scan_threshold.or(Some(10_000)),
        max_indexing_threads: hnsw.max_indexing_threads.or(Some(0)),
        on_disk: hnsw.on_disk.or(Some(false)),
        ..hnsw
    };
    let optimizers = given.optimizers_config.unwrap_or_default();
    let optimizers = OptimizersConfigDiff {
        deleted_threshold: optimizers.deleted_threshold.or(Some(0.2)),
        vacuum_min_vector_number: optimizers.vacuum_min_vector_number.or(Some(1000)),
        default_segment_number: optimizers.default_segment_number.or(Some(0)),
        indexing_threshold: optimizers.indexing_threshold.or(Some(10_000)),
        flush_interval_sec: optimizers.flush_interval_sec.or(Some(5)),
        ..optimizers
    };
    let wal = given.wal_config.unwrap_or_default();
    let wal = WalConfigDiff {
        wal_capacity_mb: wal.wal_capacity_mb.or(Some(32)),
        wal_segments_ahead: wal.wal_segments_ahead.or(Some(0)),
        wal_retain_closed: wal.wal_retain_closed.or(Some(1)),
    };
    let config = CollectionConfig {
        params: Some(params),
        hnsw_config: Some(hnsw),
        optimizer_config: Some(optimizers),
        wal_config: Some(wal),
        quantization_config: given.quantization_config,
        strict_mode_config: given.strict_mode_config,
        metadata: given.metadata,
    };
    CollectionInfo {
        status: CollectionStatus::Green.into(),
        optimizer_status: Some(OptimizerStatus { ok: true, error: String::new() }),
        config: Some(config),
        ..CollectionInfo::default()
    }
}

/// The engine's configuration for a collection.
pub(super) fn engine(info: &CollectionInfo) -> Result<EdgeConfig> {
    let config = info.config.clone().unwrap_or_default();
    let params = config.params.unwrap_or_default();
    let global = hnsw(&config.hnsw_config.unwrap_or_default(), HnswIndexConfig::default());
    let optimizers = config.optimizer_config.unwrap_or_default();
    let mut engine = EdgeConfig {
        on_disk_payload: params.on_disk_payload,
        hnsw_config: global,
        quantization_config: config.quantization_config.map(quantization).transpose()?,
        optimizers: EdgeOptimizersConfig {
            deleted_threshold: optimizers.deleted_threshold,
            vacuum_min_vector_number: size(optimizers.vacuum_min_vector_number),
            default_segment_number: size(optimizers.default_segment_number),
            max_segment_size: size(optimizers.max_segment_size),
            indexing_threshold: size(optimizers.indexing_threshold),
            prevent_unoptimized: None,
        },
        ..EdgeConfig::default()
    };
    let dense = match params.vectors_config.and_then(|vectors| vectors.config) {
        Some(Config::ParamsMap(dense)) => dense.map,
        Some(Config::Params(_)) => return Err(Status::unimplemented("a vector without a name")),
        None => Default::default(),
    };
    for (name, given) in dense {
        let distance = match Distance::try_from(given.distance) {
            Ok(Distance::Cosine) => qdrant_edge::Distance::Cosine,
            Ok(Distance::Dot) => qdrant_edge::Distance::Dot,
            Ok(Distance::Euclid) => qdrant_edge::Distance::Euclid,
            Ok(Distance::Manhattan) => qdrant_edge::Distance::Manhattan,
            Ok(Distance::UnknownDistance) | Err(_) => return Err(wrong("Unknown distance")),
        };
        let size = usize::try_from(given.size).ok().filter(|size| (1..=65536).contains(size));
        let mut vector = EdgeVectorParams::builder(size.ok_or_else(|| wrong("size: 1 to 65536"))?, distance).build();
        vector.on_disk = given.on_disk;
        vector.hnsw_config = given.hnsw_config.map(|given| hnsw(&given, global));
        vector.quantization_config = given.quantization_config.map(quantization).transpose()?;
        engine.vectors.insert(name, vector);
    }
    for (name, given) in params.sparse_vectors_config.unwrap_or_default().map {
        let index = given.index.unwrap_or_default();
        let sparse = EdgeSparseVectorParams {
            full_scan_threshold: size(index.full_scan_threshold),
            on_disk: index.on_disk,
            modifier: (given.modifier == Some(1)).then_some(Modifier::Idf),
            datatype: None,
        };
        engine.sparse_vectors.insert(name, sparse);
    }
    Ok(engine)
}

fn hnsw(given: &HnswConfigDiff, other: HnswIndexConfig) -> HnswIndexConfig {
    HnswIndexConfig {
        m: size(given.m).unwrap_or(other.m),
        ef_construct: size(given.ef_construct).unwrap_or(other.ef_construct),
        full_scan_threshold: size(given.full_scan_threshold).unwrap_or(other.full_scan_threshold),
        max_indexing_threads: size(given.max_indexing_threads).unwrap_or(other.max_indexing_threads),
        on_disk: given.on_disk.or(other.on_disk),
        payload_m: size(given.payload_m).or(other.payload_m),
        inline_storage: given.inline_storage.or(other.inline_storage),
    }
}

fn quantization(given: QuantizationConfig) -> Result<EdgeQuantization> {
    match given.quantization {
        Some(Quantization::Scalar(ScalarQuantization { quantile, always_ram, .. })) => {
            Ok(ScalarQuantizationConfig { r#type: ScalarType::Int8, quantile, always_ram }.into())
        }
        Some(Quantization::Binary(BinaryQuantization { always_ram, .. })) => {
            Ok(BinaryQuantizationConfig { always_ram, encoding: None, query_encoding: None }.into())
        }
        _ => Err(Status::unimplemented("quantization other than scalar and binary")),
    }
}

fn size(number: Option<u64>) -> Option<usize> {
    number.and_then(|number| usize::try_from(number).ok())
}
