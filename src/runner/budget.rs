//! How often a runner may ask GitHub for a registration: a runner that fails in a circle must not use up GitHub's patience.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// Registrations within [`WINDOW`].
const MOST: usize = 3;

/// A registration takes seconds; a fourth within this time is a circle.
const WINDOW: SignedDuration = SignedDuration::from_mins(10);

/// When GitHub was asked, whether it gave something or not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RegistrationBudget(Vec<Timestamp>);

impl RegistrationBudget {
    /// Reads the file that [`RegistrationBudget::to_text`] writes; lines that are no time count for nothing.
    #[must_use]
    pub fn of_text(text: &str) -> Self {
        Self(text.lines().filter_map(|line| line.trim().parse().ok()).collect())
    }

    /// One RFC 3339 time a line.
    #[must_use]
    pub fn to_text(&self) -> String {
        self.0.iter().fold(String::new(), |text, asked| format!("{text}{asked}\n"))
    }

    /// The last one does not count after all: what it was taken for came to something.
    pub fn give_back(&mut self) {
        self.0.sort_unstable();
        self.0.pop();
    }

    /// How long to wait before the next try, after those that came to nothing: none after none, longer after more.
    #[must_use]
    pub fn pause(&self, now: Timestamp) -> Duration {
        let counts = |asked: &&Timestamp| **asked <= now && now.duration_since(**asked) < WINDOW;
        match self.0.iter().filter(counts).count() {
            0 => Duration::ZERO,
            1 => Duration::from_secs(5),
            _ => Duration::from_secs(30),
        }
    }

    /// Takes one out of the budget at `now`.
    ///
    /// # Errors
    /// It is used up until then.
    pub fn take(&mut self, now: Timestamp) -> Result<(), Timestamp> {
        // A clock that was set back must not lock a runner out.
        self.0.retain(|asked| *asked <= now && now.duration_since(*asked) < WINDOW);
        self.0.sort_unstable();
        if let Some(first) = self.0.len().checked_sub(MOST).and_then(|at| self.0.get(at)) {
            return Err(first.saturating_add(WINDOW).unwrap_or(Timestamp::MAX));
        }
        self.0.push(now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    #[test]
    fn the_fourth_within_ten_minutes_waits_for_the_first_to_be_ten_minutes_ago() {
        let mut budget = RegistrationBudget::default();
        for second in [0, 60, 120] {
            assert_eq!(budget.take(at(second)), Ok(()));
        }
        assert_eq!(budget.take(at(180)), Err(at(600)));
        assert_eq!(budget.take(at(599)), Err(at(600)));
        assert_eq!(budget.take(at(600)), Ok(()));
        assert_eq!(budget.take(at(601)), Err(at(660)));
    }

    #[test]
    fn a_clock_that_was_set_back_locks_no_runner_out() {
        let mut budget = RegistrationBudget::default();
        for second in [1000, 1001, 1002] {
            budget.take(at(second)).unwrap();
        }
        assert_eq!(budget.take(at(0)), Ok(()));
    }

    #[test]
    fn starts_that_had_a_workflow_job_are_never_used_up_and_those_that_had_none_are() {
        let mut budget = RegistrationBudget::default();
        for second in 0..1000 {
            assert_eq!(budget.pause(at(second)), Duration::ZERO);
            assert_eq!(budget.take(at(second)), Ok(()));
            budget.give_back();
        }
        let pauses = [0, 5, 30].map(|seconds| {
            assert_eq!(budget.pause(at(1000)), Duration::from_secs(seconds));
            budget.take(at(1000))
        });
        assert_eq!(pauses, [Ok(()); 3]);
        assert_eq!(budget.pause(at(1001)), Duration::from_secs(30));
        assert_eq!(budget.take(at(1001)), Err(at(1600)));
        assert_eq!(budget.pause(at(1600)), Duration::ZERO);
    }

    /// As often as systemd restarts at its quickest and at its slowest, through the file each time.
    #[test]
    fn ten_thousand_restarts_make_no_more_registrations_than_the_budget_allows() {
        for pause in [5, 30] {
            let (mut granted, mut text) = (0, String::new());
            for restart in 0..10_000 {
                let mut budget = RegistrationBudget::of_text(&text);
                granted += i64::from(budget.take(at(restart * pause)).is_ok());
                text = budget.to_text();
                assert!(text.lines().count() <= MOST, "the file does not grow");
            }
            let windows = 10_000 * pause / WINDOW.as_secs() + 1;
            assert!(granted <= 3 * windows, "{granted} in {windows} windows");
            assert!(granted > windows, "it asks again as soon as it may");
        }
    }

    #[test]
    fn what_is_no_time_in_the_file_counts_for_nothing() {
        let budget = RegistrationBudget::of_text("\nyesterday\n2026-11-26T18:00:00Z\n\u{0}");
        assert_eq!(budget.to_text(), "2026-11-26T18:00:00Z\n");
    }

    proptest! {
        #[test]
        fn no_restarts_ever_make_more_than_the_budget_allows(gaps in proptest::collection::vec(0_i64..120, 1..400)) {
            let mut granted: Vec<i64> = Vec::new();
            let (mut now, mut text) = (0, String::new());
            for gap in gaps {
                now += gap;
                let mut budget = RegistrationBudget::of_text(&text);
                if budget.take(at(now)).is_ok() {
                    granted.push(now);
                }
                text = budget.to_text();
                let in_window = granted.iter().filter(|second| now - **second < 600).count();
                prop_assert!(in_window <= 3);
            }
        }
    }
}
