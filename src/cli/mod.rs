//! The command line: what can be typed, and which function answers.
//!
//! One file per command, its `Args` above its `run`. [`output`] is the only printer; data goes to stdout, everything else to
//! stderr. [`exit`] has the exit codes.

mod check;
mod completions;
mod context;
mod diff;
mod doctor;
mod drain;
mod ending;
mod events;
mod exit;
mod facts;
mod failure;
mod gc;
mod generate;
mod github_client;
mod held_back;
mod init;
mod install_units;
mod logs;
mod man;
mod monitor;
mod notify_receivers;
mod notify_test;
mod output;
mod power;
mod progress;
mod prune;
mod register;
mod reports;
mod roll;
mod schema;
mod selection;
mod serving;
mod status;
mod uninstall_units;
mod unit_step;
mod update;
mod why;

use clap::{Parser, Subcommand};
use rustix::process::{DumpableBehavior, set_dumpable_behavior};

pub use exit::Exit;

/// Runs a fleet of self-hosted GitHub Actions runners on this host, under systemd
#[derive(Debug, Parser)]
#[command(name = "runnerctl", version, propagate_version = true, max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    global: context::GlobalArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write a first config and a file for the registration tokens
    Init(init::Args),
    /// Check the config and the tokens; changes nothing
    Check(check::Args),
    /// Look at the host: what the fleet needs of it, what is missing, and what mends that
    Doctor(doctor::Args),
    /// Write the fleet's files to a directory or to stdout; changes nothing on the host
    Generate(generate::Args),
    /// Show what install-units would change
    Diff(diff::Args),
    /// Make the host run the fleet that the config describes
    InstallUnits(install_units::Args),
    /// Stop the fleet and remove its units, and its registrations at GitHub where the host may; work folders and reports stay
    UninstallUnits(uninstall_units::Args),
    /// Start runners and wait until they are online
    Up(power::UpArgs),
    /// Stop runners, each as soon as no workflow job runs on it
    Down(power::Args),
    /// Restart runners, each as soon as no workflow job runs on it
    Restart(power::Args),
    /// Give a runner that needs one a new registration token, and wait until it is online; with a credential for GitHub, register it anew
    Register(register::Args),
    /// Take runners out of service: stop each as soon as it is idle, and keep it stopped, also after a reboot
    Drain(drain::Args),
    /// Take drained runners back into service
    Undrain(drain::UndrainArgs),
    /// After new units are in place (NixOS): start what is new, restart runners whose unit has changed as soon as they are idle
    Roll(roll::Args),
    /// Pull the runners' image and bring it to them: one first, then the others one by one, each when it is idle; back if it does not work
    Update(update::Args),
    /// Remove at GitHub the registrations of runners that the config has no more
    Gc(gc::Args),
    /// Show every runner: state, health, restarts, use against the limits, registration
    Status(status::Args),
    /// Watch the fleet: compare what systemd, the containers and GitHub say, restart an idle runner whose session is lost, and serve a status page
    Monitor(monitor::Args),
    /// Show what the monitor has seen and done
    Events(events::Args),
    /// Send a test message to the command and the webhook of [notify], and say what came of it
    NotifyTest,
    /// Say why nothing runs: what keeps each runner, and with a credential for GitHub what each queued workflow job waits for
    Why(why::Args),
    /// Free disk space of idle runners that hold more than the config allows
    Prune(prune::Args),
    /// Show what workflows filed below the reports directory
    #[command(subcommand)]
    Reports(reports::Command),
    /// Show the journal of a runner
    Logs(logs::Args),
    /// Print the JSON Schema of the config, for editors
    Schema,
    /// Print shell completions
    Completions(completions::Args),
    /// Print the manual page, runnerctl(1)
    Man,
    /// Steps that a runner's unit calls
    #[command(hide = true, subcommand)]
    UnitStep(unit_step::Step),
}

impl Cli {
    /// Runs the command and says what went wrong, if something did.
    #[must_use]
    pub fn run(self) -> Exit {
        output::start_log(self.global.verbose);
        keep_memory_private();
        match self.dispatch() {
            Ok(exit) => exit,
            Err(failure) => {
                output::failure(&failure);
                Exit::Error
            }
        }
    }

    fn dispatch(self) -> Result<Exit, failure::Failure> {
        let global = self.global;
        match self.command {
            Command::Init(args) => init::run(&args, &global),
            Command::Check(args) => check::run(&args, &global),
            Command::Doctor(args) => doctor::run(&args, &global),
            Command::Generate(args) => generate::run(&args, &global),
            Command::Diff(args) => diff::run(&args, &global),
            Command::InstallUnits(args) => install_units::run(&args, &global),
            Command::UninstallUnits(args) => uninstall_units::run(&args, &global),
            Command::Up(args) => power::up(&args, &global),
            Command::Down(args) => power::run(power::Power::Down, &args, &global),
            Command::Restart(args) => power::run(power::Power::Restart, &args, &global),
            Command::Drain(args) => drain::run(&args, &global),
            Command::Undrain(args) => drain::undrain(&args, &global),
            Command::Register(args) => register::run(&args, &global),
            Command::Roll(args) => roll::run(&args, &global),
            Command::Update(args) => update::run(&args, &global),
            Command::Gc(args) => gc::run(&args, &global),
            Command::Status(args) => status::run(&args, &global),
            Command::Monitor(args) => monitor::run(&args, &global),
            Command::Events(args) => events::run(&args, &global),
            Command::NotifyTest => notify_test::run(&global),
            Command::Why(args) => why::run(&args, &global),
            Command::Prune(args) => prune::run(&args, &global),
            Command::Reports(command) => reports::run(&command, &global),
            Command::Logs(args) => logs::run(&args, &global),
            Command::Schema => schema::run(),
            Command::Completions(args) => completions::run(&args),
            Command::Man => man::run(),
            Command::UnitStep(step) => unit_step::run(step, &global),
        }
    }
}

/// A crash leaves no copy of our memory on a disk or with a crash handler: credentials are in it, and in what a library had of them before they were wiped. Nor can another
/// process of the same user read it. prctl(2), `PR_SET_DUMPABLE`; programs that are started from here have their own say.
fn keep_memory_private() {
    if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        output::warn(&format!("a crash would leave a copy of this program's memory: {error}"), None);
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        super::Cli::command().debug_assert();
    }
}
