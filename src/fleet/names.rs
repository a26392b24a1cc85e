//! The names of our units, in one place.

use crate::config::UnitFormat;

/// Starts and stops all runners; enabled at boot.
pub const TARGET: &str = "homelab-runners.target";

/// Frees disk space when it is due; started and stopped with the target.
pub const PRUNE_TIMER: &str = "homelab-runners-prune.timer";

/// What the timer starts.
pub const PRUNE_SERVICE: &str = "homelab-runners-prune.service";

/// The address of the report server; started with the target, and not stopped with it.
pub const REPORTS_SOCKET: &str = "homelab-reports.socket";

/// The report server, which the socket starts.
pub const REPORTS_SERVICE: &str = "homelab-reports.service";

/// Deletes old reports when it is due; started and stopped with the target.
pub const REPORTS_PRUNE_TIMER: &str = "homelab-reports-prune.timer";

/// What that timer starts.
pub const REPORTS_PRUNE_SERVICE: &str = "homelab-reports-prune.service";

/// The address of the monitor.
pub const MONITOR_SOCKET: &str = "homelab-runners-monitor.socket";

/// The monitor; started with the target, and not stopped with it.
pub const MONITOR_SERVICE: &str = "homelab-runners-monitor.service";

/// Whom the monitor runs as under the host's systemd.
pub const MONITOR_USER: &str = "homelab-runners-monitor";

/// Where the monitor asks for a restart.
pub const HEAL_SOCKET: &str = "homelab-runners-heal.socket";

/// What restarts a runner, once for each question.
pub const HEAL_SERVICE: &str = "homelab-runners-heal@.service";

/// What the target wants beside the runners. The monitor comes before its address: nobody who asks there meanwhile starts it again.
pub const COMPANIONS: [&str; 6] =
    [PRUNE_TIMER, REPORTS_PRUNE_TIMER, REPORTS_SOCKET, MONITOR_SERVICE, MONITOR_SOCKET, HEAL_SOCKET];

/// Above the ceiling and the report server; systemd makes it from the dashes of the names below, where there is no file.
pub const OUTER_SLICE: &str = "homelab.slice";

/// The ceiling over all runners.
pub const FLEET_SLICE: &str = "homelab-runners.slice";

/// The tokens file, as a credential of the runners' units.
pub const CREDENTIAL: &str = "tokens";

/// What a unit's credential with the PAT or the App's key is called, systemd.exec(5).
pub const GITHUB_CREDENTIAL: &str = "github";

/// What the monitor's credential with the config is called.
pub const CONFIG_CREDENTIAL: &str = "config";

/// What the monitor's credential with the token of its webhook is called.
pub const NOTIFY_CREDENTIAL: &str = "notify-token";

/// Settings of the private engines, containers.conf(5).
pub const ENGINE_CONFIG: &str = "engine.conf";

/// What the job hooks know of reports; seen by them beside the scripts.
pub const REPORT_SETTINGS: &str = "reports.conf";

/// The unit of runner `number`, whatever file it comes from.
#[must_use]
pub fn service(number: u16) -> String {
    format!("homelab-runner@{number}.service")
}

/// The slice that holds runner `number` and all it starts.
#[must_use]
pub fn slice(number: u16) -> String {
    format!("homelab-runners-{number}.slice")
}

/// The slice's directory below the control group root of the scope: each dash of a slice's name is a level.
#[must_use]
pub fn slice_control_group(number: u16) -> String {
    format!("{OUTER_SLICE}/{FLEET_SLICE}/{}", slice(number))
}

/// The account of runner `number`'s private engine, and its group.
#[must_use]
pub fn account(number: u16) -> String {
    format!("homelab-runner-{number}")
}

/// The network of runner `number`'s container, apart from those of the other runners.
#[must_use]
pub fn network(number: u16) -> String {
    format!("homelab-runner-{number}")
}

