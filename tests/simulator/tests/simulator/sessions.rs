//! Sessions: one per runner, and how they end.

use hyper::Method;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::bed::Bed;
use crate::runner::Runner;

#[tokio::test]
async fn a_second_listener_gives_up_after_eight_conflicts() {
    let bed = Bed::start();
    let first = Runner::registered(&bed, "r1", "").await;
    let _running = first.start();
    bed.runner_when("r1", "online").await;
    let second = Runner::install(&bed, "second").with("STANDIN_TIMESCALE", "300");
    second.copy_identity(&first);
    let mut twin = second.start();
    assert_eq!(twin.code(&bed).await, 5);
    let said = twin.stderr();
    assert_eq!(said.matches("A session for this runner already exists.").count(), 8);
    assert!(said.ends_with("Stop retry on SessionConflictException after retried for 240 seconds.\n"));
}

#[tokio::test]
async fn a_killed_listener_leaves_a_session_that_expires() {
    let bed = Bed::start();
    let runner = Runner::registered(&bed, "r1", "").await.with("STANDIN_TIMESCALE", "60");
    let running = runner.start();
    bed.runner_when("r1", "online").await;
    running.signal(Signal::KILL);
    drop(running);
    let again = runner.start();
    again.says_on_stderr(&bed, "A session for this runner already exists.").await;
    bed.session_expired("r1").await;
    bed.until("listening", async || again.stdout().contains("Listening for Jobs").then_some(())).await;
}

#[tokio::test]
async fn a_runner_that_was_not_heard_of_for_a_minute_is_offline() {
    let bed = Bed::start();
    let runner = Runner::registered(&bed, "r1", "").await;
    let running = runner.start();
    bed.runner_when("r1", "online").await;
    // An open poll is contact, however far the clock is moved.
    bed.advance_clock(120).await;
    assert_eq!(bed.runner("r1").await.unwrap()["status"], "online");
    drop(running);
    bed.session_expired("r1").await;
}

/// The zombie that nobody on its host can see: GitHub does not hear of a session any more whose listener waits for an answer. A new session is heard.
#[tokio::test]
async fn a_session_whose_polls_go_unheard_is_offline_and_its_listener_goes_on_until_it_is_restarted() {
    let bed = Bed::start_with(&["--poll-seconds", "1"]);
    let runner = Runner::registered(&bed, "r1", "").await;
    let mut running = runner.start();
    let session = bed.runner_when("r1", "online").await["session"].as_str().unwrap().to_owned();
    let fault = json!({ "path_prefix": "/broker/message", "query_contains": format!("sessionId={session}"), "kind": "hang" });
    bed.ask(Method::POST, "/faults", &fault).await;
    bed.session_expired("r1").await;
    assert!(running.is_running() && running.stderr().is_empty(), "{}", running.stderr());
    running.signal(Signal::INT);
    assert_eq!(running.code(&bed).await, 0);
    let _again = runner.start();
    let again = bed.runner_when("r1", "online").await;
    assert_ne!(again["session"], session);
}

#[tokio::test]
async fn a_runner_deleted_while_it_listens_wipes_its_files_and_exits_with_0() {
    let bed = Bed::start();
    let runner = Runner::registered(&bed, "r1", "").await;
    let mut running = runner.start();
    bed.runner_when("r1", "online").await;
    bed.ask(Method::DELETE, "/runners/r1", &Value::Null).await;
    assert_eq!(running.code(&bed).await, 0);
    let sentence = "The runner no longer exists on the server. Cleaning up local configuration.\n";
    assert_eq!(running.stderr(), sentence);
    assert!(!runner.has_identity());
}

#[tokio::test]
async fn a_runner_deleted_while_it_is_stopped_exits_with_1() {
    let bed = Bed::start();
    let runner = Runner::registered(&bed, "r1", "").await;
    bed.ask(Method::DELETE, "/runners/r1", &Value::Null).await;
    let mut running = runner.start();
    assert_eq!(running.code(&bed).await, 1);
    let said = running.stderr();
    assert!(said.starts_with(
        "Failed to create a session. The runner registration has been deleted from the server, please re-configure."
    ));
    assert!(runner.has_identity());
}

#[tokio::test]
async fn an_interrupt_deletes_the_session() {
    let bed = Bed::start();
    let runner = Runner::registered(&bed, "r1", "").await;
    let mut running = runner.start();
    bed.runner_when("r1", "online").await;
    bed.until("listening", async || running.stdout().contains("Listening for Jobs").then_some(())).await;
    running.signal(Signal::INT);
    assert_eq!(running.code(&bed).await, 0);
    assert!(running.stdout().ends_with("Exiting...\n"));
    assert_eq!(bed.runner("r1").await.unwrap()["status"], "offline");
    assert!(runner.has_identity());
}

#[tokio::test]
async fn a_termination_leaves_the_session() {
    let bed = Bed::start();
    let runner = Runner::registered(&bed, "r1", "").await;
    let mut running = runner.start();
    bed.runner_when("r1", "online").await;
    bed.until("listening", async || running.stdout().contains("Listening for Jobs").then_some(())).await;
    running.signal(Signal::TERM);
    assert_eq!(running.code(&bed).await, 143);
    assert_eq!(bed.runner("r1").await.unwrap()["status"], "online");
}

#[tokio::test]
async fn a_runner_without_configuration_exits_with_1() {
    let bed = Bed::start();
    let mut running = Runner::install(&bed, "r1").start();
    assert_eq!(running.code(&bed).await, 1);
    let sentence = "An error occurred: Not configured. Run config.(sh/cmd) to configure the runner.\n";
    assert_eq!(running.stderr(), sentence);
}

#[tokio::test]
async fn a_version_that_is_too_old_has_its_own_exit_code_on_request() {
    let bed = Bed::start_with(&["--minimum-runner-version", "2.337.0"]);
    let runner = Runner::registered(&bed, "r1", "").await;
    assert_eq!(runner.start().code(&bed).await, 1);
    let runner = runner.with("ACTIONS_RUNNER_RETURN_VERSION_DEPRECATED_EXIT_CODE", "1");
    assert_eq!(runner.start().code(&bed).await, 7);
}

#[tokio::test]
async fn a_listener_survives_an_outage_and_gives_up_after_ten_failed_polls() {
    let bed = Bed::start();
    let runner = Runner::registered(&bed, "r1", "").await.with("STANDIN_TIMESCALE", "300");
    let fault =
        |times: Value| json!({ "path_prefix": "/broker", "kind": "status", "status": 503, "times": times });
    bed.ask(Method::POST, "/faults", &fault(json!(2))).await;
    let mut running = runner.start();
    bed.runner_when("r1", "online").await;
    bed.until("reconnected", async || running.stdout().contains("Z: Runner reconnected.").then_some(()))
        .await;
    assert_eq!(running.stderr().matches("Retrying until reconnected.").count(), 1);

    bed.ask(Method::POST, "/faults", &fault(Value::Null)).await;
    // A cancelled poll is what makes the listener ask again at once.
    bed.queue("nudge", &["self-hosted"], "true").await;
    assert_eq!(running.code(&bed).await, 2);
    assert!(runner.has_identity());
}
