//! Runners as GitHub tells of them.

use serde::Deserialize;

use super::nulls;
use super::pages::Page;
use crate::why::AtGithub;

/// A registered runner.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Runner {
    /// GitHub's number; a runner that registers anew has another.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// Does it have a session?
    pub status: RunnerStatus,
    /// Does it run a workflow job, as far as GitHub knows? It may do so although this is `false` (actions/runner#4422).
    #[serde(default, deserialize_with = "nulls::or_default")]
    pub busy: bool,
    /// Its labels.
    #[serde(default, deserialize_with = "nulls::or_default")]
    pub labels: Vec<RunnerLabel>,
    /// Version of the runner's program; `None` until it has connected for the first time.
    #[serde(default, deserialize_with = "nulls::text")]
    pub version: Option<String>,
    /// `linux`, or `unknown` before it has connected.
    #[serde(default, deserialize_with = "nulls::text")]
    pub os: Option<String>,
    /// Its runner group.
    #[serde(default, deserialize_with = "nulls::number")]
    pub runner_group_id: Option<u64>,
    /// Will it be gone after one workflow job?
    #[serde(default, deserialize_with = "nulls::or_default")]
    pub ephemeral: bool,
}

impl From<&Runner> for AtGithub {
    fn from(runner: &Runner) -> Self {
        match (&runner.status, runner.busy) {
            (RunnerStatus::Online, true) => Self::Busy,
            (RunnerStatus::Online, false) => Self::Idle,
            _ => Self::Offline,
        }
    }
}

/// Whether a runner has a session.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum RunnerStatus {
    /// It listens, or works.
    Online,
    /// It does not.
    Offline,
    /// A word that is not known here.
    Other(String),
}

impl From<String> for RunnerStatus {
    fn from(text: String) -> Self {
        match text.as_str() {
            "online" => Self::Online,
            "offline" => Self::Offline,
            _ => Self::Other(text),
        }
    }
}

/// A label of a runner.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct RunnerLabel {
    /// The label.
    pub name: String,
    /// `read-only` for GitHub's own, `custom` for others.
    #[serde(default, rename = "type", deserialize_with = "nulls::text")]
    pub kind: Option<String>,
}

impl RunnerLabel {
    /// Is it one that can be taken away?
    #[must_use]
    pub fn is_custom(&self) -> bool {
        self.kind.as_deref() != Some("read-only")
    }
}

#[derive(Deserialize)]
pub(super) struct RunnerPage {
    #[serde(default, deserialize_with = "nulls::or_default")]
    total_count: u64,
    runners: Vec<Runner>,
}

impl Page for RunnerPage {
    type Entry = Runner;

    fn into_parts(self) -> (u64, Vec<Runner>) {
        (self.total_count, self.runners)
    }
}

/// A runner group.
#[derive(Deserialize)]
pub(super) struct RunnerGroup {
    pub id: u64,
    pub name: String,
}

#[derive(Deserialize)]
pub(super) struct RunnerGroupPage {
    #[serde(default, deserialize_with = "nulls::or_default")]
    total_count: u64,
    runner_groups: Vec<RunnerGroup>,
}

impl Page for RunnerGroupPage {
    type Entry = RunnerGroup;

    fn into_parts(self) -> (u64, Vec<RunnerGroup>) {
        (self.total_count, self.runner_groups)
    }
}

#[derive(Deserialize)]
pub(super) struct Labels {
    pub labels: Vec<RunnerLabel>,
}
