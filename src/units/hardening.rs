//! What a unit may not do, systemd.exec(5). `systemd-analyze security` lists what is left open; why it has to be stands here.

use super::syntax::UnitText;
use crate::fleet::{Fleet, names};

/// What no container engine and no workflow has a use for. ptrace is left: debuggers are a fair use of a workflow.
const FORBIDDEN_CALLS: &str = "~@clock @cpu-emulation @module @obsolete @raw-io @reboot @swap";

/// Sockets of all other kinds, most of them never looked at, have been a way into the kernel more than once.
const SOCKETS: &str = "AF_UNIX AF_INET AF_INET6 AF_NETLINK AF_PACKET";

/// Rights that are for hosts, not for what runs containers.
const FORBIDDEN_RIGHTS: &str = "~CAP_AUDIT_CONTROL CAP_AUDIT_READ CAP_BLOCK_SUSPEND CAP_IPC_LOCK CAP_LEASE CAP_LINUX_IMMUTABLE \
    CAP_MAC_ADMIN CAP_MAC_OVERRIDE CAP_SYSLOG CAP_SYS_BOOT CAP_SYS_MODULE CAP_SYS_PACCT CAP_SYS_RAWIO CAP_SYS_TIME CAP_SYS_TTY_CONFIG \
    CAP_WAKE_ALARM";

/// Reads any file, deletes other people's, and from directories with a sticky bit; nothing else of root's.
const DELETES: &str = "CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_FOWNER";

/// For the unit of a runner, in which root starts the container.
///
/// Left open:
/// - a mount namespace of its own, and with it every `Private…=` and `Protect…=`: the engine's mounts have to be the host's, or the next command of the engine does not
///   find them;
/// - devices: images may hold device nodes, and unpacking them needs them all;
/// - all other rights, namespaces, users and networks: they are what root makes a container of. The container has Podman's or Docker's own short list.
/// - other architectures and personalities: 32-bit programs and debuggers in workflows.
pub(super) fn of_runner(text: &mut UnitText) {
    text.plain("CapabilityBoundingSet", FORBIDDEN_RIGHTS);
    of_all(text);
}

/// For the unit of a private engine, which runs without rights.
///
/// Left open:
/// - new privileges, `CAP_SETUID`, `CAP_SETGID`, `CAP_SYS_ADMIN`, `CAP_DAC_OVERRIDE` (bounding set only): newuidmap(1) and newgidmap(1);
/// - user and all other namespaces, mounts, setuid files, writable and executable memory: that is what containers are made of;
/// - `/proc` and `/sys` without covers (`ProtectKernelTunables=`, `ProtectKernelLogs=`, `ProtectProc=`, `ProtectHostname=`, `ProcSubset=`): the kernel lets a user
///   namespace mount a `/proc` only where none of the old one is covered;
/// - the control group file system: it is the engine's own, delegated;
/// - `/dev/net/tun` for pasta(1), `/dev/fuse` for fuse-overlayfs(1);
/// - the network: it is the runner's, as any workflow step has it;
/// - other architectures and personalities: 32-bit images and debuggers.
pub(super) fn of_engine(text: &mut UnitText) {
    for (key, value) in [
        ("UMask", "0077"),
        ("CapabilityBoundingSet", "CAP_SETUID CAP_SETGID CAP_SYS_ADMIN CAP_DAC_OVERRIDE"),
        ("DevicePolicy", "closed"),
        ("DeviceAllow", "/dev/net/tun rw"),
        ("DeviceAllow", "/dev/fuse rw"),
        ("PrivateIPC", "yes"),
        ("PrivateTmp", "yes"),
        ("ProtectClock", "yes"),
        ("ProtectHome", "tmpfs"),
        ("ProtectKernelModules", "yes"),
        ("ProtectSystem", "strict"),
        ("RemoveIPC", "yes"),
    ] {
        text.plain(key, value);
    }
    of_all(text);
}

/// For the unit that deletes files: it runs as root among files that others own. A user's systemd can do little of this, and the user namespace that
/// the containers' ids need is made by programs that gain privileges.
///
/// Left open:
/// - root, and its right to read and to delete any file: that is its work, below the state directory alone;
/// - sockets in the file system: systemd's bus and the runners' engines.
pub(super) fn of_prune(text: &mut UnitText, fleet: &Fleet) {
    text.plain("ReadWritePaths", fleet.layout.state.display());
    of_root(text, DELETES, "AF_UNIX");
}

/// For the unit that deletes reports; as [`of_prune`], but it speaks to nobody.
///
/// Left open:
/// - root, and its right to read and to delete any file: that is its work, below the reports directory alone.
pub(super) fn of_reports_prune(text: &mut UnitText, fleet: &Fleet) {
    // Before the first runner has started there is none.
    text.plain("ReadWritePaths", format!("-{}", fleet.layout.reports.display()));
    of_root(text, DELETES, "none");
}

