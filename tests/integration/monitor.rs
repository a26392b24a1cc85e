//! The monitor on a systemd that lives in the test, with real processes in the place of `Runner.Listener` and `Runner.Worker`.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::sync::Arc;
use std::time::{Duration, Instant};

use homelab_runners::apply::Host;
use homelab_runners::config::{Config, UnitFormat};
use homelab_runners::files::{self, Log, Root};
use homelab_runners::fleet::{Fleet, Layout, names};
use homelab_runners::health::{Event, Snapshot, What};
use homelab_runners::monitor::{self, GithubAnswer, Healer, Monitor, Timing};
use homelab_runners::runner::{LISTENER, WORKER};
use homelab_runners::systemd::Systemd;
use homelab_runners::why::AtGithub;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::fake_systemd::{FakeSystemd, Script};

mod github;
mod helper;
mod restarts;
mod served;
mod witnesses;

/// Passes in no time, since the clock is paused.
const HOUR: Duration = Duration::from_secs(3600);

/// A fleet whose runners are well. Each has a process in the place of its listener.
struct Bed {
    directory: TempDir,
    fleet: Fleet,
    root: Root,
    control_groups: PathBuf,
    fake: RefCell<FakeSystemd>,
    systemd: RefCell<Systemd>,
    processes: RefCell<BTreeMap<u16, Vec<Child>>>,
    github: RefCell<GithubAnswer>,
    has_github: Cell<bool>,
    healer: RefCell<Option<Healer>>,
}

impl Bed {
    async fn new(count: u16) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let config =
            Config::parse(&format!("url = \"https://github.com/acme/shop\"\ncount = {count}\n")).unwrap();
        let fleet = Fleet::new(&config, &Layout::system(), &UnitFormat::Quadlet.into());
        let root = Root::below(directory.path().join("root"));
        let control_groups = directory.path().join("cgroup");
        let (fake, systemd) = FakeSystemd::start().await;
        for program in [LISTENER, WORKER] {
            let program = directory.path().join(program);
            fs::copy("/bin/sleep", &program).unwrap();
            fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let bed = Self {
            directory,
            fleet,
            root,
            control_groups,
            fake: RefCell::new(fake),
            systemd: RefCell::new(systemd),
            processes: RefCell::default(),
            github: RefCell::new(Ok(BTreeMap::new())),
            has_github: Cell::new(false),
            healer: RefCell::new(Some(Healer::Itself)),
        };
        for runner in &bed.fleet.runners {
            bed.bring_up(runner.number);
            files::write(&bed.root.at(&runner.paths.session()), b"online\nlistening\n", 0o644).unwrap();
            bed.begin(runner.number, LISTENER);
        }
        bed
    }

    fn fake(&self) -> FakeSystemd {
        self.fake.borrow().clone()
    }

    fn unit(number: u16) -> String {
        names::service(number)
    }

    /// systemd has the unit of `number` as active.
    fn bring_up(&self, number: u16) {
        let fake = self.fake.borrow();
        fake.unit(&Self::unit(number), Script::DONE);
        fake.properties(&Self::unit(number), |unit| {
            "active".clone_into(&mut unit.active_state);
            // Long before GitHub is asked for the first time.
            unit.active_enter = 1;
        });
    }

    /// Starts a process of that name in the control group of runner `number`.
    fn begin(&self, number: u16, name: &str) {
        let process = Command::new(self.directory.path().join(name)).arg("10000").spawn().unwrap();
        self.processes.borrow_mut().entry(number).or_default().push(process);
        let group = self.control_groups.join(names::slice_control_group(number));
        fs::create_dir_all(&group).unwrap();
        let ids: Vec<String> =
            self.processes.borrow()[&number].iter().map(|process| format!("{}\n", process.id())).collect();
        fs::write(group.join("cgroup.procs"), ids.concat()).unwrap();
        // Until the new program is there, it bears the name of this one.
        self.until(number, |stat| stat.contains(name));
    }

    /// The listener of runner `number` is stopped by a signal, or goes on.
    fn signal_listener(&self, number: u16, signal: Signal) {
        kill_process(Pid::from_child(&self.processes.borrow()[&number][0]), signal).unwrap();
        let is_stopped = signal == Signal::STOP;
        self.until(number, |stat| stat.contains(") T ") == is_stopped);
    }

