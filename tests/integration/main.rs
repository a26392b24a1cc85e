//! Integration tests.

mod runner_contract;
