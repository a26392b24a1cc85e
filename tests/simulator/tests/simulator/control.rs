//! The control plane: what those who have credentials of their own see and change.

use homelab_runners_simulator::http_client::Outgoing;
use hyper::Method;
use serde_json::{Value, json};

use crate::bed::Bed;
use crate::runner::Runner;

const RUNNERS: &str = "/repos/acme/shop/actions/runners";

#[tokio::test]
async fn a_registration_token_from_the_api_registers_a_runner_and_a_remove_token_removes_it() {
    let bed = Bed::start();
    let pat = bed.classic_token(&["repo"]).await;
    let issued = bed.call(Method::POST, &format!("{RUNNERS}/registration-token"), &pat).await;
    assert_eq!(issued.status, 201);
    let token = issued.body["token"].as_str().unwrap();
    assert_eq!(token.len(), 29);
    let expires_at = issued.body["expires_at"].as_str().unwrap();
    assert!(expires_at.ends_with("-08:00") && expires_at.len() == 29, "{expires_at}");

    let runner = Runner::install(&bed, "r1");
    assert!(runner.configure(&bed, token, &["--name", "r1"]).await.status.success());
    let issued = bed.call(Method::POST, &format!("{RUNNERS}/remove-token"), &pat).await;
    assert_eq!(issued.status, 201);
    let token = issued.body["token"].as_str().unwrap();
    let removed = runner.output("config.sh", &["remove", "--token", token]).await;
    assert!(removed.status.success(), "{removed:?}");
    assert_eq!(bed.call_get(RUNNERS, &pat).await.body["total_count"], 0);
}

#[tokio::test]
async fn organizations_and_enterprises_have_runners_of_their_own() {
    let bed = Bed::start();
    let pat = bed.classic_token(&["admin:org", "manage_runners:enterprise"]).await;
    for place in ["orgs/acme", "enterprises/big"] {
        let path = format!("/api/v3/{place}/actions/runners");
        let issued = bed.call(Method::POST, &format!("{path}/registration-token"), &pat).await;
        assert_eq!(issued.status, 201, "{place}");
        assert_eq!(bed.call_get(&path, &pat).await.body, json!({ "total_count": 0, "runners": [] }));
    }
}

#[tokio::test]
async fn runners_are_listed_in_pages_that_lead_to_each_other() {
    let bed = Bed::start();
    let pat = bed.fine_grained_token(json!({ "administration": "read" }), None).await;
    for name in ["r1", "r2", "r3"] {
        Runner::registered(&bed, name, "").await;
    }
    let first = bed.call_get(&format!("{RUNNERS}?per_page=2"), &pat).await;
    assert_eq!(first.body["total_count"], 3);
    let links = first.header("link").unwrap();
    let next = links.split(", ").find_map(|link| link.strip_suffix(">; rel=\"next\"")).unwrap();
    let second = bed.call_get(next.strip_prefix('<').unwrap(), &pat).await;
    let names = |page: &Value| -> Vec<String> {
        let name = |runner: &Value| runner["name"].as_str().unwrap().to_owned();
        page["runners"].as_array().unwrap().iter().map(name).collect()
    };
    assert_eq!([names(&first.body), names(&second.body)].concat(), ["r1", "r2", "r3"]);
    assert!(!second.header("link").unwrap().contains("rel=\"next\""));

    let found = bed.call_get(&format!("{RUNNERS}?name=r2"), &pat).await;
    assert_eq!(names(&found.body), ["r2"]);
    assert!(found.header("link").is_none());
    let id = &found.body["runners"][0]["id"];
    let shown = bed.call_get(&format!("{RUNNERS}/{id}"), &pat).await;
    assert_eq!(shown.body, found.body["runners"][0]);
    assert_eq!(shown.body["version"], Value::Null);
    assert_eq!(bed.call_get(&format!("{RUNNERS}/1"), &pat).await.status, 404);
}

#[tokio::test]
async fn a_runner_is_deleted_only_while_it_is_idle_and_its_listener_hears_of_it() {
    let bed = Bed::start();
    let pat = bed.classic_token(&["repo"]).await;
    let runner = Runner::registered(&bed, "r1", "").await;
    let mut running = runner.start();
    let path = format!("{RUNNERS}/{}", bed.runner_when("r1", "online").await["id"]);
    let go = bed.directory.path().join("go");
    let script = format!("until [ -e {} ]; do sleep 0.05; done", go.display());
    let id = bed.queue("build", &["self-hosted"], &script).await;
    bed.workflow_job_when(id, "in_progress").await;

    assert_eq!(bed.call_get(&path, &pat).await.body["busy"], true);
    let refused = bed.call(Method::DELETE, &path, &pat).await;
    assert_eq!(refused.status, 422);
    assert_eq!(
        refused.message(),
        "Bad request - Runner \"r1\" is currently running a job and cannot be deleted."
    );
    std::fs::write(&go, "").unwrap();
    bed.workflow_job_when(id, "completed").await;
    assert_eq!(bed.call(Method::DELETE, &path, &pat).await.status, 204);
    assert_eq!(running.code(&bed).await, 0);
    assert!(!runner.has_identity());
    assert_eq!(bed.call(Method::DELETE, &path, &pat).await.status, 404);
}

