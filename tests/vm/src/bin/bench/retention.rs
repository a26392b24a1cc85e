//! `reports prune` of many small runs, beside find(1) and rm(1) that delete as many of the same tree without a look at them.

use std::fs;
use std::path::Path;
use std::process::Command;

use homelab_runners_vm::{Error, Result};

use crate::reports::{RUNS, make};
use crate::runnerctl::{Runnerctl, temporary_directory};
use crate::sample::{median, timed};
use crate::table::{Row, time};

const REPETITIONS: usize = 5;

/// Each workflow keeps one run, and its last good and last failing ones.
const CONFIG: &str = "url = \"https://github.com/acme/shop\"\n[reports.retention]\nruns_max = 1\n";

pub(crate) fn measure(runnerctl: &Runnerctl) -> Result<Vec<Row>> {
    let (mut planned, mut ours, mut peer) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..REPETITIONS {
        let root = host(runnerctl)?;
        planned.push(timed(prune(runnerctl, root.path()).arg("--dry-run"))?);
        ours.push(timed(&mut prune(runnerctl, root.path()))?);
        let root = host(runnerctl)?;
        let mut find = Command::new("find");
        find.arg(reports(root.path())).args([
            "-mindepth",
            "2",
            "-maxdepth",
            "2",
            "-exec",
            "rm",
            "-r",
            "{}",
            "+",
        ]);
        peer.push(timed(&mut find)?);
    }
    let what = format!("reports prune: {RUNS} small runs");
    Ok(vec![
        Row::new(format!("{what}, planned alone"), time(median(&planned))),
        Row::compared(
            &format!("{what}, planned and deleted"),
            median(&ours),
            "find -exec rm -r",
            median(&peer),
        ),
    ])
}

/// A `--root` with a config and reports.
fn host(runnerctl: &Runnerctl) -> Result<tempfile::TempDir> {
    let root = temporary_directory(runnerctl.directory())?;
    let config = root.path().join("etc/homelab-runners/config.toml");
    let write = || {
        fs::create_dir_all(config.parent().unwrap_or(Path::new("/")))?;
        fs::write(&config, CONFIG)?;
        make(&reports(root.path()))
    };
    write().map_err(|source| Error::File { action: "write below", path: root.path().to_owned(), source })?;
    Ok(root)
}

fn reports(root: &Path) -> std::path::PathBuf {
    root.join("var/lib/homelab-runners/reports")
}

fn prune(runnerctl: &Runnerctl, root: &Path) -> Command {
    let mut command = runnerctl.command(&["reports", "prune", "--root"]);
    command.arg(root);
    command
}
