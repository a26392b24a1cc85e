//! What is worth telling people who do not look at a page, and in which words.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde::Serialize;

use super::event::{Event, What};
use super::verdict::Verdict;
use crate::config::NoticeKind;
use crate::runner::{NEWER_IMAGE, RunnerExit};

/// What to do where memory ran out.
const MORE_MEMORY: &str =
    "`journalctl -k` has which process; raise limits.memory_max, or let the workflow do less at once";

/// One thing to tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// When it happened.
    pub time: Timestamp,
    /// In a word.
    pub kind: NoticeKind,
    /// The runner's number; `None` where it is about all of them.
    pub runner: Option<u16>,
    /// The runner's name.
    pub name: Option<String>,
    /// In a sentence.
    pub why: String,
    /// The next step, where there is one.
    pub hint: Option<String>,
    /// Its end would be news.
    #[serde(skip)]
    pub is_trouble: bool,
}

/// The same thing, perhaps several times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Told {
    /// The last time.
    #[serde(flatten)]
    pub notice: Notice,
    /// How often since it was last told.
    pub count: u32,
}

/// What is sent at once. The fields of its JSON: additions are fine, changes are not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The most urgent.
    pub first: Told,
    /// What was held back.
    pub also: Vec<Told>,
    /// Kinds of things that did not find room: they come with the next message.
    pub left: usize,
}

impl Notice {
    /// What `event` has to tell; `runner` has the name of its runner, and how that stands now. `None`: nothing to bother anybody with.
    #[must_use]
    pub fn of(event: &Event, runner: Option<(&str, Verdict)>) -> Option<Self> {
        let verdict = runner.map(|(_, verdict)| verdict);
        let kind = match (event.what, verdict) {
            // Nobody knows yet who is wrong; if it is the runner, the next verdict says so.
            (What::Fault, Some(Verdict::GithubDisagrees)) => return None,
            (What::Fault, Some(Verdict::NeedsAPerson(RunnerExit::NeedsToken | RunnerExit::TokenUnknown))) => {
                NoticeKind::NeedsToken
            }
            (What::Fault, Some(Verdict::NeedsAPerson(RunnerExit::VersionRefused)))
            | (What::VersionDeadline, _) => NoticeKind::VersionDeadline,
            (What::Fault | What::HealFailed, _) => NoticeKind::Failed,
            (What::GaveUp, _) => NoticeKind::GaveUp,
            (What::OomKilled, _) => NoticeKind::OutOfMemory,
            (What::Healed, _) => NoticeKind::Healed,
            (What::Recovered, _) => NoticeKind::Recovered,
            _ => return None,
        };
        let is_bad = matches!(kind, NoticeKind::NeedsToken | NoticeKind::GaveUp | NoticeKind::Failed);
        let hint = match kind {
            NoticeKind::VersionDeadline => Some(NEWER_IMAGE.to_owned()),
            NoticeKind::OutOfMemory => Some(MORE_MEMORY.to_owned()),
            _ if is_bad => event.runner.zip(verdict).and_then(|(number, verdict)| verdict.hint(number)),
            _ => None,
        };
        Some(Self {
            time: event.time,
            kind,
            runner: event.runner,
            name: runner.map(|(name, _)| name.to_owned()),
            why: event.why.clone(),
            hint,
            is_trouble: is_bad || event.what == What::Fault,
        })
    }

    /// What is sent to see whether it arrives.
    #[must_use]
    pub fn test(time: Timestamp) -> Self {
        let why = "somebody tries whether messages of runnerctl arrive: this one did".to_owned();
        Self { time, kind: NoticeKind::Test, runner: None, name: None, why, hint: None, is_trouble: false }
    }

