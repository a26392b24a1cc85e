//! Workflow jobs: queue, labels, hooks, cancellation.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use hyper::Method;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::bed::Bed;
use crate::runner::Runner;

/// A script that runs until the file is there.
fn until_there(bed: &Bed, file: &str) -> String {
    format!("until [ -e {} ]; do sleep 0.05; done", bed.directory.path().join(file).display())
}

fn release(bed: &Bed, file: &str) {
    fs::write(bed.directory.path().join(file), "").unwrap();
}

#[tokio::test]
async fn workflow_jobs_run_in_order_of_arrival_where_all_labels_match() {
    let bed = Bed::start();
    let runner = Runner::registered(&bed, "r1", "e2e").await;
    let foreign = bed.queue("foreign", &["self-hosted", "gpu"], "true").await;
    let first = bed.queue("first", &["SELF-HOSTED", "E2E"], "echo one").await;
    let second = bed.queue("second", &["linux"], "echo two").await;
    let _running = runner.start();
    let second = bed.workflow_job_when(second, "completed").await;
    let first = bed.workflow_job(first).await;
    assert_eq!(first["conclusion"], "success");
    assert!(first["completed_at"].as_str() < second["started_at"].as_str(), "{first} {second}");
    assert_eq!(bed.workflow_job(foreign).await["status"], "queued");
}

#[tokio::test]
async fn a_runner_takes_one_workflow_job_at_a_time() {
    let bed = Bed::start();
    let runner = Runner::registered(&bed, "r1", "").await;
    let _running = runner.start();
    let first = bed.queue("first", &["self-hosted"], &until_there(&bed, "go")).await;
    let second = bed.queue("second", &["self-hosted"], "true").await;
    bed.workflow_job_when(first, "in_progress").await;
    assert_eq!(bed.runner("r1").await.unwrap()["busy"], true);
    assert_eq!(bed.workflow_job(second).await["status"], "queued");
    release(&bed, "go");
    bed.workflow_job_when(second, "completed").await;
    assert_eq!(bed.runner("r1").await.unwrap()["busy"], false);
}

#[tokio::test]
async fn four_workflow_jobs_run_on_four_runners_at_once_and_a_fifth_waits() {
    let bed = Bed::start();
    let mut running = Vec::new();
    for number in 1..=4 {
        let name = format!("r{number}");
        running.push(Runner::registered(&bed, &name, "").await.start());
        bed.runner_when(&name, "online").await;
    }
    let mut ids = Vec::new();
    for number in 1..=5 {
        let script = until_there(&bed, &format!("go{number}"));
        ids.push(bed.queue(&format!("job{number}"), &["self-hosted"], &script).await);
    }
    let mut runners = BTreeSet::new();
    for id in &ids[..4] {
        let job = bed.workflow_job_when(*id, "in_progress").await;
        runners.insert(job["runner_name"].as_str().unwrap().to_owned());
    }
    assert_eq!(runners.len(), 4);
    assert_eq!(bed.workflow_job(ids[4]).await["status"], "queued");

    release(&bed, "go2");
    let freed = bed.workflow_job_when(ids[1], "completed").await["runner_name"].clone();
    assert_eq!(bed.workflow_job_when(ids[4], "in_progress").await["runner_name"], freed);
    for number in [1, 3, 4, 5] {
        release(&bed, &format!("go{number}"));
    }
    for id in ids {
        assert_eq!(bed.workflow_job_when(id, "completed").await["conclusion"], "success");
    }
}

#[tokio::test]
async fn an_interrupt_cancels_the_workflow_job_and_waits_for_it() {
    let bed = Bed::start();
    let runner = Runner::registered(&bed, "r1", "").await;
    let mut running = runner.start();
    let marker = bed.directory.path().join("started");
    let steps = json!([
        { "name": "long", "run": format!("touch {}; sleep 300", marker.display()) },
        { "name": "never", "run": "echo never" },
        { "name": "after", "run": format!("echo cleaned; {}", until_there(&bed, "go")), "if": "always()" },
    ]);
    let id = bed.queue_steps("build", &["self-hosted"], steps).await;
    bed.until("the step", async || marker.exists().then_some(())).await;
    running.signal(Signal::INT);
    bed.until("exiting", async || running.stdout().contains("Exiting...").then_some(())).await;
    // Neither a second interrupt nor a step that takes its time ends the listener.
    running.signal(Signal::INT);
    assert!(running.is_running());
    release(&bed, "go");
    assert_eq!(running.code(&bed).await, 0);
    assert!(running.stdout().contains("Z: Job build completed with result: Canceled\n"));
    let job = bed.workflow_job(id).await;
    assert_eq!(job["conclusion"], "cancelled");
    let log = job["log"].as_str().unwrap();
    assert!(log.contains("##[error]The runner has received a shutdown signal."));
    assert!(log.contains("cleaned") && !log.contains("never"), "{log}");
    assert_eq!(bed.runner("r1").await.unwrap()["status"], "offline");
}

#[tokio::test]
async fn a_cancelled_step_that_ignores_signals_is_killed() {
    let bed = Bed::start();
    let runner = Runner::registered(&bed, "r1", "").await.with("STANDIN_TIMESCALE", "50");
    let _running = runner.start();
    let marker = bed.directory.path().join("started");
    let stubborn = format!(
        "trap 'echo int' INT; trap 'echo term' TERM; touch {}; while true; do sleep 0.02 || true; done",
        marker.display()
    );
    let id = bed.queue("stubborn", &["self-hosted"], &stubborn).await;
    bed.until("the step", async || marker.exists().then_some(())).await;
    bed.ask(Method::POST, &format!("/workflow-jobs/{id}/cancel"), &Value::Null).await;
    let job = bed.workflow_job_when(id, "completed").await;
    assert_eq!(job["conclusion"], "cancelled");
    let log = job["log"].as_str().unwrap();
    // Bash itself adds a line about its `sleep` between these.
    for line in ["int", "term", "##[error]The operation was canceled."] {
        assert!(log.lines().any(|said| said == line), "{log}");
    }
}

