//! What people and scripts read about the fleet, from facts that were gathered elsewhere. Pure.

mod explain;
mod image_age;
mod table;

use serde::Serialize;

pub use explain::{Explanation, explain};
pub use image_age::{ImageAge, old_images};
pub use table::{cpu, memory, size, span, table};

/// Everything `runnerctl status` knows of one runner. The fields of the JSON, too: additions are fine, changes are not.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a field of the JSON")]
pub struct RunnerStatus {
    /// From 1.
    pub number: u16,
    /// At GitHub and of the container.
    pub name: String,
    /// Its unit.
    pub unit: String,
    /// systemd's `ActiveState`.
    pub active_state: String,
    /// systemd's `SubState`.
    pub sub_state: String,
    /// The entrypoint's word: starting, configuring, connecting, online, done, failed, stopping; `null` where it said none.
    pub session: Option<String>,
    /// What the health checks in the container come to: starting, healthy, unhealthy, or unchecked where the engine makes none any more; `null` where it does not run.
    pub health: Option<String>,
    /// A workflow job runs on it.
    pub busy: bool,
    /// It has an identity at GitHub and needs no token to start; `null` where that may not be looked at (without root).
    pub registered: Option<bool>,
    /// It is another runner at GitHub for each workflow job.
    pub ephemeral: bool,
    /// What it is called at GitHub now, where that is not its own name: an ephemeral one; `null` where that is not known.
    pub registered_as: Option<String>,
    /// Its registration token: `present`, `missing`, or what is wrong with it or with the file; `null` where the file may not be read.
    pub token: Option<String>,
    /// `runnerctl drain` was asked to end it, and its unit does not start until `undrain`.
    pub drained: bool,
    /// The unit's text on disk differs from the one that it was started with.
    pub restart_pending: bool,
    /// Since when the unit is in its state, RFC 3339.
    pub since: Option<String>,
    /// How often systemd restarted it since it was last started by hand.
    pub restarts: u32,
    /// CPU in use by all of its slice, percent of one core.
    pub cpu_percent: Option<f64>,
    /// `CPUQuota=`, percent of one core.
    pub cpu_quota_percent: Option<f64>,
    /// Memory in use by all of its slice, bytes.
    pub memory_bytes: Option<u64>,
    /// `MemoryMax=`, bytes.
    pub memory_max_bytes: Option<u64>,
    /// The image of its container, and how old that is; `null` where there is no container.
    pub image: Option<ImageAge>,
    /// What is the matter, where something is.
    pub problem: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
}

impl RunnerStatus {
    /// One word for the state of the runner as a whole.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match (self.active_state.as_str(), self.session.as_deref()) {
            ("active" | "activating" | "deactivating", _) if self.drained => "draining",
            (_, _) if self.drained => "drained",
            ("active", Some("online")) if self.health.as_deref() == Some("unhealthy") => "unhealthy",
            ("active", Some("online")) if self.busy => "busy",
            ("active", Some("online")) => "online",
            ("active", _) => "connecting",
            ("activating", _) if self.sub_state == "auto-restart" => "restarting",
            ("activating" | "reloading", _) => "starting",
            ("deactivating", _) => "stopping",
            ("failed", _) => "failed",
            _ => "stopped",
        }
    }

    /// Is the runner ready for workflow jobs, or at one?
    #[must_use]
    pub fn is_well(&self) -> bool {
        matches!(self.word(), "online" | "busy" | "draining")
    }
}

#[cfg(test)]
mod tests;
