//! Runs scenarios as trials of libtest-mimic on one lazily booted guest.

use std::error::Error;
use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use homelab_runners_vm::{BootOptions, Guest};
use libtest_mimic::{Arguments, Failed, Trial};

/// What a scenario returns: `?` works on every error, and so do assertions.
pub(crate) type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// A name and what it does. A scenario leaves the guest as it found it.
pub(crate) type Scenario = (&'static str, fn(&Guest) -> Outcome);

/// Printed when a scenario fails: what our units and the simulator said.
const JOURNAL: &str = "journalctl --no-pager --lines=200 --boot \
    --unit='homelab-runner*' --unit=github-simulator.service; \
    systemctl --no-pager --no-legend --failed";

/// The guest that all scenarios share, booted by the first that runs, so that `--list` stays quick.
pub(crate) struct Bed {
    guest: OnceLock<Result<Guest, String>>,
}

impl Bed {
    /// Runs the scenarios that the command line asks for.
    pub(crate) fn run(scenarios: Vec<Scenario>) -> ExitCode {
        let mut arguments = Arguments::from_args();
        arguments.test_threads = Some(1);
        let bed = Arc::new(Self { guest: OnceLock::new() });
        let trials = scenarios
            .into_iter()
            .map(|(name, scenario)| {
                let bed = Arc::clone(&bed);
                Trial::test(name, move || bed.try_scenario(scenario))
            })
            .collect();
        let conclusion = libtest_mimic::run(&arguments, trials);
        // Before the process ends: this is what ends QEMU.
        drop(bed);
        conclusion.exit_code()
    }

    fn try_scenario(&self, scenario: fn(&Guest) -> Outcome) -> Result<(), Failed> {
        let guest = self
            .guest
            .get_or_init(|| Guest::boot(&BootOptions::default()).map_err(|error| error.to_string()));
        let guest = guest.as_ref().map_err(|error| Failed::from(format!("no guest: {error}")))?;
        let start = Instant::now();
        let result = panic::catch_unwind(AssertUnwindSafe(|| scenario(guest)));
        if let Ok(Ok(())) = result {
            eprint!("({:.1} s) ", start.elapsed().as_secs_f32());
            return Ok(());
        }
        if let Ok(Err(error)) = &result {
            // At once, beside the journal; libtest-mimic tells it again when all trials have run.
            eprintln!("--- {error}");
        }
        match guest.run(JOURNAL) {
            Ok(output) => eprintln!("--- journal\n{}", output.stdout.trim_end()),
            Err(error) => eprintln!("--- no journal: {error}\n{}", guest.console()),
        }
        match result {
            Ok(outcome) => outcome.map_err(|error| Failed::from(error.to_string())),
            Err(panic) => panic::resume_unwind(panic),
        }
    }
}
