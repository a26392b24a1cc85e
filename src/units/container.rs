//! What the runner's container is, whatever starts it: Quadlet, `podman run`, `docker run` or Compose.

use std::path::{Path, PathBuf};

use crate::config::{Engine, SocketMode, variable};
use crate::fleet::{Fleet, Runner, names};

/// Our directory inside the container; on a tmpfs there.
const INSIDE: &str = "/run/homelab-runner";

/// A start pulls what is not there, and nothing else, whatever `pull_policy` of containers.conf(5) says: a new image is `runnerctl update`'s affair.
pub(super) const PULL: &str = "--pull=missing";

/// What gives the runner a new registration, to be said to people.
pub(super) const REGISTER: &str = "RUNNERCTL_REGISTER";

/// No program of the container leaves its memory on a disk when it crashes: tokens and secrets of workflows are in it. A hard limit, setrlimit(2).
pub(super) const NO_CORE: &str = "--ulimit=core=0";

/// One bind mount.
pub(super) struct Mount {
    pub source: PathBuf,
    pub target: String,
    pub options: &'static str,
}

impl Mount {
    /// `SOURCE:TARGET[:OPTIONS]`, as `-v` and `Volume=` take it. Paths of the config have no colon.
    pub(super) fn to_volume(&self) -> String {
        let plain = format!("{}:{}", self.source.display(), self.target);
        if self.options.is_empty() { plain } else { format!("{plain}:{}", self.options) }
    }
}

/// The container's command: our entrypoint, not the image's (it loses exit codes and leaks tokens).
pub(super) fn entrypoint() -> [String; 2] {
    ["/bin/bash".to_owned(), format!("{INSIDE}/scripts/entrypoint.sh")]
}

/// The health check: bash and /proc only, so that any image has what it needs.
pub(super) fn health_command() -> String {
    format!("/bin/bash {INSIDE}/scripts/health.sh")
}

/// Bind mounts. `z` and `Z` label for security modules (`SELinux`) and mean nothing elsewhere; the socket must keep its label.
pub(super) fn mounts(fleet: &Fleet, runner: &Runner) -> Vec<Mount> {
    let mount = |source: &Path, target: String, options| Mount { source: source.to_owned(), target, options };
    let paths = &runner.paths;
    let mut mounts = vec![
        mount(&fleet.layout.scripts, format!("{INSIDE}/scripts"), "ro,z"),
        mount(&paths.identity, format!("{INSIDE}/identity"), "Z"),
        mount(&paths.token, format!("{INSIDE}/token"), "Z"),
        mount(&paths.status, format!("{INSIDE}/status"), "Z"),
        mount(&paths.work, paths.work.display().to_string(), "Z"),
        mount(reports(fleet, runner), "/reports".to_owned(), "z"),
    ];
    if let Some(ca_file) = &fleet.proxy.ca_file {
        mounts.push(mount(ca_file.as_path(), format!("{INSIDE}/ca.pem"), "ro"));
    }
    if runner.socket == SocketMode::Private {
        // The directory, because the socket in it is another one after a restart of its unit.
        mounts.push(mount(&paths.engine, format!("{INSIDE}/engine"), "ro"));
    }
    if runner.socket == SocketMode::Host {
        let socket = match fleet.engine {
            Engine::Podman => fleet.layout.podman_socket.as_path(),
            Engine::Docker => fleet.layout.docker_socket(),
        };
        mounts.push(mount(socket, "/var/run/docker.sock".to_owned(), ""));
    }
    mounts
}

/// Options of `podman run` and `docker run` for a runner with a private engine.
///
/// All ids of the container are the runner's own on the host; Docker cannot do that for one container, see [`environment`]. Containers that workflows start share its network, so that a published port is reached at `localhost`; any
/// port, as with Docker.
pub(super) fn private_engine_options(fleet: &Fleet, runner: &Runner) -> Vec<String> {
    let Some(ids) = runner.ids else { return Vec::new() };
    let mut options = match fleet.engine {
        Engine::Podman => vec![format!("--uidmap={ids}"), format!("--gidmap={ids}")],
        Engine::Docker => Vec::new(),
    };
    // The host's own network has the host's own settings.
    if fleet.network.as_deref() != Some("host") {
        options.push("--sysctl=net.ipv4.ip_unprivileged_port_start=0".to_owned());
    }
    options
}

/// The container's network: the config's, or with a private engine one of its own. On a network in common a runner would reach what the others' containers publish.
pub(super) fn network(fleet: &Fleet, runner: &Runner) -> Option<String> {
    fleet.network.clone().or_else(|| has_own_network(fleet, runner).then(|| names::network(runner.number)))
}

/// Does the unit make a network for this runner alone?
pub(super) fn has_own_network(fleet: &Fleet, runner: &Runner) -> bool {
    runner.ids.is_some() && fleet.network.is_none()
}

/// `SELinux` lets no confined container talk to an engine's socket.
pub(super) fn is_confined(runner: &Runner) -> bool {
    runner.socket == SocketMode::None
}

