//! A directory whose content belongs to somebody else: measured and moved aside by descriptors, one name at a time.
//!
//! Whoever runs a workflow may put anything in there, and change it meanwhile. No link is ever followed and no other file
//! system is entered; what vanishes is passed over.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat, fstat, open, openat, statat};
use rustix::io::Errno;

use super::error::FileError;
use super::trash::Trash;

/// A directory, and never what a link of that name leads to.
pub(super) const DIRECTORY: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Deeper than this nothing is counted: each level holds a descriptor while it is read.
const DEEPEST: usize = 200;

/// One of stat(2)'s blocks, whatever the file system's are.
const BLOCK: u64 = 512;

/// A directory of somebody else's.
#[derive(Debug)]
pub struct Tree {
    pub(super) top: OwnedFd,
    pub(super) path: PathBuf,
    device: u64,
    /// Files with several names that were counted already.
    counted: HashSet<u64>,
}

/// What is below one name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measured {
    /// Bytes on the disk: holes take none, and a file with several names counts for the first that is met.
    pub bytes: u64,
    /// When anything in it was last written, or a file in it read, as far as the file system keeps that. Never in the future.
    pub last_used: SystemTime,
    /// When anything in it was last changed (`st_ctime`), which nobody can set; the epoch where there is nothing to look at. Never in the future.
    pub changed: SystemTime,
    /// Something in it could not be looked at, or lies too deep.
    pub incomplete: bool,
}

impl Tree {
    /// Opens the directory at `path`; `None` where there is none.
    ///
    /// # Errors
    /// It is a link or no directory, or may not be opened.
    pub fn open(path: &Path) -> Result<Option<Self>, FileError> {
        let attempt = || -> Result<Self, Errno> {
            let top = open(path, DIRECTORY, Mode::empty())?;
            let device = fstat(&top)?.st_dev;
            Ok(Self { top, path: path.to_owned(), device, counted: HashSet::new() })
        };
        match attempt() {
            Ok(tree) => Ok(Some(tree)),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(FileError::new("open", path, error.into())),
        }
    }

