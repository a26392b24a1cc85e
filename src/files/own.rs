//! A directory of our own at the top of a tree that others write to: what is in it means what we wrote.
//!
//! It belongs to who runs this, and nobody else may write to it. The tree's sticky bit keeps others from renaming it. Where that does not hold (they own
//! the tree), somebody may take it away, or put one of their own in its place; that one is never written to.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, RenameFlags, fchmod, fstat, mkdirat, openat, renameat_with, unlinkat,
};
use rustix::io::Errno;
use rustix::process::geteuid;

use super::error::FileError;
use super::lock::Lock;
use super::trash::Trash;
use super::tree::{DIRECTORY, Tree, names};

/// Somebody who makes the name anew each time it was moved away does not hold us up.
const ATTEMPTS: u32 = 20;

/// A directory that is ours alone.
#[derive(Debug)]
pub struct OwnDirectory {
    directory: OwnedFd,
    path: PathBuf,
}

impl Tree {
    /// Opens the directory `name` at the top, and makes it if it is missing: others may read it (0755). What stands there and is not ours gets another
    /// name, `name-foreign-…`.
    ///
    /// # Errors
    /// It cannot be made, or somebody else's cannot be moved.
    pub fn own(&self, name: &OsStr) -> Result<OwnDirectory, FileError> {
        let directory = own(&self.top, name, Mode::from_raw_mode(0o755))
            .map_err(|error| self.error("make", Path::new(name), error))?;
        Ok(OwnDirectory { directory, path: self.path.join(name) })
    }
}

impl OwnDirectory {
    /// A directory in it where others can read.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn directory(&self, name: &str) -> Result<Self, FileError> {
        Ok(Self { directory: self.inner(name, 0o755)?, path: self.path.join(name) })
    }

    /// A directory in it for what is on its way to be deleted; nobody else can look into it.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn trash(&self, name: &str) -> Result<Trash, FileError> {
        Ok(Trash::of(self.inner(name, 0o700)?, self.path.join(name)))
    }

    /// Takes the lock in the file `name`, which nobody else can open; `None` when another run has it.
    ///
    /// # Errors
    /// The lock file cannot be made or locked.
    pub fn lock(&self, name: &str) -> Result<Option<Lock>, FileError> {
        Lock::of(self.file(name, Mode::RUSR | Mode::WUSR)?, &self.path.join(name))
    }

    /// The files in it are empty, and bear exactly these names, when this has returned.
    ///
    /// # Errors
    /// The first that could not be made or deleted; the others are.
    pub fn keep_only(&self, wanted: &[&OsStr]) -> Result<(), FileError> {
        let found: Vec<OsString> =
            names(&self.directory).map_err(|error| self.error("list", OsStr::new(""), error))?;
        let mut first = Ok(());
        for name in found.iter().filter(|name| !wanted.contains(&name.as_os_str())) {
            let removed = unlinkat(&self.directory, name, AtFlags::empty());
            first = first.and(removed.map_err(|error| self.error("delete", name, error)));
        }
        for name in wanted.iter().filter(|wanted| !found.iter().any(|name| name == **wanted)) {
            first = first.and(self.file(name, Mode::from_raw_mode(0o644)).map(drop));
        }
        first
    }

    fn file(&self, name: impl AsRef<OsStr>, mode: Mode) -> Result<File, FileError> {
        let name = name.as_ref();
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let opened = openat(&self.directory, name, flags, mode);
        opened.map(File::from).map_err(|error| self.error("open", name, error))
    }

    fn inner(&self, name: &str, mode: u32) -> Result<OwnedFd, FileError> {
        own(&self.directory, OsStr::new(name), Mode::from_raw_mode(mode))
            .map_err(|error| self.error("make", OsStr::new(name), error))
    }

    fn error(&self, action: &'static str, name: &OsStr, error: Errno) -> FileError {
        let shown = name.to_string_lossy().escape_debug().to_string();
        FileError::new(action, &self.path.join(shown), io::Error::from(error))
    }
}

fn own(parent: impl AsFd, name: &OsStr, mode: Mode) -> Result<OwnedFd, Errno> {
    let parent = parent.as_fd();
    for attempt in 0..ATTEMPTS {
        match openat(parent, name, DIRECTORY, Mode::empty()) {
            Ok(directory) if is_ours(&directory, parent)? => {
                // Whatever the umask took when it was made, and whatever it was before.
                fchmod(&directory, mode)?;
                return Ok(directory);
            }
            Err(Errno::NOENT) => match mkdirat(parent, name, mode) {
                Ok(()) | Err(Errno::EXIST) => continue,
                Err(error) => return Err(error),
            },
            Ok(_) | Err(Errno::LOOP | Errno::NOTDIR | Errno::ACCESS) => {}
            Err(error) => return Err(error),
        }
        let mut aside = name.to_owned();
        aside.push(format!("-foreign-{}-{attempt}", std::process::id()));
        match renameat_with(parent, name, parent, &aside, RenameFlags::NOREPLACE) {
            Ok(()) | Err(Errno::NOENT | Errno::EXIST) => {}
            Err(error) => return Err(error),
        }
    }
    Err(Errno::BUSY)
}

/// On the same file system, of the one who runs this, and written to by nobody else.
fn is_ours(directory: &OwnedFd, parent: impl AsFd) -> Result<bool, Errno> {
    let (found, above) = (fstat(directory)?, fstat(parent)?);
    let is_directory = FileType::from_raw_mode(found.st_mode) == FileType::Directory;
    let is_writable = Mode::from_raw_mode(found.st_mode).intersects(Mode::WGRP | Mode::WOTH);
    Ok(is_directory && !is_writable && found.st_dev == above.st_dev && found.st_uid == geteuid().as_raw())
}
