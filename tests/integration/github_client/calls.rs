//! What each call asks, and what it makes of the answer.

use homelab_runners::github::{
    Cause, JitRequest, Removal, Repository, Runner, RunnerStatus, WorkflowJobStatus,
};
use serde_json::{Value, json};

use super::bed::{CANARY, Server, answer, json, refusal, told};

const TOKEN: &str = "LLBF3JGZDX3P5PMEXLND6TS6FCWO6";

fn token() -> Value {
    json!({"future": {"a": null}, "token": TOKEN, "expires_at": "2026-11-23T17:30:00.000-08:00"})
}

/// A runner with what GitHub may leave empty, and with what it may add.
fn runner(id: u64, name: &str) -> Value {
    json!({"new_field": [1], "labels": null, "busy": false, "status": "offline", "name": name, "id": id,
           "os": "unknown", "version": null, "runner_group_id": 0})
}

fn names(runners: &[Runner]) -> Vec<&str> {
    runners.iter().map(|runner| runner.name.as_str()).collect()
}

#[tokio::test]
async fn a_registration_token_comes_with_the_end_of_its_hour() {
    let server = Server::start(vec![json(201, &token())]).await;
    let got = server.client("acme/shop").registration_token().await.ok().unwrap();
    assert_eq!((got.token.expose(), got.expires_at.to_string().as_str()), (TOKEN, "2026-11-24T01:30:00Z"));
    let request = &server.heard()[0];
    assert_eq!(request.line, "POST /api/v3/repos/acme/shop/actions/runners/registration-token");
    assert_eq!(request.header("authorization"), Some(format!("Bearer {CANARY}").as_str()));
    assert_eq!(request.header("accept"), Some("application/vnd.github+json"));
    assert_eq!(request.header("x-github-api-version"), Some("2022-11-28"));
    assert!(request.header("user-agent").unwrap().starts_with("homelab-runners/"));
    assert!(!request.line.contains(CANARY) && request.body.is_empty());
}

#[tokio::test]
async fn each_scope_has_its_paths() {
    for (scope, base) in [
        ("acme/shop", "/api/v3/repos/acme/shop"),
        ("acme", "/api/v3/orgs/acme"),
        ("enterprises/big", "/api/v3/enterprises/big"),
    ] {
        let runners = json!({"total_count": 0, "runners": []});
        let server = Server::start(vec![json(201, &token()), json(200, &runners)]).await;
        let client = server.client(scope);
        assert_eq!(client.remove_token().await.ok().unwrap().token.expose(), TOKEN);
        assert!(client.runners().await.unwrap().is_empty());
        assert_eq!(
            server.lines(),
            [
                format!("POST {base}/actions/runners/remove-token"),
                format!("GET {base}/actions/runners?per_page=100&page=1"),
            ]
        );
    }
}

#[tokio::test]
async fn an_answer_without_a_token_is_no_token() {
    for body in [
        json!({"token": "", "expires_at": "2026-11-23T17:30:00Z"}),
        json!({"token": "a b", "expires_at": "2026-11-23T17:30:00Z"}),
        json!({"token": TOKEN, "expires_at": null}),
        json!({"token": null}),
        json!({"token": ["CANARY"], "expires_at": 3}),
    ] {
        let server = Server::start(vec![json(201, &body)]).await;
        let error = server.client("acme").registration_token().await.err().unwrap();
        assert!(matches!(error.cause(), Cause::NotGithub { .. }), "{body}");
        assert!(!told(&error).contains(TOKEN), "{error}");
    }
}

#[tokio::test]
async fn runners_come_from_all_pages_each_once() {
    let page = |ids: &[u64]| {
        let runners: Vec<Value> = ids.iter().map(|id| runner(*id, &format!("r{id}"))).collect();
        json!({"total_count": 5, "runners": runners}).to_string()
    };
    let next = "Link: <http://elsewhere.invalid/?page=2>; rel=\"next\", <http://elsewhere.invalid/?page=3>; rel=\"last\"";
    let server = Server::start(vec![
        answer(200, &[next], &page(&[1, 2])),
        // One was added at the front meanwhile, and moved another one here.
        answer(200, &[next], &page(&[2, 3])),
        answer(200, &["Link: <http://elsewhere.invalid/?page=2>; rel=\"prev\""], &page(&[4])),
    ])
    .await;
    let runners = server.client("acme").runners().await.unwrap();
    assert_eq!(names(&runners), ["r1", "r2", "r3", "r4"]);
    assert_eq!((&runners[0].status, runners[0].runner_group_id), (&RunnerStatus::Offline, None));
    let pages: Vec<String> = (1..=3)
        .map(|page| format!("GET /api/v3/orgs/acme/actions/runners?per_page=100&page={page}"))
        .collect();
    assert_eq!(server.lines(), pages);
}

