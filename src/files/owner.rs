//! Who owns what a container is given.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, lchown};
use std::path::Path;

use super::FileError;

/// The user id that owns `path` itself, not what it may link to; `None` where there is nothing.
///
/// # Errors
/// What failed, with the path.
pub fn owner(path: &Path) -> Result<Option<u32>, FileError> {
    match fs::symlink_metadata(path) {
        Ok(found) => Ok(Some(found.uid())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(FileError::new("look at", path, source)),
    }
}

/// Gives `path` itself to the user and the group `id`, not what it may link to.
///
/// # Errors
/// What failed, with the path.
pub fn give(path: &Path, id: u32) -> Result<(), FileError> {
    lchown(path, Some(id), Some(id)).map_err(|source| FileError::new("give away", path, source))
}

/// Gives `path` and all below it to the user and the group `id`. Links are given, not followed.
///
/// # Errors
/// What failed, with the path. What vanishes meanwhile is no failure.
pub fn give_tree(path: &Path, id: u32) -> Result<(), FileError> {
    let gone = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if gone(&error) => return Ok(()),
        Err(source) => return Err(FileError::new("look at", path, source)),
    };
    if (found.uid(), found.gid()) != (id, id) {
        match lchown(path, Some(id), Some(id)) {
            Err(error) if !gone(&error) => return Err(FileError::new("give away", path, error)),
            _ => {}
        }
    }
    if found.is_dir() {
        let entries = match fs::read_dir(path) {
            Ok(entries) => entries,
            Err(error) if gone(&error) => return Ok(()),
            Err(source) => return Err(FileError::new("read", path, source)),
        };
        for entry in entries {
            give_tree(&entry.map_err(|source| FileError::new("read", path, source))?.path(), id)?;
        }
    }
    Ok(())
}

/// Removes a directory with all below it; links are removed, not followed. Nothing there is no failure.
///
/// # Errors
/// What failed, with the path.
pub fn remove_tree(path: &Path) -> Result<(), FileError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(FileError::new("remove", path, error)),
        _ => Ok(()),
    }
}
