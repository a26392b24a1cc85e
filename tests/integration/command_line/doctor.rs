//! `doctor` on hosts that stand below a directory, and `install-units` where it refuses.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use super::{Below, Called, runnerctl};
use crate::golden::files_below;

const PRIVATE: [&str; 4] = ["newuidmap", "newgidmap", "pasta", "user namespaces"];

/// What every host here has: systemd, cgroup v2, Podman, all that a rootless one needs.
const HOST: [(&str, &str); 17] = [
    ("etc/passwd", "root:x:0:0:root:/root:/bin/bash\n"),
    ("proc/self/ns/net", ""),
    ("proc/sys/kernel/osrelease", "6.12.48-x\n"),
    ("proc/sys/user/max_user_namespaces", "60000\n"),
    ("run/systemd/system/x", ""),
    ("sys/fs/cgroup/cgroup.controllers", "cpuset cpu io memory hugetlb pids rdma misc\n"),
    ("sys/module/apparmor/parameters/enabled", "Y\n"),
    ("usr/bin/crun", ""),
    ("usr/bin/newgidmap", ""),
    ("usr/bin/newuidmap", ""),
    ("usr/bin/pasta", ""),
    ("usr/bin/podman", ""),
    ("usr/bin/systemctl", ""),
    ("usr/libexec/podman/quadlet", ""),
    ("usr/sbin/useradd", ""),
    ("usr/sbin/userdel", ""),
    ("usr/sbin/usermod", ""),
];

fn host(os_release: &str, without: &[&str], with: &[(&str, &str)]) -> Below {
    let below = Below::empty();
    below.write("etc/os-release", os_release);
    for (path, text) in HOST.iter().filter(|(path, _)| !without.contains(path)).chain(with) {
        below.write(path, text);
    }
    for mapper in ["newuidmap", "newgidmap"] {
        for directory in ["usr/bin", "run/wrappers/bin"] {
            let path = below.at(&format!("{directory}/{mapper}"));
            if path.exists() {
                fs::set_permissions(path, fs::Permissions::from_mode(0o4755)).unwrap();
            }
        }
    }
    below
}

const DEBIAN: &str = "PRETTY_NAME=\"Debian GNU/Linux 13 (trixie)\"\nID=debian\n";

/// Subject, verdict and all of each finding. Versions are not known below a root.
fn findings(called: &Called) -> Vec<(String, String, Value)> {
    let findings: Value = serde_json::from_str(&called.stdout).unwrap();
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap().to_owned();
    let findings = findings.as_array().unwrap().iter();
    findings.map(|finding| (text(finding, "subject"), text(finding, "verdict"), finding.clone())).collect()
}

fn missing(below: &Below, options: &str) -> Vec<(String, String)> {
    let called = below.run(&format!("doctor --json {options}"));
    let found: Vec<_> = findings(&called)
        .into_iter()
        .filter(|(_, verdict, _)| verdict == "missing")
        // The directory of the test is on a disk, or on a full one.
        .filter(|(subject, _, _)| subject != "tmpfs" && !subject.starts_with("disk of"))
        .map(|(subject, _, finding)| (subject, finding["mend"].as_str().unwrap_or("").to_owned()))
        .collect();
    assert!(found.is_empty() || called.code == 1, "{}", called.stdout);
    found
}

fn named(found: &[(&str, &str)]) -> Vec<(String, String)> {
    found.iter().map(|(subject, mend)| ((*subject).to_owned(), (*mend).to_owned())).collect()
}

#[test]
fn a_debian_host_without_a_config_is_examined_for_the_private_socket() {
    let below = host(DEBIAN, &[], &[]);
    let called =
        below.run("doctor --json").says(&["config.toml does not exist: this is for the default config"]);
    let found = findings(&called);
    for subject in PRIVATE {
        assert!(found.iter().any(|(found, verdict, _)| found == subject && verdict == "ok"), "{subject}");
    }
    assert_eq!(missing(&below, ""), []);
    // It has looked, and written nothing.
    assert!(!below.at("var").exists() && !below.at("etc/homelab-runners").exists());
}

