//! The machine and process that the runner is in.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use super::VERSION;
use super::console::{Console, Diagnostics};
use super::environment::Environment;
use crate::http_client::HttpClient;

const HTTP_TIMEOUT_SECONDS: u64 = 100;

/// What every command needs.
#[derive(Debug)]
pub(crate) struct Host {
    /// The runner's root: the directory above `bin`.
    pub(crate) root: PathBuf,
    pub(crate) environment: Environment,
    pub(crate) console: Console,
    pub(crate) version: String,
    timescale: f64,
}

impl Host {
    /// Finds the root and opens the log.
    pub(crate) fn new() -> io::Result<Self> {
        let program = std::env::current_exe()?;
        let root = program
            .parent()
            .and_then(Path::parent)
            .ok_or_else(|| io::Error::other("the program is not in the bin directory of a runner"))?
            .to_owned();
        let environment = Environment::load(&root);
        let echoes = environment.get("ACTIONS_RUNNER_PRINT_LOG_TO_STDOUT").is_some_and(|value| value == "1");
        let diagnostics = Diagnostics::open(&root, "Runner", echoes)?;
        let version = environment.get("STANDIN_RUNNER_VERSION").unwrap_or(VERSION).to_owned();
        let timescale = timescale(environment.get("STANDIN_TIMESCALE"));
        let host = Self { root, environment, console: Console { diagnostics }, version, timescale };
        host.count("RunnerProcessStarted");
        Ok(host)
    }

    /// A waiting time, shortened for tests.
    pub(crate) fn scaled(&self, seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds / self.timescale)
    }

    /// Adds a line to `Runner.perf`, the machine-readable trace of what the runner reached.
    pub(crate) fn count(&self, counter: &str) {
        let Some(directory) = self.environment.get("RUNNER_PERFLOG").filter(|value| !value.is_empty()) else {
            return;
        };
        let line = format!("{counter}:{:.7}\n", Timestamp::now());
        let written = std::fs::create_dir_all(directory).and_then(|()| {
            let path = Path::new(directory).join("Runner.perf");
            OpenOptions::new().create(true).append(true).open(path)?.write_all(line.as_bytes())
        });
        if let Err(error) = written {
            self.console.diagnostics.note("HostContext", &format!("cannot write a counter: {error}"));
        }
    }

    pub(crate) fn http_client(&self) -> HttpClient {
        let seconds =
            self.environment.get("GITHUB_ACTIONS_RUNNER_HTTP_TIMEOUT").and_then(|value| value.parse().ok());
        HttpClient {
            user_agent: format!("GitHubActionsRunner-linux-x64/{}", self.version),
            timeout: Duration::from_secs(seconds.unwrap_or(HTTP_TIMEOUT_SECONDS)),
        }
    }

    /// The machine's name, which inside a container is the container's.
    pub(crate) fn machine_name() -> String {
        let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        if name.trim().is_empty() { "localhost".to_owned() } else { name.trim().to_owned() }
    }
}

/// By how much waiting times are divided; nonsense counts as 1.
pub(crate) fn timescale(value: Option<&str>) -> f64 {
    value.and_then(|value| value.parse().ok()).filter(|scale| *scale > 0.0).unwrap_or(1.0)
}
