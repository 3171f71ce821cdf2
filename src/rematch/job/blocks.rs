//! The documents of a job: the first ids of its blocks, the work per block, and the results per block.

use std::collections::HashSet;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

use super::{
    block::{Block, block_of},
    bytes::{Damaged, Reader, Writer},
    model::{DemandResult, Job, JobId, ResultPage},
};
use crate::error::{Error, Result};
use duijie_core::domain::RecordName;
use duijie_cpu::Lane;
use duijie_store::{DocumentWrite, Expect, Index, Key, PointId, documents::remove_folder};

/// Folder of the blocks' first ids, by the id of the full job.
const FIRSTS: &str = "rematch/blocks";
/// Blocks written together before a job runs.
const WRITES: usize = 100;

/// Work of a block.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Work {
    /// Demands to match.
    #[serde(default)]
    pub demands: Vec<RecordName>,
    /// Demands of the base whose results no longer hold.
    #[serde(default)]
    pub dropped: Vec<PointId>,
}

/// Writes or rewrites the work of all blocks; blocks without work are left out.
pub(super) async fn write_work(index: &dyn Index, id: JobId, work: Vec<(usize, Work)>) -> Result<()> {
    let folder = folder("selection", id);
    remove_folder(index, &folder).await?;
    let work: Vec<_> = work.into_iter().filter(|(_, work)| *work != Work::default()).collect();
    for chunk in work.chunks(WRITES) {
        let writes = chunk.iter().map(|(number, work)| {
            let text = serde_json::to_string(work).map_err(|error| Error::Internal(error.to_string()))?;
            Ok(DocumentWrite::new(folder.as_str(), Key::Number(*number as u64), text, Expect::Any))
        });
        index.write_documents(writes.collect::<Result<_>>()?).await?;
    }
    Ok(())
}

/// The work of a block.
pub(super) async fn read_work(index: &dyn Index, id: JobId, number: u64) -> Result<Work> {
    match read(index, &folder("selection", id), number).await? {
        Some(text) => serde_json::from_str(&text).map_err(|error| Error::Internal(error.to_string())),
        None => Ok(Work::default()),
    }
}

/// Writes the blocks' first ids.
pub(super) async fn write_firsts(index: &dyn Index, id: JobId, firsts: &[PointId]) -> Result<()> {
    let mut writer = Writer::default();
    writer.list(firsts, |writer, first| writer.u128(first.uuid().as_u128()));
    let text = duijie_cpu::run(Lane::Bulk, move || STANDARD.encode(writer.finish())).await?;
    let write = DocumentWrite::new(FIRSTS, Key::Number(id.number()), text, Expect::Any);
    index.write_documents(vec![write]).await?;
    Ok(())
}

/// The first ids of the blocks of a full job, and of all jobs based on it.
pub(super) async fn read_firsts(index: &dyn Index, id: JobId) -> Result<Vec<PointId>> {
    let text = read(index, FIRSTS, id.number()).await?.ok_or_else(|| damaged(Damaged))?;
    let read = move || -> std::result::Result<Vec<PointId>, Damaged> {
        let bytes = STANDARD.decode(text).map_err(|_| Damaged)?;
        Reader::new(&bytes).list(|reader| Ok(PointId::from(uuid::Uuid::from_u128(reader.u128()?))))
    };
    duijie_cpu::run(Lane::Interactive, read).await?.map_err(damaged)
}

/// Writes the results of a block at once.
pub(super) async fn write_block(index: &dyn Index, id: JobId, number: u64, block: Block) -> Result<()> {
    let text = duijie_cpu::run(Lane::Bulk, move || block.text()).await?.map_err(damaged)?;
    let write = DocumentWrite::new(folder("results", id), Key::Number(number), text, Expect::Any);
    index.write_documents(vec![write]).await?;
    Ok(())
}

/// The text of a block; `None` if it is not written yet.
pub(super) async fn read_block(index: &dyn Index, id: JobId, number: u64) -> Result<Option<String>> {
    read(index, &folder("results", id), number).await
}

