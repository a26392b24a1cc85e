//! Programs of a runner that the kernel killed for want of memory: otherwise a workflow job fails, and nobody says why.

use jiff::SignedDuration;

use super::witness::WorkflowJob;
use crate::status;

/// Between two events about one runner: a workflow that starts what is killed again and again is not to push everything else out of the log.
const PAUSE: SignedDuration = SignedDuration::from_mins(10);

/// What is known of them.
#[derive(Debug, Clone, Default)]
pub(super) struct OomKills {
    /// The kernel's counter at the last look; `None` before the first.
    seen: Option<u64>,
    untold: u64,
    /// When an event last told of them.
    told: Option<SignedDuration>,
}

impl OomKills {
    /// Takes in the kernel's counter at `uptime` of the monitor; `None` where there is none: a control group that comes back has a new one. Returns how many kills are to be
    /// told now, if any. Those that the first counter has were before the monitor's time.
    pub(super) fn note(&mut self, counter: Option<u64>, uptime: SignedDuration) -> Option<u64> {
        if counter.is_none() && self.seen.is_none() {
            return None;
        }
        let counter = counter.unwrap_or(0);
        let before = self.seen.replace(counter).unwrap_or(counter);
        self.untold += if counter < before { counter } else { counter - before };
        let is_too_soon = self.told.is_some_and(|told| uptime - told < PAUSE);
        if self.untold == 0 || is_too_soon {
            return None;
        }
        self.told = Some(uptime);
        Some(std::mem::take(&mut self.untold))
    }
}

/// What an event says of so many kills. The limit is that of the runner's slice, and `last` the workflow job that was last seen.
pub(super) fn why(kills: u64, memory_max_bytes: Option<u64>, last: Option<&WorkflowJob>) -> String {
    let what = if kills == 1 { "a process".to_owned() } else { format!("{kills} processes") };
    let limit = memory_max_bytes.map_or("it has no limit of its own".to_owned(), |bytes| {
        format!("its limit is {}", status::size(bytes))
    });
    let job = last.map_or(String::new(), |job| {
        format!("; last seen on it: workflow job {} of {}", job.workflow_job, job.repository)
    });
    format!("the kernel killed {what} of it for want of memory; {limit}{job}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> SignedDuration {
        SignedDuration::from_secs(seconds)
    }

    #[test]
    fn a_kill_is_told_at_the_next_look_and_those_before_the_monitor_are_not() {
        let mut kills = OomKills::default();
        assert_eq!(kills.note(Some(7), at(0)), None);
        assert_eq!(kills.note(Some(7), at(10)), None);
        assert_eq!(kills.note(Some(9), at(20)), Some(2));
        assert_eq!(kills.note(Some(9), at(30)), None);
    }

    #[test]
    fn many_are_told_once_in_a_while_and_none_is_left_out() {
        let mut kills = OomKills::default();
        let told: Vec<(u64, u64)> = (0..180)
            .filter_map(|look| Some((look, kills.note(Some(look), at(10 * i64::try_from(look).ok()?))?)))
            .collect();
        assert_eq!(told, [(1, 1), (61, 60), (121, 60)]);
    }

    #[test]
    fn a_control_group_that_is_new_counts_from_nought() {
        let mut kills = OomKills::default();
        assert_eq!(kills.note(None, at(0)), None);
        assert_eq!(kills.note(Some(3), at(10)), None, "it was there before the monitor looked");
        assert_eq!(kills.note(None, at(20)), None);
        assert_eq!(kills.note(Some(4), at(30)), Some(4));
        assert_eq!(kills.note(Some(1), at(1000)), Some(1), "it went and came between two looks");
    }

    #[test]
    fn an_event_says_what_was_killed_and_what_limit_and_workflow_job_there_were() {
        assert_eq!(
            why(1, None, None),
            "the kernel killed a process of it for want of memory; it has no limit of its own"
        );
        let job = WorkflowJob {
            repository: "acme/shop".to_owned(),
            workflow_job: "e2e".to_owned(),
            ..WorkflowJob::default()
        };
        assert_eq!(
            why(3, Some(2 << 30), Some(&job)),
            "the kernel killed 3 processes of it for want of memory; its limit is 2.0G; last seen on it: workflow job e2e of acme/shop"
        );
    }

    proptest! {
        /// Whatever the counter does: what is told is what it has grown by.
        #[test]
        fn what_is_told_is_never_more_than_what_was_counted(
            counters in proptest::collection::vec(proptest::option::of(0_u64..1000), 0..50),
        ) {
            let mut kills = OomKills::default();
            let mut grown = 0;
            let mut before = None;
            let mut told = 0;
            for (second, counter) in (0..).step_by(10).zip(counters) {
                told += kills.note(counter, at(second)).unwrap_or(0);
                if counter.is_some() || before.is_some() {
                    let now = counter.unwrap_or(0);
                    let last = before.unwrap_or(now);
                    grown += if now < last { now } else { now - last };
                    before = Some(now);
                }
            }
            prop_assert_eq!(told + kills.untold, grown);
        }
    }
}
