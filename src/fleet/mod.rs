//! The fleet: every runner of this host with its names, paths and budget.
//!
//! `Config → Fleet` fills in what the config leaves to the host's scope; from here on nothing is optional that a unit
//! needs. This module is the only one that builds names ([`names`]) and paths ([`Layout`], [`RunnerPaths`]).

mod drain;
pub mod ids;
mod layout;
pub mod names;
mod observed;
pub mod plan;
mod registering;
mod roll;
mod shutdown;
mod update;

use std::collections::BTreeMap;
use std::time::Duration;

pub use drain::{AtGithub, DrainStep, Draining};
pub use ids::{Account, FoundAccount, HostIds, IdRange};
pub use layout::{Layout, RunnerPaths, Scope, UserDirs};
pub use observed::{FoundFile, Observed, ObservedRunner};
pub use plan::Plan;
pub use registering::{Registering, Verdict};
pub use roll::{FleetNow, Roll, RunnerNow};
pub use shutdown::{StopStep, Stopping};
pub use update::{OnImage, Standing, Update, UpdateStep};

use crate::config::{
    Config, Engine, ExtraHost, Flavour, Github, GithubUrl, Health, Image, Label, Limits, Monitor, Notify,
    Proxy, Prune, Reports, SocketMode, Timeouts, UnitFormat, variable,
};
use crate::runner::{Registration, TokenSource};

/// Every runner of this host, and what they share.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a key of the config")]
pub struct Fleet {
    /// The runners, by number.
    pub runners: Vec<Runner>,
    /// Places on the host.
    pub layout: Layout,
    /// Where they register.
    pub url: GithubUrl,
    /// Runner group at GitHub; `None`: GitHub's default.
    pub runner_group: Option<String>,
    /// Register without GitHub's own labels.
    pub no_default_labels: bool,
    /// Take over a runner of the same name.
    pub replace: bool,
    /// One token may serve several runners.
    pub shared_token: bool,
    /// systemd hands the tokens file to the units.
    pub load_credential: bool,
    /// What runs the containers.
    pub engine: Engine,
    /// How runners are written for systemd.
    pub unit_format: UnitFormat,
    /// Layout of the image.
    pub flavour: Flavour,
    /// Network in the engine's words.
    pub network: Option<String>,
    /// Lines for the containers' `/etc/hosts`.
    pub extra_hosts: Vec<ExtraHost>,
    /// Ceiling over all runners.
    pub limits: Limits,
    /// With what, and where, this host speaks to GitHub.
    pub github: Github,
    /// Proxy and certificates.
    pub proxy: Proxy,
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
    /// Whom the monitor tells what.
    pub notify: Notify,
}

/// What of the host decides where the config does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostOffer {
    /// How runners can be written for systemd.
    pub unit_format: UnitFormat,
    /// Which user ids are given away.
    pub ids: HostIds,
}

/// A host that has given no ids away.
impl From<UnitFormat> for HostOffer {
    fn from(unit_format: UnitFormat) -> Self {
        Self { unit_format, ids: HostIds::default() }
    }
}

/// One runner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runner {
    /// From 1.
    pub number: u16,
    /// Name at GitHub and of the container.
    pub name: String,
    /// Custom labels.
    pub labels: Vec<Label>,
    /// Image reference.
    pub image: Image,
    /// Container socket for workflows.
    pub socket: SocketMode,
    /// It registers for one workflow job alone, and starts anew after that.
    pub ephemeral: bool,
    /// Its ids on the host, with a private engine.
    pub ids: Option<IdRange>,
    /// Budget.
    pub limits: Limits,
    /// Environment of its workflow jobs.
    pub environment: BTreeMap<String, String>,
    /// Its places on the host.
    pub paths: RunnerPaths,
}

impl Fleet {
    /// The fleet that `config` describes, in the scope of `layout`, on a host that offers `host`.
    #[must_use]
    pub fn new(config: &Config, layout: &Layout, host: &HostOffer) -> Self {
        let layout = layout.clone().with(&config.paths).with_credential(&config.github);
        let unit_format = match (config.unit_format, config.engine) {
            (Some(format), _) => format,
            (None, Engine::Docker) => UnitFormat::Service,
            (None, Engine::Podman) => host.unit_format,
        };
        let mut runners: Vec<Runner> =
            (1..=config.count).map(|number| Runner::new(number, config, &layout)).collect();
        let with_engine = runners.iter().filter(|runner| runner.socket == SocketMode::Private);
        let ranges = host.ids.allocate(with_engine.map(|runner| runner.number));
        for runner in &mut runners {
            runner.ids = ranges.get(&runner.number).copied();
        }
        Self {
            runners,
            layout,
            url: config.url.clone(),
            runner_group: config.runner_group.clone(),
            no_default_labels: config.no_default_labels,
            replace: config.replace,
            shared_token: config.shared_token,
            load_credential: config.load_credential,
            engine: config.engine,
            unit_format,
            flavour: config.flavour,
            network: config.network.clone(),
            extra_hosts: config.extra_hosts.clone(),
            limits: config.fleet_limits.clone(),
            github: config.github.clone(),
            proxy: config.proxy.clone(),
            health: config.health,
            timeouts: config.timeouts,
            prune: config.prune,
            reports: config.reports.clone(),
            monitor: config.monitor,
            notify: config.notify.clone(),
        }
    }

