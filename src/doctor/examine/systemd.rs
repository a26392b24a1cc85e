//! systemd and the control groups that it hands out.

use crate::doctor::{ControlGroups, Distribution, Finding, HostFacts, Needs};
use crate::fleet::Scope;

/// The controllers of cgroups(7) with the keys of `[limits]` that they carry out.
const CONTROLLERS: [(&str, &[&str]); 4] = [
    ("cpu", &["cpu_quota"]),
    ("memory", &["memory_max", "memory_high"]),
    ("pids", &["tasks_max"]),
    ("io", &["io_weight"]),
];

/// The one that is needed only where the config uses it: user@.service does not delegate it.
const OPTIONAL: &str = "io";

/// Not tried, hence no refusal: systemd.exec(5) of 252 has the system call filter of a unit with `User=` imply the setting.
const NO_NEW_PRIVILEGES: &str = "; private engines may not start, since it sets NoNewPrivileges= for them, which newuidmap cannot live with";

pub(super) fn examine(facts: &HostFacts, needs: &Needs) -> Vec<Finding> {
    let mut findings = vec![systemd(facts, needs)];
    findings.extend(control_groups(facts, needs));
    if needs.scope == Scope::User {
        findings.push(linger(facts));
    }
    findings
}

fn systemd(facts: &HostFacts, needs: &Needs) -> Finding {
    if facts.is_booted_with_systemd == Some(false) {
        return Finding::missing("systemd", "this host was not booted with it")
            .mended_by("run this on the host itself, not in a container (WSL: systemd=true in /etc/wsl.conf)")
            .breaking("the fleet", None);
    }
    match facts.systemctl.version() {
        None => Finding::unknown("systemd"),
        Some(version) if version.is_at_least(254, 0) => Finding::ok("systemd", version.to_string()),
        Some(version) => {
            let mut words = format!("{version}: restarts stay 5 s apart, since RestartSteps= came with 254");
            if needs.private_socket && !version.is_at_least(253, 0) {
                words.push_str(NO_NEW_PRIVILEGES);
            }
            Finding::warning("systemd", words)
        }
    }
}

fn control_groups(facts: &HostFacts, needs: &Needs) -> Vec<Finding> {
    match &facts.control_groups {
        ControlGroups::Unknown => vec![Finding::unknown("cgroup v2")],
        ControlGroups::Version1 => vec![version_1(facts.os.distribution)],
        ControlGroups::Version2 { controllers: None } => {
            vec![Finding::warning("cgroup v2", "your systemd does not run, so its controllers are not known")]
        }
        ControlGroups::Version2 { controllers: Some(found) } => {
            let is_needed = |name: &str, keys: &'static [&'static str]| {
                name != OPTIONAL || asked(needs, keys).next().is_some()
            };
            let wanted: Vec<_> = CONTROLLERS.iter().filter(|(name, keys)| is_needed(name, keys)).collect();
            let (there, absent): (Vec<_>, Vec<_>) =
                wanted.into_iter().partition(|(name, _)| found.contains(*name));
            let names: Vec<&str> = there.iter().map(|(name, _)| *name).collect();
            let mut findings = vec![Finding::ok("cgroup v2", format!("with {}", names.join(", ")))];
            findings.extend(absent.iter().map(|(name, keys)| absent_controller(name, keys, facts, needs)));
            findings
        }
    }
}

fn version_1(distribution: Distribution) -> Finding {
    let parameter = "systemd.unified_cgroup_hierarchy=1";
    Finding::missing(
        "cgroup v2",
        "this host has version 1, under which limits do not hold and busy runners are not seen",
    )
    .mended_by(match distribution {
        Distribution::NixOs => format!("boot.kernelParams = [ \"{parameter}\" ]; and a reboot"),
        _ => format!("put {parameter} on the kernel's command line and reboot"),
    })
    .breaking("the fleet", None)
}

fn asked<'a>(needs: &'a Needs, keys: &'a [&'static str]) -> impl Iterator<Item = &'static str> + 'a {
    keys.iter().copied().filter(|key| needs.limits.contains(key))
}

fn absent_controller(name: &str, keys: &'static [&'static str], facts: &HostFacts, needs: &Needs) -> Finding {
    let finding = match needs.scope {
        Scope::System => {
            Finding::missing(format!("cgroup controller {name}"), "this kernel has it turned off")
                .mended_by(kernel_parameter(name, facts.os.distribution))
        }
        Scope::User => Finding::missing(format!("cgroup controller {name}"), "not delegated to your systemd")
            .mended_by(delegation(facts.os.distribution)),
    };
    let asked: Vec<&str> = asked(needs, keys).collect();
    if asked.is_empty() {
        return finding;
    }
    let asked = asked.join(" and ");
    let instead = format!("leave {asked} out of the limits");
    finding.breaking(asked, Some(&instead))
}

/// Raspberry Pi's firmware turns `memory` off.
fn kernel_parameter(name: &str, distribution: Distribution) -> String {
    match distribution {
        Distribution::NixOs => format!("boot.kernelParams = [ \"cgroup_enable={name}\" ]; and a reboot"),
        _ => format!(
            "take cgroup_disable={name} off the kernel's command line (Raspberry Pi: add cgroup_enable={name}) and reboot"
        ),
    }
}

/// user@.service(5)
fn delegation(distribution: Distribution) -> String {
    let setting = "Delegate=cpu io memory pids";
    match distribution {
        Distribution::NixOs => {
            "systemd.services.\"user@\".serviceConfig.Delegate = \"cpu io memory pids\";".to_owned()
        }
        _ => format!(
            "add {setting} to the service's section in `sudo systemctl edit user@.service`, then log in anew"
        ),
    }
}

fn linger(facts: &HostFacts) -> Finding {
    let user = facts.user.as_deref().unwrap_or("USER");
    match facts.lingers {
        Some(true) => Finding::ok("linger", format!("the systemd of {user} runs without a login")),
        Some(false) => Finding::missing("linger", "runners end at logout and do not start at boot")
            .mended_by(match facts.os.distribution {
                Distribution::NixOs => format!("users.users.{user}.linger = true;"),
                _ => format!("loginctl enable-linger {user}"),
            }),
        None => Finding::unknown("linger"),
    }
}
