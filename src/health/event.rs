//! What happened, one line of JSON each.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Now;

/// Characters of a reason; what GitHub says in an error has no bound of its own.
const LONGEST_WHY: usize = 300;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub time: Timestamp,
    /// The runner's number; `None` where it is about all of them.
    pub runner: Option<u16>,
    /// In a word.
    pub what: What,
    /// In a sentence.
    pub why: String,
}

/// What happened, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// The monitor began to look.
    Watching,
    /// Something is the matter with a runner.
    Fault,
    /// Nothing is any more.
    Recovered,
    /// systemd restarted it by itself.
    Restarted,
    /// The kernel killed programs of it for want of memory.
    OomKilled,
    /// The monitor restarts it.
    Heal,
    /// That was done.
    Healed,
    /// That could not be done.
    HealFailed,
    /// That was not done: a workflow job had begun.
    HealCalledOff,
    /// No more restarts are tried, of a runner or for now of any.
    GaveUp,
    /// It was well for so long that its earlier restarts do not count any more.
    Forgiven,
    /// Its image is so old that GitHub will refuse its version before long.
    VersionDeadline,
    /// GitHub does not answer.
    GithubLost,
    /// It does again.
    GithubBack,
    /// systemd does not answer.
    SystemdLost,
    /// It does again.
    SystemdBack,
}

impl What {
    /// Every one.
    pub const ALL: [Self; 16] = [
        Self::Watching,
        Self::Fault,
        Self::Recovered,
        Self::Restarted,
        Self::OomKilled,
        Self::Heal,
        Self::Healed,
        Self::HealFailed,
        Self::HealCalledOff,
        Self::GaveUp,
        Self::Forgiven,
        Self::VersionDeadline,
        Self::GithubLost,
        Self::GithubBack,
        Self::SystemdLost,
        Self::SystemdBack,
    ];

    /// For people.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Watching => "watching",
            Self::Fault => "fault",
            Self::Recovered => "recovered",
            Self::Restarted => "restarted by systemd",
            Self::OomKilled => "out of memory",
            Self::Heal => "restarting it",
            Self::Healed => "restarted",
            Self::HealFailed => "restart failed",
            Self::HealCalledOff => "restart called off",
            Self::GaveUp => "gave up",
            Self::Forgiven => "forgiven",
            Self::VersionDeadline => "version deadline",
            Self::GithubLost => "GitHub lost",
            Self::GithubBack => "GitHub back",
            Self::SystemdLost => "systemd lost",
            Self::SystemdBack => "systemd back",
        }
    }
}

impl Event {
    /// It happens now; `why` is cut, and freed of what would move a terminal's cursor.
    #[must_use]
    pub fn new(now: Now, runner: Option<u16>, what: What, why: &str) -> Self {
        let why = why.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST_WHY).collect();
        Self { time: now.time, runner, what, why }
    }

    /// One line with its end.
    #[must_use]
    pub fn line(&self) -> String {
        serde_json::to_string(self).map(|line| line + "\n").unwrap_or_default()
    }

    /// A line read back; `None` where it is none of ours, half of one, or of a newer version.
    #[must_use]
    pub fn of_line(line: &str) -> Option<Self> {
        serde_json::from_str(line).ok()
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_event_is_one_line_and_is_read_back(
            why in any::<String>(),
            runner in proptest::option::of(any::<u16>()),
            what in proptest::sample::select(What::ALL.to_vec()),
            seconds in 0_i64..4_000_000_000,
        ) {
            let time = Timestamp::from_second(seconds).unwrap_or_default();
            let event = Event::new(Now { uptime: SignedDuration::ZERO, time }, runner, what, &why);
            let line = event.line();
            prop_assert!(line.ends_with('\n') && line.matches('\n').count() == 1);
            prop_assert!(line.len() < 4096);
            prop_assert_eq!(Event::of_line(&line), Some(event));
        }

        #[test]
        fn whatever_stands_in_the_file_is_an_event_or_passed_over(line in any::<String>()) {
            if let Some(event) = Event::of_line(&line) {
                prop_assert_eq!(Event::of_line(&event.line()), Some(event));
            }
        }
    }

    #[test]
    fn half_a_line_and_a_word_of_a_newer_version_are_passed_over() {
        let line = Event::new(
            Now { uptime: SignedDuration::ZERO, time: Timestamp::UNIX_EPOCH },
            Some(1),
            What::Healed,
            "x",
        )
        .line();
        assert!(line.get(..20).is_some_and(|half| Event::of_line(half).is_none()), "{line}");
        assert_eq!(Event::of_line(&line.replace("healed", "levitated")), None);
    }
}