#[test]
fn what_is_missing_is_mended_in_the_words_of_the_distribution() {
    let without = ["usr/bin/newuidmap", "usr/bin/pasta", "usr/sbin/useradd"];
    let of = |os_release: &str| missing(&host(os_release, &without, &[]), "");
    let expected = |newuidmap: &str, pasta: &str, accounts: &str| {
        named(&[("newuidmap", newuidmap), ("pasta", pasta), ("accounts", accounts)])
    };
    assert_eq!(of(DEBIAN), expected("apt install uidmap", "apt install passt", "apt install passwd"));
    assert_eq!(
        of("ID=fedora\nPRETTY_NAME='Fedora Linux 43'\n"),
        expected("dnf install shadow-utils", "dnf install passt", "dnf install shadow-utils")
    );
    assert_eq!(
        of("ID=arch\n"),
        expected("install newuidmap and newgidmap", "install pasta", "install useradd, usermod and userdel")
    );
}

#[test]
fn nixos_has_its_programs_elsewhere() {
    let without: Vec<&str> =
        HOST.iter().map(|(path, _)| *path).filter(|path| path.starts_with("usr/")).collect();
    let place = |name: &str| format!("run/current-system/sw/bin/{name}");
    let with: Vec<String> =
        ["podman", "systemctl", "useradd", "userdel", "usermod"].iter().map(|name| place(name)).collect();
    // A plain one is found first, and the wrapper is what counts.
    let wrappers = ["usr/local/bin/newuidmap", "run/wrappers/bin/newuidmap", "run/wrappers/bin/newgidmap"];
    let wrappers = wrappers.map(|path| (path, ""));
    let with: Vec<(&str, &str)> = with.iter().map(|path| (path.as_str(), "")).chain(wrappers).collect();
    let below = host("ID=nixos\nPRETTY_NAME=\"NixOS 25.11\"\n", &without, &with);
    below.write_config("url = \"https://github.com/acme\"\nunit_format = \"service\"\n");
    assert_eq!(missing(&below, ""), []);
    fs::remove_file(below.at("run/current-system/sw/bin/podman")).unwrap();
    assert_eq!(missing(&below, ""), named(&[("podman", "virtualisation.podman.enable = true;")]));
}

#[test]
fn ubuntus_restriction_matters_until_a_profile_lets_podman_through() {
    let ubuntu = "PRETTY_NAME=\"Ubuntu 24.04.3 LTS\"\nID=ubuntu\nID_LIKE=debian\n";
    let restricts = ("proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1\n");
    let below = host(ubuntu, &[], &[restricts]);
    let found = missing(&below, "");
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].0 == "user namespaces" && found[0].1.starts_with("give podman a profile"), "{found:?}");
    below.write(
        "etc/apparmor.d/podman",
        "profile podman /usr/bin/podman flags=(unconfined) {\n  userns,\n}\n",
    );
    assert_eq!(missing(&below, ""), []);
}

#[test]
fn debian_12_is_told_that_it_has_no_quadlet() {
    let below = host(
        "ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n",
        &["usr/libexec/podman/quadlet"],
        &[],
    );
    below.write_config("url = \"https://github.com/acme\"\nunit_format = \"quadlet\"\n");
    let called = below.run("doctor").ends(1);
    assert!(
        called.stdout.contains("\n         hint: install a newer Podman, or set unit_format = \"service\"\n"),
        "{}",
        called.stdout
    );
    below.write_config("url = \"https://github.com/acme\"\nunit_format = \"service\"\n");
    assert_eq!(missing(&below, ""), []);
}

#[test]
fn a_host_with_cgroup_v1_has_no_mode_that_works() {
    let below = host(DEBIAN, &["sys/fs/cgroup/cgroup.controllers"], &[("sys/fs/cgroup/memory/tasks", "")]);
    let called = below.run("doctor --json").ends(1);
    let found = findings(&called);
    let (_, verdict, finding) = found.iter().find(|(subject, _, _)| subject == "cgroup v2").unwrap();
    assert_eq!(verdict, "missing");
    assert_eq!(finding["breaks"]["what"], "the fleet");
    assert_eq!(finding["breaks"]["instead"], Value::Null);
}