fn of_root(text: &mut UnitText, rights: &str, sockets: &str) {
    for (key, value) in [
        ("CapabilityBoundingSet", rights),
        ("LockPersonality", "yes"),
        ("MemoryDenyWriteExecute", "yes"),
        ("NoNewPrivileges", "yes"),
        ("PrivateDevices", "yes"),
        ("PrivateNetwork", "yes"),
        ("PrivateTmp", "yes"),
        ("ProtectClock", "yes"),
        ("ProtectControlGroups", "yes"),
        ("ProtectHome", "read-only"),
        ("ProtectHostname", "yes"),
        ("ProtectKernelLogs", "yes"),
        ("ProtectKernelModules", "yes"),
        ("ProtectKernelTunables", "yes"),
        ("ProtectSystem", "strict"),
        ("RestrictAddressFamilies", sockets),
        ("RestrictNamespaces", "yes"),
        ("RestrictRealtime", "yes"),
        ("RestrictSUIDSGID", "yes"),
        ("SystemCallArchitectures", "native"),
        ("SystemCallErrorNumber", "EPERM"),
        ("SystemCallFilter", "@system-service"),
    ] {
        text.plain(key, value);
    }
}

/// For the report server, where the host's systemd runs it: a user that exists as long as the service does, and a namespace of each kind.
///
/// Left open:
/// - `AF_UNIX`: it says when it is ready. Visitors come through the socket that systemd opened, so no network is needed for them;
/// - its own `/proc`: systemd itself needs one to start a program.
pub(super) fn of_reports(text: &mut UnitText) {
    of_nobody(text);
    for (key, value) in [
        ("IPAddressDeny", "any"),
        ("PrivateNetwork", "yes"),
        ("ProcSubset", "pid"),
        ("ProtectHome", "yes"),
        ("ProtectProc", "invisible"),
    ] {
        text.plain(key, value);
    }
}

/// For the monitor, where the host's systemd runs it: a user that exists as long as the service does.
///
/// Left open:
/// - the network: it asks GitHub;
/// - `AF_UNIX`: systemd's bus, and the helper that restarts;
/// - everybody's processes in `/proc`, and the control groups, to be read: that is its work;
/// - the host's files, as far as everybody may read them; homes are empty.
pub(super) fn of_monitor(text: &mut UnitText) {
    of_nobody(text);
    // dbus-daemon(1) turns away whom it finds in no list of users, and Debian's does not find dynamic ones. Where there is no such account the user is dynamic all the same.
    text.plain("User", names::MONITOR_USER).plain("ProtectHome", "tmpfs");
}

/// For the helper that restarts runners.
///
/// Left open:
/// - root, which systemd lets restart units, without any of its rights over files and processes;
/// - sockets in the file system: systemd's bus, and the monitor's question.
pub(super) fn of_heal(text: &mut UnitText) {
    of_root(text, "", "AF_UNIX");
}

/// A user that exists as long as the service does, without rights and devices.
fn of_nobody(text: &mut UnitText) {
    for (key, value) in [
        // With it come NoNewPrivileges=, PrivateTmp=, ProtectSystem=strict, RemoveIPC= and RestrictSUIDSGID=.
        ("DynamicUser", "yes"),
        ("CapabilityBoundingSet", ""),
        ("DevicePolicy", "closed"),
        ("PrivateDevices", "yes"),
        ("PrivateIPC", "yes"),
        ("PrivateUsers", "yes"),
        ("ProtectClock", "yes"),
        ("ProtectControlGroups", "yes"),
        ("ProtectHostname", "yes"),
        ("ProtectKernelLogs", "yes"),
        ("ProtectKernelModules", "yes"),
        ("ProtectKernelTunables", "yes"),
    ] {
        text.plain(key, value);
    }
}

/// For a server under anybody's systemd: what needs no more than the promise to gain no privileges.
pub(super) fn of_any_server(text: &mut UnitText, sockets: &str) {
    for (key, value) in [
        ("LockPersonality", "yes"),
        ("MemoryDenyWriteExecute", "yes"),
        ("NoNewPrivileges", "yes"),
        ("RestrictAddressFamilies", sockets),
        ("RestrictNamespaces", "yes"),
        ("RestrictRealtime", "yes"),
        ("RestrictSUIDSGID", "yes"),
        ("SystemCallArchitectures", "native"),
        ("SystemCallErrorNumber", "EPERM"),
        ("SystemCallFilter", "@system-service"),
        ("SystemCallFilter", "~@privileged @resources"),
        ("UMask", "0077"),
    ] {
        text.plain(key, value);
    }
}

fn of_all(text: &mut UnitText) {
    text.plain("RestrictAddressFamilies", SOCKETS)
        .plain("RestrictRealtime", "yes")
        .plain("SystemCallErrorNumber", "EPERM")
        .plain("SystemCallFilter", FORBIDDEN_CALLS);
}
