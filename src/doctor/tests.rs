#![expect(clippy::unwrap_used, reason = "tests")]

mod hosts;
mod rootless;

use hosts::{
    MISSING, controllers, debian_12, debian_13, disk, fedora, nixos, os, there, ubuntu_24_04, unknown,
};

use super::*;
use crate::config::{Config, UnitFormat};
use crate::fleet::{Fleet, Layout, UserDirs};

fn fleet(layout: &Layout, keys: &str) -> Needs {
    let config = Config::parse(&format!("url = \"https://github.com/acme\"\n{keys}")).unwrap();
    Needs::of(&Fleet::new(&config, layout, &UnitFormat::Quadlet.into()))
}

/// A fleet without private engines.
fn system(keys: &str) -> Needs {
    let socket = if keys.starts_with("socket") { "" } else { "socket = \"host\"\n" };
    fleet(&Layout::system(), &format!("{socket}{keys}"))
}

fn private(keys: &str) -> Needs {
    fleet(&Layout::system(), &format!("socket = \"private\"\n{keys}"))
}

fn user(keys: &str) -> Needs {
    let dirs = UserDirs { config: "/c".into(), state: "/s".into(), runtime: "/r".into() };
    fleet(&Layout::user(&dirs), keys)
}

/// The lines that are not good, without their hints.
fn not_ok(facts: &HostFacts, needs: &Needs) -> Vec<String> {
    let findings = examine(facts, needs);
    let bad = findings.iter().filter(|finding| finding.verdict != Verdict::Ok);
    bad.map(|finding| format!("{} {}: {}", finding.verdict, finding.subject, finding.words)).collect()
}

/// What `install-units` would say, cause and hint.
fn refusals(facts: &HostFacts, needs: &Needs) -> Vec<(String, String)> {
    let findings = examine(facts, needs);
    findings
        .iter()
        .filter_map(|finding| Some((finding.refusal()?, finding.hint().unwrap_or_default())))
        .collect()
}

#[track_caller]
fn assert_refused(facts: &HostFacts, needs: &Needs, expected: &[(&str, &str)]) {
    let found = refusals(facts, needs);
    let found: Vec<_> = found.iter().map(|(cause, hint)| (cause.as_str(), hint.as_str())).collect();
    assert_eq!(found, expected);
}

#[test]
fn a_complete_host_has_nothing_to_mend_for_any_kind_of_fleet() {
    let nothing: [String; 0] = [];
    for needs in [system(""), private(""), user(""), system("socket = \"none\"\n[limits]\nio_weight = 50\n")]
    {
        assert_eq!(not_ok(&debian_13(), &needs), nothing, "{needs:?}");
    }
    assert_eq!(not_ok(&nixos(), &private("")), nothing);
    assert_eq!(not_ok(&ubuntu_24_04(Some(true)), &private("")), nothing);
}

#[test]
fn what_cannot_be_read_is_a_warning_and_never_refused() {
    for needs in [system(""), private(""), user("[limits]\ncpu_quota = \"100%\"\n")] {
        assert_eq!(refusals(&unknown(), &needs), []);
        let findings = examine(&unknown(), &needs);
        assert!(findings.iter().all(|finding| finding.verdict != Verdict::Missing), "{findings:#?}");
        for subject in
            ["distribution", "kernel", "cgroup v2", "systemd", "podman", "SELinux", "clock", "tmpfs"]
        {
            let found = findings.iter().find(|finding| finding.subject == subject).unwrap();
            assert_eq!(found.verdict, Verdict::Warning, "{subject}");
        }
    }
}

#[test]
fn fedora_is_only_warned_of_selinux() {
    let expected = ["warning SELinux: enforcing, with which this has not been tried"];
    assert_eq!(not_ok(&fedora(), &private("")), expected);
}

#[test]
fn debian_12_is_led_to_plain_services() {
    assert_refused(
        &debian_12(),
        &system("unit_format = \"quadlet\"\n"),
        &[(
            "unit_format = \"quadlet\" needs Quadlet: this host has none; it comes with Podman 4.4 and newer",
            "install a newer Podman, or set unit_format = \"service\"",
        )],
    );
    let without_steps = "warning systemd: 252: restarts stay 5 s apart, since RestartSteps= came with 254";
    assert_eq!(not_ok(&debian_12(), &system("unit_format = \"service\"\n")), [without_steps]);
    let private = not_ok(&debian_12(), &private("unit_format = \"service\"\n"));
    let expected = format!("{without_steps}; private engines may not start, since it sets NoNewPrivileges=");
    assert!(matches!(&private[..], [warning] if warning.starts_with(&expected)), "{private:?}");
    // A generator that was left behind by another Podman is none.
    let stale = HostFacts { quadlet: true, ..debian_12() };
    assert_eq!(refusals(&stale, &system("unit_format = \"quadlet\"\n")).len(), 1);
}

