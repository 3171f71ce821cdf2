//! Import against the bare model: the share of the sessions' speed that reaches the store.
//!
//! Each row embeds the same 48 sample records (a title and a whole text each). The project's target: `import` reaches
//! at least 85 % of the texts per second of `bare sessions`.

use std::{
    sync::{Arc, Mutex},
    thread,
};

use criterion::{Criterion, SamplingMode, Throughput};
use duijie::{app, ingest::Ingest};
use duijie_core::{
    domain::{Kind, Record},
    text::embedding_texts,
};
use duijie_embed::{EmbeddingTexts, Model, ModelSource, Priority, Session};
use duijie_store::{EdgeIndex, EdgeOptions};
use futures::{StreamExt, stream};
use tokio::runtime::Runtime;

use crate::support;

/// Records per measurement.
const RECORDS: usize = 48;
/// Records per batch of the import.
const BATCH: usize = 12;

/// Runs the benches of this file.
pub fn embedding(criterion: &mut Criterion) {
    if !support::asked_for(&["embedding"]) {
        return;
    }
    let runtime = Runtime::new().expect("a runtime");
    let config = support::config();
    let embedder = app::embedder(&config).expect("make runtime has been run");
    let records: Vec<Record> = support::samples(Kind::Achievement).into_iter().take(RECORDS).collect();
    let texts: Vec<EmbeddingTexts> = records.iter().map(embedding_texts).collect();
    let flat: Vec<String> =
        texts.iter().flat_map(|text| [Some(text.head.clone()), text.whole.clone()]).flatten().collect();
    let mut group = criterion.benchmark_group("embedding");
    group.sampling_mode(SamplingMode::Flat).sample_size(10).throughput(Throughput::Elements(flat.len() as u64));

    let ort = duijie_embed::load(&config.model.runtime).expect("make runtime has been run");
    let model = Model::open(&ort, &ModelSource::Folder(config.model.source.clone().into())).expect("the shipped model");
    let mut sessions: Vec<Session> =
        (0..config.model.sessions).map(|_| Session::open(&model).expect("a session")).collect();
    group.bench_function("bare sessions", |bencher| bencher.iter(|| bare(&mut sessions, &flat)));
    drop(sessions);

    group.bench_function("embedder", |bencher| {
        bencher.iter(|| runtime.block_on(embedder.record_vectors(&texts, Priority::Bulk)).expect("vectors"));
    });

    let pipeline = Arc::new(support::pipeline());
    let folder = tempfile::tempdir().expect("a folder");
    let options = EdgeOptions::new(folder.path().join("store"), 384, support::versions(&pipeline));
    let index = Arc::new(EdgeIndex::open(options).expect("a new store"));
    let ingest = Ingest::new(pipeline, Arc::new(embedder), index);
    let mut round = 0;
    group.bench_function("import", |bencher| {
        bencher.iter(|| {
            round += 1;
            let named = |record: &Record| Ok(Record { id: format!("{round}-{}", record.id), ..record.clone() });
            let batches: Vec<Vec<_>> = records.chunks(BATCH).map(|batch| batch.iter().map(named).collect()).collect();
            let storing = stream::iter(batches).map(|batch| ingest.upsert(batch)).buffered(4);
            runtime.block_on(storing.for_each(|stored| async { drop(stored.expect("stored")) }));
        });
    });
    group.finish();
}

/// Embeds the texts in bare sessions, one thread each, long texts first so that no thread idles at the end.
fn bare(sessions: &mut [Session], texts: &[String]) {
    let mut order: Vec<&String> = texts.iter().collect();
    order.sort_by_key(|text| text.len());
    let waiting = Mutex::new(order);
    thread::scope(|scope| {
        for session in sessions {
            let waiting = &waiting;
            scope.spawn(move || {
                loop {
                    let next = waiting.lock().expect("no thread panics").pop();
                    let Some(text) = next else { break };
                    session.embed(&[text.as_str()]).expect("a vector");
                }
            });
        }
    });
}
