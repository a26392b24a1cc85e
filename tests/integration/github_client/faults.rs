//! GitHub, and the way there, at their worst: what is tried again, what is told, and that nothing waits for ever.

use std::time::Duration;

use homelab_runners::github::{Cause, Error};
use serde_json::json;

use super::bed::{
    CANARY, Reply, Server, answer, client_at, connection, ends, hasty, json, pat, refusal, told,
};

const HTML: [&str; 1] = ["Content-Type: text/html; charset=utf-8"];

fn no_runners() -> Reply {
    json(200, &json!({"total_count": 0, "runners": []}))
}

/// What the list of runners fails with, and how often it was asked for.
async fn failure(script: Vec<Reply>) -> (Error, usize) {
    let server = Server::start(script).await;
    let error = ends(server.client("acme/shop").runners()).await.err().unwrap();
    (error, server.heard().len())
}

#[tokio::test]
async fn what_may_pass_is_tried_again() {
    for (name, fault) in [
        ("500", answer(500, &HTML, "<html>oops</html>")),
        ("502", answer(502, &HTML, "")),
        ("503", answer(503, &["Retry-After: 0"], "")),
        ("a reset before the answer", Reply::Reset),
        ("a head that breaks off", Reply::Bytes(b"HTTP/1.1 200 OK\r\nConte".to_vec())),
        (
            "a body that breaks off",
            Reply::Bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n{\"total".to_vec()),
        ),
        ("JSON that breaks off", answer(200, &[], "{\"total_count\": 1, \"runners\": [{\"id\"")),
        ("an empty body", answer(200, &[], "")),
    ] {
        let server = Server::start(vec![fault, no_runners()]).await;
        assert!(ends(server.client("acme").runners()).await.is_ok(), "{name}");
        assert_eq!(server.heard().len(), 2, "{name}");
    }
}

#[tokio::test]
async fn tokens_are_asked_for_again_too() {
    let token = json!({"token": "AAAA", "expires_at": "2026-11-23T17:30:00Z"});
    let server = Server::start(vec![Reply::Reset, answer(500, &HTML, ""), json(201, &token)]).await;
    assert!(ends(server.client("acme").registration_token()).await.is_ok());
    assert_eq!(server.heard().len(), 3);
}

#[tokio::test]
async fn after_four_attempts_it_is_told() {
    let (error, times) = failure((0..9).map(|_| answer(502, &HTML, "<html>")).collect()).await;
    assert_eq!((error.cause(), times), (&Cause::Unavailable { status: 502, until: None }, 4));
    assert!(error.is_temporary());
    assert_eq!(
        told(&error),
        "cannot list the runners of acme/shop: GitHub does not work at the moment (502) (try again later; https://www.githubstatus.com says more)"
    );
}

#[tokio::test]
async fn what_github_refuses_is_asked_once() {
    for (reply, words) in [
        (
            refusal(401, &[], "Bad credentials"),
            "does not accept the personal access token (401: Bad credentials)",
        ),
        (
            refusal(
                403,
                &["X-Accepted-GitHub-Permissions: administration=read"],
                "Resource not accessible by personal access token",
            ),
            "Administration: read, a classic token the scope repo and an owner who administers the repository; GitHub itself asks for administration=read",
        ),
        (
            refusal(403, &[], "Resource protected by organization SAML enforcement."),
            "GitHub does not allow it (403: Resource protected by organization SAML",
        ),
        (refusal(404, &[], "Not Found"), "knows nothing there, or does not show it to this credential (404)"),
        (refusal(409, &[], "Conflict"), "409: Conflict"),
        (refusal(422, &[], "Validation Failed"), "GitHub refuses it (422: Validation Failed)"),
        (refusal(400, &[], "unknown version"), "GitHub refuses it (400: unknown version)"),
        (answer(410, &[], ""), "GitHub refuses it (410: without a reason)"),
    ] {
        let (error, times) = failure(vec![reply]).await;
        assert_eq!(times, 1, "{error}");
        assert!(told(&error).contains(words), "{}", told(&error));
        assert!(!error.is_temporary(), "{error}");
    }
}

#[tokio::test]
async fn a_permission_that_is_lacking_is_named_for_each_scope() {
    for (scope, needed) in [
        ("acme/shop", "Administration: read and write, a classic token the scope repo"),
        ("acme", "Self-hosted runners: read and write, a classic token the scope admin:org"),
        ("enterprises/big", "a classic token with the scope manage_runners:enterprise"),
    ] {
        let server = Server::start(vec![refusal(403, &[], "Must have admin rights")]).await;
        let error = server.client(scope).registration_token().await.err().unwrap();
        assert!(told(&error).contains(needed), "{}", told(&error));
    }
}

#[tokio::test]
async fn what_is_not_github_is_told_as_that() {
    for (body, headers) in [
        ("<!DOCTYPE html><p>log in", &[][..]),
        ("welcome", &HTML[..]),
        ("hello", &[][..]),
        ("[1, 2]", &[][..]),
    ] {
        let (error, times) = failure(vec![answer(200, headers, body)]).await;
        assert!(matches!(error.cause(), Cause::NotGithub { .. }), "{error}");
        assert!(told(&error).contains("login page"), "{}", told(&error));
        assert_eq!(times, 1);
    }
}

#[tokio::test]
async fn a_body_without_end_is_not_read_to_its_end() {
    let mut reply = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_vec();
    reply.resize(reply.len() + (17 << 20), b' ');
    let (error, times) = failure(vec![Reply::Bytes(reply)]).await;
    assert_eq!((error.cause(), times), (&Cause::TooLarge { limit: 16 << 20 }, 1));
}

