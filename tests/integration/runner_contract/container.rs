//! A directory that looks to the scripts like the inside of a runner container, and the entrypoint running in it.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a failing unwrap is a failing test")]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use homelab_runners::runner::{SCRIPTS, Session, SessionState};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// Ids that no account of a test host has.
pub(super) const RUNNER_UID: u32 = 61_201;
pub(super) const RUNNER_GID: u32 = 61_202;
pub(super) const DOCKER_GID: u32 = 61_203;

pub(super) const TOKEN: &str = "CANARY2TOKEN3OF4THE5TEST6ABCD";

/// How long anything may take before a test gives up; generous, because test machines are busy.
const LIMIT: Duration = Duration::from_secs(30);

/// Waits until `found` gives something.
#[track_caller]
pub(super) fn eventually<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = found() {
            return value;
        }
        assert!(start.elapsed() < LIMIT, "waited too long for {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

pub(super) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

pub(super) struct Container {
    root: TempDir,
    environment: BTreeMap<String, String>,
    entrypoint: Option<Child>,
    as_root: bool,
}

impl Container {
    /// As in a container of the official image: root, which becomes `runner`. Without root on the host, directly.
    pub(super) fn new() -> Self {
        Self::with_runner_root("home/runner")
    }

    /// With the runner's programs elsewhere, as other images have them.
    pub(super) fn with_runner_root(runner_root: &str) -> Self {
        let container = Self::empty(runner_root);
        container.config_does("echo '√ Connected to GitHub'; identity 7; echo '√ Settings Saved.'");
        container.listener_does("listen; for_ever");
        container
    }

    /// As in a rootless image, where the entrypoint is the runner's user already.
    pub(super) fn without_root() -> Self {
        let mut container = Self::new();
        container.as_root = false;
        if is_root() {
            for path in
                ["run/homelab-runner/identity", "run/homelab-runner/token", "run/homelab-runner/status"]
            {
                chown(container.path(path), Some(RUNNER_UID), Some(RUNNER_GID)).unwrap();
            }
            chown(container.path("work"), Some(RUNNER_UID), Some(RUNNER_GID)).unwrap();
        }
        container
    }

    fn empty(runner_root: &str) -> Self {
        let root = tempfile::tempdir().unwrap();
        let path = |relative: &str| root.path().join(relative);
        let directories = [
            ("", 0o755),
            ("etc", 0o755),
            ("proc", 0o755),
            ("stub", 0o777),
            ("work", 0o755),
            ("run/homelab-runner/identity", 0o700),
            ("run/homelab-runner/token", 0o700),
            ("run/homelab-runner/status", 0o755),
            ("run/homelab-runner/scripts", 0o755),
            (&format!("{runner_root}/bin"), 0o755),
        ];
        for (directory, mode) in directories {
            fs::create_dir_all(path(directory)).unwrap();
            fs::set_permissions(path(directory), fs::Permissions::from_mode(mode)).unwrap();
        }
        let passwd =
            format!("root:x:0:0::/root:/bin/sh\nrunner:x:{RUNNER_UID}:{RUNNER_GID}::/home/runner:/bin/sh\n");
        fs::write(path("etc/passwd"), passwd).unwrap();
        let group = format!(
            "root:x:0:\nrunner:x:{RUNNER_GID}:\ndocker:x:{DOCKER_GID}:other,runner\nsudo:x:27:other\n"
        );
        fs::write(path("etc/group"), group).unwrap();
        for (name, source) in SCRIPTS {
            executable(&path(&format!("run/homelab-runner/scripts/{name}")), source);
        }
        executable(&path(&format!("{runner_root}/config.sh")), include_str!("config.sh"));
        executable(&path(&format!("{runner_root}/bin/Runner.Listener")), include_str!("listener.sh"));
        if is_root() {
            chown(path(runner_root), Some(RUNNER_UID), Some(RUNNER_GID)).unwrap();
        }
        let absolute = |relative: &str| path(relative).to_str().unwrap().to_owned();
        let environment = BTreeMap::from([
            ("PATH".to_owned(), std::env::var("PATH").unwrap()),
            ("STUB".to_owned(), absolute("stub")),
            ("STATE".to_owned(), absolute("run/homelab-runner/status/state")),
            ("RUNNERCTL_SYSROOT".to_owned(), absolute("")),
            ("RUNNERCTL_URL".to_owned(), "https://github.com/acme/shop".to_owned()),
            ("RUNNERCTL_NAME".to_owned(), "homelab-runner-3".to_owned()),
            ("RUNNERCTL_LABELS".to_owned(), "homelab,e2e".to_owned()),
            ("RUNNERCTL_WORK".to_owned(), absolute("work")),
            ("RUNNERCTL_TOKEN_NAME".to_owned(), "RUNNER_TOKEN_3".to_owned()),
            ("RUNNERCTL_TOKEN_FILE".to_owned(), "/etc/homelab-runners/.env".to_owned()),
            ("RUNNER_PERFLOG".to_owned(), absolute("run/homelab-runner/status/perf")),
        ]);
        Self { root, environment, entrypoint: None, as_root: is_root() }
    }

    pub(super) fn path(&self, relative: &str) -> PathBuf {
        self.root.path().join(relative)
    }

    /// The text of a file, empty when there is none.
    pub(super) fn read(&self, relative: &str) -> String {
        fs::read_to_string(self.path(relative)).unwrap_or_default()
    }

    pub(super) fn write(&self, relative: &str, text: &str) {
        fs::write(self.path(relative), text).unwrap();
        if is_root() && !self.as_root {
            chown(self.path(relative), Some(RUNNER_UID), Some(RUNNER_GID)).unwrap();
        }
    }

    pub(super) fn exists(&self, relative: &str) -> bool {
        self.path(relative).exists()
    }

    pub(super) fn env(&mut self, name: &str, value: &str) {
        self.environment.insert(name.to_owned(), value.to_owned());
    }

    /// What the host's `runnerctl prepare` does for a runner without an identity.
    pub(super) fn give_token(&self) {
        self.write("run/homelab-runner/token/registration-token", &format!("{TOKEN}\n"));
    }

    pub(super) fn config_does(&self, script: &str) {
        self.stub("config", script);
    }

    pub(super) fn listener_does(&self, script: &str) {
        self.stub("listener", script);
    }

    fn stub(&self, name: &str, script: &str) {
        let path = self.path("stub").join(name);
        fs::write(&path, script).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
    }

    /// Puts a program of the image in the place of the host's.
    pub(super) fn program(&mut self, name: &str, script: &str) {
        let directory = self.path("programs");
        fs::create_dir_all(&directory).unwrap();
        executable(&directory.join(name), &format!("#!/bin/bash\n{script}\n"));
        let path = format!("{}:{}", directory.display(), self.environment["PATH"]);
        self.env("PATH", &path);
    }

    /// Runs a script of ours as the container would: as root, or as the runner's user for `without_root`.
    fn command(&self, script: &str) -> Command {
        let mut command = Command::new("env");
        // Tests that run in the background of a shell have these ignored, and bash never listens to what was ignored before it.
        command.arg("--default-signal=INT,QUIT");
        if is_root() && !self.as_root {
            command.arg("setpriv").arg(format!("--reuid={RUNNER_UID}")).arg(format!("--regid={RUNNER_GID}"));
            command.arg("--clear-groups");
        }
        command.arg("bash").arg(self.path("run/homelab-runner/scripts").join(script));
        command.env_clear().envs(&self.environment).stdin(Stdio::null());
        command
    }

    pub(super) fn start(&mut self) {
        for file in ["stub/listener.pid", "stub/config.pid"] {
            drop(fs::remove_file(self.path(file)));
        }
        let output = File::options().append(true).create(true).open(self.path("output")).unwrap();
        let errors = File::options().append(true).create(true).open(self.path("errors")).unwrap();
        self.entrypoint = Some(self.command("entrypoint.sh").stdout(output).stderr(errors).spawn().unwrap());
    }

    /// Starts the container and waits for its exit code.
    pub(super) fn run(&mut self) -> i32 {
        self.start();
        self.exit_code()
    }

    pub(super) fn exit_code(&mut self) -> i32 {
        self.ended().code().expect("the entrypoint was ended by a signal")
    }

    fn ended(&mut self) -> ExitStatus {
        let mut entrypoint = self.entrypoint.take().expect("started");
        let status = eventually("the entrypoint to end", || entrypoint.try_wait().unwrap());
        self.end_leftovers();
        status
    }

    pub(super) fn start_online(&mut self) {
        self.start();
        self.wait_for_state(SessionState::Online);
    }

    pub(super) fn session(&self) -> Option<Session> {
        self.read("run/homelab-runner/status/state").parse().ok()
    }

    pub(super) fn wait_for_state(&self, wanted: SessionState) {
        let what = format!("state {wanted}; stderr: {}", self.read("errors"));
        eventually(&what, || self.session().filter(|session| session.state == wanted));
    }

    pub(super) fn wait_for_file(&self, relative: &str) {
        eventually(relative, || self.exists(relative).then_some(()));
    }

    pub(super) fn entrypoint_pid(&self) -> Pid {
        Pid::from_child(self.entrypoint.as_ref().expect("started"))
    }

    pub(super) fn listener_pid(&self) -> Pid {
        eventually("the listener", || self.pid_in("stub/listener.pid"))
    }

    pub(super) fn config_pid(&self) -> Pid {
        eventually("config.sh", || self.pid_in("stub/config.pid"))
    }

    fn pid_in(&self, relative: &str) -> Option<Pid> {
        self.read(relative).trim().parse().ok().and_then(Pid::from_raw)
    }

    pub(super) fn signal(&self, signal: Signal) {
        kill_process(self.entrypoint_pid(), signal).unwrap();
    }

    pub(super) fn stop(&mut self) -> i32 {
        self.signal(Signal::INT);
        self.exit_code()
    }

    /// A power cut for this container: nothing in it gets a chance to do anything.
    pub(super) fn kill_all(&mut self) {
        self.signal(Signal::KILL);
        self.ended();
    }

    /// What a container's end does to its other processes.
    fn end_leftovers(&self) {
        for file in ["stub/listener.pid", "stub/config.pid"] {
            let Some(pid) = self.pid_in(file) else { continue };
            let directory = fs::read_link(format!("/proc/{pid}/cwd")).unwrap_or_default();
            if directory.starts_with(self.root.path()) {
                kill_process(pid, Signal::KILL).ok();
            }
        }
    }

    /// Makes a process visible in the container's /proc.
    pub(super) fn show_process(&self, pid: Pid) {
        std::os::unix::fs::symlink(format!("/proc/{pid}"), self.path(&format!("proc/{pid}"))).unwrap();
    }

    pub(super) fn health(&self) -> Output {
        self.command("health.sh").output().unwrap()
    }

    pub(super) fn config_calls(&self) -> usize {
        self.read("stub/config.calls").lines().count()
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        if let Some(mut entrypoint) = self.entrypoint.take() {
            drop(entrypoint.kill());
            drop(entrypoint.wait());
        }
        self.end_leftovers();
    }
}

/// Written by another process: a descriptor open for writing, inherited by what a parallel test is just starting, would
/// make the kernel refuse to execute the file.
fn executable(path: &Path, text: &str) {
    let source = path.with_extension("source");
    fs::write(&source, text).unwrap();
    let install = Command::new("install").args(["-m", "0755"]).arg(&source).arg(path).status().unwrap();
    assert!(install.success());
}