#[test]
fn a_missing_engine_is_named_with_its_package_and_the_other_engine_if_there_is_one() {
    let facts = HostFacts { podman: MISSING, ..debian_13() };
    let cause = "engine = \"podman\" needs podman: not installed";
    assert_refused(&facts, &system(""), &[(cause, "apt install podman")]);
    let with_docker = HostFacts { docker: there("Docker version 26.1.5+dfsg1, build a"), ..facts };
    assert_refused(&with_docker, &system(""), &[(cause, "apt install podman, or set engine = \"docker\"")]);
    // Docker is no way out for what has to be rootless.
    assert_refused(&with_docker, &user(""), &[(cause, "apt install podman")]);
    assert_refused(&with_docker, &private(""), &[(cause, "apt install podman")]);
    assert_refused(
        &with_docker,
        &private("engine = \"docker\"\n"),
        &[(
            "socket = \"private\" needs podman: not installed",
            "apt install podman, or set socket = \"none\"",
        )],
    );
    assert_refused(
        &HostFacts { os: os("ID=fedora", "F"), ..debian_13() },
        &system("engine = \"docker\"\n"),
        &[(
            "engine = \"docker\" needs docker: not installed",
            "dnf install moby-engine, or set engine = \"podman\"",
        )],
    );
    let given = HostFacts { podman: Program::Missing { at: Some("/opt/podman".into()) }, ..debian_13() };
    let cause = "engine = \"podman\" needs podman: not installed (/opt/podman does not exist)";
    assert_refused(&given, &system(""), &[(cause, "apt install podman")]);
}

#[test]
fn without_cgroup_v2_there_is_no_fleet() {
    let facts = HostFacts { control_groups: ControlGroups::Version1, ..debian_13() };
    let refused = refusals(&facts, &system("engine = \"podman\"\n"));
    assert_eq!(refused.len(), 1);
    assert!(refused.iter().all(|(cause, hint)| cause.starts_with("the fleet needs cgroup v2: ")
        && hint.contains("systemd.unified_cgroup_hierarchy=1")));
}

#[test]
fn an_absent_controller_is_refused_where_a_limit_needs_it_and_told_where_none_does() {
    let limits = "[limits]\nmemory_max = \"1G\"\nmemory_high = \"900M\"\n";
    let pi = HostFacts { control_groups: controllers("cpuset cpu io pids"), ..debian_13() };
    assert_eq!(not_ok(&pi, &system("")), ["missing cgroup controller memory: this kernel has it turned off"]);
    assert_refused(&pi, &system(""), &[]);
    let refused = refusals(&pi, &system(limits));
    let [(cause, hint)] = refused.as_slice() else { return assert_eq!(refused, []) };
    assert!(cause.starts_with("memory_max and memory_high needs cgroup controller memory"), "{cause}");
    assert!(
        hint.contains("cgroup_enable=memory")
            && hint.ends_with("leave memory_max and memory_high out of the limits")
    );
    // The limits of a single runner count as well, and so does the fleet's ceiling.
    assert_eq!(refusals(&pi, &system("[runners.2]\nlimits.memory_max = \"1G\"\n")).len(), 1);
    assert_eq!(refusals(&pi, &system("[fleet_limits]\nmemory_max = \"1G\"\n")).len(), 1);

    let delegated = HostFacts { control_groups: controllers("memory pids"), ..debian_13() };
    assert_eq!(
        not_ok(&delegated, &user("")),
        ["missing cgroup controller cpu: not delegated to your systemd"]
    );
    assert_eq!(refusals(&delegated, &user("[limits]\nio_weight = 5\n")).len(), 1);
    let stopped = HostFacts { control_groups: ControlGroups::Version2 { controllers: None }, ..debian_13() };
    assert_eq!(refusals(&stopped, &user(limits)), []);
}

#[test]
fn disks_are_judged_by_space_and_by_inodes() {
    let verdict = |bytes, inodes| {
        let facts = HostFacts { disks: vec![disk(bytes, inodes)], ..debian_13() };
        let findings = examine(&facts, &system(""));
        let found =
            findings.into_iter().find(|finding| finding.subject == "disk of /var/lib/homelab-runners");
        found.map(|finding| (finding.verdict, finding.breaks.is_some())).unwrap()
    };
    assert_eq!(verdict(10 << 30, Some(200_000)), (Verdict::Ok, false));
    assert_eq!(verdict(10 << 30, None), (Verdict::Ok, false));
    assert_eq!(verdict((10 << 30) - 1, None), (Verdict::Warning, false));
    assert_eq!(verdict((1 << 30) - 1, None), (Verdict::Missing, false));
    assert_eq!(verdict(0, None), (Verdict::Missing, true));
    assert_eq!(verdict(50 << 30, Some(199_999)), (Verdict::Warning, false));
    assert_eq!(verdict(50 << 30, Some(19_999)), (Verdict::Missing, false));
    assert_eq!(verdict(50 << 30, Some(0)), (Verdict::Missing, true));
}

