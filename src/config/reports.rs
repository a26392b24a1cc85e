//! What becomes of reports: `[reports]`.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::collect::bare;
use super::limits::try_from_string;
use super::listen;
use super::problem::Problems;
use super::prune::DiskSize;
use super::raw::{RawReports, RawRetention, RawTls};
use super::validate::{Allowed, duration_within};
use super::words::AbsolutePath;

/// Where `homelab-reports.socket` listens when the config does not say.
const LISTEN: SocketAddr = listen::loopback(8089);

/// How workflow jobs file reports, who shows them, and how long they stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reports {
    /// The runner's job hooks give each workflow job a directory for its report.
    pub hooks: bool,
    /// Where that directory is made.
    pub layout: ReportLayout,
    /// The completed hook empties the workspace of the workflow job.
    pub clean_workspace: bool,
    /// The report server runs as `homelab-reports.service`.
    pub serve: bool,
    /// Address and port of `homelab-reports.socket`.
    pub listen: SocketAddr,
    /// The address that people type, as job summaries have it; `None`: that of the socket.
    pub url: Option<ReportsUrl>,
    /// HTTPS.
    pub tls: Option<Tls>,
    /// What may stay on the disk.
    pub retention: Retention,
}

impl Reports {
    /// Where people find the index, with a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        self.url.as_ref().map_or_else(|| format!("{scheme}://{}/", self.listen), ToString::to_string)
    }
}

/// Certificate and key in PEM; systemd hands them to the server as credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// The server's certificate, and those between it and the root.
    pub certificate: AbsolutePath,
    /// Its private key.
    pub key: AbsolutePath,
}

/// What may stay of the reports of workflow jobs that have ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Delete by a timer.
    pub enabled: bool,
    /// Time between two runs of the timer.
    pub interval: Duration,
    /// Runs that ended longer ago go; whole days.
    pub max_age: Duration,
    /// Most runs of one workflow.
    pub runs_max: u32,
    /// Most bytes of one workflow.
    pub workflow_max: DiskSize,
    /// Most bytes of all reports.
    pub total_max: DiskSize,
}

/// Where a workflow job files below the reports directory: `WORKFLOW/RUN`, each of plain characters and of names in braces that the hook fills in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub struct ReportLayout(String);

