#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "what is missing fails the test")]

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::health::{Minute, Now, Usage, WaitingRun, What, Witnesses, WorkflowJob};
use crate::status::ImageAge;

fn snapshot(name: &str, verdict: Verdict) -> Snapshot {
    let time = Timestamp::UNIX_EPOCH;
    let runner = RunnerHealth {
        number: 1,
        name: name.to_owned(),
        verdict,
        why: verdict.why(),
        hint: verdict.hint(1),
        since: time,
        heals: 0,
        healing: false,
        witnesses: Witnesses::unasked(time),
        usage: Some(Usage {
            cpu_percent: Some(12.4),
            cpu_quota_percent: Some(200.0),
            memory_bytes: Some(300 << 20),
            memory_max_bytes: Some(4 << 30),
            oom_kills: Some(0),
        }),
        workflow_job: None,
        image: None,
        history: vec![
            Minute { cpu_percent: Some(150.0), memory_bytes: Some(1 << 30) },
            Minute { cpu_percent: Some(12.4), memory_bytes: Some(300 << 20) },
        ],
    };
    let events = vec![event(Some(1), What::HealFailed, "<script>\u{202e}")];
    Snapshot { time, may_heal: false, runners: vec![runner], events, queue: Queue::NotAsked }
}

fn event(runner: Option<u16>, what: What, why: &str) -> Event {
    Event::new(Now { uptime: jiff::SignedDuration::ZERO, time: Timestamp::UNIX_EPOCH }, runner, what, why)
}

fn shown(snapshot: &Snapshot) -> String {
    page(snapshot, &Links::default())
}

#[track_caller]
fn assert_has(page: &str, parts: &[&str]) {
    for part in parts {
        assert!(page.contains(part), "{part:?} is not in {page}");
    }
}

#[test]
fn every_word_is_escaped_and_no_script_is_in_the_page_itself() {
    let page = shown(&snapshot("a<b>", Verdict::Well));
    assert_has(&page, &["a&lt;b&gt;", "&lt;script&gt;\\u{202e}"]);
    assert_eq!(page.matches("<script").count(), 1);
    assert_has(&page, &["<script src=\"/live.js\" defer></script>"]);
}

#[test]
fn an_image_is_told_with_its_day_and_in_other_words_when_it_is_old() {
    let mut snapshot = snapshot("one", Verdict::Well);
    let created = "2026-11-14T10:00:00Z";
    for (now, words) in [
        ("2026-11-26T10:00:00Z", "12 days old; good until 2026-12-14"),
        ("2026-12-05T10:00:00Z", "21 days old; GitHub may refuse its version from 2026-12-14"),
    ] {
        let image = ImageAge::new(&"x.y/runner:1".parse().unwrap(), "a", created, now.parse().unwrap());
        snapshot.runners[0].image = image;
        assert_has(&shown(&snapshot), &["<dt>image</dt>", words]);
    }
}

#[test]
fn without_scripts_the_browser_asks_again_by_itself() {
    let page = shown(&snapshot("a", Verdict::Well));
    assert_has(&page, &["<noscript><meta http-equiv=\"refresh\" content=\"10\"></noscript>"]);
}

#[test]
fn the_page_says_what_is_the_matter_what_to_do_and_what_is_used() {
    let page = page(
        &snapshot("a", Verdict::GivenUp),
        &Links { option: " --user", reports: Some("https://reports.example/".to_owned()) },
    );
    assert_has(
        &page,
        &[
            "0 of 1 runners in service",
            "1 at fault",
            "given up",
            "restarts did not help",
            "<code>runnerctl --user logs 1 -f</code>",
            "12% of 200%",
            "300M of 4.0G",
            "--no-heal",
            "restart failed",
            "<a href=\"https://reports.example/\">reports</a>",
        ],
    );
}

#[test]
fn the_hour_before_is_drawn_against_the_limit_and_told_in_words() {
    let page = shown(&snapshot("a", Verdict::Well));
    assert_has(
        &page,
        &[
            "aria-label=\"CPU in the last 2 minutes: at most 150%; the top is the limit, 200%\"",
            "aria-label=\"memory in the last 2 minutes: at most 1.0G; the top is the limit, 4.0G\"",
            "d=\"M58 5.5H59V17.9H60\"",
        ],
    );
}

#[test]
fn a_busy_runner_tells_its_workflow_job() {
    let mut snapshot = snapshot("a", Verdict::Busy);
    assert_has(&shown(&snapshot), &["busy</span> for 0s", "1 busy"]);
    for runner in &mut snapshot.runners {
        runner.workflow_job = WorkflowJob::of_json(
            "{\"repository\":\"acme/shop\",\"workflow\":\"ci\",\"workflow_job\":\"test\",\"sha\":\"x\"}",
        );
    }
    assert_has(&shown(&snapshot), &["ci / <strong>test</strong> of acme/shop"]);
}

