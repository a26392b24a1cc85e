//! What each of the three says of a runner, and since when.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};

use crate::runner::SessionState;
use crate::why::AtGithub;

/// Characters of what a workflow calls itself.
const LONGEST_TEXT: usize = 100;

/// A statement, and since when it has been the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Since<T> {
    /// What is said.
    #[serde(flatten)]
    pub says: T,
    /// Since when, as far as the monitor has seen.
    pub since: Timestamp,
}

impl<T> Since<T> {
    /// Puts what is said now into `slot`; the moment stays where `is_same` says that nothing has changed.
    pub fn renew(slot: &mut Option<Self>, says: T, time: Timestamp, is_same: impl Fn(&T, &T) -> bool) {
        let since = slot.as_ref().filter(|before| is_same(&before.says, &says)).map(|before| before.since);
        *slot = Some(Self { says, since: since.unwrap_or(time) });
    }
}

/// systemd's `ActiveState`, the words that a runner's service can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Activity {
    /// Up: its runner had a session when it came up.
    Active,
    /// On its way up, the pause before a restart included.
    Activating,
    /// On its way down.
    Deactivating,
    /// Not started.
    Inactive,
    /// It ended badly, and systemd leaves it.
    Failed,
}

/// What systemd says of a runner's unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unit {
    /// Is it up?
    pub active_state: Activity,
    /// How often systemd itself restarted it since it was last started by hand.
    pub restarts: u32,
    /// How its last main process ended; `None` while none has.
    pub exit_status: Option<i32>,
    /// When it last became active; `None` where it never did.
    pub active_since: Option<Timestamp>,
}

/// GitHub's listener, as the host sees its process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Listener {
    /// There is one, and it can run.
    Running,
    /// There is one, and a signal or a debugger stopped it.
    Stopped,
    /// There is none.
    Missing,
}

/// What the container says of itself: the entrypoint's word, and its processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Container {
    /// The entrypoint's word; `None` where it said none that is known.
    pub session: Option<SessionState>,
    /// GitHub's listener.
    pub listener: Listener,
    /// A workflow job runs.
    pub worker: bool,
}

impl Container {
    /// Is its last word online, and is there a listener to it?
    #[must_use]
    pub fn is_online(&self) -> bool {
        self.session == Some(SessionState::Online) && self.listener == Listener::Running
    }
}

/// What GitHub says of a runner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "says", rename_all = "snake_case")]
pub enum Github {
    /// The config has no credential for asking, or it was not asked yet.
    NotAsked,
    /// It was asked, and there is no answer.
    NoAnswer {
        /// Why.
        reason: String,
    },
    /// It has no runner of that name.
    Absent,
    /// It is registered and has no session.
    Offline,
    /// It has a session, and no workflow job.
    Idle,
    /// It has a workflow job.
    Busy,
}

impl From<AtGithub> for Github {
    fn from(seen: AtGithub) -> Self {
        match seen {
            AtGithub::Absent => Self::Absent,
            AtGithub::Offline => Self::Offline,
            AtGithub::Idle => Self::Idle,
            AtGithub::Busy => Self::Busy,
        }
    }
}

impl Github {
    /// Does GitHub see a session? `None` where it says nothing about that.
    #[must_use]
    pub fn says_online(&self) -> Option<bool> {
        match self {
            Self::NotAsked | Self::NoAnswer { .. } => None,
            Self::Absent | Self::Offline => Some(false),
            Self::Idle | Self::Busy => Some(true),
        }
    }
}

/// The workflow job that runs on a runner, by the word of its started hook; a workflow may have written any of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WorkflowJob {
    /// `GITHUB_REPOSITORY`: `owner/name`.
    #[serde(deserialize_with = "cut")]
    pub repository: String,
    /// `GITHUB_WORKFLOW`
    #[serde(deserialize_with = "cut")]
    pub workflow: String,
    /// `GITHUB_JOB`: its id in the workflow's file.
    #[serde(deserialize_with = "cut")]
    pub workflow_job: String,
    /// `GITHUB_RUN_ID`
    #[serde(deserialize_with = "cut")]
    pub run_id: String,
}

impl WorkflowJob {
    /// What the hook wrote; `None` where that is not what it writes.
    #[must_use]
    pub fn of_json(text: &str) -> Option<Self> {
        let job: Self = serde_json::from_str(text).ok()?;
        (!job.repository.is_empty() && !job.workflow_job.is_empty()).then_some(job)
    }
}

fn cut<'de, D: Deserializer<'de>>(decoder: D) -> Result<String, D::Error> {
    String::deserialize(decoder).map(|text| text.chars().take(LONGEST_TEXT).collect())
}

/// What a runner and all it starts use now.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Usage {
    /// Percent of one core, since the look before.
    pub cpu_percent: Option<f64>,
    /// `CPUQuota=`, percent of one core.
    pub cpu_quota_percent: Option<f64>,
    /// Bytes.
    pub memory_bytes: Option<u64>,
    /// `MemoryMax=`, bytes.
    pub memory_max_bytes: Option<u64>,
    /// Processes that the kernel killed for want of memory, since the runner's slice was made.
    pub oom_kills: Option<u64>,
}

/// What the three say. `None`: no answer, or none yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Witnesses {
    /// systemd.
    pub systemd: Option<Since<Unit>>,
    /// The container; `None` also where the kernel does not show its processes.
    pub container: Option<Since<Container>>,
    /// GitHub.
    pub github: Since<Github>,
}

impl Witnesses {
    /// Nobody was asked.
    #[must_use]
    pub fn unasked(time: Timestamp) -> Self {
        Self { systemd: None, container: None, github: Since { says: Github::NotAsked, since: time } }
    }

    /// Does a workflow job run, as far as anybody says?
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.github.says == Github::Busy
            || self.container.as_ref().is_some_and(|container| container.says.worker)
    }
}
