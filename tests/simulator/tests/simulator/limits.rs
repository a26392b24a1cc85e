//! Rate limits, and the faults of the control plane.

use hyper::Method;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::bed::Bed;
use crate::runner::Runner;

const RUNNERS: &str = "/repos/acme/shop/actions/runners";

async fn change_settings(bed: &Bed, name: &str, value: Value) {
    let mut settings = bed.get("/settings").await;
    settings[name] = value;
    bed.ask(Method::PUT, "/settings", &settings).await;
}

#[tokio::test]
async fn requests_are_counted_for_each_user_and_forgotten_after_an_hour() {
    let bed = Bed::start();
    change_settings(&bed, "rate_limit", json!(2)).await;
    let token = async |login: &str| {
        let request = json!({ "scopes": ["repo"], "login": login });
        let issued = bed.ask(Method::POST, "/personal-access-tokens/classic", &request).await;
        issued["token"].as_str().unwrap().to_owned()
    };
    let (mine, also_mine, other) = (token("me").await, token("me").await, token("other").await);
    let first = bed.call_get(RUNNERS, &mine).await;
    let header = |name: &str| first.header(name).unwrap().to_owned();
    let seen = ["limit", "used", "remaining", "resource"].map(|name| header(&format!("x-ratelimit-{name}")));
    assert_eq!(seen, ["2", "1", "1", "core"]);
    assert_eq!(bed.call_get(RUNNERS, &also_mine).await.header("x-ratelimit-remaining"), Some("0"));

    let refused = bed.call_get(RUNNERS, &mine).await;
    assert_eq!(refused.status, 403);
    assert!(refused.message().starts_with("API rate limit exceeded for user ID "), "{}", refused.message());
    assert_eq!(refused.header("x-ratelimit-remaining"), Some("0"));
    let asked = bed.call_get("/rate_limit", &mine).await;
    assert_eq!(asked.body["resources"]["core"]["remaining"], 0);
    assert_eq!(asked.body["rate"]["reset"].to_string(), header("x-ratelimit-reset"));
    assert_eq!(bed.call_get(RUNNERS, &other).await.status, 200);
    bed.advance_clock(3600).await;
    assert_eq!(bed.call_get(RUNNERS, &mine).await.header("x-ratelimit-used"), Some("1"));
}

#[tokio::test]
async fn limits_can_be_ordered_for_the_nth_request() {
    let bed = Bed::start();
    let pat = bed.classic_token(&["repo"]).await;
    let order = async |fault: Value| bed.ask(Method::POST, "/faults", &fault).await;
    let call = async || bed.call_get(RUNNERS, &pat).await;
    order(json!({ "path_prefix": RUNNERS, "kind": "primary_limit", "after": 1, "times": 1, "status": 429, "seconds": 90 }))
        .await;
    assert_eq!(call().await.status, 200);
    let limited = call().await;
    assert_eq!((limited.status, limited.header("x-ratelimit-remaining")), (429, Some("0")));
    let now: jiff::Timestamp = bed.get("/clock").await["now"].as_str().unwrap().parse().unwrap();
    let reset: i64 = limited.header("x-ratelimit-reset").unwrap().parse().unwrap();
    assert!((80..=90).contains(&(reset - now.as_second())), "{reset}");
    assert_eq!(call().await.status, 200);

    for retry_after in [Some(7), None] {
        order(json!({ "path_prefix": RUNNERS, "kind": "secondary_limit", "times": 1, "retry_after": retry_after })).await;
        let limited = call().await;
        assert_eq!(limited.status, 403);
        assert!(limited.message().starts_with("You have exceeded a secondary rate limit."));
        assert_eq!(limited.header("retry-after"), retry_after.map(|_| "7"));
        assert_ne!(limited.header("x-ratelimit-remaining"), Some("0"));
    }
}

