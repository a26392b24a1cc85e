//! What the runner keeps where in its work folder.
//!
//! Names are those of Constants.cs and HostContext.cs of actions/runner.

use std::ffi::OsStr;

use super::Kind;

/// What a name at the top of a work folder stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// It goes as a whole.
    Entry(Kind),
    /// `_tool`: what is two names deeper goes as a whole, `TOOL/VERSION`. A version's directories for each architecture and the
    /// marks that say that they are complete (`x64`, `x64.complete`) go at once, so that nothing half is ever found.
    Tools,
    /// The runner's own book, a few bytes for each repository. It says which directory a repository has, not that there is
    /// one: the runner makes it if it is missing (PipelineDirectoryManager.cs). Two repositories of one name share a directory,
    /// so the book does not go with it.
    Kept,
}

/// What `name` at the top of a work folder stands for.
#[must_use]
pub fn place(name: &OsStr) -> Place {
    match name.to_str() {
        Some("_PipelineMapping") => Place::Kept,
        Some("_tool") => Place::Tools,
        // The runner empties the first two at the start of a workflow job (TempDirectoryManager.cs, ActionManager.cs); the third is
        // that of a runner that updates itself, which ours do not.
        Some("_temp" | "_actions" | "_update") => Place::Entry(Kind::Leftover),
        _ => Place::Entry(Kind::Work),
    }
}
