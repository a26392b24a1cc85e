//! A runner as a plain service, systemd.service(5), for Podman and for Docker.

use super::syntax::UnitText;
use super::{Programs, container, launch};
use crate::config::Engine;
use crate::fleet::{Fleet, Runner, names};

/// The text of `homelab-runner@N.service`.
pub(super) fn render(fleet: &Fleet, runner: &Runner, programs: &Programs) -> String {
    let digest = launch::digest(fleet, runner, programs, &with_digest(fleet, runner, programs, ""));
    with_digest(fleet, runner, programs, &digest)
}

fn with_digest(fleet: &Fleet, runner: &Runner, programs: &Programs, digest: &str) -> String {
    let mut text = launch::unit_section(fleet, runner);
    text.section("Service");
    launch::service_lines(&mut text, fleet, runner, programs, digest);
    match fleet.engine {
        Engine::Podman => podman(&mut text, fleet, runner, programs),
        Engine::Docker => docker(&mut text, fleet, runner, programs),
    }
    text.finish()
}

/// As Quadlet would write it: conmon is the main process, and the container lives in the unit's own control group.
fn podman(text: &mut UnitText, fleet: &Fleet, runner: &Runner, programs: &Programs) {
    let engine = programs.engine.display().to_string();
    let mut run: Vec<String> = vec![engine.clone(), "run".to_owned()];
    run.extend(
        ["--replace", "--rm", "--detach", "--sdnotify=conmon", "--cgroups=split", "--log-driver=journald"]
            .map(str::to_owned),
    );
    run.extend(common_options(fleet, runner));
    if !container::is_confined(runner) {
        run.push("--security-opt=label=disable".to_owned());
    }
    run.extend(container::private_engine_options(fleet, runner));
    run.extend(image_and_command(runner));
    let remove = [&engine, "rm", "--volumes", "--force", "--ignore", &runner.name].map(ToString::to_string);
    text.plain("Type", "notify")
        .plain("NotifyAccess", "all")
        .plain("Delegate", "yes")
        .plain("KillMode", "mixed")
        .plain("Environment", "PODMAN_SYSTEMD_UNIT=%n")
        .command("ExecStart", "", &run)
        .command("ExecStop", "", &remove)
        .command("ExecStopPost", "-", &remove);
}

/// Docker's containers are children of its daemon: `--cgroup-parent` puts them into the runner's slice, where the limits are.
fn docker(text: &mut UnitText, fleet: &Fleet, runner: &Runner, programs: &Programs) {
    let engine = programs.engine.display().to_string();
    let mut run: Vec<String> = vec![engine.clone(), "run".to_owned(), "--rm".to_owned()];
    run.push(format!("--cgroup-parent={}", names::slice(runner.number)));
    // The journal has the output already; Docker's copy is kept small.
    run.extend(["--log-driver=local", "--log-opt=max-size=10m", "--log-opt=max-file=2"].map(str::to_owned));
    run.extend(common_options(fleet, runner));
    run.extend(container::private_engine_options(fleet, runner));
    run.extend(image_and_command(runner));
    let remove = [&engine, "rm", "--volumes", "--force", &runner.name].map(ToString::to_string);
    let stop = [&engine, "stop", &runner.name].map(ToString::to_string);
    let network =
        |verb: &str| [engine.as_str(), "network", verb, &names::network(runner.number)].map(str::to_owned);
    text.plain("Type", "exec");
    if fleet.holds_up_shutdown() {
        // Podman's units have more.
        text.plain("NotifyAccess", "exec");
    }
    text.command("ExecStartPre", "-", &remove);
    // Docker's networks do not reach each other; one that a power cut left is taken as it is.
    if container::has_own_network(fleet, runner) {
        text.command("ExecStartPre", "-", &network("create"));
    }
    text.command("ExecStart", "", &run).command("ExecStop", "-", &stop).command("ExecStopPost", "-", &remove);
    if container::has_own_network(fleet, runner) {
        text.command("ExecStopPost", "-", &network("rm"));
    }
}

/// Options that Podman and Docker spell alike.
fn common_options(fleet: &Fleet, runner: &Runner) -> Vec<String> {
    let [shell, _] = container::entrypoint();
    let health = fleet.health;
    let mut options = vec![
        format!("--name={}", runner.name),
        format!("--entrypoint={shell}"),
        container::PULL.to_owned(),
        container::NO_CORE.to_owned(),
        "--user=0".to_owned(),
        "--stop-signal=SIGINT".to_owned(),
        format!("--stop-timeout={}", fleet.timeouts.stop.as_secs()),
        format!("--health-cmd={}", container::health_command()),
        format!("--health-interval={}s", health.interval.as_secs()),
        format!("--health-timeout={}s", health.timeout.as_secs()),
        format!("--health-retries={}", health.retries),
        format!("--health-start-period={}s", health.start_period.as_secs()),
    ];
    options.extend(container::network(fleet, runner).map(|network| format!("--network={network}")));
    options.extend(fleet.extra_hosts.iter().map(|host| format!("--add-host={host}")));
    options.extend(
        container::environment(fleet, runner).iter().map(|(name, value)| format!("--env={name}={value}")),
    );
    options.extend(
        container::mounts(fleet, runner).iter().map(|mount| format!("--volume={}", mount.to_volume())),
    );
    options
}

fn image_and_command(runner: &Runner) -> [String; 2] {
    let [_, script] = container::entrypoint();
    [runner.image.to_string(), script]
}