#[tokio::test]
async fn a_server_that_names_no_next_page_is_asked_until_all_are_there() {
    let page = |id| json(200, &json!({"total_count": 2, "runners": [runner(id, &format!("r{id}"))]}));
    let server = Server::start(vec![page(1), page(2)]).await;
    assert_eq!(names(&server.client("acme").runners().await.unwrap()), ["r1", "r2"]);
}

#[tokio::test]
async fn a_list_that_lacks_a_page_is_no_list() {
    let first = json!({"total_count": 2, "runners": [runner(1, "r1")]});
    let empty = json!({"total_count": 2, "runners": []});
    let server = Server::start(vec![json(200, &first), json(200, &empty)]).await;
    let error = server.client("acme").runners().await.err().unwrap();
    assert_eq!(error.cause(), &Cause::Incomplete { got: 1, total: 2 });
    assert!(error.is_temporary());
}

#[tokio::test]
async fn two_runners_may_have_one_name() {
    let both = json!({"total_count": 2, "runners": [runner(1, "r"), runner(7, "r")]});
    let server = Server::start(vec![json(200, &both)]).await;
    let ids: Vec<u64> =
        server.client("acme").runners().await.unwrap().into_iter().map(|runner| runner.id).collect();
    assert_eq!(ids, [1, 7]);
}

#[tokio::test]
async fn a_runner_is_there_or_not() {
    let mut online = runner(23, "r1");
    online["status"] = json!("online");
    online["labels"] =
        json!([{"id": 1, "name": "Linux", "type": "read-only"}, {"name": "e2e", "type": "custom"}]);
    let server = Server::start(vec![json(200, &online), refusal(404, &[], "Not Found")]).await;
    let client = server.client("acme/shop");
    let found = client.runner(23).await.unwrap().unwrap();
    assert_eq!(found.status, RunnerStatus::Online);
    let custom: Vec<bool> =
        found.labels.iter().map(homelab_runners::github::RunnerLabel::is_custom).collect();
    assert_eq!(custom, [false, true]);
    assert_eq!(client.runner(24).await.unwrap(), None);
    assert_eq!(server.lines()[1], "GET /api/v3/repos/acme/shop/actions/runners/24");
}

#[tokio::test]
async fn a_runner_is_removed_gone_already_or_busy() {
    let busy = "Bad request - Runner \"r1\" is currently running a job and cannot be deleted.";
    let server = Server::start(vec![
        answer(204, &[], ""),
        refusal(404, &[], "Not Found"),
        refusal(422, &[], busy),
        refusal(422, &[], "Validation Failed"),
    ])
    .await;
    let client = server.client("acme/shop");
    assert_eq!(client.remove_runner(1).await.unwrap(), Removal::Removed);
    assert_eq!(client.remove_runner(1).await.unwrap(), Removal::AlreadyGone);
    assert_eq!(client.remove_runner(1).await.unwrap(), Removal::Busy);
    let error = client.remove_runner(1).await.err().unwrap();
    assert_eq!(
        told(&error),
        "cannot remove runner 1 of acme/shop: GitHub refuses it (422: Validation Failed) ()"
    );
    assert_eq!(server.lines(), vec!["DELETE /api/v3/repos/acme/shop/actions/runners/1"; 4]);
}

#[tokio::test]
async fn a_removal_whose_answer_was_lost_has_removed_it() {
    let server = Server::start(vec![
        super::bed::Reply::Bytes(b"HTTP/1.1 204 No".to_vec()),
        refusal(404, &[], "Not Found"),
    ])
    .await;
    assert_eq!(server.client("acme").remove_runner(1).await.unwrap(), Removal::AlreadyGone);
}

#[tokio::test]
async fn labels_are_read_and_replaced() {
    let labels = json!({"total_count": 1, "labels": [{"id": 3, "name": "e2e", "type": "custom"}]});
    let server = Server::start(vec![json(200, &labels), json(200, &labels)]).await;
    let client = server.client("acme");
    assert_eq!(client.labels(5).await.unwrap()[0].name, "e2e");
    assert_eq!(client.set_labels(5, &["e2e".to_owned()]).await.unwrap().len(), 1);
    let heard = server.heard();
    assert_eq!(heard[0].line, "GET /api/v3/orgs/acme/actions/runners/5/labels");
    assert_eq!(heard[1].line, "PUT /api/v3/orgs/acme/actions/runners/5/labels");
    assert_eq!(heard[1].json(), json!({"labels": ["e2e"]}));
}

