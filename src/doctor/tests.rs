#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::PathBuf;

use super::*;
use crate::config::{Config, UnitFormat};
use crate::fleet::{Fleet, Layout, UserDirs};

fn there(version: &str) -> Program {
    Program::Found { path: PathBuf::from("/usr/bin/program"), version: Version::in_text(version) }
}

const MISSING: Program = Program::Missing { at: None };

fn os(id: &str, name: &str) -> OsRelease {
    OsRelease::parse(&format!("{id}\nPRETTY_NAME=\"{name}\"\n"))
}

/// A host where nothing is missing.
fn debian_13() -> HostFacts {
    let ids = |start| Some(vec![SubordinateRange { owner: "alice".to_owned(), start, count: 65_536 }]);
    HostFacts {
        os: os("ID=debian", "Debian GNU/Linux 13 (trixie)"),
        kernel: Version::in_text("6.12.48+deb13-amd64"),
        control_groups: controllers("cpuset cpu io memory hugetlb pids rdma misc"),
        is_booted_with_systemd: Some(true),
        systemctl: there("systemd 257 (257.7-1~deb13u1)"),
        podman: there("podman version 5.4.2"),
        docker: MISSING,
        quadlet: true,
        oci_runtime: there(""),
        socket: Some(true),
        newuidmap: IdMapper::Able,
        newgidmap: IdMapper::Able,
        pasta: there(""),
        slirp4netns: MISSING,
        absent_account_programs: Vec::new(),
        uid: 1000,
        user: Some("alice".to_owned()),
        subuid: ids(100_000),
        subgid: ids(100_000),
        user_namespaces: UserNamespaces {
            most: Some(60_000),
            tried: Some(true),
            ..UserNamespaces::default()
        },
        network_namespaces: Some(true),
        selinux: SeLinux::Off,
        apparmor: Some(true),
        disks: vec![disk(50 << 30, Some(3_000_000))],
        is_runtime_in_memory: Some(true),
        is_clock_synchronized: Some(true),
        lingers: Some(true),
    }
}

fn debian_12() -> HostFacts {
    HostFacts {
        os: os("ID=debian", "Debian GNU/Linux 12 (bookworm)"),
        kernel: Version::in_text("6.1.0-38-amd64"),
        systemctl: there("systemd 252 (252.39-1~deb12u1)"),
        podman: there("podman version 4.3.1"),
        quadlet: false,
        pasta: MISSING,
        slirp4netns: there(""),
        ..debian_13()
    }
}

fn fedora() -> HostFacts {
    HostFacts {
        os: os("ID=fedora", "Fedora Linux 43 (Server Edition)"),
        selinux: SeLinux::Enforcing,
        apparmor: Some(false),
        ..debian_13()
    }
}

fn nixos() -> HostFacts {
    HostFacts {
        os: os("ID=nixos", "NixOS 25.11 (Xantusia)"),
        pasta: MISSING,
        oci_runtime: MISSING,
        ..debian_13()
    }
}

fn ubuntu_24_04(apparmor_lets_podman: Option<bool>) -> HostFacts {
    let user_namespaces = UserNamespaces {
        most: Some(60_000),
        clone: Some(1),
        apparmor_restricts: Some(1),
        apparmor_lets_podman,
        tried: Some(false),
    };
    HostFacts {
        os: os("ID=ubuntu\nID_LIKE=debian", "Ubuntu 24.04.3 LTS"),
        systemctl: there("systemd 255 (255.4-1ubuntu8.10)"),
        podman: there("podman version 4.9.3"),
        slirp4netns: there(""),
        user_namespaces,
        ..debian_13()
    }
}

/// Nothing could be read.
fn unknown() -> HostFacts {
    HostFacts {
        os: os("", ""),
        kernel: None,
        control_groups: ControlGroups::Unknown,
        is_booted_with_systemd: None,
        systemctl: MISSING,
        podman: there(""),
        socket: None,
        user: None,
        subuid: None,
        subgid: None,
        user_namespaces: UserNamespaces::default(),
        network_namespaces: None,
        selinux: SeLinux::Unknown,
        apparmor: None,
        disks: vec![Disk { path: "/x".into(), bytes_available: None, inodes_available: None }],
        is_runtime_in_memory: None,
        is_clock_synchronized: None,
        lingers: None,
        ..debian_13()
    }
}

