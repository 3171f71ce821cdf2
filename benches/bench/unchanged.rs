//! An import of records that the store already has: read, compared, and nothing else. The aim is 20,000 records a second.

use std::sync::Arc;

use criterion::{Criterion, Throughput};
use duijie::ingest::{Ingest, MAX_BATCH};
use duijie_core::domain::{Kind, Record};
use duijie_embed::BigramEmbedder;
use duijie_store::{EdgeIndex, EdgeOptions, Index};
use futures::{StreamExt, stream};
use tokio::runtime::Runtime;

use crate::support::{Random, asked_for, pipeline, samples, versions};

/// Records in the store, all of them imported again.
const RECORDS: usize = 5_000;
/// Dimensions of the vectors, as the model has them.
const DIMENSIONS: usize = 384;
/// Batches at a time, as an import has them.
const AT_A_TIME: usize = 4;

pub fn unchanged(criterion: &mut Criterion) {
    if !asked_for(&["unchanged"]) {
        return;
    }
    let runtime = Runtime::new().expect("threads");
    let text = Arc::new(pipeline());
    let folder = tempfile::tempdir().expect("a folder");
    let options = EdgeOptions::new(folder.path().join("store"), DIMENSIONS, versions(&text));
    let index: Arc<dyn Index> = Arc::new(EdgeIndex::open(options).expect("a new folder"));
    let ingest = Ingest::new(text, Arc::new(BigramEmbedder::new(DIMENSIONS)), index);
    let (samples, mut random) = (samples(Kind::Achievement), Random(7));
    let record = |number: usize| Record { id: format!("u-{number}"), ..samples[random.below(samples.len())].clone() };
    let records: Vec<Record> = (0..RECORDS).map(record).collect();
    let import = || {
        let batches: Vec<Vec<_>> =
            records.chunks(MAX_BATCH).map(|batch| batch.iter().cloned().map(Ok).collect()).collect();
        let storing = stream::iter(batches).map(|batch| ingest.upsert(batch)).buffered(AT_A_TIME);
        runtime.block_on(storing.for_each(|stored| async { drop(stored.expect("stored")) }));
    };
    import();
    let mut group = criterion.benchmark_group("unchanged");
    group.throughput(Throughput::Elements(RECORDS as u64)).sample_size(10);
    group.bench_function("import", |bencher| bencher.iter(import));
    group.finish();
    assert_eq!(ingest.embedded(), RECORDS as u64, "the records are unchanged");
}