#[test]
fn a_full_disk_is_refused_with_the_key_that_moves_what_is_on_it() {
    let reports = Disk { path: "/reports".into(), ..disk(0, None) };
    let facts = HostFacts { disks: vec![disk(4096, Some(9_000_000)), reports], ..debian_13() };
    assert_refused(
        &facts,
        &system("[paths]\nreports = \"/reports\"\n"),
        &[
            (
                "the fleet needs disk of /var/lib/homelab-runners: 0M and 9000000 inodes left",
                "free some, for one with `podman image prune`, or set paths.state to a place on another disk",
            ),
            (
                "the fleet needs disk of /reports: 0M left",
                "free some, for one with `podman image prune`, or set paths.reports to a place on another disk",
            ),
        ],
    );
}

#[test]
fn an_old_kernel_is_slow_or_wants_fuse_overlayfs_but_is_not_refused() {
    let with = |kernel| HostFacts { kernel: Version::in_text(kernel), ..debian_13() };
    assert!(
        not_ok(&with("5.15.0"), &private("")).join("").contains("no idmapped overlay mounts before 5.19")
    );
    assert!(not_ok(&with("5.10.0"), &user("")).join("").contains("needs fuse-overlayfs"));
    assert_eq!(not_ok(&with("5.15.0"), &user("")), [""; 0]);
    assert_eq!(not_ok(&with("5.10.0"), &system("")), [""; 0]);
}

#[test]
fn what_is_missing_and_not_broken_is_not_refused() {
    let facts = HostFacts {
        lingers: Some(false),
        is_clock_synchronized: Some(false),
        is_runtime_in_memory: Some(false),
        socket: Some(false),
        oci_runtime: MISSING,
        ..debian_13()
    };
    assert_eq!(refusals(&facts, &user("")), []);
    let lines = not_ok(&facts, &user("")).join("\n");
    for part in ["missing linger", "warning clock", "missing tmpfs", "warning socket", "warning OCI runtime"]
    {
        assert!(lines.contains(part), "{part} is not in\n{lines}");
    }
    assert!(!not_ok(&facts, &system("")).join("\n").contains("linger"), "a system's fleet needs no linger");
}

#[test]
fn the_table_has_a_line_for_each_finding_and_its_hint_below() {
    let finding = |subject: &str| Finding::ok(subject, "fine");
    let missing = Finding::missing("pasta", "not installed")
        .mended_by("apt install passt")
        .breaking("socket = \"private\"", Some("set socket = \"none\""));
    assert_eq!(
        table(&[finding("systemd"), missing, finding("clock")]),
        "ok       systemd  fine\n\
         missing  pasta    not installed\n         hint: apt install passt, or set socket = \"none\"\n\
         ok       clock    fine\n"
    );
    assert_eq!(table(&[]), "");
}

#[test]
fn a_server_whose_address_is_taken_is_refused_and_one_that_may_listen_is_not() {
    let reports = "[reports]\nlisten = \"127.0.0.1:9000\"\n";
    let monitor = "[monitor]\nlisten = \"127.0.0.1:9000\"\n";
    for (server, keys, key, off) in [
        (Server::Reports, reports, "reports.listen", "reports.serve = false"),
        (Server::Monitor, monitor, "monitor.listen", "monitor.enabled = false"),
    ] {
        let needs = system(keys);
        let with = |address| {
            let mut facts = debian_13();
            facts.listen.insert(server, address);
            facts
        };
        for address in [ListenAddress::Ours, ListenAddress::Absent, ListenAddress::Unknown] {
            assert_refused(&with(address), &needs, &[]);
        }
        let taken = format!("{key} = \"127.0.0.1:9000\" needs port 9000: another program listens there");
        let mend =
            format!("find it with `ss -ltnp 'sport = :9000'` and stop it, or set another {key}, or {off}");
        assert_refused(&with(ListenAddress::Taken), &needs, &[(&taken, &mend)]);
        // Nobody asks for the port of a server that is not to run.
        let (section, off) = off.split_once('.').unwrap();
        let without = system(&format!("[{section}]\n{off}\n"));
        assert_refused(&with(ListenAddress::Taken), &without, &[]);
    }
}

#[test]
fn a_certificate_that_is_no_good_is_refused_and_one_that_cannot_be_read_is_not() {
    let needs = system("");
    let certificate = |found| HostFacts { report_certificate: Some(found), ..debian_13() };
    assert_refused(&certificate(Certificate::Denied), &needs, &[]);
    let (words, mend) = ("cannot read /a".to_owned(), "give it".to_owned());
    let refusal = ("reports.tls needs certificate: cannot read /a", "give it, or leave reports.tls out");
    assert_refused(&certificate(Certificate::Unusable { words, mend }), &needs, &[refusal]);
}
