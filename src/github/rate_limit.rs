//! How many requests are left.

use jiff::Timestamp;
use serde::Deserialize;

use super::error::Error;
use super::permission::Permission::ReadRunners;
use super::{Ask, Client};

/// One of GitHub's limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// Requests in an hour.
    pub limit: u64,
    /// Those that are left.
    pub remaining: u64,
    /// When there will be `limit` again.
    pub reset: Option<Timestamp>,
}

/// The limits that matter here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimits {
    /// Of all requests.
    pub core: RateLimit,
    /// Of registrations; a GitHub Enterprise Server has none.
    pub runner_registration: Option<RateLimit>,
}

#[derive(Deserialize)]
struct Raw {
    limit: u64,
    remaining: u64,
    #[serde(default)]
    reset: Option<i64>,
}

#[derive(Deserialize)]
struct Resources {
    core: Raw,
    #[serde(default)]
    actions_runner_registration: Option<Raw>,
}

#[derive(Deserialize)]
struct Whole {
    resources: Resources,
}

impl From<Raw> for RateLimit {
    fn from(raw: Raw) -> Self {
        let reset = raw.reset.filter(|reset| *reset > 0);
        Self {
            limit: raw.limit,
            remaining: raw.remaining,
            reset: reset.and_then(|reset| Timestamp::from_second(reset).ok()),
        }
    }
}

impl Client {
    /// What is left of the limits. The question itself does not count.
    ///
    /// # Errors
    /// Why it cannot be told; a GitHub Enterprise Server without limits says "not found".
    pub async fn rate_limit(&self) -> Result<RateLimits, Error> {
        let action = format!("ask for the rate limit at {}", self.api);
        let ask = Ask::get(action, "/rate_limit".to_owned(), ReadRunners);
        let answer = self.ask(&ask, self.until()).await?;
        let Whole { resources } = answer.read().map_err(|cause| ask.error(cause))?;
        Ok(RateLimits {
            core: resources.core.into(),
            runner_registration: resources.actions_runner_registration.map(RateLimit::from),
        })
    }
}