fn jit() -> JitRequest {
    let labels = ["self-hosted", "e2e"].map(str::to_owned).to_vec();
    JitRequest { name: "r1".to_owned(), runner_group_id: 1, labels, work_folder: "_work".to_owned() }
}

#[tokio::test]
async fn a_jit_config_comes_with_its_runner() {
    let body = json!({"encoded_jit_config": "eyJhIjoxfQ==", "runner": runner(9, "r1")});
    let server = Server::start(vec![json(201, &body)]).await;
    let made = server.client("acme").generate_jit_config(&jit()).await.ok().unwrap();
    assert_eq!((made.runner.id, made.config.expose()), (9, "eyJhIjoxfQ=="));
    let request = &server.heard()[0];
    assert_eq!(request.line, "POST /api/v3/orgs/acme/actions/runners/generate-jitconfig");
    let expected =
        json!({"name": "r1", "runner_group_id": 1, "labels": ["self-hosted", "e2e"], "work_folder": "_work"});
    assert_eq!(request.json(), expected);
}

#[tokio::test]
async fn a_jit_config_whose_answer_is_lost_is_not_asked_for_again() {
    let html = ["Content-Type: text/html"];
    for lost in [
        super::bed::Reply::Reset,
        super::bed::Reply::Bytes(b"HTTP/1.1 201 Created\r\nContent-Length: 99\r\n\r\n{".to_vec()),
        answer(201, &[], "{\"runner\": {"),
        answer(502, &html, "<html>"),
    ] {
        let server = Server::start(vec![lost]).await;
        let error = server.client("acme").generate_jit_config(&jit()).await.err().unwrap();
        assert!(matches!(error.cause(), Cause::AnswerLost { .. }), "{error}");
        assert!(told(&error).contains("look for a runner of this name"), "{error}");
        assert_eq!(server.heard().len(), 1);
    }
    let taken = "Already exists - A runner with the name r1 already exists.";
    let server = Server::start(vec![refusal(409, &[], taken)]).await;
    let error = server.client("acme").generate_jit_config(&jit()).await.err().unwrap();
    assert!(matches!(error.cause(), Cause::NameTaken { .. }), "{error}");
    assert!(told(&error).contains("an earlier call whose answer was lost"), "{error}");
    assert_eq!(server.heard().len(), 1);
}

#[tokio::test]
async fn a_runner_group_is_found_by_its_name() {
    let groups =
        json!([{"id": 1, "name": "Default", "default": true}, {"id": 4, "name": "big", "default": false}]);
    let page = || json(200, &json!({"total_count": 2, "runner_groups": groups}));
    let server = Server::start(vec![page(), page()]).await;
    let client = server.client("acme");
    assert_eq!(client.runner_group_id("big").await.unwrap(), Some(4));
    assert_eq!(client.runner_group_id("small").await.unwrap(), None);
    assert_eq!(server.lines()[0], "GET /api/v3/orgs/acme/actions/runner-groups?per_page=100&page=1");
    assert_eq!(server.client("acme/shop").runner_group_id("big").await.unwrap(), None);
    assert_eq!(server.heard().len(), 2, "repositories have none");
}

#[tokio::test]
async fn one_client_serves_many_tasks() {
    let server = Server::start((1..=8).map(|id| json(200, &runner(id, "r"))).collect()).await;
    let client = std::sync::Arc::new(server.client("acme"));
    let mut tasks = tokio::task::JoinSet::new();
    for id in 1..=8 {
        let client = std::sync::Arc::clone(&client);
        tasks.spawn(async move { client.runner(id).await.is_ok() });
    }
    assert!(tasks.join_all().await.into_iter().all(|done| done));
}

fn workflow_job(id: u64, status: &str) -> Value {
    json!({"id": id, "run_id": 7, "run_attempt": 2, "name": "e2e", "status": status, "conclusion": null, "labels": ["self-hosted"],
           "runner_id": 0, "runner_name": "", "runner_group_name": null, "started_at": "2026-11-23T17:30:00Z", "completed_at": ""})
}

