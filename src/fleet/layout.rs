//! Places on the host: the FHS for the system, the XDG base directories for a user.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::config::{Github, Paths};

/// Whose systemd runs the fleet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// The host's, as root, on the system bus.
    System,
    /// A user's own (`systemctl --user`), rootless, on the user bus.
    User,
}

impl Scope {
    /// What to put after the name of a program: nothing, or ` --user`.
    #[must_use]
    pub fn option(self) -> &'static str {
        match self {
            Self::System => "",
            Self::User => " --user",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::System => "system",
            Self::User => "user",
        })
    }
}

/// The user's directories, as the environment tells them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserDirs {
    /// `$XDG_CONFIG_HOME`, `~/.config`
    pub config: PathBuf,
    /// `$XDG_STATE_HOME`, `~/.local/state`
    pub state: PathBuf,
    /// `$XDG_RUNTIME_DIR`, a tmpfs of the user's own
    pub runtime: PathBuf,
}

/// Where everything is. Paths are those that the host will see; a `--root` is put before them when files are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Whose systemd.
    pub scope: Scope,
    /// The `config.toml` in use: units that read it read this one.
    pub config_file: PathBuf,
    /// The `.env` with the registration tokens.
    pub tokens: PathBuf,
    /// The personal access token or the key of the GitHub App; read where the config says that there is one.
    pub credential_file: PathBuf,
    /// State of all runners.
    pub state: PathBuf,
    /// Runtime files of all runners, on a tmpfs.
    pub runtime: PathBuf,
    /// Seen as `/reports` by every runner.
    pub reports: PathBuf,
    /// The entrypoint and health scripts.
    pub scripts: PathBuf,
    /// Images that all private engines may read: a store of Podman's, containers-storage.conf(5).
    pub images: PathBuf,
    /// Quadlet files.
    pub quadlet_dir: PathBuf,
    /// Unit files.
    pub unit_dir: PathBuf,
    /// Unit files that a reboot takes away, systemd.unit(5).
    pub runtime_unit_dir: PathBuf,
    /// Podman's socket, if the host's own is given to workflows.
    pub podman_socket: PathBuf,
}

/// Places of one runner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunnerPaths {
    /// What outlives a restart.
    pub state: PathBuf,
    /// What a reboot may take; on a tmpfs.
    pub runtime: PathBuf,
    /// `.runner` and `.credentials*`, kept between starts; as good as a token, hence 0700.
    pub identity: PathBuf,
    /// The work folder: the same path inside the container, so that the engine on the host resolves it too.
    pub work: PathBuf,
    /// What is on its way to be deleted, out of reach of the runner; on the same file system as the work folder.
    pub trash: PathBuf,
    /// The registration token for the moment of its hand-over.
    pub token: PathBuf,
    /// When GitHub was asked for registration tokens; out of the container's reach.
    pub registrations: PathBuf,
    /// Which ephemeral runners this host has asked GitHub for, and not seen gone; out of the container's reach.
    pub ephemeral: PathBuf,
    /// Stands while the runner is drained: its unit does not start. A reboot does not undo that.
    pub drained: PathBuf,
    /// State word and performance counters, written by the runner's container.
    pub status: PathBuf,
    /// Digest of the unit's text that the runner was last started with.
    pub started_with: PathBuf,
    /// Images of the private engine; a cache, owned by the engine's account.
    pub engine_storage: PathBuf,
    /// Directory of the private engine's socket.
    pub engine: PathBuf,
    /// What of the runner's container the private engine sees: [`RunnerPaths::view`].
    pub view: PathBuf,
    /// The shared reports directory, as a runner with ids of its own sees it: a mount.
    pub reports: PathBuf,
}

impl RunnerPaths {
    /// The places below a runner's two directories.
    #[must_use]
    pub fn new(state: PathBuf, runtime: PathBuf) -> Self {
        Self {
            identity: state.join("identity"),
            work: state.join("work"),
            trash: state.join("trash"),
            token: runtime.join("token"),
            status: runtime.join("status"),
            registrations: state.join("registrations"),
            ephemeral: state.join("ephemeral"),
            drained: state.join("drained"),
            started_with: runtime.join("started-with"),
            engine_storage: state.join("engine"),
            engine: runtime.join("engine"),
            view: runtime.join("view"),
            reports: runtime.join("reports"),
            state,
            runtime,
        }
    }

    /// Where the token lies for the moment of its hand-over.
    #[must_use]
    pub fn registration_token(&self) -> PathBuf {
        self.token.join("registration-token")
    }

    /// Where the identity of an ephemeral runner lies for the moment of its hand-over.
    #[must_use]
    pub fn jit(&self) -> PathBuf {
        self.token.join("jit")
    }

    /// Where the entrypoint reads why there is no token.
    #[must_use]
    pub fn token_problem(&self) -> PathBuf {
        self.token.join("problem")
    }

    /// Where the entrypoint reads why there is no token yet.
    #[must_use]
    pub fn token_delay(&self) -> PathBuf {
        self.token.join("delay")
    }

    /// What GitHub was told at registration, beside the identity.
    #[must_use]
    pub fn fingerprint(&self) -> PathBuf {
        self.identity.join("fingerprint")
    }

    /// Says that this runner's registration was removed or taken, see `entrypoint.sh`.
    #[must_use]
    pub fn lost(&self) -> PathBuf {
        self.identity.join("lost")
    }

    /// Which image its container runs, and when that was built; out of the container's reach.
    #[must_use]
    pub fn image(&self) -> PathBuf {
        self.runtime.join("image")
    }

