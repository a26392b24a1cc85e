//! The `runnerctl` program.
fn main() {}
