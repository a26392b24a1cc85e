//! How systemd treats a runner, the same for a Quadlet file and a plain service: `[Unit]`, and most of `[Service]`.

use super::syntax::UnitText;
use super::{MARKER, Programs, container, engine, hardening};
use crate::config::{Engine, Limits, SocketMode};
use crate::fleet::{Fleet, IdRange, Runner, Scope, names};
use crate::runner::{self, RunnerExit};

/// Option of `unit-step prepare` that carries the digest.
pub(super) const DIGEST_OPTION: &str = "--unit-digest=";

/// What a switch of NixOS is told by what it has changed in a service: leave it. A running workflow job would be ended; `runnerctl roll` restarts it when it is idle. systemd
/// itself passes over such keys, systemd.syntax(7).
pub(super) const LEFT_BY_SWITCH: (&str, &str) = ("X-RestartIfChanged", "false");

/// The beginning of every runner's file.
pub(super) fn unit_section(fleet: &Fleet, runner: &Runner) -> UnitText {
    let mut text = UnitText::with_comment(&[MARKER.trim_start_matches("# ")]);
    text.section("Unit")
        .text("Description", &format!("GitHub Actions runner {}", runner.name))
        .plain("Documentation", "man:runnerctl(1)")
        .plain("PartOf", names::TARGET);
    if runner.ids.is_some() {
        // The container holds the directory of the socket, and a workflow may speak to it at once.
        let socket = names::engine_socket(runner.number);
        text.plain("Requires", &socket).plain("After", &socket);
    }
    let needed = needed_units(fleet, runner);
    if !needed.is_empty() {
        text.plain("Wants", needed.join(" ")).plain("After", needed.join(" "));
    }
    // `runnerctl drain` outlives a reboot.
    text.text("ConditionPathExists", &format!("!{}", runner.paths.drained.display()));
    // Restarts are spaced out instead of counted: a fleet has to survive a night without a network.
    text.plain("StartLimitIntervalSec", 0);
    text
}

/// Units that should be up first. A user's systemd has no network target; Quadlet waits for the network there by itself.
fn needed_units(fleet: &Fleet, runner: &Runner) -> Vec<&'static str> {
    let mut units = Vec::new();
    if fleet.holds_up_shutdown() {
        // The bus outlives the step that asks systemd whether the host is going down.
        units.push("dbus.service");
    }
    if fleet.layout.scope == Scope::System {
        units.push("network-online.target");
    }
    match fleet.engine {
        Engine::Docker => units.push("docker.service"),
        Engine::Podman if runner.socket == SocketMode::Host => units.push("podman.socket"),
        Engine::Podman => {}
    }
    units
}

/// What both formats put into `[Service]`. `unit` is the digest of the rest of the file, see [`digest`].
pub(super) fn service_lines(
    text: &mut UnitText,
    fleet: &Fleet,
    runner: &Runner,
    programs: &Programs,
    unit: &str,
) {
    let stop = fleet.timeouts.stop.as_secs();
    text.plain(LEFT_BY_SWITCH.0, LEFT_BY_SWITCH.1).plain("Slice", names::slice(runner.number));
    limits(text, &runner.limits);
    if fleet.hands_over_credential() {
        credential(text, fleet);
    }
    // What the steps hold is a credential; the container has its own limit, since Docker's is not a child of this unit.
    text.plain("LimitCORE", 0);
    // A workflow job that is killed for its memory must not take the runner with it.
    text.plain("OOMPolicy", "continue").command("ExecStartPre", "", &prepare(fleet, runner, programs, unit));
    if let Some(ids) = runner.ids {
        text.command("ExecStartPost", "", &attach_engine(fleet, runner, programs, ids)).command(
            "ExecStopPost",
            "-",
            &unit_step(runner, programs, "detach-engine"),
        );
    }
    if runner.ephemeral {
        text.command("ExecStopPost", "-", &end_registration(fleet, runner, programs));
    }
    text.command("ExecStartPost", "", &await_online(runner, programs));
    if fleet.holds_up_shutdown() {
        // The engine's own ExecStop= comes after it, whatever becomes of it.
        text.command("ExecStop", "-", &await_workflow_job(fleet, runner, programs));
    }
    text.plain("Restart", "always");
    restarts(text, runner);
    text.plain("RestartPreventExitStatus", codes(RunnerExit::restart_prevented(fleet.github.has_api())))
        .plain("TimeoutStartSec", format!("{}s", fleet.timeouts.start.as_secs()))
        // Longer than the engine's own limit, so that it is the engine that gives up first. At a shutdown the step that waits has it extended.
        .plain("TimeoutStopSec", format!("{}s", stop + 30));
    // A user's systemd cannot take rights away, and what it can do implies NoNewPrivileges=, with which newuidmap(1) fails.
    if fleet.layout.scope == Scope::System {
        hardening::of_runner(text);
    }
}

