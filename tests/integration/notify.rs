//! Messages of the monitor, to real programs and to a server that records.

use std::time::Duration;

use homelab_runners::config::{Config, NoticeKind, NotifyToken, Proxy, WebhookFormat};
use homelab_runners::github::Connection;
use homelab_runners::health::{Event, Message, Notice, Now, Throttle, Verdict, What};
use homelab_runners::monitor::{Notifier, Receiver, Refusal};
use homelab_runners::webhook::Webhook;
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;

use crate::github_client::bed::{CANARY, Reply, Server, answer, ends};

mod as_a_process;
mod command;
mod webhook;

const LONG: Duration = Duration::from_secs(20);

fn notice(kind: NoticeKind, number: u16) -> Notice {
    let now = Now { uptime: SignedDuration::ZERO, time: Timestamp::UNIX_EPOCH };
    let (what, verdict) = match kind {
        NoticeKind::GaveUp => (What::GaveUp, Verdict::GivenUp),
        NoticeKind::Failed => (What::Fault, Verdict::ListenerDead),
        _ => (What::Healed, Verdict::Well),
    };
    let event = Event::new(now, Some(number), what, "no listener runs");
    Notice::of(&event, Some((&format!("homelab-runner-{number}"), verdict))).unwrap()
}

/// By the rules of a config with these lines in `[notify]`.
fn throttle(lines: &str) -> Throttle {
    let config =
        Config::parse(&format!("url = \"https://github.com/acme/shop\"\n[notify]\n{lines}\n")).unwrap();
    Throttle::new(&config.notify)
}

/// With pauses that take no time.
fn notifier(receiver: Receiver, lines: &str) -> Notifier {
    let pause = Duration::from_millis(1);
    Notifier::new(receiver, throttle(lines), "cellar".to_owned()).with_pause(pause, pause)
}

/// Runs `notifier` until `story` is over.
async fn run(notifier: &Notifier, story: impl Future<Output = ()>) {
    ends(async {
        tokio::select! {
            () = notifier.run() => panic!("the notifier has ended"),
            () = story => {}
        }
    })
    .await;
}

async fn until(is_so: impl Fn() -> bool) {
    while !is_so() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
