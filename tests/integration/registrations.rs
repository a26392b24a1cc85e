//! Registrations that this host keeps, and ends at GitHub: only its own, and only where GitHub has the same runner under that id.

use std::fs;

use homelab_runners::apply::Host;
use homelab_runners::apply::drain::{Drain, Drained};
use homelab_runners::apply::registrations::{Kept, StaysError, is_current, kept, outdate, remove, restore};
use homelab_runners::config::{Config, UnitFormat};
use homelab_runners::files::Root;
use homelab_runners::fleet::{Fleet, Layout};
use homelab_runners::github::{Client, Removal};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::fake_systemd::{FakeSystemd, Script};
use crate::github_client::bed::{Reply, Server, answer, json as answer_json, refusal};

const UNIT: &str = "homelab-runner@2.service";

struct Bed {
    directory: TempDir,
    host: Host,
    systemd: FakeSystemd,
    github: Server,
    client: Client,
}

impl Bed {
    /// Runners 2 and 7 have identities; 2 runs. GitHub answers with `script`.
    async fn new(script: Vec<Reply>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (fake, systemd) = FakeSystemd::start().await;
        fake.unit(UNIT, Script::EndsBeforeReply { result: "done" });
        fake.properties(UNIT, |unit| "active".clone_into(&mut unit.active_state));
        let root = directory.path().to_owned();
        for number in [2, 7] {
            let identity = root.join(format!("var/lib/homelab-runners/{number}/identity"));
            fs::create_dir_all(&identity).unwrap();
            let agent =
                format!("\u{feff}{{\"agentId\": 2{number}, \"agentName\": \"homelab-runner-{number}\"}}");
            fs::write(identity.join(".runner"), agent).unwrap();
        }
        fs::create_dir_all(root.join("var/lib/homelab-runners/reports")).unwrap();
        let host = Host {
            root: Root::below(root),
            layout: Layout::system(),
            systemd: Some(systemd),
            control_groups: directory.path().join("cgroup"),
        };
        let github = Server::start(script).await;
        let client = github.client("acme/shop");
        Self { directory, host, systemd: fake, github, client }
    }

    fn has_identity(&self, number: u16) -> bool {
        self.directory.path().join(format!("var/lib/homelab-runners/{number}/identity")).exists()
    }

    fn fleet() -> Fleet {
        let config = Config::parse("url = \"https://github.com/acme/shop\"\ncount = 2\n").unwrap();
        Fleet::new(&config, &Layout::system(), &UnitFormat::Quadlet.into())
    }

    /// Runner 2 is ephemeral, and this is noted of it.
    fn note(&self, text: &str) {
        fs::write(self.notes(), text).unwrap();
        fs::remove_dir_all(self.directory.path().join("var/lib/homelab-runners/2/identity")).unwrap();
    }

    fn notes(&self) -> std::path::PathBuf {
        self.directory.path().join("var/lib/homelab-runners/2/ephemeral")
    }

    async fn remove(&self, kept: &Kept) -> Result<Removal, StaysError> {
        remove(&self.host, &self.client, &Self::fleet().url, kept).await
    }

    async fn drain(&self) -> Drained {
        let fleet = Self::fleet();
        let drain = Drain {
            host: &self.host,
            systemd: self.host.systemd.as_ref().unwrap(),
            github: Some((&self.client, &fleet.url)),
            stop_limit: std::time::Duration::from_secs(60),
            deadline: None,
        };
        drain.end(2, &mut |_| {}).await.unwrap()
    }
}

fn runner(id: u64, name: &str) -> Reply {
    let runner: Value =
        json!({"id": id, "name": name, "os": "linux", "status": "online", "busy": false, "labels": []});
    answer_json(200, &runner)
}

fn gone() -> Reply {
    answer(204, &[], "")
}

#[tokio::test]
async fn every_identity_of_this_host_is_found_and_nothing_else() {
    let bed = Bed::new(Vec::new()).await;
    let found = kept(&bed.host).unwrap();
    let found: Vec<_> = found.iter().map(|kept| (kept.number, kept.note.id)).collect();
    assert_eq!(found, [(2, Some(22)), (7, Some(27))]);
}

#[tokio::test]
async fn a_registration_is_removed_by_its_id_and_its_dead_identity_goes() {
    let bed = Bed::new(vec![runner(27, "homelab-runner-7"), gone()]).await;
    let found = kept(&bed.host).unwrap();
    assert_eq!(bed.remove(&found[1]).await.unwrap(), Removal::Removed);
    assert!(!bed.has_identity(7) && bed.has_identity(2));
    let path = "/api/v3/repos/acme/shop/actions/runners/27";
    assert_eq!(bed.github.lines(), [format!("GET {path}"), format!("DELETE {path}")]);
}

#[tokio::test]
async fn a_runner_of_another_name_under_that_id_is_somebody_elses() {
    let bed = Bed::new(vec![runner(27, "build-box")]).await;
    let found = kept(&bed.host).unwrap();
    assert_eq!(bed.remove(&found[1]).await.unwrap(), Removal::AlreadyGone);
    assert_eq!(bed.github.lines().len(), 1, "it was not deleted");
}

