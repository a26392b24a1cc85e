//! What a runner used in the last hour: a point for each minute, in memory alone.

use std::collections::VecDeque;

use jiff::SignedDuration;

use super::witness::Usage;

/// Minutes that are kept, the current one included.
const MINUTES: usize = 60;

/// The mean of a minute; `None` where nothing was seen.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Minute {
    /// Percent of one core.
    pub cpu_percent: Option<f32>,
    /// Bytes.
    pub memory_bytes: Option<u64>,
}

/// A runner's last hour; 1.6 KiB.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// Minutes that are over, oldest first.
    past: VecDeque<Minute>,
    /// The one that is not, since the monitor began; `None` before the first look.
    current: Option<(i64, Mean, Mean)>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Mean {
    sum: f64,
    count: u32,
}

impl Mean {
    fn add(&mut self, value: Option<f64>) {
        if let Some(value) = value.filter(|value| value.is_finite()) {
            self.sum += value.max(0.0);
            self.count += 1;
        }
    }

    fn value(self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / f64::from(self.count))
    }
}

impl History {
    /// Takes in what is used at `uptime` of the monitor. Minutes in which nobody looked are gaps: the host slept, or systemd did not answer.
    #[expect(clippy::cast_precision_loss, reason = "a mean for the eye")]
    pub fn note(&mut self, usage: &Usage, uptime: SignedDuration) {
        let minute = uptime.as_secs().div_euclid(60);
        let (number, mut cpu, mut memory) =
            self.current.unwrap_or((minute, Mean::default(), Mean::default()));
        if number < minute {
            self.keep(point(cpu, memory));
            for _ in (number + 1..minute).take(MINUTES) {
                self.keep(Minute::default());
            }
            (cpu, memory) = (Mean::default(), Mean::default());
        }
        cpu.add(usage.cpu_percent);
        memory.add(usage.memory_bytes.map(|bytes| bytes as f64));
        self.current = Some((number.max(minute), cpu, memory));
    }

    fn keep(&mut self, minute: Minute) {
        // One place is the current minute's.
        while self.past.len() >= MINUTES - 1 {
            self.past.pop_front();
        }
        self.past.push_back(minute);
    }

    /// All that is known, oldest first, the current minute last.
    #[must_use]
    pub fn minutes(&self) -> Vec<Minute> {
        let current = self.current.map(|(_, cpu, memory)| point(cpu, memory));
        self.past.iter().copied().chain(current).collect()
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float cast to an integer is clamped, and drawn"
)]
fn point(cpu: Mean, memory: Mean) -> Minute {
    Minute {
        cpu_percent: cpu.value().map(|percent| percent as f32),
        memory_bytes: memory.value().map(|bytes| bytes as u64),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn used(cpu: f64, memory: u64) -> Usage {
        Usage {
            cpu_percent: Some(cpu),
            cpu_quota_percent: None,
            memory_bytes: Some(memory),
            memory_max_bytes: None,
            oom_kills: None,
        }
    }

    fn minute(cpu: f32, memory: u64) -> Minute {
        Minute { cpu_percent: Some(cpu), memory_bytes: Some(memory) }
    }

    #[test]
    fn a_minute_is_the_mean_of_its_looks_and_one_without_looks_is_a_gap() {
        let mut history = History::default();
        assert_eq!(history.minutes(), []);
        for (second, cpu, memory) in [(5, 10.0, 100), (15, 30.0, 300), (61, 50.0, 500), (185, 70.0, 700)] {
            history.note(&used(cpu, memory), SignedDuration::from_secs(second));
        }
        let expected = [minute(20.0, 200), minute(50.0, 500), Minute::default(), minute(70.0, 700)];
        assert_eq!(history.minutes(), expected);
    }

    #[test]
    fn a_stopped_runner_uses_nothing_and_that_is_a_gap_as_well() {
        let mut history = History::default();
        let nothing = Usage { cpu_percent: None, memory_bytes: None, ..used(0.0, 0) };
        history.note(&nothing, SignedDuration::ZERO);
        assert_eq!(history.minutes(), [Minute::default()]);
    }

    #[test]
    fn a_fleet_of_four_keeps_less_than_8_kib() {
        let mut history = History::default();
        for second in 0..100_000 {
            history.note(&used(1.0, 1), SignedDuration::from_secs(second));
        }
        let bytes = size_of::<History>() + history.past.capacity() * size_of::<Minute>();
        assert!(4 * bytes < 8 * 1024, "{bytes}");
    }

    proptest! {
        #[test]
        fn it_is_never_longer_than_an_hour_whatever_the_clock_and_the_kernel_say(
            looks in proptest::collection::vec((any::<i32>(), any::<f64>(), any::<u64>()), 0..200)
        ) {
            let mut history = History::default();
            for (second, cpu, memory) in looks {
                history.note(&used(cpu, memory), SignedDuration::from_secs(second.into()));
                prop_assert!(history.minutes().len() <= MINUTES);
            }
        }
    }
}
