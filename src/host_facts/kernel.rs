//! The running kernel and its parameters.

use std::fs;
use std::path::Path;

use super::{is_below, is_there, text};
use crate::doctor::{SeLinux, UserNamespaces, Version};

/// Version of the running kernel.
#[must_use]
pub fn kernel(root: &Path) -> Option<Version> {
    Version::in_text(&text(&root.join("proc/sys/kernel/osrelease"))?)
}

/// What this host calls itself; `None` where the kernel has no name for it.
#[must_use]
pub fn host_name(root: &Path) -> Option<String> {
    let name = text(&root.join("proc/sys/kernel/hostname"))?.trim().to_owned();
    (!name.is_empty() && name != "(none)").then_some(name)
}

/// The test of `sd_booted(3)`.
#[must_use]
pub fn is_booted_with_systemd(root: &Path) -> Option<bool> {
    is_below(&root.join("run"), "systemd/system")
}

/// Does the kernel have `network_namespaces(7)`?
#[must_use]
pub fn network_namespaces(root: &Path) -> Option<bool> {
    is_below(&root.join("proc/self/ns"), "net")
}

/// selinux(8)
#[must_use]
pub fn selinux(root: &Path) -> SeLinux {
    let directory = root.join("sys/fs/selinux");
    match text(&directory.join("enforce")).as_deref().map(str::trim) {
        Some("1") => SeLinux::Enforcing,
        Some("0") => SeLinux::Permissive,
        _ if is_below(&root.join("sys/fs"), "selinux/enforce") == Some(false) => SeLinux::Off,
        _ => SeLinux::Unknown,
    }
}

/// Is apparmor(7) on?
#[must_use]
pub fn apparmor(root: &Path) -> Option<bool> {
    let modules = root.join("sys/module");
    match text(&modules.join("apparmor/parameters/enabled")) {
        Some(word) => Some(word.trim() == "Y"),
        None => is_below(&modules, "apparmor").filter(|is_there| !is_there),
    }
}

/// `user_namespaces(7)`, and what Debian and Ubuntu put before it. Nothing is tried here.
#[must_use]
pub fn user_namespaces(root: &Path) -> UserNamespaces {
    let number = |key: &str| text(&root.join("proc/sys").join(key))?.trim().parse().ok();
    UserNamespaces {
        most: number("user/max_user_namespaces"),
        clone: number("kernel/unprivileged_userns_clone"),
        apparmor_restricts: number("kernel/apparmor_restrict_unprivileged_userns"),
        apparmor_lets_podman: lets_podman(&root.join("etc/apparmor.d")),
        tried: None,
    }
}

/// Does some profile speak of podman and of `userns`? `None` where one of them cannot be read and none of the others does.
fn lets_podman(directory: &Path) -> Option<bool> {
    if !is_there(directory)? {
        return Some(false);
    }
    let mut all_read = true;
    for entry in fs::read_dir(directory).ok()? {
        let path = entry.ok()?.path();
        if !path.is_file() {
            continue;
        }
        match text(&path) {
            Some(profile) if profile.contains("podman") && profile.contains("userns") => return Some(true),
            Some(_) => {}
            None => all_read = false,
        }
    }
    all_read.then_some(false)
}
