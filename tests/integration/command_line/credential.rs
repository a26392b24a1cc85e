//! A credential that systemd-creds(1) has encrypted: who reads it, and what is said where it cannot be read.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;
use tempfile::TempDir;

use super::{Called, runnerctl};
use crate::github_client::bed::{self, Server};

/// Its own directory in memory: a token is handed over nowhere else.
struct Host(TempDir);

impl Host {
    fn new(url: &str) -> Self {
        let host = Self(tempfile::tempdir_in("/dev/shm").unwrap());
        let credential = host.at("github.cred");
        let text = format!(
            "url = \"{url}\"\ncount = 1\nsocket = \"none\"\n[github]\ncredential = \"pat\"\nencrypted = true\ncredential_file = \"{}\"\n",
            credential.display()
        );
        fs::write(host.at("config.toml"), text).unwrap();
        host
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Encrypts the canary with this host's own systemd-creds, without a key: nothing of the host is changed. False where the host has none.
    fn encrypt_as(&self, name: &str) -> bool {
        fs::write(self.at("plain"), format!("{}\n", bed::CANARY)).unwrap();
        // The same in the words of 257 and of 252.
        let is_done = ["null", "tpm2-absent"].iter().any(|key| {
            let mut command = Command::new("systemd-creds");
            command.arg("encrypt").arg(format!("--with-key={key}")).arg(format!("--name={name}"));
            command.arg(self.at("plain")).arg(self.at("github.cred"));
            command.output().is_ok_and(|output| output.status.success())
        });
        fs::remove_file(self.at("plain")).unwrap();
        is_done
    }

    fn check(&self) -> Called {
        let mut command = runnerctl();
        Called::from(command.arg("--config").arg(self.at("config.toml")).arg("check").assert())
    }
}

#[test]
fn systemds_own_encryption_is_read_and_a_wrong_name_is_told() {
    let host = Host::new("https://github.com/acme/shop");
    host.check().ends(1).says(&["github.cred does not exist", "systemd-creds encrypt --name=github "]);
    if !host.encrypt_as("github") {
        eprintln!("skipped: no systemd-creds that encrypts without a key");
        return;
    }
    let text = fs::read_to_string(host.at("github.cred")).unwrap();
    assert!(!text.contains("ghp_"), "{text}");
    host.check().ends(0);
    assert!(host.encrypt_as("something-else"));
    host.check()
        .ends(1)
        .says(&["cannot be decrypted: Embedded credential name", "it has to be called github"]);
    // A token as it is.
    fs::write(host.at("github.cred"), bed::CANARY).unwrap();
    host.check().ends(1).says(&["github.cred cannot be decrypted", "systemd-creds encrypt --name=github "]);
}

#[tokio::test]
async fn a_unit_reads_what_systemd_has_decrypted_for_it() {
    let answer = json!({"token": "AREGISTRATIONTOKENOFGITHUB", "expires_at": "2099-01-01T00:00:00Z"});
    let github = Server::start(vec![bed::json(201, &answer)]).await;
    let host = Host::new(&format!("http://{}/acme/shop", github.address));
    // Nothing could be decrypted from it.
    fs::write(host.at("github.cred"), "not to be read").unwrap();
    fs::create_dir(host.at("credentials")).unwrap();
    fs::write(host.at("credentials/github"), bed::CANARY).unwrap();
    fs::set_permissions(host.at("credentials/github"), fs::Permissions::from_mode(0o400)).unwrap();
    let directory = host.0.path().to_owned();
    let called = tokio::task::spawn_blocking(move || prepare(&directory)).await.unwrap();
    called.ends(0);
    let heard = github.heard();
    let authorization = heard.first().and_then(|request| request.header("authorization"));
    assert_eq!(authorization, Some(format!("Bearer {}", bed::CANARY).as_str()));
    let handed = fs::read_to_string(host.at("run/token/registration-token")).unwrap();
    assert_eq!(handed, "AREGISTRATIONTOKENOFGITHUB");
}

/// As the unit does.
fn prepare(directory: &Path) -> Called {
    let option = |name: &str, place: &str| format!("--{name}={}", directory.join(place).display());
    let mut command = runnerctl();
    command.env("CREDENTIALS_DIRECTORY", directory.join("credentials")).args([
        "unit-step",
        "prepare",
        "--runner=1",
        "--unit-digest=abc",
        "--registration=def",
        "--load-credential",
    ]);
    command.args([
        option("github", "config.toml"),
        option("credential-file", "github.cred"),
        option("state-dir", "state"),
        option("runtime-dir", "run"),
        option("reports-dir", "reports"),
    ]);
    Called::from(command.assert())
}
