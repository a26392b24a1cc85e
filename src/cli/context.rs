//! What every command needs first: where things are, the config, the fleet, the host.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use secrecy::ExposeSecret;

use super::failure::Failure;
use super::output;
use crate::apply::{self, Host};
use crate::config::{Config, Engine, SocketMode, TokenError, Tokens, UnitFormat};
use crate::files::{self, Root, SecretFileError};
use crate::fleet::{Fleet, HostOffer, Layout, Scope, UserDirs};
use crate::programs;
use crate::units::{self, Programs, UnitFile};

/// Options of every command.
#[derive(Debug, clap::Args)]
pub(super) struct GlobalArgs {
    /// The config [default: /etc/homelab-runners/config.toml, with --user ~/.config/homelab-runners/config.toml]
    #[arg(long, short, global = true, value_name = "FILE", value_parser = absolute)]
    pub config: Option<PathBuf>,
    /// Use your own systemd and rootless Podman instead of the host's
    #[arg(long, global = true)]
    pub user: bool,
    /// Write below DIR instead of / and start nothing, for packagers
    #[arg(long, global = true, value_name = "DIR", value_parser = absolute)]
    pub root: Option<PathBuf>,
    /// The runnerctl that units call [default: this program]
    #[arg(long, global = true, value_name = "PATH", hide_short_help = true, value_parser = absolute)]
    pub runnerctl: Option<PathBuf>,
    /// The podman or docker that units call [default: found in $PATH]
    #[arg(long, global = true, value_name = "PATH", hide_short_help = true, value_parser = absolute)]
    pub engine_program: Option<PathBuf>,
    /// The podman of private engines beside Docker [default: found in $PATH]
    #[arg(long, global = true, value_name = "PATH", hide_short_help = true, value_parser = absolute)]
    pub podman: Option<PathBuf>,
    /// Say more; twice: still more
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

/// A path as typed, from the root on: what is written and what units say must not depend on the working directory.
pub(super) fn absolute(typed: &str) -> std::io::Result<PathBuf> {
    std::path::absolute(typed)
}

impl GlobalArgs {
    /// Where everything is before the config is read.
    pub(super) fn layout(&self) -> Result<Layout, Failure> {
        if self.user { Ok(Layout::user(&user_dirs()?)) } else { Ok(Layout::system()) }
    }

    pub(super) fn root(&self) -> Root {
        self.root.clone().map_or_else(Root::host, Root::below)
    }

    /// The same options once more, for a command that is proposed.
    pub(super) fn repeated(&self) -> String {
        let paths = [("--config", &self.config), ("--root", &self.root)];
        let paths =
            paths.iter().filter_map(|(name, path)| Some(format!(" {name} {}", path.as_ref()?.display())));
        let user = self.user.then(|| " --user".to_owned());
        user.into_iter().chain(paths).collect()
    }

    /// Where the host itself will find the config, for units that read it.
    fn config_file_on_host(&self) -> Result<PathBuf, Failure> {
        match (&self.config, &self.root) {
            (None, _) => Ok(self.layout()?.config_file),
            (Some(path), Some(root)) => {
                Ok(path.strip_prefix(root).map_or_else(|_| path.clone(), |inner| Path::new("/").join(inner)))
            }
            (Some(path), None) => Ok(path.clone()),
        }
    }

    /// The file of the config, on this host.
    pub(super) fn config_file(&self) -> Result<PathBuf, Failure> {
        match &self.config {
            Some(path) => Ok(path.clone()),
            None => Ok(self.root().at(&self.layout()?.config_file)),
        }
    }
}

/// The config and what follows from it.
pub(super) struct Context {
    pub fleet: Fleet,
    pub programs: Programs,
    pub root: Root,
}

impl Context {
    /// Reads the config; all of its problems are told before this fails.
    pub(super) fn load(global: &GlobalArgs) -> Result<Self, Failure> {
        let path = global.config_file()?;
        let text = files::read(&path)?.ok_or_else(|| {
            Failure::new(
                format!("{} does not exist", path.display()),
                format!("write a first one with `runnerctl init{}`", global.repeated()),
            )
        })?;
        Self::parse(&text, &path.display().to_string(), global)
    }

    /// The same for a config whose text is at hand; `origin` is its name in messages.
    pub(super) fn parse(text: &str, origin: &str, global: &GlobalArgs) -> Result<Self, Failure> {
        let config = Config::parse(text).map_err(|problems| {
            output::problems(origin, text, &problems);
            Failure::told()
        })?;
        let host_format =
            if programs::generator().is_some() { UnitFormat::Quadlet } else { UnitFormat::Service };
        let host = HostOffer { unit_format: host_format, ids: apply::host_ids(&global.root())? };
        let layout = Layout { config_file: global.config_file_on_host()?, ..global.layout()? };
        let fleet = Fleet::new(&config, &layout, &host);
        refuse_impossible_sockets(&fleet)?;
        refuse_encrypted_for_users(&fleet)?;
        refuse_impossible_ephemeral(&fleet)?;
        let programs = Programs {
            runnerctl: match &global.runnerctl {
                Some(path) => path.clone(),
                None => std::env::current_exe()?,
            },
            podman: podman(&fleet, global),
            engine: global.engine_program.clone().unwrap_or_else(|| engine(fleet.engine)),
        };
        Ok(Self { fleet, programs, root: global.root() })
    }

    /// The files of the fleet.
    pub(super) fn files(&self) -> Vec<UnitFile> {
        units::render(&self.fleet, &self.programs)
    }

    /// Do the files that containers make belong to ids that only the user namespace of rootless Podman maps?
    pub(super) fn is_rootless(&self) -> bool {
        let layout = &self.fleet.layout;
        self.root == Root::host() && layout.scope == Scope::User && self.fleet.engine == Engine::Podman
    }

