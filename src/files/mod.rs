//! The edge to the file system: atomic writes, ownership by marker, the lock, and files that hold secrets.
//!
//! No policy: what is written where is decided elsewhere.

mod error;
mod lock;
mod log;
mod own;
mod owner;
mod secret;
mod trash;
mod tree;
mod untrusted;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

pub use error::FileError;
pub use lock::Lock;
pub use log::{Follower, Log};
pub use own::OwnDirectory;
pub use owner::{give, give_tree, owner, remove_tree};
pub use secret::{SecretFileError, SecretKind, read_loaded, read_secret, read_tokens};
pub use trash::Trash;
pub use tree::{Measured, Tree, free};
pub use untrusted::read_untrusted;

use crate::fleet::FoundFile;
use crate::units::is_ours;

/// Prefix of our temporary files; what a killed run left behind is told by it and swept by the next.
const TEMPORARY: &str = ".runnerctl-";

/// The directory that stands for `/`: `--root DIR` of packagers and tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root(PathBuf);

impl Root {
    /// Everything is written below `directory`.
    #[must_use]
    pub fn below(directory: PathBuf) -> Self {
        Self(directory)
    }

    /// The host itself.
    #[must_use]
    pub fn host() -> Self {
        Self(PathBuf::from("/"))
    }

    /// Where `path` of the host really is.
    #[must_use]
    pub fn at(&self, path: &Path) -> PathBuf {
        self.0.join(path.strip_prefix("/").unwrap_or(path))
    }
}

/// Writes `text` so that a reader, or a power cut, finds the old file or the new one: temp, fsync, rename, fsync of the directory.
///
/// # Errors
/// What failed, with the path.
pub fn write(path: &Path, text: &[u8], mode: u32) -> Result<(), FileError> {
    let directory = path.parent().unwrap_or(Path::new("/"));
    make_directory(directory, 0o755)?;
    let attempt = || -> io::Result<()> {
        let mut file = tempfile::Builder::new()
            .prefix(TEMPORARY)
            .permissions(fs::Permissions::from_mode(mode))
            .tempfile_in(directory)?;
        file.write_all(text)?;
        // The umask took its part when the file was made.
        file.as_file().set_permissions(fs::Permissions::from_mode(mode))?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        File::open(directory)?.sync_all()
    };
    attempt().map_err(|source| FileError::new("write", path, source))
}

/// Deletes a file; one that is gone already is no error.
///
/// # Errors
/// What failed, with the path.
pub fn remove(path: &Path) -> Result<(), FileError> {
    match fs::remove_file(path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(FileError::new("delete", path, source)),
    }
    let directory = path.parent().unwrap_or(Path::new("/"));
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(|source| FileError::new("sync", directory, source))
}

/// Makes a directory and those above it; one that exists keeps its mode.
///
/// # Errors
/// What failed, with the path.
pub fn make_directory(path: &Path, mode: u32) -> Result<(), FileError> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        make_directory(parent, 0o755)?;
    }
    let result = fs::DirBuilder::new().mode(mode).create(path);
    match result {
        // The umask took its part.
        Ok(()) => fs::set_permissions(path, fs::Permissions::from_mode(mode)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) => Err(error),
    }
    .map_err(|source| FileError::new("make", path, source))
}

/// Where `path` is behind the links that lead there; for paths that the config names, never for what is found below them.
///
/// # Errors
/// There is nothing.
pub fn behind_links(path: &Path) -> Result<PathBuf, FileError> {
    fs::canonicalize(path).map_err(|source| FileError::new("open", path, source))
}

/// Reads a text file; `None` where there is none.
///
/// # Errors
/// What failed, with the path.
pub fn read(path: &Path) -> Result<Option<String>, FileError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(FileError::new("read", path, source)),
    }
}

/// Is there something at `path` (that may be looked at)?
#[must_use]
pub fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// Is `path` itself a link?
#[must_use]
pub fn is_link(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink())
}

/// Is there something at `path`? `None` where this user may not look.
#[must_use]
pub fn can_see(path: &Path) -> Option<bool> {
    match fs::symlink_metadata(path) {
        Ok(_) => Some(true),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => None,
        Err(_) => Some(false),
    }
}

/// What stands at `path`: nothing, a file of ours, or somebody else's. Links are never followed.
///
/// # Errors
/// What failed, with the path.
pub fn found(path: &Path) -> Result<Option<FoundFile>, FileError> {
    let attempt = || -> io::Result<Option<FoundFile>> {
        let metadata = match fs::symlink_metadata(path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        if !metadata.is_file() {
            return Ok(Some(FoundFile::Foreign));
        }
        let no_follow = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
        let mut bytes = Vec::new();
        OpenOptions::new().read(true).custom_flags(no_follow).open(path)?.read_to_end(&mut bytes)?;
        Ok(Some(match String::from_utf8(bytes) {
            Ok(text) if is_ours(&text) => {
                FoundFile::Ours { text, mode: metadata.permissions().mode() & 0o7777 }
            }
            _ => FoundFile::Foreign,
        }))
    };
    attempt().map_err(|source| FileError::new("read", path, source))
}

/// The names in a directory; none where it does not exist.
///
/// # Errors
/// What failed, with the path.
pub fn names(directory: &Path) -> Result<Vec<String>, FileError> {
    let attempt = || -> io::Result<Vec<String>> {
        let entries = match fs::read_dir(directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
    };
    attempt().map_err(|source| FileError::new("list", directory, source))
}

/// Removes temporary files that a killed run left in `directory`. Call it with the lock held.
///
/// # Errors
/// What failed, with the path.
pub fn sweep(directory: &Path) -> Result<(), FileError> {
    for name in names(directory)?.iter().filter(|name| name.starts_with(TEMPORARY)) {
        remove(&directory.join(name))?;
    }
    Ok(())
}

#[cfg(test)]
mod own_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tree_tests;