/// Results of a job after a given demand, among those written so far.
pub(super) async fn results(
    index: &dyn Index,
    job: &Job,
    after: Option<&RecordName>,
    limit: usize,
) -> Result<ResultPage> {
    let root = JobId::new(job.progress.root);
    if job.progress.written == 0 {
        return Ok(ResultPage::default());
    }
    let firsts = read_firsts(index, root).await?;
    let after = after.map(PointId::of);
    let start = after.map_or(0, |after| block_of(&firsts, after)) as u64;
    let mut results: Vec<DemandResult> = Vec::new();
    for number in start..job.progress.written {
        let of_block = block_results(index, job.id, root, number).await?;
        results.extend(of_block.into_iter().filter(|it| after.is_none_or(|after| after < PointId::of(&it.demand))));
        if limit < results.len() {
            break;
        }
    }
    let more = limit < results.len();
    results.truncate(limit);
    let next = results.last().filter(|_| more).map(|result| result.demand.clone());
    Ok(ResultPage { results, next })
}

/// The results of one block.
async fn block_results(index: &dyn Index, id: JobId, root: JobId, number: u64) -> Result<Vec<DemandResult>> {
    let Some(own) = read_block(index, id, number).await? else { return Ok(Vec::new()) };
    let beneath = match id == root {
        true => None,
        false => Some(read_block(index, root, number).await?.ok_or_else(|| damaged(Damaged))?),
    };
    // a block has up to a megabyte
    let read = move || -> std::result::Result<Vec<DemandResult>, Damaged> {
        let own = Block::read_results(&own)?;
        match beneath {
            None => Ok(own.results),
            Some(beneath) => Ok(own.over(Block::read_results(&beneath)?)),
        }
    };
    duijie_cpu::run(Lane::Interactive, read).await?.map_err(damaged)
}

/// Decision data of a base's block: the root's block, and the block over it.
pub(super) async fn read_base(index: &dyn Index, base: JobId, root: JobId, number: u64) -> Result<(Block, Block)> {
    let beneath = read_block(index, root, number).await?.ok_or_else(|| damaged(Damaged))?;
    let over = match base == root {
        true => None,
        false => Some(read_block(index, base, number).await?.ok_or_else(|| damaged(Damaged))?),
    };
    duijie_cpu::run(Lane::Bulk, move || base_blocks(&beneath, over.as_deref())).await?.map_err(damaged)
}

fn base_blocks(beneath: &str, over: Option<&str>) -> std::result::Result<(Block, Block), Damaged> {
    let beneath = Block::read_decisions(beneath)?;
    let Some(over) = over else { return Ok((beneath, Block::default())) };
    let over = Block::read(over)?;
    let hidden: HashSet<PointId> =
        over.decisions.iter().map(|decision| decision.demand).chain(over.dropped.iter().copied()).collect();
    let decisions = beneath.decisions.into_iter().filter(|decision| !hidden.contains(&decision.demand));
    // demands that failed at the root have been tried again since
    Ok((Block { decisions: decisions.collect(), ..Block::default() }, over))
}

/// Deletes a job's documents, but not the job itself.
pub(super) async fn remove(index: &dyn Index, id: JobId) -> Result<()> {
    remove_folder(index, &folder("selection", id)).await?;
    remove_folder(index, &folder("results", id)).await?;
    Ok(index.remove_documents(FIRSTS, &[Key::Number(id.number())]).await?)
}

async fn read(index: &dyn Index, folder: &str, number: u64) -> Result<Option<String>> {
    let found = index.read_documents(folder, &[Key::Number(number)]).await?.into_iter().next().flatten();
    Ok(found.map(|document| document.text))
}

fn folder(what: &str, id: JobId) -> String {
    format!("rematch/{what}/{:016x}", id.number())
}

fn damaged(damaged: Damaged) -> Error {
    Error::Internal(damaged.to_string())
}
