//! Whether and when a request is made again: a function of what was met, without clock and network.
//!
//! GitHub's own rules, "Rate limits for the REST API": `retry-after` first, then `x-ratelimit-reset`, then at least a minute for a secondary limit.

use std::time::Duration;

/// Most times one request is made.
pub(super) const MOST_ATTEMPTS: u32 = 4;

/// For a secondary rate limit that does not say how long it lasts.
const SECONDARY_LIMIT: Duration = Duration::from_secs(60);

/// GitHub's seconds and ours do not begin at the same moment.
const MARGIN: Duration = Duration::from_secs(1);

/// What it would do to GitHub's state if a request were made twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeat {
    /// Nothing that matters: reading, deleting, replacing, one more token.
    Harmless,
    /// A second runner, or a refusal of the name that the first one has: only what GitHub certainly has not done is asked for again.
    Harmful,
}

/// How one attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Met {
    /// Nothing was sent: no address, no connection.
    NotSent,
    /// It was sent, and no whole answer came.
    Lost,
    /// GitHub says no, and would say it again.
    Refused,
    /// GitHub does not work (5xx); how long it asks to wait.
    Unavailable(Option<Duration>),
    /// A rate limit; how long it lasts by `retry-after`, and by `x-ratelimit-reset`.
    Limited {
        /// `retry-after`
        retry_after: Option<Duration>,
        /// Until `x-ratelimit-reset`, where nothing remains.
        reset_in: Option<Duration>,
    },
}

/// What is known when an attempt has failed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Attempt {
    /// 1 for the first.
    pub number: u32,
    /// How it ended.
    pub met: Met,
    /// What a second time would do.
    pub repeat: Repeat,
    /// How much is left of the time for the whole call.
    pub left: Duration,
    /// The pause after the first attempt, without jitter.
    pub first_pause: Duration,
    /// A random number, 0 to 1.
    pub jitter: f64,
}

/// What to do then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Wait, then try again.
    Wait(Duration),
    /// Tell the caller.
    GiveUp,
}

impl Attempt {
    /// What to do after this attempt. A wait that is longer than what is left is not begun.
    pub(super) fn next(self) -> Next {
        let may_repeat = match self.met {
            Met::Refused => false,
            Met::NotSent | Met::Limited { .. } => true,
            Met::Lost | Met::Unavailable(_) => self.repeat == Repeat::Harmless,
        };
        if !may_repeat || self.number >= MOST_ATTEMPTS {
            return Next::GiveUp;
        }
        let pause = self.met.asked_for().unwrap_or_else(|| self.backoff());
        if pause < self.left { Next::Wait(pause) } else { Next::GiveUp }
    }

    /// Twice as long each time; between half of it and all of it, so that hosts that failed together do not come back together.
    fn backoff(self) -> Duration {
        let doubled = self.first_pause.saturating_mul(2_u32.saturating_pow(self.number.saturating_sub(1)));
        doubled.mul_f64(0.5 + self.jitter.clamp(0.0, 1.0) / 2.0)
    }
}

impl Met {
    /// How long GitHub wants to be left alone.
    pub(super) fn asked_for(self) -> Option<Duration> {
        match self {
            Self::Limited { retry_after: Some(pause), .. } | Self::Unavailable(Some(pause)) => Some(pause),
            Self::Limited { reset_in: Some(pause), .. } => Some(pause.saturating_add(MARGIN)),
            Self::Limited { .. } => Some(SECONDARY_LIMIT),
            Self::NotSent | Self::Lost | Self::Refused | Self::Unavailable(None) => None,
        }
    }

    /// What an answer of `status` means, other than success. `is_limited`: it has the marks of a rate limit.
    pub(super) fn of(
        status: u16,
        is_limited: bool,
        retry_after: Option<Duration>,
        reset_in: Option<Duration>,
    ) -> Self {
        match status {
            429 => Self::Limited { retry_after, reset_in },
            403 if is_limited => Self::Limited { retry_after, reset_in },
            500..=599 => Self::Unavailable(retry_after),
            _ => Self::Refused,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn secs(number: u64) -> Duration {
        Duration::from_secs(number)
    }

    fn attempt(number: u32, met: Met, repeat: Repeat) -> Attempt {
        Attempt { number, met, repeat, left: secs(50), first_pause: secs(1), jitter: 1.0 }
    }

    #[test]
    fn what_is_tried_again_and_when() {
        use Met::{Limited, Lost, NotSent, Refused, Unavailable};
        use Next::{GiveUp, Wait};
        use Repeat::{Harmful, Harmless};
        let limited = |after: Option<u64>, reset: Option<u64>| Limited {
            retry_after: after.map(secs),
            reset_in: reset.map(secs),
        };
        for (number, met, repeat, next) in [
            (1, NotSent, Harmless, Wait(secs(1))),
            (2, NotSent, Harmless, Wait(secs(2))),
            (3, Lost, Harmless, Wait(secs(4))),
            (4, Lost, Harmless, GiveUp),
            (1, Lost, Harmful, GiveUp),
            (1, NotSent, Harmful, Wait(secs(1))),
            (1, Refused, Harmless, GiveUp),
            (1, Unavailable(None), Harmless, Wait(secs(1))),
            (1, Unavailable(Some(secs(7))), Harmless, Wait(secs(7))),
            (1, Unavailable(Some(secs(50))), Harmless, GiveUp),
            (1, Unavailable(None), Harmful, GiveUp),
            (4, Unavailable(Some(secs(1))), Harmless, GiveUp),
            (1, limited(Some(5), Some(30)), Harmless, Wait(secs(5))),
            (1, limited(None, Some(30)), Harmless, Wait(secs(31))),
            (1, limited(None, Some(0)), Harmful, Wait(secs(1))),
            // A minute is more than what is left: nobody should wait for a wait that cannot end well.
            (1, limited(None, None), Harmless, GiveUp),
            (1, limited(None, Some(3600)), Harmless, GiveUp),
            (4, limited(Some(0), None), Harmless, GiveUp),
        ] {
            assert_eq!(attempt(number, met, repeat).next(), next, "{number} {met:?} {repeat:?}");
        }
    }

    #[test]
    fn what_an_answer_means() {
        let of = |status, is_limited| Met::of(status, is_limited, Some(secs(3)), None);
        for status in [300, 400, 401, 403, 404, 409, 410, 422] {
            assert_eq!(of(status, false), Met::Refused, "{status}");
        }
        for status in [500, 502, 503, 504] {
            assert_eq!(of(status, false), Met::Unavailable(Some(secs(3))), "{status}");
        }
        let limited = Met::Limited { retry_after: Some(secs(3)), reset_in: None };
        assert_eq!((of(429, false), of(403, true)), (limited, limited));
        assert_eq!(of(404, true), Met::Refused, "the last request that was allowed, and nothing there");
    }

    #[test]
    fn jitter_takes_up_to_half_of_a_pause() {
        let pause = |jitter| Attempt { jitter, ..attempt(2, Met::Lost, Repeat::Harmless) }.next();
        assert_eq!(pause(0.0), Next::Wait(secs(1)));
        assert_eq!(pause(1.0), Next::Wait(secs(2)));
        assert_eq!(pause(f64::INFINITY), Next::Wait(secs(2)));
    }
}
