//! What GitHub was told of a runner when it registered.

use std::collections::BTreeSet;

use super::digest;
use crate::config::{GithubUrl, Label};

/// The settings that GitHub keeps: a change of any of them needs a new registration.
#[derive(Debug, Clone, Copy)]
pub struct Registration<'a> {
    /// Where.
    pub url: &'a GithubUrl,
    /// Name of the runner.
    pub name: &'a str,
    /// Custom labels; a set without case at GitHub.
    pub labels: &'a [Label],
    /// Runner group; `None`: GitHub's default.
    pub runner_group: Option<&'a str>,
    /// Without GitHub's own labels.
    pub no_default_labels: bool,
}

impl Registration<'_> {
    /// The text that the entrypoint keeps beside the identity, `identity/fingerprint`.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let labels: BTreeSet<String> =
            self.labels.iter().map(|label| label.to_string().to_ascii_lowercase()).collect();
        let labels = labels.into_iter().collect::<Vec<_>>().join(",");
        format!(
            "url={}\nname={}\nlabels={labels}\ngroup={}\nno-default-labels={}\n",
            self.url,
            self.name,
            self.runner_group.unwrap_or_default(),
            u8::from(self.no_default_labels)
        )
    }

    /// Where a runner with that fingerprint was registered.
    #[must_use]
    pub fn url_of(fingerprint: &str) -> Option<&str> {
        fingerprint.lines().find_map(|line| line.strip_prefix("url="))
    }

    /// What is left of a fingerprint that says whose the name is, and that differs from any other.
    #[must_use]
    pub fn name_alone(fingerprint: &str) -> String {
        let says_whose = |line: &&str| line.starts_with("url=") || line.starts_with("name=");
        fingerprint.lines().filter(says_whose).fold(String::new(), |text, line| text + line + "\n")
    }

    /// Tells one fingerprint from another, for a command line.
    #[must_use]
    pub fn digest(&self) -> String {
        digest(&self.fingerprint())
    }
}

/// All labels of a runner with these `custom` ones: GitHub adds its own at a registration, and has to be told them where a runner is made without one
/// (docs.github.com "Using labels with self-hosted runners").
#[must_use]
pub fn all_labels(custom: &[String], no_default_labels: bool) -> Vec<String> {
    let architecture = if cfg!(target_arch = "aarch64") { "ARM64" } else { "X64" };
    let own: &[&str] = if no_default_labels { &[] } else { &["self-hosted", "Linux", architecture] };
    let is_new = |label: &&String| !own.iter().any(|own| own.eq_ignore_ascii_case(label));
    own.iter().map(|label| (*label).to_owned()).chain(custom.iter().filter(is_new).cloned()).collect()
}
