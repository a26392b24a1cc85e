//! What a Podman without root needs: of the kernel, of the accounts, of the network.

use crate::doctor::needs::Rootless;
use crate::doctor::software::sysctl;
use crate::doctor::subordinate_ids::{WANTED, count_of};
use crate::doctor::{
    Distribution, Finding, HostFacts, IdMapper, Needs, Program, Software, SubordinateRange, UserNamespaces,
    free_start,
};

pub(super) fn examine(facts: &HostFacts, needs: &Needs) -> Vec<Finding> {
    let Some(rootless) = needs.rootless() else { return Vec::new() };
    if facts.uid == 0 && !needs.private_socket {
        // The Podman of root's own systemd is not rootless.
        return Vec::new();
    }
    let mut findings = vec![
        user_namespaces(&facts.user_namespaces, facts.os.distribution, rootless),
        id_mapper("newuidmap", facts.newuidmap, facts.os.distribution, rootless),
        id_mapper("newgidmap", facts.newgidmap, facts.os.distribution, rootless),
        network(facts, needs, rootless),
        network_namespaces(facts, rootless),
    ];
    if needs.private_socket {
        findings.push(accounts(facts, rootless));
    } else {
        findings.extend(subordinate_ids(facts, rootless));
    }
    findings
}

fn breaking(finding: Finding, rootless: Rootless) -> Finding {
    finding.breaking(rootless.what, Some(rootless.instead))
}

/// What the kernel's parameters forbid is forbidden; beyond that the trial counts, where there was one.
fn user_namespaces(found: &UserNamespaces, distribution: Distribution, rootless: Rootless) -> Finding {
    let missing = |words: &str, mend: String| {
        breaking(Finding::missing("user namespaces", words).mended_by(mend), rootless)
    };
    if found.most == Some(0) {
        let key = "user.max_user_namespaces";
        return missing("turned off (user.max_user_namespaces is 0)", sysctl(distribution, key, 15_000));
    }
    if found.clone == Some(0) {
        let key = "kernel.unprivileged_userns_clone";
        return missing(
            "for root alone (kernel.unprivileged_userns_clone is 0)",
            sysctl(distribution, key, 1),
        );
    }
    if found.tried == Some(true) {
        return Finding::ok("user namespaces", "one was made without root");
    }
    if found.apparmor_restricts == Some(1) {
        return match found.apparmor_lets_podman {
            Some(true) => Finding::ok("user namespaces", "restricted by AppArmor, with a profile for podman"),
            Some(false) => missing(
                "refused by AppArmor, and no profile in /etc/apparmor.d lets podman have them",
                format!(
                    "give podman a profile with `userns,` there; or {}",
                    sysctl(distribution, "kernel.apparmor_restrict_unprivileged_userns", 0)
                ),
            ),
            None => {
                Finding::warning("user namespaces", "restricted by AppArmor; its profiles cannot be read")
            }
        };
    }
    match (found.tried, found.most) {
        (Some(false), _) => missing(
            "the kernel's parameters allow them, and yet none can be made without root",
            "look for who refuses them: `dmesg | tail` after `unshare --user true` as a plain user"
                .to_owned(),
        ),
        (_, Some(_)) => Finding::ok("user namespaces", "allowed by the kernel's parameters; not tried"),
        (_, None) => Finding::unknown("user namespaces"),
    }
}

fn id_mapper(name: &str, found: IdMapper, distribution: Distribution, rootless: Rootless) -> Finding {
    let finding = match found {
        IdMapper::Able => return Finding::ok(name, "installed"),
        IdMapper::Missing => Finding::missing(name, "not installed"),
        IdMapper::Powerless => {
            Finding::missing(name, "installed with neither the setuid bit nor a file capability")
        }
    };
    let install = Software::IdMappers.install(distribution);
    let mend = match (found, distribution) {
        (IdMapper::Powerless, Distribution::Debian) => install.replace("install", "install --reinstall"),
        (IdMapper::Powerless, Distribution::Fedora) => install.replace("install", "reinstall"),
        _ => install,
    };
    breaking(finding.mended_by(mend), rootless)
}

/// pasta since Podman 5.0, slirp4netns before.
fn network(facts: &HostFacts, needs: &Needs, rootless: Rootless) -> Finding {
    let is_old = facts.podman.version().is_some_and(|version| !version.is_at_least(5, 0));
    let (name, found, software) = if is_old {
        ("slirp4netns", &facts.slirp4netns, Software::Slirp4netns)
    } else {
        ("pasta", &facts.pasta, Software::Pasta)
    };
    match (found, facts.os.distribution) {
        (Program::Found { path, .. }, _) => Finding::ok(name, path.display().to_string()),
        (Program::Missing { .. }, Distribution::NixOs) => Finding::ok(name, "part of NixOS' podman"),
        // Never refused: containers.conf(5) may have Podman use it, and before 5.0 it does anyway.
        (Program::Missing { .. }, distribution) if facts.slirp4netns.is_there() => {
            let words = "not installed; slirp4netns is, which Podman uses before 5.0 or where containers.conf says so";
            let finding = match facts.podman.version() {
                Some(_) => Finding::missing(name, words),
                None => Finding::warning(name, words),
            };
            finding.mended_by(software.install(distribution))
        }
        (Program::Missing { .. }, distribution) => {
            let finding = Finding::missing(name, "not installed").mended_by(software.install(distribution));
            // With a network that the config names, such as the host's, runners may do without.
            if needs.private_socket || needs.network.is_none() {
                breaking(finding, rootless)
            } else {
                finding
            }
        }
    }
}

fn network_namespaces(facts: &HostFacts, rootless: Rootless) -> Finding {
    match facts.network_namespaces {
        Some(true) => Finding::ok("network namespaces", "in this kernel"),
        Some(false) => breaking(
            Finding::missing("network namespaces", "not in this kernel")
                .mended_by("install a kernel with CONFIG_NET_NS"),
            rootless,
        ),
        None => Finding::unknown("network namespaces"),
    }
}

/// The runners' accounts get their subordinate ids when they are made.
fn accounts(facts: &HostFacts, rootless: Rootless) -> Finding {
    if facts.absent_account_programs.is_empty() {
        return Finding::ok("accounts", "useradd, usermod and userdel are installed");
    }
    let absent = facts.absent_account_programs.join(", ");
    let finding = Finding::missing("accounts", format!("not installed: {absent}"));
    breaking(finding.mended_by(Software::Accounts.install(facts.os.distribution)), rootless)
}

fn subordinate_ids(facts: &HostFacts, rootless: Rootless) -> Vec<Finding> {
    let of = |file: &str, option: &str, found: &Option<Vec<SubordinateRange>>| {
        let (Some(ranges), Some(user)) = (found, facts.user.as_deref()) else {
            return Finding::unknown(file);
        };
        let count = count_of(ranges, user, facts.uid);
        if count >= WANTED {
            return Finding::ok(file, format!("{count} ids for {user}"));
        }
        let start = free_start(ranges);
        let last = start.saturating_add(WANTED - 1);
        let command = format!("sudo usermod --add-{option} {start}-{last} {user} && podman system migrate");
        let mend = match facts.os.distribution {
            Distribution::NixOs => format!("users.users.{user}.autoSubUidGidRange = true;"),
            _ => command,
        };
        let words = format!("{count} ids for {user}, and an image wants {WANTED}");
        breaking(Finding::missing(file, words).mended_by(mend), rootless)
    };
    vec![of("/etc/subuid", "subuids", &facts.subuid), of("/etc/subgid", "subgids", &facts.subgid)]
}
