//! The contract with a runner container: the scripts that run in it, how they end and what they tell the host.
//!
//! Pure: nothing here reads or writes files. The scripts themselves say what they do and why.

mod exit;
mod session;

pub use exit::{RunnerExit, TokenSource};
pub use session::{Session, SessionState, UnknownState};

/// Runs as the container's first process: registers once, keeps the identity, runs GitHub's listener.
pub const ENTRYPOINT: &str = include_str!("entrypoint.sh");

/// The container's health check.
pub const HEALTH: &str = include_str!("health.sh");

/// Name (`comm`) of the process that lives exactly as long as a workflow job runs.
pub const WORKER: &str = "Runner.Worker";
