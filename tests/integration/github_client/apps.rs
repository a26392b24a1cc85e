//! GitHub Apps: signatures, installations, and tokens that may do one thing.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use homelab_runners::config::AppKey;
use homelab_runners::github::{Cause, Client, Credential};
use jiff::{SignedDuration, Timestamp};
use ring::signature::{KeyPair, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
use serde_json::{Value, json};

use super::bed::{Reply, Request, Server, client_at, connection, ends, json, refusal, told};

/// Made for these tests, and known to everybody: good for nothing else.
const PKCS1: &[u8] = include_bytes!("app-key.pkcs1.der");
/// The same key.
const PKCS8: &[u8] = include_bytes!("app-key.pkcs8.der");

fn pem(kind: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", lines.join("\n"))
}

fn app(pem: &str, installation_id: Option<u64>) -> Credential {
    let key = AppKey::parse(pem).ok().unwrap();
    Credential::App { key, client_id: "Iv23liTest".to_owned(), installation_id }
}

fn client(server: &Server, scope: &str, installation_id: Option<u64>) -> Client {
    server.client_with(scope, app(&pem("RSA PRIVATE KEY", PKCS1), installation_id), &connection())
}

fn installation() -> Reply {
    json(200, &json!({"id": 77, "app_id": 1, "suspended_at": null}))
}

/// A token that is good for so many minutes, of the long form.
fn minted(name: &str, minutes: i64) -> Reply {
    let until = Timestamp::now() + SignedDuration::from_mins(minutes);
    let token = format!("ghs_1_{name}.CANARY-{}_x", "a".repeat(300));
    json(201, &json!({"permissions": {"metadata": "read"}, "token": token, "expires_at": until.to_string()}))
}

fn no_runners() -> Reply {
    json(200, &json!({"total_count": 0, "runners": []}))
}

fn bearer(request: &Request) -> &str {
    request.header("authorization").unwrap().strip_prefix("Bearer ").unwrap()
}

/// The claims of a JWT whose signature is good.
fn verified(token: &str) -> Value {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let key = RsaKeyPair::from_der(PKCS1).unwrap();
    let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public_key().as_ref());
    public.verify(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
    let (header, claims) = signed.split_once('.').unwrap();
    let decoded =
        |part: &str| -> Value { serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap() };
    assert_eq!(decoded(header), json!({"alg": "RS256", "typ": "JWT"}));
    decoded(claims)
}

#[tokio::test]
async fn an_app_signs_with_its_key_and_works_with_a_token_of_its_installation() {
    for pem in [pem("RSA PRIVATE KEY", PKCS1), pem("PRIVATE KEY", PKCS8)] {
        let server = Server::start(vec![installation(), minted("one", 60), no_runners()]).await;
        let before = Timestamp::now().as_second();
        let client = server.client_with("acme/shop", app(&pem, None), &connection());
        assert!(ends(client.runners()).await.is_ok());
        let heard = server.heard();
        assert_eq!(heard[0].line, "GET /api/v3/repos/acme/shop/installation");
        assert_eq!(heard[1].line, "POST /api/v3/app/installations/77/access_tokens");
        let claims = verified(bearer(&heard[0]));
        let (iat, exp) = (claims["iat"].as_i64().unwrap(), claims["exp"].as_i64().unwrap());
        assert_eq!((exp - iat, &claims["iss"]), (600, &json!("Iv23liTest")));
        assert!((before - 60..=Timestamp::now().as_second() - 60).contains(&iat));
        verified(bearer(&heard[1]));
        assert_eq!(
            heard[1].json(),
            json!({"permissions": {"administration": "read"}, "repositories": ["shop"]})
        );
        assert!(bearer(&heard[2]).starts_with("ghs_1_one."));
    }
}

#[tokio::test]
async fn a_token_is_kept_for_what_it_may_do_and_asked_for_with_no_more() {
    let token = json!({"token": "AAAA", "expires_at": "2026-11-23T17:30:00Z"});
    let server = Server::start(vec![
        minted("read", 60),
        no_runners(),
        no_runners(),
        minted("write", 60),
        json(201, &token),
        minted("actions", 60),
        json(200, &json!({"total_count": 0, "workflow_runs": []})),
        json(200, &json!({"total_count": 0, "workflow_runs": []})),
        no_runners(),
    ])
    .await;
    let client = client(&server, "acme", Some(5));
    assert!(client.runners().await.is_ok() && client.runners().await.is_ok());
    assert!(client.registration_token().await.is_ok());
    let shop = homelab_runners::github::Repository::parse("acme/shop").unwrap();
    assert!(client.unfinished_workflow_jobs(&[shop]).await.is_ok());
    assert!(client.runners().await.is_ok());
    let heard = server.heard();
    let minting = "POST /api/v3/app/installations/5/access_tokens";
    let asked: Vec<Value> = heard
        .iter()
        .filter(|request| request.line == minting)
        .map(|request| request.json()["permissions"].clone())
        .collect();
    assert_eq!(
        asked,
        [
            json!({"organization_self_hosted_runners": "read"}),
            json!({"organization_self_hosted_runners": "write"}),
            json!({"actions": "read"}),
        ]
    );
    assert!(bearer(heard.last().unwrap()).starts_with("ghs_1_read."));
}

#[tokio::test]
async fn a_token_is_not_used_in_the_last_minutes_of_its_hour() {
    let server = Server::start(vec![minted("one", 4), no_runners(), minted("two", 60), no_runners()]).await;
    let client = client(&server, "acme", Some(5));
    assert!(client.runners().await.is_ok() && client.runners().await.is_ok());
    assert!(bearer(&server.heard()[3]).starts_with("ghs_1_two."));
}

#[tokio::test]
async fn calls_at_the_same_time_share_one_token() {
    let runner = || json(200, &json!({"id": 1, "name": "r", "status": "online"}));
    let server = Server::start(vec![minted("one", 60), runner(), runner(), runner()]).await;
    let client = client(&server, "acme", Some(5));
    let (first, second, third) = tokio::join!(client.runner(1), client.runner(1), client.runner(1));
    assert!(first.is_ok() && second.is_ok() && third.is_ok());
    assert_eq!(server.heard().len(), 4);
}

#[tokio::test]
async fn a_token_that_was_revoked_is_not_used_again() {
    let server = Server::start(vec![
        minted("one", 60),
        refusal(401, &[], "Bad credentials"),
        minted("two", 60),
        no_runners(),
    ])
    .await;
    let client = client(&server, "acme", Some(5));
    let error = client.runners().await.err().unwrap();
    assert!(told(&error).contains("the installation token of the GitHub App"), "{error}");
    assert!(client.runners().await.is_ok());
}

#[tokio::test]
async fn an_app_that_is_not_installed_is_told_as_that() {
    let server = Server::start(vec![refusal(404, &[], "Not Found")]).await;
    let error = client(&server, "acme", None).runners().await.err().unwrap();
    assert_eq!(error.cause(), &Cause::NotInstalled);
    assert!(told(&error).contains("Install App"), "{error}");
}

#[tokio::test]
async fn an_app_that_was_installed_anew_is_found_again() {
    let server = Server::start(vec![
        installation(),
        refusal(404, &[], "Not Found"),
        json(200, &json!({"id": 78})),
        minted("one", 60),
        no_runners(),
    ])
    .await;
    let client = client(&server, "acme", None);
    assert_eq!(client.runners().await.err().unwrap().cause(), &Cause::NotInstalled);
    assert!(client.runners().await.is_ok());
    assert_eq!(server.lines()[3], "POST /api/v3/app/installations/78/access_tokens");
}

#[tokio::test]
async fn a_permission_that_the_installation_lacks_is_named() {
    let said = "The permissions requested are not granted to this installation.";
    let server = Server::start(vec![refusal(422, &[], said)]).await;
    let error = client(&server, "acme/shop", Some(5)).registration_token().await.err().unwrap();
    assert!(matches!(error.cause(), Cause::Forbidden { .. }), "{error}");
    assert!(told(&error).contains("Administration: read and write"), "{}", told(&error));
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_told_as_that() {
    let said = "'Expiration time' claim ('exp') is too far in the future";
    for (offset, words) in [(-600, "s ahead of GitHub's"), (600, "s behind GitHub's")] {
        let at = Timestamp::now() + SignedDuration::from_secs(offset);
        let date = format!(
            "Date: {}",
            jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&at).unwrap()
        );
        let server = Server::start(vec![refusal(401, &[&date], said)]).await;
        let error = client(&server, "acme", Some(5)).runners().await.err().unwrap();
        let told = told(&error);
        assert!(
            told.contains("this host's clock is ") && told.contains(words) && told.contains("timedatectl"),
            "{told}"
        );
    }
    // The same words with clocks that agree: it is not the clock.
    let now =
        jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&Timestamp::now()).unwrap();
    let server = Server::start(vec![refusal(401, &[&format!("Date: {now}")], said)]).await;
    let error = client(&server, "acme", Some(5)).runners().await.err().unwrap();
    assert!(matches!(error.cause(), Cause::BadCredential { .. }), "{error}");
}