impl ReportLayout {
    /// What may stand in braces.
    pub const NAMES: [&'static str; 4] = ["owner", "repository", "workflow", "run_id"];
}

impl Default for ReportLayout {
    fn default() -> Self {
        Self("{workflow}/{run_id}".to_owned())
    }
}

impl FromStr for ReportLayout {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split('/').collect();
        let [workflow, run] = parts.as_slice() else {
            return Err(format!(
                "{text:?} has not two parts; allowed: WORKFLOW/RUN, such as \"{{repository}}.{{workflow}}/{{run_id}}\""
            ));
        };
        for part in parts.iter().copied() {
            check_part(part)?;
        }
        if !workflow.contains("{workflow}") || !run.contains("{run_id}") {
            return Err(format!(
                "{text:?} would put different runs into one directory; {{workflow}} belongs before the slash and {{run_id}} behind it"
            ));
        }
        if workflow.contains("{run_id}") {
            return Err(format!(
                "{text:?} would make every run a workflow of its own; {{run_id}} belongs behind the slash"
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

fn check_part(part: &str) -> Result<(), String> {
    let mut left = part;
    while let Some((plain, rest)) = left.split_once('{') {
        let name = rest.split_once('}').filter(|(name, _)| ReportLayout::NAMES.contains(name));
        let Some((_, rest)) = name else {
            let names = ReportLayout::NAMES.map(|name| format!("{{{name}}}")).join(" ");
            return Err(format!("{part:?} has an unknown name in braces; allowed: {names}"));
        };
        check_plain(part, plain)?;
        left = rest;
    }
    check_plain(part, left)?;
    if part.starts_with('.') {
        return Err(format!("{part:?} begins with a dot; such directories are hidden from the index"));
    }
    Ok(())
}

fn check_plain(part: &str, plain: &str) -> Result<(), String> {
    if plain.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)) {
        return Ok(());
    }
    Err(format!("{part:?} is no directory name; allowed: letters, digits, . _ - and names in braces"))
}

impl fmt::Display for ReportLayout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where the report server is for those who read reports: `http(s)://HOST[:PORT]/`, always with a slash at the end.
///
/// Without a path: below one, reports would have an origin in common with whatever else is on that host, and their scripts its cookies.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String", extend("pattern" = "^https?://[A-Za-z0-9._:\\[\\]-]+/?$"))]
pub struct ReportsUrl(String);

impl FromStr for ReportsUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            |why: &str| format!("{text:?} {why}; allowed: https://HOST[:PORT]/ or http://HOST[:PORT]/");
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let host = rest.ok_or_else(|| wrong("is no address of a report server"))?.trim_end_matches('/');
        if host.contains('/') {
            return Err(wrong(
                "has a path; reports are foreign pages, which need a host name or port that nothing else has",
            ));
        }
        if host.is_empty() || !host.chars().all(|c| c.is_ascii_alphanumeric() || "._:[]-".contains(c)) {
            return Err(wrong("is no address of a report server"));
        }
        Ok(Self(format!("{}/", text.trim_end_matches('/'))))
    }
}

impl fmt::Display for ReportsUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

try_from_string!(ReportLayout, ReportsUrl);

/// `[reports]` with its defaults.
pub(super) fn validate(raw: RawReports, problems: &mut Problems) -> Reports {
    Reports {
        hooks: raw.hooks.unwrap_or(true),
        layout: raw.layout.unwrap_or_default(),
        clean_workspace: raw.clean_workspace.unwrap_or(true),
        serve: raw.serve.unwrap_or(true),
        listen: listen::address("reports.listen", raw.listen.as_ref(), LISTEN, problems),
        url: raw.url,
        tls: raw.tls.and_then(|raw| tls(raw.get_ref(), raw.span(), problems)),
        retention: retention(&raw.retention, problems),
    }
}

fn tls(raw: &RawTls, span: std::ops::Range<usize>, problems: &mut Problems) -> Option<Tls> {
    let lack = match (&raw.certificate, &raw.key) {
        (Some(certificate), Some(key)) => {
            return Some(Tls { certificate: certificate.clone(), key: key.clone() });
        }
        (None, Some(_)) => "certificate",
        (Some(_), None) => "key",
        (None, None) => "certificate and key",
    };
    let message = format!("{lack} is missing");
    problems.add(
        Some(span),
        "reports.tls",
        message,
        "give the PEM files of both: certificate = \"/…\", key = \"/…\"",
    );
    None
}

fn retention(raw: &RawRetention, problems: &mut Problems) -> Retention {
    const DAY: u64 = 86_400;
    let often = Allowed { seconds: 60..=7 * DAY, step: 1, words: "whole seconds, \"1m\" to \"7d\"" };
    let daily = Allowed { seconds: DAY..=3650 * DAY, step: DAY, words: "whole days, \"1d\" to \"3650d\"" };
    let size = |value: Option<DiskSize>, gibibytes: u64| value.unwrap_or(DiskSize::Bytes(gibibytes << 30));
    let mut of = |key: &str, value: Option<&Spanned<String>>, default: u64, allowed: &Allowed| {
        duration_within(&format!("reports.retention.{key}"), value, default, allowed, problems)
    };
    let interval = of("interval", raw.interval.as_ref(), 600, &often);
    let max_age = of("max_age", raw.max_age.as_ref(), 90 * DAY, &daily);
    Retention {
        enabled: raw.enabled.unwrap_or(true),
        interval,
        max_age,
        runs_max: runs_max(raw.runs_max.as_ref(), problems),
        workflow_max: size(raw.workflow_max, 5),
        total_max: size(raw.total_max, 20),
    }
}

fn runs_max(raw: Option<&Spanned<i64>>, problems: &mut Problems) -> u32 {
    const DEFAULT: u32 = 500;
    const MOST: u32 = 1_000_000;
    let Some(number) = bare(raw) else { return DEFAULT };
    if let Some(number) = u32::try_from(number).ok().filter(|number| (1..=MOST).contains(number)) {
        return number;
    }
    let message = format!("{number} is no number of runs");
    problems.add(raw.map(Spanned::span), "reports.retention.runs_max", message, "allowed: 1 to 1000000");
    DEFAULT
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_layout_has_a_workflow_and_a_run() {
        for text in
            ["{workflow}/{run_id}", "{owner}.{repository}-{workflow}/run-{run_id}", "ci-{workflow}/{run_id}"]
        {
            assert_eq!(text.parse::<ReportLayout>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_layout_that_mixes_runs_or_leads_elsewhere_is_refused() {
        for text in [
            "",
            "/",
            "{workflow}",
            "{run_id}",
            "{workflow}/{run_id}/",
            "/{workflow}/{run_id}",
            "{workflow}/x",
            "x/{run_id}",
            "{workflow}-{run_id}/{run_id}",
            "../{run_id}",
            "{workflow}/..",
            ".{workflow}/{run_id}",
            "{workflow}/{run_id}/{job}",
            "{work flow}/{run_id}",
            "{workflow}/{run_id",
            "{workflow}}/{run_id}",
            "a b{workflow}/{run_id}",
            "{workflow}/$(id){run_id}",
        ] {
            assert!(text.parse::<ReportLayout>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_address_of_the_server_ends_with_one_slash() {
        for (text, expected) in [
            ("https://reports.example", "https://reports.example/"),
            ("http://[::1]:8089/", "http://[::1]:8089/"),
            ("https://host.example:8443", "https://host.example:8443/"),
        ] {
            assert_eq!(text.parse::<ReportsUrl>().unwrap().to_string(), expected);
        }
        for text in [
            "",
            "https://",
            "ftp://a",
            "https://a b",
            "https://a/?x",
            "https://a/#x",
            "https://u@a",
            "https://a//b",
            "https://host.example/ci/reports",
            "https://a/\"x",
        ] {
            assert!(text.parse::<ReportsUrl>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_typed_is_two_directories_or_refused(text in "(\\{workflow\\}|\\{run_id\\}|\\{owner\\}|[{}/._a-z-]|\\PC){0,12}") {
            if let Ok(layout) = text.parse::<ReportLayout>() {
                let filled = ReportLayout::NAMES.iter().fold(layout.to_string(), |text, name| text.replace(&format!("{{{name}}}"), "n"));
                prop_assert_eq!(filled.split('/').count(), 2);
                for name in filled.split('/') {
                    prop_assert!(!name.is_empty() && !name.starts_with('.'));
                    prop_assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)));
                }
            }
        }
    }
}
