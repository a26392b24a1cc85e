//! Integration tests.

mod fake_systemd;
mod runner_contract;
mod systemd_edge;
