//! What a crash leaves behind: nothing of a credential that a process of ours holds, although the limit of core dumps is none and the kernel writes them.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::github_client::bed::CANARY;

/// Without a limit, in `directory`: where core(5) says "core", it is written there.
fn start(directory: &Path, program: &str, arguments: &[String]) -> Child {
    Command::new("sh")
        .args(["-c", "ulimit -c unlimited && exec \"$@\"", "sh", program])
        .args(arguments)
        .current_dir(directory)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn crash(mut process: Child, signal: Signal) -> ExitStatus {
    kill_process(Pid::from_child(&process), signal).unwrap();
    process.wait().unwrap()
}

#[test]
fn a_crash_leaves_no_copy_of_a_credential() {
    // Not SIGSEGV: Rust's own handler passes over one that somebody sent.
    for signal in [Signal::ABORT, Signal::QUIT] {
        let directory = tempfile::tempdir_in("/dev/shm").unwrap();
        let github = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = |name: &str| directory.path().join(name);
        let config = format!(
            "url = \"http://{}/acme/shop\"\n[github]\ncredential = \"pat\"\n",
            github.local_addr().unwrap()
        );
        fs::write(at("config.toml"), config).unwrap();
        fs::write(at("credential"), CANARY).unwrap();
        fs::set_permissions(at("credential"), fs::Permissions::from_mode(0o600)).unwrap();
        let mut arguments = ["unit-step", "prepare", "--runner=4", "--unit-digest=abc", "--registration=x"]
            .map(str::to_owned)
            .to_vec();
        for (option, name) in [
            ("state-dir", "state"),
            ("runtime-dir", "run"),
            ("reports-dir", "reports"),
            ("github", "config.toml"),
            ("credential-file", "credential"),
        ] {
            arguments.push(format!("--{option}={}", at(name).display()));
        }
        let process = start(directory.path(), env!("CARGO_BIN_EXE_runnerctl"), &arguments);
        // It has read the credential, and is about to show it.
        let _question = github.accept().unwrap();
        let ended = crash(process, signal);
        assert_eq!(ended.signal(), Some(signal.as_raw()));
        assert!(!ended.core_dumped(), "{signal:?}: the kernel has written a core");
        let names: Vec<_> =
            fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(!names.iter().any(|name| name.to_string_lossy().contains("core")), "{names:?}");

        let other = start(directory.path(), "sleep", &["60".to_owned()]);
        let name = format!("/proc/{}/comm", other.id());
        while fs::read_to_string(&name).unwrap() != "sleep\n" {
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        let other = crash(other, signal);
        if !other.core_dumped() {
            eprintln!("this kernel writes no core at all here, so nothing was seen");
        }
    }
}
