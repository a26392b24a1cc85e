//! The names of our units, in one place.

use crate::config::UnitFormat;

/// Starts and stops all runners; enabled at boot.
pub const TARGET: &str = "homelab-runners.target";

/// Frees disk space when it is due; started and stopped with the target.
pub const PRUNE_TIMER: &str = "homelab-runners-prune.timer";

/// What the timer starts.
pub const PRUNE_SERVICE: &str = "homelab-runners-prune.service";

/// The ceiling over all runners.
pub const FLEET_SLICE: &str = "homelab-runners.slice";

/// The scripts that run inside the containers.
pub const SCRIPTS: [&str; 2] = ["entrypoint.sh", "health.sh"];

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
    format!("homelab.slice/{FLEET_SLICE}/{}", slice(number))
}

/// The file that runner `number` is written into.
#[must_use]
pub fn runner_file(number: u16, format: UnitFormat) -> String {
    match format {
        UnitFormat::Quadlet => format!("homelab-runner@{number}.container"),
        UnitFormat::Service => service(number),
    }
}

/// Could a file of this name be ours? (Only one with our marker in it is.)
#[must_use]
pub fn is_unit_file(name: &str) -> bool {
    [TARGET, FLEET_SLICE, PRUNE_TIMER, PRUNE_SERVICE].contains(&name) || runner_of(name).is_some()
}

/// The number of the runner that the unit or file `name` belongs to.
#[must_use]
pub fn runner_of(name: &str) -> Option<u16> {
    let number = name
        .strip_prefix("homelab-runner@")
        .and_then(|rest| rest.strip_suffix(".container").or_else(|| rest.strip_suffix(".service")))
        .or_else(|| name.strip_prefix("homelab-runners-").and_then(|rest| rest.strip_suffix(".slice")))?;
    let plain = !number.starts_with('0') && number.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| number.parse().ok()).flatten()
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
            TARGET,
            FLEET_SLICE,
            PRUNE_TIMER,
            PRUNE_SERVICE,
        ] {
            assert!(is_unit_file(name), "{name}");
        }
        for name in [
            "homelab-runner@.container",
            "homelab-runner@a.service",
            "homelab-runner@01.service",
            "homelab-runner@+1.service",
            "homelab.slice",
            "x-homelab-runner@1.service",
            "homelab-runner@1.container.d",
            "homelab-runners-prune.slice",
            "homelab-runners-prune.timer.d",
        ] {
            assert!(!is_unit_file(name), "{name}");
        }
    }
}
