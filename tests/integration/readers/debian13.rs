//! Programs of Debian 13, unpacked once and kept in the cache.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use crate::golden::manifest_dir;

static TREE: LazyLock<PathBuf> = LazyLock::new(|| {
    let output =
        Command::new("bash").arg(manifest_dir().join("tests/integration/debian13.sh")).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    assert!(output.status.success(), "cannot unpack programs of Debian 13: {}", text(&output.stderr));
    PathBuf::from(text(&output.stdout))
});

pub(super) fn tree() -> &'static Path {
    &TREE
}

/// What a program said.
pub(super) struct Said {
    pub(super) is_success: bool,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

/// A program of the tree with the tree's own loader and libraries: those of this host may be older.
pub(super) fn command(program: &str) -> Command {
    let (triple, loader) = match std::env::consts::ARCH {
        "x86_64" => ("x86_64-linux-gnu", "ld-linux-x86-64.so.2"),
        "aarch64" => ("aarch64-linux-gnu", "ld-linux-aarch64.so.1"),
        other => panic!("the name of the loader of {other} is not known here"),
    };
    let libraries = tree().join("usr/lib").join(triple);
    let mut command = Command::new(libraries.join(loader));
    command.env_clear().arg("--library-path");
    command.arg(format!("{}:{}", libraries.display(), libraries.join("systemd").display()));
    command.arg(tree().join(program));
    command
}

/// Runs such a program to its end.
pub(super) fn run(program: &str, prepare: impl FnOnce(&mut Command)) -> Said {
    let mut command = command(program);
    prepare(&mut command);
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Said { is_success: output.status.success(), stdout: text(output.stdout), stderr: text(output.stderr) }
}
