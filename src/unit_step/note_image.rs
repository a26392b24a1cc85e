//! Beside the wait for a session: notes which image the container runs, and when that was built, where the monitor and `status` can read it.
//!
//! The monitor has no rights, and cannot ask the engine; `status` is quicker without. That nothing is noted keeps no runner from its session.

use std::io;
use std::path::Path;

use super::await_container;
use crate::files::{self, FileError};
use crate::fleet::RunnerPaths;
use crate::programs::{self, ProgramError};

/// Why nothing was noted.
#[derive(Debug, thiserror::Error)]
pub enum NoteImageError {
    /// The engine does not tell.
    #[error(transparent)]
    Engine(#[from] ProgramError),
    /// It cannot be written down.
    #[error(transparent)]
    File(#[from] FileError),
    /// There is no time to wait in, or no words for it.
    #[error("cannot ask the engine: {0}")]
    Asking(#[from] io::Error),
}

/// Waits until the container `name` runs, and notes its image. Nothing where it has ended already.
///
/// # Errors
/// The engine does not answer, or the note could not be written.
pub fn note_image(
    engine: &Path,
    name: &str,
    paths: &RunnerPaths,
    main_process: Option<i32>,
) -> Result<(), NoteImageError> {
    // Docker may not have made it yet. Why it ended is told by who waits for the session.
    if await_container(paths, main_process).is_err() {
        return Ok(());
    }
    let waiting = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    if let Some(image) = waiting.block_on(programs::image_of_container(engine, name))? {
        let text = serde_json::to_string(&image).map_err(io::Error::from)?;
        files::write(&paths.image(), text.as_bytes(), 0o644)?;
    }
    Ok(())
}
