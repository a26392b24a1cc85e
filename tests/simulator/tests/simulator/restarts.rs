//! What the simulator keeps when its process ends, and what it forgets.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use hyper::Method;
use serde_json::{Value, json};

use crate::bed::Bed;
use crate::github_app::GitHubApp;
use crate::runner::Runner;

/// An address of its own for each test here: on the one that all others use, somebody else could get the port while
/// the simulator is away.
fn start(listen: &str) -> Bed {
    Bed::start_at(listen, &["--state", "state.json"])
}

#[tokio::test]
async fn registrations_tokens_and_clock_outlive_a_restart_and_the_rest_does_not() {
    let mut bed = start("127.0.0.2:0");
    let runner = Runner::registered(&bed, "r1", "e2e").await;
    let running = runner.start();
    bed.runner_when("r1", "online").await;
    bed.advance_clock(4000).await;
    let token = bed.registration_token().await;
    bed.queue("build", &["gpu"], "true").await;
    bed.ask(Method::POST, "/faults", &json!({ "path_prefix": "/orgs", "kind": "hang" })).await;
    let mut before = bed.runner("r1").await.unwrap();
    drop(running);
    bed.restart();

    let after = bed.runner("r1").await.unwrap();
    for (key, of_its_session) in [("status", json!("offline")), ("session", json!(null))] {
        assert_ne!(std::mem::replace(&mut before[key], of_its_session.clone()), of_its_session);
    }
    assert_eq!(after, before);
    assert_eq!(bed.get("/clock").await["offset_seconds"], 4000);
    assert_eq!(bed.get("/workflow-jobs").await, json!([]));
    assert_eq!(bed.get("/journal").await, json!([]));
    let authorization = format!("RemoteAuth {token}");
    let exchanged = bed.ask_github(Method::POST, "/actions/runner-registration", &authorization).await;
    assert_eq!(exchanged.unwrap().status, 200);
    assert_eq!(bed.ask_github(Method::GET, "/orgs/acme/actions/runners", "").await.unwrap().status, 401);

    let _running = runner.start();
    bed.runner_when("r1", "online").await;
    let journal = bed.get("/journal").await.to_string();
    assert!(!journal.contains("/actions/runners/register"), "{journal}");
    let second = Runner::registered(&bed, "r2", "").await;
    assert!(second.has_identity());
    assert!(bed.runner("r2").await.unwrap()["id"].as_u64() > before["id"].as_u64());
}

#[tokio::test]
async fn credentials_of_every_kind_outlive_a_restart() {
    let mut bed = start("127.0.0.6:0");
    bed.make_private("shop").await;
    let pat = bed.classic_token(&["repo"]).await;
    let app = GitHubApp::create(&bed).await;
    let installation = app.install(&bed, json!({ "administration": "write" }), None).await;
    let issued = app.access_token(&bed, installation, &json!({})).await.body;
    let runners = "/repos/acme/shop/actions/runners";
    let request = json!({ "name": "r1", "runner_group_id": 1, "labels": ["self-hosted"] });
    let path = format!("{runners}/generate-jitconfig");
    let generated = bed.call_json(Method::POST, &path, &pat, &request).await.body;
    bed.restart();

    for token in [&pat, issued["token"].as_str().unwrap()] {
        assert_eq!(bed.call_get(runners, token).await.body["runners"][0], generated["runner"]);
    }
    assert_eq!(bed.call_get(runners, "").await.status, 404);
    assert_eq!(app.access_token(&bed, installation, &json!({})).await.status, 201);
    let runner = Runner::install(&bed, "r1");
    let encoded = generated["encoded_jit_config"].as_str().unwrap();
    let _running = runner.start_program("bin/Runner.Listener", &["run", "--jitconfig", encoded]);
    bed.runner_when("r1", "online").await;
}

#[tokio::test]
async fn a_listening_runner_comes_back_by_itself_after_a_restart() {
    let mut bed = start("127.0.0.3:0");
    let runner = Runner::registered(&bed, "r1", "").await.with("STANDIN_TIMESCALE", "60");
    let mut running = runner.start();
    bed.runner_when("r1", "online").await;
    bed.restart();
    bed.runner_when("r1", "online").await;
    let id = bed.queue("build", &["self-hosted"], "true").await;
    assert_eq!(bed.workflow_job_when(id, "completed").await["conclusion"], "success");
    assert!(running.is_running());
}

#[tokio::test]
async fn a_removed_runner_stays_removed() {
    let mut bed = start("127.0.0.4:0");
    Runner::registered(&bed, "r1", "").await;
    bed.ask(Method::DELETE, "/runners/r1", &Value::Null).await;
    bed.restart();
    assert_eq!(bed.get("/runners").await, json!([]));
}

#[tokio::test]
async fn a_runner_that_was_away_before_a_restart_is_still_away_after_it() {
    const EIGHT_DAYS: u64 = 8 * 24 * 3600;
    let mut bed = start("127.0.0.5:0");
    let stays = Runner::registered(&bed, "stays", "").await;
    Runner::registered(&bed, "leaves", "").await;
    let running = stays.start();
    bed.runner_when("stays", "online").await;
    bed.advance_clock(EIGHT_DAYS).await;
    assert_eq!(bed.runner("stays").await.unwrap()["status"], "online");
    bed.restart();
    drop(running);
    bed.advance_clock(EIGHT_DAYS).await;
    assert!(bed.runner("stays").await.is_some());
    assert!(bed.runner("leaves").await.is_none());
}

#[tokio::test]
async fn only_the_owner_can_read_the_state_and_without_a_state_file_nothing_is_written() {
    for is_wanted in [true, false] {
        let bed = if is_wanted { start("127.0.0.1:0") } else { Bed::start() };
        Runner::registered(&bed, "r1", "").await;
        let mut names: Vec<_> =
            fs::read_dir(bed.directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        if is_wanted {
            assert_eq!(names, ["r1", "state.json"]);
            let metadata = fs::metadata(bed.directory.path().join("state.json")).unwrap();
            assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
        } else {
            assert_eq!(names, ["r1"]);
        }
    }
}

#[test]
fn a_state_file_that_cannot_be_read_is_named_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state.json");
    fs::write(&path, "{\"last_id\":").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_github-simulator"))
        .args(["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--state"])
        .arg(&path)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains(&path.display().to_string()), "{said}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "{\"last_id\":");
}
