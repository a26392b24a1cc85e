//! `runnerctl generate`

use std::path::PathBuf;

use super::context::{Context, GlobalArgs};
use super::exit::Exit;
use super::failure::Failure;
use super::output;
use crate::config::{Engine, SocketMode, UnitFormat};
use crate::files;
use crate::fleet::Layout;
use crate::units::{UnitFile, compose};

/// What to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Quadlet files, slices and target
    Quadlet,
    /// Plain services, slices and target
    Service,
    /// A Compose file of the same fleet
    Compose,
}

/// Options of `generate`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Unit format [default: the config's, else what this host has]
    #[arg(long)]
    format: Option<Format>,
    /// Write the files below DIR, at the paths the host would see them, instead of to stdout
    #[arg(long, value_name = "DIR", value_parser = super::context::absolute)]
    out: Option<PathBuf>,
}

pub(super) fn run(args: &Args, global: &GlobalArgs) -> Result<Exit, Failure> {
    let mut context = Context::load(global)?;
    match args.format {
        Some(Format::Quadlet) if context.fleet.engine == Engine::Docker => {
            return Err(Failure::new(
                "Quadlet is Podman's, and the config says engine = \"docker\"",
                "use --format service",
            ));
        }
        Some(Format::Quadlet) => context.fleet.unit_format = UnitFormat::Quadlet,
        Some(Format::Service) => context.fleet.unit_format = UnitFormat::Service,
        Some(Format::Compose) => {
            refuse_private_engines(&context)?;
            refuse_ephemeral(&context)?;
        }
        None => {}
    }
    let files = if args.format == Some(Format::Compose) {
        compose_files(&context, &global.layout()?)
    } else {
        context.files()
    };
    match &args.out {
        Some(directory) => {
            let root = files::Root::below(directory.clone());
            for file in &files {
                files::write(&root.at(&file.path), file.text.as_bytes(), file.mode)?;
            }
            output::say(&format!("{} files written below {}", files.len(), directory.display()));
        }
        None if args.format == Some(Format::Compose) => output::data(&compose::render(&context.fleet))?,
        None => {
            let text: Vec<String> =
                files.iter().map(|file| format!("# {}\n{}", file.path.display(), file.text)).collect();
            output::data(&text.join("\n"))?;
        }
    }
    Ok(Exit::Done)
}

/// A Compose file has no units to start an engine with, and leaving the socket out in silence would only fail later.
fn refuse_private_engines(context: &Context) -> Result<(), Failure> {
    if context.fleet.runners.iter().all(|runner| runner.socket != SocketMode::Private) {
        return Ok(());
    }
    Err(Failure::new(
        "Compose has no private engines, and the config says socket = \"private\", or leaves that to the default",
        "set socket = \"host\" (workflows are then root on this host) or \"none\", or use systemd units",
    ))
}

/// Nobody makes a runner at GitHub before each start of a container.
fn refuse_ephemeral(context: &Context) -> Result<(), Failure> {
    if context.fleet.runners.iter().all(|runner| !runner.ephemeral) {
        return Ok(());
    }
    Err(Failure::new(
        "Compose has no ephemeral runners, and the config says ephemeral = true",
        "remove ephemeral, or use systemd units",
    ))
}

/// The Compose file lies where the config is by default, and needs the scripts as well.
fn compose_files(context: &Context, default: &Layout) -> Vec<UnitFile> {
    let layout = &context.fleet.layout;
    let mut files: Vec<UnitFile> =
        context.files().into_iter().filter(|file| file.path.starts_with(&layout.scripts)).collect();
    files.push(UnitFile {
        path: default.config_file.with_file_name("compose.yaml"),
        text: compose::render(&context.fleet),
        mode: 0o644,
    });
    files
}
