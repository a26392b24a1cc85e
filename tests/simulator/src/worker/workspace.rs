//! Directories of a workflow job below the work folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Where a workflow job's files are.
#[derive(Debug)]
pub(crate) struct Workspace {
    /// `<work>/<repo>/<repo>`, where steps run.
    pub(crate) directory: PathBuf,
    /// `<work>/<repo>`
    pub(crate) pipeline: PathBuf,
    /// `<work>/_temp`, emptied before each workflow job.
    pub(crate) temp: PathBuf,
    /// `<work>/_tool`
    pub(crate) tools: PathBuf,
    /// `<work>/_temp/_runner_file_commands`
    pub(crate) file_commands: PathBuf,
    /// `<work>/_temp/_github_workflow/event.json`
    pub(crate) event: PathBuf,
}

impl Workspace {
    /// Makes the directories for a workflow job of `repository` (`owner/name`).
    pub(crate) fn prepare(work: &Path, repository: &str, event: &str) -> io::Result<Self> {
        let name = repository.rsplit('/').next().unwrap_or(repository);
        let pipeline = work.join(name);
        let temp = work.join("_temp");
        if temp.exists() {
            fs::remove_dir_all(&temp)?;
        }
        let workspace = Self {
            directory: pipeline.join(name),
            pipeline,
            tools: work.join("_tool"),
            file_commands: temp.join("_runner_file_commands"),
            event: temp.join("_github_workflow/event.json"),
            temp,
        };
        for directory in [&workspace.directory, &workspace.tools, &workspace.file_commands] {
            fs::create_dir_all(directory)?;
        }
        for directory in ["_actions", "_temp/_github_home", "_temp/_github_workflow"] {
            fs::create_dir_all(work.join(directory))?;
        }
        fs::write(&workspace.event, event)?;
        Ok(workspace)
    }
}
