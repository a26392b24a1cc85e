//! A host with one runner: the steps of its unit as processes, the real entrypoint in their midst, and GitHub simulated.

/// The entrypoint and all that runs below it.
mod container;
/// What runs in the processes of the steps.
mod step;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use homelab_runners::apply::notes;
use homelab_runners::fleet::RunnerPaths;
use homelab_runners::runner::{Notes, SessionState};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::bed::Bed;

pub(crate) use container::Container;

/// What this runner's names at GitHub begin with.
pub(crate) const NAME: &str = "homelab-runner-3";

/// System calls that change what is on the disk, as strace(1) takes them; not every architecture has them all.
const WRITES: &str = "?rename,?renameat,?renameat2,?unlink,?unlinkat,?mkdir,?mkdirat,?rmdir";

/// How the runner comes to its registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// A JIT config for each start.
    Ephemeral,
    /// The host asks GitHub for a registration token.
    Credential,
    /// Somebody has put one into the `.env`.
    TokensFile,
}

pub(crate) struct Host<'a> {
    pub(crate) bed: &'a Bed,
    pub(crate) mode: Mode,
    /// `replace = true`
    pub(crate) replaces: bool,
    /// The listener's own pauses are a hundredth of what they are.
    pub(crate) hurries: bool,
    pat: String,
    /// Its disk, below the bed's directory.
    disk: String,
    /// On a tmpfs, as `/run` is.
    runtime: TempDir,
    starts: u32,
}

impl<'a> Host<'a> {
    /// With an ephemeral runner.
    pub(crate) async fn new(bed: &'a Bed) -> Self {
        Self::with(bed, Mode::Ephemeral, "host").await
    }

    /// `disk` is a name that no other host of the bed has.
    pub(crate) async fn with(bed: &'a Bed, mode: Mode, disk: &str) -> Self {
        let pat = bed.fine_grained_token(json!({ "administration": "write" }), Some(&["shop"])).await;
        let runtime = TempDir::new_in("/dev/shm").unwrap();
        fs::create_dir(bed.directory.path().join(disk)).unwrap();
        Self { bed, mode, replaces: false, hurries: false, pat, disk: disk.to_owned(), runtime, starts: 0 }
    }

    fn at(&self, path: &str) -> PathBuf {
        self.bed.directory.path().join(&self.disk).join(path)
    }

    pub(crate) fn paths(&self) -> RunnerPaths {
        RunnerPaths::new(self.at("state"), self.runtime.path().join("run"))
    }

    pub(crate) fn noted(&self) -> Notes {
        notes::read(&self.paths().ephemeral).unwrap()
    }

    /// All runners that GitHub has, by name.
    pub(crate) async fn at_github(&self) -> Vec<String> {
        let runners = self.bed.get("/runners").await;
        let name = |runner: &Value| runner["name"].as_str().unwrap().to_owned();
        runners.as_array().unwrap().iter().map(name).collect()
    }

    /// How many requests GitHub has had whose path ends like this.
    pub(crate) async fn asked(&self, path: &str) -> usize {
        let journal = self.bed.get("/journal").await;
        journal
            .as_array()
            .unwrap()
            .iter()
            .filter(|request| request["path"].as_str().unwrap().ends_with(path))
            .count()
    }

    /// Puts a registration token into the `.env`.
    pub(crate) async fn write_token(&self) {
        let path = self.at("env");
        fs::write(&path, format!("RUNNER_TOKEN_3={}\n", self.bed.registration_token().await)).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// Starts a step of the unit, as systemd would.
    pub(crate) fn step(&self, step: &str) -> Child {
        self.step_under(&[], step)
    }

    /// The same, killed before it changes the disk for the time with this number.
    pub(crate) fn step_until_write(&self, step: &str, number: u64) -> Child {
        let (trace, inject) =
            (format!("trace={WRITES}"), format!("inject={WRITES}:signal=SIGKILL:when={}", number + 1));
        self.step_under(&["strace", "-f", "-qq", "-o", "/dev/null", "-e", &trace, "-e", &inject], step)
    }

    fn step_under(&self, before: &[&str], step: &str) -> Child {
        let mut words = before.iter().map(Into::into).collect::<Vec<std::ffi::OsString>>();
        words.push(std::env::current_exe().unwrap().into_os_string());
        Command::new(&words[0])
            .args(&words[1..])
            .args(["--ignored", "--exact", "--nocapture", "host::step::a_step_of_the_unit"])
            .env(step::NAME, step)
            .env("STEP_STATE", self.paths().state)
            .env("STEP_RUNTIME", self.paths().runtime)
            .env("STEP_TOKENS", self.at("env"))
            .env("STEP_URL", self.bed.url())
            .env("STEP_PAT", &self.pat)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Runs a step to its end; it has to do well.
    pub(crate) async fn run(&self, step: &str) -> String {
        let child = self.step(step);
        let output: Output =
            tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();
        let said =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{step}: {said}");
        assert!(!said.contains(&self.pat), "{said}");
        said
    }

    /// The step that is `ExecStartPre=`.
    pub(crate) fn prepare(&self) -> &'static str {
        match self.mode {
            Mode::Ephemeral => "prepare",
            Mode::Credential => "prepare-persistent",
            Mode::TokensFile => "prepare-from-file",
        }
    }

    /// `ExecStartPre=` and `ExecStart=`, until the runner is online.
    pub(crate) async fn start(&mut self) -> Container {
        self.run(self.prepare()).await;
        let container = self.start_container();
        container.says(self.bed, SessionState::Online).await;
        container
    }

    /// The same for one that ends; with what exit code?
    pub(crate) async fn start_in_vain(&mut self) -> (i32, Container) {
        self.run(self.prepare()).await;
        let mut container = self.start_container();
        (container.code(self.bed).await, container)
    }
}
