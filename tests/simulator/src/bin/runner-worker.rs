//! `bin/Runner.Worker` of the stand-in runner.

use std::process::ExitCode;

fn main() -> ExitCode {
    homelab_runners_simulator::worker::main()
}
