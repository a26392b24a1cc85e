//! `runnerctl unit-step prepare`

use std::path::PathBuf;

use super::{credential, end_noted, github_credential, id_range};
use crate::cli::context::GlobalArgs;
use crate::cli::failure::Failure;
use crate::cli::{github_client, output};
use crate::fleet::{IdRange, RunnerPaths, names};
use crate::runner::all_labels;
use crate::unit_step::{self, Jit, Mint, OwnNetwork, TokenOrigin, TokensFile, Unshare, Wanted};

/// Options of `unit-step prepare`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
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
    /// Make this network of Podman
    #[arg(long, requires = "engine_program")]
    network: Option<String>,
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

pub(super) fn run(args: Args, global: &GlobalArgs) -> Result<(), Failure> {
    let said = unit_step::prepare(&unit_step::Prepare {
        token: token_origin(&args)?,
        runner: args.runner,
        unit_digest: args.unit_digest,
        paths: RunnerPaths::new(args.state_dir, args.runtime_dir),
        reports: args.reports_dir,
        ids: args.ids.first_id,
        unmapped: args.ids.unmapped,
        network: args
            .network
            .zip(global.engine_program.clone())
            .map(|(name, podman)| OwnNetwork { name, podman }),
        unshare: unshare(args.ids.rootless, global)?,
    })?;
    for line in &said {
        output::say(line);
    }
    Ok(())
}

fn unshare(is_rootless: bool, global: &GlobalArgs) -> std::io::Result<Option<Unshare>> {
    let podman = global.engine_program.clone().filter(|_| is_rootless);
    podman.map(|podman| Ok(Unshare { podman, runnerctl: std::env::current_exe()? })).transpose()
}

fn token_origin(args: &Args) -> Result<TokenOrigin, Failure> {
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
