//! The host as such: distribution, kernel, security modules, clock.

use crate::doctor::{Distribution, Finding, HostFacts, Needs, SeLinux, Software};

pub(super) fn examine(facts: &HostFacts, needs: &Needs) -> Vec<Finding> {
    vec![distribution(facts), kernel(facts, needs), selinux(facts), apparmor(facts)]
}

fn distribution(facts: &HostFacts) -> Finding {
    match &facts.os.name {
        Some(name) => Finding::ok("distribution", name),
        None => Finding::unknown("distribution"),
    }
}

/// Overlays can be mounted without root since 5.13, and with shifted ids (`mount_setattr(2)`) since 5.19.
fn kernel(facts: &HostFacts, needs: &Needs) -> Finding {
    let Some(kernel) = facts.kernel else { return Finding::unknown("kernel") };
    if needs.rootless().is_some() && !kernel.is_at_least(5, 13) {
        let words = format!("{kernel}: before 5.13 rootless Podman needs fuse-overlayfs");
        return Finding::warning("kernel", words)
            .mended_by(Software::FuseOverlayfs.install(facts.os.distribution));
    }
    if needs.private_socket && !kernel.is_at_least(5, 19) {
        let words = format!(
            "{kernel}: no idmapped overlay mounts before 5.19, so Podman copies the image for each runner, which takes minutes"
        );
        return Finding::warning("kernel", words).mended_by("install a kernel of 5.19 or newer");
    }
    Finding::ok("kernel", kernel.to_string())
}

fn selinux(facts: &HostFacts) -> Finding {
    match facts.selinux {
        SeLinux::Off => Finding::ok("SELinux", "off"),
        SeLinux::Permissive => Finding::ok("SELinux", "permissive"),
        SeLinux::Enforcing => Finding::warning("SELinux", "enforcing, with which this has not been tried")
            .mended_by("look for refusals with `ausearch -m avc -ts recent`"),
        SeLinux::Unknown => Finding::unknown("SELinux"),
    }
}

fn apparmor(facts: &HostFacts) -> Finding {
    match facts.apparmor {
        Some(is_on) => Finding::ok("AppArmor", if is_on { "on" } else { "off" }),
        None => Finding::unknown("AppArmor"),
    }
}

/// How far the clock is off is not known here, only whether somebody sets it.
pub(super) fn clock(facts: &HostFacts, _needs: &Needs) -> Vec<Finding> {
    let finding = match facts.is_clock_synchronized {
        Some(true) => Finding::ok("clock", "set by the network"),
        Some(false) => Finding::warning(
            "clock",
            "not set by the network; TLS and GitHub's sessions fail where it is minutes off",
        )
        .mended_by(set_clock(facts.os.distribution)),
        None => Finding::unknown("clock"),
    };
    vec![finding]
}

fn set_clock(distribution: Distribution) -> String {
    let install = Software::TimeSync.install(distribution);
    match distribution {
        Distribution::NixOs => install,
        _ => format!("{install}, then timedatectl set-ntp true"),
    }
}