fn restarts(text: &mut UnitText, runner: &Runner) {
    if runner.ephemeral {
        // The end of a workflow job is the normal case. Who had none is slowed down by `prepare`, which can tell the two apart.
        text.plain("RestartSec", "100ms");
        return;
    }
    // 5 s, then in four steps up to 30 s (systemd ≥ 254; older ones stay at 5 s).
    text.plain("RestartSec", "5s").plain("RestartSteps", 4).plain("RestartMaxDelaySec", "30s");
}

/// A registered runner starts without a token, so without the file as well: then the credential is an empty comment, since systemd has no empty one.
pub(super) fn credential(text: &mut UnitText, fleet: &Fleet) {
    let (name, file) = if fleet.github.has_api() {
        (names::GITHUB_CREDENTIAL, &fleet.layout.credential_file)
    } else {
        (names::CREDENTIAL, &fleet.layout.tokens)
    };
    let key = if fleet.github.encrypted { "LoadCredentialEncrypted" } else { "LoadCredential" };
    text.text(key, &format!("{name}:{}", file.display())).plain("SetCredential", format!("{name}:#"));
}

/// `CPUQuota=`, `MemoryMax=` and the like.
pub(super) fn limits(text: &mut UnitText, limits: &Limits) {
    text.plain_if("CPUQuota", limits.cpu_quota)
        .plain_if("MemoryMax", limits.memory_max)
        .plain_if("MemoryHigh", limits.memory_high)
        .plain_if("TasksMax", limits.tasks_max)
        .plain_if("IOWeight", limits.io_weight);
}

/// Tells one text from another, the scripts that the container runs and its private engine included: the unit hands it to `unit-step prepare`, which notes it down, so that
/// `install-units` knows with which text a running unit was started.
pub(super) fn digest(fleet: &Fleet, runner: &Runner, programs: &Programs, text: &str) -> String {
    let engine = runner.ids.map_or_else(String::new, |_| {
        [engine::service(fleet, runner, programs), engine::socket(runner)].concat()
    });
    let scripts = runner::SCRIPTS.map(|(_, source)| source).concat();
    runner::digest(&[text, &scripts, &engine, engine::CONFIG].concat())
}