    /// The names in the directory `below`, a path from the top on, sorted; none where it is no directory of this file system.
    ///
    /// # Errors
    /// It may not be read.
    pub fn names(&self, below: &Path) -> Result<Vec<OsString>, FileError> {
        let attempt = || -> Result<Vec<OsString>, Errno> { names(&self.directory(below)?) };
        match attempt() {
            Ok(mut names) => {
                names.sort();
                Ok(names)
            }
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::XDEV) => Ok(Vec::new()),
            Err(error) => Err(self.error("list", below, error)),
        }
    }

    /// Measures all of `entry`, a path from the top on.
    pub fn measure(&mut self, entry: &Path) -> Measured {
        let mut measured =
            Measured { bytes: 0, last_used: UNIX_EPOCH, changed: UNIX_EPOCH, incomplete: false };
        let (parent, name) = match self.parent(entry) {
            Ok(found) => found,
            Err(error) => return Measured { incomplete: error != Errno::NOENT, ..measured },
        };
        let mut left = vec![(Rc::new(parent), name, 0)];
        while let Some((parent, name, depth)) = left.pop() {
            match self.look_at(&parent, &name, depth, &mut measured) {
                Ok(Some(directory)) => match names(&directory) {
                    Ok(names) => {
                        let directory = Rc::new(directory);
                        left.extend(names.into_iter().map(|name| (Rc::clone(&directory), name, depth + 1)));
                    }
                    Err(_) => measured.incomplete = true,
                },
                Ok(None) | Err(Errno::NOENT) => {}
                Err(_) => measured.incomplete = true,
            }
        }
        let now = SystemTime::now();
        Measured { last_used: measured.last_used.min(now), changed: measured.changed.min(now), ..measured }
    }

    /// Moves `entry` into `trash`, in one step: whoever comes later does not find it, neither whole nor in part. Says whether it
    /// was there.
    ///
    /// # Errors
    /// It is on another file system than the trash, or a file system of its own.
    pub fn move_aside(&self, entry: &Path, trash: &Trash) -> Result<bool, FileError> {
        let attempt = || -> Result<bool, Errno> {
            let (parent, name) = self.parent(entry)?;
            trash.take_in(parent.as_fd(), &name)
        };
        match attempt() {
            Ok(moved) => Ok(moved),
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(false),
            Err(error) => Err(self.error("move aside", entry, error)),
        }
    }

    /// Counts one name; a directory that is to be gone into is returned.
    fn look_at(
        &mut self,
        parent: &OwnedFd,
        name: &OsStr,
        depth: usize,
        measured: &mut Measured,
    ) -> Result<Option<OwnedFd>, Errno> {
        let stat = statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)?;
        if stat.st_dev != self.device {
            return Ok(None);
        }
        let is_directory = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
        if is_directory || stat.st_nlink < 2 || self.counted.insert(stat.st_ino) {
            measured.bytes += u64::try_from(stat.st_blocks).unwrap_or(0) * BLOCK;
        }
        measured.last_used = measured.last_used.max(last_used(&stat, is_directory));
        measured.changed = measured.changed.max(moment(stat.st_ctime, stat.st_ctime_nsec));
        if !is_directory {
            return Ok(None);
        }
        if depth == DEEPEST {
            measured.incomplete = true;
            return Ok(None);
        }
        openat(parent, name, DIRECTORY, Mode::empty()).map(Some)
    }

    /// Opens the directory `below`, name by name.
    fn directory(&self, below: &Path) -> Result<OwnedFd, Errno> {
        let mut directory = openat(&self.top, ".", DIRECTORY, Mode::empty())?;
        for component in below.components() {
            // Only names lead down.
            let Component::Normal(name) = component else { return Err(Errno::INVAL) };
            directory = openat(&directory, name, DIRECTORY, Mode::empty())?;
            if fstat(&directory)?.st_dev != self.device {
                return Err(Errno::XDEV);
            }
        }
        Ok(directory)
    }

    fn parent(&self, entry: &Path) -> Result<(OwnedFd, OsString), Errno> {
        let name = entry.file_name().ok_or(Errno::INVAL)?;
        let parent = self.directory(entry.parent().unwrap_or(Path::new("")))?;
        Ok((parent, name.to_owned()))
    }

    pub(super) fn error(&self, action: &'static str, below: &Path, error: Errno) -> FileError {
        // The name is whatever somebody chose, and ends on a terminal.
        let shown = below.to_string_lossy().escape_debug().to_string();
        FileError::new(action, &self.path.join(shown), error.into())
    }
}

/// The names in an open directory, but for itself and the one above.
pub(super) fn names(directory: &OwnedFd) -> Result<Vec<OsString>, Errno> {
    let mut names = Vec::new();
    for entry in Dir::read_from(directory)? {
        let name = OsStr::from_bytes(entry?.file_name().to_bytes()).to_owned();
        if name != "." && name != ".." {
            names.push(name);
        }
    }
    Ok(names)
}

/// Our own looking counts as a reading of a directory, so there only the writing is asked for.
fn last_used(stat: &Stat, is_directory: bool) -> SystemTime {
    moment(if is_directory { stat.st_mtime } else { stat.st_mtime.max(stat.st_atime) }, 0)
}

fn moment(seconds: i64, nanoseconds: u64) -> SystemTime {
    let since_epoch = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
    let since_epoch = since_epoch.saturating_add(Duration::from_nanos(nanoseconds));
    UNIX_EPOCH.checked_add(since_epoch).unwrap_or(UNIX_EPOCH)
}

/// Bytes that an ordinary user may still write on the file system of `path`, statvfs(3).
///
/// # Errors
/// It cannot be asked.
pub fn free(path: &Path) -> Result<u64, FileError> {
    let found = rustix::fs::statvfs(path)
        .map_err(|error| FileError::new("ask for the free space of", path, io::Error::from(error)))?;
    Ok(found.f_bavail.saturating_mul(found.f_frsize))
}
