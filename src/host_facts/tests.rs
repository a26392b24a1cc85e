#![expect(clippy::unwrap_used, reason = "tests")]

use std::os::unix::fs::PermissionsExt;

use tempfile::TempDir;

use super::*;
use crate::doctor::{ControlGroups, IdMapper, SeLinux};
use crate::fleet::Scope;

/// A directory with these files.
fn host(files: &[(&str, &str)]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    root
}

fn controllers(root: &TempDir, scope: Scope) -> Option<String> {
    match control_groups(root.path(), scope, 1000) {
        ControlGroups::Version2 { controllers } => {
            controllers.map(|found| found.into_iter().collect::<Vec<_>>().join(" "))
        }
        other => Some(format!("{other:?}")),
    }
}

#[test]
fn an_empty_host_is_unknown_and_not_without_everything() {
    let root = host(&[]);
    let path = root.path();
    assert_eq!(os_release(path).name, None);
    assert_eq!(kernel(path), None);
    assert_eq!(control_groups(path, Scope::System, 0), ControlGroups::Unknown);
    assert_eq!(is_booted_with_systemd(path), None);
    assert_eq!(selinux(path), SeLinux::Unknown);
    assert_eq!((apparmor(path), network_namespaces(path)), (None, None));
    assert_eq!((lingers(path, "alice"), user(path, 1000)), (None, None));
    assert_eq!(subordinate_ranges(path, "subuid"), None);
    assert_eq!(user_namespaces(path).most, None);
}

#[test]
fn controllers_are_those_of_the_root_or_of_the_users_own_systemd() {
    let top = ("sys/fs/cgroup/cgroup.controllers", "cpu io memory pids\n");
    let user = "sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/cgroup.controllers";
    let root = host(&[top, (user, "memory pids\n")]);
    assert_eq!(controllers(&root, Scope::System).unwrap(), "cpu io memory pids");
    assert_eq!(controllers(&root, Scope::User).unwrap(), "memory pids");
    assert_eq!(controllers(&host(&[top]), Scope::User), None);
}

#[test]
fn version_1_and_mixed_control_groups_are_told_from_a_place_where_nothing_is_mounted() {
    for mounted in ["memory/tasks", "unified/cgroup.controllers", "systemd/tasks"] {
        let root = host(&[(&format!("sys/fs/cgroup/{mounted}"), "")]);
        assert_eq!(control_groups(root.path(), Scope::System, 0), ControlGroups::Version1, "{mounted}");
    }
    let root = host(&[("sys/fs/x", "")]);
    fs::create_dir(root.path().join("sys/fs/cgroup")).unwrap();
    assert_eq!(control_groups(root.path(), Scope::System, 0), ControlGroups::Unknown);
}

#[test]
fn ranges_that_are_kept_in_a_directory_service_are_unknown() {
    let subuid = ("etc/subuid", "alice:100000:65536\n");
    let of = |switch: &str| {
        let root = host(&[subuid, ("etc/nsswitch.conf", switch)]);
        subordinate_ranges(root.path(), "subuid").map(|ranges| ranges.len())
    };
    assert_eq!(of("passwd: files systemd\n"), Some(1));
    assert_eq!(of("subid:   files\n"), Some(1));
    assert_eq!(of("subid: sss\n"), None);
    assert_eq!(subordinate_ranges(host(&[subuid]).path(), "subgid"), Some(Vec::new()));
}

#[test]
fn a_mapper_of_ids_without_the_setuid_bit_is_powerless() {
    let root = host(&[("newuidmap", "")]);
    let program = root.path().join("newuidmap");
    let with = |mode| {
        fs::set_permissions(&program, fs::Permissions::from_mode(mode)).unwrap();
        id_mapper(&program)
    };
    assert_eq!(with(0o755), IdMapper::Powerless);
    assert_eq!(with(0o4755), IdMapper::Able);
    assert_eq!(id_mapper(&root.path().join("newgidmap")), IdMapper::Missing);
}

#[test]
fn apparmor_lets_podman_have_user_namespaces_where_some_profile_says_so() {
    let chrome = ("etc/apparmor.d/chrome", "profile chrome /opt/chrome flags=(unconfined) { userns, }\n");
    let podman =
        ("etc/apparmor.d/local-podman", "profile podman /usr/bin/podman flags=(unconfined) { userns, }\n");
    let restricts = ("proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1\n");
    let of = |files: &[(&str, &str)]| user_namespaces(host(files).path());
    assert_eq!(of(&[restricts, chrome]).apparmor_restricts, Some(1));
    assert_eq!(of(&[restricts, chrome]).apparmor_lets_podman, Some(false));
    assert_eq!(of(&[restricts, chrome, podman]).apparmor_lets_podman, Some(true));
    assert_eq!(of(&[restricts]).apparmor_lets_podman, Some(false));
}

#[test]
fn security_modules_are_on_off_or_permissive() {
    let of = |word: &str| selinux(host(&[("sys/fs/selinux/enforce", word)]).path());
    assert_eq!((of("1"), of("0\n")), (SeLinux::Enforcing, SeLinux::Permissive));
    assert_eq!(selinux(host(&[("sys/fs/cgroup/x", "")]).path()), SeLinux::Off);
    let of = |path: &str, word: &str| apparmor(host(&[(path, word)]).path());
    assert_eq!(of("sys/module/apparmor/parameters/enabled", "Y\n"), Some(true));
    assert_eq!(of("sys/module/apparmor/parameters/enabled", "N\n"), Some(false));
    assert_eq!(of("sys/module/loop/x", ""), Some(false));
}

#[test]
fn a_user_has_the_name_of_its_line_and_lingers_by_a_file_of_that_name() {
    let passwd =
        "root:x:0:0:root:/root:/bin/bash\nalice:x:1000:1000::/home/alice:/bin/bash\nbob:x:10:1000::/:/\n";
    let root = host(&[("etc/passwd", passwd), ("var/lib/systemd/linger/alice", "")]);
    assert_eq!(user(root.path(), 1000).as_deref(), Some("alice"));
    assert_eq!(user(root.path(), 100), None);
    assert_eq!(lingers(root.path(), "alice"), Some(true));
    assert_eq!(lingers(root.path(), "bob"), Some(false));
}

#[test]
fn places_that_do_not_exist_yet_are_on_the_disk_of_what_is_above_them() {
    let root = host(&[("var/lib/x", "")]);
    let places = ["/var/lib/homelab-runners", "/var/lib/homelab-runners/reports"].map(Path::new);
    let found = disks(root.path(), &places);
    assert_eq!(found.len(), 1, "one disk is told once");
    assert_eq!(found.first().map(|disk| disk.path.as_path()), places.first().copied());
    assert!(found.iter().all(|disk| disk.bytes_available.is_some()));
}

#[test]
fn proc_is_no_memory_and_dev_shm_is() {
    assert_eq!(is_in_memory(Path::new("/proc/self")), Some(false));
    if Path::new("/dev/shm").is_dir() {
        assert_eq!(is_in_memory(Path::new("/dev/shm/not/there")), Some(true));
    }
}
