//! What the benches share: records of the size and wording of the samples, vectors, and stores that are built once and
//! kept below `target/`.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use duijie::{
    app,
    config::Config,
    domain::{Kind, Record},
    embed::Embedder,
    files::{self, ReadOptions},
    index::{EdgeIndex, EdgeOptions, Index, Point, STORE_FORMAT, StoreVersions},
    text::{QueryText, TextPipeline},
};

/// Points that are written together.
const BATCH: usize = 1000;

/// The project's folder.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The default configuration with paths below the project's folder.
pub fn config() -> Config {
    let model = root().join("models/e5-small-zh");
    let runtime = root().join("runtime/libonnxruntime.so");
    Config::read(&format!("[model]\nsource = {model:?}\nruntime = {runtime:?}"), []).expect("the defaults are right")
}

/// The text pipeline.
pub fn pipeline() -> TextPipeline {
    TextPipeline::new(None).expect("the dictionary is right")
}

/// The model.
pub fn embedder() -> Embedder {
    app::embedder(&config()).expect("make runtime has been run")
}

/// Records of the samples.
pub fn samples(kind: Kind) -> Vec<Record> {
    let name = match kind {
        Kind::Achievement => "achievements.csv",
        Kind::Demand => "demands.csv",
        Kind::Expert => "experts.jsonl",
    };
    let options = ReadOptions { kind: Some(kind), ..ReadOptions::default() };
    let rows = files::open(&root().join("samples").join(name), &options).expect("the samples are there");
    rows.map(|row| row.result.expect("the samples are right")).collect()
}

/// As many records as asked for: titles and sentences of the samples, mixed anew, so that words repeat as they do in a
/// real catalogue and no two records are the same.
pub fn records(kind: Kind, count: usize) -> Vec<Record> {
    let samples = samples(kind);
    let sentences: Vec<&str> =
        samples.iter().flat_map(|record| record.body.split_inclusive('。')).filter(|part| 9 < part.len()).collect();
    let mut random = Random(7);
    let record = |number: usize| {
        let sample = &samples[random.below(samples.len())];
        let other = &samples[random.below(samples.len())];
        let body: String = (0..2 + random.below(5)).map(|_| sentences[random.below(sentences.len())]).collect();
        Record {
            id: format!("b-{number}"),
            title: format!("{}与{}", head(&sample.title), head(&other.title)),
            body,
            revision: 1,
            ..sample.clone()
        }
    };
    (0..count).map(record).collect()
}

fn head(title: &str) -> String {
    title.chars().take(10).collect()
}

/// Unit vectors around 2,000 centres: real embeddings lie in clusters, and a graph over white noise is no measure.
pub fn vectors(count: usize, dimensions: usize) -> Vec<Vec<f32>> {
    let mut random = Random(11);
    let mut noise = |scale: f32| -> Vec<f32> { (0..dimensions).map(|_| random.gauss() * scale).collect() };
    let centres: Vec<Vec<f32>> = (0..2000).map(|_| noise(1.0)).collect();
    let near = |number: usize| {
        let centre = &centres[number * 7919 % centres.len()];
        let vector: Vec<f32> = centre.iter().zip(noise(0.7)).map(|(a, b)| a + b).collect();
        let norm = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
        vector.iter().map(|value| value / norm).collect()
    };
    (0..count).map(near).collect()
}

/// Versions of the stores of the benches.
pub fn versions(pipeline: &TextPipeline) -> StoreVersions {
    StoreVersions { format: STORE_FORMAT, text: pipeline.version().to_string(), model: "bench".to_string() }
}

/// A store of `count` achievements and as many demands, built where it is not there yet; indexes are built too.
pub fn store(count: usize, pipeline: &Arc<TextPipeline>, runtime: &tokio::runtime::Runtime) -> PathBuf {
    let folder = root().join(format!("target/bench-store-{count}-{}", pipeline.version()));
    let done = folder.with_extension("done");
    if done.exists() {
        return folder;
    }
    let _ = std::fs::remove_dir_all(&folder);
    eprintln!("building a store of {count} records of each kind, once");
    let options = EdgeOptions::new(folder.clone(), 384, versions(pipeline));
    let index = EdgeIndex::open(options).expect("a new folder");
    for kind in Kind::ALL {
        let dense = vectors(count, 384);
        for (records, dense) in records(kind, count).chunks(BATCH).zip(dense.chunks(BATCH)) {
            let point = |(record, dense): (&Record, &Vec<f32>)| Point {
                dense: dense.clone(),
                sparse: pipeline.document(record),
                query: pipeline.query(&QueryText::of(record)),
                record: record.clone(),
            };
            let points = records.iter().zip(dense).map(point).collect();
            runtime.block_on(index.upsert(kind, points)).expect("a write");
        }
    }
    wait_until_indexed(&index);
    drop(index);
    std::fs::write(done, "").expect("target/ can be written");
    folder
}

/// Waits until every graph is built, at most ten minutes.
pub fn wait_until_indexed(index: &EdgeIndex) {
    for _ in 0..600 {
        std::thread::sleep(std::time::Duration::from_secs(1));
        if index.status().kinds.iter().all(|kind| !kind.optimizing && kind.points < kind.indexed + 20_000) {
            return;
        }
    }
}

/// A small repeatable generator (xorshift64*): benches must not depend on the day.
pub struct Random(u64);

impl Random {
    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap_or(0)
    }

    /// About normally distributed: the sum of twelve uniform numbers.
    pub fn gauss(&mut self) -> f32 {
        (0..12).map(|_| (self.next() >> 40) as f32 / (1u64 << 24) as f32).sum::<f32>() - 6.0
    }
}
