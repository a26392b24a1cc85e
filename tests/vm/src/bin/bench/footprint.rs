//! What a process holds and uses, by the word of the kernel: `proc_pid_status(5)`, `proc_pid_smaps(5)`, `proc_pid_stat(5)`.

use std::fs;
use std::io;
use std::time::Duration;

use homelab_runners_vm::{Error, Result};

/// The kernel's ticks in `stat`: `getconf CLK_TCK`, the same on every Linux that this runs on.
const TICK: Duration = Duration::from_millis(10);

/// At one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Footprint {
    /// KiB that are resident, pages of files included.
    pub(crate) resident: u32,
    /// KiB, the most there ever were of those.
    pub(crate) peak: u32,
    /// KiB, shared pages divided by those who share them.
    pub(crate) proportional: u32,
    /// Of all its threads, without its children.
    pub(crate) cpu: Duration,
}

impl Footprint {
    /// Of a process of this host.
    pub(crate) fn of(process: u32) -> Result<Self> {
        let path = |name: &str| format!("/proc/{process}/{name}");
        let read = |name: &str| {
            let failed = |source| Error::File { action: "read", path: path(name).into(), source };
            fs::read_to_string(path(name)).map_err(failed)
        };
        Self::of_texts(&read("status")?, &read("smaps_rollup")?, &read("stat")?).ok_or_else(|| Error::File {
            action: "read the footprint in",
            path: path("").into(),
            source: io::Error::other("a field is missing"),
        })
    }

    /// Of these files' texts.
    pub(crate) fn of_texts(status: &str, smaps_rollup: &str, stat: &str) -> Option<Self> {
        // The name before may hold anything.
        let (_, fields) = stat.rsplit_once(") ")?;
        let mut times = fields.split(' ').skip(11).map(|ticks| ticks.trim().parse::<u32>().ok());
        let cpu = TICK * (times.next()?? + times.next()??);
        Some(Self {
            resident: kib(status, "VmRSS:")?,
            peak: kib(status, "VmHWM:")?,
            proportional: kib(smaps_rollup, "Pss:")?,
            cpu,
        })
    }
}

/// The number of KiB in the line that begins so.
pub(crate) fn kib(text: &str, name: &str) -> Option<u32> {
    text.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_is_found_whatever_the_process_is_called() {
        let status = "Name:\t) x (\nVmHWM:\t    8200 kB\nVmRSS:\t    7100 kB\nRssAnon:\t 1 kB\n";
        let rollup =
            "5 7 ---p 0 00:00 0 [rollup]\nRss: 7100 kB\nPss:                3000 kB\nPss_Dirty: 1 kB\n";
        let stat = "42 () x () S 1 42 42 0 -1 4194560 500 0 0 0 3 4 900 900 20 0 4 0 100 1 2";
        let expected = Footprint { resident: 7100, peak: 8200, proportional: 3000, cpu: TICK * 7 };
        assert_eq!(Footprint::of_texts(status, rollup, stat), Some(expected));
        assert_eq!(Footprint::of_texts("", rollup, stat), None);
    }
}
