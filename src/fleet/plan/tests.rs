#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::path::Path;

use super::*;
use crate::config::{Config, UnitFormat};
use crate::fleet::{Fleet, FoundAccount, HostIds, Layout, ObservedRunner};
use crate::units::{Programs, render};

mod monitor;

/// Without the monitor, which knows of much that is in a config, unless the text speaks of it.
fn files(text: &str) -> Vec<UnitFile> {
    let no_monitor = if text.contains("[monitor]") { "" } else { "\n[monitor]\nenabled = false\n" };
    let text = format!("url = \"https://github.com/acme/shop\"\n{text}{no_monitor}");
    let config = Config::parse(&text).unwrap();
    let fleet = Fleet::new(&config, &Layout::system(), &UnitFormat::Quadlet.into());
    render(
        &fleet,
        &Programs {
            runnerctl: "/usr/bin/runnerctl".into(),
            engine: "/usr/bin/podman".into(),
            podman: "/usr/bin/podman".into(),
        },
    )
}

/// A host on which `files` are installed and all runners run.
fn installed(files: &[UnitFile]) -> Observed {
    let found = |file: &UnitFile| FoundFile::Ours { text: file.text.clone(), mode: file.mode };
    let runner = |file: &UnitFile| {
        let digest = digest_of(&file.text)?.to_owned();
        let runner =
            ObservedRunner { running: true, started_with: Some(digest), busy: false, drained: false };
        Some((names::runner_of(&file.name())?, runner))
    };
    Observed {
        files: files.iter().map(|file| (file.path.clone(), found(file))).collect(),
        runners: files.iter().filter_map(runner).collect(),
        enabled: true,
        target_active: true,
        companions_active: companions(files).collect(),
        ..Observed::default()
    }
}

/// The steps in short words.
fn words(plan: &Plan) -> Vec<String> {
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    plan.steps
        .iter()
        .map(|step| match step {
            Step::AddAccount(account) => format!("add {}", account.name()),
            Step::RemoveAccount(account) => format!("delete {}", account.name()),
            Step::Stop(unit) => format!("stop {unit}"),
            Step::Remove(path) => format!("remove {}", name(path)),
            Step::Write(file) => format!("write {}", file.name()),
            Step::Reload => "reload".to_owned(),
            Step::Enable(unit) => format!("enable {unit}"),
            Step::Disable(unit) => format!("disable {unit}"),
            Step::Start(units) => format!("start {}", units.join(" ")),
            Step::Restart(units) => format!("restart {}", units.join(" ")),
        })
        .collect()
}

#[test]
fn an_empty_host_gets_everything_and_starts_it_last() {
    let plan = Plan::install(&files("count = 2"), &Observed::default(), Permissions::default()).unwrap();
    assert_eq!(
        words(&plan),
        [
            "write entrypoint.sh",
            "write health.sh",
            "write job-started.sh",
            "write job-completed.sh",
            "write report.sh",
            "write reports.conf",
            "write engine.conf",
            "write homelab-runners.slice",
            "write homelab-runners-1.slice",
            "write homelab-runners-2.slice",
            "write homelab-runners-prune.service",
            "write homelab-runners-prune.timer",
            "write homelab-reports-prune.service",
            "write homelab-reports-prune.timer",
            "write homelab-reports.socket",
            "write homelab-reports.service",
            "write homelab-runners.target",
            "write homelab-runner-engine@1.socket",
            "write homelab-runner-engine@1.service",
            "write homelab-runner-engine@2.socket",
            "write homelab-runner-engine@2.service",
            "write homelab-runner@1.container",
            "write homelab-runner@2.container",
            "enable homelab-runners.target",
            "reload",
            "start homelab-runner@1.service homelab-runner@2.service homelab-runners-prune.timer homelab-reports-prune.timer homelab-reports.socket homelab-runners.target",
        ]
    );
}