    /// Does a shutdown of the host wait for workflow jobs?
    #[must_use]
    pub fn holds_up_shutdown(&self) -> bool {
        !self.timeouts.shutdown.is_zero()
    }

    /// Do the slices of this fleet have to outlive the beginning of a shutdown? Docker's containers are no part of the unit that waits for their workflow jobs: they are
    /// scopes of their own below its slice, and systemd stops them with the slice, at once.
    #[must_use]
    pub fn keeps_slices_at_shutdown(&self) -> bool {
        self.holds_up_shutdown() && self.engine == Engine::Docker
    }

    /// Does systemd read the credential, or the tokens file, and hand it to the units?
    #[must_use]
    pub fn hands_over_credential(&self) -> bool {
        self.load_credential || self.github.encrypted
    }

    /// Does a helper with the rights for it restart runners for the monitor? A user's own systemd has no rights to keep apart.
    #[must_use]
    pub fn has_heal_helper(&self) -> bool {
        self.monitor.enabled && self.monitor.heal && self.layout.scope == Scope::System
    }

    /// The longest that systemd may take to start or to restart a runner.
    #[must_use]
    pub fn unit_limit(&self) -> Duration {
        self.timeouts.start + self.timeouts.stop
    }

    /// The accounts of the private engines.
    #[must_use]
    pub fn accounts(&self) -> Vec<Account> {
        let account = |runner: &Runner| Some(Account { number: runner.number, range: runner.ids? });
        self.runners.iter().filter_map(account).collect()
    }

    /// What runner `runner` is to be registered with.
    #[must_use]
    pub fn registration<'a>(&'a self, runner: &'a Runner) -> Registration<'a> {
        Registration {
            url: &self.url,
            name: &runner.name,
            labels: &runner.labels,
            runner_group: self.runner_group.as_deref(),
            no_default_labels: self.no_default_labels,
        }
    }

    /// Where the registration token of runner `number` comes from.
    #[must_use]
    pub fn token_source(&self, number: u16) -> TokenSource {
        if self.github.has_api() {
            return TokenSource::Credential { file: self.layout.credential_file.display().to_string() };
        }
        TokenSource::Variable {
            name: variable(number),
            file: self.layout.tokens.display().to_string(),
            page: self.url.new_runner_page(),
            command: self.register_command(number),
        }
    }

    /// What gives runner `number` a new registration.
    #[must_use]
    pub fn register_command(&self, number: u16) -> String {
        format!("runnerctl register{} {number}", self.layout.scope.option())
    }

    /// The runner of that number.
    #[must_use]
    pub fn runner(&self, number: u16) -> Option<&Runner> {
        self.runners.iter().find(|runner| runner.number == number)
    }
}

impl Runner {
    fn new(number: u16, config: &Config, layout: &Layout) -> Self {
        let own = config.overrides.get(&number).cloned().unwrap_or_default();
        let mut environment = config.environment.clone();
        environment.extend(own.environment);
        Self {
            number,
            name: own.name.unwrap_or_else(|| format!("{}-{number}", config.name_prefix)),
            labels: own.labels.unwrap_or_else(|| config.labels.clone()),
            image: own.image.unwrap_or_else(|| config.image.clone()),
            socket: own
                .socket
                .or(config.socket)
                .unwrap_or_else(|| default_socket(config.engine, layout.scope)),
            ephemeral: own.ephemeral.unwrap_or(config.ephemeral),
            ids: None,
            limits: own.limits.or(&config.limits),
            environment,
            paths: layout.runner(number),
        }
    }
}

/// Only root can make accounts and mounts for private engines; with Docker they need a Podman that may not be there.
fn default_socket(engine: Engine, scope: Scope) -> SocketMode {
    match (engine, scope) {
        (Engine::Podman, Scope::System) => SocketMode::Private,
        (Engine::Docker, _) | (_, Scope::User) => SocketMode::Host,
    }
}
