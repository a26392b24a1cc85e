//! Whole-system tests: one boot of the guest for all trials, which run one after the other in the order of this list.
//!
//! Scenarios of the specification bear its names. `cargo test -p homelab-runners-vm --test scenarios -- NAME` runs those whose name
//! contains NAME.

mod bed;
mod credential;
mod deployment;
mod engine;
mod fleet;
mod harness;
mod health;
mod installing;
mod isolation;
mod limits;
mod nixos;
mod prune;
mod queue;
mod reports;
mod retention;
mod user;
mod walls;
mod ways;

use std::process::ExitCode;

use bed::{Bed, Scenario};

fn main() -> ExitCode {
    let scenarios: Vec<Scenario> = [
        harness::SCENARIOS,
        deployment::SCENARIOS,
        isolation::SCENARIOS,
        engine::SCENARIOS,
        walls::SCENARIOS,
        limits::SCENARIOS,
        health::SCENARIOS,
        queue::SCENARIOS,
        prune::SCENARIOS,
        reports::SCENARIOS,
        retention::SCENARIOS,
        installing::SCENARIOS,
        engine::REMOVING,
        user::SCENARIOS,
        ways::PODMAN,
        credential::SCENARIOS,
        ways::DOCKER,
    ]
    .concat();
    // Has not been seen through to its end yet.
    Bed::run(scenarios, nixos::SCENARIOS)
}
