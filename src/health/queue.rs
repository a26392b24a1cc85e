//! What waits at GitHub, as far as one call tells.

use jiff::Timestamp;

/// Workflow runs that wait.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Queue {
    /// The config has no credential for asking, or it was not asked yet.
    #[default]
    NotAsked,
    /// GitHub has no list for an organisation or enterprise: each of its repositories would have to be asked.
    NoList,
    /// It was asked, and there is no answer.
    NoAnswer {
        /// Why.
        reason: String,
    },
    /// Workflow runs of which no workflow job has begun. What waits in a run that has begun would take a call for each of those.
    Waiting {
        /// How many there are.
        total: u64,
        /// Some of them, as GitHub lists them: newest first.
        runs: Vec<WaitingRun>,
    },
}

/// A workflow run that waits. Workflows choose the texts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WaitingRun {
    /// The workflow's name.
    pub workflow: String,
    /// What it is about: the title of the commit or of the pull request.
    pub title: String,
    /// Since when.
    pub since: Option<Timestamp>,
    /// Its page.
    pub url: Option<String>,
}
