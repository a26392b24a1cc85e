//! The simulator's answers against GitHub's own description of its REST API.
//!
//! The description is large and not ours, so it is not kept here. `npm pack @octokit/openapi@23.0.2` brings it:
//! `GITHUB_OPENAPI=…/generated/api.github.com.json cargo test -p homelab-runners-simulator -- --ignored openapi`.
//! With `ghec.json`, the routes of enterprises are compared as well.

use std::fs;

use hyper::Method;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::bed::Bed;
use crate::client::Reply;
use crate::github_app::GitHubApp;
use crate::runner::Runner;

/// A mistake of the description: the account of an installation would have to be a user and an enterprise at once.
/// Where a single installation is described, it is either.
const MISTAKE: (&str, &str) = ("/app/installations", "/account has no ");

/// GitHub's description.
struct Description(Value);

impl Description {
    /// What speaks against this answer to a call of the path, as the description spells it.
    fn objections(&self, method: &Method, path: &str, reply: &Reply) -> Vec<String> {
        let Some(operation) = self.0["paths"][path].get(method.as_str().to_ascii_lowercase()) else {
            return vec!["the description has no such call".to_owned()];
        };
        let Some(response) = operation["responses"].get(reply.status.to_string()) else {
            return vec![format!("the description has no status {}", reply.status)];
        };
        let mut objections = Vec::new();
        if let Some(content) = self.resolve(response)["content"].get("application/json") {
            self.check(&content["schema"], &reply.body, "", &mut objections);
        }
        objections.retain(|objection| path != MISTAKE.0 || !objection.contains(MISTAKE.1));
        objections
    }

    fn resolve<'a>(&'a self, node: &'a Value) -> &'a Value {
        match node.get("$ref").and_then(Value::as_str) {
            Some(reference) => self.resolve(self.0.pointer(reference.strip_prefix('#').unwrap()).unwrap()),
            None => node,
        }
    }

    fn check(&self, schema: &Value, value: &Value, at: &str, objections: &mut Vec<String>) {
        let schema = self.resolve(schema);
        if value.is_null() && schema["nullable"] == true {
            return;
        }
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.check(part, value, at, objections);
        }
        for choice in ["anyOf", "oneOf"].into_iter().filter_map(|name| schema[name].as_array()) {
            self.check_choice(choice, value, at, objections);
        }
        if !has_type(schema, value) {
            objections.push(format!("{at} is {value}, which is no {}", schema["type"]));
        }
        if let Some(words) = schema["enum"].as_array().filter(|words| !words.contains(value)) {
            objections.push(format!("{at} is {value}, which is none of {words:?}"));
        }
        if schema["format"] == "date-time" && !is_time(value) {
            objections.push(format!("{at} is {value}, which is no time"));
        }
        for (index, item) in value.as_array().into_iter().flatten().enumerate() {
            self.check(&schema["items"], item, &format!("{at}/{index}"), objections);
        }
        self.check_fields(schema, value.as_object(), at, objections);
    }

    fn check_choice(&self, choice: &[Value], value: &Value, at: &str, objections: &mut Vec<String>) {
        let tries = choice.iter().map(|schema| {
            let mut objections = Vec::new();
            self.check(schema, value, at, &mut objections);
            objections
        });
        objections.extend(tries.min_by_key(Vec::len).unwrap_or_default());
    }

    fn check_fields(
        &self,
        schema: &Value,
        fields: Option<&Map<String, Value>>,
        at: &str,
        objections: &mut Vec<String>,
    ) {
        let Some(fields) = fields else { return };
        for name in schema["required"].as_array().into_iter().flatten() {
            if !fields.contains_key(name.as_str().unwrap()) {
                objections.push(format!("{at} has no {name}"));
            }
        }
        for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
            if let Some(value) = fields.get(name) {
                self.check(schema, value, &format!("{at}/{name}"), objections);
            }
        }
    }
}

fn has_type(schema: &Value, value: &Value) -> bool {
    match schema["type"].as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_u64() || value.is_i64(),
        Some("number") => value.is_number(),
        _ => true,
    }
}

