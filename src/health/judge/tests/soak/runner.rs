//! A runner as it really is: its unit, its container, its session.

use fastrand::Rng;

use super::*;

/// GitHub calls a runner offline when it has not polled for so long.
pub(super) const POLL_LIMIT: i64 = 60;

/// What can be wrong with one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sickness {
    /// Its listener does nothing any more, and nobody has noticed.
    DeadListener,
    /// Its listener believes in a session that GitHub has not.
    Zombie,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// systemd waits before it starts it again, or somebody has stopped it.
    Down,
    /// Until it has a session.
    Starting,
    Idle,
    /// GitHub has given it a workflow job, and its worker has not begun.
    Assigned,
    Working,
    /// Its listener has ended, and its entrypoint has not said so.
    Ending,
    /// Its unit is on its way down.
    Stopping,
}

pub(super) struct TrueRunner {
    pub(super) sickness: Option<Sickness>,
    pub(super) worker: bool,
    pub(super) drained: bool,
    pub(super) unit: Unit,
    pub(super) workflow_jobs: u32,
    phase: Phase,
    until: i64,
    word: SessionState,
    listener: Listener,
    /// A signal has stopped it until then.
    stopped_until: i64,
    /// GitHub's moment of its last poll; `None`: no session.
    polled: Option<i64>,
    /// GitHub thinks so until then, in its own time.
    busy_until: i64,
    /// It finds GitHub again no sooner.
    connects: i64,
    /// Since when it does not find it.
    cut_off: Option<i64>,
}

impl TrueRunner {
    pub(super) fn new(rng: &mut Rng) -> Self {
        Self {
            sickness: None,
            worker: false,
            drained: false,
            unit: unit(Activity::Active, -rng.i64(1..100_000)),
            workflow_jobs: 0,
            phase: Phase::Idle,
            until: 0,
            word: SessionState::Online,
            listener: Listener::Running,
            stopped_until: 0,
            polled: Some(0),
            busy_until: i64::MIN,
            connects: 0,
            cut_off: None,
        }
    }

    pub(super) fn is_up(&self) -> bool {
        matches!(self.phase, Phase::Idle | Phase::Assigned | Phase::Working)
    }

    /// As GitHub has it at its moment `elsewhere`.
    pub(super) fn at_github(&self, elsewhere: i64) -> AtGithub {
        match self.polled {
            Some(polled) if elsewhere - polled <= POLL_LIMIT => {
                if elsewhere < self.busy_until {
                    AtGithub::Busy
                } else {
                    AtGithub::Idle
                }
            }
            _ => AtGithub::Offline,
        }
    }

    /// What a look at its processes and its word shows.
    pub(super) fn container(&self, uptime: i64) -> Container {
        let listener = match self.listener {
            Listener::Running if self.sickness == Some(Sickness::DeadListener) => Listener::Stopped,
            Listener::Running if uptime < self.stopped_until => Listener::Stopped,
            listener => listener,
        };
        Container { session: Some(self.word), listener, worker: self.worker }
    }

    /// The host has slept: the listener's connection is dead, which it finds out when its poll is over; then it waits before it tries again.
    pub(super) fn wake(&mut self, rng: &mut Rng, clock: Clock) {
        self.connects = clock.uptime + rng.i64(1..=60) + rng.i64(15..=30);
    }

    /// It is told to end.
    pub(super) fn stop(&mut self, rng: &mut Rng, clock: Clock) {
        self.worker = false;
        self.word = SessionState::Stopping;
        self.unit.active_state = Activity::Deactivating;
        self.enter(Phase::Stopping, clock, rng.i64(1..8));
    }

    fn enter(&mut self, phase: Phase, clock: Clock, seconds: i64) {
        self.phase = phase;
        self.until = clock.uptime + seconds;
    }

    /// A second. Whether systemd announces something.
    pub(super) fn step(&mut self, rng: &mut Rng, clock: Clock, github: bool, may_trouble: bool) -> bool {
        self.poll(rng, clock, github);
        let before = self.unit.clone();
        if self.sickness.is_none() && may_trouble && self.is_up() {
            self.trouble(rng, clock);
        }
        if self.phase == Phase::Idle {
            self.take_workflow_job(rng, clock, github);
        } else if clock.uptime >= self.until {
            self.go_on(rng, clock, github);
        }
        self.unit != before
    }

