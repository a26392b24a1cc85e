//! What file systems have left, and which of them are in memory.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::doctor::Disk;

/// tmpfs and ramfs, statfs(2).
const MEMORY_FILE_SYSTEMS: [i64; 2] = [0x0102_1994, 0x8584_58f6];

/// The file systems that `places` are on, or will be; each once, under the first of its places.
#[must_use]
pub fn disks(root: &Path, places: &[&Path]) -> Vec<Disk> {
    let mut seen = Vec::new();
    let mut disks = Vec::new();
    for place in places {
        let existing = existing(&root.join(place.strip_prefix("/").unwrap_or(place)));
        let device = fs::metadata(&existing).ok().map(|metadata| metadata.dev());
        if !seen.contains(&device) {
            seen.push(device);
            disks.push(disk(place, &existing));
        }
    }
    disks
}

fn disk(place: &Path, existing: &Path) -> Disk {
    let space = rustix::fs::statvfs(existing).ok();
    Disk {
        path: place.to_owned(),
        bytes_available: space.as_ref().map(|space| space.f_bavail.saturating_mul(space.f_frsize)),
        // btrfs and the like make inodes as they need them, and say 0.
        inodes_available: space.filter(|space| space.f_files != 0).map(|space| space.f_favail),
    }
}

/// Is `path`, or what of it exists, in memory alone?
#[must_use]
pub fn is_in_memory(path: &Path) -> Option<bool> {
    let found = rustix::fs::statfs(existing(path)).ok()?;
    // The field's type differs between architectures.
    #[allow(clippy::useless_conversion, clippy::allow_attributes, reason = "i64 on x86_64 only")]
    let kind = i64::from(found.f_type);
    Some(MEMORY_FILE_SYSTEMS.contains(&kind))
}

/// The longest beginning of `path` that exists.
fn existing(path: &Path) -> PathBuf {
    let found = path.ancestors().find(|ancestor| ancestor.exists());
    found.unwrap_or(Path::new("/")).to_owned()
}
