//! The steps of an ephemeral runner's unit as systemd calls them, and what they say to GitHub. What comes of it is in the simulator's tests, with the real entrypoint.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::command_line::{Below, Called, runnerctl};
use crate::github_client::bed::{CANARY, Reply, Server, answer, json as answer_json, refusal};

struct Bed {
    /// On a tmpfs.
    directory: TempDir,
    github: Server,
}

impl Bed {
    async fn new(script: Vec<Reply>) -> Self {
        let directory = tempfile::tempdir_in("/dev/shm").unwrap();
        let github = Server::start(script).await;
        let config = format!(
            "url = \"http://{}/acme\"\nephemeral = true\n[github]\ncredential = \"pat\"\n",
            github.address
        );
        fs::write(directory.path().join("config.toml"), config).unwrap();
        let credential = directory.path().join("credential");
        fs::write(&credential, CANARY).unwrap();
        fs::set_permissions(&credential, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        Self { directory, github }
    }

    fn at(&self, path: &str) -> PathBuf {
        self.directory.path().join(path)
    }

    fn options(&self) -> Vec<String> {
        let option = |name: &str, path: &str| format!("--{name}={}", self.at(path).display());
        vec![
            option("state-dir", "state/4"),
            option("runtime-dir", "run/4"),
            option("github", "config.toml"),
            option("credential-file", "credential"),
        ]
    }

    async fn step(&self, step: &str, more: &[&str]) -> Called {
        let mut command = runnerctl();
        command.args(["unit-step", step, "--runner=4"]).args(self.options()).args(more);
        tokio::task::spawn_blocking(move || Called::from(command.assert())).await.unwrap()
    }

    async fn prepare(&self, more: &[&str]) -> Called {
        let reports = format!("--reports-dir={}", self.at("reports").display());
        let own = ["--unit-digest=abc", &reports, "--ephemeral=homelab-runner-4", "--work-folder=/work/4"];
        self.step("prepare", &[&own, more].concat()).await
    }

    fn noted(&self) -> String {
        fs::read_to_string(self.at("state/4/ephemeral")).unwrap_or_default()
    }
}

fn made(id: u64) -> Reply {
    use base64::Engine;
    let encode = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
    let files = json!({ ".runner": encode("{}"), ".credentials": encode("{}"), ".credentials_rsaparams": encode("{}") });
    let runner =
        json!({"id": id, "name": "x", "os": "unknown", "status": "offline", "busy": false, "labels": []});
    answer_json(201, &json!({ "runner": runner, "encoded_jit_config": encode(&files.to_string()) }))
}

#[tokio::test]
async fn github_is_asked_for_a_runner_with_the_group_the_labels_and_the_work_folder_of_the_unit() {
    let groups = json!({"total_count": 1, "runner_groups": [{"id": 5, "name": "home lab"}]});
    let bed = Bed::new(vec![answer_json(200, &groups), made(71)]).await;
    bed.prepare(&["--label=homelab", "--label=linux", "--runner-group=home lab"]).await.ends(0);
    let heard = bed.github.heard();
    assert_eq!(heard[1].line, "POST /api/v3/orgs/acme/actions/runners/generate-jitconfig");
    let asked: Value = heard[1].json();
    let architecture = if cfg!(target_arch = "aarch64") { "ARM64" } else { "X64" };
    assert_eq!(asked["labels"], json!(["self-hosted", "Linux", architecture, "homelab"]));
    assert_eq!((&asked["runner_group_id"], &asked["work_folder"]), (&json!(5), &json!("/work/4")));
    let name = asked["name"].as_str().unwrap();
    assert_eq!(bed.noted(), format!("{name} 71\n"));
    assert!(bed.at("run/4/token/jit/.runner").exists());
}

#[tokio::test]
async fn a_runner_without_githubs_own_labels_has_its_own_alone() {
    let bed = Bed::new(vec![made(71)]).await;
    bed.prepare(&["--label=homelab", "--no-default-labels"]).await.ends(0);
    let asked = bed.github.heard()[0].json();
    assert_eq!((&asked["labels"], &asked["runner_group_id"]), (&json!(["homelab"]), &json!(1)));
}

#[tokio::test]
async fn a_group_that_github_does_not_have_needs_a_person() {
    let groups = json!({"total_count": 1, "runner_groups": [{"id": 1, "name": "Default"}]});
    let bed = Bed::new(vec![answer_json(200, &groups)]).await;
    bed.prepare(&["--runner-group=home lab"]).await.ends(0).says(&["no runner group \"home lab\""]);
    assert!(bed.at("run/4/token/problem").exists());
    assert_eq!(bed.noted(), "");
}

#[tokio::test]
async fn what_this_host_has_asked_for_is_ended_when_the_unit_stops() {
    let runner = json!({"id": 71, "name": "homelab-runner-4-x7k2p", "os": "linux", "status": "offline", "busy": false, "labels": []});
    let bed = Bed::new(vec![answer_json(200, &runner), answer(204, &[], "")]).await;
    fs::create_dir_all(bed.at("state/4")).unwrap();
    fs::write(bed.at("state/4/ephemeral"), "homelab-runner-4-x7k2p 71\n").unwrap();
    bed.step("end-registration", &[]).await.ends(0);
    let path = "/api/v3/orgs/acme/actions/runners/71";
    assert_eq!(bed.github.lines(), [format!("GET {path}"), format!("DELETE {path}")]);
    assert_eq!(bed.noted(), "");
}

#[tokio::test]
async fn what_cannot_be_ended_stays_noted_and_is_told() {
    let bed = Bed::new(vec![refusal(401, &[], "Bad credentials")]).await;
    fs::create_dir_all(bed.at("state/4")).unwrap();
    fs::write(bed.at("state/4/ephemeral"), "homelab-runner-4-x7k2p 71\n").unwrap();
    bed.step("end-registration", &[]).await.ends(1).says(&["homelab-runner-4-x7k2p is still registered"]);
    assert_eq!(bed.noted(), "homelab-runner-4-x7k2p 71\n");
}

#[test]
fn ephemeral_runners_are_refused_where_nobody_could_make_them() {
    let base = "url = \"https://github.com/acme/shop\"\nsocket = \"none\"\nephemeral = true\n";
    let check = |config: &str, arguments: &[&str]| {
        let below = Below::empty();
        below.write_config(config);
        let mut command = runnerctl();
        command.env("HOME", "/nonexistent").env("XDG_RUNTIME_DIR", "/nonexistent");
        command.arg("--config").arg(below.at("etc/homelab-runners/config.toml"));
        Called::from(command.args(arguments).assert())
    };
    check(base, &["check", "--no-tokens"])
        .ends(1)
        .says(&["lives one hour", "credential = \"pat\" or \"app\""]);
    let with_pat = format!("{base}[github]\ncredential = \"pat\"\n");
    check(&with_pat, &["check", "--no-tokens"]).ends(0);
    check(&with_pat, &["check", "--no-tokens", "--user"]).ends(1).says(&["ephemeral", "leave --user out"]);
    check(&with_pat, &["generate", "--format=compose"]).ends(2).says(&["Compose has no ephemeral runners"]);
}