#[tokio::test]
async fn a_runner_that_was_registered_elsewhere_is_told_and_neither_asked_for_here_nor_forgotten() {
    let bed = Bed::new(Vec::new()).await;
    let fingerprint = "var/lib/homelab-runners/7/identity/fingerprint";
    fs::write(bed.directory.path().join(fingerprint), "url=https://github.com/acme\nname=homelab-runner-7\n")
        .unwrap();
    let found = kept(&bed.host).unwrap();
    let error = bed.remove(&found[1]).await.unwrap_err();
    assert!(error.to_string().contains("registered at https://github.com/acme, and"), "{error}");
    let hint = error.hint().unwrap();
    assert!(hint.contains("https://github.com/organizations/acme/settings/actions/runners;"), "{hint}");
    assert!(bed.github.lines().is_empty() && bed.has_identity(7));
}

#[tokio::test]
async fn a_busy_runner_and_one_that_cannot_be_asked_for_keep_their_identity() {
    let busy = refusal(
        422,
        &[],
        "Bad request - Runner \"homelab-runner-7\" is currently running a job and cannot be deleted.",
    );
    let bed =
        Bed::new(vec![runner(27, "homelab-runner-7"), busy, refusal(401, &[], "Bad credentials")]).await;
    let found = kept(&bed.host).unwrap();
    assert_eq!(bed.remove(&found[1]).await.unwrap(), Removal::Busy);
    let error = bed.remove(&found[1]).await.unwrap_err();
    assert!(error.hint().is_some(), "{error}");
    assert!(bed.has_identity(7));
}

#[tokio::test]
async fn a_drained_runner_is_gone_at_github_before_its_unit_is_stopped() {
    let bed = Bed::new(vec![runner(22, "homelab-runner-2"), gone()]).await;
    assert!(matches!(bed.drain().await, Drained::Ended));
    assert_eq!(bed.github.lines().len(), 2);
    assert_eq!(
        bed.systemd.journal(),
        [format!("StopUnit {UNIT} replace"), format!("ResetFailedUnit {UNIT}")]
    );
    assert!(!bed.has_identity(2));
}

#[tokio::test]
async fn without_an_answer_of_github_a_runner_is_drained_as_this_host_sees_it_and_stays_registered() {
    let bed = Bed::new(vec![refusal(401, &[], "Bad credentials")]).await;
    assert!(matches!(bed.drain().await, Drained::Ended));
    assert!(bed.has_identity(2));
    assert!(
        bed.systemd.journal().contains(&format!("StopUnit {UNIT} replace")),
        "{:?}",
        bed.systemd.journal()
    );
}

#[tokio::test]
async fn a_runner_that_was_registered_elsewhere_is_not_asked_for_under_its_old_id() {
    let bed = Bed::new(Vec::new()).await;
    let fingerprint = "var/lib/homelab-runners/2/identity/fingerprint";
    fs::write(bed.directory.path().join(fingerprint), "url=https://github.com/acme/other\n").unwrap();
    assert!(matches!(bed.drain().await, Drained::Ended));
    assert_eq!(bed.github.lines(), Vec::<String>::new());
    assert!(bed.has_identity(2));
}

#[tokio::test]
async fn a_runner_under_an_old_name_of_its_own_is_drained_at_github_too() {
    let bed = Bed::new(vec![runner(22, "old-name-2"), gone()]).await;
    let agent = "{\"agentId\": 22, \"agentName\": \"old-name-2\"}";
    fs::write(bed.directory.path().join("var/lib/homelab-runners/2/identity/.runner"), agent).unwrap();
    assert!(matches!(bed.drain().await, Drained::Ended));
    assert_eq!(bed.github.lines().len(), 2);
}

#[tokio::test]
async fn what_is_to_register_anew_keeps_its_name_and_identity_and_can_go_back() {
    let bed = Bed::new(Vec::new()).await;
    let fleet = Bed::fleet();
    let runner = fleet.runner(2).unwrap();
    let wanted = fleet.registration(runner);
    let fingerprint = bed.directory.path().join("var/lib/homelab-runners/2/identity/fingerprint");
    let asked = bed.directory.path().join("var/lib/homelab-runners/2/registrations");
    fs::write(&asked, "2026-11-26T18:00:00Z\n").unwrap();
    let lost = bed.directory.path().join("var/lib/homelab-runners/2/identity/lost");
    fs::write(&lost, "").unwrap();
    // Made with other labels: it registers again by itself, and its old identity stays what it was.
    fs::write(&fingerprint, "url=https://github.com/acme/shop\nname=homelab-runner-2\nlabels=old\n").unwrap();
    assert_eq!(outdate(&bed.host, &runner.paths, &wanted).unwrap(), None);
    assert!(fs::read_to_string(&fingerprint).unwrap().contains("labels=old") && !asked.exists());
    assert!(!lost.exists(), "a person may take the name back");

    fs::write(&fingerprint, wanted.fingerprint()).unwrap();
    assert!(is_current(&bed.host, &runner.paths, &wanted));
    let kept = outdate(&bed.host, &runner.paths, &wanted).unwrap().unwrap();
    assert!(!is_current(&bed.host, &runner.paths, &wanted) && bed.has_identity(2));
    let left = fs::read_to_string(&fingerprint).unwrap();
    assert_eq!(left, "url=https://github.com/acme/shop\nname=homelab-runner-2\n");
    assert!(restore(&bed.host, &runner.paths, &kept).unwrap());
    assert!(is_current(&bed.host, &runner.paths, &wanted));
    fs::remove_file(bed.directory.path().join("var/lib/homelab-runners/2/identity/.runner")).unwrap();
    assert!(!restore(&bed.host, &runner.paths, &kept).unwrap(), "there is nothing to go back to");
}