#[tokio::test]
async fn workflow_jobs_that_have_not_ended_are_found_in_all_unfinished_runs() {
    let runs = |ids: &[u64]| {
        let runs: Vec<Value> = ids.iter().map(|id| json!({"id": id, "status": "queued"})).collect();
        json(200, &json!({"total_count": runs.len(), "workflow_runs": runs}))
    };
    let jobs = |jobs: &[Value]| json(200, &json!({"total_count": jobs.len(), "jobs": jobs}));
    let server = Server::start(vec![
        runs(&[7]),
        // It began meanwhile.
        runs(&[7, 8]),
        jobs(&[workflow_job(1, "queued"), workflow_job(2, "completed")]),
        jobs(&[workflow_job(3, "in_progress"), workflow_job(4, "waiting")]),
    ])
    .await;
    let client = server.client("acme/shop");
    let found = client.unfinished_workflow_jobs(&[client.repository().unwrap()]).await.unwrap();
    let found: Vec<(u64, &WorkflowJobStatus)> = found.iter().map(|job| (job.id, &job.status)).collect();
    let waiting = WorkflowJobStatus::Other("waiting".to_owned());
    assert_eq!(found, [(1, &WorkflowJobStatus::Queued), (3, &WorkflowJobStatus::InProgress), (4, &waiting)]);
    let base = "GET /api/v3/repos/acme/shop/actions/runs";
    let rest = "per_page=100&page=1";
    assert_eq!(
        server.lines(),
        [
            format!("{base}?status=queued&{rest}"),
            format!("{base}?status=in_progress&{rest}"),
            format!("{base}/7/jobs?filter=latest&{rest}"),
            format!("{base}/8/jobs?filter=latest&{rest}"),
        ]
    );
}

#[tokio::test]
async fn what_waits_takes_one_call_however_much_it_is() {
    let run = json!({"id": 7, "status": "queued", "name": "ci", "display_title": "Mend it", "head_branch": null,
                     "created_at": "2026-11-23T17:30:00Z", "html_url": "https://github.com/acme/shop/actions/runs/7"});
    let bare = json!({"id": 8, "name": null, "display_title": null, "created_at": null, "html_url": null});
    let server =
        Server::start(vec![json(200, &json!({"total_count": 5000, "workflow_runs": [run, bare]}))]).await;
    let client = server.client("acme/shop");
    let found = client.queued_workflow_runs(&client.repository().unwrap()).await.unwrap();
    let [run, bare] = found.runs.try_into().unwrap();
    assert_eq!((found.total, run.name.as_str(), run.display_title.as_str()), (5000, "ci", "Mend it"));
    assert_eq!(run.created_at.unwrap().to_string(), "2026-11-23T17:30:00Z");
    assert_eq!((bare.name.as_str(), bare.html_url, bare.created_at), ("", None, None));
    assert_eq!(server.lines(), ["GET /api/v3/repos/acme/shop/actions/runs?status=queued&per_page=10"]);
}

#[tokio::test]
async fn for_an_organisation_the_repositories_are_named() {
    let none = || json(200, &json!({"total_count": 0, "workflow_runs": []}));
    let server = Server::start(vec![none(), none(), none(), none()]).await;
    let client = server.client("acme");
    assert_eq!(client.repository(), None);
    let repositories = ["acme/a", "acme/b"].map(|text| Repository::parse(text).unwrap());
    assert!(client.unfinished_workflow_jobs(&repositories).await.unwrap().is_empty());
    assert!(server.lines()[3].starts_with("GET /api/v3/repos/acme/b/actions/runs?status=in_progress"));
    for text in ["acme", "acme/../x", "../x", "a/b/c", "acme/a?b", ""] {
        assert_eq!(Repository::parse(text), None, "{text}");
    }
}

#[tokio::test]
async fn zero_and_nothing_are_no_runner() {
    let server =
        Server::start(vec![json(200, &workflow_job(399, "queued")), refusal(404, &[], "Not Found")]).await;
    let client = server.client("acme/shop");
    let repository = client.repository().unwrap();
    let job = client.workflow_job(&repository, 399).await.unwrap().unwrap();
    assert_eq!((job.runner_id, job.runner_name, job.completed_at), (None, None, None));
    assert_eq!(job.started_at.unwrap().to_string(), "2026-11-23T17:30:00Z");
    assert_eq!(client.workflow_job(&repository, 400).await.unwrap(), None);
    assert_eq!(server.lines()[0], "GET /api/v3/repos/acme/shop/actions/jobs/399");
}

#[tokio::test]
async fn the_rate_limit_tells_what_is_left() {
    let core = json!({"limit": 5000, "used": 1, "remaining": 4999, "reset": 1_691_591_363});
    let body = json!({"resources": {"core": core, "actions_runner_registration": null}, "rate": core});
    let server = Server::start(vec![json(200, &body)]).await;
    let limits = server.client("acme").rate_limit().await.unwrap();
    assert_eq!((limits.core.remaining, limits.runner_registration), (4999, None));
    assert_eq!(limits.core.reset.unwrap().to_string(), "2023-08-09T14:29:23Z");
    assert_eq!(server.lines(), ["GET /api/v3/rate_limit"]);
}
