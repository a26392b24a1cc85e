//! Redirections: within the API they are followed, elsewhere no credential ever arrives.

use homelab_runners::github::Cause;
use serde_json::json;

use super::bed::{CANARY, Server, answer, ends, json, told};

#[tokio::test]
async fn a_credential_follows_no_redirection_to_another_place() {
    for status in [301, 302, 303, 307, 308] {
        let elsewhere = Server::start(Vec::new()).await;
        let places = [
            // Another port is another place.
            (
                format!("http://{}/repositories/5", elsewhere.address),
                format!("http://{}/", elsewhere.address),
            ),
            (format!("//{}/x", elsewhere.address), format!("http://{}/", elsewhere.address)),
            (
                format!("http://localhost:{}/", elsewhere.address.rsplit_once(':').unwrap().1),
                "http://localhost:".to_owned(),
            ),
        ];
        for (location, named) in places {
            let server = Server::start(vec![answer(status, &[&format!("Location: {location}")], "")]).await;
            let error = ends(server.client("acme/shop").runners()).await.err().unwrap();
            assert!(matches!(error.cause(), Cause::Redirected { .. }), "{error}");
            let hint = error.hint().unwrap();
            assert!(hint.contains(&named) && hint.contains("renamed or moved"), "{hint}");
            told(&error);
        }
        assert!(elsewhere.heard().is_empty(), "{:?}", elsewhere.heard());
    }
}

#[tokio::test]
async fn another_scheme_is_another_place() {
    let server = Server::start(Vec::new()).await;
    server.then(answer(301, &[&format!("Location: https://{}/", server.address)], ""));
    let error = ends(server.client("acme").runners()).await.err().unwrap();
    assert!(matches!(error.cause(), Cause::Redirected { .. }), "{error}");
}

#[tokio::test]
async fn within_the_api_it_is_followed_with_method_and_credential() {
    let token = json!({"token": "AAAA", "expires_at": "2026-11-23T17:30:00Z"});
    for status in [301, 307] {
        let server = Server::start(vec![
            answer(status, &["Location: /api/v3/repositories/5/actions/runners/registration-token"], ""),
            json(201, &token),
        ])
        .await;
        assert!(ends(server.client("acme/old").registration_token()).await.is_ok());
        let heard = server.heard();
        assert_eq!(heard[1].line, "POST /api/v3/repositories/5/actions/runners/registration-token");
        assert_eq!(heard[1].header("authorization"), Some(format!("Bearer {CANARY}").as_str()));
    }
}

#[tokio::test]
async fn a_repository_that_was_renamed_is_found_where_it_is_now() {
    let now = json!({"full_name": "acme/new", "html_url": "https://ghes.lan/acme/new", "private": true});
    let same = json!({"full_name": "Acme/New", "html_url": "https://ghes.lan/Acme/New"});
    let server = Server::start(vec![
        answer(301, &["Location: /api/v3/repositories/5"], ""),
        json(200, &now),
        json(200, &same),
    ])
    .await;
    let found = ends(server.client("acme/old").moved_to()).await.unwrap();
    assert_eq!(found.as_deref(), Some("https://ghes.lan/acme/new"));
    assert_eq!(ends(server.client("acme/new").moved_to()).await.unwrap(), None);
    assert_eq!(server.lines()[0], "GET /api/v3/repos/acme/old");
    assert_eq!(ends(server.client("acme").moved_to()).await.unwrap(), None);
    assert_eq!(server.heard().len(), 3, "organisations are not asked about");
}

#[tokio::test]
async fn a_circle_ends() {
    let circle = (0..9).map(|_| answer(307, &["Location: /api/v3/orgs/acme/actions/runners"], ""));
    let server = Server::start(circle.collect()).await;
    let error = ends(server.client("acme").runners()).await.err().unwrap();
    assert!(matches!(error.cause(), Cause::Redirected { .. }), "{error}");
    assert_eq!(server.heard().len(), 4, "three are followed");
}

#[tokio::test]
async fn a_redirection_to_nowhere_is_a_refusal() {
    for headers in [&[][..], &["Location: http://[::"][..]] {
        let server = Server::start(vec![answer(301, headers, "")]).await;
        let error = ends(server.client("acme").runners()).await.err().unwrap();
        assert!(matches!(error.cause(), Cause::Refused { status: 301, .. }), "{error}");
    }
}