/// The number of the runner whose account is called `name`.
#[must_use]
pub fn account_number(name: &str) -> Option<u16> {
    plain_number(name.strip_prefix("homelab-runner-")?)
}

/// The unit of runner `number`'s private engine.
#[must_use]
pub fn engine_service(number: u16) -> String {
    format!("homelab-runner-engine@{number}.service")
}

/// The socket that starts runner `number`'s private engine.
#[must_use]
pub fn engine_socket(number: u16) -> String {
    format!("homelab-runner-engine@{number}.socket")
}

/// The file that runner `number` is written into.
#[must_use]
pub fn runner_file(number: u16, format: UnitFormat) -> String {
    match format {
        UnitFormat::Quadlet => format!("homelab-runner@{number}.container"),
        UnitFormat::Service => service(number),
    }
}

/// The directory of drop-ins of runner `number`'s unit, systemd.unit(5).
#[must_use]
pub fn drop_ins(number: u16) -> String {
    format!("{}.d", service(number))
}

/// A drop-in that starts a runner on another image for once; after those of the user's own.
pub const TRIAL: &str = "90-runnerctl-trial.conf";

/// Could a file of this name be ours? (Only one with our marker in it is.)
#[must_use]
pub fn is_unit_file(name: &str) -> bool {
    [TARGET, OUTER_SLICE, FLEET_SLICE, PRUNE_SERVICE, REPORTS_PRUNE_SERVICE, REPORTS_SERVICE, HEAL_SERVICE]
        .contains(&name)
        || COMPANIONS.contains(&name)
        || runner_of(name).is_some()
}

/// The number of the runner that the unit or file `name` belongs to.
#[must_use]
pub fn runner_of(name: &str) -> Option<u16> {
    let number = name
        .strip_prefix("homelab-runner@")
        .and_then(|rest| rest.strip_suffix(".container").or_else(|| rest.strip_suffix(".service")))
        .or_else(|| {
            let rest = name.strip_prefix("homelab-runner-engine@")?;
            rest.strip_suffix(".service").or_else(|| rest.strip_suffix(".socket"))
        })
        .or_else(|| name.strip_prefix("homelab-runners-").and_then(|rest| rest.strip_suffix(".slice")))?;
    plain_number(number)
}

/// The number of a runner, such as its directories have for a name, only as [`u16`] would be printed: `01` is somebody else's.
#[must_use]
pub fn plain_number(text: &str) -> Option<u16> {
    let plain = !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_exact_names_are_ours() {
        for name in [
            "homelab-runner@1.container",
            "homelab-runner@12.service",
            "homelab-runners-3.slice",
            "homelab-runner-engine@3.service",
            "homelab-runner-engine@3.socket",
            TARGET,
            OUTER_SLICE,
            FLEET_SLICE,
            PRUNE_TIMER,
            PRUNE_SERVICE,
            REPORTS_SOCKET,
            REPORTS_SERVICE,
            REPORTS_PRUNE_TIMER,
            REPORTS_PRUNE_SERVICE,
            MONITOR_SOCKET,
            MONITOR_SERVICE,
            HEAL_SOCKET,
            HEAL_SERVICE,
        ] {
            assert!(is_unit_file(name), "{name}");
        }
        for name in [
            "homelab-runner@.container",
            "homelab-runner@a.service",
            "homelab-runner@01.service",
            "homelab-runner@+1.service",
            "homelab-.slice",
            "x-homelab-runner@1.service",
            "homelab-runner@1.container.d",
            "homelab-runner-engine@1.container",
            "homelab-runners-prune.slice",
            "homelab-runners-prune.timer.d",
            "homelab-reports.slice",
            "homelab-reports@1.service",
            "homelab-reports-prune.timer.d",
            "homelab-runners-heal@1.service",
            "homelab-runners-heal.service",
            "homelab-runners-monitor.service.d",
        ] {
            assert!(!is_unit_file(name), "{name}");
        }
    }
}
