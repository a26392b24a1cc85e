//! A host with one ephemeral runner: the steps of its unit as processes, the real entrypoint in their midst, and GitHub simulated.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use homelab_runners::apply::notes;
use homelab_runners::config::{ApiUrl, GithubUrl, PersonalAccessToken, Proxy, RegistrationToken};
use homelab_runners::fleet::RunnerPaths;
use homelab_runners::github::{Client, Connection, Credential, TimeLimits};
use homelab_runners::runner::{ENTRYPOINT, Notes, Session, SessionState, all_labels};
use homelab_runners::unit_step::{
    EndNoted, Jit, Mint, Prepare, TokenOrigin, Wanted, end_registration, prepare, renew,
};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::bed::Bed;
use crate::runner::Runner;

/// What this runner's names at GitHub begin with.
pub(crate) const NAME: &str = "homelab-runner-3";

/// The steps' own variables.
const STEP: &str = "EPHEMERAL_STEP";

pub(crate) struct Host<'a> {
    pub(crate) bed: &'a Bed,
    pat: String,
    /// On a tmpfs, as `/run` is.
    runtime: TempDir,
    starts: u32,
}

/// The entrypoint of one container.
pub(crate) struct Container {
    entrypoint: Child,
    root: PathBuf,
    paths: RunnerPaths,
}

impl<'a> Host<'a> {
    pub(crate) async fn new(bed: &'a Bed) -> Self {
        let pat = bed.fine_grained_token(json!({ "administration": "write" }), Some(&["shop"])).await;
        Self { bed, pat, runtime: TempDir::new_in("/dev/shm").unwrap(), starts: 0 }
    }

    pub(crate) fn paths(&self) -> RunnerPaths {
        RunnerPaths::new(self.bed.directory.path().join("state"), self.runtime.path().join("run"))
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

    /// Starts a step of the unit, as systemd would.
    pub(crate) fn step(&self, step: &str) -> Child {
        Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "--nocapture", "ephemeral_host::a_step_of_the_unit"])
            .env(STEP, step)
            .env("STEP_STATE", self.paths().state)
            .env("STEP_RUNTIME", self.paths().runtime)
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

    /// Starts a container: a new file system, and the entrypoint in it.
    pub(crate) fn start_container(&mut self) -> Container {
        self.starts += 1;
        let name = format!("container-{}", self.starts);
        let root = self.bed.directory.path().join(&name);
        Runner::install(self.bed, &format!("{name}/home/runner"));
        for directory in ["etc", "proc", "run/homelab-runner", "reports"] {
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
        let output = File::create(root.join("output")).unwrap();
        let entrypoint = Command::new("env")
            // Tests that run in the background of a shell have these ignored, and bash never listens to what was ignored before it.
            .args(["--default-signal=INT,QUIT", "bash"])
            .arg(root.join("entrypoint.sh"))
            .env_clear()
            .env("PATH", std::env::var("PATH").unwrap())
            .env("RUNNERCTL_SYSROOT", &root)
            .env("RUNNERCTL_URL", self.bed.url())
            .env("RUNNERCTL_NAME", NAME)
            .env("RUNNERCTL_WORK", &paths.work)
            .env("RUNNERCTL_CREDENTIAL_FILE", "/etc/homelab-runners/github-credential")
            .env("RUNNERCTL_EPHEMERAL", "1")
            .env("RUNNER_PERFLOG", paths.status.join("perf"))
            .env("STANDIN_KEEP_PORT", "1")
            .stdin(Stdio::null())
            .stderr(output.try_clone().unwrap())
            .stdout(output)
            .spawn()
            .unwrap();
        Container { entrypoint, root, paths }
    }

    /// `ExecStartPre=` and `ExecStart=`, until the runner is online.
    pub(crate) async fn start(&mut self) -> Container {
        self.run("prepare").await;
        let container = self.start_container();
        container.says(self.bed, SessionState::Online).await;
        container
    }
}

impl Container {
    pub(crate) fn session(&self) -> Option<Session> {
        fs::read_to_string(self.paths.session()).ok()?.parse().ok()
    }

    pub(crate) async fn says(&self, bed: &Bed, state: SessionState) {
        let what = format!("{state}; {}", self.output());
        bed.until(&what, async || self.session().filter(|session| session.state == state)).await;
    }

    pub(crate) fn output(&self) -> String {
        fs::read_to_string(self.root.join("output")).unwrap_or_default()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.entrypoint), signal).unwrap();
    }

    /// The listener's process.
    pub(crate) fn listener(&self) -> Pid {
        child(Pid::from_child(&self.entrypoint), "Runner.Listener")
    }

    /// Ends all of it as a kernel or a power cut does: nothing in it gets to say anything more.
    pub(crate) fn kill_at_work(self) {
        let listener = self.listener();
        self.signal(Signal::STOP);
        for (process, signal) in [
            (listener, Signal::STOP),
            (child(listener, "Runner.Worker"), Signal::KILL),
            (listener, Signal::KILL),
        ] {
            kill_process(process, signal).unwrap();
        }
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
        // It may have ended by itself, which is fine.
        drop(self.entrypoint.kill());
        drop(self.entrypoint.wait());
    }
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap()
}

fn client() -> Client {
    let url: GithubUrl = variable("STEP_URL").parse().unwrap();
    let limits = TimeLimits {
        request: Duration::from_secs(2),
        first_pause: Duration::from_millis(10),
        ..TimeLimits::default()
    };
    let connection = Connection { limits, ..Connection::new(Proxy::default(), None) };
    let pat = PersonalAccessToken::parse(&variable("STEP_PAT")).ok().unwrap();
    Client::new(&url, &ApiUrl::of(&url), Credential::Pat(pat), &connection).unwrap()
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn end() -> EndNoted {
    Box::new(|noted| block_on(notes::end_all(&client(), noted)))
}

fn origin(step: &str, paths: &RunnerPaths) -> TokenOrigin {
    if step == "prepare-persistent" {
        let ask = Box::new(|| Ok(RegistrationToken::from_github("A".repeat(29).into()).unwrap()));
        return TokenOrigin::Github(Mint { registration: String::new(), ask, end: end() });
    }
    let wanted = Wanted {
        labels: all_labels(&["e2e".to_owned()], false),
        runner_group: None,
        work_folder: paths.work.display().to_string(),
    };
    let renew = Box::new(move |old: &Notes, name: &str| block_on(renew(&client(), &wanted, old, name)));
    TokenOrigin::Jit(Jit { name: NAME.to_owned(), renew })
}

/// Not a test: what [`Host::step`] starts, so that it can be killed.
#[test]
#[ignore = "a process of other tests"]
fn a_step_of_the_unit() {
    let Ok(step) = std::env::var(STEP) else { return };
    let paths = RunnerPaths::new(variable("STEP_STATE").into(), variable("STEP_RUNTIME").into());
    if step == "end-registration" {
        println!("left: {:?}", end_registration(&paths, &end()).unwrap());
        return;
    }
    let said = prepare(&Prepare {
        runner: 3,
        unit_digest: "abc".to_owned(),
        token: origin(&step, &paths),
        reports: paths.state.join("reports"),
        paths,
        ids: None,
        unmapped: false,
    });
    println!("said: {:?}", said.unwrap());
}
