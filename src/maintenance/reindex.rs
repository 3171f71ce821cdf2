//! Rebuilds a store for another dictionary or model from its own records.
//!
//! The new store grows beside the old one, in `<store>.reindex`. The old store is untouched until the new one is
//! complete; then the two are swapped. If interrupted at any moment, the same command continues: records that the new
//! store already holds in the same revision are not rebuilt.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    error::{Error, Result},
    maintenance::mean_vector::recentred_vector,
};
use duijie_core::{
    domain::{Filter, Kind, Record},
    text::{QueryText, TextPipeline, embedding_texts},
};
use duijie_embed::{Embedder, MeanVector, Priority};
use duijie_store::{DocumentQuery, FieldSelection, Index, PageRequest, Point, pages::Pages, records::whole};

/// Records rebuilt together: enough to keep the model busy.
const BATCH: usize = 128;
/// Documents copied together; the longest texts take 32 MB.
const DOCUMENTS: usize = 32;

/// Rebuilds one store into another.
pub struct Reindex {
    /// Text pipeline of the new store.
    pub text: Arc<TextPipeline>,
    /// Model of the new store.
    pub embedder: Embedder,
    /// Kind of the old vectors.
    pub old: OldVectors,
}

/// Kind of the old store's vectors.
#[derive(Debug, Clone, PartialEq)]
pub enum OldVectors {
    /// From another model, or with an unknown mean vector: all records are embedded again.
    Foreign,
    /// From the same model, with this mean vector or none: kept, or converted to the new mean vector.
    Ours(Option<MeanVector>),
}

/// Folder in which the new store grows.
pub(crate) fn new_folder(store: &Path) -> PathBuf {
    beside(store, ".reindex")
}

/// Replaces the old store by the new one.
///
/// # Errors
/// When a folder cannot be moved. Nothing is lost then; the next call of [`recover`] finishes or undoes the move.
pub fn swap(store: &Path) -> io::Result<()> {
    let old = beside(store, ".old");
    fs::rename(store, &old)?;
    fs::rename(new_folder(store), store)?;
    fs::remove_dir_all(old)
}

/// Finishes an interrupted [`swap`].
///
/// # Errors
/// When a folder cannot be moved or removed.
pub fn recover(store: &Path) -> io::Result<()> {
    let old = beside(store, ".old");
    if !old.exists() {
        return Ok(());
    }
    if !store.exists() {
        fs::rename(new_folder(store), store)?;
    }
    fs::remove_dir_all(old)
}

fn beside(store: &Path, ending: &str) -> PathBuf {
    let mut name = store.file_name().unwrap_or_default().to_os_string();
    name.push(ending);
    store.with_file_name(name)
}

// === impl OldVectors ===

impl OldVectors {
    /// Kind of the vectors of a store with this model version, for this embedder.
    pub fn of(embedder: &Embedder, version: &str) -> Self {
        embedder.mean_vector_of_version(version).map_or(Self::Foreign, Self::Ours)
    }
}

// === impl Reindex ===

impl Reindex {
    /// Rebuilds every record of `old` into `new`; `progress` gets the number of records done.
    ///
    /// # Errors
    /// When a store or the model fails; call it again to continue.
    pub async fn run(&self, old: &dyn Index, new: &dyn Index, mut progress: impl FnMut(u64)) -> Result<u64> {
        let mut done = 0;
        for kind in Kind::ALL {
            let request = |after| PageRequest { after, limit: BATCH, with: FieldSelection::Payload };
            let mut pages = Pages::new(|after| old.scroll(kind, &Filter::default(), request(after)));
            while let Some(page) = pages.next_page().await? {
                done += u64::try_from(page.points.len()).unwrap_or(0);
                self.rebuild(kind, page.points, old, new).await?;
                progress(done);
            }
        }
        keep_documents(old, new).await?;
        Ok(done)
    }

    async fn rebuild(&self, kind: Kind, points: Vec<Point>, old: &dyn Index, new: &dyn Index) -> Result<()> {
        let names: Vec<_> = points.iter().map(|point| point.record.name()).collect();
        let there = whole(new, &names, FieldSelection::Payload).await?;
        let done = |point: &Option<Point>, record: &Record| {
            point.as_ref().is_some_and(|point| point.record.revision == record.revision)
        };
        let missing = points.into_iter().zip(&there).filter(|(point, there)| !done(there, &point.record));
        let records: Vec<Record> = missing.map(|(point, _)| point.record).collect();
        if records.is_empty() {
            return Ok(());
        }
        let vectors = self.vectors(&records, old).await?;
        let rebuilt = records.into_iter().zip(vectors).map(|(record, dense)| Point {
            sparse: self.text.document(&record),
            query: self.text.query(&QueryText::of(&record)),
            dense,
            record,
        });
        let rebuilt: Vec<Point> = rebuilt.collect();
        new.upsert(kind, rebuilt).await?;
        Ok(())
    }

    async fn vectors(&self, records: &[Record], old: &dyn Index) -> Result<Vec<Vec<f32>>> {
        if let OldVectors::Ours(from) = &self.old {
            let names: Vec<_> = records.iter().map(Record::name).collect();
            let kept = whole(old, &names, FieldSelection::Everything).await?;
            // a damaged vector is made again
            let lost = records.iter().zip(&kept).filter(|(_, kept)| kept.is_none());
            let mut made = self.embed(lost.map(|(record, _)| record)).await?.into_iter();
            let moved = |point: Point| recentred_vector(&point.dense, from.as_ref(), self.embedder.mean_vector());
            let dense = kept.into_iter().map(|point| point.map(moved).or_else(|| made.next()));
            return dense.collect::<Option<_>>().ok_or_else(|| Error::Internal("a vector is missing".into()));
        }
        self.embed(records.iter()).await
    }

    async fn embed(&self, records: impl Iterator<Item = &Record>) -> Result<Vec<Vec<f32>>> {
        let texts: Vec<_> = records.map(embedding_texts).collect();
        if texts.is_empty() {
            return Ok(Vec::new());
        }
        Ok(self.embedder.record_vectors(&texts, Priority::Bulk).await?)
    }
}

/// Copies the documents. On a server both stores already share the same documents.
async fn keep_documents(old: &dyn Index, new: &dyn Index) -> Result<()> {
    let mut pages = Pages::new(|after| old.list_documents(DocumentQuery::default(), after, DOCUMENTS));
    while let Some(page) = pages.next_page().await? {
        new.restore_documents(page.documents).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_swap_that_was_broken_off_is_finished() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("store");
        let make = |path: &Path, text: &str| {
            fs::create_dir(path).unwrap();
            fs::write(path.join("file"), text).unwrap();
        };
        let read = || fs::read_to_string(store.join("file")).unwrap();
        make(&store, "old");
        make(&new_folder(&store), "new");
        recover(&store).unwrap();
        assert_eq!(read(), "old", "nothing was begun");
        fs::rename(&store, beside(&store, ".old")).unwrap();
        recover(&store).unwrap();
        assert_eq!(read(), "new", "broken off between the two moves");
        make(&new_folder(&store), "newer");
        swap(&store).unwrap();
        assert_eq!(read(), "newer");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left behind");
    }
}
