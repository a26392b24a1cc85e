//! Which credential may do what, and what it is told when it may not.

use hyper::Method;
use serde_json::{Value, json};

use crate::bed::Bed;
use crate::client::Reply;

const RUNNERS: &str = "/repos/acme/shop/actions/runners";

async fn register(bed: &Bed, place: &str, token: &str) -> Reply {
    bed.call(Method::POST, &format!("/{place}/actions/runners/registration-token"), token).await
}

#[tokio::test]
async fn a_classic_token_needs_the_scope_of_the_place() {
    let bed = Bed::start();
    let cases = [
        (&["repo"][..], "repos/acme/shop", 201),
        (&["public_repo"], "repos/acme/shop", 403),
        (&["admin:org"], "repos/acme/shop", 403),
        (&["admin:org"], "orgs/acme", 201),
        (&["manage_runners:org", "repo"], "orgs/acme", 403),
        (&["manage_runners:enterprise"], "enterprises/big", 201),
        (&["admin:enterprise"], "enterprises/big", 201),
        (&["repo", "admin:org"], "enterprises/big", 404),
    ];
    for (scopes, place, status) in cases {
        let token = bed.classic_token(scopes).await;
        let reply = register(&bed, place, &token).await;
        assert_eq!(reply.status, status, "{scopes:?} {place}");
        if status == 403 {
            assert_eq!(reply.message(), "Must have admin rights to Repository.");
            assert!(reply.header("x-accepted-oauth-scopes").is_some());
        }
    }
}

#[tokio::test]
async fn a_fine_grained_token_needs_the_permission_and_is_told_which() {
    let bed = Bed::start();
    let reader = bed.fine_grained_token(json!({ "administration": "read" }), Some(&["shop"])).await;
    assert_eq!(bed.call_get(RUNNERS, &reader).await.status, 200);
    let refused = register(&bed, "repos/acme/shop", &reader).await;
    assert_eq!(refused.status, 403);
    assert_eq!(refused.message(), "Resource not accessible by personal access token");
    assert_eq!(refused.header("x-accepted-github-permissions"), Some("administration=write"));

    let writer = bed.fine_grained_token(json!({ "organization_self_hosted_runners": "write" }), None).await;
    assert_eq!(register(&bed, "orgs/acme", &writer).await.status, 201);
    assert_eq!(register(&bed, "orgs/other", &writer).await.status, 403);
    let refused = register(&bed, "enterprises/big", &writer).await;
    assert_eq!((refused.status, refused.header("x-accepted-github-permissions")), (403, None));
}

#[tokio::test]
async fn a_private_repository_does_not_exist_for_those_who_may_not_see_it() {
    let bed = Bed::start();
    bed.make_private("shop").await;
    let other = bed.fine_grained_token(json!({ "administration": "write" }), Some(&["garden"])).await;
    let scopeless = bed.classic_token(&["public_repo"]).await;
    for token in [&other, &scopeless, ""] {
        for path in ["/repos/acme/shop", RUNNERS, "/repos/acme/shop/actions/runs"] {
            let refused = bed.call_get(path, token).await;
            assert_eq!((refused.status, refused.message()), (404, "Not Found"), "{path}");
        }
    }
    // One that sees the repository learns what it lacks.
    let seeing = bed.fine_grained_token(json!({}), Some(&["shop"])).await;
    assert_eq!(bed.call_get("/repos/acme/shop", &seeing).await.body["private"], true);
    assert_eq!(register(&bed, "repos/acme/shop", &seeing).await.status, 403);
    let refused = bed.call_get("/repos/acme/shop/actions/runs", &seeing).await;
    assert_eq!(refused.header("x-accepted-github-permissions"), Some("actions=read"));
}

#[tokio::test]
async fn everybody_sees_the_runs_of_a_public_repository_and_nobody_its_runners() {
    let bed = Bed::start();
    assert_eq!(bed.call_get("/repos/acme/shop/actions/runs", "").await.status, 200);
    assert_eq!(bed.call_get("/repos/acme/shop", "").await.body["private"], false);
    let refused = bed.call_get(RUNNERS, "").await;
    assert_eq!((refused.status, refused.message()), (401, "Requires authentication"));
}

#[tokio::test]
async fn revoked_expired_and_unknown_tokens_are_bad_credentials() {
    let bed = Bed::start();
    let request = json!({ "scopes": ["repo"], "lifetime_seconds": 60 });
    let issue =
        async || -> Value { bed.ask(Method::POST, "/personal-access-tokens/classic", &request).await };
    let (revoked, expired) = (issue().await, issue().await);
    let token = |issued: &Value| issued["token"].as_str().unwrap().to_owned();
    assert_eq!(bed.call_get(RUNNERS, &token(&revoked)).await.status, 200);
    bed.ask(Method::DELETE, &format!("/personal-access-tokens/{}", revoked["id"]), &Value::Null).await;
    assert_eq!(bed.call_get(RUNNERS, &token(&revoked)).await.status, 401);
    assert_eq!(bed.call_get(RUNNERS, &token(&expired)).await.status, 200);
    bed.advance_clock(60).await;
    for token in [token(&expired), "ghp_unknown".to_owned()] {
        let refused = bed.call_get(RUNNERS, &token).await;
        assert_eq!((refused.status, refused.message()), (401, "Bad credentials"));
        // Not even what everybody may see is shown to a wrong token.
        assert_eq!(bed.call_get("/repos/acme/shop", &token).await.status, 401);
    }
    let registration_token = bed.registration_token().await;
    let path = format!("{RUNNERS}/registration-token");
    let refused = bed.ask_github(Method::POST, &path, &format!("RemoteAuth {registration_token}")).await;
    assert_eq!(refused.unwrap().status, 401);
}

#[tokio::test]
async fn a_token_may_also_come_as_token_or_as_a_password() {
    let bed = Bed::start();
    let pat = bed.classic_token(&["repo"]).await;
    let basic = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, format!("github:{pat}"));
    for authorization in [format!("token {pat}"), format!("basic {basic}"), format!("bearer {pat}")] {
        assert_eq!(bed.ask_github(Method::GET, RUNNERS, &authorization).await.unwrap().status, 200);
    }
    assert_eq!(bed.ask_github(Method::GET, RUNNERS, &format!("Digest {pat}")).await.unwrap().status, 401);
    let journal = bed.get("/journal").await.to_string();
    assert!(!journal.contains(&pat) && !journal.contains(&basic));
}