#[tokio::test]
async fn an_ephemeral_runner_is_drained_by_the_id_that_is_noted_last() {
    let bed = Bed::new(vec![runner(32, "homelab-runner-2-x7k2p"), gone()]).await;
    bed.note("homelab-runner-2-bbbbb 31\nhomelab-runner-2-x7k2p 32\nhomelab-runner-2-ccccc\n");
    assert!(matches!(bed.drain().await, Drained::Ended));
    let path = "/api/v3/repos/acme/shop/actions/runners/32";
    assert_eq!(bed.github.lines(), [format!("GET {path}"), format!("DELETE {path}")]);
}

#[tokio::test]
async fn what_is_noted_under_a_name_that_is_none_of_the_runners_is_not_drained_for_it() {
    let bed = Bed::new(Vec::new()).await;
    bed.note("build-box 32\n");
    assert!(matches!(bed.drain().await, Drained::Ended));
    assert!(bed.github.lines().is_empty());
}

#[tokio::test]
async fn every_ephemeral_runner_that_is_noted_ends_and_one_whose_answer_was_lost_is_found_by_its_name() {
    let ephemeral = |id: u64, name: &str, ephemeral: bool| json!({"id": id, "name": name, "os": "unknown", "status": "offline", "busy": false, "labels": [], "ephemeral": ephemeral});
    let name = "homelab-runner-2-ccccc";
    let list = json!({"total_count": 2, "runners": [ephemeral(50, "homelab-runner-2", true), ephemeral(51, name, true)]});
    let bed = Bed::new(vec![
        refusal(404, &[], "Not Found"),
        answer_json(200, &list),
        answer_json(200, &ephemeral(51, name, true)),
        gone(),
    ])
    .await;
    bed.note(&format!("homelab-runner-2-x7k2p 32\n{name}\n"));
    let found = kept(&bed.host).unwrap();
    assert_eq!(found.iter().map(|kept| kept.number).collect::<Vec<_>>(), [2, 2, 7]);
    assert_eq!(bed.remove(&found[0]).await.unwrap(), Removal::AlreadyGone);
    assert_eq!(fs::read_to_string(bed.notes()).unwrap(), format!("{name}\n"));
    assert_eq!(bed.remove(&found[1]).await.unwrap(), Removal::Removed);
    assert!(!bed.notes().exists());
    assert!(bed.github.lines().last().unwrap().ends_with("/51"), "{:?}", bed.github.lines());
}

#[tokio::test]
async fn a_persistent_runner_of_a_noted_name_is_somebody_elses() {
    let name = "homelab-runner-2-ccccc";
    let other = json!({"id": 51, "name": name, "os": "linux", "status": "online", "busy": false, "labels": [], "ephemeral": false});
    let bed = Bed::new(vec![answer_json(200, &json!({"total_count": 1, "runners": [other]}))]).await;
    bed.note(&format!("{name}\n"));
    let found = kept(&bed.host).unwrap();
    assert_eq!(bed.remove(&found[0]).await.unwrap(), Removal::AlreadyGone);
    assert_eq!(bed.github.lines().len(), 1, "it was not deleted");
}

#[tokio::test]
async fn an_ephemeral_runner_whose_workflow_job_has_just_ended_is_not_stopped_for_the_one_that_is_gone() {
    let bed =
        Bed::new(vec![refusal(404, &[], "Not Found"), runner(32, "homelab-runner-2-x7k2p"), gone()]).await;
    bed.note("homelab-runner-2-bbbbb 31\n");
    let notes = bed.notes();
    let next = async {
        while bed.github.lines().is_empty() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        assert!(!bed.systemd.journal().iter().any(|line| line.starts_with("StopUnit")));
        fs::write(&notes, "homelab-runner-2-bbbbb 31\nhomelab-runner-2-x7k2p 32\n").unwrap();
    };
    let (ended, ()) = tokio::join!(bed.drain(), next);
    assert!(matches!(ended, Drained::Ended), "{ended:?}");
    assert!(bed.github.lines().last().unwrap().starts_with("DELETE"), "{:?}", bed.github.lines());
}
