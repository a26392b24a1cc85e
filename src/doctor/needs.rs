//! What a fleet asks of its host.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::config::{Engine, Limits, SocketMode, Tls, UnitFormat};
use crate::fleet::{Fleet, Scope, names};

/// What a fleet asks of its host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needs {
    /// Whose systemd.
    pub scope: Scope,
    /// What runs the containers.
    pub engine: Engine,
    /// How runners are written for systemd.
    pub unit_format: UnitFormat,
    /// Some runner has a rootless Podman of its own.
    pub private_socket: bool,
    /// Some runner has the engine's own socket.
    pub host_socket: bool,
    /// Keys of `[limits]` that are set somewhere.
    pub limits: BTreeSet<&'static str>,
    /// The runners' network in the engine's words, where the config names one.
    pub network: Option<String>,
    /// Identities and work folders.
    pub state: PathBuf,
    /// Tokens for a moment; has to be in memory.
    pub runtime: PathBuf,
    /// The reports of all runners.
    pub reports: PathBuf,
    /// The engine's own socket.
    pub socket: PathBuf,
    /// Where which server is to listen; those that are to run.
    pub listen: BTreeMap<Server, SocketAddr>,
    /// The report server's certificate and key.
    pub report_tls: Option<Tls>,
}

/// A server of ours that a socket of systemd's starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Server {
    /// `homelab-reports.socket`
    Reports,
    /// `homelab-runners-monitor.socket`
    Monitor,
}

impl Server {
    /// The unit that listens for it.
    #[must_use]
    pub const fn socket(self) -> &'static str {
        match self {
            Self::Reports => names::REPORTS_SOCKET,
            Self::Monitor => names::MONITOR_SOCKET,
        }
    }

    /// What people call it.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Reports => "the report server",
            Self::Monitor => "the monitor",
        }
    }

    /// The key with its address, and what does without it.
    pub(super) const fn keys(self) -> (&'static str, &'static str) {
        match self {
            Self::Reports => ("reports.listen", "reports.serve = false"),
            Self::Monitor => ("monitor.listen", "monitor.enabled = false"),
        }
    }
}

impl Needs {
    /// What `fleet` asks for.
    #[must_use]
    pub fn of(fleet: &Fleet) -> Self {
        let layout = &fleet.layout;
        let of_runners = fleet.runners.iter().map(|runner| &runner.limits);
        Self {
            scope: layout.scope,
            engine: fleet.engine,
            unit_format: fleet.unit_format,
            private_socket: fleet.runners.iter().any(|runner| runner.socket == SocketMode::Private),
            host_socket: fleet.runners.iter().any(|runner| runner.socket == SocketMode::Host),
            limits: of_runners.chain([&fleet.limits]).flat_map(keys).collect(),
            network: fleet.network.clone(),
            state: layout.state.clone(),
            runtime: layout.runtime.clone(),
            reports: layout.reports.clone(),
            socket: match fleet.engine {
                Engine::Podman => layout.podman_socket.clone(),
                Engine::Docker => layout.docker_socket().to_owned(),
            },
            listen: listen(fleet),
            report_tls: fleet.reports.tls.clone().filter(|_| fleet.reports.serve),
        }
    }

    /// What needs a rootless Podman, in the config's or the command line's words.
    pub(super) fn rootless(&self) -> Option<Rootless> {
        if self.private_socket {
            Some(Rootless { what: "socket = \"private\"", instead: "set socket = \"none\"" })
        } else if self.scope == Scope::User && self.engine == Engine::Podman {
            Some(Rootless { what: "rootless Podman", instead: "run the fleet without --user" })
        } else {
            None
        }
    }

    /// Is Podman used for anything?
    pub(super) fn podman(&self) -> bool {
        self.engine == Engine::Podman || self.private_socket
    }
}

/// Who needs a rootless Podman.
#[derive(Clone, Copy)]
pub(super) struct Rootless {
    /// In the words of who asked for it.
    pub what: &'static str,
    /// What works without.
    pub instead: &'static str,
}

fn listen(fleet: &Fleet) -> BTreeMap<Server, SocketAddr> {
    let servers = [
        (fleet.reports.serve, Server::Reports, fleet.reports.listen),
        (fleet.monitor.enabled, Server::Monitor, fleet.monitor.listen),
    ];
    servers.into_iter().filter(|(runs, ..)| *runs).map(|(_, server, address)| (server, address)).collect()
}

fn keys(limits: &Limits) -> impl Iterator<Item = &'static str> {
    let Limits { cpu_quota, memory_max, memory_high, tasks_max, io_weight } = limits;
    let keys = [
        ("cpu_quota", cpu_quota.is_some()),
        ("memory_max", memory_max.is_some()),
        ("memory_high", memory_high.is_some()),
        ("tasks_max", tasks_max.is_some()),
        ("io_weight", io_weight.is_some()),
    ];
    keys.into_iter().filter(|(_, is_set)| *is_set).map(|(key, _)| key)
}