    fn poll(&mut self, rng: &mut Rng, clock: Clock, github: bool) {
        if !github {
            self.connects = self.connects.max(clock.uptime + 1);
            self.cut_off.get_or_insert(clock.uptime);
            return;
        }
        // Each listener waits up to a minute between two tries.
        if self.cut_off.take().is_some() {
            self.connects += rng.i64(0..=62);
        }
        let can = self.is_up() && self.sickness.is_none() && clock.uptime >= self.stopped_until;
        if can && clock.uptime >= self.connects {
            self.polled = Some(clock.elsewhere());
        }
    }

    /// What happens to runners that are well.
    fn trouble(&mut self, rng: &mut Rng, clock: Clock) {
        let gives_up = self.cut_off.is_some_and(|since| clock.uptime - since > 900);
        match rng.u32(..7200) {
            // The listener ends: a signal, no memory, an error of its own.
            0 => self.end(rng, clock),
            _ if gives_up => self.end(rng, clock),
            1 if self.phase == Phase::Idle => self.stopped_until = clock.uptime + rng.i64(1..10),
            // Somebody restarts it, or takes it out of service.
            2 if self.phase == Phase::Idle => self.stop(rng, clock),
            3 if self.phase == Phase::Idle => {
                self.drained = rng.bool();
                self.stop(rng, clock);
            }
            _ => {}
        }
    }

    /// With its worker, if there is one.
    fn end(&mut self, rng: &mut Rng, clock: Clock) {
        (self.listener, self.worker) = (Listener::Missing, false);
        // A host under load takes its time to end a container.
        self.enter(Phase::Ending, clock, rng.i64(0..10));
    }

    fn take_workflow_job(&mut self, rng: &mut Rng, clock: Clock, github: bool) {
        let is_online = github && clock.uptime >= self.connects && clock.uptime >= self.stopped_until;
        if is_online && self.sickness.is_none() && rng.u32(..120) == 0 {
            self.workflow_jobs += 1;
            self.busy_until = i64::MAX;
            self.enter(Phase::Assigned, clock, rng.i64(1..5));
        }
    }

    /// What it does now is over.
    #[expect(clippy::cast_possible_truncation, reason = "seconds")]
    fn go_on(&mut self, rng: &mut Rng, clock: Clock, github: bool) {
        match self.phase {
            Phase::Idle => {}
            Phase::Assigned => {
                self.worker = true;
                // Five seconds to an hour and a half; most are short.
                self.enter(Phase::Working, clock, (5.0 * 1080_f64.powf(rng.f64())) as i64);
            }
            Phase::Working => {
                self.worker = false;
                self.busy_until = clock.elsewhere() + rng.i64(0..4);
                self.enter(Phase::Idle, clock, 0);
            }
            Phase::Ending => {
                self.word = SessionState::Failed;
                self.unit.active_state = Activity::Deactivating;
                self.enter(Phase::Stopping, clock, rng.i64(1..4));
            }
            Phase::Stopping => {
                // Asked to end, a listener tells GitHub; one that just ends does not.
                if self.word == SessionState::Stopping {
                    self.polled = None;
                } else {
                    self.unit.restarts += 1;
                }
                self.listener = Listener::Missing;
                let is_out = self.drained || (self.word == SessionState::Stopping && rng.u32(..4) == 0);
                self.unit.active_state = if is_out { Activity::Inactive } else { Activity::Activating };
                self.enter(Phase::Down, clock, if is_out { rng.i64(60..900) } else { rng.i64(0..30) });
            }
            Phase::Down => {
                (self.word, self.listener, self.drained) =
                    (SessionState::Connecting, Listener::Running, false);
                self.busy_until = i64::MIN;
                self.unit.active_state = Activity::Activating;
                self.enter(Phase::Starting, clock, rng.i64(2..60));
            }
            Phase::Starting if !github => self.until += 5,
            Phase::Starting => {
                self.word = SessionState::Online;
                (self.connects, self.cut_off, self.polled) = (clock.uptime, None, Some(clock.elsewhere()));
                self.unit.active_state = Activity::Active;
                self.unit.active_since = Some(clock.time());
                self.enter(Phase::Idle, clock, 0);
            }
        }
    }
}