fn controllers(names: &str) -> ControlGroups {
    ControlGroups::Version2 { controllers: Some(names.split_whitespace().map(str::to_owned).collect()) }
}

fn disk(bytes: u64, inodes: Option<u64>) -> Disk {
    Disk { path: "/var/lib/homelab-runners".into(), bytes_available: Some(bytes), inodes_available: inodes }
}

fn fleet(layout: &Layout, keys: &str) -> Needs {
    let config = Config::parse(&format!("url = \"https://github.com/acme\"\n{keys}")).unwrap();
    Needs::of(&Fleet::new(&config, layout, UnitFormat::Quadlet), false)
}

fn system(keys: &str) -> Needs {
    fleet(&Layout::system(), keys)
}

fn private(keys: &str) -> Needs {
    system(keys).with_private_sockets()
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
    let expected = ["warning systemd: 252: restarts stay 5 s apart, since RestartSteps= came with 254"];
    assert_eq!(not_ok(&debian_12(), &private("unit_format = \"service\"\n")), expected);
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
fn everything_that_a_private_socket_lacks_is_said_at_once_and_only_to_who_asks_for_one() {
    let facts = HostFacts {
        newuidmap: IdMapper::Missing,
        newgidmap: IdMapper::Powerless,
        pasta: MISSING,
        network_namespaces: Some(false),
        absent_account_programs: vec!["useradd", "userdel"],
        ..debian_13()
    };
    let hint = |mend: &str| format!("{mend}, or set socket = \"none\"");
    let expected = [
        ("socket = \"private\" needs newuidmap: not installed", hint("apt install uidmap")),
        (
            "socket = \"private\" needs newgidmap: installed with neither the setuid bit nor a file capability",
            hint("apt install --reinstall uidmap"),
        ),
        ("socket = \"private\" needs pasta: not installed", hint("apt install passt")),
        (
            "socket = \"private\" needs network namespaces: not in this kernel",
            hint("install a kernel with CONFIG_NET_NS"),
        ),
        ("socket = \"private\" needs accounts: not installed: useradd, userdel", hint("apt install passwd")),
    ];
    let expected: Vec<_> = expected.iter().map(|(cause, hint)| (*cause, hint.as_str())).collect();
    assert_refused(&facts, &private(""), &expected);
    assert_refused(&facts, &system(""), &[]);
    let with_docker = HostFacts { docker: there("Docker version 26.1.5+dfsg1, build a"), ..facts };
    assert_refused(&with_docker, &system("engine = \"docker\"\n"), &[]);
}

#[test]
fn podman_before_5_wants_slirp4netns_and_from_then_on_pasta() {
    let pasta = |podman: &str, slirp4netns: Program| HostFacts {
        podman: there(podman),
        pasta: MISSING,
        slirp4netns,
        ..debian_13()
    };
    let subjects = |facts: &HostFacts| {
        let findings = examine(facts, &private(""));
        let refused = findings.into_iter().filter(|finding| finding.breaks.is_some());
        refused.map(|finding| finding.subject).collect::<Vec<_>>()
    };
    assert_eq!(subjects(&pasta("podman version 4.9.3", MISSING)), ["slirp4netns"]);
    assert!(subjects(&pasta("podman version 4.9.3", there(""))).is_empty());
    assert_eq!(subjects(&pasta("podman version 5.4.2", MISSING)), ["pasta"]);
    // containers.conf may name the old one, so it is told and not refused.
    let with_both = pasta("podman version 5.4.2", there(""));
    assert!(subjects(&with_both).is_empty());
    assert!(
        not_ok(&with_both, &private("")).join("").starts_with("missing pasta: not installed; slirp4netns is")
    );
    // Its version is not known: either may be what it wants.
    assert!(not_ok(&pasta("", there("")), &private("")).join("\n").contains("warning pasta"));
    assert_eq!(subjects(&pasta("", MISSING)), ["pasta"]);
}

#[test]
fn each_way_to_forbid_user_namespaces_has_its_own_remedy() {
    let with = |user_namespaces| HostFacts { user_namespaces, ..debian_13() };
    let restricted = |lets_podman| ubuntu_24_04(lets_podman).user_namespaces;
    let allowed = UserNamespaces { most: Some(60_000), ..UserNamespaces::default() };
    for (found, remedy) in [
        (UserNamespaces { most: Some(0), ..allowed.clone() }, "user.max_user_namespaces=15000"),
        (UserNamespaces { clone: Some(0), ..allowed.clone() }, "kernel.unprivileged_userns_clone=1"),
        (restricted(Some(false)), "give podman a profile with `userns,`"),
        (UserNamespaces { tried: Some(false), ..allowed.clone() }, "dmesg"),
    ] {
        let refused = refusals(&with(found.clone()), &private(""));
        let [(cause, hint)] = refused.as_slice() else { unreachable_facts(&found) };
        assert!(cause.starts_with("socket = \"private\" needs user namespaces: "), "{cause}");
        assert!(hint.contains(remedy) && hint.ends_with(", or set socket = \"none\""), "{hint}");
    }
    for found in [allowed.clone(), restricted(Some(true)), restricted(None), UserNamespaces::default()] {
        assert_eq!(refusals(&with(found), &private("")), []);
    }
    // What was made can be made, whatever AppArmor's switch says.
    let made = UserNamespaces { tried: Some(true), ..restricted(Some(false)) };
    assert_eq!(not_ok(&with(made), &private("")), [""; 0]);
    let nixos = HostFacts { user_namespaces: UserNamespaces { most: Some(0), ..allowed }, ..nixos() };
    let hints = refusals(&nixos, &private(""));
    assert!(
        hints
            .iter()
            .any(|(_, hint)| hint.contains("boot.kernel.sysctl.\"user.max_user_namespaces\" = 15000;"))
    );
}

#[expect(clippy::panic, reason = "tests")]
fn unreachable_facts(found: &UserNamespaces) -> ! {
    panic!("{found:?} should be refused once")
}

#[test]
fn a_users_own_fleet_needs_ids_of_that_user_and_gets_a_range_that_is_free() {
    let others = |count| {
        let other = SubordinateRange { owner: "bob".to_owned(), start: 165_536, count: 65_536 };
        let own = SubordinateRange { owner: "alice".to_owned(), start: 100_000, count };
        Some(vec![own, other])
    };
    let facts = HostFacts { subuid: others(10), subgid: others(65_536), ..debian_13() };
    assert_refused(
        &facts,
        &user(""),
        &[(
            "rootless Podman needs /etc/subuid: 10 ids for alice, and an image wants 65536",
            "sudo usermod --add-subuids 231072-296607 alice && podman system migrate, or run the fleet without --user",
        )],
    );
    // The system's fleet makes the accounts itself.
    assert_refused(&facts, &private(""), &[]);
    let none = HostFacts { subuid: Some(Vec::new()), subgid: Some(Vec::new()), ..nixos() };
    let hints = refusals(&none, &user(""));
    assert_eq!(hints.len(), 2);
    assert!(hints.iter().all(|(_, hint)| hint.starts_with("users.users.alice.autoSubUidGidRange = true;")));
}

#[test]
fn a_users_own_fleet_of_root_is_not_rootless_and_one_with_a_network_of_its_own_may_do_without_pasta() {
    let root = HostFacts { uid: 0, newuidmap: IdMapper::Missing, pasta: MISSING, ..debian_13() };
    assert_refused(&root, &user(""), &[]);
    let facts = HostFacts { pasta: MISSING, ..debian_13() };
    assert_eq!(refusals(&facts, &user("")).len(), 1);
    assert_eq!(not_ok(&facts, &user("network = \"host\"\n")), ["missing pasta: not installed"]);
    assert_refused(&facts, &user("network = \"host\"\n"), &[]);
    // What workflows start has the network of their own engine.
    assert_eq!(refusals(&facts, &private("network = \"host\"\n")).len(), 1);
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