    /// Who and what, without a full stop.
    #[must_use]
    pub fn title(&self) -> String {
        let who = self.name.as_deref().unwrap_or("the fleet");
        match self.kind {
            NoticeKind::NeedsToken => format!("{who} needs a registration token"),
            NoticeKind::GaveUp => format!("{who} is not restarted any more"),
            NoticeKind::Failed => format!("{who} is in trouble"),
            NoticeKind::OutOfMemory => format!("{who} ran out of memory"),
            NoticeKind::VersionDeadline => format!("{who} needs a newer version of the runner"),
            NoticeKind::Healed => format!("{who} was restarted and is online again"),
            NoticeKind::Recovered => format!("{who} is well again"),
            NoticeKind::Test => "test message of runnerctl".to_owned(),
        }
    }
}

impl Told {
    fn title(&self) -> String {
        match self.count {
            0 | 1 => self.notice.title(),
            count => format!("{} ({count} times)", self.notice.title()),
        }
    }
}

impl From<Notice> for Message {
    fn from(notice: Notice) -> Self {
        Self { first: Told { notice, count: 1 }, also: Vec::new(), left: 0 }
    }
}

impl Message {
    /// One line.
    #[must_use]
    pub fn title(&self) -> String {
        match self.also.len() + self.left {
            0 => self.first.title(),
            more => format!("{}, and {more} more", self.first.title()),
        }
    }

