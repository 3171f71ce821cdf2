//! Snapshot → index.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::sync::mpsc::{self, Receiver};

use super::{
    FORMAT, Summary, VERSION,
    decoder::{Decoder, FilePart},
    line::SnapshotHeader,
    seal::{SEAL_BYTES, is_sealed},
};
use crate::{
    CollectionKind, FieldSelection, Index, STORE_FORMAT,
    tombstones::{self, Tombstone},
    transfer::{
        Digests, Listener, Result, Track, TransferError, TransferProgress, TransferStep,
        checksum::track_digests,
        compare::missing,
        count, in_maintenance,
        piece::{self, Piece, PiecePage},
    },
};

/// First bytes of every zstd file.
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// Batches queued for storing: one, so that reading and storing overlap.
const WAITING_BATCHES: usize = 1;

/// A snapshot whose file has been read once from end to end and is valid.
#[derive(Debug, Clone)]
pub struct Snapshot {
    path: PathBuf,
    file: Arc<File>,
    length: u64,
    header: SnapshotHeader,
    summary: Summary,
}

/// Result of a restore.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// Points and documents written; the rest was already present.
    pub written: u64,
}

/// Points of one kind, or documents, stored together.
type Batch = (CollectionKind, Vec<Piece>);

/// The pieces of a snapshot, one after the other.
struct Ours {
    batches: Receiver<Result<Batch>>,
    batch: std::vec::IntoIter<Piece>,
}

// === impl Snapshot ===

impl Snapshot {
    /// Opens a snapshot and checks all of it: seal, every line, order, checksums. Blocks; memory use is constant.
    ///
    /// # Errors
    /// [`TransferError::File`], [`TransferError::Foreigner`], [`TransferError::OtherFormat`],
    /// [`TransferError::Damaged`].
    pub fn open(path: &Path) -> Result<Self> {
        let failed = |source: io::Error| TransferError::File { path: path.to_path_buf(), source };
        let damaged = |reason: String| TransferError::Damaged { path: path.to_path_buf(), reason };
        let foreign = || TransferError::Foreigner { path: path.to_path_buf() };
        let file = Arc::new(File::open(path).map_err(failed)?);
        let metadata = file.metadata().map_err(failed)?;
        let length = metadata.len();
        let mut magic = Vec::new();
        FilePart::new(Arc::clone(&file), 4).read_to_end(&mut magic).map_err(failed)?;
        if !metadata.is_file() || magic != ZSTD_MAGIC {
            return Err(foreign());
        }
        if !is_sealed(FilePart::new(Arc::clone(&file), length), length).map_err(failed)? {
            return Err(damaged("文件的校验和不符".to_string()));
        }
        let body = FilePart::new(Arc::clone(&file), length.saturating_sub(SEAL_BYTES));
        let mut decoder = Decoder::new(body).ok_or_else(foreign)?;
        check_format(path, decoder.header())?;
        while decoder.next_piece().map_err(damaged)?.is_some() {}
        let summary = decoder.summary().ok_or_else(|| damaged("没有末行".to_string()))?;
        let (path, header) = (path.to_path_buf(), decoder.header().clone());
        Ok(Self { path, file, length, header, summary })
    }

    /// Header.
    pub fn header(&self) -> &SnapshotHeader {
        &self.header
    }

    /// Counts and checksums.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// Writes every point and document into `target`, then compares by checksum. The target must have the shape in the
    /// header (see [`check_shapes`](crate::transfer::check_shapes)) and must be empty or hold only points of this
    /// snapshot. Calling again resumes an interrupted restore.
    ///
    /// # Errors
    /// Errors of the index; [`TransferError::NotEmpty`] before anything is written; [`TransferError::Damaged`] if the
    /// file has changed since it was opened; [`TransferError::NotRestored`], [`TransferError::LeaseLost`].
    pub async fn restore(
        &self,
        target: &dyn Index,
        mut progress: impl FnMut(TransferProgress) + Send,
    ) -> Result<Restored> {
        in_maintenance(target, self.write_all(target, &mut progress)).await
    }

    async fn write_all(&self, target: &dyn Index, progress: &mut Listener<'_>) -> Result<Restored> {
        let own_tombstones = self.refuse_others(target, progress).await?;
        tombstones::remove(target, own_tombstones).await?;
        let mut written = 0;
        let mut track = Track::new(TransferStep::Write, self.summary.pieces(), progress);
        let mut batches = self.batches();
        while let Some(batch) = batches.recv().await {
            let (collection, pieces) = batch?;
            let read = pieces.len();
            let missing = missing(target, collection, pieces).await?;
            if !missing.is_empty() {
                written += missing.len() as u64;
                piece::store(target, collection, missing).await?;
            }
            track.add(read);
        }
        let mut track = Track::new(TransferStep::Verify, self.summary.pieces(), progress);
        let restored = track_digests(target, &mut track).await?.digests;
        if restored == self.summary.digests {
            Ok(Restored { written })
        } else {
            Err(TransferError::NotRestored { difference: difference(&self.summary.digests, &restored) })
        }
    }

