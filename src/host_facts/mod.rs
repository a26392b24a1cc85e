//! The edge to the facts of a host that stand in files: `/proc`, `/sys`, `/etc`, what file systems have left, and which ports are free.
//!
//! Every function takes the directory that stands for `/`. No judgement here: `doctor` has that. `None` is "cannot be read".

mod accounts;
mod control_groups;
mod file_systems;
mod kernel;
mod network;

use std::fs;
use std::io;
use std::path::Path;

pub use accounts::{id_mapper, lingers, subordinate_ranges, uid, user};
pub use control_groups::control_groups;
pub use file_systems::{disks, is_in_memory};
pub use kernel::{
    apparmor, host_name, is_booted_with_systemd, kernel, network_namespaces, selinux, user_namespaces,
};
pub use network::listen_address;

use crate::doctor::{Distribution, OsRelease};

/// `/etc/os-release`, else `/usr/lib/os-release`, os-release(5).
#[must_use]
pub fn os_release(root: &Path) -> OsRelease {
    let text = text(&root.join("etc/os-release")).or_else(|| text(&root.join("usr/lib/os-release")));
    let nothing = || OsRelease { distribution: Distribution::Other, name: None };
    text.map_or_else(nothing, |text| OsRelease::parse(&text))
}

/// Is there something at `path`? `None` where this user may not look.
#[must_use]
pub fn is_there(path: &Path) -> Option<bool> {
    match fs::metadata(path) {
        Ok(_) => Some(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Some(false),
        Err(_) => None,
    }
}

/// The same for something below `directory`, of which nothing is known where that is not there itself.
fn is_below(directory: &Path, name: &str) -> Option<bool> {
    if is_there(directory)? { is_there(&directory.join(name)) } else { None }
}

fn text(path: &Path) -> Option<String> {
    fs::read_to_string(path).ok()
}

#[cfg(test)]
mod tests;
