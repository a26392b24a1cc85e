//! What GitHub answered, and what an answer means that is no success.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, RETRY_AFTER};
use secrecy::zeroize::Zeroizing;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::error::Cause;
use super::retry::Met;

/// Most characters of GitHub's own words in a text of ours.
const LONGEST_MESSAGE: usize = 200;

/// A whole answer.
pub(super) struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// May hold a token.
    pub body: Zeroizing<Vec<u8>>,
    /// Host and port it came from.
    pub address: String,
    /// When it came, by this host's clock.
    pub at: Timestamp,
}

/// How a body is no JSON.
pub(super) enum Unreadable {
    /// It broke off.
    Truncated,
    /// It is something else, in words.
    Other(String),
}

#[derive(Deserialize)]
struct Complaint {
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    errors: Option<serde_json::Value>,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok().map(str::trim)
    }

    /// Is it JSON from end to end?
    pub(super) fn check_json(&self) -> Result<(), Unreadable> {
        let is_html = self.header(CONTENT_TYPE.as_str()).is_some_and(|kind| kind.starts_with("text/html"));
        if is_html || self.body.trim_ascii_start().starts_with(b"<") {
            return Err(Unreadable::Other("a web page".to_owned()));
        }
        match serde_json::from_slice::<IgnoredAny>(&self.body) {
            Ok(_) => Ok(()),
            Err(error) if error.is_eof() => Err(Unreadable::Truncated),
            Err(error) => Err(Unreadable::Other(place(&error))),
        }
    }

    /// The value that the body holds.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, Cause> {
        // serde's own words quote what they complain about, which may be a token.
        serde_json::from_slice(&self.body).map_err(|error| self.not_github(place(&error)))
    }

    /// It answers, and it is something else.
    pub(super) fn not_github(&self, reason: String) -> Cause {
        Cause::NotGithub { address: self.address.clone(), reason }
    }

    /// GitHub's words for a refusal, without `secret` and without anything that would change a line of a log.
    pub(super) fn said(&self, secret: &str) -> String {
        let Ok(complaint) = serde_json::from_slice::<Complaint>(&self.body) else {
            return "without a reason".to_owned();
        };
        let mut text = complaint.message.unwrap_or_default();
        if let Some(errors) = complaint.errors {
            text = format!("{text} {errors}");
        }
        let text = fit_to_print(&text, secret);
        if text.is_empty() { "without a reason".to_owned() } else { text }
    }

    /// GitHub's clock.
    pub(super) fn date(&self) -> Option<Timestamp> {
        rfc2822::DateTimeParser::new().parse_timestamp(self.header(DATE.as_str())?).ok()
    }

    /// By how many seconds this host's clock is ahead of GitHub's.
    pub(super) fn clock_ahead_secs(&self) -> Option<i64> {
        Some(self.at.as_second() - self.date()?.as_second())
    }

    /// `Link: …; rel="next"`: there is another page.
    pub(super) fn has_next_page(&self) -> Option<bool> {
        self.header("link").map(|links| links.contains("rel=\"next\""))
    }

    /// Which permissions GitHub itself names.
    pub(super) fn accepted_permissions(&self, secret: &str) -> Option<String> {
        let text = self.header("x-accepted-github-permissions").filter(|text| !text.is_empty())?;
        Some(fit_to_print(text, secret))
    }

    /// What it means for another attempt.
    pub(super) fn met(&self, secret: &str) -> Met {
        let has_nothing_left = self.header("x-ratelimit-remaining") == Some("0");
        let is_limited = has_nothing_left
            || self.header(RETRY_AFTER.as_str()).is_some()
            || self.said(secret).to_lowercase().contains("rate limit");
        let reset_in = if has_nothing_left { self.reset_in() } else { None };
        Met::of(self.status.as_u16(), is_limited, self.retry_after(), reset_in)
    }

    /// When GitHub wants to be asked again.
    pub(super) fn until(&self, met: Met) -> Option<Timestamp> {
        let now = self.date().unwrap_or(self.at);
        now.checked_add(jiff::SignedDuration::try_from(met.asked_for()?).ok()?).ok()
    }

    /// Seconds or a date, RFC 9110 §10.2.3.
    fn retry_after(&self) -> Option<Duration> {
        let text = self.header(RETRY_AFTER.as_str())?;
        if let Ok(secs) = text.parse() {
            return Some(Duration::from_secs(secs));
        }
        let at = rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
        Some(self.time_until(at))
    }

    fn reset_in(&self) -> Option<Duration> {
        let reset = self.header("x-ratelimit-reset")?.parse().ok()?;
        Some(self.time_until(Timestamp::from_second(reset).ok()?))
    }

    /// By GitHub's clock, where it is known: ours may be wrong.
    fn time_until(&self, at: Timestamp) -> Duration {
        let now = self.date().unwrap_or(self.at);
        Duration::from_secs(u64::try_from(at.as_second() - now.as_second()).unwrap_or(0))
    }
}

/// One line of bounded length, without `secret`.
fn fit_to_print(text: &str, secret: &str) -> String {
    let text = text.replace(secret, "[credential]");
    let clean = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    clean.take(LONGEST_MESSAGE).collect::<String>().trim().to_owned()
}

fn place(error: &serde_json::Error) -> String {
    let what = if error.is_data() { "JSON of another shape" } else { "no JSON" };
    format!("{what} (line {}, column {})", error.line(), error.column())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use proptest::prelude::*;
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    const SECRET: &str = "ghp_CANARY";

    fn answer(headers: &[(&'static str, &str)], body: &[u8]) -> Answer {
        let header = |(name, value): &(&'static str, &str)| {
            (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
        };
        Answer {
            status: StatusCode::FORBIDDEN,
            headers: headers.iter().map(header).collect(),
            body: Zeroizing::new(body.to_vec()),
            address: "api.github.com".to_owned(),
            at: "2026-11-23T16:30:00Z".parse().unwrap(),
        }
    }

    proptest! {
        #[test]
        fn whatever_github_says_is_one_short_line_without_the_credential(
            parts in prop::collection::vec(prop_oneof![Just(SECRET.to_owned()), "\\PC{0,9}", Just("\n\u{1b}[2J".to_owned())], 0..40),
            is_json in any::<bool>(),
        ) {
            let text = parts.concat();
            let body = if is_json { serde_json::json!({"message": text, "errors": [text]}).to_string() } else { text };
            let said = answer(&[], body.as_bytes()).said(SECRET);
            prop_assert!(!said.contains("CANARY") && !said.chars().any(char::is_control), "{}", said);
            prop_assert!(said.chars().count() <= LONGEST_MESSAGE && !said.is_empty());
        }

        #[test]
        fn headers_of_any_content_are_understood_or_left_alone(value in "[ -~]{0,40}|-?[0-9]{1,25}") {
            let value = value.as_str();
            let headers =
                [("retry-after", value), ("x-ratelimit-reset", value), ("x-ratelimit-remaining", "0"), ("date", value)];
            let answer = answer(&headers, b"{}");
            let _until = answer.until(answer.met(SECRET));
            let _ahead = answer.clock_ahead_secs();
        }
    }
}
