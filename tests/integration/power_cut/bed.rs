//! A host of files and a fake systemd on which plans are carried out, wholly or in part.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use homelab_runners::apply::{self, Host};
use homelab_runners::config::{Config, UnitFormat};
use homelab_runners::files::Root;
use homelab_runners::fleet::plan::{Permissions, Step};
use homelab_runners::fleet::{Fleet, Layout, Observed, Plan, names};
use homelab_runners::runner::SCRIPTS;
use homelab_runners::units::{Programs, UnitFile, digest_of, render};
use tempfile::TempDir;

use crate::fake_systemd::{FakeSystemd, HostSide};
use crate::golden::files_below;

const LIMIT: Duration = Duration::from_secs(60);

/// The prefix of temporary files.
const TEMPORARY: &str = ".runnerctl-";

/// When the power goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Before this step is taken.
    Before(usize),
    /// When systemd has heard of this step, and before it has answered.
    During(usize),
}

/// What the host shall look like: the files of a fleet, or nothing of ours.
pub(crate) enum Wish {
    Fleet(Vec<UnitFile>),
    Nothing,
}

impl From<Option<&str>> for Wish {
    fn from(config: Option<&str>) -> Self {
        let Some(config) = config else { return Self::Nothing };
        let config = Config::parse(&format!("url = \"https://github.com/acme/shop\"\n{config}\n")).unwrap();
        let fleet = Fleet::new(&config, &Layout::system(), &UnitFormat::Quadlet.into());
        let programs = Programs {
            runnerctl: "/usr/bin/runnerctl".into(),
            engine: "/usr/bin/podman".into(),
            podman: "/usr/bin/podman".into(),
        };
        Self::Fleet(render(&fleet, &programs))
    }
}

impl Wish {
    fn files(&self) -> &[UnitFile] {
        match self {
            Self::Fleet(files) => files,
            Self::Nothing => &[],
        }
    }

    /// From what is to this.
    pub(crate) fn plan(&self, observed: &Observed, allowed: Permissions) -> Plan {
        match self {
            Self::Fleet(files) => Plan::install(files, observed, allowed).unwrap(),
            Self::Nothing => Plan::uninstall(observed, allowed),
        }
    }

    /// Digest of each runner's text.
    fn digests(&self) -> BTreeMap<u16, String> {
        let digest =
            |file: &UnitFile| Some((names::runner_of(&file.name())?, digest_of(&file.text)?.to_owned()));
        self.files().iter().filter_map(digest).collect()
    }
}

pub(crate) struct Bed {
    root: TempDir,
    _control_groups: TempDir,
    pub(crate) host: Host,
    pub(crate) fake: FakeSystemd,
}

impl Bed {
    pub(crate) async fn new() -> Self {
        // In memory, where there is such a place: these tests wait for a disk some thousand times.
        let root = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let control_groups = tempfile::tempdir().unwrap();
        let (fake, systemd) = FakeSystemd::start().await;
        fake.on_host(Disk { root: root.path().to_owned(), loaded: BTreeMap::new() });
        let host = Host {
            root: Root::below(root.path().to_owned()),
            layout: Layout::system(),
            systemd: Some(systemd),
            control_groups: control_groups.path().to_owned(),
        };
        Self { root, _control_groups: control_groups, host, fake }
    }

    /// What a run would do, after it has cleared away what a killed one left.
    pub(crate) async fn plan(&self, wish: &Wish) -> Plan {
        self.plan_with(wish, Permissions::default()).await
    }

    /// The same for one that may do something else.
    pub(crate) async fn plan_with(&self, wish: &Wish, allowed: Permissions) -> Plan {
        apply::sweep(&self.host).unwrap();
        wish.plan(&apply::observe(&self.host).await.unwrap(), allowed)
    }

    /// A run that nothing disturbs, and the end of all systemd jobs, of earlier runs as well.
    pub(crate) async fn complete(&self, wish: &Wish) {
        let plan = self.plan(wish).await;
        apply::execute(&plan, &self.host, LIMIT, &mut |_| {}).await.unwrap();
        // The time of these tests is virtual.
        tokio::time::sleep(LIMIT).await;
    }

    /// A run that ends like a killed process: nothing of it is told that it ends.
    pub(crate) async fn execute_until(&self, plan: &Plan, cut: Cut) {
        let mut step = 0;
        let heard = std::cell::Cell::new(None);
        let mut before = |next: &Step| {
            match cut {
                Cut::Before(at) if at == step => {
                    self.leave_half_of(next);
                    // Unlike a panic this prints nothing.
                    resume_unwind(Box::new(()));
                }
                Cut::During(at) if at == step => heard.set(Some(self.fake.journal().len())),
                _ => {}
            }
            step += 1;
        };
        let mut run = pin!(apply::execute(plan, &self.host, LIMIT, &mut before));
        let ended = std::future::poll_fn(|context| {
            if heard.get().is_some_and(|heard| self.fake.journal().len() > heard) {
                return Poll::Ready(None);
            }
            match catch_unwind(AssertUnwindSafe(|| run.as_mut().poll(context))) {
                Ok(poll) => poll.map(Some),
                Err(_) => Poll::Ready(None),
            }
        });
        let ended = ended.await;
        assert!(ended.is_none(), "{cut:?} did not come: {:?}", ended.unwrap());
    }

