//! `runnerctl unit-step …`: hidden, called by our own units.

mod await_online;
mod await_workflow_job;

use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::context::{GlobalArgs, block_on};
use super::exit::Exit;
use super::failure::Failure;
use super::github_client::Place;
use super::{github_client, output};
use crate::apply::Host;
use crate::files::Root;
use crate::fleet::{IdRange, RunnerPaths, names};
use crate::health::HealEnd;
use crate::programs;
use crate::runner::all_labels;
use crate::unit_step::{self, AttachError, EndNoted, Jit, Mint, TokenOrigin, TokensFile, Unshare, Wanted};

/// The steps.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Step {
    /// ExecStartPre=: make the directories, hand the registration token over
    Prepare(PrepareArgs),
    /// By `prepare`, in the user namespace of rootless Podman: delete what an earlier start left
    Clear(ClearArgs),
    /// ExecStartPost=: wait until the runner has a session at GitHub
    AwaitOnline(await_online::Args),
    /// ExecStartPost=: show the private engine what it shares with the runner's container
    AttachEngine(AttachArgs),
    /// ExecStopPost=: take that away
    DetachEngine(PathArgs),
    /// ExecStop=: where the host itself is going down, wait for the end of the workflow job
    AwaitWorkflowJob(await_workflow_job::Args),
    /// ExecStopPost=: leave no registration of an ephemeral runner behind
    EndRegistration(EndArgs),
    /// ExecStartPre=: make the directories that the report server needs
    PrepareReports(ReportsArgs),
    /// ExecStartPre=: make the account that the monitor runs as
    PrepareMonitor,
    /// ExecStart=: restart the runner whose number stands at the other end of the standard input, for the monitor
    Heal(HealArgs),
}

/// Options of `unit-step heal`.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct HealArgs {
    /// Runners, numbered from 1
    #[arg(long)]
    count: u16,
    /// Seconds
    #[arg(long)]
    limit: u32,
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

/// Options of `unit-step end-registration`.
#[derive(Debug, clap::Args)]
pub(super) struct EndArgs {
    #[command(flatten)]
    place: PathArgs,
    #[arg(long)]
    state_dir: PathBuf,
    #[arg(long)]
    github: PathBuf,
    #[arg(long)]
    credential_file: PathBuf,
    #[arg(long)]
    load_credential: bool,
}

/// Options of `unit-step prepare`.
#[derive(Debug, clap::Args)]
pub(super) struct PrepareArgs {
    #[arg(long)]
    runner: u16,
    #[arg(long)]
    unit_digest: String,
    #[arg(long, required_unless_present = "github")]
    tokens: Option<PathBuf>,
    #[arg(long)]
    shared_token: bool,
    /// Ask GitHub for the token, as this config says
    #[arg(long, requires = "credential_file", conflicts_with = "tokens")]
    github: Option<PathBuf>,
    /// With what is in this file
    #[arg(long)]
    credential_file: Option<PathBuf>,
    /// Digest of what the runner is to be registered with
    #[arg(long, required_unless_present_any = ["ephemeral", "tokens"])]
    registration: Option<String>,
    #[command(flatten)]
    ephemeral: EphemeralArgs,
    /// Read what systemd has read of the file for this unit
    #[arg(long)]
    load_credential: bool,
    #[arg(long)]
    state_dir: PathBuf,
    #[arg(long)]
    runtime_dir: PathBuf,
    #[arg(long)]
    reports_dir: PathBuf,
    #[command(flatten)]
    ids: IdArgs,
}

/// What the container's ids are on the host.
#[derive(Debug, Clone, Copy, clap::Args)]
struct IdArgs {
    #[arg(long, value_parser = id_range)]
    first_id: Option<IdRange>,
    #[arg(long)]
    unmapped: bool,
    /// They are this user's in the user namespace of rootless Podman alone
    #[arg(long, requires = "engine_program")]
    rootless: bool,
}

