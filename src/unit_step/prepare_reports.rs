//! `ExecStartPre=` of the report server's socket: makes the directories that have to be there before the server starts.

use std::path::Path;

use crate::files::{self, FileError};

/// Like `/tmp`: whatever the runners' user ids are on this host, each may add to it. A directory that exists keeps its mode.
const MODE: u32 = 0o1777;

/// Makes the reports directory, for a visitor who comes before the first workflow job.
///
/// # Errors
/// It could not be made.
pub fn prepare_reports(directory: &Path) -> Result<(), FileError> {
    files::make_directory(directory, MODE)
}

/// Makes the empty directory that becomes the server's `/`.
///
/// # Errors
/// It could not be made.
pub fn prepare_server_root(directory: &Path) -> Result<(), FileError> {
    files::make_directory(directory, 0o755)
}
