//! What is known and counted of one runner.

use jiff::{SignedDuration, Timestamp};

use crate::health::Now;
use crate::health::history::History;
use crate::health::verdict::Verdict;
use crate::health::witness::{Container, Github, Listener, Since, Usage, Witnesses, WorkflowJob};

/// GitHub has to say offline so often in a row.
const LOST_AFTER_LOOKS: u32 = 3;

#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is one thing that is known of a runner")]
pub(super) struct Record {
    pub(super) name: String,
    pub(super) witnesses: Witnesses,
    pub(super) is_drained: bool,
    pub(super) has_been_seen: bool,
    pub(super) usage: Option<Usage>,
    pub(super) history: History,
    pub(super) workflow_job: Option<WorkflowJob>,
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
            workflow_job: None,
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

    /// What is `says`, when it was `asked` for; `is_rejoining`: whoever is offline may be on its way back.
    pub(super) fn hear_github(
        &mut self,
        says: Github,
        asked: Timestamp,
        is_rejoining: bool,
        time: Timestamp,
    ) {
        let unit = self.witnesses.systemd.as_ref().map(|unit| &unit.says);
        // A list that was asked for before this session began knows nothing of it.
        let is_about_this = unit.and_then(|unit| unit.active_since).is_some_and(|since| since <= asked);
        match says {
            Github::Offline if is_about_this && !is_rejoining => self.offline_looks += 1,
            Github::Offline => {}
            _ => self.offline_looks = 0,
        }
        let is_same =
            |before: &Github, after: &Github| std::mem::discriminant(before) == std::mem::discriminant(after);
        let mut github = Some(self.witnesses.github.clone());
        Since::renew(&mut github, says, time, is_same);
        self.witnesses.github = github.unwrap_or_else(|| self.witnesses.github.clone());
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

    pub(super) fn is_seen_online(&self) -> bool {
        self.witnesses.github.says.says_online() == Some(true)
    }
}
