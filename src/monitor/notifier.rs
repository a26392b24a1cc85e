//! The loop beside the monitor's that tells people: whom the [`Throttle`] allows, until it is taken.
//!
//! The monitor hands over what happened and goes on at once. A receiver that is dead is tried again and again, less and less often; what it misses is kept by the
//! throttle, in bounded memory.

use std::cell::RefCell;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use super::receiver::{Receiver, Refusal};
use crate::health::{Message, Notice, Throttle};

/// The pause after a failure, and twice that after each further one, up to the longest.
const PAUSE: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(1800));

/// No server gets more patience than this.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(3600);

/// Tells one receiver.
pub struct Notifier {
    receiver: Receiver,
    host: String,
    throttle: RefCell<Throttle>,
    news: Notify,
    begin: Instant,
    pause: (Duration, Duration),
}

/// One for the command, one for the webhook: neither waits for the other.
#[derive(Default)]
pub struct Notifiers {
    /// The command's.
    pub command: Option<Notifier>,
    /// The webhook's.
    pub webhook: Option<Notifier>,
}

impl Notifier {
    /// Tells `receiver` what `throttle` lets through, in the name of this `host`.
    #[must_use]
    pub fn new(receiver: Receiver, throttle: Throttle, host: String) -> Self {
        let (throttle, news) = (RefCell::new(throttle), Notify::new());
        Self { receiver, host, throttle, news, begin: Instant::now(), pause: PAUSE }
    }

    /// With other pauses after failures: the first, and the longest.
    #[must_use]
    pub fn with_pause(mut self, first: Duration, longest: Duration) -> Self {
        self.pause = (first, longest);
        self
    }

    /// Something is to be told. Returns at once.
    pub fn tell(&self, notice: &Notice) {
        self.throttle.borrow_mut().take(notice.clone());
        self.news.notify_one();
    }

    /// Goes on until it is dropped.
    pub async fn run(&self) {
        let mut failures = 0;
        loop {
            let message = self.throttle.borrow_mut().next(self.uptime());
            let Some(message) = message else {
                self.wait().await;
                continue;
            };
            match self.receiver.deliver(&message, &self.host).await {
                Ok(()) => {
                    failures = 0;
                    self.throttle.borrow_mut().taken(&message, self.uptime());
                }
                Err(refusal) => {
                    failures += 1;
                    let pause = self.pause_after(failures, &refusal);
                    self.report(&message, &refusal, pause);
                    self.throttle.borrow_mut().refused(message);
                    sleep(pause).await;
                }
            }
        }
    }

    /// Until something is due, or has happened.
    async fn wait(&self) {
        let now = self.uptime();
        let due = self.throttle.borrow().due(now);
        match due {
            Some(due) => {
                let pause = Duration::try_from(due - now).unwrap_or_default().max(Duration::from_millis(1));
                tokio::select! {
                    () = sleep(pause) => {}
                    () = self.news.notified() => {}
                }
            }
            None => self.news.notified().await,
        }
    }

    fn pause_after(&self, failures: u32, refusal: &Refusal) -> Duration {
        let doubled = self.pause.0.saturating_mul(2_u32.saturating_pow(failures - 1)).min(self.pause.1);
        doubled.max(refusal.retry_after.unwrap_or_default().min(LONGEST_RETRY_AFTER))
    }

    fn report(&self, message: &Message, refusal: &Refusal, pause: Duration) {
        let (to, reason, hint) = (self.receiver.name(), &refusal.reason, refusal.hint);
        let title = message.title();
        tracing::warn!(%to, %reason, hint, "not told: {title}; again in {} s", pause.as_secs());
    }

    fn uptime(&self) -> SignedDuration {
        SignedDuration::try_from(self.begin.elapsed()).unwrap_or(SignedDuration::MAX)
    }
}

impl Notifiers {
    /// Something is to be told. Returns at once.
    pub fn tell(&self, notice: &Notice) {
        self.command.iter().chain(&self.webhook).for_each(|notifier| notifier.tell(notice));
    }

    /// Goes on until it is dropped.
    pub async fn run(&self) {
        tokio::join!(run(self.command.as_ref()), run(self.webhook.as_ref()));
    }
}

async fn run(notifier: Option<&Notifier>) {
    match notifier {
        Some(notifier) => notifier.run().await,
        None => std::future::pending().await,
    }
}