/// The reports directory, or its mount for the ids of this runner.
pub(super) fn reports<'a>(fleet: &'a Fleet, runner: &'a Runner) -> &'a Path {
    if runner.ids.is_some() { &runner.paths.reports } else { &fleet.layout.reports }
}

/// The environment. Every workflow job and everybody who may `inspect` can read it: there is no secret in it.
pub(super) fn environment(fleet: &Fleet, runner: &Runner) -> Vec<(String, String)> {
    let labels: Vec<String> = runner.labels.iter().map(ToString::to_string).collect();
    let mut variables: Vec<(&str, String)> = vec![
        ("RUNNERCTL_URL", fleet.url.to_string()),
        ("RUNNERCTL_NAME", runner.name.clone()),
        ("RUNNERCTL_LABELS", labels.join(",")),
        ("RUNNERCTL_GROUP", fleet.runner_group.clone().unwrap_or_default()),
        ("RUNNERCTL_WORK", runner.paths.work.display().to_string()),
        ("RUNNER_PERFLOG", format!("{INSIDE}/status/perf")),
    ];
    if fleet.github.has_api() {
        variables.push(("RUNNERCTL_CREDENTIAL_FILE", fleet.layout.credential_file.display().to_string()));
    } else {
        variables.push(("RUNNERCTL_TOKEN_NAME", variable(runner.number)));
        variables.push(("RUNNERCTL_TOKEN_FILE", fleet.layout.tokens.display().to_string()));
    }
    variables.push((REGISTER, fleet.register_command(runner.number)));
    if fleet.no_default_labels {
        variables.push(("RUNNERCTL_NO_DEFAULT_LABELS", "1".to_owned()));
    }
    if let Some(ids) = runner.ids {
        variables.push(("RUNNERCTL_PRIVATE_ENGINE", "1".to_owned()));
        // The user `runner` of the container has to be the engine's account: mapped, or by its very number.
        if fleet.engine == Engine::Docker {
            variables.push(("RUNNERCTL_RUNNER_ID", ids.runner().to_string()));
        }
    }
    if fleet.reports.hooks {
        variables.push(("RUNNERCTL_JOB_HOOKS", "1".to_owned()));
    }
    if runner.ephemeral {
        variables.push(("RUNNERCTL_EPHEMERAL", "1".to_owned()));
    }
    if fleet.replace {
        variables.push(("RUNNERCTL_REPLACE", "1".to_owned()));
    }
    variables.extend(proxy(fleet));
    let mut all: Vec<(String, String)> =
        variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    all.push(heal_after(fleet));
    let own = disk(fleet).into_iter().chain(classic_builder(fleet, runner));
    let own = own.filter(|(name, _)| !runner.environment.contains_key(*name));
    all.extend(own.map(|(name, value)| (name.to_owned(), value)));
    all.extend(runner.environment.iter().map(|(name, value)| (name.clone(), value.clone())));
    all
}

/// The floor for the entrypoint; for the runner's own programs, each under its own name, how many days they keep their
/// logs in `_diag` (HostContext.cs of actions/runner). Those lie in the container's file system, where nobody else prunes.
fn disk(fleet: &Fleet) -> Vec<(&'static str, String)> {
    let days = fleet.prune.diag_days().to_string();
    let mut variables = vec![("RUNNER_LOGRETENTION", days.clone()), ("WORKER_LOGRETENTION", days)];
    if fleet.prune.floor() > 0 {
        variables.push(("RUNNERCTL_FREE_DISK_MIN", fleet.prune.floor().to_string()));
    }
    variables
}

/// Docker's client builds with `BuildKit` where the image has its plugin, as the official one does. Podman's API has the classic builder alone, and
/// GitHub's runner itself builds Docker actions by `docker build`.
fn classic_builder(fleet: &Fleet, runner: &Runner) -> Option<(&'static str, String)> {
    let is_podman = match runner.socket {
        SocketMode::Private => true,
        SocketMode::Host => fleet.engine == Engine::Podman,
        SocketMode::None => false,
    };
    is_podman.then(|| ("DOCKER_BUILDKIT", "0".to_owned()))
}

/// After so many failures the check itself asks the entrypoint to end, whatever the engine. An engine that acts counts a check that was too slow, or could not be started,
/// as a failure, and so would end a workflow job that takes all there is.
fn heal_after(fleet: &Fleet) -> (String, String) {
    ("RUNNERCTL_HEAL_AFTER".to_owned(), fleet.health.retries.to_string())
}

/// The runner reads the lower-case names, most other programs do too; Node, git and .NET each want their own for certificates.
fn proxy(fleet: &Fleet) -> Vec<(&'static str, String)> {
    let proxy = &fleet.proxy;
    let mut variables = Vec::new();
    for (name, value) in
        [("http_proxy", &proxy.http), ("https_proxy", &proxy.https), ("no_proxy", &proxy.no_proxy)]
    {
        variables.extend(value.clone().map(|value| (name, value)));
    }
    if proxy.ca_file.is_some() {
        let inside = format!("{INSIDE}/ca.pem");
        variables.extend(
            ["SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "GIT_SSL_CAINFO"].map(|name| (name, inside.clone())),
        );
    }
    variables
}
