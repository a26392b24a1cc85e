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
    let maps: Vec<String> = ["u", "g"]
        .iter()
        .flat_map(|kind| {
            ids.engine_map().map(|(inside, outside, count)| format!("{kind}:{inside}:{outside}:{count}"))
        })
        .collect();
    let program =
        find("mount", std::env::var_os("PATH").as_deref()).unwrap_or_else(|| PathBuf::from("mount"));
    let mut command = Command::new(program);
    command
        .args(["--bind", "-o", &format!("ro,nodev,X-mount.idmap={}", maps.join(" "))])
        .arg(source)
        .arg(target);
    output(command).map(drop)
}
