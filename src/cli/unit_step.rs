//! `runnerctl unit-step …`: hidden, called by our own units.

mod attach_engine;
mod await_online;
mod await_workflow_job;
mod end_registration;
mod heal;
mod prepare;

use std::path::{Path, PathBuf};

use super::context::GlobalArgs;
use super::exit::Exit;
use super::failure::Failure;
use super::github_client::Place;
use super::{github_client, output};
use crate::fleet::{IdRange, RunnerPaths, names};
use crate::programs;
use crate::unit_step::{self, EndNoted};

/// The steps.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Step {
    /// ExecStartPre=: make the directories, hand the registration token over
    Prepare(Box<prepare::Args>),
    /// By `prepare`, in the user namespace of rootless Podman: delete what an earlier start left
    Clear(ClearArgs),
    /// ExecStartPost=: wait until the runner has a session at GitHub
    AwaitOnline(await_online::Args),
    /// ExecStartPost=: show the private engine what it shares with the runner's container
    AttachEngine(attach_engine::Args),
    /// ExecStopPost=: take that away
    DetachEngine(PathArgs),
    /// ExecStop=: where the host itself is going down, wait for the end of the workflow job
    AwaitWorkflowJob(await_workflow_job::Args),
    /// ExecStopPost=: leave no registration of an ephemeral runner behind
    EndRegistration(end_registration::Args),
    /// ExecStartPre=: make the directories that the report server needs
    PrepareReports(ReportsArgs),
    /// ExecStartPre=: make the account that the monitor runs as
    PrepareMonitor,
    /// ExecStart=: restart the runner whose number stands at the other end of the standard input, for the monitor
    Heal(heal::Args),
}

/// Options of `unit-step prepare-reports`.
#[derive(Debug, clap::Args)]
pub(super) struct ReportsArgs {
    #[arg(long)]
    reports_dir: PathBuf,
    #[arg(long)]
    server_root: Option<PathBuf>,
}

/// Options of `unit-step clear`.
#[derive(Debug, clap::Args)]
pub(super) struct ClearArgs {
    #[command(flatten)]
    place: PathArgs,
    #[arg(long)]
    state_dir: PathBuf,
    #[arg(long)]
    ephemeral: bool,
}

/// Which runner, and where its runtime files are.
#[derive(Debug, clap::Args)]
pub(super) struct PathArgs {
    #[arg(long)]
    runner: u16,
    #[arg(long)]
    runtime_dir: PathBuf,
}

impl PathArgs {
    fn paths(&self) -> RunnerPaths {
        RunnerPaths::new(PathBuf::new(), self.runtime_dir.clone())
    }
}

fn id_range(typed: &str) -> Result<IdRange, String> {
    let first = typed.parse().map_err(|error: std::num::ParseIntError| error.to_string())?;
    IdRange::from(first).ok_or_else(|| "there are no 65536 ids from there on".to_owned())
}

pub(super) fn run(step: Step, global: &GlobalArgs) -> Result<Exit, Failure> {
    match step {
        Step::Prepare(args) => prepare::run(*args, global)?,
        Step::Clear(args) => {
            let paths = RunnerPaths::new(args.state_dir, args.place.runtime_dir);
            for line in unit_step::clear(&paths, args.ephemeral)? {
                output::data(&format!("{line}\n"))?;
            }
        }
        Step::AwaitOnline(args) => return Ok(await_online::run(args, global)),
        Step::EndRegistration(args) => return end_registration::run(args),
        Step::AttachEngine(args) => return Ok(attach_engine::run(args)),
        Step::AwaitWorkflowJob(args) => await_workflow_job::run(args, global.layout()?.scope)?,
        Step::PrepareReports(args) => {
            unit_step::prepare_reports(&args.reports_dir)?;
            if let Some(root) = &args.server_root {
                unit_step::prepare_server_root(root)?;
            }
        }
        Step::PrepareMonitor => {
            programs::add_system_account(names::MONITOR_USER, "monitor of GitHub Actions runners")?;
        }
        Step::Heal(args) => return heal::run(args, global),
        Step::DetachEngine(args) => {
            if let Err(error) = unit_step::release(&args.paths()) {
                output::error(&format!("runner {}: {error}", args.runner), None);
                return Ok(Exit::No);
            }
        }
    }
    Ok(Exit::Done)
}

fn github_credential(written: &Path, is_loaded: bool) -> Result<Place, Failure> {
    Ok(if is_loaded {
        Place::Loaded(credential(names::GITHUB_CREDENTIAL)?)
    } else {
        Place::File(written.to_owned())
    })
}

fn end_noted(config: PathBuf, credential: Place) -> EndNoted {
    Box::new(move |notes| github_client::end_noted(&config, &credential, notes))
}

/// systemd.exec(5): where the unit's credentials are.
pub(super) fn credential(name: &str) -> Result<PathBuf, Failure> {
    let directory = std::env::var_os("CREDENTIALS_DIRECTORY").ok_or_else(|| {
        Failure::new("systemd gave this unit no credentials", "load_credential needs systemd 250 or newer")
    })?;
    Ok(Path::new(&directory).join(name))
}

/// systemd.service(5): the unit's main process, for `ExecStartPost=` and the like.
fn main_process() -> Option<i32> {
    std::env::var("MAINPID").ok().and_then(|pid| pid.parse().ok())
}