#[tokio::test]
async fn hooks_run_around_the_steps_and_set_variables_for_them() {
    let bed = Bed::start();
    let hook = |name: &str, text: &str| {
        let path = bed.directory.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        path.display().to_string()
    };
    let started = hook(
        "started.sh",
        "pwd; echo REPORTS=/r >> \"$GITHUB_ENV\"; echo GITHUB_RUN_ID=7 >> \"$GITHUB_ENV\"; echo /extra >> \"$GITHUB_PATH\"\n",
    );
    let completed = hook(
        "completed.sh",
        "echo completed $REPORTS $GITHUB_RUN_ID; echo look here > \"$GITHUB_STEP_SUMMARY\"\n",
    );
    let runner = Runner::registered(&bed, "r1", "")
        .await
        .with("ACTIONS_RUNNER_HOOK_JOB_STARTED", &started)
        .with("ACTIONS_RUNNER_HOOK_JOB_COMPLETED", &completed);
    let _running = runner.start();
    // What the runner provides cannot be changed, and a step may take away the directory of these files.
    let script = "echo step $REPORTS ${PATH%%:*}; pwd; echo $GITHUB_WORKFLOW/$GITHUB_JOB/$RUNNER_NAME; \
                  mv \"${GITHUB_ENV%/*}\" \"$RUNNER_TEMP/x\"; exit 3";
    let id = bed.queue("build", &["self-hosted"], script).await;
    let job = bed.workflow_job_when(id, "completed").await;
    assert_eq!(job["conclusion"], "failure");
    let workspace = runner.root.join("_work/shop/shop").display().to_string();
    let expected = format!(
        "{workspace}\nstep /r /extra\n{workspace}\nci/build/r1\n##[error]Process completed with exit code 3.\n\
         completed /r {}\n",
        job["run_id"]
    );
    assert!(job["log"].as_str().unwrap().contains(&expected), "{}", job["log"]);
    assert_eq!(job["summary"], "look here\n");
}

#[tokio::test]
async fn a_failing_started_hook_fails_the_workflow_job_before_its_steps() {
    let bed = Bed::start();
    let path = bed.directory.path().join("started.sh");
    fs::write(&path, "false\necho unreached\n").unwrap();
    let runner = Runner::registered(&bed, "r1", "")
        .await
        .with("ACTIONS_RUNNER_HOOK_JOB_STARTED", &path.display().to_string());
    let _running = runner.start();
    let id = bed.queue("build", &["self-hosted"], "echo unreached").await;
    let job = bed.workflow_job_when(id, "completed").await;
    assert_eq!(job["conclusion"], "failure");
    assert!(!job["log"].as_str().unwrap().contains("unreached"));
}

#[tokio::test]
async fn work_of_a_killed_runner_is_given_up_when_the_runner_comes_back() {
    let bed = Bed::start();
    let runner = Runner::registered(&bed, "r1", "").await.with("STANDIN_TIMESCALE", "300");
    let running = runner.start();
    let lost = bed.queue("lost", &["self-hosted"], "sleep 300").await;
    bed.workflow_job_when(lost, "in_progress").await;
    // The worker must not be able to report what becomes of the step.
    let fault = json!({ "path_prefix": "/run-service/completejob", "kind": "hang" });
    bed.ask(Method::POST, "/faults", &fault).await;
    drop(running);
    bed.session_expired("r1").await;
    let _again = runner.start();
    let job = bed.workflow_job_when(lost, "completed").await;
    assert_eq!(job["conclusion"], "failure");
    assert!(job["log"].as_str().unwrap().contains("lost communication with the server"));
}

#[tokio::test]
async fn a_workflow_job_that_is_not_picked_up_goes_to_another_runner() {
    let bed = Bed::start();
    let first = Runner::registered(&bed, "r1", "").await;
    let _first = first.start();
    bed.runner_when("r1", "online").await;
    let fault = json!({ "path_prefix": "/run-service/acquirejob", "kind": "hang", "times": 1 });
    bed.ask(Method::POST, "/faults", &fault).await;
    let id = bed.queue("build", &["self-hosted"], "true").await;
    bed.until("the offer", async || {
        Some(bed.workflow_job(id).await).filter(|job| job["runner_name"] == "r1")
    })
    .await;
    let _second = Runner::registered(&bed, "r2", "").await.start();
    bed.runner_when("r2", "online").await;
    assert_eq!(bed.workflow_job(id).await["status"], "queued");
    bed.advance_clock(60).await;
    assert_eq!(bed.workflow_job_when(id, "completed").await["runner_name"], "r2");
}

#[tokio::test]
async fn an_ephemeral_runner_is_gone_after_its_workflow_job() {
    let bed = Bed::start();
    let runner = Runner::install(&bed, "r1");
    let token = bed.registration_token().await;
    runner.configure(&bed, &token, &["--name", "r1", "--ephemeral"]).await;
    let mut running = runner.start();
    let id = bed.queue("build", &["self-hosted"], "true").await;
    bed.workflow_job_when(id, "completed").await;
    assert_eq!(running.code(&bed).await, 0);
    assert!(!runner.has_identity());
    assert!(bed.runner("r1").await.is_none());
}
