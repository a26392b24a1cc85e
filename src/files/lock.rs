//! One run at a time.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use super::error::FileError;

/// Held as long as it lives; when the process ends, however it ends, the kernel lets go.
#[derive(Debug)]
pub struct Lock(File);

impl Lock {
    /// Takes the lock, or returns `None` when another run has it.
    ///
    /// # Errors
    /// The lock file cannot be made or locked.
    pub fn take(path: &Path) -> Result<Option<Self>, FileError> {
        if let Some(directory) = path.parent() {
            super::make_directory(directory, 0o755)?;
        }
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)
            .map_err(|source| FileError::new("open", path, source))?;
        Self::of(file, path)
    }

    /// Does somebody hold it? It is not made for that, and nobody who may not read it hears of it.
    #[must_use]
    pub fn is_held(path: &Path) -> bool {
        File::open(path).is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
    }

    /// Takes the lock of a file that is open already.
    pub(super) fn of(file: File, path: &Path) -> Result<Option<Self>, FileError> {
        match file.try_lock() {
            Ok(()) => Ok(Some(Self(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => Err(FileError::new("lock", path, source)),
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // A process that is just being started has a copy of the open file until it executes its program: with closing alone it would hold the lock as long, flock(2).
        // Nothing is left to do when it fails, and a drop cannot report it.
        drop(self.0.unlock());
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_copy_that_a_process_being_started_has_holds_nobody_up() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lock");
        let lock = Lock::take(&path).unwrap().unwrap();
        let _copy = lock.0.try_clone().unwrap();
        assert!(Lock::take(&path).unwrap().is_none());
        drop(lock);
        assert!(Lock::take(&path).unwrap().is_some());
    }
}
