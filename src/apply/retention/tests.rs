#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::time::Duration;

use super::*;
use crate::config::DiskSize;

/// Three runs that ended, the oldest with the lowest number, and a plan by which only the newest stays.
struct Bed {
    top: tempfile::TempDir,
    reports: Reports,
    plan: RetentionPlan,
}

const ONE: Retention = Retention {
    enabled: true,
    interval: Duration::from_secs(600),
    max_age: Duration::from_secs(86_400 * 90),
    runs_max: 1,
    workflow_max: DiskSize::None,
    total_max: DiskSize::None,
};

impl Bed {
    fn new() -> Self {
        let top = tempfile::tempdir().unwrap();
        for number in 1..=3 {
            let label = format!("{{\"finished\":\"2026-01-0{number}T00:00:00Z\"}}");
            write(&top, &format!("ci/{number}/1-test/.runnerctl/finished.json"), &label);
        }
        let mut reports = Reports::open(top.path()).unwrap().unwrap();
        let plan =
            RetentionPlan::new(&reports.measure(Timestamp::now()).unwrap().held, &ONE, Timestamp::now());
        assert_eq!(plan.removals.len(), 2);
        Self { top, reports, plan }
    }

    fn prune(&mut self) -> Pruned {
        let (own, _lock) = self.reports.own().unwrap();
        self.reports.prune(&self.plan, &own, Timestamp::now()).unwrap()
    }
}

fn write(top: &tempfile::TempDir, path: &str, text: &str) {
    let path = top.path().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

#[test]
fn a_workflow_job_that_begins_in_an_old_run_after_the_plan_was_made_loses_nothing() {
    let of_a_rerun: [fn(&tempfile::TempDir); 3] = [
        |top| fs::create_dir(top.path().join("ci/1/2-test")).unwrap(),
        |top| write(top, "ci/1/2-test/.runnerctl/started.json", "{\"run_attempt\":\"2\"}"),
        |top| write(top, "ci/1/1-test/late.png", "x"),
    ];
    for begin in of_a_rerun {
        let mut bed = Bed::new();
        begin(&bed.top);
        let pruned = bed.prune();
        let names = |held: &[Held]| held.iter().map(words).collect::<Vec<_>>();
        assert_eq!(names(&pruned.changed), ["\"ci/1\""]);
        assert_eq!(
            pruned.removed.iter().map(|removal| words(&removal.held)).collect::<Vec<_>>(),
            ["\"ci/2\""]
        );
        assert!(bed.top.path().join("ci/1/1-test").exists() && !bed.top.path().join("ci/2").exists());
    }
}

#[test]
fn what_is_gone_or_became_a_link_after_the_plan_was_made_leads_nowhere() {
    let mut bed = Bed::new();
    let outside = tempfile::tempdir().unwrap();
    write(&outside, "1/precious", "x");
    fs::remove_dir_all(bed.top.path().join("ci")).unwrap();
    std::os::unix::fs::symlink(outside.path(), bed.top.path().join("ci")).unwrap();
    let pruned = bed.prune();
    assert!(pruned.removed.is_empty() && pruned.problems.is_empty(), "{pruned:?}");
    assert!(outside.path().join("1/precious").exists());
}

#[test]
fn the_reports_are_found_behind_a_link_that_the_config_names() {
    let bed = Bed::new();
    let link = bed.top.path().with_extension("link");
    std::os::unix::fs::symlink(bed.top.path(), &link).unwrap();
    let found = Reports::open(&link).unwrap().unwrap().measure(Timestamp::now()).unwrap();
    fs::remove_file(&link).unwrap();
    assert_eq!(found.held.len(), 3);
    assert!(Reports::open(Path::new("/nonexistent/reports")).unwrap().is_none());
}

/// On a thread that is not root: root can read everything.
fn as_nobody<T: Send>(what: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let nobody = scope.spawn(|| {
            let nobody = rustix::fs::Uid::from_raw(65534);
            if rustix::process::geteuid().is_root() {
                rustix::thread::set_thread_res_uid(nobody, nobody, nobody).unwrap();
            }
            what()
        });
        nobody.join().unwrap()
    })
}

#[test]
fn a_run_that_cannot_be_read_is_no_junk_and_is_told() {
    use std::os::unix::fs::PermissionsExt as _;
    let bed = Bed::new();
    fs::set_permissions(bed.top.path(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(bed.top.path().join("ci/2"), fs::Permissions::from_mode(0o000)).unwrap();
    let found = as_nobody(|| {
        let mut reports = Reports::open(bed.top.path()).unwrap().unwrap();
        reports.measure(Timestamp::now()).unwrap()
    });
    assert_eq!(found.held.iter().map(words).collect::<Vec<_>>(), ["\"ci/1\"", "\"ci/3\""]);
    assert!(
        found.problems.iter().any(|problem| problem.contains("cannot read \"ci/2\"")),
        "{:?}",
        found.problems
    );
}
