//! `config.sh`: registering, replacing and removing.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use hyper::Method;
use serde_json::Value;

use crate::bed::Bed;
use crate::runner::Runner;

fn lines(bytes: &[u8]) -> Vec<String> {
    String::from_utf8_lossy(bytes).lines().map(ToOwned::to_owned).collect()
}

#[tokio::test]
async fn a_registered_runner_is_online_once_it_listens() {
    let bed = Bed::start();
    let runner = Runner::install(&bed, "r1")
        .with("RUNNER_PERFLOG", &bed.directory.path().join("perf").display().to_string());
    let token = bed.registration_token().await;
    let configured = runner.configure(&bed, &token, &["--name", "r1", "--labels", "e2e, Big"]).await;
    assert_eq!(configured.status.code(), Some(0));
    let said = lines(&configured.stdout);
    for line in ["√ Connected to GitHub", "√ Runner successfully added", "√ Settings Saved."] {
        assert!(said.iter().any(|said| said == line), "{said:?}");
    }
    let registered = bed.runner("r1").await.unwrap();
    assert_eq!(registered["status"], "offline");
    assert_eq!(registered["scope"], "acme/shop");
    assert_eq!(registered["labels"], serde_json::json!(["self-hosted", "Linux", "X64", "e2e", "Big"]));

    let running = runner.start();
    bed.runner_when("r1", "online").await;
    bed.until("listening", async || running.stdout().contains("Z: Listening for Jobs").then_some(())).await;
    let perf = fs::read_to_string(bed.directory.path().join("perf/Runner.perf")).unwrap();
    assert!(perf.lines().last().unwrap().starts_with("SessionCreated:"));
}

#[tokio::test]
async fn the_files_have_a_byte_order_mark_and_the_key_is_private() {
    let bed = Bed::start();
    let runner = Runner::registered(&bed, "r1", "").await;
    for name in [".runner", ".credentials", ".credentials_rsaparams"] {
        let bytes = fs::read(runner.root.join(name)).unwrap();
        let json = bytes.strip_prefix(b"\xef\xbb\xbf").expect(name);
        serde_json::from_slice::<Value>(json).unwrap();
    }
    let mode = fs::metadata(runner.root.join(".credentials_rsaparams")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let again = runner.configure(&bed, "any", &[]).await;
    assert_eq!(again.status.code(), Some(1));
    assert!(
        lines(&again.stderr)[0].starts_with("Cannot configure the runner because it is already configured.")
    );
}

#[tokio::test]
async fn an_expired_token_is_a_404_with_two_lines_on_stderr() {
    let bed = Bed::start();
    let token = bed.registration_token().await;
    bed.advance_clock(3601).await;
    let runner = Runner::install(&bed, "r1");
    let refused = runner.configure(&bed, &token, &["--name", "r1"]).await;
    assert_eq!(refused.status.code(), Some(1));
    let said = lines(&refused.stderr);
    let call = format!("{}/api/v3/actions/runner-registration", bed.github);
    assert!(
        said[0].starts_with(&format!("Http response code: NotFound from 'POST {call}' (Request Id: ")),
        "{said:?}"
    );
    let body: Value = serde_json::from_str(&said[1]).unwrap();
    assert_eq!(body["message"], "Not Found");
    assert_eq!(said[2], "Response status code does not indicate success: 404 (Not Found).");
    assert!(!runner.has_identity());
    // A 404 is believed at once.
    assert_eq!(bed.get("/journal").await.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_token_is_good_for_its_own_url_only() {
    let bed = Bed::start();
    let other = serde_json::json!({ "url": format!("{}/acme/garden", bed.github) });
    let token =
        bed.ask(Method::POST, "/registration-tokens", &other).await["token"].as_str().unwrap().to_owned();
    let refused = Runner::install(&bed, "r1").configure(&bed, &token, &["--name", "r1"]).await;
    assert_eq!(refused.status.code(), Some(1));
    assert!(lines(&refused.stderr)[0].starts_with("Http response code: NotFound"));
}

#[tokio::test]
async fn a_taken_name_is_refused_unless_the_runner_is_to_be_replaced() {
    let bed = Bed::start();
    let first = Runner::registered(&bed, "r1", "").await;
    let mut running = first.start();
    let id = bed.runner_when("r1", "online").await["id"].clone();

    let second = Runner::install(&bed, "second");
    let token = bed.registration_token().await;
    let refused = second.configure(&bed, &token, &["--name", "r1"]).await;
    assert_eq!(refused.status.code(), Some(1));
    assert_eq!(lines(&refused.stderr), ["A runner exists with the same name r1."]);

    let replaced = second.configure(&bed, &token, &["--name", "r1", "--replace", "--labels", "new"]).await;
    assert_eq!(replaced.status.code(), Some(0), "{replaced:?}");
    assert!(lines(&replaced.stdout).contains(&"√ Successfully replaced the runner".to_owned()));
    let runner = bed.runner("r1").await.unwrap();
    assert_eq!(runner["id"], id);
    assert_eq!(runner["labels"][3], "new");
    // The first one's key and session are dead.
    assert_eq!(running.code(&bed).await, 1);
    assert_eq!(first.start().code(&bed).await, 1);
    let _second = second.start();
    bed.runner_when("r1", "online").await;
}

#[tokio::test]
async fn a_removed_runner_has_neither_registration_nor_files() {
    let bed = Bed::start();
    let runner = Runner::registered(&bed, "r1", "").await;
    let failed = runner.output("config.sh", &["remove", "--token", "garbage"]).await;
    assert_eq!(failed.status.code(), Some(1));
    assert!(lines(&failed.stderr).contains(&"Failed: Removing runner from the server".to_owned()));
    assert!(runner.has_identity());

    let token = bed.registration_token().await;
    let removed = runner.output("config.sh", &["remove", "--token", &token]).await;
    assert_eq!(removed.status.code(), Some(0), "{removed:?}");
    for line in ["√ Runner removed successfully", "√ Removed .credentials", "√ Removed .runner"] {
        assert!(lines(&removed.stdout).contains(&line.to_owned()));
    }
    assert!(!runner.has_identity());
    assert!(bed.runner("r1").await.is_none());
}

#[tokio::test]
async fn a_missing_token_and_unknown_arguments_are_told() {
    let bed = Bed::start();
    let runner = Runner::install(&bed, "r1");
    let refused = runner.configure(&bed, "", &["--name", "r1", "--colour", "red"]).await;
    assert_eq!(refused.status.code(), Some(1));
    let said = lines(&refused.stderr);
    assert!(
        said[0].starts_with("Unrecognized command-line input arguments for command configure: 'colour'.")
    );
    assert_eq!(said[1], "Invalid configuration provided for token. Terminating unattended configuration.");
}
