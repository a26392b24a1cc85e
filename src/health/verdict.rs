//! What follows from what the witnesses say.

use serde::{Serialize, Serializer};

use super::witness::{Activity, Container, Github, Listener, Unit, Witnesses};
use crate::runner::{RunnerExit, SessionState};

/// How a runner stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// All who were asked agree: it has a session, and nothing to do.
    Well,
    /// A workflow job runs on it, or is on its way.
    Busy,
    /// A workflow job runs, and the listener is dead: it is waited for.
    WorkerAlone,
    /// On its way to a session.
    Starting,
    /// On its way down.
    Stopping,
    /// systemd and the container's word are wrong: there is no listener that could take a workflow job.
    ListenerDead,
    /// systemd and the container say online, and GitHub says offline, for now.
    GithubDisagrees,
    /// The same for so long that it is the session that is lost.
    SilentZombie,
    /// GitHub does not know it any more.
    RemovedAtGithub,
    /// It is well as far as it can be told without GitHub, which does not answer.
    GithubUnreachable,
    /// It ended, and starting it again cannot help.
    NeedsAPerson(RunnerExit),
    /// It ended badly for another reason, and systemd leaves it.
    Failed,
    /// Not started.
    Stopped,
    /// `runnerctl drain` took it out of service.
    Drained,
    /// Restarts did not help, and no more are tried.
    GivenUp,
    /// systemd, or the kernel about the container, does not answer.
    Unknown,
}

impl Verdict {
    /// One of each kind.
    pub const ALL: [Self; 16] = [
        Self::Well,
        Self::Busy,
        Self::WorkerAlone,
        Self::Starting,
        Self::Stopping,
        Self::ListenerDead,
        Self::GithubDisagrees,
        Self::SilentZombie,
        Self::RemovedAtGithub,
        Self::GithubUnreachable,
        Self::NeedsAPerson(RunnerExit::NeedsToken),
        Self::Failed,
        Self::Stopped,
        Self::Drained,
        Self::GivenUp,
        Self::Unknown,
    ];

    /// What the witnesses' words mean. `is_lost`: GitHub has said offline often enough.
    #[must_use]
    pub fn of(witnesses: &Witnesses, is_drained: bool, is_lost: bool) -> Self {
        if is_drained {
            return Self::Drained;
        }
        let Some(unit) = witnesses.systemd.as_ref().map(|unit| &unit.says) else { return Self::Unknown };
        match unit.active_state {
            Activity::Active => {}
            Activity::Activating => return Self::Starting,
            Activity::Deactivating => return Self::Stopping,
            Activity::Inactive => return Self::Stopped,
            Activity::Failed => return Self::of_failed(unit),
        }
        match &witnesses.container {
            Some(container) => Self::of_container(container.says, &witnesses.github.says, is_lost),
            None => Self::Unknown,
        }
    }

    fn of_failed(unit: &Unit) -> Self {
        let exit = unit.exit_status.and_then(RunnerExit::from_code).filter(|exit| exit.needs_a_person());
        exit.map_or(Self::Failed, Self::NeedsAPerson)
    }

    /// The unit is up.
    fn of_container(container: Container, github: &Github, is_lost: bool) -> Self {
        let is_dead = container.listener != Listener::Running;
        match (container.session, is_dead, container.worker) {
            (_, true, true) => return Self::WorkerAlone,
            (_, false, true) => return Self::Busy,
            // The container ends by itself, and systemd sees that.
            (Some(SessionState::Failed | SessionState::Stopping), _, false) => return Self::Stopping,
            (Some(SessionState::Online), true, false) => return Self::ListenerDead,
            (Some(SessionState::Online), false, false) => {}
            _ => return Self::Starting,
        }
        match github {
            Github::NotAsked | Github::Idle => Self::Well,
            Github::Busy => Self::Busy,
            Github::NoAnswer { .. } => Self::GithubUnreachable,
            Github::Absent => Self::RemovedAtGithub,
            Github::Offline if is_lost => Self::SilentZombie,
            Github::Offline => Self::GithubDisagrees,
        }
    }

