//! Is a runner well? Three witnesses are asked (systemd, the container, GitHub), and the one that disagrees with the others is named. Pure.
//!
//! [`Judge`] is told what they say and what time it is; it answers with verdicts, events, and the one restart that is due, if any. It looks at nothing itself.

mod budget;
mod event;
mod heal;
mod history;
mod judge;
pub mod metrics;
mod notice;
mod oom;
pub mod page;
mod queue;
mod snapshot;
mod throttle;
mod verdict;
mod witness;

use jiff::{SignedDuration, Timestamp};

pub use budget::{Allowance, Budget};
pub use event::{Event, What};
pub use heal::{HealEnd, LONGEST_LINE};
pub use history::{History, Minute};
pub use judge::{Judge, Observation};
pub use notice::{Message, Notice, Told};
pub use queue::{Queue, WaitingRun};
pub use snapshot::{RunnerHealth, Snapshot};
pub use throttle::Throttle;
pub use verdict::Verdict;
pub use witness::{Activity, Container, Github, Listener, Since, Unit, Usage, Witnesses, WorkflowJob};

/// The moment something is told to the [`Judge`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Since the monitor began: what pauses are measured with, whatever is done to the clock. Below zero for what was before.
    pub uptime: SignedDuration,
    /// The clock, for people.
    pub time: Timestamp,
}
