//! `ExecStartPre=` of the report server: makes the directory that it shows.

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
