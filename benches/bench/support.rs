//! Shared by the benches: records with the size and wording of the samples, vectors, and stores that are built once and
//! kept below `target/`.

use std::path::{Path, PathBuf};

use duijie::{app, config::Config};
use duijie_core::{
    domain::{Kind, Record},
    text::{QueryText, TextPipeline},
};
use duijie_embed::{Embedder, EmbeddingTexts, Priority};
use duijie_files::ReadOptions;
use duijie_store::{EdgeIndex, EdgeOptions, Point, Records, STORE_FORMAT, StoreVersions};
use tokio::runtime::Runtime;

/// Points written together.
pub const BATCH: usize = 1000;
/// Version of [`make`]: stores made by another version are not used.
pub const MAKE: u32 = 2;
/// Number of title differences added to a generated vector.
const DIFFERENCES: usize = 6;

/// The project's folder.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The default configuration with paths in the project's folder.
pub fn config() -> Config {
    let model = root().join("models/e5-small-zh");
    let runtime = root().join("runtime/libonnxruntime.so");
    Config::read(&format!("[model]\nsource = {model:?}\nruntime = {runtime:?}"), []).expect("the defaults are right")
}

/// Numbers of records of each kind: `DUIJIE_BENCH_RECORDS`.
pub fn counts() -> Vec<usize> {
    let wanted = std::env::var("DUIJIE_BENCH_RECORDS").unwrap_or_else(|_| "10000,100000".to_string());
    wanted.split(',').map(|count| count.trim().parse().expect("numbers separated by commas")).collect()
}

/// Whether one of these groups may have a requested row: nothing is built without a measurement.
pub fn asked_for(groups: &[&str]) -> bool {
    let filters: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let about =
        |filter: &String| groups.iter().any(|group| filter.starts_with(group) || group.starts_with(filter.as_str()));
    filters.is_empty() || filters.iter().any(about)
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
    let rows = duijie_files::open(&root().join("samples").join(name), &options).expect("the samples are there");
    rows.map(|row| row.result.expect("the samples are right")).collect()
}

/// A generated record with nearly its real embedding.
pub struct Made {
    /// The record.
    pub record: Record,
    /// Its vector.
    pub dense: Vec<f32>,
}

/// Endless generated records, one at a time, so that a million of them are never in memory. Titles and sentences of the
/// samples are mixed, so that words repeat as in a real catalogue and no two records are equal. A vector combines those
/// of the two titles, and some differences between other titles: such vectors are distributed like real embeddings, and
/// agree with the words. The measure that matters for a graph is the mean distance to the 20th nearest, here at 2,366
/// records: 1.31 for the real titles of tech-match, about 1.29 for these, and 1.21 with white noise of the same size,
/// which no graph can navigate.
pub fn make(kind: Kind, embedder: &Embedder, runtime: &Runtime) -> impl Iterator<Item = Made> + Send + use<> {
    let samples = samples(kind);
    let texts: Vec<EmbeddingTexts> =
        samples.iter().map(|sample| EmbeddingTexts { head: sample.title.clone(), whole: None }).collect();
    let titles = runtime.block_on(embedder.record_vectors(&texts, Priority::Bulk)).expect("vectors");
    let sentences = samples.iter().flat_map(|record| record.body.split_inclusive('。'));
    let sentences: Vec<String> = sentences.filter(|part| 9 < part.len()).map(str::to_string).collect();
    let mut random = Random(7);
    (0..).map(move |number| {
        let (one, other) = (random.below(samples.len()), random.below(samples.len()));
        let body: String =
            (0..2 + random.below(5)).map(|_| sentences[random.below(sentences.len())].as_str()).collect();
        let title = format!("{}与{}", head(&samples[one].title), head(&samples[other].title));
        let record = Record { id: format!("b-{number}"), title, body, revision: 1, ..samples[one].clone() };
        let pairs = titles[one].iter().zip(&titles[other]);
        let mut dense: Vec<f32> = pairs.map(|(a, b)| a + 0.6 * b).collect();
        for _ in 0..DIFFERENCES {
            let (from, to) = (&titles[random.below(titles.len())], &titles[random.below(titles.len())]);
            let size = 0.25 * random.gauss();
            dense.iter_mut().zip(from.iter().zip(to)).for_each(|(value, (a, b))| *value += size * (a - b));
        }
        Made { record, dense: unit(dense) }
    })
}

/// The point stored for a record.
pub fn point(made: Made, pipeline: &TextPipeline) -> Point {
    let Made { record, dense } = made;
    Point { dense, sparse: pipeline.document(&record), query: pipeline.query(&QueryText::of(&record)), record }
}

fn head(title: &str) -> String {
    title.chars().take(10).collect()
}

fn unit(vector: Vec<f32>) -> Vec<f32> {
    let norm = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
    vector.iter().map(|value| value / norm).collect()
}

/// Versions of the stores of the benches.
pub fn versions(pipeline: &TextPipeline) -> StoreVersions {
    StoreVersions { format: STORE_FORMAT, text: pipeline.version().to_string(), model: "bench".to_string() }
}

/// A store of `count` records of each kind, built with its graphs if missing.
pub fn store(count: usize, pipeline: &TextPipeline, embedder: &Embedder, runtime: &Runtime) -> PathBuf {
    let folder = root().join(format!("target/bench-store-{count}-{}-{MAKE}", pipeline.version()));
    let done = folder.with_extension("done");
    if done.exists() {
        return folder;
    }
    let _ = std::fs::remove_dir_all(&folder);
    eprintln!("building a store of {count} records of each kind, once");
    let index = EdgeIndex::open(EdgeOptions::new(folder.clone(), 384, versions(pipeline))).expect("a new folder");
    for kind in Kind::ALL {
        let mut points = make(kind, embedder, runtime).take(count).map(|made| point(made, pipeline));
        loop {
            let batch: Vec<Point> = points.by_ref().take(BATCH).collect();
            if batch.is_empty() {
                break;
            }
            runtime.block_on(index.upsert(kind, batch)).expect("a write");
        }
    }
    index.optimize().expect("graphs");
    index.close();
    std::fs::write(done, "").expect("target/ can be written");
    folder
}

/// A small repeatable generator (xorshift64*): benches must not depend on the day.
pub struct Random(pub u64);

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

    /// Roughly normally distributed: the sum of twelve uniform numbers.
    pub fn gauss(&mut self) -> f32 {
        (0..12).map(|_| (self.next() >> 40) as f32 / (1u64 << 24) as f32).sum::<f32>() - 6.0
    }
}