    /// The temporary file of a write that the kernel had done half of.
    fn leave_half_of(&self, step: &Step) {
        let Step::Write(file) = step else { return };
        let directory = self.host.root.at(file.path.parent().unwrap());
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join(format!("{TEMPORARY}a1b2c3")), &file.text.as_bytes()[..file.text.len() / 2])
            .unwrap();
    }

    /// What a run leaves that is cut off after its last step.
    pub(crate) fn leave_mark(&self) {
        fs::write(self.root.path().join("var/lib/homelab-runners/unfinished"), "").unwrap();
    }

    /// The text of runner `number`'s Quadlet file; `None` where there is none.
    pub(crate) fn text(&self, number: u16) -> Option<String> {
        let name = format!("etc/containers/systemd/homelab-runner@{number}.container");
        fs::read_to_string(self.root.path().join(name)).ok()
    }

    /// Another name for the file that stands at `path` now.
    pub(crate) fn link_to(&self, path: &str) -> PathBuf {
        let link = self.root.path().join("link");
        fs::hard_link(self.root.path().join(path), &link).unwrap();
        link
    }

    /// Every unit and script is wholly one of those of `wishes`.
    #[track_caller]
    pub(crate) fn assert_files_are_whole(&self, wishes: &[&Wish], told: &str) {
        for (path, (_, text)) in files_below(self.root.path()) {
            let name = path.file_name().unwrap().to_str().unwrap();
            let path = Path::new("/").join(&path);
            let is_unit_or_script =
                names::is_unit_file(name) || SCRIPTS.iter().any(|(script, _)| *script == name);
            let mut files = wishes.iter().flat_map(|wish| wish.files());
            let is_whole = files.any(|file| file.path == path && file.text == text);
            assert!(is_whole || !is_unit_or_script, "{told}: {} is\n{text}", path.display());
        }
    }

    /// The host is as wished: its files and no others, each runner up with its own text, nothing left over.
    pub(crate) async fn assert_is(&self, wish: &Wish, told: &str) {
        let mut found: BTreeMap<PathBuf, String> = BTreeMap::new();
        for (path, (_, text)) in files_below(self.root.path()) {
            if !path.starts_with("run") {
                found.insert(Path::new("/").join(path), text);
            }
        }
        let wanted = wish.files().iter().map(|file| (file.path.clone(), file.text.clone())).collect();
        assert!(found == wanted, "{told}: found {:?}", found.keys());
        let observed = apply::observe(&self.host).await.unwrap();
        let digests = wish.digests();
        let running: BTreeMap<u16, String> = observed
            .runners
            .iter()
            .filter(|(_, runner)| runner.running)
            .map(|(number, runner)| (*number, runner.started_with.clone().unwrap()))
            .collect();
        assert_eq!(running, digests, "{told}");
        assert!(digests.keys().all(|number| self.is_active(*number)), "{told}");
        let is_fleet = matches!(wish, Wish::Fleet(_));
        assert_eq!((observed.enabled, observed.target_active), (is_fleet, is_fleet), "{told}");
        let known: BTreeSet<u16> = observed.runners.into_keys().collect();
        assert_eq!(known, digests.into_keys().collect(), "{told}: systemd knows others");
    }

    pub(crate) fn is_active(&self, number: u16) -> bool {
        self.fake.properties(&names::service(number), |unit| unit.active_state == "active")
    }

    /// Of what systemd heard after the first `heard` calls, nothing ends a runner that is not `touched`.
    #[track_caller]
    pub(crate) fn assert_only_touched(&self, touched: &[u16], heard: usize, told: &str) {
        for call in &self.fake.journal()[heard..] {
            let mut words = call.split(' ');
            let is_end = matches!(words.next(), Some("StopUnit" | "RestartUnit"));
            let number = words.next().and_then(names::runner_of);
            assert!(!is_end || number.is_none_or(|number| touched.contains(&number)), "{told}: {call}");
        }
    }
}

/// The host as the fake systemd sees it.
struct Disk {
    root: PathBuf,
    /// Units as of the last reload, and the digest in each one's text.
    loaded: BTreeMap<String, Option<String>>,
}

impl HostSide for Disk {
    fn reload(&mut self) -> BTreeSet<String> {
        self.loaded.clear();
        // A unit of the administrator's goes before a generated one of the same name: systemd.unit(5).
        for directory in ["etc/containers/systemd", "etc/systemd/system"] {
            for (path, (_, text)) in files_below(&self.root.join(directory)) {
                let name = path.to_str().unwrap().replace(".container", ".service");
                if !name.starts_with(TEMPORARY) {
                    self.loaded.insert(name, digest_of(&text).map(str::to_owned));
                }
            }
        }
        self.loaded.keys().cloned().collect()
    }

    fn can_load(&self, unit: &str) -> bool {
        // A slice needs no file; what a generator wrote stays until the next reload.
        let is_a = |kind: &str| Path::new(unit).extension().is_some_and(|end| end == kind);
        let is_generated = is_a("service") && self.loaded.contains_key(unit);
        is_a("slice") || is_generated || self.root.join("etc/systemd/system").join(unit).exists()
    }

    fn start(&mut self, unit: &str) {
        let Some(number) = names::runner_of(unit) else { return };
        let digest = self.loaded[unit].clone().unwrap();
        let directory = self.root.join(format!("run/homelab-runners/{number}"));
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join("started-with"), digest).unwrap();
    }
}
