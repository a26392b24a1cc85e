//! One run at a time.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use super::error::FileError;

/// Held as long as it lives; the kernel lets go when the process ends, however it ends.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "the open file is the lock")] File);

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