#[test]
fn a_users_own_fleet_is_told_of_ids_and_of_linger() {
    let uid = rustix::process::geteuid().as_raw();
    let passwd = format!("alice:x:{uid}:100::/home/alice:/bin/bash\n");
    let group = format!("sys/fs/cgroup/user.slice/user-{uid}.slice/user@{uid}.service/cgroup.controllers");
    let with = [
        ("etc/passwd", passwd.as_str()),
        ("etc/subuid", "bob:100000:65536\n"),
        ("etc/subgid", "alice:100000:65536\n"),
        ("var/lib/systemd/x", ""),
        (group.as_str(), "memory pids\n"),
    ];
    let below = host(DEBIAN, &[], &with);
    let home = below.path().join("home");
    let config = below.at("config.toml");
    fs::write(&config, "url = \"https://github.com/acme\"\n").unwrap();
    let mut command = runnerctl();
    command.env("HOME", &home).env("XDG_RUNTIME_DIR", "/run/user/1").args(["doctor", "--user", "--config"]);
    command.arg(config).arg("--root").arg(below.path());
    let called = Called::from(command.assert()).ends(1);
    for line in ["hint: loginctl enable-linger alice", "missing  cgroup controller cpu"] {
        assert!(called.stdout.contains(line), "{line}\n{}", called.stdout);
    }
    let ids = [
        "hint: sudo usermod --add-subuids 165536-231071 alice && podman system migrate, or run the fleet without --user",
        "ok       /etc/subgid",
    ];
    for line in ids {
        // The Podman of root's own systemd needs none.
        assert_eq!(called.stdout.contains(line), uid != 0, "{line}\n{}", called.stdout);
    }
}

/// This host may have anything; the engine that is named here is on none.
#[test]
fn install_units_refuses_an_engine_that_is_not_there_and_writes_nothing() {
    let below = Below::with_config("");
    let at = |path: &str| below.at(path).display().to_string();
    let paths = format!(
        "[paths]\ntokens = \"{}\"\nstate = \"{}\"\nruntime = \"{}\"\n",
        at("etc/homelab-runners/.env"),
        at("state"),
        at("runtime")
    );
    below
        .write_config(&format!("url = \"https://github.com/acme\"\nengine = \"docker\"\ncount = 1\n{paths}"));
    let before = files_below(below.path());
    let mut command = runnerctl();
    command.args(["install-units", "--engine-program", "/nonexistent/docker", "--config"]);
    command.arg(below.at("etc/homelab-runners/config.toml"));
    let called = Called::from(command.assert()).ends(2);
    let called = called.says(&[
        "engine = \"docker\" needs docker: not installed (/nonexistent/docker does not exist)",
        "nothing was changed: this host lacks what the config asks for",
        "hint: `runnerctl doctor --config ",
    ]);
    assert!(!called.stderr.contains("needs newuidmap"), "nobody asked for it:\n{}", called.stderr);
    assert_eq!(files_below(below.path()), before);
}

/// Of this host, since nothing listens below another root.
#[test]
fn a_port_that_another_program_has_is_told_for_each_of_our_servers() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    for (section, without) in [("monitor", "monitor.enabled = false"), ("reports", "reports.serve = false")] {
        let below = Below::with_config(&format!(
            "url = \"https://github.com/acme\"\n[{section}]\nlisten = \"{address}\"\n"
        ));
        let mut command = runnerctl();
        command.args(["doctor", "--json", "--config"]).arg(below.at("etc/homelab-runners/config.toml"));
        let called = Called::from(command.assert()).ends(1);
        let subject = format!("port {}", address.port());
        let found = findings(&called).into_iter().find(|(found, ..)| *found == subject);
        let Some((_, verdict, finding)) = found else { panic!("{}", called.stdout) };
        assert_eq!(verdict, "missing");
        assert_eq!(finding["breaks"]["what"], format!("{section}.listen = \"{address}\""));
        assert_eq!(finding["breaks"]["instead"], format!("set another {section}.listen, or {without}"));
    }
}

#[test]
fn a_broken_config_ends_the_examination_before_it_begins() {
    let below = host(DEBIAN, &[], &[]);
    below.write_config("url = 7\n");
    let called = below.run("doctor").ends(2);
    assert_eq!(called.stdout, "");
}