    /// Becomes the same command with `more` options in that user namespace; returns only if that fails.
    pub(super) fn become_unshared(&self, more: &[OsString]) -> Failure {
        let arguments: Vec<OsString> = std::env::args_os().skip(1).chain(more.iter().cloned()).collect();
        match std::env::current_exe() {
            Ok(program) => programs::become_unshared(&self.programs.engine, &program, &arguments).into(),
            Err(error) => error.into(),
        }
    }

    /// The host, with its systemd unless a `--root` was given.
    pub(super) async fn host(&self) -> Result<Host, Failure> {
        Ok(Host::connect(self.root.clone(), self.fleet.layout.clone()).await?)
    }

    /// Reads the tokens of the fleet.
    pub(super) fn tokens(&self) -> Result<Tokens, TokensFailure> {
        let path = self.root.at(&self.fleet.layout.tokens);
        let text = files::read_tokens(&path).map_err(TokensFailure::File)?;
        let tokens = Tokens::parse(text.expose_secret()).map_err(TokensFailure::Content)?;
        let shared = tokens.shared(u16::try_from(self.fleet.runners.len()).unwrap_or(u16::MAX));
        if shared.is_empty() || self.fleet.shared_token {
            Ok(tokens)
        } else {
            Err(TokensFailure::Content(shared))
        }
    }
}

/// Why the tokens cannot be used.
pub(super) enum TokensFailure {
    /// The file as such.
    File(SecretFileError),
    /// What is in it.
    Content(Vec<TokenError>),
}

impl TokensFailure {
    /// Tells all of it.
    pub(super) fn tell(&self, place: &Path) {
        match self {
            Self::File(error) => output::error(&error.to_string(), Some(&error.hint())),
            Self::Content(errors) => {
                for error in errors {
                    output::error(&format!("{}: {error}", place.display()), Some(error.hint()));
                }
            }
        }
    }
}

/// `$XDG_…` and `$HOME`, as the XDG base directory specification has them.
fn user_dirs() -> Result<UserDirs, Failure> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let home = absolute("HOME")
        .ok_or_else(|| Failure::new("$HOME is not set", "run this from a login of your own"))?;
    let runtime = absolute("XDG_RUNTIME_DIR").ok_or_else(|| {
        Failure::new(
            "$XDG_RUNTIME_DIR is not set: there is no systemd of your own in this session",
            "log in directly or by ssh (not by su), and keep your systemd running with `loginctl enable-linger`",
        )
    })?;
    Ok(UserDirs {
        config: absolute("XDG_CONFIG_HOME").unwrap_or_else(|| home.join(".config")),
        state: absolute("XDG_STATE_HOME").unwrap_or_else(|| home.join(".local/state")),
        runtime,
    })
}

/// What no host can do; what this host lacks is found by `install-units`.
fn refuse_impossible_sockets(fleet: &Fleet) -> Result<(), Failure> {
    let Some(runner) = fleet.runners.iter().find(|runner| runner.socket == SocketMode::Private) else {
        return Ok(());
    };
    let refuse = |cause: &str, hint: &str| {
        Err(Failure::new(format!("runner {}: socket = \"private\" {cause}", runner.number), hint))
    };
    if fleet.layout.scope == Scope::User {
        return refuse(
            "needs root: accounts and mounts are made for it",
            "leave --user out, or set socket = \"host\" (your own Podman's) or \"none\"",
        );
    }
    if runner.ids.is_none() {
        return refuse(
            "needs 65536 user ids of its own, and none are left from 1879048192 on",
            "look for large ranges in /etc/subuid and /etc/subgid",
        );
    }
    Ok(())
}

/// The key of the host, or its TPM, is root's; what systemd 256 has for users was not tried.
fn refuse_encrypted_for_users(fleet: &Fleet) -> Result<(), Failure> {
    if fleet.layout.scope == Scope::User && fleet.github.encrypted {
        return Err(Failure::new(
            "github.encrypted needs root: only root can decrypt what is encrypted for this host",
            "leave --user out, or set encrypted = false and keep the plain text in a file of mode 0600",
        ));
    }
    Ok(())
}

/// What the last workflow job wrote belongs to ids of rootless Podman's, which nobody of this scope may delete before a start.
fn refuse_impossible_ephemeral(fleet: &Fleet) -> Result<(), Failure> {
    let ephemeral = fleet.runners.iter().find(|runner| runner.ephemeral);
    match ephemeral {
        Some(runner) if fleet.layout.scope == Scope::User => Err(Failure::new(
            format!("runner {}: ephemeral = true needs the host's own systemd", runner.number),
            "leave --user out, or remove ephemeral",
        )),
        _ => Ok(()),
    }
}

fn engine(engine: Engine) -> PathBuf {
    let name = engine.program();
    let path = std::env::var_os("PATH");
    programs::find(name, path.as_deref()).unwrap_or_else(|| Path::new("/usr/bin").join(name))
}

/// Private engines are Podman's, beside Docker too.
fn podman(fleet: &Fleet, global: &GlobalArgs) -> PathBuf {
    let same = global.engine_program.as_ref().filter(|_| fleet.engine == Engine::Podman);
    same.or(global.podman.as_ref()).cloned().unwrap_or_else(|| engine(Engine::Podman))
}

/// Threads that wait for the disk.
const BLOCKING_THREADS: usize = 64;

/// Runs a future to its end; nothing here needs more than one thread beside those that wait.
pub(super) fn block_on<T>(future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.max_blocking_threads(BLOCKING_THREADS).enable_all().build()?.block_on(future)
}
