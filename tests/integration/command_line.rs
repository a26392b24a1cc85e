//! `runnerctl` as people and scripts call it: what it prints, how it ends, what it leaves on the disk.
//!
//! Everything happens below a `--root` of the test's own, and no bus can be reached.

mod check;
mod credential;
mod doctor;
mod init;
mod install;
mod lookup;
mod prune;
mod reports;
mod tokens;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use assert_cmd::assert::Assert;
use tempfile::TempDir;

/// No output of any command may hold it: it stands for a registration token.
const CANARY: &str = "CANARYTOKENCANARYTOKENCANARYT";

/// `runnerctl` in an environment that leads it to nothing of this host.
pub(crate) fn runnerctl() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_runnerctl"));
    command
        .env_clear()
        .env("PATH", "/nonexistent")
        .env("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus")
        .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus");
    command
}

/// A directory that stands for `/`.
pub(crate) struct Below(TempDir);

impl Below {
    pub(crate) fn empty() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// With a config and, for each of its runners, a token.
    pub(crate) fn with_config(config: &str) -> Self {
        let below = Self::empty();
        below.write_config(config);
        let tokens: Vec<String> = (1..=9).map(|n| format!("RUNNER_TOKEN_{n}={CANARY}{n}")).collect();
        below.write_tokens(&tokens.join("\n"), 0o600);
        below
    }

    pub(crate) fn at(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write_config(&self, text: &str) {
        self.write("etc/homelab-runners/config.toml", text);
    }

    pub(crate) fn write_tokens(&self, text: &str, mode: u32) {
        let path = "etc/homelab-runners/.env";
        self.write(path, text);
        fs::set_permissions(self.at(path), fs::Permissions::from_mode(mode)).unwrap();
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        fs::create_dir_all(self.at(path).parent().unwrap()).unwrap();
        fs::write(self.at(path), text).unwrap();
    }

    /// Calls `runnerctl --root` with `arguments`, split at blanks.
    pub(crate) fn run(&self, arguments: &str) -> Called {
        let mut command = runnerctl();
        command.arg("--root").arg(self.path()).args(arguments.split_whitespace());
        Called::from(command.assert())
    }
}

/// How a call ended.
pub(crate) struct Called {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Assert> for Called {
    fn from(assert: Assert) -> Self {
        let output = assert.get_output();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let called = Self {
            code: output.status.code().expect("ends by itself"),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        };
        assert!(!called.all().contains("CANARY"), "a token is shown:\n{}", called.all());
        assert!(!called.all().contains("panicked"), "{}", called.all());
        called
    }
}

impl Called {
    fn all(&self) -> String {
        format!("{}\n{}", self.stdout, self.stderr)
    }

    #[track_caller]
    pub(crate) fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}", self.all());
        self
    }

    /// Standard error has every one of these.
    #[track_caller]
    pub(crate) fn says(self, parts: &[&str]) -> Self {
        for part in parts {
            assert!(self.stderr.contains(part), "{part:?} is not said:\n{}", self.all());
        }
        self
    }
}