    /// Refuses a target that holds anything that is not of this snapshot. Each piece of the target is looked up: to subtract
    /// what was found from a count would go wrong if a write of an earlier, broken-off restore came in between. Tombstones
    /// of the target's own deletions do not count; they are returned, and have to be removed.
    async fn refuse_others(&self, target: &dyn Index, progress: &mut Listener<'_>) -> Result<Vec<Tombstone>> {
        let there = count(target).await?;
        if there == 0 {
            return Ok(Vec::new());
        }
        let mut track = Track::new(TransferStep::Compare, there, progress);
        let mut ours = Ours { batches: self.batches(), batch: Vec::new().into_iter() };
        let (mut own, mut others) = (tombstones::all(target).await?, 0);
        for collection in CollectionKind::ALL {
            let mut after = None;
            loop {
                let PiecePage { pieces: theirs, next, .. } =
                    piece::page(target, collection, after, FieldSelection::Payload).await?;
                for piece in &theirs {
                    match (ours.has(piece).await?, own.contains_key(&piece.id())) {
                        (true, _) => drop(own.remove(&piece.id())),
                        (false, is_own) => others += u64::from(!is_own),
                    }
                }
                track.add(theirs.len());
                if next.is_none() {
                    break;
                }
                after = next;
            }
        }
        match others {
            0 => Ok(own.into_values().collect()),
            others => Err(TransferError::NotEmpty { others }),
        }
    }

    /// Reads everything again, from a thread that ends when the receiver is dropped.
    fn batches(&self) -> Receiver<Result<Batch>> {
        let (sender, receiver) = mpsc::channel(WAITING_BATCHES);
        let snapshot = self.clone();
        tokio::task::spawn_blocking(move || {
            let sent = snapshot.read(|batch| sender.blocking_send(Ok(batch)).is_ok());
            if let Err(error) = sent {
                // the receiver may be gone
                let _ = sender.blocking_send(Err(error));
            }
        });
        receiver
    }

    /// Passes batches to `take` until it returns false.
    fn read(&self, mut take: impl FnMut(Batch) -> bool) -> Result<()> {
        let damaged = |reason: String| TransferError::Damaged { path: self.path.clone(), reason };
        let body = FilePart::new(Arc::clone(&self.file), self.length.saturating_sub(SEAL_BYTES));
        let changed = || damaged("文件在读取期间被改动".to_string());
        let mut decoder = Decoder::new(body).filter(|decoder| *decoder.header() == self.header).ok_or_else(changed)?;
        let mut batch: Option<Batch> = None;
        while let Some(piece) = decoder.next_piece().map_err(damaged)? {
            let collection = piece.collection();
            let full =
                |(other, pieces): &mut Batch| *other != collection || piece::page_size(collection) <= pieces.len();
            if batch.take_if(full).is_some_and(|full| !take(full)) {
                return Ok(());
            }
            batch.get_or_insert_with(|| (collection, Vec::new())).1.push(piece);
        }
        if decoder.summary().as_ref() != Some(&self.summary) {
            return Err(changed());
        }
        if let Some(rest) = batch {
            take(rest);
        }
        Ok(())
    }
}

// === impl Ours ===

impl Ours {
    /// Whether the snapshot has this piece in this revision. To be asked in the order of the snapshot.
    async fn has(&mut self, wanted: &Piece) -> Result<bool> {
        let place = |piece: &Piece| (piece.collection(), piece.id());
        loop {
            match self.batch.as_slice().first() {
                Some(piece) if place(piece) < place(wanted) => drop(self.batch.next()),
                Some(piece) => return Ok(place(piece) == place(wanted) && piece.revision() == wanted.revision()),
                None => match self.batches.recv().await {
                    Some(batch) => self.batch = batch?.1.into_iter(),
                    None => return Ok(false),
                },
            }
        }
    }
}

fn check_format(path: &Path, header: &SnapshotHeader) -> Result<()> {
    let said = |version: u32, store: u32| format!("备份 {version}、存储 {store}");
    if header.format != FORMAT {
        return Err(TransferError::Foreigner { path: path.to_path_buf() });
    }
    if (1..=VERSION).contains(&header.version) && header.store.versions.format == STORE_FORMAT {
        return Ok(());
    }
    Err(TransferError::OtherFormat {
        path: path.to_path_buf(),
        found: said(header.version, header.store.versions.format),
        wanted: said(VERSION, STORE_FORMAT),
    })
}

fn difference(wanted: &Digests, found: &Digests) -> String {
    let rows = wanted.iter().filter_map(|(collection, wanted)| {
        let found = found.get(collection).filter(|found| *found != wanted)?;
        Some(format!("{}：备份 {} 条，存储 {} 条", collection.label(), wanted.count, found.count))
    });
    rows.collect::<Vec<_>>().join("；")
}
