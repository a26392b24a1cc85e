//! Runs scenarios as trials of libtest-mimic on one lazily booted guest.

use std::any::Any;
use std::error::Error;
use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
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
    guest: Mutex<Option<Guest>>,
}

impl Bed {
    /// Runs the scenarios that the command line asks for; those that are `long` only with `--ignored` or `--include-ignored`.
    pub(crate) fn run(scenarios: Vec<Scenario>, long: &[&str]) -> ExitCode {
        let mut arguments = Arguments::from_args();
        arguments.test_threads = Some(1);
        let bed = Arc::new(Self { guest: Mutex::new(None) });
        let trials = scenarios
            .into_iter()
            .map(|(name, scenario)| {
                let bed = Arc::clone(&bed);
                Trial::test(name, move || bed.try_scenario(scenario)).with_ignored_flag(long.contains(&name))
            })
            .collect();
        let conclusion = libtest_mimic::run(&arguments, trials);
        // Before the process ends: this is what ends QEMU.
        drop(bed);
        conclusion.exit_code()
    }

    /// A guest whose kernel panicked says nothing about the product: its scenario is run once more, on a new guest.
    fn try_scenario(&self, scenario: fn(&Guest) -> Outcome) -> Result<(), Failed> {
        let mut slot = self.guest.lock().unwrap_or_else(PoisonError::into_inner);
        let result = run_on(booted(&mut slot)?, scenario);
        if result.is_ok() || !slot.as_ref().is_some_and(Guest::has_panicked) {
            return result;
        }
        eprintln!("--- THE GUEST'S KERNEL PANICKED; this scenario starts anew on a new guest");
        // Before the new one boots: two have no room on a small host.
        *slot = None;
        run_on(booted(&mut slot)?, scenario)
    }
}

fn booted(slot: &mut Option<Guest>) -> Result<&Guest, Failed> {
    if slot.is_none() {
        *slot = Some(
            Guest::boot(&BootOptions::default())
                .map_err(|error| Failed::from(format!("no guest: {error}")))?,
        );
    }
    slot.as_ref().ok_or_else(|| Failed::from("no guest"))
}

/// Runs a scenario; a failure shows the journal, or the console when the guest does not answer.
fn run_on(guest: &Guest, scenario: fn(&Guest) -> Outcome) -> Result<(), Failed> {
    let start = Instant::now();
    let result = match panic::catch_unwind(AssertUnwindSafe(|| scenario(guest))) {
        Ok(Ok(())) => {
            eprint!("({:.1} s) ", start.elapsed().as_secs_f32());
            return Ok(());
        }
        Ok(Err(error)) => error.to_string(),
        Err(assertion) => said(assertion.as_ref()),
    };
    // At once, beside the journal; libtest-mimic tells it again when all trials have run.
    eprintln!("--- {result}");
    match guest.run(JOURNAL) {
        Ok(output) => eprintln!("--- journal\n{}", output.stdout.trim_end()),
        Err(error) => eprintln!("--- no journal: {error}\n{}", guest.console()),
    }
    Err(Failed::from(result))
}

/// What a failed assertion said.
fn said(assertion: &(dyn Any + Send)) -> String {
    let text = assertion.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| assertion.downcast_ref::<&str>().copied())
        .unwrap_or("a panic that says nothing")
        .to_owned()
}
