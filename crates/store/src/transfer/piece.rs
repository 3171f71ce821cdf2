//! Contents of a store, page by page: points of each kind, and documents. Its secrets and its clock are none of them.

use std::collections::{BTreeMap, HashMap};

use super::{PAGE, Result};
use crate::{
    CollectionKind, Damaged, Document, DocumentQuery, FieldSelection, Index, Key, PageRequest, Point, PointId, clock,
    pages::Paged, secrets, tombstones,
};
use duijie_core::domain::Filter;

/// Documents per page; with the longest texts they take 32 MB.
const PAGE_DOCUMENTS: usize = 32;

/// A point or a document.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Piece {
    /// A record with its vectors.
    Point(Box<Point>),
    /// A document.
    Document(Document),
}

/// One page of a collection.
#[derive(Debug)]
pub(super) struct PiecePage {
    pub(super) pieces: Vec<Piece>,
    /// Damaged ones, which are left out.
    pub(super) damaged: Vec<Damaged>,
    /// What to ask for `after` to get the next page; `None` on the last one.
    pub(super) next: Option<PointId>,
}

// === impl PiecePage ===

impl Paged for PiecePage {
    fn next(&self) -> Option<PointId> {
        self.next
    }
}

// === impl Piece ===

impl Piece {
    /// Where it belongs.
    pub(super) fn collection(&self) -> CollectionKind {
        match self {
            Self::Point(point) => CollectionKind::Records(point.record.kind()),
            Self::Document(_) => CollectionKind::Documents,
        }
    }

    /// Its id.
    pub(super) fn id(&self) -> PointId {
        match self {
            Self::Point(point) => point.id(),
            Self::Document(document) => document.id(),
        }
    }

    /// Revision of a record or version of a document; higher is newer.
    pub(super) fn revision(&self) -> u64 {
        match self {
            Self::Point(point) => point.record.revision,
            Self::Document(document) => document.version,
        }
    }

    /// Whether it is the tombstone of a deleted record.
    pub(super) fn is_tombstone(&self) -> bool {
        matches!(self, Self::Document(document) if tombstones::is_tombstone(document))
    }

    /// Name for messages.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Point(point) => point.record.name().to_string(),
            Self::Document(document) => format!("{}/{}", document.folder, document.key),
        }
    }
}

/// Page size of a collection.
pub(super) fn page_size(collection: CollectionKind) -> usize {
    match collection {
        CollectionKind::Records(_) => PAGE,
        CollectionKind::Documents => PAGE_DOCUMENTS,
    }
}

/// The next page in id order.
pub(super) async fn page(
    index: &dyn Index,
    collection: CollectionKind,
    after: Option<PointId>,
    with: FieldSelection,
) -> Result<PiecePage> {
    let limit = page_size(collection);
    match collection {
        CollectionKind::Records(kind) => {
            let page = index.scroll(kind, &Filter::default(), PageRequest { after, limit, with }).await?;
            let pieces = page.points.into_iter().map(|point| Piece::Point(Box::new(point))).collect();
            Ok(PiecePage { pieces, damaged: page.damaged, next: page.next })
        }
        CollectionKind::Documents => {
            let page = index.list_documents(DocumentQuery::default(), after, limit).await?;
            let documents = page
                .documents
                .into_iter()
                .filter(|document| !secrets::is_secret(document) && !clock::is_clock(document));
            let pieces = documents.map(Piece::Document).collect();
            Ok(PiecePage { pieces, damaged: page.damaged, next: page.next })
        }
    }
}

/// Revisions stored in an index for these pieces; `None` for a missing one.
pub(super) async fn revisions(
    index: &dyn Index,
    collection: CollectionKind,
    pieces: &[Piece],
) -> Result<Vec<Option<u64>>> {
    let CollectionKind::Records(kind) = collection else { return versions(index, pieces).await };
    let ids: Vec<PointId> = pieces.iter().map(Piece::id).collect();
    let there = index.fetch(kind, &ids, FieldSelection::Payload).await?;
    Ok(there.into_iter().map(|point| point.map(|point| point.record.revision)).collect())
}

async fn versions(index: &dyn Index, pieces: &[Piece]) -> Result<Vec<Option<u64>>> {
    let mut folders: BTreeMap<&str, Vec<Key>> = BTreeMap::new();
    for piece in pieces {
        if let Piece::Document(document) = piece {
            folders.entry(&document.folder).or_default().push(document.key.clone());
        }
    }
    let mut found = HashMap::new();
    for (folder, keys) in folders {
        let there = index.read_documents(folder, &keys).await?;
        found.extend(there.into_iter().flatten().map(|document| (document.id(), document.version)));
    }
    Ok(pieces.iter().map(|piece| found.get(&piece.id()).copied()).collect())
}

/// Stores pieces of one collection unchanged.
pub(super) async fn store(index: &dyn Index, collection: CollectionKind, pieces: Vec<Piece>) -> Result<()> {
    let (mut points, mut documents) = (Vec::new(), Vec::new());
    for piece in pieces {
        match piece {
            Piece::Point(point) => points.push(*point),
            Piece::Document(document) => documents.push(document),
        }
    }
    match collection {
        CollectionKind::Records(kind) => drop(index.upsert(kind, points).await?),
        CollectionKind::Documents => drop(index.restore_documents(documents).await?),
    }
    Ok(())
}

/// Number of pieces in a collection.
pub(super) async fn count(index: &dyn Index, collection: CollectionKind) -> Result<u64> {
    Ok(match collection {
        CollectionKind::Records(kind) => index.count(kind, &Filter::default()).await?,
        CollectionKind::Documents => {
            let all = index.count_documents(DocumentQuery::default()).await?;
            all.saturating_sub(secrets::count(index).await? + clock::count(index).await?)
        }
    })
}
