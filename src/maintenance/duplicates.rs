//! The search for duplicates over a store: reads the records page by page, runs [`duplicates`](duijie_core::duplicates)
//! on a thread of its own, and stops when all listeners are gone.

use std::sync::Arc;

use tokio::{
    runtime::Handle,
    sync::{
        mpsc::{self, Receiver, Sender},
        watch,
    },
};

use crate::error::{Error, Result};
use duijie_core::{
    domain::{Filter, Kind, Problem, Record, RecordName, Violation},
    duplicates::{DuplicateReport, DuplicatesError, Finder, MAX_RECORDS},
};
use duijie_store::{FieldSelection, Index, IndexError, PageRequest, pages::Pages, records::whole};

/// Records per page: 12 MB with bodies of 20,000 characters.
const PAGE: usize = 200;
/// Pages that may wait for the finder: one, so that reading and signing overlap.
const WAITING_PAGES: usize = 1;

/// Progress of the reading.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DuplicatesProgress {
    /// Records looked at.
    pub done: u64,
    /// Total number of records, counted at the start.
    pub total: u64,
}

/// Messages to the finder's thread.
enum Told {
    /// More records.
    Page(Vec<Record>),
    /// No more records. Without this message there is no report.
    End,
}

/// Re-reads candidates for the finder, from a thread that may block.
struct Reader {
    index: Arc<dyn Index>,
    runtime: Handle,
    progress: watch::Sender<DuplicatesProgress>,
    /// After the first failure nothing more is read.
    failed: Option<IndexError>,
}

/// Searches for duplicates among the records of a kind that match a filter. Returns `None` if all receivers of
/// `progress` are gone: the work then ends within a page, or within a few seconds while pairs are being gathered.
///
/// # Errors
/// More than [`MAX_RECORDS`] records, and the index's errors.
pub async fn search(
    index: Arc<dyn Index>,
    kind: Kind,
    filter: &Filter,
    progress: watch::Sender<DuplicatesProgress>,
) -> Result<Option<DuplicateReport>> {
    let total = index.count(kind, filter).await?;
    if u64::try_from(MAX_RECORDS).unwrap_or(u64::MAX) < total {
        return Err(too_many());
    }
    progress.send_replace(DuplicatesProgress { done: 0, total });
    let (pages, inbox) = mpsc::channel(WAITING_PAGES);
    let reader =
        Reader { index: Arc::clone(&index), runtime: Handle::current(), progress: progress.clone(), failed: None };
    let finder = Finder::new(kind);
    let finding = duijie_cpu::thread("duplicates", move || find(finder, inbox, reader))?;
    let read = read(&*index, kind, filter, pages, &progress).await;
    read.and(finding.join().await?)
}

/// Sends all pages to the finder, until it takes no more.
async fn read(
    index: &dyn Index,
    kind: Kind,
    filter: &Filter,
    pages: Sender<Told>,
    progress: &watch::Sender<DuplicatesProgress>,
) -> Result<()> {
    let request = |after| PageRequest { after, limit: PAGE, with: FieldSelection::Payload };
    let mut all = Pages::new(|after| index.scroll(kind, filter, request(after)));
    while let Some(page) = all.next_page().await? {
        let read = u64::try_from(page.points.len()).unwrap_or(0);
        let records = page.points.into_iter().map(|point| point.record).collect();
        // the finder has ended; its result holds the reason
        if pages.send(Told::Page(records)).await.is_err() {
            return Ok(());
        }
        progress.send_modify(|progress| progress.done += read);
    }
    let _ = pages.send(Told::End).await;
    Ok(())
}

/// Takes the pages, then finds the groups; `None` if stopped.
fn find(mut finder: Finder, mut inbox: Receiver<Told>, mut reader: Reader) -> Result<Option<DuplicateReport>> {
    loop {
        match inbox.blocking_recv() {
            _ if reader.progress.is_closed() => return Ok(None),
            Some(Told::Page(records)) => records.iter().try_for_each(|record| finder.add(record)).map_err(refused)?,
            Some(Told::End) => break,
            None => return Ok(None),
        }
    }
    let report = finder.find(|name| reader.fetch(name));
    match reader.failed {
        Some(error) => Err(error.into()),
        None if reader.progress.is_closed() => Ok(None),
        None => Ok(Some(report)),
    }
}

fn refused(error: DuplicatesError) -> Error {
    match error {
        DuplicatesError::TooMany => too_many(),
        DuplicatesError::Kind { .. } => Error::Internal(error.to_string()),
    }
}

fn too_many() -> Error {
    Violation::new("filter", Problem::TooMany { max: MAX_RECORDS }).into()
}

// === impl Reader ===

impl Reader {
    fn fetch(&mut self, name: &RecordName) -> Option<Record> {
        if self.failed.is_some() || self.progress.is_closed() {
            return None;
        }
        match self.runtime.block_on(whole(&*self.index, std::slice::from_ref(name), FieldSelection::Payload)) {
            Ok(found) => found.into_iter().next().flatten().map(|point| point.record),
            Err(error) => {
                self.failed = Some(error);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{Twins, record};

    #[tokio::test(flavor = "multi_thread")]
    async fn a_damaged_record_is_in_no_group() {
        let twins = Twins::new();
        let text = "针对薄壁壳体焊接后变形大、气孔多的难题，采用摆动激光与填丝复合工艺，配合在线测温与路径规划，变形量下降六成";
        let title = "铝合金薄板激光焊接气孔与变形控制成套装备";
        twins.store(["a", "b", "c"].map(|id| record(Kind::Achievement, id, title, text))).await;
        let members = async || {
            let (progress, listening) = watch::channel(DuplicatesProgress::default());
            let filter = Filter::default();
            let report = search(Arc::clone(&twins.index), Kind::Achievement, &filter, progress).await.unwrap().unwrap();
            drop(listening);
            report.groups.iter().map(|group| group.members.len()).collect::<Vec<_>>()
        };
        assert_eq!(members().await, [3]);
        twins.reads.damage(&"achievements/b".parse().unwrap());
        assert_eq!(members().await, [2]);
    }
}
