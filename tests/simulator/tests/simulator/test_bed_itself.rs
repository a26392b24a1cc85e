//! Journal, faults and clock.

use std::fs;

use hyper::Method;
use serde_json::{Value, json};

use crate::bed::Bed;
use crate::runner::Runner;

#[tokio::test]
async fn the_journal_shows_no_secret() {
    let bed = Bed::start();
    let token = bed.registration_token().await;
    let runner = Runner::install(&bed, "r1");
    runner.configure(&bed, &token, &["--name", "r1"]).await;
    let _running = runner.start();
    let id = bed.queue("build", &["self-hosted"], &format!("echo printed by mistake: {token}")).await;
    bed.workflow_job_when(id, "completed").await;
    bed.ask_github(Method::GET, &format!("/repos/acme/shop/actions/runners?token={token}"), &token)
        .await
        .unwrap();

    let journal = bed.get("/journal").await;
    let text = journal.to_string();
    assert!(!text.contains(&token), "{text}");
    let key = fs::read_to_string(runner.root.join(".credentials_rsaparams")).unwrap();
    let key: Value = serde_json::from_str(key.trim_start_matches('\u{feff}')).unwrap();
    assert!(!text.contains(key["d"].as_str().unwrap()));
    assert!(!text.contains("eyJ"), "{text}");
    let entries = journal.as_array().unwrap();
    let kinds = |path: &str| {
        let entry = entries.iter().find(|entry| entry["path"].as_str().unwrap().ends_with(path)).unwrap();
        (entry["authorization_kind"].clone(), entry["status"].clone())
    };
    assert_eq!(kinds("/actions/runner-registration"), (json!("RemoteAuth"), json!(200)));
    assert_eq!(kinds("/broker/session"), (json!("Bearer"), json!(200)));
    assert_eq!(kinds("?token=***"), (json!("***"), json!(401)));
}

#[tokio::test]
async fn the_journal_tells_credentials_apart() {
    let bed = Bed::start();
    let [first, second] = [bed.registration_token().await, bed.registration_token().await];
    for authorization in [&first, &second, &first].map(|token| format!("RemoteAuth {token}")) {
        bed.ask_github(Method::POST, "/actions/runner-registration", &authorization).await.unwrap();
    }
    bed.ask_github(Method::GET, "/repos/acme/shop/actions/runs/1/jobs", "").await.unwrap();

    let journal = bed.get("/journal").await;
    let credentials: Vec<&Value> =
        journal.as_array().unwrap().iter().map(|entry| &entry["credential"]).collect();
    assert_eq!(credentials[0].as_str().unwrap().len(), 12);
    assert_ne!(credentials[0], credentials[1]);
    assert_eq!(credentials[0], credentials[2]);
    assert!(credentials[3].is_null());
    let text = journal.to_string();
    assert!(!text.contains(&first) && !text.contains(&second), "{text}");
}

#[tokio::test]
async fn ordered_faults_strike_as_often_as_ordered() {
    let bed = Bed::start();
    let token = bed.registration_token().await;
    let call = async || {
        bed.ask_github(Method::POST, "/actions/runner-registration", &format!("RemoteAuth {token}")).await
    };
    let order = async |fault: Value| bed.ask(Method::POST, "/faults", &fault).await;
    let prefix = "/actions/runner-registration";

    order(json!({ "method": "POST", "path_prefix": prefix, "kind": "status", "status": 503, "times": 1 }))
        .await;
    assert_eq!(call().await.unwrap().status, 503);
    order(json!({ "path_prefix": prefix, "kind": "html", "times": 1 })).await;
    let page = call().await.unwrap();
    assert_eq!(page.status, 200);
    assert!(page.body.starts_with(b"<!DOCTYPE html>"));
    for kind in ["truncate", "reset"] {
        order(json!({ "path_prefix": prefix, "kind": kind, "times": 1 })).await;
        assert!(call().await.is_err(), "{kind}");
    }
    assert_eq!(call().await.unwrap().status, 200);

    order(json!({ "path_prefix": "/", "kind": "status", "status": 429, "retry_after": 7 })).await;
    assert_eq!(call().await.unwrap().status, 429);
    assert_eq!(call().await.unwrap().status, 429);
    bed.ask(Method::DELETE, "/faults", &Value::Null).await;
    assert_eq!(call().await.unwrap().status, 200);
}

#[tokio::test]
async fn routes_are_served_with_and_without_the_prefix_of_an_enterprise_server() {
    let bed = Bed::start();
    let token = bed.registration_token().await;
    let authorization = format!("RemoteAuth {token}");
    for path in ["/repos/acme/shop/actions/runner-groups", "/api/v3/repos/acme/shop/actions/runner-groups"] {
        let answer = bed.ask_github(Method::GET, path, &authorization).await.unwrap();
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.request_id.is_some());
    }
    let foreign =
        bed.ask_github(Method::GET, "/orgs/acme/actions/runner-groups", &authorization).await.unwrap();
    assert_eq!(foreign.status, 404);
}

#[tokio::test]
async fn the_jobs_of_a_run_can_be_listed() {
    let bed = Bed::start();
    let id = bed.queue("build", &["self-hosted"], "true").await;
    let run_id = &bed.workflow_job(id).await["run_id"];
    let path = format!("/repos/acme/shop/actions/runs/{run_id}/jobs");
    let answer = bed.ask_github(Method::GET, &path, "").await.unwrap();
    let jobs: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(jobs["total_count"], 1);
    assert_eq!(jobs["jobs"][0]["status"], "queued");
}

#[tokio::test]
async fn workflow_jobs_can_be_listed_by_run_and_without_logs() {
    let bed = Bed::start();
    let id = bed.queue("build", &["self-hosted"], "true").await;
    bed.queue("other", &["self-hosted"], "true").await;
    let run_id = bed.workflow_job(id).await["run_id"].clone();
    assert_eq!(
        bed.get(&format!("/workflow-jobs?run_id={run_id}")).await,
        json!([bed.workflow_job(id).await])
    );
    let listed = bed.get("/workflow-jobs").await;
    assert!(listed.as_array().unwrap().iter().all(|job| job["log"] == ""), "{listed}");
    let short = bed.get("/workflow-jobs?log=false").await;
    assert_eq!(short.as_array().unwrap().len(), 2);
    assert!(short.as_array().unwrap().iter().all(|job| job.get("log").is_none()), "{short}");
}

#[tokio::test]
async fn a_listening_runner_outlives_its_access_token() {
    let bed = Bed::start();
    let runner = Runner::registered(&bed, "r1", "").await;
    let _running = runner.start();
    bed.runner_when("r1", "online").await;
    bed.advance_clock(4000).await;
    let id = bed.queue("build", &["self-hosted"], "true").await;
    assert_eq!(bed.workflow_job_when(id, "completed").await["conclusion"], "success");
}
