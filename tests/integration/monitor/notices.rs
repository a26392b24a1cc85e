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
