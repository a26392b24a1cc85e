//! Files in directories that a container writes to: whatever a workflow planted there leads nowhere and holds nobody up.

use std::fs::OpenOptions;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;

/// Longer ones are not ours.
const LARGEST_BYTES: u64 = 64 * 1024;

/// Reads a small text file that a container wrote; `None` for everything else: nothing there, a link, a pipe, a directory, no text.
#[must_use]
pub fn read_untrusted(path: &Path) -> Option<String> {
    // O_NONBLOCK: opening a pipe must not wait for its writer.
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path).ok()?;
    let found = file.metadata().ok()?;
    if !found.is_file() || found.len() > LARGEST_BYTES {
        return None;
    }
    let mut text = String::new();
    file.take(LARGEST_BYTES).read_to_string(&mut text).ok()?;
    Some(text)
}