#[tokio::test]
async fn faults_on_the_way_to_a_token_are_tried_again() {
    let server =
        Server::start(vec![Reply::Reset, installation(), Reply::Reset, minted("one", 60), no_runners()])
            .await;
    assert!(ends(client(&server, "acme", None).runners()).await.is_ok());
    assert_eq!(server.heard().len(), 5);
}

#[test]
fn the_config_says_what_its_file_holds() {
    let github = |text: &str| {
        let text = format!("url = \"https://github.com/acme\"\n[github]\ncredential = {text}\n");
        homelab_runners::config::Config::parse(&text).unwrap().github
    };
    let key = pem("RSA PRIVATE KEY", PKCS1);
    assert!(matches!(Credential::of(&github("\"registration-token\""), ""), Ok(None)));
    assert!(matches!(Credential::of(&github("\"pat\""), "ghp_a\n"), Ok(Some(Credential::Pat(_)))));
    let app = github("\"app\"\nclient_id = \"Iv1\"\ninstallation_id = 7");
    let Ok(Some(Credential::App { client_id, installation_id, .. })) = Credential::of(&app, &key) else {
        panic!("it is an App's");
    };
    assert_eq!((client_id.as_str(), installation_id), ("Iv1", Some(7)));
    assert!(Credential::of(&github("\"pat\""), &key).is_err());
    assert!(Credential::of(&app, "ghp_a").is_err());
}

#[test]
fn a_key_that_is_none_is_refused_before_anything_is_sent() {
    let mut broken = PKCS1.to_vec();
    broken.truncate(100);
    for text in
        [pem("RSA PRIVATE KEY", &broken), pem("PRIVATE KEY", PKCS1), "-----BEGIN PRIVATE KEY-----".to_owned()]
    {
        let error = client_at("http://127.0.0.1:1/acme", app(&text, None), &connection()).err().unwrap();
        assert!(matches!(error.cause(), Cause::BadKey { .. }), "{error}");
        assert!(told(&error).contains("download the key again"), "{error}");
    }
    let enterprise = "http://127.0.0.1:1/enterprises/big";
    let error =
        client_at(enterprise, app(&pem("RSA PRIVATE KEY", PKCS1), None), &connection()).err().unwrap();
    assert_eq!(error.cause(), &Cause::AppForEnterprise);
}