/// A runner for one workflow job.
#[derive(Debug, clap::Args)]
struct EphemeralArgs {
    /// What its names at GitHub begin with
    #[arg(long, value_name = "NAME", requires = "github", conflicts_with = "registration")]
    ephemeral: Option<String>,
    /// Its work folder, as the container sees it
    #[arg(long, default_value = "_work")]
    work_folder: String,
    /// Its custom labels
    #[arg(long = "label", value_name = "LABEL")]
    labels: Vec<String>,
    #[arg(long)]
    no_default_labels: bool,
    #[arg(long)]
    runner_group: Option<String>,
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

/// Options of `unit-step attach-engine`.
#[derive(Debug, clap::Args)]
pub(super) struct AttachArgs {
    #[command(flatten)]
    place: PathArgs,
    #[arg(long, value_parser = id_range)]
    first_id: IdRange,
    #[arg(long)]
    externals: PathBuf,
    #[arg(long)]
    images: PathBuf,
}

fn id_range(typed: &str) -> Result<IdRange, String> {
    let first = typed.parse().map_err(|error: std::num::ParseIntError| error.to_string())?;
    IdRange::from(first).ok_or_else(|| "there are no 65536 ids from there on".to_owned())
}

pub(super) fn run(step: Step, global: &GlobalArgs) -> Result<Exit, Failure> {
    match step {
        Step::Prepare(args) => {
            let said = unit_step::prepare(&unit_step::Prepare {
                token: token_origin(&args)?,
                runner: args.runner,
                unit_digest: args.unit_digest,
                paths: RunnerPaths::new(args.state_dir, args.runtime_dir),
                reports: args.reports_dir,
                ids: args.ids.first_id,
                unmapped: args.ids.unmapped,
                unshare: unshare(args.ids.rootless, global)?,
            })?;
            for line in &said {
                output::say(line);
            }
        }
        Step::Clear(args) => {
            let paths = RunnerPaths::new(args.state_dir, args.place.runtime_dir);
            for line in unit_step::clear(&paths, args.ephemeral)? {
                output::data(&format!("{line}\n"))?;
            }
        }
        Step::AwaitOnline(args) => return Ok(await_online::run(args, global)),
        Step::EndRegistration(args) => return end_registration(args),
        Step::AttachEngine(args) => return Ok(attach_engine(args)),
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
        Step::Heal(args) => return heal(args, global),
        Step::DetachEngine(args) => {
            if let Err(error) = unit_step::release(&args.paths()) {
                output::error(&format!("runner {}: {error}", args.runner), None);
                return Ok(Exit::No);
            }
        }
    }
    Ok(Exit::Done)
}

fn unshare(is_rootless: bool, global: &GlobalArgs) -> std::io::Result<Option<Unshare>> {
    let podman = global.engine_program.clone().filter(|_| is_rootless);
    podman.map(|podman| Ok(Unshare { podman, runnerctl: std::env::current_exe()? })).transpose()
}

fn token_origin(args: &PrepareArgs) -> Result<TokenOrigin, Failure> {
    match (&args.tokens, &args.github, &args.credential_file, &args.registration) {
        (Some(path), ..) => Ok(TokenOrigin::File(TokensFile {
            path: path.clone(),
            credential: args.load_credential.then(|| credential(names::CREDENTIAL)).transpose()?,
            shared: args.shared_token,
        })),
        (None, Some(config), Some(written), Some(registration)) => {
            let (config, credential) = (config.clone(), github_credential(written, args.load_credential)?);
            let end = end_noted(config.clone(), credential.clone());
            let ask = Box::new(move || github_client::registration_token(&config, &credential));
            Ok(TokenOrigin::Github(Mint { registration: registration.clone(), ask, end }))
        }
        (None, Some(config), Some(written), None) => {
            let (config, credential) = (config.clone(), github_credential(written, args.load_credential)?);
            let EphemeralArgs { ephemeral, work_folder, labels, no_default_labels, runner_group } =
                &args.ephemeral;
            let wanted = Wanted {
                labels: all_labels(labels, *no_default_labels),
                runner_group: runner_group.clone(),
                work_folder: work_folder.clone(),
            };
            let renew = Box::new(move |old: &_, name: &_| {
                github_client::renew(&config, &credential, &wanted, old, name)
            });
            Ok(TokenOrigin::Jit(Jit { name: ephemeral.clone().unwrap_or_default(), renew }))
        }
        // The command line is refused before it comes to this.
        _ => Err(Failure::new("unit-step prepare is told no token", "run `runnerctl install-units` again")),
    }
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

fn end_registration(args: EndArgs) -> Result<Exit, Failure> {
    let runner = args.place.runner;
    let credential = github_credential(&args.credential_file, args.load_credential)?;
    let end = end_noted(args.github, credential);
    let paths = RunnerPaths::new(args.state_dir, args.place.runtime_dir);
    let left = unit_step::end_registration(&paths, &end)?;
    for note in &left.0 {
        let text = format!("runner {runner}: {} is still registered at GitHub", note.name);
        output::warn(
            &text,
            Some("its next start, or `runnerctl gc`, tries again; GitHub itself removes it after a day"),
        );
    }
    Ok(if left.0.is_empty() { Exit::Done } else { Exit::No })
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

/// Who asked hears what came of it, and the journal too.
fn heal(args: HealArgs, global: &GlobalArgs) -> Result<Exit, Failure> {
    let stream = UnixStream::from(std::io::stdin().as_fd().try_clone_to_owned()?);
    let limit = Duration::from_secs(args.limit.into());
    let layout = global.layout()?;
    let end = match unit_step::asked(&stream, args.count) {
        Ok(number) => block_on(async {
            let end = match Host::connect(Root::host(), layout).await {
                Ok(host) => unit_step::heal(&host, number, limit).await,
                Err(error) => HealEnd::Failed(error.to_string()),
            };
            output::say(&format!("runner {number}: {}", end.line().trim_end()));
            Ok(end)
        })?,
        Err(why) => {
            output::error(&why, None);
            HealEnd::Failed(why)
        }
    };
    unit_step::answer(&stream, &end)?;
    Ok(if matches!(end, HealEnd::Failed(_)) { Exit::No } else { Exit::Done })
}

fn attach_engine(args: AttachArgs) -> Exit {
    let runner = args.place.runner;
    let step = unit_step::AttachEngine {
        runner,
        paths: args.place.paths(),
        ids: args.first_id,
        externals: args.externals,
        images: args.images,
    };
    match unit_step::attach(&step, main_process()) {
        Ok(said) => {
            if let Some(line) = said {
                output::say(&line);
            }
            Exit::Done
        }
        Err(AttachError::NotStarted(error)) => {
            output::error(&format!("runner {runner}: {error}"), None);
            Exit::No
        }
        Err(error) => {
            let text = format!("runner {runner}: the private engine cannot be attached: {error}");
            output::error(
                &text,
                Some("`runnerctl doctor` shows what this host lacks for socket = \"private\""),
            );
            Exit::No
        }
    }
}