    /// The word in JSON and metrics.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Well => "well",
            Self::Busy => "busy",
            Self::WorkerAlone => "worker_alone",
            Self::Starting => "starting",
            Self::Stopping => "stopping",
            Self::ListenerDead => "listener_dead",
            Self::GithubDisagrees => "github_disagrees",
            Self::SilentZombie => "silent_zombie",
            Self::RemovedAtGithub => "removed_at_github",
            Self::GithubUnreachable => "github_unreachable",
            Self::NeedsAPerson(_) => "needs_a_person",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
            Self::Drained => "drained",
            Self::GivenUp => "given_up",
            Self::Unknown => "unknown",
        }
    }

    /// Does it run a workflow job, or can it take one, as far as anybody knows?
    #[must_use]
    pub const fn is_serving(self) -> bool {
        matches!(self, Self::Well | Self::Busy | Self::WorkerAlone | Self::GithubUnreachable)
    }

    /// Is something the matter that somebody may want to know of?
    #[must_use]
    pub const fn is_fault(self) -> bool {
        matches!(
            self,
            Self::WorkerAlone
                | Self::ListenerDead
                | Self::GithubDisagrees
                | Self::SilentZombie
                | Self::RemovedAtGithub
                | Self::NeedsAPerson(_)
                | Self::Failed
                | Self::GivenUp
        )
    }

    /// Who says what, and who is wrong.
    #[must_use]
    pub const fn why(self) -> &'static str {
        match self {
            Self::Well => "all who were asked agree: it listens for workflow jobs",
            Self::Busy => "a workflow job runs on it",
            Self::WorkerAlone => "its listener is dead, and a workflow job still runs: that is waited for",
            Self::Starting => "systemd starts it: it has no session yet",
            Self::Stopping => "it is about to end",
            Self::ListenerDead => {
                "systemd calls it active and its last word is online, but no listener runs: those two are wrong"
            }
            Self::GithubDisagrees => {
                "systemd and the container say online, GitHub says offline: not clear yet who is wrong"
            }
            Self::SilentZombie => {
                "systemd and the container say online, GitHub says offline each time: its session is lost, and they do not know"
            }
            Self::RemovedAtGithub => {
                "systemd and the container say online, but GitHub has no such runner: it was removed there"
            }
            Self::GithubUnreachable => {
                "systemd and the container agree that it is online; GitHub does not answer"
            }
            Self::NeedsAPerson(exit) => exit.sentence(),
            Self::Failed => "systemd has it as failed and does not start it again",
            Self::Stopped => "it was stopped",
            Self::Drained => "it was drained",
            Self::GivenUp => "restarts did not help, and no more are tried",
            Self::Unknown => "systemd does not answer, or the container's processes cannot be seen",
        }
    }

    /// What to do, for runner `number`; `None` where there is nothing to do.
    #[must_use]
    pub fn hint(self, number: u16) -> Option<String> {
        Some(match self {
            Self::Well | Self::Busy | Self::WorkerAlone | Self::Starting | Self::Stopping => return None,
            Self::ListenerDead | Self::SilentZombie => {
                format!("it is restarted by itself; else runnerctl restart {number}")
            }
            Self::GithubDisagrees => {
                "see that this host reaches GitHub, and https://www.githubstatus.com".to_owned()
            }
            Self::RemovedAtGithub => {
                format!("it ends by itself and may need a registration token then: runnerctl status {number}")
            }
            Self::GithubUnreachable => {
                "see that this host reaches GitHub; no runner is restarted for that".to_owned()
            }
            Self::NeedsAPerson(_) | Self::Failed => format!("runnerctl status {number} says what to do"),
            Self::Stopped => format!("runnerctl up {number}"),
            Self::Drained => format!("take it back into service: runnerctl undrain {number}"),
            Self::GivenUp => {
                format!("read its log (runnerctl logs {number}), then runnerctl restart {number}")
            }
            Self::Unknown => "see whether systemd and its bus run: systemctl status dbus".to_owned(),
        })
    }
}

/// As its word.
impl Serialize for Verdict {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.word().serialize(to)
    }
}

#[cfg(test)]
mod tests;
