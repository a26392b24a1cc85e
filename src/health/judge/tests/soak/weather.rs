//! What befalls host and network, drawn for each fleet.

use fastrand::Rng;

use super::TWO_HOURS;

/// From, until; seconds of the host.
type Window = (i64, i64);

/// When something is away.
pub(super) struct Weather {
    github_gone: Vec<Window>,
    /// The list alone: a rate limit, an error of the API.
    list_gone: Vec<Window>,
    bus_gone: Vec<Window>,
    /// When, and for how long.
    sleeps: Vec<(i64, i64)>,
    new_monitors: Vec<i64>,
    calm_from: i64,
}

impl Weather {
    /// All is over before `calm_from`.
    pub(super) fn new(rng: &mut Rng, calm_from: i64) -> Self {
        let latest = TWO_HOURS.min(calm_from);
        let sleeps: Vec<_> =
            windows(rng, 2, 5..7200, latest).iter().map(|(from, _)| (*from, rng.i64(5..7200))).collect();
        // One that begins right after the host has slept cannot know.
        let knows = |at: &i64| !sleeps.iter().any(|(slept, _)| (*slept..slept + 180).contains(at));
        let new_monitors =
            windows(rng, 1, 1..2, latest).iter().map(|(from, _)| *from).filter(knows).collect();
        Self {
            github_gone: windows(rng, 2, 2..1800, latest),
            list_gone: windows(rng, 2, 30..900, latest),
            bus_gone: windows(rng, 2, 1..180, latest),
            sleeps,
            new_monitors,
            calm_from,
        }
    }

    pub(super) fn has_github(&self, uptime: i64) -> bool {
        !is_within(&self.github_gone, uptime)
    }

    pub(super) fn has_list(&self, uptime: i64) -> bool {
        self.has_github(uptime) && !is_within(&self.list_gone, uptime)
    }

    pub(super) fn has_bus(&self, uptime: i64) -> bool {
        !is_within(&self.bus_gone, uptime)
    }

    /// The host falls asleep now, for so long.
    pub(super) fn sleeps(&self, uptime: i64) -> Option<i64> {
        self.sleeps.iter().find(|(at, _)| *at == uptime).map(|(_, seconds)| *seconds)
    }

    /// The monitor is started again.
    pub(super) fn starts_monitor(&self, uptime: i64) -> bool {
        self.new_monitors.contains(&uptime)
    }

    /// Runners end and are stopped.
    pub(super) fn may_trouble(&self, uptime: i64) -> bool {
        uptime < self.calm_from
    }
}

/// Up to `most`, anywhere before `latest`.
fn windows(rng: &mut Rng, most: usize, length: std::ops::Range<i64>, latest: i64) -> Vec<Window> {
    let count = rng.usize(..=most);
    let mut window = || {
        let from = rng.i64(1..latest);
        (from, (from + rng.i64(length.clone())).min(latest))
    };
    (0..count).map(|_| window()).collect()
}

fn is_within(windows: &[Window], uptime: i64) -> bool {
    windows.iter().any(|(from, until)| (*from..*until).contains(&uptime))
}