#[tokio::test]
async fn who_says_nothing_or_little_by_little_is_not_waited_for() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n".to_vec();
    for replies in [
        [(); 5].map(|()| Reply::BytesThenSilence(Vec::new())),
        [(); 5].map(|()| Reply::BytesThenSilence(b"HTTP/1.1 200 OK\r\n".to_vec())),
        [(); 5].map(|()| Reply::BytesThenSilence(head.clone())),
        [(); 5].map(|()| Reply::Drip(head.clone())),
    ] {
        let server = Server::start(replies.into()).await;
        let client = server.client_with("acme", pat(), &hasty());
        let error = ends(client.runners()).await.err().unwrap();
        assert!(matches!(error.cause(), Cause::TimedOut { .. }), "{error}");
        assert!(told(&error).contains("no answer from 127.0.0.1:"), "{error}");
        assert!(error.is_temporary());
    }
}

#[tokio::test]
async fn a_pause_that_github_asks_for_takes_the_place_of_ours() {
    let mut patient = connection();
    patient.limits.first_pause = Duration::from_secs(3600);
    patient.limits.call = Duration::from_secs(36_000);
    let limited = "API rate limit exceeded for user ID 1.";
    let past = ["x-ratelimit-remaining: 0", "x-ratelimit-reset: 1", "Retry-After: 0"];
    let date = ["Retry-After: Mon, 23 Nov 2026 16:29:56 GMT", "Date: Mon, 23 Nov 2026 16:30:00 GMT"];
    for fault in [
        refusal(429, &["Retry-After: 0"], "You have exceeded a secondary rate limit."),
        refusal(403, &past, limited),
        refusal(403, &date, limited),
        answer(503, &["Retry-After: 0"], ""),
    ] {
        let server = Server::start(vec![fault, no_runners()]).await;
        let client = server.client_with("acme", pat(), &patient);
        assert!(ends(client.runners()).await.is_ok(), "an hour would have been waited for");
    }
}

#[tokio::test]
async fn a_limit_that_lasts_longer_than_the_call_is_told_at_once_with_its_end() {
    let limited = "API rate limit exceeded for user ID 1.";
    let date = "Date: Mon, 23 Nov 2026 16:30:00 GMT";
    // 2026-11-23T17:30:00Z
    let reset = "x-ratelimit-reset: 1795455000";
    for (reply, until) in [
        (refusal(403, &["x-ratelimit-remaining: 0", reset, date], limited), "2026-11-23T17:30:01Z"),
        (refusal(429, &["x-ratelimit-remaining: 0", reset, date], limited), "2026-11-23T17:30:01Z"),
        (refusal(429, &["Retry-After: 600", reset, date], limited), "2026-11-23T16:40:00Z"),
        (refusal(403, &[date], "You have exceeded a secondary rate limit."), "2026-11-23T16:31:00Z"),
    ] {
        let (error, times) = failure(vec![reply]).await;
        assert_eq!(times, 1, "{error}");
        let words = format!("GitHub's rate limit is used up until {until}");
        assert!(told(&error).contains(&words), "{}", told(&error));
    }
}

#[tokio::test]
async fn the_last_request_of_an_hour_counts_like_any_other() {
    let headers = ["x-ratelimit-remaining: 0", "x-ratelimit-reset: 1795455000"];
    let (error, _) = failure(vec![refusal(404, &headers, "Not Found")]).await;
    assert!(matches!(error.cause(), Cause::NotFound { .. }), "{error}");
}

#[tokio::test]
async fn a_server_that_repeats_the_credential_puts_it_into_no_text_of_ours() {
    let header = format!("X-Accepted-GitHub-Permissions: {CANARY}=write");
    let location = format!("Location: http://127.0.0.1:1/{CANARY}?token={CANARY}");
    let nested = json!({"message": "no\r\nto", "errors": [{"value": CANARY}]}).to_string();
    for reply in [
        refusal(401, &[], &format!("Bearer {CANARY}")),
        refusal(403, &[&header], &format!("no: {CANARY}")),
        refusal(409, &[], CANARY),
        answer(422, &[], &nested),
        answer(301, &[&location], ""),
        json(200, &json!({"total_count": CANARY, "runners": [CANARY]})),
        answer(200, &[], CANARY),
        answer(200, &HTML, CANARY),
    ] {
        let (error, _) = failure(vec![reply]).await;
        assert!(!told(&error).contains(['\r', '\n']), "{error}");
    }
}

#[tokio::test]
async fn a_host_without_an_address_is_named() {
    // No label has more than 63 characters, so nobody is asked.
    let host = format!("{}.invalid", "a".repeat(64));
    let client = client_at(&format!("http://{host}/acme"), pat(), &connection()).unwrap();
    let error = ends(client.runners()).await.err().unwrap();
    assert_eq!(error.cause(), &Cause::UnknownHost { host }, "{error}");
    assert!(told(&error).contains("resolvectl"));
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_told() {
    let address = Server::start(Vec::new()).await.address.clone();
    // The server is gone; its port may be given to nobody so soon.
    tokio::task::yield_now().await;
    let client = client_at(&format!("http://{address}/acme"), pat(), &connection()).unwrap();
    let error = ends(client.runners()).await.err().unwrap();
    assert!(matches!(error.cause(), Cause::Unreachable { has_proxy: false, .. }), "{error}");
    assert!(told(&error).contains(&format!("cannot connect to {address}: ")), "{error}");
}
