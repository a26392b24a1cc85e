//! GitHub Apps: their own tokens, their installations, and the tokens of those.

use hyper::Method;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::bed::Bed;
use crate::github_app::GitHubApp;

const RUNNERS: &str = "/repos/acme/shop/actions/runners";

#[tokio::test]
async fn an_app_finds_its_installation_and_gets_a_token_for_an_hour() {
    let bed = Bed::start();
    let app = GitHubApp::create(&bed).await;
    let id = app.install(&bed, json!({ "administration": "write" }), Some(&["shop"])).await;
    let token = app.web_token();
    assert_eq!(bed.call_get("/app", &token).await.body["client_id"], app.client_id.as_str());
    for place in ["repos/acme/shop", "orgs/acme"] {
        assert_eq!(bed.call_get(&format!("/{place}/installation"), &token).await.body["id"], id);
    }
    for place in ["repos/acme/garden", "orgs/other"] {
        assert_eq!(bed.call_get(&format!("/{place}/installation"), &token).await.status, 404);
    }

    let issued = app.access_token(&bed, id, &json!({})).await;
    assert_eq!(issued.status, 201, "{issued:?}");
    assert_eq!(issued.body["permissions"], json!({ "administration": "write", "metadata": "read" }));
    assert_eq!(issued.body["repository_selection"], "selected");
    let expires_at: Timestamp = issued.body["expires_at"].as_str().unwrap().parse().unwrap();
    let lifetime = expires_at.as_second() - Timestamp::now().as_second();
    assert!((3595..=3600).contains(&lifetime), "{lifetime}");
    let token = issued.body["token"].as_str().unwrap();
    assert!(token.starts_with(&format!("ghs_{}_", app.id)) && token.len() > 200, "{token}");
    assert!(['.', '-', '_'].iter().all(|character| token.contains(*character)), "{token}");

    let path = format!("{RUNNERS}/registration-token");
    assert_eq!(bed.call(Method::POST, &path, token).await.status, 201);
    bed.advance_clock(3600).await;
    assert_eq!(bed.call(Method::POST, &path, token).await.status, 401);
    // The app has not noticed that a test moved the time.
    assert_eq!(app.access_token(&bed, id, &json!({})).await.status, 201);
}

#[tokio::test]
async fn installations_are_listed_in_pages() {
    let bed = Bed::start();
    let app = GitHubApp::create(&bed).await;
    for account in ["a", "b", "c"] {
        app.install_on(&bed, account, json!({}), None).await;
    }
    let first = bed.call_get("/app/installations?per_page=2", &app.web_token()).await;
    assert_eq!(first.body.as_array().unwrap().len(), 2);
    assert!(first.header("link").unwrap().contains("page=2>; rel=\"next\""));
    let second = bed.call_get("/app/installations?per_page=2&page=2", &app.web_token()).await;
    assert_eq!(second.body[0]["account"]["login"], "c");
}

#[tokio::test]
async fn a_token_can_be_narrowed_down_and_not_widened() {
    let bed = Bed::start();
    bed.make_private("garden").await;
    let app = GitHubApp::create(&bed).await;
    let granted = json!({ "administration": "write", "actions": "read" });
    let id = app.install(&bed, granted, Some(&["shop", "garden"])).await;
    let narrow = json!({ "repositories": ["shop"], "permissions": { "administration": "read" } });
    let issued = app.access_token(&bed, id, &narrow).await.body;
    assert_eq!(issued["repositories"][0]["full_name"], "acme/shop");
    let token = issued["token"].as_str().unwrap();
    assert_eq!(bed.call_get(RUNNERS, token).await.status, 200);
    let refused = bed.call(Method::POST, &format!("{RUNNERS}/registration-token"), token).await;
    assert_eq!((refused.status, refused.message()), (403, "Resource not accessible by integration"));
    assert_eq!(refused.header("x-accepted-github-permissions"), Some("administration=write"));
    assert_eq!(bed.call_get("/repos/acme/garden/actions/runners", token).await.status, 404);

    let number = issued["repositories"][0]["id"].clone();
    let by_number = app.access_token(&bed, id, &json!({ "repository_ids": [number] })).await;
    assert_eq!(by_number.body["repositories"][0]["name"], "shop");
    let wide = [
        (json!({ "repositories": ["other"] }), "There is at least one repository that does not exist"),
        (json!({ "repository_ids": [1] }), "There is at least one repository that does not exist"),
        (json!({ "permissions": { "actions": "write" } }), "The permissions requested are not granted"),
        (json!({ "permissions": { "contents": "read" } }), "The permissions requested are not granted"),
    ];
    for (body, sentence) in wide {
        let refused = app.access_token(&bed, id, &body).await;
        assert_eq!(refused.status, 422, "{body}");
        assert!(refused.message().starts_with(sentence), "{}", refused.message());
    }
}