#[test]
fn the_report_server_follows_its_files_and_its_socket_alone_is_restarted() {
    let observed = installed(&files(""));
    let steps = |text: &str, observed: &Observed| {
        words(&Plan::install(&files(text), observed, Permissions::default()).unwrap())
    };
    let restart = "restart homelab-reports.socket";
    let moved = "[reports]\nlisten = \"[::1]:9000\"";
    assert_eq!(
        steps(moved, &observed),
        ["write reports.conf", "write homelab-reports.socket", "reload", restart]
    );
    let tls = "[reports.tls]\ncertificate = \"/c\"\nkey = \"/k\"";
    assert_eq!(
        steps(tls, &observed),
        ["write reports.conf", "write homelab-reports.service", "reload", restart]
    );
    // A run that was cut off has written the files, and perhaps restarted nothing.
    let interrupted = Observed { interrupted: true, ..installed(&files(moved)) };
    assert_eq!(steps(moved, &interrupted), ["reload", restart]);
    let stopped = Observed { companions_active: BTreeSet::new(), ..installed(&files(moved)) };
    let start = "start homelab-runners-prune.timer homelab-reports-prune.timer homelab-reports.socket";
    assert_eq!(steps(moved, &stopped), [start]);
}

#[test]
fn a_report_server_that_is_no_longer_wanted_is_stopped_before_its_files_go() {
    let plan =
        Plan::install(&files("[reports]\nserve = false"), &installed(&files("")), Permissions::default());
    assert_eq!(
        words(&plan.unwrap()),
        [
            "stop homelab-reports.socket",
            "remove homelab-reports.service",
            "remove homelab-reports.socket",
            "write reports.conf",
            "write homelab-runners.target",
            "reload"
        ]
    );
}

#[test]
fn a_second_run_changes_nothing() {
    let files = files("");
    assert!(Plan::install(&files, &installed(&files), Permissions::default()).unwrap().is_empty());
}

#[test]
fn an_edit_restarts_only_the_runners_it_touches() {
    let observed = installed(&files(""));
    let plan =
        Plan::install(&files("[runners.3]\nlabels = [\"x\"]"), &observed, Permissions::default()).unwrap();
    assert_eq!(
        words(&plan),
        ["write homelab-runner@3.container", "reload", "restart homelab-runner@3.service"]
    );
}

#[test]
fn a_removed_runner_is_stopped_before_its_file_goes_and_systemd_forgets_it() {
    let observed = installed(&files("count = 2"));
    let plan = Plan::install(&files("count = 1"), &observed, Permissions::default()).unwrap();
    assert_eq!(
        words(&plan),
        [
            "stop homelab-runner@2.service",
            "stop homelab-runner-engine@2.socket",
            "stop homelab-runners-2.slice",
            "remove homelab-runner@2.container",
            "remove homelab-runner-engine@2.service",
            "remove homelab-runner-engine@2.socket",
            "remove homelab-runners-2.slice",
            "write homelab-runners.target",
            "reload",
        ]
    );
}

/// systemd keeps a slice that was started, whatever is in it and whether it has a file.
#[test]
fn the_slice_of_a_runner_that_has_ended_already_is_stopped_before_its_file_goes() {
    let two = files("count = 2\n");
    let mut observed = installed(&two);
    observed.runners.get_mut(&2).unwrap().running = false;
    let words = words(&Plan::install(&files("count = 1\n"), &observed, Permissions::default()).unwrap());
    let place = |word: &str| words.iter().position(|step| step == word);
    assert!(
        place("stop homelab-runners-2.slice").unwrap() < place("remove homelab-runners-2.slice").unwrap()
    );
    assert_eq!(place("stop homelab-runner@2.service"), None);
}

#[test]
fn a_runner_whose_file_moves_is_stopped_by_its_old_text() {
    let observed = installed(&files("count = 1"));
    let plan =
        Plan::install(&files("count = 1\nunit_format = \"service\""), &observed, Permissions::default())
            .unwrap();
    assert_eq!(
        words(&plan),
        [
            "stop homelab-runner@1.service",
            "remove homelab-runner@1.container",
            "write homelab-runner@1.service",
            "reload",
            "start homelab-runner@1.service",
        ]
    );
}

