//! The virtual clock: the real one plus an offset that the admin moves forward, and a skew against all other clocks.

use std::fmt;
use std::ops::Add;

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};
use serde::{Deserialize, Serialize};

/// Milliseconds in a second.
const MILLIS: i64 = 1000;

/// A moment on the virtual clock, in milliseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Moment(i64);

impl Moment {
    /// Whole seconds from `earlier` to this moment; negative when `earlier` is later.
    pub(crate) fn seconds_since(self, earlier: Self) -> i64 {
        (self.0 - earlier.0).div_euclid(MILLIS)
    }

    /// Seconds since the Unix epoch, as rate limit headers want them.
    pub(crate) fn unix_seconds(self) -> i64 {
        self.0.div_euclid(MILLIS)
    }

    /// The form of a registration token's `expires_at`: milliseconds and a numeric offset.
    pub(crate) fn with_offset(self) -> String {
        let zone = TimeZone::fixed(Offset::constant(-8));
        self.timestamp().to_zoned_datetime(zone).strftime("%Y-%m-%dT%H:%M:%S.%3f%:z").to_string()
    }

    /// RFC 3339 in whole seconds and with `Z`, as most times of the REST API are.
    pub(crate) fn in_seconds(self) -> String {
        self.timestamp().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    /// The form of the `date` header.
    pub(crate) fn http_date(self) -> String {
        self.timestamp().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
    }

    fn timestamp(self) -> Timestamp {
        // Only a clock advanced beyond the year 9999 leaves jiff's range.
        Timestamp::from_millisecond(self.0).unwrap_or(Timestamp::MAX)
    }
}

impl Add<i64> for Moment {
    type Output = Self;

    /// The moment this many seconds later.
    fn add(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(MILLIS)))
    }
}

impl fmt::Display for Moment {
    /// RFC 3339 with milliseconds and `Z`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:.3}", self.timestamp())
    }
}

/// Tells the virtual time.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    /// By how much a test has moved the time for all.
    offset_seconds: i64,
    /// By how much GitHub is ahead of everybody else.
    skew_seconds: i64,
}

impl Clock {
    pub(crate) fn now(&self) -> Moment {
        let [_, moved] = self.readings();
        moved
    }

    /// The time as it is for those who do not know that a test has moved it, and for those who do.
    pub(crate) fn readings(&self) -> [Moment; 2] {
        let not_moved = Moment(Timestamp::now().as_millisecond()) + self.skew_seconds;
        [not_moved, not_moved + self.offset_seconds]
    }

    pub(crate) fn advance(&mut self, seconds: i64) {
        self.offset_seconds = self.offset_seconds.saturating_add(seconds);
    }

    pub(crate) fn offset_seconds(&self) -> i64 {
        self.offset_seconds
    }

    pub(crate) fn set_skew(&mut self, seconds: i64) {
        self.skew_seconds = seconds;
    }

    pub(crate) fn skew_seconds(&self) -> i64 {
        self.skew_seconds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_has_the_forms_that_github_uses() {
        let moment = Moment(1_795_451_396_042);
        assert_eq!(moment.to_string(), "2026-11-23T16:29:56.042Z");
        assert_eq!(moment.with_offset(), "2026-11-23T08:29:56.042-08:00");
        assert_eq!(moment.in_seconds(), "2026-11-23T16:29:56Z");
        assert_eq!(moment.http_date(), "Mon, 23 Nov 2026 16:29:56 GMT");
    }

    #[test]
    fn advancing_moves_the_clock_forward() {
        let mut clock = Clock::default();
        let before = clock.now();
        clock.advance(3600);
        assert!(clock.now().seconds_since(before) >= 3600);
    }
}
