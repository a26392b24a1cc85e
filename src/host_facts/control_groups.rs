//! Which controllers of cgroups(7) a systemd has to hand out.

use std::path::Path;

use super::{is_there, text};
use crate::doctor::ControlGroups;
use crate::fleet::Scope;

/// Control groups where the slices of `scope` begin: at the root, or below the systemd of the user `uid`.
#[must_use]
pub fn control_groups(root: &Path, scope: Scope, uid: u32) -> ControlGroups {
    let top = root.join("sys/fs/cgroup");
    // Only version 2 has this file at its top; a mixed host has version 2 below `unified`.
    match (is_there(&top), is_there(&top.join("cgroup.controllers"))) {
        (Some(true), Some(true)) => {}
        (Some(true), Some(false)) if has_version_1(&top) => return ControlGroups::Version1,
        _ => return ControlGroups::Unknown,
    }
    let place = match scope {
        Scope::System => top,
        Scope::User => top.join(format!("user.slice/user-{uid}.slice/user@{uid}.service")),
    };
    let words = text(&place.join("cgroup.controllers"));
    let controllers = words.map(|words| words.split_whitespace().map(str::to_owned).collect());
    ControlGroups::Version2 { controllers }
}

/// An empty directory is one where nothing is mounted, as in some containers.
fn has_version_1(top: &Path) -> bool {
    ["memory", "cpu", "cpu,cpuacct", "systemd", "unified"].iter().any(|name| top.join(name).is_dir())
}
