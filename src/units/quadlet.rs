//! A runner as a Quadlet file, podman-systemd.unit(5).
//!
//! Keys that Podman 4.9 (Ubuntu 24.04) does not know yet are given as `PodmanArgs=`, which every Quadlet takes.

use super::syntax::UnitText;
use super::{Programs, container, launch};
use crate::fleet::{Fleet, Runner};

/// The text of `homelab-runner@N.container`.
pub(super) fn render(fleet: &Fleet, runner: &Runner, programs: &Programs) -> String {
    let digest = launch::digest(fleet, runner, programs, &with_digest(fleet, runner, programs, ""));
    with_digest(fleet, runner, programs, &digest)
}

fn with_digest(fleet: &Fleet, runner: &Runner, programs: &Programs, digest: &str) -> String {
    let mut text = launch::unit_section(fleet, runner);
    container_section(&mut text, fleet, runner);
    text.section("Service");
    launch::service_lines(&mut text, fleet, runner, programs, digest);
    text.finish()
}

fn container_section(text: &mut UnitText, fleet: &Fleet, runner: &Runner) {
    text.section("Container").plain("ContainerName", &runner.name).plain("Image", &runner.image);
    let [shell, script] = container::entrypoint();
    text.command(
        "PodmanArgs",
        "",
        &[format!("--entrypoint={shell}"), container::PULL.to_owned(), container::NO_CORE.to_owned()],
    )
    .command("Exec", "", &[script])
    // The entrypoint needs root to hand the token over; it drops to `runner` before anything of GitHub's runs.
    .plain("User", "0")
    .plain("LogDriver", "journald");
    for (name, value) in container::environment(fleet, runner) {
        text.assignment("Environment", &name, &value);
    }
    for mount in container::mounts(fleet, runner) {
        text.plain("Volume", mount.to_volume());
    }
    if !container::is_confined(runner) {
        text.plain("SecurityLabelDisable", "true");
    }
    for option in container::private_engine_options(fleet, runner) {
        text.command("PodmanArgs", "", &[option]);
    }
    text.plain_if("Network", container::network(fleet, runner));
    for host in &fleet.extra_hosts {
        text.command("PodmanArgs", "", &[format!("--add-host={host}")]);
    }
    let health = fleet.health;
    text.plain("HealthCmd", container::health_command())
        .plain("HealthInterval", format!("{}s", health.interval.as_secs()))
        .plain("HealthTimeout", format!("{}s", health.timeout.as_secs()))
        .plain("HealthRetries", health.retries)
        .plain("HealthStartPeriod", format!("{}s", health.start_period.as_secs()))
        // Only SIGINT makes the runner cancel its workflow job in order and end its session at GitHub.
        .command(
            "PodmanArgs",
            "",
            &["--stop-signal=SIGINT".to_owned(), format!("--stop-timeout={}", fleet.timeouts.stop.as_secs())],
        );
}
