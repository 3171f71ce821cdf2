//! Index → snapshot.

use std::{collections::BTreeMap, io::Write};

use tokio::sync::mpsc::{self, Receiver, Sender};

use super::{Summary, encoder::Encoder, line::SnapshotHeader};
use crate::{
    CollectionKind, FieldSelection, Index, IndexError, LeftOut, StoreShape,
    pages::Pages,
    transfer::{
        Listener, Result, Track, TransferError, TransferProgress, TransferStep,
        piece::{self, Piece, PiecePage},
    },
};

/// Pages queued for the encoder: one, so that reading and writing overlap.
const WAITING_PAGES: usize = 1;

/// A complete snapshot.
#[derive(Debug)]
pub struct Created<W> {
    /// The sink, flushed.
    pub sink: W,
    /// Counts and checksums.
    pub summary: Summary,
}

/// Messages to the encoder's thread.
enum Told {
    /// More pieces.
    Page(Vec<Piece>),
    /// End of data, and what of it is damaged. Without it the snapshot stays incomplete.
    End(LeftOut),
}

/// Writes the whole index to `sink`, from a thread of its own; a slow sink slows down reading. What is damaged is left
/// out and reported. After a failure or drop, the sink holds an incomplete snapshot without seal.
///
/// # Errors
/// Errors of the index; [`TransferError::Sink`], [`TransferError::Unwritable`].
pub async fn create<W: Write + Send + 'static>(
    index: &dyn Index,
    store: StoreShape,
    sink: W,
    mut progress: impl FnMut(TransferProgress) + Send,
) -> Result<Created<W>> {
    let mut counts = BTreeMap::new();
    for collection in CollectionKind::ALL {
        counts.insert(collection, piece::count(index, collection).await?);
    }
    let total = counts.values().sum();
    let header = SnapshotHeader::new(store, counts);
    let (pages, inbox) = mpsc::channel(WAITING_PAGES);
    // a thread of its own: a sink may wait for a caller
    let writer = duijie_cpu::thread("snapshot", move || write(sink, header, inbox)).map_err(|_| IndexError::Busy)?;
    let read = read(index, pages, total, &mut progress).await;
    let written = writer.join().await.map_err(|_| TransferError::Stopped)?;
    match (read, written) {
        // if the writer fails, the reader stops; the writer has the cause
        (Ok(()) | Err(TransferError::Stopped), written) => written,
        (Err(error), _) => Err(error),
    }
}

async fn read(index: &dyn Index, pages: Sender<Told>, total: u64, progress: &mut Listener<'_>) -> Result<()> {
    let mut track = Track::new(TransferStep::Write, total, progress);
    let mut left_out = LeftOut::default();
    let send = async |told| pages.send(told).await.map_err(|_| TransferError::Stopped);
    for collection in CollectionKind::ALL {
        let mut all = Pages::new(|after| piece::page(index, collection, after, FieldSelection::Everything));
        while let Some(PiecePage { pieces, damaged, .. }) = all.next_page().await? {
            left_out.add(collection, &damaged);
            let read = pieces.len();
            send(Told::Page(pieces)).await?;
            track.add(read);
        }
    }
    send(Told::End(left_out)).await
}

fn write<W: Write>(sink: W, header: SnapshotHeader, mut inbox: Receiver<Told>) -> Result<Created<W>> {
    let mut encoder = Encoder::new(sink, header)?;
    loop {
        match inbox.blocking_recv() {
            Some(Told::Page(pieces)) => pieces.into_iter().try_for_each(|piece| encoder.piece(piece))?,
            Some(Told::End(left_out)) => return encoder.finish(left_out),
            None => return Err(TransferError::Stopped),
        }
    }
}
