//! Listeners on their way back to GitHub: when GitHub was away or the host slept, each of them finds that out by itself and waits before it tries again. Meanwhile GitHub calls it
//! offline and is right, and a restart would not be faster.

use jiff::SignedDuration;

use crate::health::Now;

/// GitHub's listener waits up to a minute between two tries, or a poll from before the host slept takes so long to fail; and GitHub's list may be a minute old.
const LONGEST: SignedDuration = SignedDuration::from_secs(120);

/// By how much the clock has to be ahead: it is set by less now and then, and who sleeps for less loses no session.
const SLEPT: SignedDuration = SignedDuration::from_secs(10);

#[derive(Debug, Default)]
pub(super) struct WayBack {
    heard: Option<Now>,
    until: SignedDuration,
}

impl WayBack {
    /// They may be on it from now on.
    pub(super) fn begin(&mut self, uptime: SignedDuration) {
        self.until = self.until.max(uptime + LONGEST);
    }

    /// It is `now`. Whether the host has slept: what the monitor measures with stood still, and the clock went on.
    pub(super) fn has_slept(&mut self, now: Now) -> bool {
        let Some(before) = self.heard.replace(now) else { return false };
        let has_slept = now.time.duration_since(before.time) - (now.uptime - before.uptime) >= SLEPT;
        if has_slept {
            self.begin(now.uptime);
        }
        has_slept
    }

    /// Had they come back, when GitHub was asked?
    pub(super) fn is_over(&self, asked: Now) -> bool {
        asked.uptime >= self.until
    }
}
