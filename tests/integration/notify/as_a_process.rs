//! `runnerctl notify-test`

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};

use tempfile::TempDir;

use super::*;

fn place(lines: &str) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let config = format!("url = \"https://github.com/acme/shop\"\n[notify]\n{lines}\n");
    fs::write(directory.path().join("config.toml"), config).unwrap();
    directory
}

async fn run(directory: &TempDir, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_runnerctl"));
    command
        .env("RUST_BACKTRACE", "0")
        .arg("--config")
        .arg(directory.path().join("config.toml"))
        .args(arguments);
    let output: Output = ends(tokio::process::Command::from(command).output()).await.unwrap();
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(!text.contains("CANARY"), "{text}");
    (output.status.code(), text)
}

#[tokio::test]
async fn a_test_message_goes_to_both_and_what_came_of_it_is_told() {
    let server = Server::start(vec![answer(200, &[], ""), answer(403, &[], "")]).await;
    let token = tempfile::tempdir().unwrap();
    let token = token.path().join("token");
    fs::write(&token, CANARY).unwrap();
    fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).unwrap();
    let seen = tempfile::tempdir().unwrap();
    let seen = seen.path().join("seen");
    let directory = place(&format!(
        "command = [\"/bin/cp\", \"/dev/stdin\", \"{}\"]\nwebhook = \"http://{}/topic\"\nformat = \"ntfy\"\ntoken_file = \"{}\"",
        seen.display(),
        server.address,
        token.display()
    ));
    let (code, text) = run(&directory, &["notify-test"]).await;
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("the command /bin/cp took the test message"), "{text}");
    assert!(
        text.contains(&format!("the webhook at http://{} took the test message", server.address)),
        "{text}"
    );
    let json: serde_json::Value = serde_json::from_str(&fs::read_to_string(&seen).unwrap()).unwrap();
    assert_eq!(json["kind"], "test");
    let request = &server.heard()[0];
    assert_eq!(request.header("authorization"), Some(format!("Bearer {CANARY}").as_str()));
    assert!(request.header("title").unwrap().ends_with(": test message of runnerctl"), "{request:?}");

    let (code, text) = run(&directory, &["notify-test"]).await;
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("it answers 403") && text.contains("hint: see that the token"), "{text}");
    assert!(text.contains("the command /bin/cp took the test message"), "{text}");

    fs::set_permissions(&token, fs::Permissions::from_mode(0o644)).unwrap();
    let (code, text) = run(&directory, &["notify-test"]).await;
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("is open to other users") && text.contains("chmod 600"), "{text}");
    fs::write(&token, format!("{CANARY} {CANARY}")).unwrap();
    fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).unwrap();
    let (code, text) = run(&directory, &["notify-test"]).await;
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("has no token of a webhook"), "{text}");
}

#[tokio::test]
async fn where_nobody_is_named_that_is_said() {
    let (code, text) = run(&place(""), &["notify-test"]).await;
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("names nobody") && text.contains("hint: add [notify]"), "{text}");
}
