//! What was seen of a host. `None` and `Unknown`: it could not be read.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::{OsRelease, Server, SubordinateRange, Version};

/// What was seen of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostFacts {
    /// `/etc/os-release`
    pub os: OsRelease,
    /// Of the running kernel.
    pub kernel: Option<Version>,
    /// Control groups, as the fleet's scope has them.
    pub control_groups: ControlGroups,
    /// Was the host booted with systemd, `sd_booted(3)`?
    pub is_booted_with_systemd: Option<bool>,
    /// systemctl(1); its version is systemd's.
    pub systemctl: Program,
    /// podman(1)
    pub podman: Program,
    /// docker(1)
    pub docker: Program,
    /// Podman's Quadlet generator is there.
    pub quadlet: bool,
    /// crun(1), else runc(8).
    pub oci_runtime: Program,
    /// The engine's own socket is there.
    pub socket: Option<bool>,
    /// newuidmap(1)
    pub newuidmap: IdMapper,
    /// newgidmap(1)
    pub newgidmap: IdMapper,
    /// pasta(1)
    pub pasta: Program,
    /// slirp4netns(1)
    pub slirp4netns: Program,
    /// Which of useradd(8), usermod(8) and userdel(8) are not there.
    pub absent_account_programs: Vec<&'static str>,
    /// Number of the user that asks.
    pub uid: u32,
    /// Name of the user that asks.
    pub user: Option<String>,
    /// `/etc/subuid`, unless the ranges are kept somewhere else.
    pub subuid: Option<Vec<SubordinateRange>>,
    /// `/etc/subgid`, unless the ranges are kept somewhere else.
    pub subgid: Option<Vec<SubordinateRange>>,
    /// `user_namespaces(7)`
    pub user_namespaces: UserNamespaces,
    /// The kernel has `network_namespaces(7)`.
    pub network_namespaces: Option<bool>,
    /// selinux(8)
    pub selinux: SeLinux,
    /// apparmor(7) is on.
    pub apparmor: Option<bool>,
    /// File systems of the fleet's directories, each once.
    pub disks: Vec<Disk>,
    /// The runtime directory is in memory, not on a disk.
    pub is_runtime_in_memory: Option<bool>,
    /// The clock is set by the network.
    pub is_clock_synchronized: Option<bool>,
    /// The user's systemd runs without a login.
    pub lingers: Option<bool>,
    /// Where our servers are to listen; one that is absent is not to run, or was not looked at.
    pub listen: BTreeMap<Server, ListenAddress>,
    /// The report server's; `None`: it has none, or was not looked at.
    pub report_certificate: Option<Certificate>,
}

/// An address and port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListenAddress {
    /// Nobody listens there.
    Free,
    /// The fleet's own socket listens there.
    Ours,
    /// Somebody else listens there.
    Taken,
    /// No interface of this host has it.
    Absent,
    /// This user may not try.
    Unknown,
}

/// A certificate and its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Certificate {
    /// They belong together.
    Usable,
    /// This user may not read them.
    Denied,
    /// They are no good.
    Unusable {
        /// Why, with the file.
        words: String,
        /// The next step.
        mend: String,
    },
}

/// A program on this host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Program {
    /// In none of the usual places, or not where it was said to be.
    Missing {
        /// Where it was said to be.
        at: Option<PathBuf>,
    },
    /// There.
    Found {
        /// Where.
        path: PathBuf,
        /// What it says of itself; `None` also where it was not asked.
        version: Option<Version>,
    },
}

impl Program {
    /// Its version, where it is there and says one.
    #[must_use]
    pub fn version(&self) -> Option<Version> {
        match self {
            Self::Missing { .. } => None,
            Self::Found { version, .. } => *version,
        }
    }

    /// Is it there?
    #[must_use]
    pub fn is_there(&self) -> bool {
        matches!(self, Self::Found { .. })
    }
}

/// newuidmap(1) or newgidmap(1), from bad to good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum IdMapper {
    /// In none of the usual places.
    Missing,
    /// There, with neither the setuid bit nor a file capability: it can map nothing.
    Powerless,
    /// There.
    Able,
}

/// cgroups(7)
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ControlGroups {
    /// Not to be read.
    Unknown,
    /// Version 1, or both mixed.
    Version1,
    /// Version 2.
    Version2 {
        /// `cgroup.controllers` where the scope's slices begin; `None` where the user's systemd does not run.
        controllers: Option<BTreeSet<String>>,
    },
}

/// What decides whether somebody without privileges may make a user namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserNamespaces {
    /// `user.max_user_namespaces`
    pub most: Option<u64>,
    /// `kernel.unprivileged_userns_clone`; only some of Debian's kernels have it.
    pub clone: Option<u64>,
    /// `kernel.apparmor_restrict_unprivileged_userns`; 1 on Ubuntu from 23.10 on.
    pub apparmor_restricts: Option<u64>,
    /// Some profile in `/etc/apparmor.d` lets Podman have them; `None` where that cannot be read.
    pub apparmor_lets_podman: Option<bool>,
    /// One was made, or could not be made; `None`: not tried.
    pub tried: Option<bool>,
}

/// selinux(8)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeLinux {
    /// Not in this kernel, or off.
    Off,
    /// It only writes down what it would refuse.
    Permissive,
    /// It refuses.
    Enforcing,
    /// Not to be read.
    Unknown,
}

/// Space on one file system, statvfs(3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disk {
    /// The directory of the fleet that is on it.
    pub path: PathBuf,
    /// Space for others than root, bytes; `None`: not to be read.
    pub bytes_available: Option<u64>,
    /// Files that can still be made; `None` where the file system has no fixed number, too.
    pub inodes_available: Option<u64>,
}
