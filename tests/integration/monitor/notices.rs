//! What people are told of it.

use homelab_runners::config::{Proxy, WebhookFormat};
use homelab_runners::github::Connection;
use homelab_runners::health::Throttle;
use homelab_runners::monitor::{Notifier, Receiver};
use homelab_runners::webhook::Webhook;

use super::*;
use crate::fake_systemd::Properties;
use crate::github_client::bed::{Reply, Server};

#[tokio::test(start_paused = true)]
async fn of_a_runner_that_was_restarted_people_hear_what_was_the_matter_and_that_it_is_over() {
    let bed = Bed::new(2).await;
    bed.watch(async |watching| {
        watching.verdict(1, "well").await;
        bed.signal_listener(1, Signal::STOP);
        watching.healing(1).await;
        bed.signal_listener(1, Signal::CONT);
        watching.verdict(1, "well").await;
    })
    .await;
    let expected = [NoticeKind::Failed, NoticeKind::Healed, NoticeKind::Recovered];
    assert_eq!(*bed.notices.borrow(), expected.map(|kind| (Some(1), kind)));
}

#[tokio::test(start_paused = true)]
async fn a_runner_without_a_token_is_told_as_such_and_one_that_failed_otherwise_is_not() {
    let bed = Bed::new(2).await;
    bed.watch(async |watching| {
        watching.verdict(2, "well").await;
        for (number, status) in [(1, 64), (2, 67)] {
            bed.fake()
                .change(&Bed::unit(number), |unit| {
                    "failed".clone_into(&mut unit.active_state);
                    (unit.exec_main_code, unit.exec_main_status) = (1, status);
                })
                .await;
            watching.verdict(number, "needs_a_person").await;
        }
    })
    .await;
    let expected = [(Some(1), NoticeKind::NeedsToken), (Some(2), NoticeKind::Failed)];
    assert_eq!(*bed.notices.borrow(), expected);
}

