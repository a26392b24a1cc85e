//! `install-units` around running workflow jobs: what runs keeps its old unit until it is idle, and whatever ends the waiting leaves a fleet that works.

use std::process::Child;
use std::time::Duration;

use homelab_runners::apply::drain::{Drain, Drained, News};
use homelab_runners::apply::when_idle::{Changed, Spectator, WhenIdle};
use homelab_runners::apply::{self, Error, drain};
use homelab_runners::config::{Config, UnitFormat};
use homelab_runners::fleet::plan::{MayEnd, Permissions, Step};
use homelab_runners::fleet::{Fleet, Layout, Observed};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::fake_systemd::{Refusal, Script};
use crate::power_cut::bed::{Bed, Wish};
use crate::worker;

const LIMIT: Duration = Duration::from_secs(60);
const OLD: &str = "count = 3";
/// Runners 2 and 3 change, 1 does not.
const NEW: &str = "count = 3\n[runners.2]\nlabels = [\"x\"]\n[runners.3]\nlabels = [\"x\"]";
const FEWER: &str = "count = 2";

/// What a command has told meanwhile.
#[derive(Default)]
struct Told(usize);

impl Spectator for Told {
    fn news(&mut self, news: News) {
        self.0 += usize::from(matches!(news, News::Waits));
    }

    fn step(&mut self, _step: &Step) {}
}

struct Host {
    bed: Bed,
    programs: TempDir,
}

impl Host {
    /// Three runners run as `OLD` says.
    async fn new() -> Self {
        let bed = Bed::new().await;
        bed.complete(&Wish::from(Some(OLD))).await;
        Self { bed, programs: tempfile::tempdir().unwrap() }
    }

    fn begin_workflow_job(&self, number: u16) -> Child {
        worker::begin_workflow_job(self.programs.path(), &self.bed.host, number)
    }

    /// As the command does it; `None` if it is interrupted.
    async fn install(
        &self,
        config: &str,
        deadline: Option<Instant>,
        interrupt: impl Future<Output = ()>,
    ) -> Option<Vec<(u16, Changed, usize)>> {
        let (wish, host) = (Wish::from(Some(config)), &self.bed.host);
        let allowed = |no_start| Permissions { may_end: MayEnd::Stopped, no_start };
        let first = self.bed.plan_with(&wish, allowed(false)).await;
        apply::execute(&first, host, LIMIT, &mut |_| {}).await.unwrap();
        let plan = |observed: &Observed| Ok::<_, Error>(wish.plan(observed, allowed(true)));
        let systemd = host.systemd.as_ref().unwrap();
        let when_idle =
            WhenIdle::new(Drain { host, systemd, github: None, stop_limit: LIMIT, deadline }, &plan);
        let config = Config::parse(&format!("url = \"https://github.com/acme/shop\"\n{config}\n")).unwrap();
        let fleet = Fleet::new(&config, &Layout::system(), &UnitFormat::Quadlet.into());
        let each = first.held_back.iter().map(async |(number, _)| {
            let mut told = Told::default();
            let is_wanted = fleet.runner(*number).is_some();
            let changed = when_idle.change(*number, is_wanted, &mut told).await.unwrap();
            (*number, changed, told.0)
        });
        let all = futures_util::future::join_all(each);
        when_idle.unless(interrupt, std::future::pending(), all).await
    }

    async fn is(&self, config: &str) {
        sleep(LIMIT).await;
        self.bed.assert_is(&Wish::from(Some(config)), config).await;
    }
}

#[tokio::test(start_paused = true)]
async fn each_runner_is_changed_as_soon_as_it_is_idle_and_keeps_its_old_unit_until_then() {
    let host = Host::new().await;
    let (old, heard) = (host.bed.text(3), host.bed.fake.journal().len());
    let mut job = host.begin_workflow_job(3);
    let watch = async {
        sleep(Duration::from_secs(3600)).await;
        // The idle one has not waited for the busy one.
        assert!(host.bed.text(2).unwrap().contains("LABELS=x"));
        assert_eq!(host.bed.text(3), old);
        let journal = host.bed.fake.journal().split_off(heard);
        assert!(journal.contains(&"StartUnit homelab-runner@2.service replace".to_owned()), "{journal:?}");
        assert!(!journal.iter().any(|call| call.contains("@3") || call.contains("@1")), "{journal:?}");
        worker::end(&mut job);
    };
    let (done, ()) = tokio::join!(host.install(NEW, None, std::future::pending()), watch);
    let done = done.unwrap();
    assert!(done.iter().all(|(_, changed, _)| matches!(changed, Changed::Done(_))), "{done:?}");
    let waited: Vec<(u16, usize)> = done.iter().map(|(number, _, waits)| (*number, *waits)).collect();
    assert_eq!(waited, [(2, 0), (3, 1)], "who is waited for is told once");
    host.is(NEW).await;
    host.bed.assert_only_touched(&[2, 3], heard, "runner 1 has not changed");
}

