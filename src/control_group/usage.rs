//! What the programs in a control group use, and what they may.

use std::fs;
use std::path::Path;
use std::time::Duration;

/// `None` where the kernel does not say: no such group, no such controller, no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// CPU time used so far.
    pub cpu: Option<Duration>,
    /// CPU time that may be used in each second.
    pub cpu_quota: Option<Duration>,
    /// Bytes.
    pub memory: Option<u64>,
    /// Bytes.
    pub memory_max: Option<u64>,
    /// Processes of the group and those below it that the kernel killed for want of memory, since the group was made.
    pub oom_kills: Option<u64>,
}

/// Reads it for the control group at `directory`.
#[must_use]
pub fn usage(directory: &Path) -> Usage {
    let text = |name: &str| fs::read_to_string(directory.join(name)).unwrap_or_default();
    let number = |name: &str| text(name).trim_end().parse().ok();
    Usage {
        cpu: used(&text("cpu.stat")),
        cpu_quota: quota(&text("cpu.max")),
        memory: number("memory.current"),
        memory_max: number("memory.max"),
        oom_kills: oom_kills(&text("memory.events")),
    }
}

/// `memory.events` of cgroups(7) version 2, which is about everything below the group, too; groups that are gone stay counted.
fn oom_kills(events: &str) -> Option<u64> {
    events.lines().find_map(|line| line.strip_prefix("oom_kill "))?.parse().ok()
}

fn used(stat: &str) -> Option<Duration> {
    let micros = stat.lines().find_map(|line| line.strip_prefix("usage_usec "))?;
    Some(Duration::from_micros(micros.parse().ok()?))
}

/// `max 100000`, or quota and period in microseconds.
fn quota(max: &str) -> Option<Duration> {
    let (quota, period) = max.trim_end().split_once(' ')?;
    let (quota, period) = (quota.parse::<u64>().ok()?, period.parse::<u64>().ok()?);
    quota.checked_mul(1_000_000)?.checked_div(period).map(Duration::from_micros)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn use_and_limits_are_read_and_what_is_not_there_is_none() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(usage(directory.path()), Usage::default());
        for (name, text) in [
            ("cpu.stat", "usage_usec 1500000\nuser_usec 1\n"),
            ("cpu.max", "150000 100000\n"),
            ("memory.current", "4096\n"),
            ("memory.max", "max\n"),
            ("memory.events", "low 0\nhigh 1\nmax 9\noom 3\noom_kill 2\noom_group_kill 1\n"),
        ] {
            fs::write(directory.path().join(name), text).unwrap();
        }
        let expected = Usage {
            cpu: Some(Duration::from_millis(1500)),
            cpu_quota: Some(Duration::from_millis(1500)),
            memory: Some(4096),
            memory_max: None,
            oom_kills: Some(2),
        };
        assert_eq!(usage(directory.path()), expected);
        for text in ["max 100000\n", "1 0\n", "", "x y\n"] {
            assert_eq!(quota(text), None, "{text:?}");
        }
    }
}