#[tokio::test]
async fn a_renamed_repository_redirects_and_the_date_can_be_wrong() {
    let bed = Bed::start();
    let pat = bed.classic_token(&["repo"]).await;
    let fault = json!({ "path_prefix": RUNNERS, "kind": "redirect", "status": 307, "times": 1, "location": "http://127.0.0.9:1" });
    bed.ask(Method::POST, "/faults", &fault).await;
    let moved = bed.call_get(&format!("{RUNNERS}?page=1"), &pat).await;
    assert_eq!(moved.status, 307);
    assert_eq!(moved.header("location"), Some(format!("http://127.0.0.9:1{RUNNERS}?page=1").as_str()));

    let fault = json!({ "path_prefix": RUNNERS, "kind": "skew_date", "times": 1, "seconds": -7200 });
    bed.ask(Method::POST, "/faults", &fault).await;
    let date = async || {
        let reply = bed.call_get(RUNNERS, &pat).await;
        assert_eq!(reply.status, 200);
        jiff::fmt::rfc2822::parse(reply.header("date").unwrap()).unwrap().timestamp()
    };
    let (skewed, right) = (date().await, date().await);
    assert!((7200..7210).contains(&(right.as_second() - skewed.as_second())), "{skewed} {right}");
}

#[tokio::test]
async fn an_answer_can_be_lost_before_it_comes_and_in_its_middle() {
    let bed = Bed::start();
    let pat = bed.classic_token(&["repo"]).await;
    Runner::registered(&bed, "r1", "").await;
    let path = format!("{RUNNERS}/{}", bed.runner("r1").await.unwrap()["id"]);
    let order = async |fault: Value| bed.ask(Method::POST, "/faults", &fault).await;
    let call = async |method: Method| bed.ask_github(method, &path, &format!("Bearer {pat}")).await;
    order(json!({ "path_prefix": RUNNERS, "kind": "reset_in_body", "times": 1 })).await;
    assert!(call(Method::GET).await.is_err());
    assert_eq!(call(Method::GET).await.unwrap().status, 200);
    order(json!({ "method": "DELETE", "path_prefix": RUNNERS, "kind": "answer_lost", "times": 1 })).await;
    assert!(call(Method::DELETE).await.is_err());
    assert!(bed.runner("r1").await.is_none());
    assert_eq!(call(Method::DELETE).await.unwrap().status, 404);
}

#[tokio::test]
async fn a_status_can_be_ordered_with_headers_and_for_one_page() {
    let bed = Bed::start();
    let pat = bed.classic_token(&["repo"]).await;
    let fault = json!({
        "path_prefix": RUNNERS, "query_contains": "page=2", "kind": "status", "status": 403,
        "headers": { "X-GitHub-SSO": "required; url=https://github.example/sso" },
        "body": { "message": "Resource protected by organization SAML enforcement." },
    });
    bed.ask(Method::POST, "/faults", &fault).await;
    assert_eq!(bed.call_get(&format!("{RUNNERS}?page=1"), &pat).await.status, 200);
    let refused = bed.call_get(&format!("{RUNNERS}?page=2"), &pat).await;
    assert_eq!(refused.message(), "Resource protected by organization SAML enforcement.");
    assert!(refused.header("x-github-sso").unwrap().starts_with("required;"));
}

#[tokio::test]
async fn a_workflow_job_can_be_given_to_a_runner_that_is_stopping() {
    let bed = Bed::start();
    change_settings(&bed, "offers_to_stopping_runners", json!(true)).await;
    let pat = bed.classic_token(&["repo"]).await;
    // A poll that brings nothing leaves the workflow job in the queue until the runner stops.
    bed.ask(Method::POST, "/faults", &json!({ "path_prefix": "/broker/message", "kind": "hang" })).await;
    let mut running = Runner::registered(&bed, "r1", "").await.start();
    let path = format!("{RUNNERS}/{}", bed.runner_when("r1", "online").await["id"]);
    bed.until("listening", async || running.stdout().contains("Listening for Jobs").then_some(())).await;
    let id = bed.queue("build", &["self-hosted"], "true").await;
    running.signal(Signal::INT);
    assert_eq!(running.code(&bed).await, 0);
    let shown = bed.call_get(&path, &pat).await.body;
    assert_eq!((&shown["status"], &shown["busy"]), (&json!("offline"), &json!(true)));
    assert_eq!(bed.call(Method::DELETE, &path, &pat).await.status, 422);
    bed.advance_clock(60).await;
    assert_eq!(bed.workflow_job(id).await["runner_name"], Value::Null);
    assert_eq!(bed.call(Method::DELETE, &path, &pat).await.status, 204);
}
