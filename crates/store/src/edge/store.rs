//! The folder of a store: lock, versions, location of the shards.
//!
//! ```text
//! store.json            versions, dimensions, whether all shards are made; written whole or not at all
//! lock                  held while the store is open; holds the process id
//! ballast               bytes that a start on a full disk deletes
//! achievements/engine/  the engine's own files
//! achievements/journal  writes since the last flush of the engine
//! achievements/census   number and ids of the points at the last flush
//! achievements/optimizing  there while the optimiser runs, and after it was cut off
//! demands/, experts/    the same
//! documents/            the same for documents
//! ```

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Seek, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{
    disk::Disk,
    journal::Journal,
    options::{EdgeOptions, Tuning},
};
use crate::{CollectionKind, IndexError, Result, StoreShape};

const STORE_FILE: &str = "store.json";
const LOCK_FILE: &str = "lock";

/// A store's folder, locked by this process while the value lives.
#[derive(Debug)]
pub(super) struct StoreFolder {
    folder: PathBuf,
    /// Versions that the store was built with, and dimensions of its embeddings.
    pub(super) shape: StoreShape,
    /// Whether all record shards existed at opening; if so, a missing one is damage.
    pub(super) complete: bool,
    /// The same for the shard of documents, which early stores did not have.
    documents: bool,
    /// The disk under it.
    pub(super) disk: Disk,
    _lock: File,
}

/// Folder of one shard.
#[derive(Debug, Clone)]
pub(super) struct ShardPlace {
    /// The collection.
    pub(super) collection: CollectionKind,
    folder: PathBuf,
}

#[derive(Debug, Serialize, Deserialize)]
struct StoreFile {
    #[serde(flatten)]
    shape: StoreShape,
    /// Set once all record shards exist.
    #[serde(default)]
    complete: bool,
    /// Set once the shard of documents exists.
    #[serde(default)]
    documents: bool,
}

// === impl StoreFolder ===

impl StoreFolder {
    /// Opens or creates a store's folder and locks it.
    pub(super) fn open(options: &EdgeOptions) -> Result<Self> {
        let folder = &options.folder;
        fs::create_dir_all(folder).map_err(at(folder))?;
        let lock = lock(folder)?;
        let wanted = StoreShape { versions: options.versions.clone(), dimensions: options.dimensions };
        let file = match read(folder)? {
            Some(stored) => {
                let difference = stored.shape.misfit(&wanted);
                if !difference.is_empty() && !options.any_version {
                    return Err(IndexError::OtherVersions { store: folder.display().to_string(), difference });
                }
                stored
            }
            None => {
                refuse_foreign(folder)?;
                StoreFile { shape: wanted, complete: false, documents: false }
            }
        };
        let StoreFile { shape, complete, documents } = file;
        let Tuning { free_space, disk_reserve_bytes, .. } = &options.tuning;
        let disk = Disk::new(folder, free_space.clone(), *disk_reserve_bytes);
        let store = Self { folder: folder.clone(), shape, complete, documents, disk, _lock: lock };
        if !complete {
            store.save(false)?;
        }
        Ok(store)
    }

    /// Locks the store in a folder, whatever its versions. Writes nothing but the lock file.
    pub(super) fn hold(folder: &Path) -> Result<Self> {
        if read(folder)?.is_none() {
            return Err(IndexError::Refused(format!("{} 中没有存储，请检查路径", folder.display())));
        }
        let lock = lock(folder)?;
        // read under the lock: the former holder may have written it
        let file = read(folder)?;
        let Some(StoreFile { shape, complete, documents }) = file else { return Err(IndexError::Closed) };
        let disk = Disk::unwatched(folder);
        Ok(Self { folder: folder.to_path_buf(), shape, complete, documents, disk, _lock: lock })
    }

    /// Shape of the store in a folder; `None` if there is no store.
    pub(super) fn shape_of(folder: &Path) -> Result<Option<StoreShape>> {
        Ok(read(folder)?.map(|file| file.shape))
    }

    /// Records in `store.json` that all shards exist.
    pub(super) fn set_complete(&self) -> Result<()> {
        if self.complete && self.documents { Ok(()) } else { self.save(true) }
    }

