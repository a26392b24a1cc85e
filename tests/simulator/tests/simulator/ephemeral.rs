//! Ephemeral runners, from the host's first step to the last: GitHub has one while it waits and works, and none after that.

use std::fs;
use std::time::Instant;

use homelab_runners::runner::{SessionState, is_ephemeral_name};
use hyper::Method;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::bed::Bed;
use crate::host::{Host, NAME};

const GENERATE: &str = "/api/v3/repos/acme/shop/actions/runners/generate-jitconfig";

impl Host<'_> {
    async fn fault(&self, fault: Value) {
        let mut whole = json!({ "method": "POST", "path_prefix": GENERATE, "times": 1 });
        whole.as_object_mut().unwrap().extend(fault.as_object().unwrap().clone());
        self.bed.ask(Method::POST, "/faults", &whole).await;
    }

    fn handed_over(&self) -> Vec<String> {
        let names = fs::read_dir(self.paths().jit()).into_iter().flatten();
        let mut names: Vec<String> =
            names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

#[tokio::test]
async fn each_workflow_job_has_a_runner_of_its_own_and_finds_nothing_of_the_last() {
    let bed = Bed::start();
    let mut host = Host::new(&bed).await;
    let work = host.paths().work;
    // Fails where anything of an earlier workflow job is left in the work folder, its tool cache included.
    let script = format!(
        "test ! -e {0}/planted && test ! -e {0}/_tool/planted && mkdir -p {0}/_tool && touch {0}/planted {0}/_tool/planted",
        work.display()
    );
    let mut names = Vec::new();
    for round in 1..=4 {
        let begin = Instant::now();
        let mut container = host.start().await;
        assert!(begin.elapsed().as_secs() < 5, "no start waits after one that had a workflow job");
        assert!(host.handed_over().is_empty(), "the identity is not there any more");
        assert_eq!(fs::read_dir(host.paths().identity).unwrap().count(), 0, "and not kept");
        let [name] = host.at_github().await.try_into().unwrap();
        let id = bed.queue("build", &["self-hosted", "e2e"], &script).await;
        let job = bed.workflow_job_when(id, "completed").await;
        assert_eq!((&job["conclusion"], &job["runner_name"]), (&json!("success"), &json!(name)), "{job}");
        assert_eq!(container.code(&bed).await, 0, "{}", container.output());
        assert_eq!(container.session().unwrap().state, SessionState::Done);
        assert!(host.at_github().await.is_empty(), "GitHub itself ends it");
        host.run("end-registration").await;
        assert!(is_ephemeral_name(NAME, &name) && !names.contains(&name), "{name}");
        names.push(name);
        assert_eq!(host.asked("/generate-jitconfig").await, round);
    }
}

#[tokio::test]
async fn neither_the_arguments_nor_the_environment_of_any_process_has_the_identity() {
    let bed = Bed::start();
    let mut host = Host::new(&bed).await;
    host.run("prepare").await;
    let key = fs::read_to_string(host.paths().jit().join(".credentials_rsaparams")).unwrap();
    let key: Value = serde_json::from_str(key.trim_start_matches('\u{feff}')).unwrap();
    let container = host.start_container();
    container.says(&bed, SessionState::Online).await;
    let listener = container.listener();
    for file in ["environ", "cmdline"] {
        let text = fs::read(format!("/proc/{listener}/{file}")).unwrap();
        let text = String::from_utf8_lossy(&text).into_owned();
        assert!(!text.contains(key["d"].as_str().unwrap()) && !text.contains("JITCONFIG"), "{file}: {text}");
    }
    assert!(!container.output().contains(key["d"].as_str().unwrap()));
}

#[tokio::test]
async fn a_runner_that_is_stopped_while_idle_leaves_nothing_at_github() {
    let bed = Bed::start();
    let mut host = Host::new(&bed).await;
    for _ in 0..2 {
        let mut container = host.start().await;
        container.signal(Signal::INT);
        assert_eq!(container.code(&bed).await, 0);
        assert_eq!(host.at_github().await.len(), 1, "the listener itself leaves it");
        host.run("end-registration").await;
        assert!(host.at_github().await.is_empty() && host.noted().0.is_empty());
    }
}

#[tokio::test]
async fn a_runner_that_dies_while_idle_leaves_nothing_at_github_whoever_comes_first() {
    let bed = Bed::start();
    let mut host = Host::new(&bed).await;
    host.start().await.kill();
    host.run("end-registration").await;
    assert!(host.at_github().await.is_empty());

    // A power cut: there is no such step. The next start does it.
    host.start().await.kill();
    let [before] = host.at_github().await.try_into().unwrap();
    host.run("prepare").await;
    let [after] = host.at_github().await.try_into().unwrap();
    assert_ne!(before, after);
}

#[tokio::test]
async fn a_runner_that_is_removed_at_github_ends_with_72_and_the_next_start_is_another() {
    let bed = Bed::start();
    let mut host = Host::new(&bed).await;
    let mut container = host.start().await;
    let pat = bed.classic_token(&["repo"]).await;
    let id = host.noted().youngest().unwrap().id.unwrap();
    let path = format!("/repos/acme/shop/actions/runners/{id}");
    assert_eq!(bed.call(Method::DELETE, &path, &pat).await.status, 204);
    assert_eq!(container.code(&bed).await, 72, "{}", container.output());
    host.run("end-registration").await;
    assert!(host.noted().0.is_empty());
}

#[tokio::test]
async fn a_step_that_is_killed_between_its_note_and_the_answer_leaves_one_runner_at_most_and_the_next_ends_it()
 {
    for kind in ["hang", "slow"] {
        let bed = Bed::start();
        let host = Host::new(&bed).await;
        host.fault(json!({ "kind": kind })).await;
        let mut step = host.step("prepare");
        bed.until("the question", async || (host.asked("/generate-jitconfig").await == 1).then_some(()))
            .await;
        step.kill().unwrap();
        step.wait().unwrap();
        let noted = host.noted();
        assert_eq!(noted.0.iter().map(|note| note.id).collect::<Vec<_>>(), [None], "{kind}");
        host.run("prepare").await;
        let [name] = host.at_github().await.try_into().unwrap();
        assert_ne!(name, noted.0[0].name, "{kind}");
        assert_eq!(host.noted().0.len(), 1, "{kind}");
    }
}

#[tokio::test]
async fn a_lost_answer_is_no_lost_runner() {
    let bed = Bed::start();
    let mut host = Host::new(&bed).await;
    host.fault(json!({ "kind": "answer_lost" })).await;
    let said = host.run("prepare").await;
    assert!(said.contains("answer was lost"), "{said}");
    let lost = host.at_github().await;
    assert_eq!(lost.len(), 1);
    let mut container = host.start_container();
    assert_eq!(container.code(&bed).await, 75, "it is tried again");
    host.run("end-registration").await;
    assert!(host.at_github().await.is_empty() && host.noted().0.is_empty());
}

#[tokio::test]
async fn a_question_that_github_never_answers_is_given_up_and_tried_again() {
    let bed = Bed::start();
    let mut host = Host::new(&bed).await;
    host.fault(json!({ "kind": "hang" })).await;
    let begin = Instant::now();
    host.run("prepare").await;
    assert!(begin.elapsed().as_secs() < 20);
    assert_eq!(host.start_container().code(&bed).await, 75);
    let mut container = host.start().await;
    container.signal(Signal::INT);
    assert_eq!(container.code(&bed).await, 0);
}

#[tokio::test]
async fn a_name_that_is_taken_is_followed_by_another_one_at_once() {
    let bed = Bed::start();
    let host = Host::new(&bed).await;
    let taken = json!({ "kind": "status", "status": 409, "body": { "message": "Already exists - A runner with the name x already exists." } });
    host.fault(taken).await;
    host.run("prepare").await;
    assert_eq!(host.asked("/generate-jitconfig").await, 2);
    assert_eq!(host.at_github().await, [host.noted().0[0].name.clone()]);
    assert_eq!(host.handed_over(), [".credentials", ".credentials_rsaparams", ".runner"]);
}

#[tokio::test]
async fn what_github_refuses_needs_a_person_and_what_does_not_work_is_tried_again() {
    for (status, code) in [(401, 64), (403, 64), (404, 64), (422, 64), (409, 75), (500, 75), (503, 75)] {
        let bed = Bed::start();
        let mut host = Host::new(&bed).await;
        host.fault(json!({ "kind": "status", "status": status, "times": null })).await;
        host.run("prepare").await;
        let mut container = host.start_container();
        assert_eq!(container.code(&bed).await, code, "{status}: {}", container.output());
        let session = container.session().unwrap();
        assert!(
            session.state == SessionState::Failed && session.sentence.contains("JIT config"),
            "{session:?}"
        );
        assert!(host.handed_over().is_empty());
        host.run("end-registration").await;
        assert!(host.noted().0.is_empty(), "{status}: {:?}", host.noted());
    }
}

#[tokio::test]
async fn a_runner_that_is_killed_at_its_workflow_job_is_followed_by_another_and_ended_later() {
    let bed = Bed::start();
    let mut host = Host::new(&bed).await;
    let mut container = host.start().await;
    let id = bed.queue("build", &["e2e"], "sleep 20").await;
    bed.workflow_job_when(id, "in_progress").await;
    container.kill();
    let said = host.run("end-registration").await;
    assert!(said.contains("left: Notes([Note"), "{said}");
    let begin = Instant::now();
    let mut container = host.start().await;
    assert!(begin.elapsed().as_secs() < 5, "it had a workflow job");
    assert_eq!(host.noted().0.len(), 2);
    container.signal(Signal::INT);
    container.code(&bed).await;
    // GitHub gives a workflow job up that nobody renews.
    bed.advance_clock(700).await;
    host.run("end-registration").await;
    assert!(host.noted().0.is_empty() && host.at_github().await.is_empty());
}

#[tokio::test]
async fn a_runner_that_is_ephemeral_no_more_leaves_no_registration_of_that_time() {
    let bed = Bed::start();
    let host = Host::new(&bed).await;
    host.run("prepare").await;
    assert_eq!(host.at_github().await.len(), 1);
    host.run("prepare-persistent").await;
    assert!(host.at_github().await.is_empty() && host.noted().0.is_empty());
    assert!(host.paths().registration_token().exists());
}