#[tokio::test]
async fn the_api_can_be_made_to_deny_that_a_runner_is_busy() {
    let bed = Bed::start();
    let mut settings = bed.get("/settings").await;
    settings["hides_busy"] = json!(true);
    bed.ask(Method::PUT, "/settings", &settings).await;
    let pat = bed.classic_token(&["repo"]).await;
    let _running = Runner::registered(&bed, "r1", "").await.start();
    let path = format!("{RUNNERS}/{}", bed.runner_when("r1", "online").await["id"]);
    let id = bed.queue("build", &["self-hosted"], "sleep 300").await;
    bed.workflow_job_when(id, "in_progress").await;
    assert_eq!(bed.call_get(&path, &pat).await.body["busy"], false);
    assert_eq!(bed.call(Method::DELETE, &path, &pat).await.status, 422);
}

#[tokio::test]
async fn workflow_runs_and_their_jobs_are_shown() {
    let bed = Bed::start();
    let pat = bed.fine_grained_token(json!({ "actions": "read" }), Some(&["shop"])).await;
    bed.make_private("shop").await;
    let done = bed.queue("build", &["self-hosted"], "true").await;
    let waiting = bed.queue("e2e", &["gpu"], "true").await;
    let _running = Runner::registered(&bed, "r1", "").await.start();
    bed.workflow_job_when(done, "completed").await;

    let runs = async |query: &str| {
        let reply = bed.call_get(&format!("/repos/acme/shop/actions/runs{query}"), &pat).await;
        reply.body["workflow_runs"].as_array().unwrap().clone()
    };
    assert_eq!(runs("").await.len(), 2);
    let queued = runs("?status=queued").await;
    assert_eq!(queued.len(), 1);
    let jobs =
        bed.call_get(&format!("{}?filter=latest", queued[0]["jobs_url"].as_str().unwrap()), &pat).await;
    assert_eq!(jobs.body["total_count"], 1);
    let job = &jobs.body["jobs"][0];
    assert_eq!(
        (&job["id"], &job["status"], &job["labels"]),
        (&json!(waiting), &json!("queued"), &json!(["gpu"]))
    );
    assert!(job["runner_id"].is_null() && job["conclusion"].is_null());

    let succeeded = runs("?status=success").await;
    assert_eq!((&succeeded[0]["status"], succeeded.len()), (&json!("completed"), 1));
    let job = bed.call_get(&format!("/repos/acme/shop/actions/jobs/{done}"), &pat).await.body;
    assert_eq!((&job["runner_name"], &job["steps"][0]["conclusion"]), (&json!("r1"), &json!("success")));
    for path in ["actions/runs/1/jobs", "actions/jobs/1"] {
        assert_eq!(bed.call_get(&format!("/repos/acme/shop/{path}"), &pat).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn an_organization_has_runner_groups_and_a_repository_has_none() {
    let bed = Bed::start();
    let pat = bed.classic_token(&["repo", "admin:org"]).await;
    let request = json!({ "url": format!("{}/acme", bed.github), "name": "Trusted" });
    let id = bed.ask(Method::POST, "/runner-groups", &request).await["id"].clone();
    let groups = bed.call_get("/orgs/acme/actions/runner-groups", &pat).await.body;
    assert_eq!(groups["total_count"], 2);
    assert_eq!(groups["runner_groups"][0]["default"], true);
    assert_eq!(
        (&groups["runner_groups"][1]["name"], &groups["runner_groups"][1]["id"]),
        (&json!("Trusted"), &id)
    );
    assert_eq!(bed.call_get("/repos/acme/shop/actions/runner-groups", &pat).await.status, 404);
}

#[tokio::test]
async fn a_client_without_a_name_and_one_with_an_unknown_version_are_refused() {
    let mut bed = Bed::start();
    let pat = bed.classic_token(&["repo"]).await;
    let with_version = async |version: &str| {
        let headers = vec![("x-github-api-version", version.to_owned())];
        let outgoing = Outgoing { headers, ..Outgoing::default() };
        bed.call_with(Method::GET, "/repos/acme/shop", &pat, outgoing).await
    };
    assert_eq!(with_version("2022-11-28").await.status, 200);
    let refused = with_version("v3").await;
    assert_eq!(refused.status, 400);
    assert!(refused.message().contains("\"v3\", is not a supported version."), "{}", refused.message());

    let journal = bed.get("/journal").await;
    let versions: Vec<&Value> =
        journal.as_array().unwrap().iter().map(|entry| &entry["api_version"]).collect();
    assert_eq!(versions, ["2022-11-28", "v3"]);

    bed.client.user_agent = String::new();
    let refused = bed.call_get("/repos/acme/shop", &pat).await;
    assert_eq!(refused.status, 403);
    assert!(refused.message().starts_with("Request forbidden by administrative rules."));
}