#[test]
fn a_timer_that_is_new_is_started_and_one_that_goes_is_stopped() {
    let (with, without) = (files("count = 1"), files("count = 1\n[prune]\nenabled = false"));
    let plan = Plan::install(&with, &installed(&without), Permissions::default()).unwrap();
    assert_eq!(
        words(&plan),
        [
            "write homelab-runners-prune.service",
            "write homelab-runners-prune.timer",
            "write homelab-runners.target",
            "reload",
            "start homelab-runners-prune.timer",
        ]
    );
    let plan = Plan::install(&without, &installed(&with), Permissions::default()).unwrap();
    assert_eq!(
        words(&plan),
        [
            "stop homelab-runners-prune.timer",
            "remove homelab-runners-prune.service",
            "remove homelab-runners-prune.timer",
            "write homelab-runners.target",
            "reload",
        ]
    );
}

#[test]
fn each_timer_comes_and_goes_alone() {
    let (with, without) = (files("count = 1"), files("count = 1\n[reports.retention]\nenabled = false"));
    let steps = |desired: &[UnitFile], observed: &[UnitFile]| {
        words(&Plan::install(desired, &installed(observed), Permissions::default()).unwrap())
    };
    assert_eq!(steps(&with, &without).last().unwrap(), "start homelab-reports-prune.timer");
    assert_eq!(steps(&without, &with)[0], "stop homelab-reports-prune.timer");
    assert!(!steps(&without, &with).iter().any(|step| step.contains("homelab-runners-prune")));
}

#[test]
fn a_busy_runner_gets_its_new_text_but_is_not_restarted_unless_forced() {
    let mut observed = installed(&files(""));
    observed.runners.get_mut(&3).unwrap().busy = true;
    let edited = files("[runners.3]\nlabels = [\"x\"]");
    let plan = Plan::install(&edited, &observed, Permissions::default()).unwrap();
    assert_eq!(words(&plan), ["write homelab-runner@3.container", "reload"]);
    assert_eq!(plan.held_back, [(3, HeldBack::Restart)]);
    let forced =
        Plan::install(&edited, &observed, Permissions { may_end: MayEnd::All, no_start: false }).unwrap();
    assert!(words(&forced).contains(&"restart homelab-runner@3.service".to_owned()));
}

#[test]
fn a_busy_runner_that_should_go_stays_whole() {
    let mut observed = installed(&files("count = 2"));
    observed.runners.get_mut(&2).unwrap().busy = true;
    let plan = Plan::install(&files("count = 1"), &observed, Permissions::default()).unwrap();
    assert_eq!(words(&plan), ["write homelab-runners.target", "reload"]);
    assert_eq!(plan.held_back, [(2, HeldBack::Removal)]);
    assert_eq!(Plan::uninstall(&observed, Permissions::default()).held_back, [(2, HeldBack::Removal)]);
    assert!(Plan::uninstall(&observed, Permissions::default()).is_empty());
}

#[test]
fn a_file_of_somebody_else_stops_everything() {
    let desired = files("");
    let mut observed = installed(&desired);
    let foreign = desired.iter().find(|file| file.name() == names::FLEET_SLICE).unwrap();
    observed.files.insert(foreign.path.clone(), FoundFile::Foreign);
    let error = Plan::install(&desired, &observed, Permissions::default()).unwrap_err();
    assert!(error.to_string().contains("exists and was not written by runnerctl"), "{error}");
    let removal = words(&Plan::uninstall(&observed, Permissions::default()));
    assert!(!removal.contains(&format!("remove {}", foreign.name())), "{removal:?}");
}

#[test]
fn an_interrupted_run_is_finished_by_the_next() {
    let desired = files("[runners.3]\nlabels = [\"x\"]");
    let mut observed = installed(&files(""));
    observed.files = installed(&desired).files;
    observed.interrupted = true;
    let plan = Plan::install(&desired, &observed, Permissions::default()).unwrap();
    assert_eq!(words(&plan), ["reload", "restart homelab-runner@3.service homelab-reports.socket"]);
}

