//! A runner's root, laid out like the real one, and the listener as a process.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};

use rustix::process::{Pid, Signal, kill_process};

use crate::bed::Bed;

const SCRIPTS: [&str; 4] = ["config.sh", "env.sh", "run.sh", "run-helper.sh"];
const IDENTITY: [&str; 3] = [".runner", ".credentials", ".credentials_rsaparams"];

/// A runner that is installed but not necessarily configured or running.
pub(crate) struct Runner {
    pub(crate) root: PathBuf,
    variables: Vec<(String, String)>,
}

impl Runner {
    /// Installs the programs and scripts below the bed's directory.
    pub(crate) fn install(bed: &Bed, name: &str) -> Self {
        let root = bed.directory.path().join(name);
        fs::create_dir_all(root.join("bin")).unwrap();
        // A link, since a copy could still be open for writing in a fork of another test's thread.
        fs::hard_link(env!("CARGO_BIN_EXE_runner-listener"), root.join("bin/Runner.Listener")).unwrap();
        fs::hard_link(env!("CARGO_BIN_EXE_runner-worker"), root.join("bin/Runner.Worker")).unwrap();
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("runner-root");
        for script in SCRIPTS {
            fs::hard_link(scripts.join(script), root.join(script))
                .or_else(|_| fs::copy(scripts.join(script), root.join(script)).map(|_| ()))
                .unwrap();
        }
        Self { root, variables: Vec::new() }
            .with("STANDIN_KEEP_PORT", "1")
            .with("RUNNER_ALLOW_RUNASROOT", "1")
            .with("ACTIONS_RUNNER_PRINT_LOG_TO_STDOUT", "")
    }

    /// Sets a variable for everything that is started here.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A runner that is configured with a fresh token.
    pub(crate) async fn registered(bed: &Bed, name: &str, labels: &str) -> Self {
        let runner = Self::install(bed, name);
        let token = bed.registration_token().await;
        let configured = runner.configure(bed, &token, &["--name", name, "--labels", labels]).await;
        assert!(configured.status.success(), "{configured:?}");
        runner
    }

    /// Runs `config.sh --unattended` with the token in the environment.
    pub(crate) async fn configure(&self, bed: &Bed, token: &str, arguments: &[&str]) -> Output {
        let mut command = self.command("config.sh");
        command.args(["--unattended", "--url", &bed.url()]).args(arguments);
        command.env("ACTIONS_RUNNER_INPUT_TOKEN", token);
        output(command).await
    }

    /// Runs a program of the root to its end.
    pub(crate) async fn output(&self, program: &str, arguments: &[&str]) -> Output {
        let mut command = self.command(program);
        command.args(arguments);
        output(command).await
    }

    /// Starts `bin/Runner.Listener run`.
    pub(crate) fn start(&self) -> Running {
        self.start_program("bin/Runner.Listener", &["run"])
    }

    pub(crate) fn start_program(&self, program: &str, arguments: &[&str]) -> Running {
        let file = |name: &str| File::create(self.root.join(name)).unwrap();
        let mut command = self.command(program);
        command.args(arguments).stdout(file("stdout")).stderr(file("stderr"));
        Running { child: command.spawn().unwrap(), root: self.root.clone() }
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.root.join(program));
        command.current_dir(&self.root).envs(self.variables.iter().cloned());
        command
    }

    /// Whether the files of the runner's identity are all there, or all gone.
    pub(crate) fn has_identity(&self) -> bool {
        let there: Vec<bool> = IDENTITY.iter().map(|name| self.root.join(name).exists()).collect();
        assert!(there.iter().all(|one| *one == there[0]), "an incomplete identity: {there:?}");
        there[0]
    }

    /// Takes over the identity of another runner, as a restored backup would.
    pub(crate) fn copy_identity(&self, other: &Self) {
        for name in IDENTITY {
            fs::copy(other.root.join(name), self.root.join(name)).unwrap();
        }
    }
}

async fn output(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

/// A process of a runner; killed when it is dropped.
pub(crate) struct Running {
    child: Child,
    root: PathBuf,
}

impl Running {
    pub(crate) fn stdout(&self) -> String {
        fs::read_to_string(self.root.join("stdout")).unwrap()
    }

    pub(crate) fn stderr(&self) -> String {
        fs::read_to_string(self.root.join("stderr")).unwrap()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for the process to end and returns its exit code.
    pub(crate) async fn code(&mut self, bed: &Bed) -> i32 {
        let status = bed.until("the end of a process", async || self.child.try_wait().unwrap()).await;
        status.code().expect("a process was killed by a signal")
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits until the standard error holds this text.
    pub(crate) async fn says_on_stderr(&self, bed: &Bed, text: &str) {
        bed.until(text, async || self.stderr().contains(text).then_some(())).await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself, which is fine.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
