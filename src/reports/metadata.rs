//! What stands in a report's files about itself. A workflow may have written any of it.

use serde::{Deserialize, Deserializer};

/// Longer texts are cut: they are shown in a table.
const LONGEST_TEXT: usize = 200;

/// `.runnerctl/started.json`, written as the workflow job starts; what is missing is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Started {
    /// `GITHUB_REPOSITORY`: `owner/name`.
    #[serde(deserialize_with = "cut")]
    pub repository: String,
    /// `GITHUB_WORKFLOW`
    #[serde(deserialize_with = "cut")]
    pub workflow: String,
    /// `GITHUB_RUN_ATTEMPT`, from 1.
    #[serde(deserialize_with = "cut")]
    pub run_attempt: String,
    /// `GITHUB_JOB`: the id of the workflow job.
    #[serde(deserialize_with = "cut")]
    pub workflow_job: String,
    /// `RUNNER_NAME`
    #[serde(deserialize_with = "cut")]
    pub runner: String,
    /// `GITHUB_REF`
    #[serde(rename = "ref", deserialize_with = "cut")]
    pub git_ref: String,
    /// `GITHUB_SHA`
    #[serde(deserialize_with = "cut")]
    pub sha: String,
    /// `GITHUB_ACTOR`
    #[serde(deserialize_with = "cut")]
    pub actor: String,
    /// RFC 3339, UTC.
    #[serde(deserialize_with = "cut")]
    pub started: String,
}

/// `.runnerctl/finished.json`, written after the workflow job's last step.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Finished {
    /// RFC 3339, UTC.
    #[serde(deserialize_with = "cut")]
    pub finished: String,
}

fn cut<'de, D: Deserializer<'de>>(decoder: D) -> Result<String, D::Error> {
    String::deserialize(decoder).map(|text| text.chars().take(LONGEST_TEXT).collect())
}

/// The `stats` of Playwright's JSON reporter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Stats {
    /// Milliseconds that the tests took.
    #[serde(rename = "duration", deserialize_with = "whole")]
    pub milliseconds: u64,
    /// Tests that ended as they should.
    pub expected: u64,
    /// Tests that were left out.
    pub skipped: u64,
    /// Tests that failed.
    pub unexpected: u64,
    /// Tests that failed, then passed.
    pub flaky: u64,
}

/// Playwright measures fractions of milliseconds.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float cast to an integer is clamped, and shown"
)]
fn whole<'de, D: Deserializer<'de>>(decoder: D) -> Result<u64, D::Error> {
    f64::deserialize(decoder).map(|number| number as u64)
}

impl Stats {
    /// From the last part of a JSON report: the reporter writes `stats` last, and the tests before it can be any size.
    #[must_use]
    pub fn of_tail(tail: &str) -> Option<Self> {
        let (_, object) = tail.rsplit_once("\"stats\":")?;
        serde_json::Deserializer::from_str(object).into_iter().next()?.ok()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "what is missing fails the test")]
mod tests {
    use proptest::prelude::*;

    use super::{Started, Stats};

    #[test]
    fn the_stats_are_found_at_the_end_of_a_report() {
        let tail = "\"}]}],\n  \"errors\": [],\n  \"stats\": {\n    \"startTime\": \"2026-11-23T16:29:56.123Z\",\n    \
                    \"duration\": 1234.567,\n    \"expected\": 3,\n    \"skipped\": 1,\n    \"unexpected\": 2,\n    \
                    \"flaky\": 4\n  }\n}";
        let expected = Stats { milliseconds: 1234, expected: 3, skipped: 1, unexpected: 2, flaky: 4 };
        assert_eq!(Stats::of_tail(tail), Some(expected));
    }

    #[test]
    fn what_is_no_report_has_no_stats() {
        for tail in
            ["", "{}", "\"stats\": 3", "\"stats\": {\"expected\": -1}}", "\"stats\": {\"expected\": 1"]
        {
            assert_eq!(Stats::of_tail(tail), None, "{tail}");
        }
    }

    #[test]
    fn a_text_without_end_is_cut() {
        let text = format!("{{\"workflow\":\"{}\",\"version\":1,\"event\":\"push\"}}", "é".repeat(5000));
        let started: Started = serde_json::from_str(&text).unwrap();
        assert_eq!(started.workflow, "é".repeat(200));
        assert_eq!(started.actor, "");
    }

    proptest! {
        #[test]
        fn no_tail_ends_the_server(tail in "(\"stats\":|[{}\",:0-9e.-]|\\PC){0,40}") {
            let _read = Stats::of_tail(&tail);
        }
    }
}
