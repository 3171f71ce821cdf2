//! Reads a whole index and says what of it is damaged (`duijie verify`).
//!
//! Every row is read with all its parts and compared with its checksums; the number of rows is compared with the engine's
//! own count. What the engine keeps to find rows faster is not compared: graphs, inverted lists and indexes of fields.

use crate::{
    CollectionKind, Damaged, DocumentQuery, FieldSelection, Index, PageRequest, Point, PointId, Result, pages::Paged,
    pages::Pages,
};
use duijie_core::domain::{Filter, Kind};

/// Points per page.
const PAGE: usize = 256;
/// Documents per page; with the longest texts they take 32 MB.
const PAGE_DOCUMENTS: usize = 32;
/// Most damaged rows of a collection that are listed, to limit memory.
const MAX_LISTED: usize = 10_000;

/// Findings about one collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The collection.
    pub collection: CollectionKind,
    /// Whole rows.
    pub whole: u64,
    /// Whole rows without a checksum, taken as they are.
    pub unchecked: u64,
    /// Number of damaged rows.
    pub damaged: u64,
    /// The first of them.
    pub listed: Vec<Damaged>,
    /// Rows that the engine counts, before and after they were read.
    pub counted: [u64; 2],
}

/// A page of rows, for the two sorts of them alike.
struct Page {
    whole: u64,
    unchecked: u64,
    damaged: Vec<Damaged>,
    next: Option<PointId>,
}

// === impl Verified ===

impl Verified {
    /// Whether all rows were read and none is damaged.
    pub fn is_whole(&self) -> bool {
        self.damaged == 0 && self.counts_agree()
    }

    /// Whether as many rows were read as the engine counts; while others write, any number between its counts.
    pub fn counts_agree(&self) -> bool {
        let [before, after] = self.counted;
        (before.min(after)..=before.max(after)).contains(&(self.whole + self.damaged))
    }

    fn add(&mut self, page: Page) {
        self.whole += page.whole;
        self.unchecked += page.unchecked;
        self.damaged += page.damaged.len() as u64;
        let room = MAX_LISTED.saturating_sub(self.listed.len());
        self.listed.extend(page.damaged.into_iter().take(room));
    }
}

/// Reads a collection whole. `progress` gets the rows read so far and the number that the engine counts.
///
/// # Errors
/// Errors of the index.
pub async fn verify(
    index: &dyn Index,
    collection: CollectionKind,
    dimensions: usize,
    mut progress: impl FnMut(u64, u64) + Send,
) -> Result<Verified> {
    let before = count(index, collection).await?;
    let mut verified =
        Verified { collection, whole: 0, unchecked: 0, damaged: 0, listed: Vec::new(), counted: [before; 2] };
    progress(0, before);
    let mut pages = Pages::new(|after| page(index, collection, dimensions, after));
    while let Some(page) = pages.next_page().await? {
        verified.add(page);
        progress(verified.whole + verified.damaged, before);
    }
    verified.counted = [before, count(index, collection).await?];
    Ok(verified)
}

async fn count(index: &dyn Index, collection: CollectionKind) -> Result<u64> {
    match collection {
        CollectionKind::Records(kind) => index.count(kind, &Filter::default()).await,
        CollectionKind::Documents => index.count_documents(DocumentQuery::default()).await,
    }
}

async fn page(
    index: &dyn Index,
    collection: CollectionKind,
    dimensions: usize,
    after: Option<PointId>,
) -> Result<Page> {
    match collection {
        CollectionKind::Records(kind) => {
            let request = PageRequest { after, limit: PAGE, with: FieldSelection::Everything };
            let page = index.scroll(kind, &Filter::default(), request).await?;
            let mut damaged = page.damaged;
            let read = page.points.len();
            let unfit: Vec<Damaged> = page.points.iter().filter_map(|point| unfit(point, kind, dimensions)).collect();
            let whole = (read - unfit.len()) as u64;
            damaged.extend(unfit);
            Ok(Page { whole, unchecked: page.unchecked.min(whole), damaged, next: page.next })
        }
        CollectionKind::Documents => {
            let page = index.list_documents(DocumentQuery::default(), after, PAGE_DOCUMENTS).await?;
            let whole = page.documents.len() as u64;
            Ok(Page { whole, unchecked: page.unchecked, damaged: page.damaged, next: page.next })
        }
    }
}

/// A point that could not have been stored: shows damage also where there is no checksum.
fn unfit(point: &Point, kind: Kind, dimensions: usize) -> Option<Damaged> {
    let error = point.check(kind, dimensions).err()?;
    Some(Damaged { id: point.id(), name: Some(point.record.name().to_string()), reason: error.to_string() })
}

// === impl Page ===

impl Paged for Page {
    fn next(&self) -> Option<PointId> {
        self.next
    }
}
