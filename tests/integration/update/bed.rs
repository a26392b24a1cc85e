//! A fleet of plain services: units in files, an engine that is a script, a systemd whose starts give containers the image that unit or drop-in names.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::Duration;

use homelab_runners::apply::drain::Drain;
use homelab_runners::apply::update::{End, News, Updater};
use homelab_runners::apply::{Error, Host};
use homelab_runners::config::{Config, UnitFormat};
use homelab_runners::files::Root;
use homelab_runners::fleet::{Fleet, Layout, Runner, names};
use homelab_runners::units::{self, Programs};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::fake_systemd::{FakeSystemd, HostSide, Script};
use crate::worker;

pub(super) const REFERENCE: &str = "registry.example/runner:stable";
pub(super) const OLD: &str = "old";
pub(super) const NEW: &str = "new";

pub(super) struct Bed {
    directory: TempDir,
    pub(super) host: Host,
    fleet: Fleet,
    systemd: FakeSystemd,
    interruption: RefCell<watch::Sender<bool>>,
    force: bool,
}

impl Bed {
    pub(super) async fn with_runners(count: u16) -> Self {
        Self::with_image(REFERENCE, count).await
    }

    /// So many runners, all online on the image [`OLD`].
    pub(super) async fn with_image(reference: &str, count: u16) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let config = format!(
            "url = \"https://github.com/acme/shop\"\ncount = {count}\nimage = \"{reference}\"\nsocket = \"none\"\nunit_format = \"service\"\n"
        );
        let fleet =
            Fleet::new(&Config::parse(&config).unwrap(), &Layout::system(), &UnitFormat::Service.into());
        let root = Root::below(directory.path().join("root"));
        let engine = Engine(directory.path().join("engine"));
        engine.make(reference);
        let programs = Programs {
            runnerctl: "/usr/bin/runnerctl".into(),
            engine: engine.program(),
            podman: engine.program(),
        };
        for file in units::render(&fleet, &programs) {
            write(&root.at(&file.path), &file.text);
        }
        let (fake, systemd) = FakeSystemd::start().await;
        let starts = Starts {
            root: root.clone(),
            engine: engine.clone(),
            runners: fleet.runners.clone(),
            loaded: BTreeMap::new(),
        };
        for runner in &fleet.runners {
            starts.run(runner, OLD);
            let path = fleet.layout.unit_dir.join(names::service(runner.number));
            let text = fs::read_to_string(root.at(&path)).unwrap();
            write(&root.at(&runner.paths.started_with), units::digest_of(&text).unwrap());
            fake.unit(&names::service(runner.number), Script::DONE);
            fake.properties(&names::service(runner.number), |unit| {
                "active".clone_into(&mut unit.active_state);
                unit.fragment_path = path.display().to_string();
            });
        }
        fake.on_host(starts);
        let host = Host {
            root,
            layout: fleet.layout.clone(),
            systemd: Some(systemd),
            control_groups: directory.path().join("cgroup"),
        };
        let interruption = RefCell::new(watch::channel(false).0);
        Self { directory, host, fleet, systemd: fake, interruption, force: false }
    }

    pub(super) fn forced(self) -> Self {
        Self { force: true, ..self }
    }

    /// For the next run.
    pub(super) fn again(&self) -> &Self {
        self.interruption.replace(watch::channel(false).0);
        self
    }

    fn engine(&self) -> Engine {
        Engine(self.directory.path().join("engine"))
    }

    /// The registry has this image from now on.
    pub(super) fn publish(&self, id: &str) {
        write(&self.engine().file("registry", REFERENCE), id);
    }

    /// As `podman build --tag` does.
    pub(super) fn build(&self, reference: &str, id: &str) {
        write(&self.engine().0.join("images").join(id), "");
        write(&self.engine().file("tags", reference), id);
    }

    pub(super) fn pulls_hang(&self) {
        write(&self.engine().0.join("hangs"), "");
    }

    pub(super) fn fails_for(&self, number: u16, id: &str) {
        write(&self.engine().0.join(format!("fails-{number}-{id}")), "");
    }

    pub(super) fn begin_workflow_job(&self, number: u16) -> Child {
        worker::begin_workflow_job(self.directory.path(), &self.host, number)
    }

    pub(super) fn interrupt(&self) {
        self.interruption.borrow().send_replace(true);
    }

    /// A runner's container ends, and its unit fails.
    pub(super) fn fall_over(&self, number: u16) {
        let runner = &self.fleet.runners[usize::from(number) - 1];
        fs::remove_file(self.engine().0.join("containers").join(&runner.name)).unwrap();
        write(&self.host.root.at(&runner.paths.session()), "failed\nthe listener ended with 9\n");
        self.systemd.properties(&names::service(number), |unit| "failed".clone_into(&mut unit.active_state));
    }

    pub(super) async fn update(&self) -> (Result<Option<End>, Error>, Vec<News>) {
        self.update_within(None).await
    }

    pub(super) async fn update_within(
        &self,
        limit: Option<Duration>,
    ) -> (Result<Option<End>, Error>, Vec<News>) {
        let engine = self.engine().program();
        let drain = Drain {
            host: &self.host,
            systemd: self.host.systemd.as_ref().unwrap(),
            github: None,
            stop_limit: Duration::from_secs(600),
            deadline: limit.map(|limit| Instant::now() + limit),
        };
        let interrupted = self.interruption.borrow().subscribe();
        let updater = Updater { drain, engine: &engine, force: self.force, interrupted };
        let runners: Vec<&Runner> = self.fleet.runners.iter().collect();
        let image = &self.fleet.runners[0].image;
        let mut news = Vec::new();
        let mut tell = |what| news.push(what);
        let end = async {
            let Some(update) = updater.pull(image, false, &mut tell).await? else { return Ok(None) };
            updater.roll(&update, image, &runners, &mut tell).await.map(Some)
        };
        (end.await, news)
    }

    pub(super) async fn reload(&self) {
        self.host.systemd.as_ref().unwrap().reload().await.unwrap();
    }

    /// What the runners' containers run, by number.
    pub(super) fn images(&self) -> Vec<String> {
        let of = |runner: &Runner| fs::read_to_string(self.engine().0.join("containers").join(&runner.name));
        self.fleet.runners.iter().map(|runner| of(runner).unwrap_or_default()).collect()
    }

    pub(super) fn meaning(&self, reference: &str) -> String {
        fs::read_to_string(self.engine().file("tags", reference)).unwrap().trim().to_owned()
    }

    pub(super) fn calls(&self) -> String {
        fs::read_to_string(self.engine().0.join("calls")).unwrap_or_default()
    }

    /// Waits until what was pulled has lost the name again. (The paused clock does not wait for the engine's process.)
    pub(super) async fn pulled(&self) {
        until("the name went back", || self.calls().contains(&format!("tag {OLD}"))).await;
    }

    pub(super) fn starts_and_stops(&self) -> Vec<String> {
        let journal = self.systemd.journal();
        let lines = journal.iter().filter(|line| line.contains("Unit homelab-runner@"));
        lines.map(|line| line.trim_end_matches(" replace").to_owned()).collect()
    }

    pub(super) fn has_drop_ins(&self) -> bool {
        let runtime = self.host.root.at(&self.host.layout.runtime_unit_dir);
        self.fleet
            .runners
            .iter()
            .any(|runner| runtime.join(names::drop_ins(runner.number)).join(names::TRIAL).exists())
    }
}

