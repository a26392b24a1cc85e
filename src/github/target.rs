//! Whose runners they are, as the REST API writes it.

use std::fmt;

use crate::config::{GithubUrl, RunnerScope};

/// A repository, organisation or enterprise.
pub(super) struct Target {
    pub scope: RunnerScope,
    owner: String,
    repository: Option<String>,
}

/// A repository at GitHub.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Repository {
    owner: String,
    name: String,
}

impl Repository {
    /// `OWNER/NAME`; `None` where it cannot be one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (owner, name) = text.split_once('/')?;
        let is_name = |name: &str| {
            !matches!(name, "" | "." | "..")
                && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
        };
        (is_name(owner) && is_name(name)).then(|| Self { owner: owner.to_owned(), name: name.to_owned() })
    }

    /// `/repos/OWNER/NAME`
    pub(super) fn path(&self) -> String {
        format!("/repos/{}/{}", self.owner, self.name)
    }

    /// `/repos/OWNER/NAME/actions` and what comes behind it.
    pub(super) fn actions(&self, rest: &str) -> String {
        format!("{}/actions{rest}", self.path())
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.owner, self.name)
    }
}

impl Target {
    pub(super) fn of(url: &GithubUrl) -> Self {
        Self {
            scope: url.scope(),
            owner: url.owner().to_owned(),
            repository: url.repository().map(str::to_owned),
        }
    }

    /// The repository, where it is one.
    pub(super) fn repository(&self) -> Option<Repository> {
        Some(Repository { owner: self.owner.clone(), name: self.repository.clone()? })
    }

    /// The repository's name, without its owner.
    pub(super) fn repository_name(&self) -> Option<&str> {
        self.repository.as_deref()
    }

    /// `/repos/OWNER/REPOSITORY`, `/orgs/ORGANISATION`, `/enterprises/ENTERPRISE`.
    fn base(&self) -> String {
        match (self.scope, &self.repository) {
            (RunnerScope::Repository, Some(repository)) => format!("/repos/{}/{repository}", self.owner),
            (RunnerScope::Enterprise, _) => format!("/enterprises/{}", self.owner),
            (RunnerScope::Repository | RunnerScope::Organisation, _) => format!("/orgs/{}", self.owner),
        }
    }

    /// The path of its runners, and what comes behind it.
    pub(super) fn runners(&self, rest: &str) -> String {
        format!("{}/actions/runners{rest}", self.base())
    }

    /// The path of its runner groups; repositories have none.
    pub(super) fn runner_groups(&self) -> Option<String> {
        (self.scope != RunnerScope::Repository).then(|| format!("{}/actions/runner-groups", self.base()))
    }

    /// Where an App asks for its installation.
    pub(super) fn installation(&self) -> String {
        format!("{}/installation", self.base())
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.scope, &self.repository) {
            (_, Some(repository)) => write!(f, "{}/{repository}", self.owner),
            (RunnerScope::Enterprise, _) => write!(f, "the enterprise {}", self.owner),
            (RunnerScope::Repository | RunnerScope::Organisation, _) => f.write_str(&self.owner),
        }
    }
}
