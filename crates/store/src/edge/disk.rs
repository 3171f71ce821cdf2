//! Free space of the disk under a store. The engine maps its files into memory and writes into holes of them: on a full
//! disk the operating system kills the process (SIGBUS). So nothing is written unless there is room for all of it.
//!
//! - Writes and optimisations need a reserve: the configured one, or what rewriting the largest segment needs.
//! - A checkpoint, and loading a shard with a journal to replay, need room for the journal's changes. Without it the
//!   journal is kept.
//! - A start needs room for what the journals hold, else next to nothing. `ballast` is a file that a start on a full disk
//!   deletes to have it.

use std::{
    collections::BTreeMap,
    fmt,
    fs::{self, File, Metadata},
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use fs4::FileExt;
use parking_lot::Mutex;

use super::store::ShardPlace;
use crate::{CollectionKind, IndexError, Result};

/// Room that a group of writes needs, by bytes of the group: in the journal, the engine's log, the engine's files, and
/// for what moves.
const WRITE_FACTOR: u64 = 4;
/// Room that replaying or flushing a journal needs, by bytes of the journal.
const FLUSH_FACTOR: u64 = 2;
/// Room that an optimisation needs, by bytes of the segments; the engine refuses one with less.
const OPTIMIZE_FACTOR: u64 = 2;
/// Room that a checkpoint needs besides, for files that grow in steps.
const FLUSH_BYTES: u64 = 32 << 20;
/// Room that loading a shard needs, for the first bytes of a new log.
const LOAD_BYTES: u64 = 1 << 20;
/// Length of the ballast: enough for loading all shards, and for replaying the journal that a kill in usual work leaves
/// ([`Tuning::checkpoint_after_bytes`](super::options::Tuning::checkpoint_after_bytes)).
const BALLAST_BYTES: u64 = 128 << 20;
const BALLAST_FILE: &str = "ballast";
const MIB: u64 = 1 << 20;

/// How the free bytes of the disk under a folder are found out; tests put their own function here.
#[derive(Clone)]
#[allow(clippy::type_complexity, reason = "one type, named once")]
pub struct FreeSpace(pub Arc<dyn Fn(&Path) -> io::Result<u64> + Send + Sync>);

/// The disk under a store.
#[derive(Debug)]
pub(super) struct Disk {
    folder: PathBuf,
    free: FreeSpace,
    reserve_bytes: u64,
    /// Bytes of the largest segment of each shard.
    largest: Mutex<BTreeMap<CollectionKind, u64>>,
}

// === impl FreeSpace ===

impl Default for FreeSpace {
    fn default() -> Self {
        Self(Arc::new(|folder| fs4::available_space(folder)))
    }
}

impl fmt::Debug for FreeSpace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FreeSpace")
    }
}

// === impl Disk ===

impl Disk {
    /// The disk under `folder`. Where there is hardly any room, makes some for the start.
    pub(super) fn new(folder: &Path, free: FreeSpace, reserve_bytes: u64) -> Self {
        let disk = Self { folder: folder.to_path_buf(), free, reserve_bytes, largest: Mutex::default() };
        let Some(free) = disk.free() else { return disk };
        let ballast = folder.join(BALLAST_FILE);
        if free < BALLAST_BYTES {
            if fs::remove_file(&ballast).is_ok() {
                tracing::warn!(folder = %folder.display(), "the disk is full: the ballast was deleted for the start");
            }
        } else if reserve_bytes + BALLAST_BYTES <= free && !ballast.exists() {
            // some file systems cannot set room aside: there a start on a full disk has to be made room for by hand
            if let Err(error) = File::create(&ballast).and_then(|file| file.allocate(BALLAST_BYTES)) {
                tracing::info!(folder = %folder.display(), %error, "no room is set aside for a start on a full disk");
                let _ = fs::remove_file(&ballast);
            }
        }
        disk
    }

    /// A disk that always has room, for work that writes little.
    pub(super) fn unwatched(folder: &Path) -> Self {
        let free = FreeSpace(Arc::new(|_| Ok(u64::MAX)));
        Self { folder: folder.to_path_buf(), free, reserve_bytes: 0, largest: Mutex::default() }
    }

    /// Checks that there is room for a group of writes.
    pub(super) fn check_write(&self, group_bytes: u64) -> Result<()> {
        let group = FLUSH_BYTES + group_bytes.saturating_mul(WRITE_FACTOR);
        if self.check(self.reserve(0).max(group), "已停止写入，查询照常").is_ok() {
            return Ok(());
        }
        // part of the reserve may be in use, by an optimisation
        self.check(self.reserve(self.unfinished_bytes()).max(group), "已停止写入，查询照常")
    }

    /// Checks that there is room for an optimisation.
    pub(super) fn check_optimize(&self) -> Result<()> {
        self.check(self.reserve(0), "暂不建索引")
    }

    /// Checks that there is room for flushing what stands in a journal.
    pub(super) fn check_flush(&self, journal_bytes: u64) -> Result<()> {
        let needed = FLUSH_BYTES + journal_bytes.saturating_mul(FLUSH_FACTOR);
        self.check(needed, "日志中的写入暂不能归入存储，日志保留")
    }

    /// Checks that there is room for loading a shard with this journal.
    pub(super) fn check_load(&self, journal_bytes: u64) -> Result<()> {
        match journal_bytes {
            0 => self.check(LOAD_BYTES, "不能启动"),
            bytes => {
                let needed = FLUSH_BYTES + bytes.saturating_mul(FLUSH_FACTOR);
                self.check(needed, "日志中有待归入存储的写入，不能启动")
            }
        }
    }

    /// Takes note of the sizes of a shard's segments.
    pub(super) fn look(&self, place: &ShardPlace) {
        let largest = folders(&place.segments()).map(|segment| used_bytes(&segment)).max().unwrap_or(0);
        self.largest.lock().insert(place.collection, largest);
    }

    /// Free bytes to keep, `used` of which an optimisation has used already.
    fn reserve(&self, used: u64) -> u64 {
        let largest = self.largest.lock().values().copied().max().unwrap_or(0);
        largest.saturating_mul(OPTIMIZE_FACTOR).saturating_sub(used).max(self.reserve_bytes)
    }

    /// Bytes of segments that an optimisation is making.
    fn unfinished_bytes(&self) -> u64 {
        folders(&self.folder).map(|shard| used_bytes(&shard.join("engine").join("temp_segments"))).sum()
    }

    fn check(&self, needed: u64, consequence: &'static str) -> Result<()> {
        match self.free() {
            Some(free) if free < needed => Err(IndexError::DiskFull {
                folder: self.folder.clone(),
                free_mib: free / MIB,
                needed_mib: needed.div_ceil(MIB),
                consequence,
            }),
            _ => Ok(()),
        }
    }

    /// Free bytes; `None` if the system does not say.
    fn free(&self) -> Option<u64> {
        (self.free.0)(&self.folder).ok()
    }
}

/// Folders in a folder.
fn folders(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path())
}

/// Bytes that a folder takes on the disk; files that vanish meanwhile are not counted.
fn used_bytes(folder: &Path) -> u64 {
    let bytes = |metadata: Metadata| metadata.blocks() * 512;
    let (mut total, mut rest) = (0, vec![folder.to_path_buf()]);
    while let Some(folder) = rest.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            match entry.metadata() {
                Ok(metadata) if metadata.is_dir() => rest.push(entry.path()),
                metadata => total += metadata.map_or(0, bytes),
            }
        }
    }
    total
}