/// As `unit-step await-online` notes it, with so many days between then and now.
fn note_image(bed: &Bed, number: usize, days: i64) {
    let created = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(24 * days);
    let note = format!(r#"{{"id":"{}","created":"{created}"}}"#, "a".repeat(64));
    let place = bed.root.at(&bed.fleet.runners[number - 1].paths.image());
    files::write(&place, note.as_bytes(), 0o644).unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_image_that_is_old_is_told_well_before_github_refuses_it_and_is_on_the_page() {
    let bed = Bed::new(2).await;
    note_image(&bed, 1, 20);
    note_image(&bed, 2, 19);
    bed.watch(async |watching| {
        watching
            .until("both images are known", |snapshot| {
                snapshot.runners.iter().filter(|runner| runner.image.is_some()).count() == 2
            })
            .await;
        let days: Vec<_> =
            watching.0.borrow().runners.iter().filter_map(|runner| runner.image.clone()).collect();
        assert_eq!(days.iter().map(|image| image.days).collect::<Vec<_>>(), [20, 19]);
        // The same for two days more, by the clock of the test; the first is told of at each end of a day.
        tokio::time::sleep(49 * HOUR).await;
    })
    .await;
    assert_eq!(*bed.notices.borrow(), [(Some(1), NoticeKind::VersionDeadline); 3]);
}

#[tokio::test(start_paused = true)]
async fn a_version_that_github_refuses_is_told_as_such_and_so_is_its_end() {
    let bed = Bed::new(1).await;
    bed.watch(async |watching| {
        watching.verdict(1, "well").await;
        bed.fake()
            .change(&Bed::unit(1), |unit| {
                "failed".clone_into(&mut unit.active_state);
                (unit.exec_main_code, unit.exec_main_status) = (1, 71);
            })
            .await;
        watching.verdict(1, "needs_a_person").await;
        bed.fake().change(&Bed::unit(1), |unit| "active".clone_into(&mut unit.active_state)).await;
        watching.verdict(1, "well").await;
    })
    .await;
    let expected = [(Some(1), NoticeKind::VersionDeadline), (Some(1), NoticeKind::Recovered)];
    assert_eq!(*bed.notices.borrow(), expected);
}

#[tokio::test]
async fn a_command_hears_of_the_deadline_with_the_day_and_the_next_step() {
    let mut bed = Bed::new(1).await;
    note_image(&bed, 1, 27);
    let seen = bed.directory.path().join("seen");
    let command = ["/bin/cp", "/dev/stdin", seen.to_str().unwrap()].map(str::to_owned).to_vec();
    let config = Config::parse("url = \"https://github.com/acme/shop\"\n").unwrap();
    let receiver = Receiver::Command { command, limit: HOUR };
    let notifier = Notifier::new(receiver, Throttle::new(&config.notify), "cellar".to_owned());
    bed.notifiers = Notifiers { command: Some(notifier), webhook: None };
    let told = async || loop {
        if let Some(line) = fs::read_to_string(&seen).ok().filter(|line| line.ends_with('\n')) {
            break serde_json::from_str::<serde_json::Value>(&line).unwrap();
        }
        sleep(Duration::from_millis(5)).await;
    };
    bed.watch(async |_| {
        let message = timeout(Duration::from_secs(20), told()).await.unwrap();
        let deadline = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * 3);
        let (title, why) = (&message["title"], message["why"].as_str().unwrap());
        assert_eq!(
            (message["kind"].as_str(), message["runner"].as_u64()),
            (Some("version-deadline"), Some(1))
        );
        assert!(title.as_str().unwrap().ends_with("needs a newer version of the runner"), "{title}");
        assert!(
            why.contains("27 days old") && why.contains(&deadline.strftime("%Y-%m-%d").to_string()),
            "{why}"
        );
        assert!(message["hint"].as_str().unwrap().contains("runnerctl update"), "{message}");
    })
    .await;
}

#[tokio::test]
async fn a_command_hears_of_a_fault_while_a_server_hangs_and_the_monitor_goes_on() {
    let server = Server::start(vec![Reply::BytesThenSilence(Vec::new())]).await;
    let mut bed = Bed::new(2).await;
    let seen = bed.directory.path().join("seen");
    let lines = format!("webhook = \"http://{}/\"", server.address);
    let config =
        Config::parse(&format!("url = \"https://github.com/acme/shop\"\n[notify]\n{lines}\n")).unwrap();
    let notify = &config.notify;
    let notifier = |receiver| Some(Notifier::new(receiver, Throttle::new(notify), "cellar".to_owned()));
    let client = Connection::new(Proxy::default(), None).client(true).unwrap();
    let url = notify.webhook.as_ref().unwrap().url.clone();
    let command = ["/bin/cp", "/dev/stdin", seen.to_str().unwrap()].map(str::to_owned).to_vec();
    bed.notifiers = Notifiers {
        command: notifier(Receiver::Command { command, limit: HOUR }),
        webhook: notifier(Receiver::Webhook(Webhook::new(client, url, WebhookFormat::Json, None, HOUR))),
    };
    let timing = Timing { look: Duration::from_millis(20), github: HOUR, heal_limit: HOUR };
    let github = async || bed.github.borrow().clone();
    bed.watch_with(timing, github, async |watching| {
        watching.verdict(2, "well").await;
        let fail = |unit: &mut Properties| "failed".clone_into(&mut unit.active_state);
        bed.fake().change(&Bed::unit(1), fail).await;
        watching.verdict(1, "failed").await;
        let is_told = || fs::read_to_string(&seen).is_ok_and(|text| text.contains("\"kind\":\"failed\""));
        while !is_told() || server.heard().is_empty() {
            sleep(Duration::from_millis(5)).await;
        }
        // The server still hangs.
        bed.fake().change(&Bed::unit(2), fail).await;
        watching.verdict(2, "failed").await;
    })
    .await;
}
