//! What the user wrote in `config.toml`, checked.
//!
//! Three stages: [`raw`] mirrors the file for serde, [`collect`] turns every
//! complaint of the decoder into a [`Problem`] instead of stopping at the first,
//! [`validate`] checks what needs more than one key and yields a [`Config`].
//! All of it is text in, value out: the file is read by the caller.

mod collect;
mod credential;
mod ephemeral;
mod github;
mod limits;
mod listen;
mod monitor;
mod problem;
mod prune;
mod raw;
mod reports;
mod tokens;
mod url;
mod validate;
mod words;

use std::collections::BTreeMap;
use std::time::Duration;

pub use credential::{
    AppKey, CredentialError, InstallationToken, JitConfig, JitFile, NotJit, PersonalAccessToken,
    RegistrationToken, RemovalToken,
};
pub use github::{CredentialKind, Github};
pub use limits::{CpuQuota, IoWeight, Limits, MemorySize, TasksMax};
pub use monitor::Monitor;
pub use problem::{Problem, Problems};
pub use prune::{DiskSize, Prune};
pub use reports::{ReportLayout, Reports, ReportsUrl, Retention, Tls};
pub use tokens::{TokenError, Tokens, variable, with_token};
pub use url::{ApiUrl, GithubUrl, RunnerScope};
pub use words::{AbsolutePath, Engine, ExtraHost, Flavour, Image, Label, SocketMode, UnitFormat};

/// The commented example with every key, shipped as `config.example.toml`.
pub const EXAMPLE: &str = include_str!("config.example.toml");

/// Most runners one host may carry: keeps unit names, slices and uid ranges within sane bounds.
pub const MOST_RUNNERS: u16 = 1000;

/// A checked configuration: every value is possible and no two contradict each other.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a key of the config")]
pub struct Config {
    /// Where the runners register.
    pub url: GithubUrl,
    /// How many runners, numbered from 1.
    pub count: u16,
    /// Runner N is called `{name_prefix}-N` unless its override says otherwise.
    pub name_prefix: String,
    /// Custom labels of every runner, beside GitHub's own `self-hosted`, `Linux` and the architecture.
    pub labels: Vec<Label>,
    /// Leave GitHub's own labels out.
    pub no_default_labels: bool,
    /// Runner group (organisations and enterprises only).
    pub runner_group: Option<String>,
    /// Take over a runner of the same name that some other machine registered.
    pub replace: bool,
    /// Each runner is one for a single workflow job, and followed by another.
    pub ephemeral: bool,
    /// One token may stand in several `RUNNER_TOKEN_n`.
    pub shared_token: bool,
    /// systemd hands the tokens file to the units, `LoadCredential=`, instead of their reading it.
    pub load_credential: bool,
    /// Podman or Docker.
    pub engine: Engine,
    /// Quadlet file or plain service; `None`: what the host has.
    pub unit_format: Option<UnitFormat>,
    /// Which runner image layout the image follows.
    pub flavour: Flavour,
    /// Image reference.
    pub image: Image,
    /// Which container socket workflows get; `None`: the best that the engine and the scope allow.
    pub socket: Option<SocketMode>,
    /// Network of the runner containers, in the engine's words (`None`: the engine's default).
    pub network: Option<String>,
    /// Additional lines of the containers' `/etc/hosts`.
    pub extra_hosts: Vec<ExtraHost>,
    /// Budget of each runner.
    pub limits: Limits,
    /// Ceiling over all runners together.
    pub fleet_limits: Limits,
    /// Environment of every workflow job.
    pub environment: BTreeMap<String, String>,
    /// With what, and where, this host speaks to GitHub.
    pub github: Github,
    /// Proxy and certificate settings.
    pub proxy: Proxy,
    /// Places on the host; `None`: the default of the scope (system or user).
    pub paths: Paths,
    /// In-container health check.
    pub health: Health,
    /// How long systemd waits.
    pub timeouts: Timeouts,
    /// What may stay on the disk.
    pub prune: Prune,
    /// How reports are filed, shown and deleted.
    pub reports: Reports,
    /// Who watches the runners.
    pub monitor: Monitor,
    /// What differs for single runners, by number.
    pub overrides: BTreeMap<u16, Override>,
}

/// Proxy and private certificate authority, as the runner's environment names them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proxy {
    /// `http_proxy`
    pub http: Option<String>,
    /// `https_proxy`
    pub https: Option<String>,
    /// `no_proxy`
    pub no_proxy: Option<String>,
    /// PEM bundle on the host with all authorities to trust: OpenSSL, Node and git read it instead of the image's own.
    pub ca_file: Option<AbsolutePath>,
}

/// Places on the host that the user moved.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Paths {
    /// The `.env` with the registration tokens.
    pub tokens: Option<AbsolutePath>,
    /// Identity and work folder of each runner live below this.
    pub state: Option<AbsolutePath>,
    /// Token hand-over and status of each runner live below this; has to be a tmpfs.
    pub runtime: Option<AbsolutePath>,
    /// The directory that all runners see as `/reports`.
    pub reports: Option<AbsolutePath>,
}

/// The in-container health check (podman-run(1) `--health-*`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Health {
    /// Time between two checks.
    pub interval: Duration,
    /// A check that takes longer has failed.
    pub timeout: Duration,
    /// This many failures in a row make the container unhealthy.
    pub retries: u32,
    /// Failures before this age of the container do not count.
    pub start_period: Duration,
}

/// How long systemd waits for a runner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Pulling the image, registering and connecting together.
    pub start: Duration,
    /// A cancelled workflow job may run its `always()` steps this long.
    pub stop: Duration,
    /// A shutdown of the host waits for a workflow job this long.
    pub shutdown: Duration,
}

/// What differs for one runner; `None` and empty mean "as the fleet".
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Override {
    /// Name at GitHub and of the container.
    pub name: Option<String>,
    /// Replaces the fleet's labels.
    pub labels: Option<Vec<Label>>,
    /// Replaces the fleet's image.
    pub image: Option<Image>,
    /// Replaces the fleet's socket mode.
    pub socket: Option<SocketMode>,
    /// Replaces the fleet's `ephemeral`.
    pub ephemeral: Option<bool>,
    /// Replaces single limits.
    pub limits: Limits,
    /// Added to the fleet's environment.
    pub environment: BTreeMap<String, String>,
}

impl Config {
    /// Reads the text of a `config.toml`.
    ///
    /// # Errors
    /// Every problem of the text, in the order of its lines.
    pub fn parse(text: &str) -> Result<Self, Problems> {
        let (raw, mut problems) = collect::decode(text);
        let config = validate::validate(raw, &mut problems);
        match (config, problems.is_empty()) {
            (Some(config), true) => Ok(config),
            _ => Err(problems.sorted()),
        }
    }
}

/// JSON Schema (draft 2020-12) of `config.toml`, for editors.
#[must_use]
pub fn schema() -> schemars::Schema {
    schemars::schema_for!(raw::RawConfig)
}

#[cfg(test)]
mod tests;
