//! What can go wrong with a file, and what to do then.

use std::io;
use std::path::{Path, PathBuf};

/// A file operation that failed.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}: {source}", path.display())]
pub struct FileError {
    action: &'static str,
    path: PathBuf,
    source: io::Error,
}

impl FileError {
    pub(crate) fn new(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self { action, path: path.to_owned(), source }
    }

    /// Is it a matter of who asks: EACCES, EPERM?
    #[must_use]
    pub fn is_denied(&self) -> bool {
        self.source.kind() == io::ErrorKind::PermissionDenied
    }

    /// The next step, where there is an obvious one.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self.source.kind() {
            io::ErrorKind::PermissionDenied => {
                Some("run it as root (sudo), or with --user for your own systemd".to_owned())
            }
            io::ErrorKind::ReadOnlyFilesystem => Some(
                "this place is managed otherwise (NixOS?); use --root DIR, or the NixOS module".to_owned(),
            ),
            io::ErrorKind::StorageFull => Some("free some disk space, then run it again".to_owned()),
            _ => None,
        }
    }
}
