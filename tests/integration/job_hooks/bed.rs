//! A workflow job on a runner of a temporary directory: what GitHub's worker would give to the hooks, and what it would take from them.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use homelab_runners::runner::SCRIPTS;
use tempfile::TempDir;

/// Ids that no account of a test host has.
const RUNNER: u32 = 61_201;

pub(super) const URL: &str = "https://reports.example/ci/";

pub(super) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

pub(super) struct WorkflowJob {
    root: TempDir,
    environment: BTreeMap<OsString, OsString>,
    settings: BTreeMap<String, String>,
    /// The mask that the hooks inherit.
    pub(super) umask: &'static str,
}

/// What became of one hook.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) code: Option<i32>,
    pub(super) output: String,
    /// What stands in `$GITHUB_ENV`.
    pub(super) variables: BTreeMap<String, String>,
    /// What stands in `$GITHUB_STEP_SUMMARY`.
    pub(super) summary: String,
}

/// Those that stand in `reports.conf`.
const FLEET_SETTINGS: [&str; 3] = ["layout", "url", "clean_workspace"];

impl WorkflowJob {
    /// Of the workflow `ci`, run 42, on a runner with the default settings.
    pub(super) fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::set_permissions(root.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let mut job = Self { root, environment: BTreeMap::new(), settings: BTreeMap::new(), umask: "022" };
        for directory in [
            "reports",
            "work/_temp",
            "work/shop/shop",
            "work/_tool/node",
            "externals",
            "run/homelab-runner/scripts",
            "run/homelab-runner/status",
        ] {
            fs::create_dir_all(job.path(directory)).unwrap();
        }
        for directory in ["reports", "work/_temp", "work/shop", "work/shop/shop", "work/_tool/node"] {
            job.give(directory);
        }
        for (name, source) in SCRIPTS {
            fs::write(job.path("run/homelab-runner/scripts").join(name), source).unwrap();
        }
        let work = job.path("work").display().to_string();
        for (name, value) in
            [("layout", "{workflow}/{run_id}"), ("url", URL), ("work", &work), ("clean_workspace", "1")]
        {
            job.setting(name, value);
        }
        job.setting("externals", &job.path("externals").display().to_string());
        for (name, value) in [
            ("GITHUB_REPOSITORY", "acme/shop"),
            ("GITHUB_WORKFLOW", "ci"),
            ("GITHUB_RUN_ID", "42"),
            ("GITHUB_RUN_ATTEMPT", "1"),
            ("GITHUB_JOB", "e2e"),
            ("GITHUB_REF", "refs/heads/main"),
            ("GITHUB_SHA", "0a1b2c"),
            ("GITHUB_ACTOR", "octocat"),
            ("RUNNER_NAME", "homelab-runner-1"),
        ] {
            job.env(name, value);
        }
        job.env("PATH", std::env::var_os("PATH").unwrap());
        for (name, path) in [("GITHUB_WORKSPACE", "work/shop/shop"), ("RUNNER_TEMP", "work/_temp")] {
            job.env(name, job.path(path));
        }
        job
    }