    /// Waits for the kernel.
    fn until(&self, number: u16, is_so: impl Fn(&str) -> bool) {
        let begin = Instant::now();
        let stats = || {
            let ids: Vec<u32> = self.processes.borrow()[&number].iter().map(Child::id).collect();
            ids.iter().map(|id| fs::read_to_string(format!("/proc/{id}/stat")).unwrap()).collect::<String>()
        };
        while !is_so(&stats()) {
            assert!(begin.elapsed() < Duration::from_secs(20), "{}", stats());
            std::thread::yield_now();
        }
    }

    /// What GitHub says of runner 1, 2, … from now on.
    fn github_says(&self, seen: &[AtGithub]) {
        self.has_github.set(true);
        let named = self.fleet.runners.iter().zip(seen);
        *self.github.borrow_mut() = Ok(named.map(|(runner, seen)| (runner.name.clone(), *seen)).collect());
    }

    fn log(&self) -> Log {
        monitor::log(&self.root, &self.fleet.layout, false)
    }

    fn events(&self) -> Vec<Event> {
        monitor::events([&self.log()]).unwrap()
    }

    fn happened(&self) -> Vec<(Option<u16>, What)> {
        self.events().iter().map(|event| (event.runner, event.what)).collect()
    }

    fn journal(&self) -> Vec<String> {
        self.fake.borrow().journal()
    }

    fn host(&self) -> Host {
        Host {
            root: self.root.clone(),
            layout: self.fleet.layout.clone(),
            systemd: Some(self.systemd.borrow().clone()),
            control_groups: self.control_groups.clone(),
        }
    }

    /// Runs the monitor until `story` is over.
    async fn watch(&self, story: impl AsyncFnOnce(&mut Watching)) {
        let timing =
            Timing { look: Duration::from_secs(10), github: Duration::from_secs(60), heal_limit: HOUR };
        self.watch_with(timing, async || self.github.borrow().clone(), story).await;
    }

    async fn watch_with(
        &self,
        timing: Timing,
        github: impl AsyncFn() -> GithubAnswer,
        story: impl AsyncFnOnce(&mut Watching),
    ) {
        let turns = Cell::new(0_u32);
        let monitor = Monitor {
            runners: &self.fleet.runners,
            root: &self.root,
            log: self.log(),
            other_logs: Vec::new(),
            healer: self.healer.borrow().clone(),
            timing,
            connect: async || Ok(self.host()),
            github: self.has_github.get().then_some(github),
            alive: &|| turns.set(turns.get() + 1),
        };
        let (publish, snapshots) = watch::channel(Arc::new(Snapshot {
            time: jiff::Timestamp::now(),
            may_heal: true,
            runners: Vec::new(),
            events: Vec::new(),
        }));
        let mut watching = Watching(snapshots);
        tokio::select! {
            () = monitor.run(&publish) => panic!("the monitor has ended"),
            () = story(&mut watching) => {}
        }
        assert!(turns.get() > 0, "the watchdog was told nothing");
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        for process in self.processes.get_mut().values_mut().flatten() {
            drop(process.kill());
            drop(process.wait());
        }
    }
}

/// What the monitor publishes.
struct Watching(watch::Receiver<Arc<Snapshot>>);

impl Watching {
    /// Waits for a snapshot on which that is so.
    async fn until(&mut self, what: &str, is_so: impl Fn(&Snapshot) -> bool) {
        let seen = timeout(24 * HOUR, self.0.wait_for(|snapshot| is_so(snapshot))).await;
        let is_seen = seen.is_ok_and(|seen| seen.is_ok());
        assert!(is_seen, "{what}: {:#?}", self.0.borrow());
    }

    /// Waits until runner `number` has that verdict.
    async fn verdict(&mut self, number: u16, word: &str) {
        self.until(word, |snapshot| {
            snapshot.runner(number).is_some_and(|runner| runner.verdict.word() == word)
        })
        .await;
    }

    async fn healing(&mut self, number: u16) {
        self.until("it is restarted", |snapshot| {
            snapshot.runner(number).is_some_and(|runner| runner.healing)
        })
        .await;
    }
}