/// `engine.sh` with what it knows.
#[derive(Clone)]
struct Engine(PathBuf);

impl Engine {
    fn make(&self, reference: &str) {
        for directory in ["tags", "registry", "images", "containers"] {
            fs::create_dir_all(self.0.join(directory)).unwrap();
        }
        write(&self.file("tags", reference), OLD);
        write(&self.0.join("images").join(OLD), "");
        write(&self.program(), include_str!("engine.sh"));
        fs::set_permissions(self.program(), fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn program(&self) -> PathBuf {
        self.0.join("podman")
    }

    fn file(&self, kind: &str, reference: &str) -> PathBuf {
        self.0.join(kind).join(reference.replace(['/', ':'], "_"))
    }
}

/// What happens on the host when systemd starts a runner.
struct Starts {
    root: Root,
    engine: Engine,
    runners: Vec<Runner>,
    /// Drop-ins, as systemd has read them.
    loaded: BTreeMap<String, String>,
}

impl Starts {
    fn runner(&self, unit: &str) -> &Runner {
        let number = names::runner_of(unit).unwrap();
        self.runners.iter().find(|runner| runner.number == number).unwrap()
    }

    fn image(&self, unit: &str) -> String {
        let reference = self.runner(unit).image.to_string();
        let tag = || fs::read_to_string(self.engine.file("tags", &reference)).unwrap().trim().to_owned();
        self.loaded.get(unit).cloned().unwrap_or_else(tag)
    }

    fn run(&self, runner: &Runner, id: &str) {
        write(&self.engine.0.join("containers").join(&runner.name), id);
        write(&self.root.at(&runner.paths.session()), "online\nlistening\n");
    }
}

impl HostSide for Starts {
    fn reload(&mut self) -> BTreeSet<String> {
        self.loaded.clear();
        let names: Vec<String> = self.runners.iter().map(|runner| names::service(runner.number)).collect();
        for name in &names {
            let directory = Path::new("/run/systemd/system").join(format!("{name}.d"));
            let Ok(text) = fs::read_to_string(self.root.at(&directory).join(names::TRIAL)) else { continue };
            let command = text.lines().last().unwrap();
            let id = command.rsplit(' ').nth(1).unwrap();
            self.loaded.insert(name.clone(), id.to_owned());
        }
        names.into_iter().collect()
    }

    fn can_load(&self, _unit: &str) -> bool {
        true
    }

    fn fails(&self, unit: &str) -> bool {
        let number = self.runner(unit).number;
        let id = self.image(unit);
        id == "bad" || self.engine.0.join(format!("fails-{number}-{id}")).exists()
    }

    fn start(&mut self, unit: &str) {
        let (runner, id) = (self.runner(unit), self.image(unit));
        if self.fails(unit) {
            drop(fs::remove_file(self.engine.0.join("containers").join(&runner.name)));
            write(&self.root.at(&runner.paths.session()), "failed\nthe listener ended with 9\n");
        } else {
            self.run(runner, &id);
        }
    }
}

/// Waits, for half a minute of real time: engines are processes, whatever the clock of the test says.
pub(super) async fn until(what: &str, is_so: impl Fn() -> bool) {
    let begin = std::time::Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < Duration::from_secs(30), "waited in vain: {what}");
        sleep(Duration::from_millis(100)).await;
    }
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}
