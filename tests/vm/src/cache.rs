//! Where the prepared disk is kept: `$XDG_CACHE_HOME/homelab-runners/guest/<key>`, the key being a hash of everything the disk is built from.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};

use crate::{Error, Result, host};

/// Characters of the hash in the directory's name: enough to never meet by chance, short enough to read.
const KEY_LENGTH: usize = 16;

/// Several checkouts of different age work side by side: each would remove the others' disks at once otherwise.
const KEPT_UNUSED: Duration = Duration::from_secs(24 * 60 * 60);

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

/// Notes that the disk of this key is in use, and removes those that no checkout has used for a day, as well as what an interrupted
/// build left. The caller holds the lock. A guest that still runs from a removed disk keeps it open.
///
/// # Errors
/// A directory cannot be read or removed.
pub fn remove_unused_keys(directory: &Path, key: &str) -> Result<()> {
    let used = directory.join(key);
    File::open(&used)
        .and_then(|file| file.set_modified(SystemTime::now()))
        .map_err(Error::file("mark", &used))?;
    for entry in fs::read_dir(directory).map_err(Error::file("read", directory))? {
        let path = entry.map_err(Error::file("read", directory))?.path();
        if path.is_dir() && (path.extension().is_some() || is_unused(&path)) {
            fs::remove_dir_all(&path).map_err(Error::file("remove", &path))?;
        }
    }
    Ok(())
}

fn is_unused(path: &Path) -> bool {
    let modified = path.metadata().and_then(|metadata| metadata.modified());
    // A time in the future is no reason to remove anything.
    modified.is_ok_and(|time| time.elapsed().is_ok_and(|age| age > KEPT_UNUSED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disks_of_other_checkouts_stay_for_a_day() -> std::result::Result<(), Box<dyn std::error::Error>> {
        let directory = tempfile::tempdir()?;
        let old = SystemTime::now() - KEPT_UNUSED - Duration::from_secs(1);
        for (name, age) in
            [("mine", Some(old)), ("old", Some(old)), ("recent", None), ("broken.partial", None)]
        {
            fs::create_dir(directory.path().join(name))?;
            if let Some(time) = age {
                File::open(directory.path().join(name))?.set_modified(time)?;
            }
        }
        remove_unused_keys(directory.path(), "mine")?;
        let left =
            ["mine", "old", "recent", "broken.partial"].map(|name| directory.path().join(name).exists());
        assert_eq!(left, [true, false, true, false]);
        Ok(())
    }
}