#[tokio::test]
async fn a_suspended_installation_is_refused_and_an_uninstalled_one_is_gone() {
    let bed = Bed::start();
    let app = GitHubApp::create(&bed).await;
    let id = app.install(&bed, json!({ "administration": "read" }), None).await;
    // Without a body, the token is as good as the installation.
    let path = format!("/app/installations/{id}/access_tokens");
    let issued = bed.call(Method::POST, &path, &app.web_token()).await.body;
    let token = issued["token"].as_str().unwrap();
    let suspend = async |is_suspended: bool| {
        bed.ask(Method::PUT, &format!("/installations/{id}"), &json!({ "suspended": is_suspended })).await
    };
    suspend(true).await;
    let shown = bed.call_get(&format!("/app/installations/{id}"), &app.web_token()).await;
    assert!(shown.body["suspended_at"].is_string());
    for refused in [app.access_token(&bed, id, &json!({})).await, bed.call_get(RUNNERS, token).await] {
        assert_eq!((refused.status, refused.message()), (403, "This installation has been suspended"));
    }
    suspend(false).await;
    assert_eq!(bed.call_get(RUNNERS, token).await.status, 200);
    bed.ask(Method::DELETE, &format!("/installations/{id}"), &Value::Null).await;
    assert_eq!(app.access_token(&bed, id, &json!({})).await.status, 404);
    assert_eq!(bed.call_get(RUNNERS, token).await.status, 401);
}

#[tokio::test]
async fn a_token_of_an_app_must_be_signed_and_of_now() {
    let bed = Bed::start();
    let app = GitHubApp::create(&bed).await;
    let now = Timestamp::now().as_second();
    let claims = |issuer: Value, issued: i64, expires: i64| {
        app.sign(&json!({ "iss": issuer, "iat": now + issued, "exp": now + expires }))
    };
    let right = |issued, expires| claims(json!(app.client_id), issued, expires);
    for token in [right(-60, 590), claims(json!(app.id), 0, 60), claims(json!(app.id.to_string()), 0, 60)] {
        assert_eq!(bed.call_get("/app", &token).await.status, 200);
    }
    // A right signature, of other claims.
    let (genuine, other) = (app.web_token_at(now), app.web_token_at(now - 1));
    let (start, _) = genuine.rsplit_once('.').unwrap();
    let (_, signature) = other.rsplit_once('.').unwrap();
    let forged = format!("{start}.{signature}");
    let undecodable = "A JSON web token could not be decoded";
    let cases = [
        (right(-60, 700), 401, "'Expiration time' claim ('exp') is too far in the future"),
        (right(-660, -60), 401, "'Expiration time' claim ('exp') must be a numeric value"),
        (right(120, 540), 401, "'Issued at' claim ('iat') must be an Integer"),
        (claims(json!("Iv1.unknown"), -60, 540), 404, "Integration not found"),
        (forged, 401, undecodable),
        (bed.classic_token(&["repo"]).await, 401, undecodable),
        (String::new(), 401, undecodable),
    ];
    for (token, status, sentence) in cases {
        let refused = bed.call_get("/app", &token).await;
        assert_eq!(refused.status, status, "{sentence}");
        assert!(refused.message().starts_with(sentence), "{} / {sentence}", refused.message());
    }
    // What an app signs is no credential for what its installations may do.
    assert_eq!(bed.call_get(RUNNERS, &app.web_token()).await.status, 401);
}

#[tokio::test]
async fn an_app_with_a_wrong_clock_is_refused_until_it_believes_the_date_header() {
    let bed = Bed::start();
    let app = GitHubApp::create(&bed).await;
    for skew in [900, -900] {
        bed.ask(Method::PUT, "/clock/skew", &json!({ "seconds": skew })).await;
        let refused = bed.call_get("/app", &app.web_token()).await;
        assert_eq!(refused.status, 401, "{skew}");
        let date = jiff::fmt::rfc2822::parse(refused.header("date").unwrap()).unwrap().timestamp();
        assert_eq!(bed.call_get("/app", &app.web_token_at(date.as_second())).await.status, 200, "{skew}");
    }
}
