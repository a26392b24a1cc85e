//! The entrypoint of one container, and all that runs below it.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use homelab_runners::fleet::RunnerPaths;
use homelab_runners::runner::{ENTRYPOINT, Session, SessionState};
use rustix::process::{Pid, Signal, kill_process};

use super::{Host, Mode, NAME};
use crate::bed::Bed;
use crate::runner::Runner;

/// The entrypoint of one container.
pub(crate) struct Container {
    entrypoint: Child,
    root: PathBuf,
    paths: RunnerPaths,
}

impl Host<'_> {
    /// Starts a container: a new file system, and the entrypoint in it.
    pub(crate) fn start_container(&mut self) -> Container {
        self.start_container_until(None)
    }

    /// The same, with the programs that change its files stopped before the one with this number.
    pub(crate) fn start_container_until(&mut self, number: Option<u64>) -> Container {
        self.starts += 1;
        let name = format!("container-{}", self.starts);
        let root = self.at(&name);
        Runner::install(self.bed, &format!("{}/{name}/home/runner", self.disk));
        for directory in ["etc", "proc", "run/homelab-runner", "reports", "programs"] {
            fs::create_dir_all(root.join(directory)).unwrap();
        }
        fs::write(root.join("etc/passwd"), "").unwrap();
        fs::write(root.join("entrypoint.sh"), ENTRYPOINT).unwrap();
        let paths = self.paths();
        for (name, directory) in
            [("identity", &paths.identity), ("token", &paths.token), ("status", &paths.status)]
        {
            symlink(directory, root.join("run/homelab-runner").join(name)).unwrap();
        }
        if let Some(number) = number {
            fs::write(root.join("programs/at"), number.to_string()).unwrap();
            let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/simulator/host/stop-at.sh");
            for program in ["mv", "rm", "sync", "tee"] {
                symlink(&script, root.join("programs").join(program)).unwrap();
            }
        }
        let entrypoint = self.entrypoint(&root, &paths).spawn().unwrap();
        Container { entrypoint, root, paths }
    }

    fn entrypoint(&self, root: &Path, paths: &RunnerPaths) -> Command {
        let output = File::create(root.join("output")).unwrap();
        let path = format!("{}:{}", root.join("programs").display(), std::env::var("PATH").unwrap());
        // A session of its own, so that all of it can be found and killed.
        let mut command = Command::new("setsid");
        command
            // Tests that run in the background of a shell have these ignored, and bash never listens to what was ignored before it.
            .args(["env", "--default-signal=INT,QUIT", "bash"])
            .arg(root.join("entrypoint.sh"))
            .env_clear()
            .env("PATH", path)
            .env("RUNNERCTL_SYSROOT", root)
            .env("RUNNERCTL_URL", self.bed.url())
            .env("RUNNERCTL_NAME", NAME)
            .env("RUNNERCTL_LABELS", "e2e")
            .env("RUNNERCTL_WORK", &paths.work)
            .env("RUNNER_PERFLOG", paths.status.join("perf"))
            .env("STANDIN_KEEP_PORT", "1")
            .stdin(Stdio::null())
            .stderr(output.try_clone().unwrap())
            .stdout(output);
        if self.mode == Mode::TokensFile {
            command.env("RUNNERCTL_TOKEN_NAME", "RUNNER_TOKEN_3");
            command.env("RUNNERCTL_TOKEN_FILE", "/etc/homelab-runners/.env");
        } else {
            command.env("RUNNERCTL_CREDENTIAL_FILE", "/etc/homelab-runners/github-credential");
        }
        if self.mode == Mode::Ephemeral {
            command.env("RUNNERCTL_EPHEMERAL", "1");
        }
        if self.hurries {
            command.env("STANDIN_TIMESCALE", "100");
        }
        if self.replaces {
            command.env("RUNNERCTL_REPLACE", "1");
        }
        command
    }
}

impl Container {
    pub(crate) fn session(&self) -> Option<Session> {
        fs::read_to_string(self.paths.session()).ok()?.parse().ok()
    }

    pub(crate) fn is(&self, state: SessionState) -> bool {
        self.session().is_some_and(|session| session.state == state)
    }

    pub(crate) async fn says(&self, bed: &Bed, state: SessionState) {
        let what = format!("{state}; {}", self.output());
        bed.until(&what, async || self.is(state).then_some(())).await;
    }

    pub(crate) fn output(&self) -> String {
        fs::read_to_string(self.root.join("output")).unwrap_or_default()
    }

    /// Has it come to the program where it was to be stopped?
    pub(crate) fn is_stopped(&self) -> bool {
        self.root.join("programs/stopped").exists()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.entrypoint), signal).unwrap();
    }

    /// The listener's process.
    pub(crate) fn listener(&self) -> Pid {
        child(Pid::from_child(&self.entrypoint), "Runner.Listener")
    }

    /// Ends all of it as a kernel or a power cut does: nothing in it gets to say anything more.
    pub(crate) fn kill(&mut self) {
        // First all are stopped, since one that runs may start another.
        let mut stopped = Vec::new();
        loop {
            let new: Vec<Pid> =
                self.processes().into_iter().filter(|process| !stopped.contains(process)).collect();
            if new.is_empty() {
                break;
            }
            for process in new {
                // It may have ended by itself, which is fine.
                kill_process(process, Signal::STOP).ok();
                stopped.push(process);
            }
        }
        for process in stopped {
            kill_process(process, Signal::KILL).ok();
        }
        drop(self.entrypoint.wait());
    }

    /// All processes of the entrypoint's session, `proc_pid_stat(5)`.
    fn processes(&self) -> Vec<Pid> {
        let session = self.entrypoint.id().to_string();
        let is_of_session = |pid: &i32| {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            let after_name = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
            let mut fields = after_name.split(' ');
            fields.next() != Some("Z") && fields.nth(2) == Some(session.as_str())
        };
        let names = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().file_name());
        let pids = names.filter_map(|name| name.to_str()?.parse().ok());
        pids.filter(is_of_session).filter_map(Pid::from_raw).collect()
    }

    pub(crate) async fn code(&mut self, bed: &Bed) -> i32 {
        let status = bed.until("the end of a container", async || self.entrypoint.try_wait().unwrap()).await;
        status.code().unwrap_or(-1)
    }
}

/// The child of that name.
fn child(parent: Pid, name: &str) -> Pid {
    let children = format!("/proc/{0}/task/{0}/children", parent.as_raw_nonzero());
    let children = fs::read_to_string(children).unwrap();
    let has_name =
        |pid: &&str| fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|found| found.trim() == name);
    let pid = children.split_whitespace().find(has_name).unwrap();
    Pid::from_raw(pid.parse().unwrap()).unwrap()
}

impl Drop for Container {
    fn drop(&mut self) {
        self.kill();
    }
}
