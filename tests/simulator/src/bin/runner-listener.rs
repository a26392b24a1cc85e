//! `bin/Runner.Listener` of the stand-in runner.

use std::process::ExitCode;

fn main() -> ExitCode {
    homelab_runners_simulator::runner::main()
}
