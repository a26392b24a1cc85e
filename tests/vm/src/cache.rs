//! Where the prepared disk is kept: `$XDG_CACHE_HOME/homelab-runners/guest/<key>`, the key being a hash of everything the disk is built from.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::{Error, Result, host};

/// Characters of the hash in the directory's name: enough to never meet by chance, short enough to read.
const KEY_LENGTH: usize = 16;

/// The directory that holds all keys.
///
/// # Errors
/// Neither `XDG_CACHE_HOME` nor `HOME` is set, or the directory cannot be made.
pub fn directory() -> Result<PathBuf> {
    let base = env::var_os("XDG_CACHE_HOME")
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
        .or_else(|| env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")))
        .ok_or_else(|| Error::Unsupported("neither XDG_CACHE_HOME nor HOME is set".to_owned()))?;
    let directory = base.join("homelab-runners/guest");
    fs::create_dir_all(&directory).map_err(Error::file("create", &directory))?;
    Ok(directory)
}

/// Holds other programs off while one builds or cleans; given back when dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Waits for the lock of the cache.
    ///
    /// # Errors
    /// The lock file cannot be opened or locked.
    pub fn take(directory: &Path) -> Result<Self> {
        let path = directory.join("lock");
        let file = File::create(&path).map_err(Error::file("create", &path))?;
        file.lock().map_err(Error::file("lock", &path))?;
        Ok(Self { _file: file })
    }
}

/// The key of the disk that this checkout builds.
///
/// # Errors
/// The scripts cannot be read.
pub fn key() -> Result<String> {
    let root = host::scripts().join("disk");
    let mut files = Vec::new();
    list_files(&root, &mut files)?;
    files.sort();
    let mut hash = Sha256::new();
    for path in files {
        let text = fs::read(&path).map_err(Error::file("read", &path))?;
        let name = path.strip_prefix(&root).unwrap_or(&path);
        hash.update(name.as_os_str().as_encoded_bytes());
        hash.update([0]);
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text);
    }
    let digest = hash.finalize();
    let digits = digest.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    Ok(digits.filter_map(|digit| char::from_digit(u32::from(digit), 16)).take(KEY_LENGTH).collect())
}

fn list_files(directory: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(directory).map_err(Error::file("read", directory))? {
        let path = entry.map_err(Error::file("read", directory))?.path();
        if path.is_dir() {
            list_files(&path, found)?;
        } else {
            found.push(path);
        }
    }
    Ok(())
}

/// Removes what earlier versions of the scripts built. A guest that still runs from it keeps its open disk.
///
/// # Errors
/// A directory cannot be read or removed.
pub fn remove_other_keys(directory: &Path, key: &str) -> Result<()> {
    for entry in fs::read_dir(directory).map_err(Error::file("read", directory))? {
        let path = entry.map_err(Error::file("read", directory))?.path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != key) {
            fs::remove_dir_all(&path).map_err(Error::file("remove", &path))?;
        }
    }
    Ok(())
}
