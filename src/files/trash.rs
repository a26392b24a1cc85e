//! Where things lie between their removal and their deletion: out of everybody's reach, on the same file system.

use std::cell::Cell;
use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode, RenameFlags, open, openat, renameat_with, unlinkat};
use rustix::io::Errno;

use super::error::FileError;
use super::tree::{DIRECTORY, names};

/// A directory of our own, mode 0700.
///
/// What is in it is deleted without going down by paths, so that nobody who still writes there leads the way out: each
/// directory is emptied alone, and directories in it that are not empty are first moved to the top. However deep a tree
/// is, that takes one descriptor, and no mount is ever entered, since it cannot be moved (rename(2): EBUSY).
#[derive(Debug)]
pub struct Trash {
    directory: OwnedFd,
    path: PathBuf,
    /// Where to go on looking for a name that is free.
    next: Cell<u64>,
}

impl Trash {
    /// Opens the directory at `path`, and makes it if it is missing.
    ///
    /// # Errors
    /// It cannot be made or opened.
    pub fn open(path: &Path) -> Result<Self, FileError> {
        super::make_directory(path, 0o700)?;
        let directory = open(path, DIRECTORY, Mode::empty())
            .map_err(|error| FileError::new("open", path, error.into()))?;
        Ok(Self::of(directory, path.to_owned()))
    }

    /// The same for a directory that is open already.
    pub(super) fn of(directory: OwnedFd, path: PathBuf) -> Self {
        Self { directory, path, next: Cell::new(0) }
    }

    /// Opens the directory at `path`, if a run that was cut off left something in it.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn left_at(path: &Path) -> Result<Option<Self>, FileError> {
        let is_empty = super::names(path)?.is_empty();
        if is_empty { Ok(None) } else { Self::open(path).map(Some) }
    }

    /// Moves `name` of the directory `from` in, under a name of its own. Says whether it was there.
    pub(super) fn take_in(&self, from: BorrowedFd<'_>, name: &OsStr) -> Result<bool, Errno> {
        let own = std::process::id();
        for number in self.next.get().. {
            self.next.set(number);
            let new = format!("{own}-{number}");
            match renameat_with(from, name, &self.directory, new.as_str(), RenameFlags::NOREPLACE) {
                Ok(()) => return Ok(true),
                Err(Errno::NOENT) => return Ok(false),
                Err(Errno::EXIST) => {}
                Err(error) => return Err(error),
            }
        }
        Err(Errno::EXIST)
    }

    /// Moves the directory or file at `path` in, in one step. Says whether it was there.
    ///
    /// # Errors
    /// It is on another file system, or a mount.
    pub fn take(&self, path: &Path) -> Result<bool, FileError> {
        let attempt = || -> Result<bool, Errno> {
            let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
                return Err(Errno::INVAL);
            };
            match open(parent, DIRECTORY, Mode::empty()) {
                Ok(parent) => self.take_in(parent.as_fd(), name),
                Err(Errno::NOENT) => Ok(false),
                Err(error) => Err(error),
            }
        };
        attempt().map_err(|error| FileError::new("move", path, error.into()))
    }

    /// Deletes everything in it. What cannot be deleted stays for the next time, and keeps nothing else from going.
    ///
    /// # Errors
    /// The first thing that could not be deleted.
    pub fn empty(&self) -> Result<(), FileError> {
        let (mut stuck, mut first) = (HashSet::new(), None);
        loop {
            let left = names(&self.directory).map_err(|error| self.error(OsStr::new(""), error))?;
            let left: Vec<OsString> = left.into_iter().filter(|name| !stuck.contains(name)).collect();
            if left.is_empty() {
                return first.map_or(Ok(()), Err);
            }
            for name in left {
                if let Err(error) = self.delete(&name) {
                    first.get_or_insert_with(|| self.error(&name, error));
                    stuck.insert(name);
                }
            }
        }
    }

    fn delete(&self, name: &OsStr) -> Result<(), Errno> {
        if remove(self.directory.as_fd(), name)? {
            return Ok(());
        }
        let directory = openat(&self.directory, name, DIRECTORY, Mode::empty())?;
        let mut first = None;
        for inner in names(&directory)? {
            let moved = remove(directory.as_fd(), &inner)
                .and_then(|removed| if removed { Ok(true) } else { self.take_in(directory.as_fd(), &inner) });
            if let Err(error) = moved {
                first.get_or_insert(error);
            }
        }
        match first {
            Some(error) => Err(error),
            None => unlinkat(&self.directory, name, AtFlags::REMOVEDIR),
        }
    }

    fn error(&self, name: &OsStr, error: Errno) -> FileError {
        FileError::new("delete", &self.path.join(name), error.into())
    }
}

/// Deletes a file, or a directory that is empty; false where there is more in it. What is gone already is no error.
fn remove(directory: BorrowedFd<'_>, name: &OsStr) -> Result<bool, Errno> {
    let attempt = match unlinkat(directory, name, AtFlags::empty()) {
        // Linux' word for a directory, where POSIX has EPERM: unlink(2).
        Err(Errno::ISDIR) => unlinkat(directory, name, AtFlags::REMOVEDIR),
        other => other,
    };
    match attempt {
        Ok(()) | Err(Errno::NOENT) => Ok(true),
        Err(Errno::NOTEMPTY) => Ok(false),
        Err(error) => Err(error),
    }
}
