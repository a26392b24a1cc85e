//! The same fleet as a Compose file, <https://github.com/compose-spec/compose-spec>, for people who come from `docker compose up`.
//!
//! Without systemd nobody mints slices, readiness or exit-code policies, so this is the lesser way: limits hold for the
//! runner's own container alone, and a runner that needs a token is restarted by the engine again and again.

use std::fmt::Write;

use super::container;
use crate::config::{CredentialKind, Github, MemorySize, TasksMax, variable};
use crate::fleet::{Fleet, Runner};

/// The text of `compose.yaml`. Tokens come from the environment (`docker compose --env-file …/.env up`), as secrets.
#[must_use]
pub fn render(fleet: &Fleet) -> String {
    // Nobody asks GitHub for tokens before a container starts.
    let github = Github { credential: CredentialKind::RegistrationToken, ..fleet.github.clone() };
    let fleet = &Fleet { github, ..fleet.clone() };
    let mut lines = vec![
        super::MARKER.to_owned(),
        format!("# docker compose --env-file {} -f compose.yaml up --detach", fleet.layout.tokens.display()),
        "name: homelab-runners".to_owned(),
        "services:".to_owned(),
    ];
    for runner in &fleet.runners {
        service(&mut lines, fleet, runner);
    }
    lines.push("secrets:".to_owned());
    for runner in &fleet.runners {
        lines.push(format!("  {}:", secret(runner)));
        lines.push(format!("    environment: {}", variable(runner.number)));
    }
    lines.iter().fold(String::new(), |mut text, line| {
        // Writing to a String cannot fail.
        let _infallible = writeln!(text, "{line}");
        text
    })
}

fn service(lines: &mut Vec<String>, fleet: &Fleet, runner: &Runner) {
    let [shell, script] = container::entrypoint();
    let mut put = |line: String| lines.push(line);
    put(format!("  {}:", quoted(&runner.name)));
    put(format!("    container_name: {}", quoted(&runner.name)));
    put(format!("    image: {}", quoted(&runner.image.to_string())));
    put(format!("    entrypoint: [{}, {}]", quoted(&shell), quoted(&script)));
    put("    user: \"0\"".to_owned());
    put("    restart: always".to_owned());
    put("    stop_signal: SIGINT".to_owned());
    put(format!("    stop_grace_period: {}s", fleet.timeouts.stop.as_secs()));
    limits(&mut put, runner);
    // As `container::NO_CORE`.
    put("    ulimits: { core: 0 }".to_owned());
    put("    environment:".to_owned());
    let mut environment = container::environment(fleet, runner);
    // There is no unit that it could start.
    environment.retain(|(name, _)| name != container::REGISTER);
    for (name, value) in environment {
        // A bare NULL or YES would not be a string in YAML.
        put(format!("      {}: {}", quoted(&name), quoted(&value)));
    }
    put("    volumes:".to_owned());
    // The token and status directories are systemd's business; here a secret stands in for the one, the container's own file system for the other.
    let here = |mount: &container::Mount| !mount.source.starts_with(&fleet.layout.runtime);
    for mount in container::mounts(fleet, runner).iter().filter(|mount| here(mount)) {
        put(format!("      - {}", quoted(&mount.to_volume())));
    }
    put("    secrets:".to_owned());
    put(format!("      - source: {}", secret(runner)));
    put("        target: /run/homelab-runner/token/registration-token".to_owned());
    if let Some(network) = &fleet.network {
        put(format!("    network_mode: {}", quoted(network)));
    }
    if !fleet.extra_hosts.is_empty() {
        put("    extra_hosts:".to_owned());
        for host in &fleet.extra_hosts {
            put(format!("      - {}", quoted(&host.to_string())));
        }
    }
    let health = fleet.health;
    put("    healthcheck:".to_owned());
    put(format!("      test: [\"CMD-SHELL\", {}]", quoted(&container::health_command())));
    put(format!("      interval: {}s", health.interval.as_secs()));
    put(format!("      timeout: {}s", health.timeout.as_secs()));
    put(format!("      retries: {}", health.retries));
    put(format!("      start_period: {}s", health.start_period.as_secs()));
}

/// Compose knows bytes, cores and a number of processes; a percentage of the host is left out, as is a soft limit.
fn limits(put: &mut impl FnMut(String), runner: &Runner) {
    if let Some(quota) = runner.limits.cpu_quota {
        put(format!("    cpus: {}", quota.cores()));
    }
    if let Some(MemorySize::Bytes(bytes)) = runner.limits.memory_max {
        put(format!("    mem_limit: {bytes}"));
    }
    if let Some(TasksMax::Tasks(tasks)) = runner.limits.tasks_max {
        put(format!("    pids_limit: {tasks}"));
    }
}

fn secret(runner: &Runner) -> String {
    format!("registration-token-{}", runner.number)
}

/// A double-quoted YAML string; Compose would replace `$NAME`. YAML folds line breaks, of which it knows more than JSON does.
fn quoted(text: &str) -> String {
    let json = serde_json::Value::from(text.replace('$', "$$")).to_string();
    json.chars().fold(String::new(), |mut yaml, c| {
        if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}') {
            // Writing to a String cannot fail.
            let _infallible = write!(yaml, "\\u{:04x}", u32::from(c));
        } else {
            yaml.push(c);
        }
        yaml
    })
}