#[tokio::test(start_paused = true)]
async fn a_busy_runner_that_is_to_go_works_until_it_is_idle_and_goes_then() {
    let host = Host::new().await;
    let mut job = host.begin_workflow_job(3);
    let watch = async {
        sleep(Duration::from_secs(3600)).await;
        assert!(host.bed.is_active(3) && host.bed.text(3).is_some());
        worker::end(&mut job);
    };
    let (done, ()) = tokio::join!(host.install(FEWER, None, std::future::pending()), watch);
    assert!(matches!(done.unwrap().as_slice(), [(3, Changed::Done(_), 1)]));
    host.is(FEWER).await;
}

#[tokio::test(start_paused = true)]
async fn a_workflow_job_that_outlives_the_time_limit_is_left_to_run_and_a_second_run_goes_on() {
    let host = Host::new().await;
    let old = host.bed.text(3);
    let mut job = host.begin_workflow_job(3);
    let deadline = Some(Instant::now() + Duration::from_secs(60));
    let done = host.install(NEW, deadline, std::future::pending()).await.unwrap();
    assert!(matches!(&done[1], (3, Changed::Left(Drained::Busy), _)), "{done:?}");
    assert!(host.bed.is_active(3) && host.bed.text(3) == old);
    worker::end(&mut job);
    host.install(NEW, None, std::future::pending()).await.unwrap();
    host.is(NEW).await;
}

#[tokio::test(start_paused = true)]
async fn an_interruption_leaves_what_waits_as_it_was_and_a_second_run_goes_on() {
    let host = Host::new().await;
    let old = host.bed.text(3);
    let mut job = host.begin_workflow_job(3);
    assert!(host.install(NEW, None, sleep(Duration::from_secs(60))).await.is_none());
    assert!(host.bed.text(2).unwrap().contains("LABELS=x") && host.bed.is_active(2));
    assert!(host.bed.text(3) == old && host.bed.is_active(3));
    assert!(!drain::is_marked(&host.bed.host.root, &host.bed.host.layout.runner(3)));
    worker::end(&mut job);
    host.install(NEW, None, std::future::pending()).await.unwrap();
    host.is(NEW).await;
}

/// At each tenth of a second while both are stopped, changed and started.
#[tokio::test(start_paused = true)]
async fn an_interruption_never_leaves_a_runner_stopped() {
    for tenths in 40..100 {
        let host = Host::new().await;
        let interrupted = host.install(NEW, None, sleep(Duration::from_millis(tenths * 100))).await.is_none();
        sleep(LIMIT).await;
        let runs = (1..=3).all(|number| host.bed.is_active(number));
        assert!(runs, "after {tenths} tenths of a second; interrupted: {interrupted}");
        host.install(NEW, None, std::future::pending()).await.unwrap();
        host.is(NEW).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_runner_that_does_not_stop_keeps_its_old_unit_and_keeps_no_other_from_changing() {
    let host = Host::new().await;
    let old = host.bed.text(3);
    host.bed.fake.unit("homelab-runner@3.service", Script::Refused(Refusal::ACCESS_DENIED));
    let done = host.install(NEW, None, std::future::pending()).await.unwrap();
    assert!(matches!(&done[0], (2, Changed::Done(_), _)), "{done:?}");
    assert!(matches!(&done[1], (3, Changed::Left(Drained::Failed(_)), _)), "{done:?}");
    assert_eq!(host.bed.text(3), old);
}

#[tokio::test(start_paused = true)]
async fn a_runner_that_somebody_drains_meanwhile_gets_its_new_unit_and_is_not_started() {
    let host = Host::new().await;
    let mut job = host.begin_workflow_job(3);
    let config = Config::parse("url = \"https://github.com/acme/shop\"\ncount = 3\n").unwrap();
    let fleet = Fleet::new(&config, &Layout::system(), &UnitFormat::Quadlet.into());
    let somebody = async {
        sleep(LIMIT).await;
        drain::mark(&host.bed.host, fleet.runner(3).unwrap()).unwrap();
        worker::end(&mut job);
    };
    let (done, ()) = tokio::join!(host.install(NEW, None, std::future::pending()), somebody);
    assert!(matches!(&done.unwrap()[1], (3, Changed::Done(_), 1)));
    assert!(host.bed.text(3).unwrap().contains("LABELS=x") && !host.bed.is_active(3));
}
