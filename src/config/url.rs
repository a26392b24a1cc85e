//! The URL a runner registers at.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::Deserialize;

use super::limits::try_from_string;

/// What a registration URL names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunnerScope {
    /// `https://HOST/OWNER/REPOSITORY`
    Repository,
    /// `https://HOST/ORGANISATION`
    Organisation,
    /// `https://HOST/enterprises/ENTERPRISE`
    Enterprise,
}

/// A repository, organisation or enterprise at github.com or a GitHub Enterprise Server.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String", extend("pattern" = "^https?://[^/]+/[^/]+(/[^/]+)?/?$"))]
pub struct GithubUrl {
    text: String,
    scope: RunnerScope,
}

impl GithubUrl {
    /// What the URL names.
    #[must_use]
    pub fn scope(&self) -> RunnerScope {
        self.scope
    }

    /// Do tokens and workflow jobs travel where others can read them?
    #[must_use]
    pub fn is_plain_http(&self) -> bool {
        self.text.starts_with("http:")
    }

    /// The page on which GitHub hands out registration tokens.
    #[must_use]
    pub fn new_runner_page(&self) -> String {
        match self.scope {
            RunnerScope::Organisation => {
                let (host, organisation) = self.text.rsplit_once('/').unwrap_or((&self.text, ""));
                format!("{host}/organizations/{organisation}/settings/actions/runners/new")
            }
            RunnerScope::Repository | RunnerScope::Enterprise => {
                format!("{}/settings/actions/runners/new", self.text)
            }
        }
    }
}

impl FromStr for GithubUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| {
            format!(
                "{text:?} {why}; allowed: https://HOST/OWNER/REPOSITORY, https://HOST/ORGANISATION or https://HOST/enterprises/ENTERPRISE"
            )
        };
        let rest = text
            .strip_prefix("https://")
            .or_else(|| text.strip_prefix("http://"))
            .ok_or_else(|| wrong("does not begin with https://"))?;
        let trimmed = rest.strip_suffix('/').unwrap_or(rest);
        let mut parts = trimmed.split('/');
        let host = parts.next().unwrap_or_default();
        if host.contains('@') {
            return Err(wrong("holds a user name or password"));
        }
        if host.is_empty() || !host.chars().all(|c| c.is_ascii_alphanumeric() || "-.:[]".contains(c)) {
            return Err(wrong("has no valid host name"));
        }
        let names: Vec<&str> = parts.collect();
        let is_name = |name: &&str| {
            !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
        };
        if !names.iter().all(is_name) {
            return Err(wrong("has characters that no owner or repository has"));
        }
        let scope = match names.as_slice() {
            ["enterprises", _] => RunnerScope::Enterprise,
            [_] => RunnerScope::Organisation,
            [_, _] => RunnerScope::Repository,
            _ => return Err(wrong("names no repository, organisation or enterprise")),
        };
        let scheme = if text.starts_with("https") { "https" } else { "http" };
        Ok(Self { text: format!("{scheme}://{trimmed}"), scope })
    }
}

impl fmt::Display for GithubUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

try_from_string!(GithubUrl);
