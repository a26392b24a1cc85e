//! How often people are told: a fleet that is sick all night sends a few messages that say so, not a thousand.
//!
//! What may not be told yet is held back, one entry for each kind and runner, and comes with the next message. Nothing is ever lost: what a receiver did not
//! take is held back again, however long that goes on, in no more memory.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::SignedDuration;

use super::notice::{Message, Notice, Told};
use crate::config::{NoticeKind, Notify};

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// What a message has room for, beside the first: with reasons of at most 300 characters it stays below the 4096 bytes of an ntfy message.
const MOST_ALSO: usize = 8;

/// What is told once in a while: this kind, about this runner or all of them. The most urgent is the smallest.
type Key = (NoticeKind, Option<u16>);

/// Decides when what is told, to one receiver. Times are such as [`super::Now::uptime`].
#[derive(Debug, Clone)]
pub struct Throttle {
    on: BTreeSet<NoticeKind>,
    hourly_max: usize,
    pause: SignedDuration,
    /// Whose recovery would be news.
    troubled: BTreeSet<Option<u16>>,
    held: BTreeMap<Key, Told>,
    /// What a receiver took, and when, within the pause.
    told: BTreeMap<Key, SignedDuration>,
    /// When messages were sent within the hour, whatever came of them.
    sent: VecDeque<SignedDuration>,
}

impl Throttle {
    /// By the rules of the config.
    #[must_use]
    pub fn new(notify: &Notify) -> Self {
        Self {
            on: notify.on.clone(),
            hourly_max: usize::try_from(notify.hourly_max).unwrap_or(1),
            pause: SignedDuration::try_from(notify.pause).unwrap_or(HOUR),
            troubled: BTreeSet::new(),
            held: BTreeMap::new(),
            told: BTreeMap::new(),
            sent: VecDeque::new(),
        }
    }

    /// Something happened.
    pub fn take(&mut self, notice: Notice) {
        let is_on = self.on.contains(&notice.kind);
        if notice.is_trouble {
            self.troubled.insert(notice.runner);
        }
        let is_news = match notice.kind {
            // Who was told that it is online again need not be told that it is well again.
            NoticeKind::Healed => {
                if is_on {
                    self.troubled.remove(&notice.runner);
                }
                true
            }
            NoticeKind::Recovered => self.troubled.remove(&notice.runner),
            NoticeKind::NeedsToken
            | NoticeKind::GaveUp
            | NoticeKind::Failed
            | NoticeKind::OutOfMemory
            | NoticeKind::VersionDeadline
            | NoticeKind::Test => true,
        };
        if is_on && is_news {
            self.hold(Told { notice, count: 1 });
        }
    }

    /// The message that is to be sent now, if any. What becomes of it is told to [`Self::taken`] or [`Self::refused`] before this is called again.
    pub fn next(&mut self, uptime: SignedDuration) -> Option<Message> {
        self.sent.retain(|sent| uptime - *sent < HOUR);
        self.told.retain(|_, told| uptime - *told < self.pause);
        if self.sent.len() >= self.hourly_max {
            return None;
        }
        let key = self.held.keys().find(|key| !self.told.contains_key(key)).copied()?;
        let first = self.held.remove(&key)?;
        let keys: Vec<Key> = self.held.keys().take(MOST_ALSO).copied().collect();
        let also = keys.iter().filter_map(|key| self.held.remove(key)).collect();
        self.sent.push_back(uptime);
        Some(Message { first, also, left: self.held.len() })
    }

    /// The receiver has taken `message`.
    pub fn taken(&mut self, message: &Message, uptime: SignedDuration) {
        let told = std::iter::once(&message.first).chain(&message.also);
        self.told.extend(told.map(|told| (key(&told.notice), uptime)));
    }

    /// The receiver did not take `message`.
    pub fn refused(&mut self, message: Message) {
        std::iter::once(message.first).chain(message.also).for_each(|told| self.hold(told));
    }

    /// When [`Self::next`] has something, as far as it is known at `uptime`; `None`: when something has happened.
    #[must_use]
    pub fn due(&self, uptime: SignedDuration) -> Option<SignedDuration> {
        let of_key = |key: &Key| self.told.get(key).map_or(uptime, |told| *told + self.pause);
        let of_held = self.held.keys().map(of_key).min()?;
        let spent = self.sent.len().checked_sub(self.hourly_max).and_then(|first| self.sent.get(first));
        Some(spent.map_or(of_held, |sent| of_held.max(*sent + HOUR)))
    }

    fn hold(&mut self, more: Told) {
        match self.held.get_mut(&key(&more.notice)) {
            Some(held) => {
                held.count = held.count.saturating_add(more.count);
                if held.notice.time <= more.notice.time {
                    held.notice = more.notice;
                }
            }
            None => {
                self.held.insert(key(&more.notice), more);
            }
        }
    }
}

fn key(notice: &Notice) -> Key {
    (notice.kind, notice.runner)
}

#[cfg(test)]
mod tests;