    /// Returns whether the shard existed before this opening, so that it must be present.
    pub(super) fn has(&self, collection: CollectionKind) -> bool {
        match collection {
            CollectionKind::Records(_) => self.complete,
            CollectionKind::Documents => self.documents,
        }
    }

    fn save(&self, complete: bool) -> Result<()> {
        let path = self.folder.join(STORE_FILE);
        let file = StoreFile { shape: self.shape.clone(), complete, documents: complete };
        let text = serde_json::to_vec_pretty(&file).map_err(|error| damaged(&self.folder, &error))?;
        write_whole(&path, &text).map_err(at(&path))
    }

    /// Folder of a shard.
    pub(super) fn place(&self, collection: CollectionKind) -> ShardPlace {
        ShardPlace { collection, folder: self.folder.join(collection.collection()) }
    }
}

// === impl ShardPlace ===

impl ShardPlace {
    /// Folder owned by the engine.
    pub(super) fn engine(&self) -> PathBuf {
        self.folder.join("engine")
    }

    /// Folder of the engine's segments.
    pub(super) fn segments(&self) -> PathBuf {
        self.engine().join("segments")
    }

    /// Path of the journal.
    pub(super) fn journal(&self) -> PathBuf {
        self.folder.join("journal")
    }

    /// Path of the census.
    pub(super) fn census(&self) -> PathBuf {
        self.folder.join("census")
    }

    /// Returns whether the optimiser is running or was cut off.
    pub(super) fn is_optimizing(&self) -> bool {
        self.marker().exists()
    }

    /// Marks that the optimiser runs. The mark is on disk when this returns.
    pub(super) fn mark_optimizing(&self) -> Result<()> {
        let marker = self.marker();
        write_whole(&marker, b"").map_err(at(&marker))
    }

    /// Removes the mark: the optimiser has ended and the engine is flushed.
    pub(super) fn unmark_optimizing(&self) -> Result<()> {
        let marker = self.marker();
        match fs::remove_file(&marker) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(at(&marker)(error)),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Opens the journal; creates it unless the shard `had` one.
    pub(super) fn open_journal(&self, had: bool) -> Result<Journal> {
        let path = self.journal();
        let opened = if had { Journal::open(&path) } else { Journal::create(&path) };
        opened.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => IndexError::JournalMissing { collection: self.collection, path },
            _ => at(&path)(error),
        })
    }

    /// Error for points that are not those of the last checkpoint.
    pub(super) fn counted_otherwise(&self, before: u64, now: u64) -> IndexError {
        IndexError::CountedOtherwise { collection: self.collection, folder: self.folder.clone(), before, now }
    }

    /// Error for engine files that cannot be used.
    pub(super) fn damaged(&self, reason: impl ToString) -> IndexError {
        IndexError::Damaged { collection: self.collection, folder: self.folder.clone(), reason: reason.to_string() }
    }

    fn marker(&self) -> PathBuf {
        self.folder.join("optimizing")
    }
}

/// Adds the path to an I/O error.
pub(super) fn at(path: &Path) -> impl FnOnce(io::Error) -> IndexError + use<> {
    let path = path.to_path_buf();
    move |source| IndexError::Folder { path, source }
}

/// Writes a file atomically: after a power failure it is complete or absent.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let parent = path.parent().unwrap_or(Path::new("."));
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".tmp");
    let temporary = parent.join(name);
    let mut file = File::create(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    File::open(parent)?.sync_all()
}

fn lock(folder: &Path) -> Result<File> {
    let path = folder.join(LOCK_FILE);
    let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
    let mut file = open.map_err(at(&path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let known = file.read_to_string(&mut holder).is_ok_and(|read| 0 < read);
            let holder = if known { format!("进程号 {}", holder.trim()) } else { "进程号未知".to_string() };
            return Err(IndexError::InUse { folder: folder.to_path_buf(), holder });
        }
        Err(TryLockError::Error(source)) => return Err(IndexError::Folder { path, source }),
    }
    // on a full disk the note is missing, which only makes a sentence less helpful
    let note = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| write!(file, "{}", std::process::id()));
    match note {
        Err(error) if error.kind() != io::ErrorKind::StorageFull => Err(at(&path)(error)),
        Ok(()) | Err(_) => Ok(file),
    }
}

