//! What the health check tells the host in `status/health`: how many checks failed in a row, since when, and when the last one was.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::Timestamp;

use super::SessionState;

/// What the checks of a container come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// No check has counted yet.
    Starting,
    /// The last checks passed.
    Healthy,
    /// So many failed in a row that the runner is to be restarted.
    Unhealthy,
    /// The engine has made none for a while.
    Unchecked,
}

impl fmt::Display for Health {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(match self {
            Self::Starting => "starting",
            Self::Healthy => "healthy",
            Self::Unhealthy => "unhealthy",
            Self::Unchecked => "unchecked",
        })
    }
}

/// The content of `status/health`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HealthChecks {
    /// Failures in a row up to the last check.
    pub failures: u32,
    /// When the last check ended, to the second.
    pub last: Timestamp,
}

/// The text is not `FAILURES FIRST LAST`, three numbers of which the latter two are seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a health file has three numbers: failures in a row, when the first was, and when the last check was"
)]
pub struct NoHealthChecks;

impl FromStr for HealthChecks {
    type Err = NoHealthChecks;

    fn from_str(text: &str) -> Result<Self, NoHealthChecks> {
        let mut words = text.lines().next().unwrap_or_default().split_ascii_whitespace();
        let mut number = || words.next().and_then(|word| word.parse::<u32>().ok()).ok_or(NoHealthChecks);
        let (failures, _first, last) = (number()?, number()?, number()?);
        let last = Timestamp::from_second(last.into()).map_err(|_| NoHealthChecks)?;
        Ok(Self { failures, last })
    }
}

impl HealthChecks {
    /// What they come to where so many failures in a row are too many, and a check that is older than `stale_after` says nothing. Until a runner is online it is starting,
    /// whatever fails: its entrypoint is at work.
    #[must_use]
    pub fn health(
        self,
        retries: u32,
        stale_after: Duration,
        session: Option<SessionState>,
        now: Timestamp,
    ) -> Health {
        match self.failures {
            _ if now.duration_since(self.last).unsigned_abs() > stale_after => Health::Unchecked,
            0 => Health::Healthy,
            _ if session != Some(SessionState::Online) => Health::Starting,
            failures if failures < retries => Health::Healthy,
            _ => Health::Unhealthy,
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "what is missing fails the test")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STALE_AFTER: Duration = Duration::from_secs(100);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn health(failures: u32, session: SessionState, seconds_later: i64) -> Health {
        let checks = HealthChecks { failures, last: at(1_000) };
        checks.health(3, STALE_AFTER, Some(session), at(1_000 + seconds_later))
    }

    #[test]
    fn what_the_script_writes_is_read() {
        let expected = HealthChecks { failures: 2, last: at(1_790_000_030) };
        assert_eq!("         2 1790000000 1790000030\n".parse(), Ok(expected));
    }

    #[test]
    fn failures_count_when_there_are_enough_of_them_in_a_row() {
        let online = [0, 1, 2, 3, 4].map(|failures| health(failures, SessionState::Online, 5));
        let [healthy, unhealthy] = [Health::Healthy, Health::Unhealthy];
        assert_eq!(online, [healthy, healthy, healthy, unhealthy, unhealthy]);
    }

    #[test]
    fn whoever_is_not_online_yet_is_starting() {
        assert_eq!(health(9, SessionState::Connecting, 5), Health::Starting);
        assert_eq!(health(0, SessionState::Connecting, 5), Health::Healthy);
    }

    #[test]
    fn a_check_says_nothing_when_it_is_old_or_of_a_time_to_come() {
        let of_age = [100, 101, -100, -101].map(|age| health(0, SessionState::Online, age));
        let [healthy, unchecked] = [Health::Healthy, Health::Unchecked];
        assert_eq!(of_age, [healthy, unchecked, healthy, unchecked]);
    }

    proptest! {
        #[test]
        fn whatever_a_container_writes_is_three_numbers_or_refused(text in "[ 0-9\n-]{0,40}|\\PC{0,40}") {
            let words: Vec<&str> = text.lines().next().unwrap_or_default().split_ascii_whitespace().collect();
            let numbers = words.iter().take(3).filter(|word| word.parse::<u32>().is_ok()).count();
            prop_assert_eq!(text.parse::<HealthChecks>().is_ok(), numbers == 3);
        }
    }
}