fn is_time(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.parse::<Timestamp>().is_ok())
}

/// A call, and the path as the description spells it.
struct Call {
    method: Method,
    path: &'static str,
    url: String,
    token: String,
    body: Value,
}

/// Runners, workflow jobs and credentials in every state that shows in an answer, and the calls that show them.
async fn calls(bed: &Bed, running: &str) -> Vec<Call> {
    let pat = bed.classic_token(&["repo", "admin:org", "manage_runners:enterprise"]).await;
    let app = GitHubApp::create(bed).await;
    let installation = app.install(bed, json!({ "administration": "write" }), Some(&["shop"])).await;
    let done = bed.queue("done", &["self-hosted"], "true").await;
    let done = bed.workflow_job_when(done, "completed").await;
    bed.queue("waiting", &["gpu"], "true").await;
    let (run, job) = (&done["run_id"], &done["id"]);
    let runner = &bed.runner(running).await.unwrap()["id"];
    let jit = |name: &str| json!({ "name": name, "runner_group_id": 1, "labels": ["self-hosted", "x"] });
    let mut calls = Vec::new();
    let mut call = |method: Method, path: &'static str, token: &str, body: Value| {
        let places = [
            ("{owner}/{repo}", "acme/shop".to_owned()),
            ("{org}", "acme".to_owned()),
            ("{enterprise}", "big".to_owned()),
            ("{installation_id}", installation.to_string()),
            ("{runner_id}", runner.to_string()),
            ("{run_id}", run.to_string()),
            ("{job_id}", job.to_string()),
            ("{name}", "more".to_owned()),
        ];
        let url = places.iter().fold(path.to_owned(), |url, (name, value)| url.replace(name, value));
        calls.push(Call { method, path, url, token: token.to_owned(), body });
    };
    let jwt = app.web_token();
    let scope = json!({ "repositories": ["shop"], "permissions": { "administration": "read" } });
    call(Method::GET, "/app", &jwt, Value::Null);
    call(Method::GET, "/app/installations", &jwt, Value::Null);
    call(Method::GET, "/app/installations/{installation_id}", &jwt, Value::Null);
    call(Method::GET, "/repos/{owner}/{repo}/installation", &jwt, Value::Null);
    call(Method::GET, "/orgs/{org}/installation", &jwt, Value::Null);
    call(Method::POST, "/app/installations/{installation_id}/access_tokens", &jwt, scope);
    call(Method::GET, "/rate_limit", &pat, Value::Null);
    call(Method::GET, "/repos/{owner}/{repo}", &pat, Value::Null);
    call(Method::GET, "/repos/{owner}/{repo}/actions/runs", &pat, Value::Null);
    call(Method::GET, "/repos/{owner}/{repo}/actions/runs/{run_id}/jobs", &pat, Value::Null);
    call(Method::GET, "/repos/{owner}/{repo}/actions/jobs/{job_id}", &pat, Value::Null);
    call(Method::GET, "/orgs/{org}/actions/runner-groups", &pat, Value::Null);
    let labels = json!({ "labels": ["more", "most"] });
    for (path, one, of_labels, label) in RUNNER_PATHS {
        call(Method::GET, path[0], &pat, Value::Null);
        call(Method::POST, path[1], &pat, Value::Null);
        call(Method::POST, path[2], &pat, Value::Null);
        call(Method::POST, path[3], &pat, jit("jit"));
        // The name is taken now.
        call(Method::POST, path[3], &pat, jit("jit"));
        if path[0].starts_with("/repos") {
            call(Method::GET, one, &pat, Value::Null);
            call(Method::GET, of_labels, &pat, Value::Null);
            call(Method::POST, of_labels, &pat, labels.clone());
            call(Method::PUT, of_labels, &pat, labels.clone());
            call(Method::DELETE, label, &pat, Value::Null);
            call(Method::DELETE, of_labels, &pat, Value::Null);
            call(Method::DELETE, one, &pat, Value::Null);
        }
    }
    calls
}