#[test]
fn what_was_killed_for_want_of_memory_stands_at_its_runner() {
    let mut snapshot = snapshot("a", Verdict::Well);
    assert!(!shown(&snapshot).contains("for want of it"));
    for (kills, words) in [(1, "1 process killed for want of it"), (3, "3 processes killed for want of it")] {
        let runner = snapshot.runners.first_mut();
        runner
            .and_then(|runner| runner.usage.as_mut())
            .into_iter()
            .for_each(|usage| usage.oom_kills = Some(kills));
        assert_has(&shown(&snapshot), &["<dt>memory</dt>", words]);
    }
}

#[test]
fn the_last_restarts_stand_at_their_runner_with_their_reasons() {
    let mut snapshot = snapshot("a", Verdict::Well);
    snapshot.events = ["first", "second", "third", "fourth"]
        .iter()
        .map(|why| event(Some(1), What::Restarted, why))
        .chain([event(Some(2), What::Heal, "of another runner")])
        .collect();
    let page = shown(&snapshot);
    let (runners, _) = page.split_once("What happened").unwrap_or_default();
    assert_has(runners, &["0s ago: fourth</li><li>0s ago: third</li><li>0s ago: second</li></ul>"]);
    assert!(!runners.contains("first") && !runners.contains("of another runner"), "{runners}");
}

#[test]
fn what_waits_at_github_is_told_or_why_it_is_not() {
    let mut snapshot = snapshot("a", Verdict::Well);
    let run = WaitingRun {
        workflow: "ci".to_owned(),
        title: "Mend <it>".to_owned(),
        since: Some(Timestamp::UNIX_EPOCH),
        url: Some("https://github.com/acme/shop/actions/runs/1".to_owned()),
    };
    for (queue, parts) in [
        (Queue::NotAsked, vec!["github.credential"]),
        (Queue::NoList, vec!["runnerctl why --repository"]),
        (Queue::NoAnswer { reason: "a <b>".to_owned() }, vec!["GitHub does not tell: a &lt;b&gt;"]),
        (Queue::Waiting { total: 0, runs: Vec::new() }, vec!["No workflow run waits"]),
        (
            Queue::Waiting { total: 3, runs: vec![run] },
            vec![
                "3 workflow runs waiting",
                "<a href=\"https://github.com/acme/shop/actions/runs/1\">ci</a>: Mend &lt;it&gt;",
                "and 2 more",
            ],
        ),
    ] {
        snapshot.queue = queue;
        assert_has(&shown(&snapshot), &parts);
    }
}

#[test]
fn a_link_that_is_no_web_address_is_none() {
    let mut snapshot = snapshot("a", Verdict::Well);
    let run = WaitingRun { url: Some("javascript:alert(1)".to_owned()), ..WaitingRun::default() };
    snapshot.queue = Queue::Waiting { total: 1, runs: vec![run] };
    assert!(!shown(&snapshot).contains("javascript"), "{}", shown(&snapshot));
}

proptest! {
    #[test]
    fn no_text_of_a_workflow_becomes_markup(text in "[<>&\"'a ]{0,20}|\\PC{0,20}") {
        let count = |page: &str| (page.matches('<').count(), page.matches('>').count(), page.matches('"').count());
        let with = |text: &str| {
            let mut snapshot = snapshot(text, Verdict::Busy);
            snapshot.events = vec![event(Some(1), What::Heal, text)];
            for runner in &mut snapshot.runners {
                let text = || text.to_owned();
                runner.workflow_job = Some(WorkflowJob { repository: text(), workflow: text() + "w", workflow_job: text(), run_id: text() });
            }
            let run = WaitingRun { workflow: text.to_owned() + "w", title: text.to_owned() + "t", since: None, url: Some(format!("https://{text}")) };
            snapshot.queue = Queue::Waiting { total: 1, runs: vec![run] };
            shown(&snapshot)
        };
        prop_assert_eq!(count(&with(&text)), count(&with("plain")));
    }

    #[test]
    fn whatever_stands_in_the_hooks_file_is_a_workflow_job_or_passed_over(text in "(\"repository\":|\"workflow_job\":|[{}\",:a0]|\\PC){0,20}") {
        if let Some(job) = WorkflowJob::of_json(&text) {
            prop_assert!(!job.repository.is_empty() && job.workflow_job.chars().count() <= 100);
        }
    }
}
