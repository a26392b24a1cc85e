//! Mounts whose ids are mapped, by mount(8) of util-linux ≥ 2.39.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{ProgramError, find, output};
use crate::fleet::IdRange;

/// Mounts `source` at `target`, read-only, so that its files belong to whom the engine of `ids` would have given them to had it written them itself.
///
/// # Errors
/// mount(8) is too old, or the kernel or file system cannot do it.
pub fn mount_for_engine(source: &Path, target: &Path, ids: IdRange) -> Result<(), ProgramError> {
    mount("ro,nodev", source, target, &ids.engine_map())
}

/// Mounts `source` at `target` so that on the disk all runners are one user, [`IdRange::shared_map`].
///
/// # Errors
/// mount(8) is too old, or the kernel or file system cannot do it.
pub fn mount_for_container(source: &Path, target: &Path, ids: IdRange) -> Result<(), ProgramError> {
    mount("nodev,nosuid", source, target, &ids.shared_map())
}

/// The same without a mapping, where the host cannot map.
///
/// # Errors
/// mount(8) is missing or refuses.
pub fn mount_as_it_is(source: &Path, target: &Path) -> Result<(), ProgramError> {
    mount("nodev,nosuid", source, target, &[])
}

fn mount(options: &str, source: &Path, target: &Path, map: &[(u32, u32, u32)]) -> Result<(), ProgramError> {
    let maps: Vec<String> = ["u", "g"]
        .iter()
        .flat_map(|kind| map.iter().map(move |(disk, host, count)| format!("{kind}:{disk}:{host}:{count}")))
        .collect();
    let map = if maps.is_empty() { String::new() } else { format!(",X-mount.idmap={}", maps.join(" ")) };
    let program =
        find("mount", std::env::var_os("PATH").as_deref()).unwrap_or_else(|| PathBuf::from("mount"));
    let mut command = Command::new(program);
    command.args(["--bind", "-o", &format!("{options}{map}")]).arg(source).arg(target);
    output(command).map(drop)
}
