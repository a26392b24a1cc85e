//! The job hooks that GitHub's listener calls around each workflow job, run here for real: what becomes of reports, and of the workspace.

mod bed;
mod filing;
mod finishing;
mod labels;
mod names;
mod shell;
mod trouble;
mod users_hooks;
mod workspace;