    pub(super) fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.root.path().join(relative)
    }

    /// Makes the user `runner` the owner.
    pub(super) fn give(&self, relative: impl AsRef<Path>) {
        if is_root() {
            chown(self.path(relative), Some(RUNNER), Some(RUNNER)).unwrap();
        }
    }

    pub(super) fn env(&mut self, name: &str, value: impl AsRef<OsStr>) {
        self.environment.insert(name.into(), value.as_ref().to_owned());
    }

    pub(super) fn without_env(&mut self, name: &str) {
        self.environment.remove(OsStr::new(name));
    }

    /// What the hooks are told by the host and by the entrypoint.
    pub(super) fn setting(&mut self, name: &str, value: &str) {
        self.settings.insert(name.to_owned(), value.to_owned());
    }

    /// What a step does, as the runner's user and with the variables of the started hook.
    pub(super) fn step(&self, script: &str) {
        let status = self.command().args(["-ec", script]).status().unwrap();
        assert!(status.success(), "{script}");
    }

    /// A program that comes before the host's.
    pub(super) fn program(&mut self, name: &str, script: &str) {
        let directory = self.path("programs");
        fs::create_dir_all(&directory).unwrap();
        self.script(&format!("programs/{name}"), script);
        let mut path = directory.into_os_string();
        path.push(":");
        path.push(&self.environment[OsStr::new("PATH")]);
        self.env("PATH", path);
    }

    /// A script that anybody may run; written by another process, so that no descriptor of a parallel test makes it busy.
    pub(super) fn script(&self, relative: &str, text: &str) -> String {
        let path = self.path(relative);
        let source = path.with_extension("source");
        fs::write(&source, format!("#!/bin/bash\n{text}\n")).unwrap();
        let install = Command::new("install").args(["-m", "0755"]).arg(source).arg(&path).status().unwrap();
        assert!(install.success());
        path.display().to_string()
    }

    pub(super) fn started(&mut self) -> Ended {
        let ended = self.hook("job-started.sh");
        for (name, value) in &ended.variables {
            self.env(name, value);
        }
        ended
    }

    pub(super) fn completed(&self) -> Ended {
        self.hook("job-completed.sh")
    }

    fn hook(&self, name: &str) -> Ended {
        // The host tells what holds for the fleet, the entrypoint the rest.
        for (file, end, is_of_fleet) in [("scripts/reports.conf", "\n", true), ("status/hooks", "\0", false)]
        {
            let is_meant = |name: &str| FLEET_SETTINGS.contains(&name) == is_of_fleet;
            let meant = self.settings.iter().filter(|(name, _)| is_meant(name));
            let lines = meant.flat_map(|(name, value)| [name.as_str(), "=", value.as_str(), end]);
            let text: String = lines.collect();
            fs::write(self.path("run/homelab-runner").join(file), text).unwrap();
        }
        let commands = tempfile::tempdir().unwrap();
        fs::set_permissions(commands.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let mut command = self.command();
        for variable in ["GITHUB_ENV", "GITHUB_STEP_SUMMARY"] {
            let path = commands.path().join(variable);
            fs::write(&path, "").unwrap();
            if is_root() {
                chown(&path, Some(RUNNER), Some(RUNNER)).unwrap();
            }
            if !self.environment.contains_key(OsStr::new(variable)) {
                command.env(variable, path);
            }
        }
        let script = self.path("run/homelab-runner/scripts").join(name);
        let output = command
            .args(["-c", "umask \"$0\"; exec bash -e \"$1\"", self.umask])
            .arg(script)
            .output()
            .unwrap();
        let read = |name: &str| fs::read_to_string(commands.path().join(name)).unwrap();
        Ended {
            code: output.status.code(),
            output: String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned(),
            variables: read("GITHUB_ENV")
                .lines()
                .map(|line| line.split_once('=').unwrap())
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            summary: read("GITHUB_STEP_SUMMARY"),
        }
    }

    /// Bash as the runner's user, in the workspace.
    fn command(&self) -> Command {
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command.arg(format!("--reuid={RUNNER}")).arg(format!("--regid={RUNNER}"));
            command.args(["--clear-groups", "bash"]);
            command
        } else {
            Command::new("bash")
        };
        command.env_clear().envs(&self.environment).stdin(Stdio::null());
        command.current_dir(self.path("work/shop/shop"));
        command
    }

    /// The only workflow job's directory of `WORKFLOW/RUN`.
    pub(super) fn only_directory(&self, parent: &str) -> PathBuf {
        let found = names_in(&self.path("reports").join(parent));
        assert_eq!(found.len(), 1, "{found:?}");
        self.path("reports").join(parent).join(&found[0])
    }
}

impl Ended {
    /// The hook did no harm.
    #[track_caller]
    pub(super) fn without_harm(self) -> Self {
        assert_eq!(self.code, Some(0), "{}", self.output);
        self
    }

    /// The directory that steps are told of.
    pub(super) fn directory(&self) -> PathBuf {
        PathBuf::from(&self.variables["RUNNERCTL_REPORT_DIR"])
    }
}

/// Sorted.
pub(super) fn names_in(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

pub(super) fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}
