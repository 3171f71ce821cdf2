//! One scan of all targets of a kind: their term statistics, and, if they are not too many, their terms and embeddings.

use std::thread;

use futures::future::try_join_all;
use uuid::Uuid;

use super::{
    held::Held,
    packed::Packed,
    spawned::Spawned,
    statistics::{Statistics, Terms, terms},
    targets::Engine,
};
use crate::error::Result;
use duijie_core::domain::Kind;
use duijie_cpu::Lane;
use duijie_store::{PointId, VectorSelection, pages::Pages};

/// Points per read.
const PAGE: usize = 500;
/// Most terms held, 8 bytes each: the terms of 200,000 records, 280 MB with the embeddings.
const MAX_TERMS: usize = 16 << 20;

/// Result of a scan.
pub(super) struct Scanned {
    /// Term statistics of the collection.
    pub statistics: Statistics,
    /// Terms and embeddings; `None` if too many to hold.
    pub held: Option<Held>,
}

/// Targets in a range of ids.
#[derive(Default)]
struct Part {
    statistics: Statistics,
    targets: Vec<(PointId, Box<Terms>, Packed)>,
    terms: usize,
}

/// Reads all targets of a kind, in as many concurrent ranges of ids as there are cores.
pub(super) async fn scan(engine: &Engine, kind: Kind) -> Result<Scanned> {
    let cores = thread::available_parallelism().map_or(1, usize::from) as u128;
    // ids are hashes, so equal ranges hold about equally many
    let width = u128::MAX / cores;
    let ends = (1..cores).map(|number| Some(PointId::from(Uuid::from_u128(number * width)))).chain([None]);
    let mut from = None;
    let stretches = ends.map(|end| (std::mem::replace(&mut from, end), end));
    let max = MAX_TERMS / usize::try_from(cores).unwrap_or(1);
    let parts = stretches.map(|(after, end)| Spawned::new(read(engine.clone(), kind, after, end, max)));
    let parts = try_join_all(parts).await?;
    Ok(duijie_cpu::run(Lane::Long, move || join(parts, max)).await?)
}

/// Joins the ranges, which takes seconds of processor time for large collections.
fn join(parts: Vec<Part>, max: usize) -> Scanned {
    let all_held = parts.iter().all(|part| part.terms <= max);
    let (mut statistics, mut targets) = (Statistics::default(), Vec::new());
    for part in parts {
        statistics.merge(part.statistics);
        targets.extend(part.targets);
    }
    Scanned { statistics, held: all_held.then(|| Held::new(targets)) }
}

/// Reads the targets after one id up to another. If they have more than `most` terms, no targets are kept.
async fn read(engine: Engine, kind: Kind, start: Option<PointId>, end: Option<PointId>, max: usize) -> Result<Part> {
    let within = |id: &PointId| end.is_none_or(|end| *id <= end);
    let mut part = Part::default();
    let read = |after| engine.read(engine.index.scan(kind, after, PAGE, VectorSelection::Both));
    let mut pages = Pages::after(start, read);
    while let Some(page) = pages.next_page().await? {
        let is_last = !page.next.as_ref().is_none_or(within);
        let add = move || {
            for (id, vectors) in page.rows.iter().filter(|(id, _)| end.is_none_or(|end| *id <= end)) {
                part.statistics.add(&vectors.sparse);
                part.terms += vectors.sparse.indices.len();
                if part.terms <= max {
                    part.targets.push((*id, terms(&vectors.sparse), Packed::new(&vectors.dense)));
                } else {
                    part.targets = Vec::new();
                }
            }
            part
        };
        part = duijie_cpu::run(Lane::Bulk, add).await?;
        if is_last {
            break;
        }
    }
    Ok(part)
}
