//! Ending runners without ending workflow jobs, on a systemd that lives in the test and with real processes in the place of `Runner.Worker`.

use std::process::Child;
use std::time::Duration;

use homelab_runners::apply::Host;
use homelab_runners::apply::drain::{Drain, Drained, News};
use homelab_runners::files::Root;
use homelab_runners::fleet::Layout;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::fake_systemd::{FakeSystemd, Script};
use crate::worker;

const UNIT: &str = "homelab-runner@1.service";

struct Bed {
    directory: TempDir,
    host: Host,
    systemd: FakeSystemd,
}

impl Bed {
    /// Runner 1 runs.
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (fake, systemd) = FakeSystemd::start().await;
        fake.unit(UNIT, Script::DONE);
        fake.properties(UNIT, |unit| "active".clone_into(&mut unit.active_state));
        let host = Host {
            root: Root::below(directory.path().join("root")),
            layout: Layout::system(),
            systemd: Some(systemd),
            control_groups: directory.path().join("cgroup"),
        };
        Self { directory, host, systemd: fake }
    }

    fn begin_workflow_job(&self) -> Child {
        worker::begin_workflow_job(self.directory.path(), &self.host, 1)
    }

    async fn drain(&self, deadline: Option<Instant>) -> (Drained, Vec<News>) {
        let drain = Drain {
            host: &self.host,
            systemd: self.host.systemd.as_ref().unwrap(),
            github: None,
            stop_limit: Duration::from_secs(60),
            deadline,
        };
        let mut news = Vec::new();
        let ended = drain.end(1, &mut |what| news.push(what)).await.unwrap();
        (ended, news)
    }

    fn is_stopped(&self) -> bool {
        self.systemd.journal().iter().any(|line| line.starts_with("StopUnit"))
    }
}

#[tokio::test(start_paused = true)]
async fn an_idle_runner_is_stopped_after_it_has_been_idle_for_a_while() {
    let bed = Bed::new().await;
    let begin = Instant::now();
    let (ended, news) = bed.drain(None).await;
    assert!(matches!(ended, Drained::Ended) && news.is_empty(), "{ended:?} {news:?}");
    assert!(begin.elapsed() >= Duration::from_secs(5), "{:?}", begin.elapsed());
    assert!(bed.is_stopped());
}

#[tokio::test(start_paused = true)]
async fn a_workflow_job_that_runs_is_waited_for_and_so_is_the_next_that_follows_at_once() {
    let bed = Bed::new().await;
    let mut first = bed.begin_workflow_job();
    let begin = Instant::now();
    let queue = async {
        sleep(Duration::from_secs(3600)).await;
        first.kill().unwrap();
        first.wait().unwrap();
        // The listener has the next one before the runner counts as idle.
        sleep(Duration::from_secs(4)).await;
        let mut second = bed.begin_workflow_job();
        sleep(Duration::from_secs(3600)).await;
        assert!(!bed.is_stopped());
        second.kill().unwrap();
        second.wait().unwrap();
    };
    let ((ended, news), ()) = tokio::join!(bed.drain(None), queue);
    assert!(matches!(ended, Drained::Ended), "{ended:?}");
    assert!(matches!(news.as_slice(), [News::Waits]), "{news:?}");
    assert!(begin.elapsed() >= Duration::from_secs(7204), "{:?}", begin.elapsed());
    assert!(bed.is_stopped());
}

#[tokio::test(start_paused = true)]
async fn a_workflow_job_that_outlives_the_time_limit_is_left_to_run() {
    let bed = Bed::new().await;
    let mut worker = bed.begin_workflow_job();
    let (ended, _) = bed.drain(Some(Instant::now() + Duration::from_secs(60))).await;
    worker.kill().unwrap();
    worker.wait().unwrap();
    assert!(matches!(ended, Drained::Busy), "{ended:?}");
    assert!(!bed.is_stopped());
}

#[tokio::test(start_paused = true)]
async fn a_time_limit_of_nothing_still_ends_an_idle_runner() {
    let bed = Bed::new().await;
    let (ended, _) = bed.drain(Some(Instant::now())).await;
    assert!(matches!(ended, Drained::Ended) && bed.is_stopped(), "{ended:?}");
}

#[tokio::test(start_paused = true)]
async fn a_runner_that_does_not_run_has_ended() {
    let bed = Bed::new().await;
    bed.systemd.properties(UNIT, |unit| "inactive".clone_into(&mut unit.active_state));
    let (ended, _) = bed.drain(None).await;
    assert!(matches!(ended, Drained::Ended) && !bed.is_stopped(), "{ended:?}");
}

#[tokio::test(start_paused = true)]
async fn a_unit_that_does_not_stop_is_told() {
    let bed = Bed::new().await;
    bed.systemd.unit(UNIT, Script::FAILED);
    bed.systemd.properties(UNIT, |unit| "active".clone_into(&mut unit.active_state));
    let (ended, _) = bed.drain(None).await;
    assert!(matches!(ended, Drained::Failed(_)), "{ended:?}");
}