fn prepare(fleet: &Fleet, runner: &Runner, programs: &Programs, unit: &str) -> Vec<String> {
    let path = |path: &std::path::Path| path.display().to_string();
    let mut words = vec![
        path(&programs.runnerctl),
        "unit-step".to_owned(),
        "prepare".to_owned(),
        format!("--runner={}", runner.number),
        format!("{DIGEST_OPTION}{unit}"),
        format!("--state-dir={}", path(&runner.paths.state)),
        format!("--runtime-dir={}", path(&runner.paths.runtime)),
        format!("--reports-dir={}", path(&fleet.layout.reports)),
    ];
    if fleet.github.has_api() {
        words.extend(github(fleet));
        if runner.ephemeral {
            words.extend(jit(fleet, runner));
        } else {
            words.push(format!("--registration={}", fleet.registration(runner).digest()));
        }
    } else {
        words.push(format!("--tokens={}", path(&fleet.layout.tokens)));
        if fleet.shared_token {
            words.push("--shared-token".to_owned());
        }
    }
    words.extend(loaded(fleet));
    if let Some(ids) = runner.ids {
        words.push(format!("--first-id={}", ids.root()));
        if fleet.engine == Engine::Docker {
            words.push("--unmapped".to_owned());
        }
    }
    if fleet.engine == Engine::Podman {
        let is_rootless = fleet.layout.scope == Scope::User;
        let network = container::has_own_network(fleet, runner).then(|| names::network(runner.number));
        if is_rootless || network.is_some() {
            words.push(format!("--engine-program={}", path(&programs.engine)));
        }
        words.extend(network.map(|network| format!("--network={network}")));
        words.extend(is_rootless.then(|| "--rootless".to_owned()));
    }
    words
}

/// How this host asks GitHub.
fn github(fleet: &Fleet) -> [String; 2] {
    [
        format!("--github={}", fleet.layout.config_file.display()),
        format!("--credential-file={}", fleet.layout.credential_file.display()),
    ]
}

/// Not from the file, where systemd has read it.
fn loaded(fleet: &Fleet) -> Option<String> {
    fleet.hands_over_credential().then(|| "--load-credential".to_owned())
}

/// What each new runner is made with.
fn jit(fleet: &Fleet, runner: &Runner) -> Vec<String> {
    let mut words = vec![
        format!("--ephemeral={}", runner.name),
        format!("--work-folder={}", runner.paths.work.display()),
    ];
    words.extend(runner.labels.iter().map(|label| format!("--label={label}")));
    words.extend(fleet.no_default_labels.then(|| "--no-default-labels".to_owned()));
    words.extend(fleet.runner_group.iter().map(|group| format!("--runner-group={group}")));
    words
}

fn end_registration(fleet: &Fleet, runner: &Runner, programs: &Programs) -> Vec<String> {
    let mut words = unit_step(runner, programs, "end-registration");
    words.push(format!("--state-dir={}", runner.paths.state.display()));
    words.extend(github(fleet));
    words.extend(loaded(fleet));
    words
}

fn await_online(runner: &Runner, programs: &Programs) -> Vec<String> {
    let mut words = unit_step(runner, programs, "await-online");
    words.push(format!("--engine-program={}", programs.engine.display()));
    words.push(format!("--container={}", runner.name));
    words.extend(runner.ephemeral.then(|| format!("--trash={}", runner.paths.trash.display())));
    words
}

fn attach_engine(fleet: &Fleet, runner: &Runner, programs: &Programs, ids: IdRange) -> Vec<String> {
    let mut words = unit_step(runner, programs, "attach-engine");
    words.push(format!("--first-id={}", ids.root()));
    words.push(format!("--externals={}", engine::externals(fleet.flavour)));
    words.push(format!("--images={}", fleet.layout.images.display()));
    words
}

fn await_workflow_job(fleet: &Fleet, runner: &Runner, programs: &Programs) -> Vec<String> {
    let mut words = vec![programs.runnerctl.display().to_string()];
    words.extend(["unit-step", "await-workflow-job"].map(str::to_owned));
    words.push(format!("--runner={}", runner.number));
    words.push(format!("--limit={}", fleet.timeouts.shutdown.as_secs()));
    if fleet.layout.scope == Scope::User {
        words.push("--user".to_owned());
    }
    words
}

fn unit_step(runner: &Runner, programs: &Programs, step: &str) -> Vec<String> {
    vec![
        programs.runnerctl.display().to_string(),
        "unit-step".to_owned(),
        step.to_owned(),
        format!("--runner={}", runner.number),
        format!("--runtime-dir={}", runner.paths.runtime.display()),
    ]
}

fn codes(codes: impl Iterator<Item = u8>) -> String {
    codes.map(|code| code.to_string()).collect::<Vec<_>>().join(" ")
}