#[test]
fn uninstalling_stops_then_removes_then_reloads_and_twice_is_nothing() {
    let plan = Plan::uninstall(&installed(&files("count = 1")), Permissions::default());
    let steps = words(&plan);
    assert_eq!(
        steps[..7],
        [
            "stop homelab-runners-prune.timer",
            "stop homelab-reports-prune.timer",
            "stop homelab-reports.socket",
            "stop homelab-runner@1.service",
            "disable homelab-runners.target",
            "stop homelab-runners.target",
            "stop homelab-runners.slice",
        ]
    );
    assert_eq!(steps.last().unwrap(), "reload");
    assert!(Plan::uninstall(&Observed::default(), Permissions::default()).is_empty());
}

fn account(number: u16) -> Account {
    Account { number, range: HostIds::default().allocate([number].into_iter())[&number] }
}

fn with_account(mut observed: Observed, account: Account, complete: bool, ours: bool) -> Observed {
    observed.accounts.insert(account.number, FoundAccount { range: Some(account.range), complete, ours });
    observed
}

#[test]
fn accounts_are_made_before_anything_that_needs_them_and_removed_after_it() {
    let wanted = [account(1), account(2)];
    let plan = Plan::install(&files("count = 2"), &Observed::default(), Permissions::default());
    let plan = plan.unwrap().with_accounts(&wanted, &Observed::default()).unwrap();
    assert_eq!(words(&plan)[..3], ["add homelab-runner-1", "add homelab-runner-2", "write entrypoint.sh"]);

    let two = installed(&files("count = 2"));
    let observed = with_account(with_account(two, account(1), true, true), account(2), true, true);
    let plan = Plan::install(&files("count = 1"), &observed, Permissions::default()).unwrap();
    let plan = plan.with_accounts(&wanted[..1], &observed).unwrap();
    assert_eq!(words(&plan).last().unwrap(), "delete homelab-runner-2");
    assert!(!words(&plan).iter().any(|word| word.starts_with("add")));
}

#[test]
fn an_account_that_was_cut_off_in_the_making_is_completed() {
    let files = files("count = 1");
    let observed = with_account(installed(&files), account(1), false, true);
    let plan = Plan::install(&files, &observed, Permissions::default()).unwrap();
    assert_eq!(words(&plan.with_accounts(&[account(1)], &observed).unwrap()), ["add homelab-runner-1"]);
}

#[test]
fn an_account_that_somebody_else_made_is_used_and_never_removed() {
    let files = files("count = 1");
    let observed = with_account(installed(&files), account(1), true, false);
    let plan = Plan::install(&files, &observed, Permissions::default()).unwrap();
    assert!(plan.with_accounts(&[account(1)], &observed).unwrap().is_empty());
    assert!(
        !words(&Plan::uninstall(&observed, Permissions::default()))
            .contains(&"delete homelab-runner-1".to_owned())
    );
}

#[test]
fn the_account_of_a_busy_runner_stays() {
    let mut observed = with_account(installed(&files("count = 2")), account(2), true, true);
    observed.runners.get_mut(&2).unwrap().busy = true;
    let plan = Plan::install(&files("count = 1"), &observed, Permissions::default()).unwrap();
    assert!(
        !words(&plan.with_accounts(&[], &observed).unwrap()).contains(&"delete homelab-runner-2".to_owned())
    );
    assert!(Plan::uninstall(&observed, Permissions::default()).is_empty());
}

#[test]
fn a_runner_that_loses_its_engine_is_stopped_with_its_socket_and_started_again() {
    let observed = installed(&files("count = 1"));
    let plan = Plan::install(&files("count = 1\nsocket = \"none\""), &observed, Permissions::default());
    let words = words(&plan.unwrap());
    assert!(words.contains(&"stop homelab-runner-engine@1.socket".to_owned()), "{words:?}");
    assert!(words.contains(&"remove homelab-runner-engine@1.service".to_owned()), "{words:?}");
    assert_eq!(words.last().unwrap(), "start homelab-runner@1.service");
}

