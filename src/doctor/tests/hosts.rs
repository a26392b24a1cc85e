//! Hosts as they come from their distribution, with what a fleet needs put in.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::doctor::{
    Certificate, ControlGroups, Disk, HostFacts, IdMapper, ListenAddress, OsRelease, Program, SeLinux,
    Server, SubordinateRange, UserNamespaces, Version,
};

pub(super) fn there(version: &str) -> Program {
    Program::Found { path: PathBuf::from("/usr/bin/program"), version: Version::in_text(version) }
}

pub(super) const MISSING: Program = Program::Missing { at: None };

pub(super) fn os(id: &str, name: &str) -> OsRelease {
    OsRelease::parse(&format!("{id}\nPRETTY_NAME=\"{name}\"\n"))
}

/// A host where nothing is missing.
pub(super) fn debian_13() -> HostFacts {
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
        listen: listen(ListenAddress::Free),
        report_certificate: None,
    }
}

pub(super) fn debian_12() -> HostFacts {
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

pub(super) fn fedora() -> HostFacts {
    HostFacts {
        os: os("ID=fedora", "Fedora Linux 43 (Server Edition)"),
        selinux: SeLinux::Enforcing,
        apparmor: Some(false),
        ..debian_13()
    }
}

pub(super) fn nixos() -> HostFacts {
    HostFacts {
        os: os("ID=nixos", "NixOS 25.11 (Xantusia)"),
        pasta: MISSING,
        oci_runtime: MISSING,
        ..debian_13()
    }
}

pub(super) fn ubuntu_24_04(apparmor_lets_podman: Option<bool>) -> HostFacts {
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
pub(super) fn unknown() -> HostFacts {
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
        listen: listen(ListenAddress::Unknown),
        report_certificate: Some(Certificate::Denied),
        ..debian_13()
    }
}

fn listen(found: ListenAddress) -> BTreeMap<Server, ListenAddress> {
    [Server::Reports, Server::Monitor].map(|server| (server, found)).into()
}

pub(super) fn controllers(names: &str) -> ControlGroups {
    ControlGroups::Version2 { controllers: Some(names.split_whitespace().map(str::to_owned).collect()) }
}

pub(super) fn disk(bytes: u64, inodes: Option<u64>) -> Disk {
    Disk { path: "/var/lib/homelab-runners".into(), bytes_available: Some(bytes), inodes_available: inodes }
}