/// The runners of each kind of place: list, registration token, removal token, JIT configuration; one runner; its
/// labels; one label.
const RUNNER_PATHS: [([&str; 4], &str, &str, &str); 3] = [
    (
        [
            "/repos/{owner}/{repo}/actions/runners",
            "/repos/{owner}/{repo}/actions/runners/registration-token",
            "/repos/{owner}/{repo}/actions/runners/remove-token",
            "/repos/{owner}/{repo}/actions/runners/generate-jitconfig",
        ],
        "/repos/{owner}/{repo}/actions/runners/{runner_id}",
        "/repos/{owner}/{repo}/actions/runners/{runner_id}/labels",
        "/repos/{owner}/{repo}/actions/runners/{runner_id}/labels/{name}",
    ),
    (
        [
            "/orgs/{org}/actions/runners",
            "/orgs/{org}/actions/runners/registration-token",
            "/orgs/{org}/actions/runners/remove-token",
            "/orgs/{org}/actions/runners/generate-jitconfig",
        ],
        "/orgs/{org}/actions/runners/{runner_id}",
        "/orgs/{org}/actions/runners/{runner_id}/labels",
        "/orgs/{org}/actions/runners/{runner_id}/labels/{name}",
    ),
    (
        [
            "/enterprises/{enterprise}/actions/runners",
            "/enterprises/{enterprise}/actions/runners/registration-token",
            "/enterprises/{enterprise}/actions/runners/remove-token",
            "/enterprises/{enterprise}/actions/runners/generate-jitconfig",
        ],
        "/enterprises/{enterprise}/actions/runners/{runner_id}",
        "/enterprises/{enterprise}/actions/runners/{runner_id}/labels",
        "/enterprises/{enterprise}/actions/runners/{runner_id}/labels/{name}",
    ),
];

#[tokio::test]
#[ignore = "needs GitHub's OpenAPI description: GITHUB_OPENAPI names its JSON file"]
async fn answers_are_as_github_describes_them() {
    let path = std::env::var("GITHUB_OPENAPI").expect("GITHUB_OPENAPI is not set");
    let description = Description(serde_json::from_slice(&fs::read(path).unwrap()).unwrap());
    let has_enterprises = description.0["paths"].get(RUNNER_PATHS[2].0[0]).is_some();
    let bed = Bed::start();
    let _running = Runner::registered(&bed, "r1", "e2e").await.start();
    bed.runner_when("r1", "online").await;
    let mut wrong = Vec::new();
    for call in calls(&bed, "r1").await {
        if call.path.starts_with("/enterprises") && !has_enterprises {
            continue;
        }
        let reply = match &call.body {
            Value::Null => bed.call(call.method.clone(), &call.url, &call.token).await,
            body => bed.call_json(call.method.clone(), &call.url, &call.token, body).await,
        };
        let objections = description.objections(&call.method, call.path, &reply);
        println!("{} {}: {} with {} objections", call.method, call.path, reply.status, objections.len());
        wrong.extend(objections.iter().map(|one| format!("{} {}: {one}", call.method, call.path)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_comparison_finds_what_is_missing_wrong_or_null() {
    let schema = json!({
        "required": ["id", "at"],
        "properties": {
            "id": { "type": "integer" },
            "at": { "type": "string", "format": "date-time" },
            "kind": { "type": "string", "enum": ["a", "b"], "nullable": true },
            "parts": { "type": "array", "items": { "anyOf": [{ "type": "string" }, { "type": "boolean" }] } },
        },
    });
    let description = Description(Value::Null);
    let objections = |value: Value| {
        let mut objections = Vec::new();
        description.check(&schema, &value, "", &mut objections);
        objections.len()
    };
    let right =
        json!({ "id": 1, "at": "2026-11-23T16:29:56Z", "kind": null, "parts": ["x", true], "more": 1 });
    assert_eq!(objections(right), 0);
    assert_eq!(objections(json!({ "id": null, "at": "yesterday", "kind": "c", "parts": [1] })), 4);
    assert_eq!(objections(json!({ "id": 1.5 })), 2);
}
