//! Whole-system tests: one boot of the guest for all trials, which run one after the other in the order of this list.
//!
//! `cargo test -p homelab-runners-vm --test scenarios -- NAME` runs those whose name contains NAME.

mod bed;
mod harness;

use std::process::ExitCode;

use bed::{Bed, Scenario};

fn main() -> ExitCode {
    let scenarios: Vec<Scenario> = [harness::SCENARIOS].concat();
    Bed::run(scenarios)
}