    /// State word and sentence of the entrypoint.
    #[must_use]
    pub fn session(&self) -> PathBuf {
        self.status.join("state")
    }

    /// What the container's health checks found.
    #[must_use]
    pub fn health(&self) -> PathBuf {
        self.status.join("health")
    }

    /// The time stamps of the runner's own program, `RUNNER_PERFLOG`.
    #[must_use]
    pub fn perf(&self) -> PathBuf {
        self.status.join("perf/Runner.perf")
    }

    /// What the started hook says of the workflow job that runs: GitHub's runner empties `RUNNER_TEMP`, where it lies, at the start of each.
    #[must_use]
    pub fn workflow_job(&self) -> PathBuf {
        self.work.join("_temp/_runnerctl_workflow_job")
    }

    /// Where the private engine listens.
    #[must_use]
    pub fn engine_socket(&self) -> PathBuf {
        self.engine.join("docker.sock")
    }

    /// Stands while the private engine can be started: its view of the container is complete.
    #[must_use]
    pub fn engine_ready(&self) -> PathBuf {
        self.engine.join("ready")
    }

    /// Part of the container that the private engine sees: `root` (empty, becomes its `/`), `network`, `externals`, `resolv.conf`,
    /// `hosts`, `images`.
    #[must_use]
    pub fn view(&self, part: &str) -> PathBuf {
        self.view.join(part)
    }

    /// Stands only if the identity is complete.
    #[must_use]
    pub fn identity_mark(&self) -> PathBuf {
        self.identity.join(".runner")
    }
}

impl Layout {
    /// Of the host's systemd.
    #[must_use]
    pub fn system() -> Self {
        Self {
            scope: Scope::System,
            config_file: PathBuf::from("/etc/homelab-runners/config.toml"),
            tokens: PathBuf::from("/etc/homelab-runners/.env"),
            credential_file: PathBuf::from("/etc/homelab-runners/github-credential"),
            state: PathBuf::from("/var/lib/homelab-runners"),
            runtime: PathBuf::from("/run/homelab-runners"),
            reports: PathBuf::from("/var/lib/homelab-runners/reports"),
            scripts: PathBuf::from("/var/lib/homelab-runners/scripts"),
            images: PathBuf::from("/var/lib/homelab-runners/images"),
            quadlet_dir: PathBuf::from("/etc/containers/systemd"),
            unit_dir: PathBuf::from("/etc/systemd/system"),
            runtime_unit_dir: PathBuf::from("/run/systemd/system"),
            podman_socket: PathBuf::from("/run/podman/podman.sock"),
        }
    }

    /// Of a user's own systemd.
    #[must_use]
    pub fn user(dirs: &UserDirs) -> Self {
        let config = dirs.config.join("homelab-runners");
        let state = dirs.state.join("homelab-runners");
        Self {
            scope: Scope::User,
            config_file: config.join("config.toml"),
            tokens: config.join(".env"),
            credential_file: config.join("github-credential"),
            runtime: dirs.runtime.join("homelab-runners"),
            reports: state.join("reports"),
            scripts: state.join("scripts"),
            images: state.join("images"),
            state,
            quadlet_dir: dirs.config.join("containers/systemd"),
            unit_dir: dirs.config.join("systemd/user"),
            runtime_unit_dir: dirs.runtime.join("systemd/user"),
            podman_socket: dirs.runtime.join("podman/podman.sock"),
        }
    }

    /// With what the user moved.
    #[must_use]
    pub fn with(mut self, paths: &Paths) -> Self {
        if let Some(tokens) = &paths.tokens {
            tokens.as_path().clone_into(&mut self.tokens);
        }
        if let Some(state) = &paths.state {
            state.as_path().clone_into(&mut self.state);
            self.reports = self.state.join("reports");
            self.scripts = self.state.join("scripts");
            self.images = self.state.join("images");
        }
        if let Some(runtime) = &paths.runtime {
            runtime.as_path().clone_into(&mut self.runtime);
        }
        if let Some(reports) = &paths.reports {
            reports.as_path().clone_into(&mut self.reports);
        }
        self
    }

    /// With the credential where the config has it.
    #[must_use]
    pub fn with_credential(mut self, github: &Github) -> Self {
        if let Some(file) = &github.credential_file {
            file.as_path().clone_into(&mut self.credential_file);
        }
        self
    }

    /// The places of runner `number`.
    #[must_use]
    pub fn runner(&self, number: u16) -> RunnerPaths {
        RunnerPaths::new(self.state.join(number.to_string()), self.runtime.join(number.to_string()))
    }

    /// What the monitor keeps: events, and a lock that there is one of it.
    ///
    /// The unit's own directory where it runs as nobody in particular, `StateDirectory=` of systemd.exec(5); the path that systemd links there.
    #[must_use]
    pub fn monitor_state(&self, is_unit: bool) -> PathBuf {
        match (self.scope, is_unit) {
            (Scope::System, true) => PathBuf::from("/var/lib/homelab-runners-monitor"),
            (Scope::System, false) | (Scope::User, _) => self.state.clone(),
        }
    }

    /// Where the monitor's unit asks for restarts. No place of the config's: systemd makes its directory at boot, for root alone.
    #[must_use]
    pub fn heal_socket(&self) -> &'static Path {
        Path::new("/run/homelab-runners-heal/socket")
    }

    /// Empty; becomes the `/` of the report server.
    #[must_use]
    pub fn report_server_root(&self) -> PathBuf {
        self.runtime.join("report-server")
    }

    /// Where Docker listens.
    #[must_use]
    pub fn docker_socket(&self) -> &'static Path {
        Path::new("/var/run/docker.sock")
    }
}
