//! Peers from crates.io, in `bench-tools` of the target directory. Nobody needs them for anything else, so a host where one cannot be had only lacks its ratio.

use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The program of the crate of that name, installed there the first time; else why it is not there, in a line.
pub(crate) fn installed(name: &str, version: &str) -> Result<PathBuf, String> {
    let this = std::env::current_exe().map_err(|error| error.to_string())?;
    let target =
        this.parent().and_then(|profile| profile.parent()).ok_or("this program is in no target directory")?;
    let root = target.join("bench-tools");
    let program = root.join("bin").join(name);
    if program.is_file() {
        return Ok(program);
    }
    eprintln!("installing {name} {version} into {}", root.display());
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["install", "--quiet", "--locked", name, "--version", version, "--root"])
        .arg(&root)
        // A directory of its own, or it would wait for a build of this workspace.
        .env("CARGO_TARGET_DIR", root.join("build"))
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("cargo: {error}"))?;
    if output.status.success() {
        return Ok(program);
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let cause = said.lines().find_map(|line| line.strip_prefix("error: ")).unwrap_or("cargo install failed");
    Err(cause.to_owned())
}
