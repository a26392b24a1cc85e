//! The edge to systemd, against a fake one. All time is virtual.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "what is missing fails the test")]

mod connect;
mod jobs;
mod refusals;
mod units;

use std::time::Duration;

use homelab_runners::systemd::{JobMode, JobOutcome, Systemd, UnitJob, UnitState};

const LIMIT: Duration = Duration::from_secs(60);

async fn run(systemd: &Systemd, unit_jobs: &[UnitJob]) -> Vec<JobOutcome> {
    systemd.run_jobs(unit_jobs, &JobMode::Replace, LIMIT, &mut |_| {}).await
}

async fn start(systemd: &Systemd, unit: &str) -> JobOutcome {
    run(systemd, &[UnitJob::start(unit)]).await.remove(0)
}

async fn state(systemd: &Systemd, unit: &str) -> UnitState {
    systemd.observe(&[unit]).await.unwrap().remove(0)
}
