//! The engine, and what comes with it.

use crate::config::{Engine, UnitFormat};
use crate::doctor::{Distribution, Finding, HostFacts, Needs, Program, Software};
use crate::fleet::Scope;

pub(super) fn examine(facts: &HostFacts, needs: &Needs) -> Vec<Finding> {
    let mut findings = Vec::new();
    if needs.engine == Engine::Docker {
        findings.push(docker(facts));
    }
    if needs.podman() {
        findings.push(podman(facts, needs));
        findings.push(oci_runtime(facts));
    }
    if needs.engine == Engine::Podman && needs.unit_format == UnitFormat::Quadlet {
        findings.push(quadlet(facts));
    }
    if needs.host_socket {
        findings.push(socket(facts, needs));
    }
    findings
}

/// As found, or not installed.
fn program(name: &str, found: &Program, software: Software, distribution: Distribution) -> Finding {
    match found {
        Program::Found { version: Some(version), .. } => Finding::ok(name, version.to_string()),
        Program::Found { path, version: None } => {
            Finding::warning(name, format!("{} is there; its version is not known", path.display()))
        }
        Program::Missing { at: Some(path) } => {
            Finding::missing(name, format!("not installed ({} does not exist)", path.display()))
                .mended_by(software.install(distribution))
        }
        Program::Missing { at: None } => {
            Finding::missing(name, "not installed").mended_by(software.install(distribution))
        }
    }
}

fn docker(facts: &HostFacts) -> Finding {
    let finding = program("docker", &facts.docker, Software::Docker, facts.os.distribution);
    if facts.docker.is_there() {
        return finding;
    }
    finding.breaking("engine = \"docker\"", facts.podman.is_there().then_some("set engine = \"podman\""))
}

fn podman(facts: &HostFacts, needs: &Needs) -> Finding {
    let finding = program("podman", &facts.podman, Software::Podman, facts.os.distribution);
    if facts.podman.is_there() {
        return finding;
    }
    if let (Engine::Docker, Some(rootless)) = (needs.engine, needs.rootless()) {
        return finding.breaking(rootless.what, Some(rootless.instead));
    }
    // A user has no docker.service, and an engine of a runner's own is always Podman.
    let is_docker_enough = facts.docker.is_there() && needs.scope == Scope::System && !needs.private_socket;
    finding.breaking("engine = \"podman\"", is_docker_enough.then_some("set engine = \"docker\""))
}

/// Never a reason to refuse: containers.conf(5) may name another one.
fn oci_runtime(facts: &HostFacts) -> Finding {
    match (&facts.oci_runtime, facts.os.distribution) {
        (Program::Found { path, .. }, _) => Finding::ok("OCI runtime", path.display().to_string()),
        (Program::Missing { .. }, Distribution::NixOs) => Finding::ok("OCI runtime", "part of NixOS' podman"),
        (Program::Missing { .. }, distribution) => {
            Finding::warning("OCI runtime", "neither crun nor runc is in the usual places")
                .mended_by(Software::OciRuntime.install(distribution))
        }
    }
}

fn quadlet(facts: &HostFacts) -> Finding {
    let is_too_old = facts.podman.version().is_some_and(|version| !version.is_at_least(4, 4));
    if facts.quadlet && !is_too_old {
        return Finding::ok("Quadlet", "part of this Podman");
    }
    Finding::missing("Quadlet", "this host has none; it comes with Podman 4.4 and newer")
        .mended_by("install a newer Podman")
        .breaking("unit_format = \"quadlet\"", Some("set unit_format = \"service\""))
}

fn socket(facts: &HostFacts, needs: &Needs) -> Finding {
    let unit = match needs.engine {
        Engine::Podman => "podman.socket",
        Engine::Docker => "docker.socket",
    };
    let place = needs.socket.display();
    match facts.socket {
        Some(true) => Finding::ok("socket", place.to_string()),
        // The runners' units ask for it.
        Some(false) => {
            Finding::warning("socket", format!("{place} is not there before a runner has started"))
                .mended_by(format!("systemctl{} enable --now {unit}", needs.scope.option()))
        }
        None => Finding::unknown("socket"),
    }
}
