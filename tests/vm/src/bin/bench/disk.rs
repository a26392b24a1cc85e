//! `runnerctl generate --out` for 1,000 runners on a disk, beside a loop that writes the same files as safely: each synced, renamed
//! into place, and its directory synced. The disk is most of the time in both, and differs from minute to minute.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use homelab_runners_vm::{Error, Result};

use crate::runnerctl::{Runnerctl, temporary_directory};
use crate::sample::{median, timed};
use crate::table::Row;

const REPETITIONS: usize = 7;

const RUNNERS: u16 = 1000;

pub(crate) fn measure(runnerctl: &Runnerctl) -> Result<Vec<Row>> {
    let (mut ours, mut peer) = (Vec::new(), Vec::new());
    for _ in 0..REPETITIONS {
        let out = temporary_directory(runnerctl.directory())?;
        ours.push(timed(runnerctl.generate(RUNNERS)?.arg("--out").arg(out.path()))?);
        let copy = temporary_directory(runnerctl.directory())?;
        let failed = |source| Error::File { action: "copy to", path: copy.path().to_owned(), source };
        peer.push(synced_copy(out.path(), copy.path()).map_err(failed)?);
    }
    let what = format!("generate --out on a disk, {RUNNERS} runners");
    Ok(vec![Row::compared(&what, median(&ours), "write and sync", median(&peer))])
}

/// The time for the files; making the directories and reading what to write are not part of it.
fn synced_copy(from: &Path, to: &Path) -> io::Result<Duration> {
    let mut files = Vec::new();
    read_below(from, to, &mut files)?;
    let start = Instant::now();
    for (path, text) in &files {
        let temporary = path.with_file_name(".temporary");
        let mut file = File::create(&temporary)?;
        file.write_all(text)?;
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        if let Some(directory) = path.parent() {
            File::open(directory)?.sync_all()?;
        }
    }
    Ok(start.elapsed())
}

/// Collects the files below `from` under the names they get below `to`, where the directories are made.
fn read_below(from: &Path, to: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            read_below(&entry.path(), &target, files)?;
        } else {
            files.push((target, fs::read(entry.path())?));
        }
    }
    Ok(())
}