/// Rejects a folder without [`STORE_FILE`] unless it is empty or holds only leftovers of a start that was cut off.
fn refuse_foreign(folder: &Path) -> Result<()> {
    let ours = [LOCK_FILE, "store.json.tmp", "lost+found"];
    for entry in fs::read_dir(folder).map_err(at(folder))? {
        let name = entry.map_err(at(folder))?.file_name().to_string_lossy().into_owned();
        if !ours.contains(&name.as_str()) {
            return Err(IndexError::Foreign { folder: folder.to_path_buf(), found: name });
        }
    }
    Ok(())
}

/// Reads the store's description from a folder; `None` if there is none.
fn read(folder: &Path) -> Result<Option<StoreFile>> {
    let path = folder.join(STORE_FILE);
    match fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| damaged(folder, &error)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(IndexError::Folder { path, source }),
    }
}

fn damaged(folder: &Path, error: &serde_json::Error) -> IndexError {
    let source = io::Error::new(io::ErrorKind::InvalidData, error.to_string());
    IndexError::Folder { path: folder.join(STORE_FILE), source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{StoreVersions, edge::options::Tuning};

    fn options(folder: &Path) -> EdgeOptions {
        EdgeOptions {
            folder: folder.to_path_buf(),
            dimensions: 4,
            versions: StoreVersions { format: 1, text: "2".into(), model: "m-1".into() },
            any_version: false,
            tuning: Tuning::default(),
        }
    }

    #[test]
    fn other_versions_are_refused_unless_any_will_do() {
        let folder = tempfile::tempdir().unwrap();
        let open = |change: fn(&mut EdgeOptions)| {
            let mut options = options(folder.path());
            change(&mut options);
            StoreFolder::open(&options)
        };
        drop(open(|_| ()).unwrap());
        drop(open(|_| ()).unwrap());
        let check = |change: fn(&mut EdgeOptions), want: &str| {
            let said = open(change).unwrap_err().to_string();
            assert!(said.contains(want) && said.contains("duijie reindex"), "{said}");
        };
        check(|o| o.versions.format = 2, "格式：库中为 1，当前为 2");
        check(|o| o.versions.text = "3".into(), "文本处理：库中为 2，当前为 3");
        check(|o| o.versions.model = "m-2".into(), "模型：库中为 m-1，当前为 m-2");
        check(|o| o.dimensions = 5, "维数：库中为 4，当前为 5");
        let any = open(|o| (o.dimensions, o.any_version) = (5, true)).unwrap();
        assert_eq!(any.shape.dimensions, 4);
        assert_eq!(StoreFolder::shape_of(folder.path()).unwrap(), Some(any.shape.clone()));
        assert_eq!(StoreFolder::shape_of(Path::new("/nowhere")).unwrap(), None);
    }

    #[test]
    fn a_held_store_names_its_holder() {
        let folder = tempfile::tempdir().unwrap();
        let first = StoreFolder::open(&options(folder.path())).unwrap();
        let said = StoreFolder::open(&options(folder.path())).unwrap_err().to_string();
        assert!(said.contains(&format!("进程号 {}", std::process::id())), "{said}");
        drop(first);
        StoreFolder::open(&options(folder.path())).unwrap();
    }

    #[test]
    fn folders_that_are_none_of_ours_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("thesis.doc");
        fs::write(&file, "x").unwrap();
        let said = StoreFolder::open(&options(folder.path())).unwrap_err();
        assert!(matches!(&said, IndexError::Foreign { found, .. } if found == "thesis.doc"), "{said}");
        for path in [file.as_path(), Path::new("/proc/duijie")] {
            let said = StoreFolder::open(&options(path)).unwrap_err();
            assert!(matches!(said, IndexError::Folder { .. }), "{said}");
        }
        fs::remove_file(&file).unwrap();
        fs::write(folder.path().join(STORE_FILE), "{").unwrap();
        let said = StoreFolder::open(&options(folder.path())).unwrap_err();
        assert!(matches!(said, IndexError::Folder { .. }), "{said}");
    }
}
