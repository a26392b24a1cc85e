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

    /// The owner of the repository, or the organisation, or the enterprise.
    #[must_use]
    pub fn owner(&self) -> &str {
        match self.scope {
            RunnerScope::Repository => self.names().0,
            RunnerScope::Organisation | RunnerScope::Enterprise => self.names().1,
        }
    }

    /// The repository's name, without its owner.
    #[must_use]
    pub fn repository(&self) -> Option<&str> {
        (self.scope == RunnerScope::Repository).then(|| self.names().1)
    }

    /// `http` or `https`.
    fn scheme(&self) -> &str {
        if self.is_plain_http() { "http" } else { "https" }
    }

    /// The host, with its port if it has one.
    fn authority(&self) -> &str {
        self.text.split('/').nth(2).unwrap_or_default()
    }

    /// The last two parts of the path; the first of them is the authority where there is but one.
    fn names(&self) -> (&str, &str) {
        let mut parts = self.text.rsplit('/');
        let last = parts.next().unwrap_or_default();
        (parts.next().unwrap_or_default(), last)
    }

    /// The page on which GitHub hands out registration tokens.
    #[must_use]
    pub fn new_runner_page(&self) -> String {
        format!("{}/new", self.runners_page())
    }

    /// The page that lists the runners.
    #[must_use]
    pub fn runners_page(&self) -> String {
        match self.scope {
            RunnerScope::Organisation => {
                let (host, organisation) = self.text.rsplit_once('/').unwrap_or((&self.text, ""));
                format!("{host}/organizations/{organisation}/settings/actions/runners")
            }
            RunnerScope::Repository | RunnerScope::Enterprise => {
                format!("{}/settings/actions/runners", self.text)
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
            !matches!(*name, "" | "." | "..")
                && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
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

/// Where GitHub's REST API is, without a slash at the end: `https://api.github.com`, `https://HOST/api/v3`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String", extend("pattern" = "^https?://[^/?#@]+(/[^?#]*)?$"))]
pub struct ApiUrl(String);

impl ApiUrl {
    /// The API that belongs to `url`. GitHub's own hosts have one beside them, a GitHub Enterprise Server has it below `/api/v3`.
    #[must_use]
    pub fn of(url: &GithubUrl) -> Self {
        let (scheme, authority) = (url.scheme(), url.authority().to_ascii_lowercase());
        let authority = authority.strip_prefix("www.").filter(|rest| is_hosted(rest)).unwrap_or(&authority);
        Self(if is_hosted(authority) {
            format!("{scheme}://api.{authority}")
        } else {
            format!("{scheme}://{authority}/api/v3")
        })
    }

    /// The URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Does the credential travel where others can read it?
    #[must_use]
    pub fn is_plain_http(&self) -> bool {
        self.0.starts_with("http:")
    }
}

/// The hosts that the runner itself takes for GitHub's own.
fn is_hosted(authority: &str) -> bool {
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    matches!(host, "github.com" | "github.localhost")
        || host.ends_with(".ghe.com")
        || host.ends_with(".ghe.localhost")
}

impl FromStr for ApiUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| {
            format!("{text:?} {why}; allowed: such as https://api.github.com or https://HOST/api/v3")
        };
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let rest = rest.ok_or_else(|| wrong("does not begin with https://"))?;
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        if authority.contains('@') {
            return Err(wrong("holds a user name or password"));
        }
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-.:[]".contains(c);
        if authority.is_empty() || !authority.chars().all(is_plain) {
            return Err(wrong("has no valid host name"));
        }
        let is_name = |name: &str| {
            !matches!(name, "" | "." | "..")
                && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
        };
        let path = path.trim_end_matches('/');
        if !path.is_empty() && !path.split('/').all(is_name) {
            return Err(wrong("is no address of an API"));
        }
        Ok(Self(text.trim_end_matches('/').to_owned()))
    }
}

impl fmt::Display for ApiUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

try_from_string!(GithubUrl, ApiUrl);
