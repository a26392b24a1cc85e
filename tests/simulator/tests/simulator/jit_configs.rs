//! Labels and JIT configurations.

use hyper::Method;
use serde_json::{Value, json};

use crate::bed::Bed;
use crate::client::Reply;
use crate::runner::Runner;

const RUNNERS: &str = "/repos/acme/shop/actions/runners";

async fn generate(bed: &Bed, pat: &str, name: &str) -> Reply {
    let labels = json!(["self-hosted", "Linux", "X64", "e2e"]);
    let body = json!({ "name": name, "runner_group_id": 1, "labels": labels, "work_folder": "_work" });
    bed.call_json(Method::POST, &format!("{RUNNERS}/generate-jitconfig"), pat, &body).await
}

fn config(reply: &Reply) -> String {
    assert_eq!(reply.status, 201, "{reply:?}");
    reply.body["encoded_jit_config"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_jit_config_runs_one_workflow_job_and_leaves_nothing() {
    let bed = Bed::start();
    let pat = bed.fine_grained_token(json!({ "administration": "write" }), Some(&["shop"])).await;
    for way in ["argument", "environment"] {
        let generated = generate(&bed, &pat, "r1-jit").await;
        let runner = &generated.body["runner"];
        assert_eq!(
            (&runner["status"], &runner["os"], &runner["version"]),
            (&json!("offline"), &json!("unknown"), &Value::Null)
        );
        assert_eq!(runner["ephemeral"], true);
        let kinds: Vec<&Value> =
            runner["labels"].as_array().unwrap().iter().map(|label| &label["type"]).collect();
        assert_eq!(kinds, ["read-only", "read-only", "read-only", "custom"]);

        let encoded = config(&generated);
        let installed = Runner::install(&bed, way);
        let (installed, arguments) = match way {
            "argument" => (installed, vec!["run", "--jitconfig", &encoded]),
            _ => (installed.with("ACTIONS_RUNNER_INPUT_JITCONFIG", &encoded), vec!["run"]),
        };
        let mut running = installed.start_program("bin/Runner.Listener", &arguments);
        bed.runner_when("r1-jit", "online").await;
        let path = format!("{RUNNERS}?name=r1-jit");
        assert_eq!(bed.call_get(&path, &pat).await.body["runners"][0]["os"], "Linux");
        // No child of the listener gets to see the configuration.
        let id = bed.queue("build", &["self-hosted", "e2e"], "env | grep -ic jitconfig || true").await;
        let job = bed.workflow_job_when(id, "completed").await;
        assert_eq!((&job["conclusion"], &job["runner_name"]), (&json!("success"), &json!("r1-jit")));
        assert!(job["log"].as_str().unwrap().contains("0\n"), "{job}");
        assert_eq!(running.code(&bed).await, 0);
        assert!(!installed.has_identity());
        assert!(bed.runner("r1-jit").await.is_none());
    }
}

#[tokio::test]
async fn a_jit_config_that_was_generated_and_lost_can_be_found_by_its_name_and_removed() {
    let bed = Bed::start();
    let pat = bed.classic_token(&["repo"]).await;
    let fault = json!({ "method": "POST", "path_prefix": RUNNERS, "kind": "answer_lost", "times": 1 });
    bed.ask(Method::POST, "/faults", &fault).await;
    let path = format!("{RUNNERS}/generate-jitconfig");
    let lost = bed
        .ask_github_json(&path, &pat, &json!({ "name": "r1", "runner_group_id": 1, "labels": ["a"] }))
        .await;
    assert!(lost.is_err(), "{lost:?}");
    let refused = generate(&bed, &pat, "R1").await;
    assert_eq!(
        (refused.status, refused.message()),
        (409, "Already exists - A runner with the name R1 already exists.")
    );
    let id = bed.call_get(&format!("{RUNNERS}?name=r1"), &pat).await.body["runners"][0]["id"].clone();
    assert_eq!(bed.call(Method::DELETE, &format!("{RUNNERS}/{id}"), &pat).await.status, 204);
    config(&generate(&bed, &pat, "R1").await);
}

#[tokio::test]
async fn a_request_for_a_jit_config_is_checked() {
    let bed = Bed::start();
    let pat = bed.classic_token(&["repo"]).await;
    let many: Vec<String> = (0..101).map(|number| format!("l{number}")).collect();
    let cases = [
        (json!({ "name": "r1", "runner_group_id": 1, "labels": [] }), 422),
        (json!({ "name": "r1", "runner_group_id": 1, "labels": many }), 422),
        (json!({ "name": "r1", "labels": ["a"] }), 422),
        (json!({ "name": "n".repeat(65), "runner_group_id": 1, "labels": ["a"] }), 422),
        (json!({ "name": "r1", "runner_group_id": 7, "labels": ["a"] }), 404),
    ];
    for (body, status) in cases {
        let path = format!("{RUNNERS}/generate-jitconfig");
        let refused = bed.call_json(Method::POST, &path, &pat, &body).await;
        assert_eq!(refused.status, status, "{body}");
    }
    assert_eq!(bed.get("/runners").await, json!([]));
}

#[tokio::test]
async fn a_listener_refuses_a_jit_config_that_it_cannot_read() {
    let bed = Bed::start();
    let runner = Runner::install(&bed, "r1");
    let mut running = runner.start_program("bin/Runner.Listener", &["run", "--jitconfig", "garbage!"]);
    assert_eq!(running.code(&bed).await, 1);
    assert!(!runner.has_identity());
}

#[tokio::test]
async fn custom_labels_come_and_go_and_read_only_ones_stay() {
    let bed = Bed::start();
    let pat = bed.classic_token(&["repo"]).await;
    Runner::registered(&bed, "r1", "e2e").await;
    let path = format!("{RUNNERS}/{}/labels", bed.runner("r1").await.unwrap()["id"]);
    let names = |reply: &Reply| -> Vec<String> {
        assert_eq!(reply.status, 200, "{reply:?}");
        let labels = reply.body["labels"].as_array().unwrap();
        assert_eq!(reply.body["total_count"], labels.len());
        labels.iter().skip(3).map(|label| label["name"].as_str().unwrap().to_owned()).collect()
    };
    let change = async |method: Method, labels: Value| {
        bed.call_json(method, &path, &pat, &json!({ "labels": labels })).await
    };
    assert_eq!(names(&bed.call_get(&path, &pat).await), ["e2e"]);
    assert_eq!(names(&change(Method::POST, json!(["big", "E2E", "Linux"])).await), ["e2e", "big"]);
    assert_eq!(names(&change(Method::PUT, json!(["new", "big"])).await), ["new", "big"]);
    assert_eq!(names(&bed.call(Method::DELETE, &format!("{path}/NEW"), &pat).await), ["big"]);
    assert_eq!(names(&change(Method::PUT, json!([])).await), [""; 0]);
    change(Method::POST, json!(["again"])).await;
    assert_eq!(names(&bed.call(Method::DELETE, &path, &pat).await), [""; 0]);

    assert_eq!(bed.call(Method::DELETE, &format!("{path}/self-hosted"), &pat).await.status, 422);
    assert_eq!(bed.call(Method::DELETE, &format!("{path}/gone"), &pat).await.status, 404);
    assert_eq!(change(Method::POST, json!([])).await.status, 422);
    assert_eq!(bed.call_get(&format!("{RUNNERS}/1/labels"), &pat).await.status, 404);
    let garbage = bed.call(Method::POST, &path, &pat).await;
    assert_eq!(garbage.status, 400);
}

#[tokio::test]
async fn a_label_that_is_added_lets_a_waiting_workflow_job_start() {
    let bed = Bed::start();
    let pat = bed.classic_token(&["repo"]).await;
    let _running = Runner::registered(&bed, "r1", "").await.start();
    let id = bed.runner_when("r1", "online").await["id"].clone();
    let job = bed.queue("build", &["gpu"], "true").await;
    let path = format!("{RUNNERS}/{id}/labels");
    bed.call_json(Method::POST, &path, &pat, &json!({ "labels": ["gpu"] })).await;
    assert_eq!(bed.workflow_job_when(job, "completed").await["runner_name"], "r1");
}
