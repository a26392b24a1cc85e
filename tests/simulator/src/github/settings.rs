//! What a test may set about the simulated GitHub.

use serde::{Deserialize, Serialize};

/// Time limits and rules that differ between tests.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How long the broker keeps a message poll open when there is nothing to say.
    pub poll_seconds: u64,
    /// A second session of a runner is refused until the first one's last poll is this old.
    pub session_lifetime_seconds: i64,
    /// Runners below this version are refused; `None` lets all in.
    pub minimum_runner_version: Option<String>,
    /// The REST API says `busy: false` of runners that execute a workflow job, as GitHub does at times.
    pub hides_busy: bool,
    /// A runner that ends its session is given a waiting workflow job at that moment, as may happen at GitHub.
    pub offers_to_stopping_runners: bool,
    /// Requests in an hour for each user, installation and app.
    pub rate_limit: u64,
    /// Requests in an hour without credentials, or with wrong ones.
    pub rate_limit_of_strangers: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            poll_seconds: 50,
            session_lifetime_seconds: 60,
            minimum_runner_version: None,
            hides_busy: false,
            offers_to_stopping_runners: false,
            rate_limit: 5000,
            rate_limit_of_strangers: 60,
        }
    }
}
