//! The monitor's units: when they come, follow the config, and go.

use super::*;

const WITH: &str = "count = 1\n[monitor]\nenabled = true\n";

fn steps(text: &str, observed: &Observed) -> Vec<String> {
    words(&Plan::install(&files(text), observed, Permissions::default()).unwrap())
}

#[test]
fn the_monitor_comes_with_its_address_and_its_helper_and_is_started() {
    let without = installed(&files("count = 1"));
    assert_eq!(
        steps(WITH, &without),
        [
            "write homelab-runners-monitor.socket",
            "write homelab-runners-monitor.service",
            "write homelab-runners-heal.socket",
            "write homelab-runners-heal@.service",
            "write homelab-runners.target",
            "reload",
            "start homelab-runners-monitor.service homelab-runners-monitor.socket homelab-runners-heal.socket",
        ]
    );
}

#[test]
fn the_monitor_goes_whole_and_is_stopped_first() {
    let expected = [
        "stop homelab-runners-heal.socket",
        "stop homelab-runners-monitor.service",
        "stop homelab-runners-monitor.socket",
        "remove homelab-runners-heal.socket",
        "remove homelab-runners-heal@.service",
        "remove homelab-runners-monitor.service",
        "remove homelab-runners-monitor.socket",
        "write homelab-runners.target",
        "reload",
    ];
    assert_eq!(steps("count = 1\n[monitor]\nenabled = false\n", &installed(&files(WITH))), expected);
    let uninstalled = words(&Plan::uninstall(&installed(&files(WITH)), Permissions::default()));
    for step in expected.iter().filter(|step| step.contains("heal") || step.contains("monitor")) {
        assert!(uninstalled.contains(&(*step).to_owned()), "{step}: {uninstalled:?}");
    }
}

#[test]
fn the_monitor_is_restarted_when_what_it_knows_has_changed_and_no_runner_with_it() {
    let observed = installed(&files(WITH));
    let service = "write homelab-runners-monitor.service";
    let restart = "restart homelab-runners-monitor.service";
    for config in [
        "count = 1\n[monitor]\nenabled = true\ngithub_interval = \"2m\"\n",
        "count = 1\n[proxy]\nno_proxy = \"lan\"\n[monitor]\nenabled = true\n",
        "count = 1\n[runners.1]\nname = \"x\"\n[monitor]\nenabled = true\n",
    ] {
        let steps = steps(config, &observed);
        assert!(steps.contains(&service.to_owned()), "{steps:?}");
        assert!(
            steps
                .iter()
                .any(|step| step.starts_with("restart ") && step.contains("homelab-runners-monitor.service")),
            "{steps:?}"
        );
    }
    assert_eq!(
        steps("count = 1\n[monitor]\nenabled = true\ngithub_interval = \"2m\"\n", &observed),
        [service, "reload", restart]
    );
    let moved = "count = 1\n[monitor]\nenabled = true\nlisten = \"[::1]:9000\"\n";
    assert_eq!(steps(moved, &observed).last().unwrap(), &format!("{restart} homelab-runners-monitor.socket"));
    // What a workflow job may use, and how reports are kept, is nothing to the monitor.
    for config in [
        "count = 1\n[limits]\ncpu_quota = \"50%\"\n[monitor]\nenabled = true\n",
        "count = 1\n[reports]\nhooks = false\n[monitor]\nenabled = true\n",
    ] {
        assert!(!steps(config, &observed).contains(&service.to_owned()));
    }
}

#[test]
fn without_healing_the_helper_goes_and_the_monitor_stays() {
    let tells = "count = 1\n[monitor]\nenabled = true\nheal = false\n";
    assert_eq!(
        steps(tells, &installed(&files(WITH))),
        [
            "stop homelab-runners-heal.socket",
            "remove homelab-runners-heal.socket",
            "remove homelab-runners-heal@.service",
            "write homelab-runners-monitor.service",
            "reload",
            "restart homelab-runners-monitor.service",
        ]
    );
}

#[test]
fn a_cut_off_run_is_followed_by_a_restart_of_the_monitor() {
    let interrupted = Observed { interrupted: true, ..installed(&files(WITH)) };
    assert_eq!(
        steps(WITH, &interrupted),
        [
            "reload",
            "restart homelab-reports.socket homelab-runners-monitor.service homelab-runners-monitor.socket homelab-runners-heal.socket"
        ]
    );
}
