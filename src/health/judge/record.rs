//! What is known and counted of one runner.

use jiff::{SignedDuration, Timestamp};

use crate::health::Now;
use crate::health::history::History;
use crate::health::oom::OomKills;
use crate::health::verdict::Verdict;
use crate::health::witness::{Activity, Container, Github, Listener, Since, Usage, Witnesses, WorkflowJob};
use crate::status::ImageAge;

/// GitHub has to say offline so often in a row.
const LOST_AFTER_LOOKS: u32 = 3;

/// How old GitHub's list may be when it comes: its answers are cached (`Cache-Control: max-age=60`).
const LIST_AGE: SignedDuration = SignedDuration::from_secs(60);

/// Who is not heard is not heard better by the hour: the deadline is days away.
const DEADLINE_AGAIN: SignedDuration = SignedDuration::from_hours(24);

#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is one thing that is known of a runner")]
pub(super) struct Record {
    pub(super) name: String,
    pub(super) witnesses: Witnesses,
    pub(super) is_drained: bool,
    pub(super) has_been_seen: bool,
    pub(super) usage: Option<Usage>,
    pub(super) history: History,
    pub(super) oom_kills: OomKills,
    pub(super) workflow_job: Option<WorkflowJob>,
    pub(super) image: Option<ImageAge>,
    /// When it was last told that its image is old.
    pub(super) deadline_told: Option<SignedDuration>,
    pub(super) verdict: Verdict,
    pub(super) verdict_since: Timestamp,
    pub(super) is_at_fault: bool,
    pub(super) dead_since: Option<SignedDuration>,
    pub(super) offline_looks: u32,
    pub(super) heals: u32,
    pub(super) gave_up: bool,
}

impl Record {
    pub(super) fn new(name: String, time: Timestamp) -> Self {
        Self {
            name,
            witnesses: Witnesses::unasked(time),
            is_drained: false,
            has_been_seen: false,
            usage: None,
            history: History::default(),
            oom_kills: OomKills::default(),
            workflow_job: None,
            image: None,
            deadline_told: None,
            verdict: Verdict::Unknown,
            verdict_since: time,
            is_at_fault: false,
            dead_since: None,
            offline_looks: 0,
            heals: 0,
            gave_up: false,
        }
    }

    pub(super) fn look(&mut self, container: Option<Container>, drained: bool, usage: Usage, now: Now) {
        self.is_drained = drained;
        self.history.note(&usage, now.uptime);
        self.usage = Some(usage);
        // Where none was ever seen it may be that they cannot be: a slice somewhere else, an engine that puts containers elsewhere.
        let is_seen = |container: &Container| container.listener != Listener::Missing || container.worker;
        self.has_been_seen |= container.as_ref().is_some_and(is_seen);
        match container.filter(|_| self.has_been_seen) {
            Some(container) => {
                Since::renew(&mut self.witnesses.container, container, now.time, Container::eq);
            }
            None => self.witnesses.container = None,
        }
    }

    /// `counts`: what was asked for then says something about sessions.
    pub(super) fn hear_github(&mut self, says: Github, asked: Timestamp, counts: bool, time: Timestamp) {
        let unit = self.witnesses.systemd.as_ref().map(|unit| &unit.says);
        // A list from before this session began knows nothing of it.
        let is_about_this = |since: Timestamp| asked.duration_since(since) >= LIST_AGE;
        // While it is on its way up, systemd still tells when it was up before.
        let up = unit.filter(|unit| unit.active_state == Activity::Active);
        let is_about_this = up.and_then(|unit| unit.active_since).is_some_and(is_about_this);
        match says {
            Github::Offline if is_about_this && counts => self.offline_looks += 1,
            Github::Offline => {}
            _ => self.offline_looks = 0,
        }
        let is_same =
            |before: &Github, after: &Github| std::mem::discriminant(before) == std::mem::discriminant(after);
        let mut github = Some(self.witnesses.github.clone());
        Since::renew(&mut github, says, time, is_same);
        self.witnesses.github = github.unwrap_or_else(|| self.witnesses.github.clone());
    }

    /// Nobody tells any more whether the session is still the same.
    pub(super) fn lose_systemd(&mut self) {
        self.witnesses.systemd = None;
        self.forget();
    }

    /// What was counted against it belongs to a session that is over.
    pub(super) fn forget(&mut self) {
        self.dead_since = None;
        self.offline_looks = 0;
    }

    pub(super) fn judge(&mut self, now: Now) -> Verdict {
        let verdict = Verdict::of(&self.witnesses, self.is_drained, self.offline_looks >= LOST_AFTER_LOOKS);
        if verdict == Verdict::ListenerDead {
            self.dead_since.get_or_insert(now.uptime);
        } else {
            self.dead_since = None;
        }
        match verdict {
            Verdict::ListenerDead | Verdict::SilentZombie if self.gave_up => Verdict::GivenUp,
            _ => verdict,
        }
    }

    /// What to tell of an old image, now and then until there is a newer one. One that is not in service runs none, or has told worse.
    pub(super) fn warn_of_deadline(&mut self, verdict: Verdict, now: Now) -> Option<String> {
        let image = self.image.as_ref().filter(|_| verdict.is_serving())?;
        if !image.is_old() {
            self.deadline_told = None;
            return None;
        }
        if self.deadline_told.is_some_and(|told| now.uptime - told < DEADLINE_AGAIN) {
            return None;
        }
        self.deadline_told = Some(now.uptime);
        Some(format!("it runs {}", image.words()))
    }

    pub(super) fn is_seen_online(&self) -> bool {
        self.witnesses.github.says.says_online() == Some(true)
    }
}
