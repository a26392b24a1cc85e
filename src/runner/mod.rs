//! The contract with a runner container: the scripts that run in it, how they end and what they tell the host.
//!
//! Pure: nothing here reads or writes files. The scripts themselves say what they do and why.

mod budget;
mod digest;
mod ephemeral;
mod exit;
mod health;
mod identity;
mod registration;
mod session;

pub use budget::RegistrationBudget;
pub use digest::digest;
pub use ephemeral::{Note, Notes, ephemeral_name, is_ephemeral_name, was_of_use};
pub use exit::{NEWER_IMAGE, RunnerExit, TokenSource};
pub use health::{Health, HealthChecks, NoHealthChecks};
pub use identity::Agent;
pub use registration::{Registration, all_labels};
pub use session::{Session, SessionState, UnknownState};

/// Runs as the container's first process: registers once, keeps the identity, runs GitHub's listener.
pub const ENTRYPOINT: &str = include_str!("entrypoint.sh");

/// The container's health check.
pub const HEALTH: &str = include_str!("health.sh");

/// GitHub's listener runs it before the first step of a workflow job.
pub const JOB_STARTED: &str = include_str!("job-started.sh");

/// GitHub's listener runs it after the last step of a workflow job.
pub const JOB_COMPLETED: &str = include_str!("job-completed.sh");

/// What these two have in common.
pub const REPORT: &str = include_str!("report.sh");

/// Every script of the container, by name.
pub const SCRIPTS: [(&str, &str); 5] = [
    ("entrypoint.sh", ENTRYPOINT),
    ("health.sh", HEALTH),
    ("job-started.sh", JOB_STARTED),
    ("job-completed.sh", JOB_COMPLETED),
    ("report.sh", REPORT),
];

/// Name (`comm`) of the process that has the session at GitHub.
pub const LISTENER: &str = "Runner.Listener";

/// Name (`comm`) of the process that lives exactly as long as a workflow job runs.
pub const WORKER: &str = "Runner.Worker";
