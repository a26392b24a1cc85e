//! `runnerctl`: runs a fleet of GitHub Actions runners under systemd.

use clap::Parser;
use homelab_runners::cli::{Cli, Exit};

fn main() -> Exit {
    Cli::parse().run()
}
