//! A file that is complete or absent: written under another name, synced, then renamed.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
};

use crate::transfer::{Result, TransferError};

/// A file being written. Removed if dropped before it is finished. A kill leaves `<path>.part`, which the next attempt
/// at the same path takes over.
#[derive(Debug)]
pub struct PartFile {
    path: PathBuf,
    part: PathBuf,
    file: File,
    /// Whether a file at `path` is replaced.
    replaces: bool,
    finished: bool,
}

// === impl PartFile ===

impl PartFile {
    /// Creates `<path>.part` for a file that does not exist yet.
    ///
    /// # Errors
    /// [`TransferError::Exists`], [`TransferError::InUse`], [`TransferError::File`].
    pub fn create(path: &Path) -> Result<Self> {
        Self::open(path, false)
    }

    /// Creates `<path>.part` for a file that replaces an existing one.
    ///
    /// # Errors
    /// [`TransferError::InUse`], [`TransferError::File`].
    pub fn replacing(path: &Path) -> Result<Self> {
        Self::open(path, true)
    }

    fn open(path: &Path, replaces: bool) -> Result<Self> {
        let mut part = path.as_os_str().to_os_string();
        part.push(".part");
        let part = PathBuf::from(part);
        let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&part);
        let file = open.map_err(at(&part))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(TransferError::InUse { path: part }),
            Err(TryLockError::Error(source)) => return Err(TransferError::File { path: part, source }),
        }
        let begun = Self { path: path.to_path_buf(), part, file, replaces, finished: false };
        // checked under the lock, before truncating: the former lock holder may have just renamed it
        if !replaces && path.symlink_metadata().is_ok() {
            return Err(TransferError::Exists { path: path.to_path_buf() });
        }
        begun.file.set_len(0).map_err(at(&begun.part))?;
        Ok(begun)
    }

    /// Path of the unfinished file.
    pub fn part(&self) -> &Path {
        &self.part
    }

    /// Handle for writing.
    ///
    /// # Errors
    /// [`TransferError::File`].
    pub fn writer(&self) -> Result<File> {
        self.file.try_clone().map_err(at(&self.part))
    }

    /// Renames the file to its final name. It is on disk when this returns.
    ///
    /// # Errors
    /// [`TransferError::File`], [`TransferError::Exists`].
    pub fn finish(mut self) -> Result<()> {
        self.file.sync_all().map_err(at(&self.part))?;
        if !self.replaces && self.path.symlink_metadata().is_ok() {
            return Err(TransferError::Exists { path: self.path.clone() });
        }
        fs::rename(&self.part, &self.path).map_err(at(&self.path))?;
        self.finished = true;
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(at(folder))
    }
}

impl Drop for PartFile {
    fn drop(&mut self) {
        if !self.finished {
            // a failure here loses nothing
            let _ = fs::remove_file(&self.part);
        }
    }
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> TransferError + use<> {
    let path = path.to_path_buf();
    move |source| TransferError::File { path, source }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_file_has_its_name_when_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("backup");
        let names = || fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>();
        // left by a kill
        fs::write(folder.path().join("backup.part"), "a longer rest").unwrap();
        let file = PartFile::create(&path).unwrap();
        assert!(matches!(PartFile::create(&path), Err(TransferError::InUse { .. })));
        file.writer().unwrap().write_all(b"whole").unwrap();
        assert_eq!(names(), ["backup.part"]);
        file.finish().unwrap();
        assert_eq!((names(), fs::read(&path).unwrap()), (vec!["backup".into()], b"whole".to_vec()));
        assert!(matches!(PartFile::create(&path), Err(TransferError::Exists { .. })));
        assert_eq!((names(), fs::read(&path).unwrap()), (vec!["backup".into()], b"whole".to_vec()));
        assert!(matches!(PartFile::create(Path::new("/nowhere/x")), Err(TransferError::File { .. })));
        drop(PartFile::create(&folder.path().join("other")).unwrap());
        assert_eq!(names(), ["backup"]);
    }
}
