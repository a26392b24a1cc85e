//! `config.sh` and `run.sh`: the refusal to run as root, hidden exit codes, translated signals.

use std::process::Command;

use hyper::Method;
use rustix::process::Signal;
use serde_json::Value;

use crate::bed::Bed;
use crate::runner::Runner;

#[tokio::test]
async fn run_sh_hides_that_the_registration_was_deleted() {
    let bed = Bed::start();
    let runner = Runner::registered(&bed, "r1", "").await;
    bed.ask(Method::DELETE, "/runners/r1", &Value::Null).await;
    let mut running = runner.start_program("run.sh", &[]);
    assert_eq!(running.code(&bed).await, 0);
    assert!(running.stdout().contains("exit with terminated error, stop the service, no retry needed."));
    assert!(running.stdout().ends_with("Exiting runner...\n"));
}

#[tokio::test]
async fn run_sh_turns_a_termination_into_an_interrupt_when_it_traps_signals() {
    let bed = Bed::start();
    let runner = Runner::registered(&bed, "r1", "").await.with("RUNNER_MANUALLY_TRAP_SIG", "1");
    let mut running = runner.start_program("run.sh", &[]);
    bed.runner_when("r1", "online").await;
    bed.until("listening", async || running.stdout().contains("Listening for Jobs").then_some(())).await;
    running.signal(Signal::TERM);
    assert_eq!(running.code(&bed).await, 143);
    assert!(running.stdout().contains("Exiting...\n"));
    assert_eq!(bed.runner("r1").await.unwrap()["status"], "offline");
}

#[tokio::test]
async fn config_sh_refuses_root_unless_allowed() {
    let user = Command::new("id").arg("-u").output().unwrap();
    let bed = Bed::start();
    let runner = Runner::install(&bed, "r1").with("RUNNER_ALLOW_RUNASROOT", "");
    let refused = runner.configure(&bed, "garbage", &["--name", "r1"]).await;
    assert_eq!(refused.status.code(), Some(1));
    let is_root = user.stdout.trim_ascii() == b"0";
    assert_eq!(refused.stdout.starts_with(b"Must not run with sudo\n"), is_root);
}

#[tokio::test]
async fn the_listener_tells_its_version_and_commit() {
    let bed = Bed::start();
    let runner = Runner::install(&bed, "r1");
    assert_eq!(runner.output("bin/Runner.Listener", &["--version"]).await.stdout, b"2.336.0\n");
    assert_eq!(runner.output("bin/Runner.Listener", &["--commit"]).await.stdout.len(), 41);
}