    /// The rest, for people; no line break at its end.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = self.first.notice.why.clone();
        if let Some(hint) = &self.first.notice.hint {
            // Writing to a string cannot fail.
            _ = write!(text, "\nhint: {hint}");
        }
        for told in &self.also {
            _ = write!(text, "\n- {}: {}", told.title(), told.notice.why);
        }
        if self.left > 0 {
            _ = write!(text, "\n- {} more, in the next message", self.left);
        }
        text
    }

    /// One line of JSON, from the host of that name.
    #[must_use]
    pub fn json(&self, host: &str) -> String {
        #[derive(Serialize)]
        struct Whole<'a> {
            title: String,
            message: String,
            host: &'a str,
            #[serde(flatten)]
            first: &'a Told,
            also: &'a [Told],
            left: usize,
        }
        let whole = Whole {
            title: self.title(),
            message: self.text(),
            host,
            first: &self.first,
            also: &self.also,
            left: self.left,
        };
        serde_json::to_string(&whole).map(|line| line + "\n").unwrap_or_default()
    }

    /// The same for a program's environment.
    #[must_use]
    pub fn variables(&self, host: &str) -> Vec<(&'static str, String)> {
        let notice = &self.first.notice;
        vec![
            ("HOMELAB_RUNNERS_KIND", notice.kind.word().to_owned()),
            ("HOMELAB_RUNNERS_TITLE", self.title()),
            ("HOMELAB_RUNNERS_MESSAGE", self.text()),
            ("HOMELAB_RUNNERS_HOST", host.to_owned()),
            ("HOMELAB_RUNNERS_RUNNER", notice.runner.map(|number| number.to_string()).unwrap_or_default()),
            ("HOMELAB_RUNNERS_NAME", notice.name.clone().unwrap_or_default()),
            ("HOMELAB_RUNNERS_WHY", notice.why.clone()),
            ("HOMELAB_RUNNERS_HINT", notice.hint.clone().unwrap_or_default()),
            ("HOMELAB_RUNNERS_TIME", notice.time.to_string()),
        ]
    }

    /// ntfy's priority and tags, <https://docs.ntfy.sh/publish/>.
    #[must_use]
    pub const fn ntfy(&self) -> (&'static str, &'static str) {
        match self.first.notice.kind {
            NoticeKind::NeedsToken => ("high", "key"),
            NoticeKind::GaveUp => ("high", "rotating_light"),
            NoticeKind::Failed => ("default", "warning"),
            NoticeKind::OutOfMemory => ("default", "boom"),
            NoticeKind::VersionDeadline => ("default", "hourglass"),
            NoticeKind::Healed => ("low", "adhesive_bandage"),
            NoticeKind::Recovered => ("low", "white_check_mark"),
            NoticeKind::Test => ("default", "test_tube"),
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "what is missing fails the test")]

    use jiff::SignedDuration;
    use proptest::prelude::*;

    use super::*;
    use crate::health::Now;

    fn of(what: What, verdict: Verdict) -> Option<NoticeKind> {
        let now = Now { uptime: SignedDuration::ZERO, time: Timestamp::UNIX_EPOCH };
        Notice::of(&Event::new(now, Some(1), what, "why"), Some(("one", verdict))).map(|notice| notice.kind)
    }

    #[test]
    fn what_is_told_of_an_event() {
        let person = Verdict::NeedsAPerson;
        for (what, verdict, kind) in [
            (What::Fault, Verdict::ListenerDead, Some(NoticeKind::Failed)),
            (What::Fault, Verdict::Failed, Some(NoticeKind::Failed)),
            (What::Fault, person(RunnerExit::NeedsToken), Some(NoticeKind::NeedsToken)),
            (What::Fault, person(RunnerExit::TokenUnknown), Some(NoticeKind::NeedsToken)),
            (What::Fault, person(RunnerExit::VersionRefused), Some(NoticeKind::VersionDeadline)),
            (What::Fault, person(RunnerExit::NameTaken), Some(NoticeKind::Failed)),
            (What::VersionDeadline, Verdict::Well, Some(NoticeKind::VersionDeadline)),
            (What::Fault, Verdict::GithubDisagrees, None),
            (What::GaveUp, Verdict::GivenUp, Some(NoticeKind::GaveUp)),
            (What::Healed, Verdict::Starting, Some(NoticeKind::Healed)),
            (What::HealFailed, Verdict::Failed, Some(NoticeKind::Failed)),
            (What::Recovered, Verdict::Well, Some(NoticeKind::Recovered)),
            (What::OomKilled, Verdict::Busy, Some(NoticeKind::OutOfMemory)),
        ] {
            assert_eq!(of(what, verdict), kind, "{what:?} {verdict:?}");
        }
        let told = [
            What::Fault,
            What::GaveUp,
            What::Healed,
            What::HealFailed,
            What::Recovered,
            What::OomKilled,
            What::VersionDeadline,
        ];
        for what in What::ALL.into_iter().filter(|what| !told.contains(what)) {
            assert_eq!(of(what, Verdict::Well), None, "{what:?}");
        }
    }

    proptest! {
        #[test]
        fn a_message_is_one_line_of_json_and_can_be_an_environment(
            why in any::<String>(),
            name in proptest::option::of(any::<String>()),
            also in 0_usize..4,
            count in 0_u32..5,
        ) {
            let now = Now { uptime: SignedDuration::ZERO, time: Timestamp::UNIX_EPOCH };
            let event = Event::new(now, name.as_ref().map(|_| 7), What::Fault, &why);
            let notice = Notice::of(&event, name.as_deref().map(|name| (name, Verdict::Failed))).unwrap();
            let told = Told { notice, count };
            let message = Message { first: told.clone(), also: vec![told; also], left: 2 };
            let json = message.json("host");
            prop_assert!(json.ends_with('\n') && json.matches('\n').count() == 1);
            let read: serde_json::Value = serde_json::from_str(&json).unwrap();
            prop_assert_eq!(read["kind"].as_str(), Some("failed"));
            prop_assert_eq!(read["why"].as_str(), Some(event.why.as_str()));
            prop_assert_eq!(read["name"].as_str(), name.as_deref());
            prop_assert_eq!(read["also"].as_array().map(Vec::len), Some(also));
            prop_assert_eq!(read["message"].as_str().map(str::to_owned), Some(message.text()));
            // The name comes from the config, which has no such characters in it.
            if name.is_none_or(|name| !name.contains('\0')) {
                prop_assert!(message.variables("host").iter().all(|(_, value)| !value.contains('\0')));
            }
        }
    }
}