#[test]
fn an_account_of_somebody_else_stops_everything() {
    let mut observed = Observed::default();
    observed.accounts.insert(1, FoundAccount { range: None, complete: false, ours: false });
    let plan = Plan::install(&files("count = 1"), &observed, Permissions::default()).unwrap();
    let error = plan.with_accounts(&[account(1)], &observed).unwrap_err();
    assert_eq!(error, ForeignAccounts(vec!["homelab-runner-1".to_owned()]));
}

#[test]
fn a_drained_runner_gets_its_new_text_and_is_not_started() {
    let old = files("count = 2");
    let mut observed = installed(&old);
    let drained = observed.runners.get_mut(&1).unwrap();
    (drained.drained, drained.running) = (true, false);
    assert!(Plan::install(&old, &observed, Permissions::default()).unwrap().is_empty());
    let plan =
        Plan::install(&files("count = 2\nlabels = [\"new\"]"), &observed, Permissions::default()).unwrap();
    let words = words(&plan);
    assert!(words.contains(&"write homelab-runner@1.container".to_owned()), "{words:?}");
    assert_eq!(words.last().unwrap(), "restart homelab-runner@2.service");
}

const NONE_THAT_RUNS: Permissions = Permissions { may_end: MayEnd::Stopped, no_start: false };

#[test]
fn what_runs_keeps_its_old_text_where_none_that_runs_may_be_ended_and_the_rest_is_written() {
    let observed = installed(&files("count = 2"));
    let edited = files("count = 3\n[runners.1]\nlabels = [\"x\"]");
    let plan = Plan::install(&edited, &observed, NONE_THAT_RUNS).unwrap();
    assert_eq!(plan.held_back, [(1, HeldBack::Restart)]);
    let steps = words(&plan);
    assert!(!steps.iter().any(|step| step.contains("@1")), "{steps:?}");
    assert!(steps.contains(&"write homelab-runner@3.container".to_owned()), "{steps:?}");
    assert_eq!(steps.last().unwrap(), "start homelab-runner@3.service");
}

#[test]
fn what_runs_and_should_go_stays_whole_with_its_account_where_none_that_runs_may_be_ended() {
    let observed = with_account(installed(&files("count = 2")), account(2), true, true);
    let plan = Plan::install(&files("count = 1"), &observed, NONE_THAT_RUNS).unwrap();
    let plan = plan.with_accounts(&[], &observed).unwrap();
    assert_eq!(words(&plan), ["write homelab-runners.target", "reload"]);
    assert_eq!(plan.held_back, [(2, HeldBack::Removal)]);
}

#[test]
fn a_runner_whose_file_moves_is_held_back_once_and_keeps_the_old_file_alone() {
    let observed = installed(&files("count = 1"));
    let moved = files("count = 1\nunit_format = \"service\"");
    let plan = Plan::install(&moved, &observed, NONE_THAT_RUNS).unwrap();
    assert!(plan.is_empty(), "{:?}", words(&plan));
    assert_eq!(plan.held_back, [(1, HeldBack::Removal)]);
}

#[test]
fn once_it_has_ended_a_runner_is_changed_and_left_to_be_started() {
    let mut observed = installed(&files("count = 2"));
    observed.runners.get_mut(&1).unwrap().running = false;
    let edited = files("count = 2\nlabels = [\"x\"]");
    let plan = Plan::install(&edited, &observed, Permissions { no_start: true, ..NONE_THAT_RUNS }).unwrap();
    assert_eq!(words(&plan), ["write homelab-runner@1.container", "reload"]);
    assert_eq!(plan.held_back, [(2, HeldBack::Restart)]);
}

#[test]
fn nothing_is_held_back_where_nothing_changes_or_nothing_runs() {
    let files = files("count = 2");
    let plan = Plan::install(&files, &installed(&files), NONE_THAT_RUNS).unwrap();
    assert!(plan.is_empty() && plan.held_back.is_empty(), "{:?}", plan.held_back);
    let first = Plan::install(&files, &Observed::default(), NONE_THAT_RUNS).unwrap();
    assert_eq!(first, Plan::install(&files, &Observed::default(), Permissions::default()).unwrap());
}
