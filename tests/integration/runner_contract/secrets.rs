//! The registration token is nowhere but in config.sh's environment, for as long as that runs.

#![expect(clippy::unwrap_used, reason = "a failing unwrap is a failing test")]

use std::fs;
use std::path::Path;

use rustix::process::Pid;
use walk::files_below;

use super::container::{Container, TOKEN};

fn process(pid: Pid, file: &str) -> String {
    String::from_utf8_lossy(&fs::read(format!("/proc/{pid}/{file}")).unwrap()).into_owned()
}

#[test]
fn only_config_sh_sees_the_token() {
    let mut container = Container::new();
    container.give_token();
    // Somebody's own variables of these names must not carry it on.
    for name in
        ["registration_token", "token", "line", "ACTIONS_RUNNER_INPUT_TOKEN", "ACTIONS_RUNNER_INPUT_PAT"]
    {
        container.env(name, "already exported");
    }
    container.env("SHELLOPTS", "xtrace");
    container.config_does(&format!(
        "echo \"with $ACTIONS_RUNNER_INPUT_TOKEN inside\"; echo \"{TOKEN}\" >&2; wait_for go
        echo '√ Connected to GitHub'; identity 7"
    ));
    container.start();
    let config = container.config_pid();
    assert!(
        !container.exists("run/homelab-runner/token/registration-token"),
        "unlinked as soon as it is read"
    );
    assert!(process(config, "environ").contains(&format!("ACTIONS_RUNNER_INPUT_TOKEN={TOKEN}\0")));
    assert!(!process(config, "environ").contains("ACTIONS_RUNNER_INPUT_PAT"));
    assert!(!process(container.entrypoint_pid(), "environ").contains(TOKEN));
    for entry in fs::read_dir("/proc").unwrap() {
        let arguments = fs::read(entry.unwrap().path().join("cmdline")).unwrap_or_default();
        assert!(
            !String::from_utf8_lossy(&arguments).contains(TOKEN),
            "the token is in the arguments of a process"
        );
    }
    fs::write(container.path("stub/go"), "").unwrap();
    container.wait_for_state(homelab_runners::runner::SessionState::Online);
    let environment = process(container.listener_pid(), "environ");
    for absent in [TOKEN, "RUNNERCTL_", "ACTIONS_RUNNER_INPUT_", "registration_token"] {
        assert!(!environment.contains(absent), "the listener has {absent} in its environment");
    }
    assert_eq!(container.stop(), 0);
    assert!(container.read("output").contains("with *** inside"), "{}", container.read("output"));
    for file in files_below(&container.path("")) {
        let text = String::from_utf8_lossy(&fs::read(&file).unwrap()).into_owned();
        assert!(!text.contains(TOKEN) || file.ends_with("stub/config"), "the token is in {}", file.display());
    }
}

#[test]
fn other_credentials_are_masked_too_and_never_reach_the_listener() {
    let mut container = Container::new();
    container.give_token();
    container.env("ACCESS_TOKEN", "ghp_0123456789abcdefghij0123456789abcdef");
    container.env("RUNNER_TOKEN_1", "ANOTHERRUNNERSTOKEN2345678ABC");
    container.config_does(
        "echo 'got ghs_0123456789abcdefghij0123456789abcdef and eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiIx.sig and LLBF3JGZDX3P5PMEXLND6TS6FCWO6.'
        identity 7",
    );
    container.start_online();
    assert_eq!(container.read("output").lines().next(), Some("got *** and *** and ***."));
    let environment = process(container.listener_pid(), "environ");
    assert!(!environment.contains("ghp_") && !environment.contains("ANOTHERRUNNERSTOKEN"));
}

#[test]
fn the_identity_is_for_root_alone() {
    use std::os::unix::fs::MetadataExt;
    let mut container = Container::new();
    container.give_token();
    container.start_online();
    for file in files_below(&container.path("run/homelab-runner/identity")) {
        assert_eq!(file.metadata().unwrap().mode() & 0o077, 0, "{}", file.display());
    }
    for file in [".credentials", ".credentials_rsaparams", ".runner"] {
        assert_eq!(container.path("home/runner").join(file).metadata().unwrap().mode() & 0o077, 0, "{file}");
    }
}

mod walk {
    use super::{Path, fs};
    use std::path::PathBuf;

    /// Every regular file below a directory.
    pub(super) fn files_below(directory: &Path) -> Vec<PathBuf> {
        let mut files = Vec::new();
        for entry in fs::read_dir(directory).unwrap() {
            let entry = entry.unwrap();
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                files.extend(files_below(&entry.path()));
            } else if kind.is_file() {
                files.push(entry.path());
            }
        }
        files
    }
}
