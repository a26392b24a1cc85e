//! `runnerctl generate` for few and for 1,000 runners: does the time grow with the number of runners and no faster?
//!
//! To standard output, where rendering is all there is, and to files in memory. What a disk adds is another matter: `disk.rs`.

use std::path::Path;
use std::time::Duration;

use homelab_runners_vm::Result;

use crate::runnerctl::{Runnerctl, temporary_directory};
use crate::sample::{median, timed};
use crate::table::{Row, time};

/// All this takes so little that it has to be repeated to be told from the start of a process.
const REPETITIONS: usize = 31;

/// A file system in memory, on every Linux with a C library.
const MEMORY: &str = "/dev/shm";

const MANY: u16 = 1000;

/// Few enough to be somebody's fleet.
const FEW_FILES: u16 = 4;

/// Enough that rendering is most of the time.
const FEW_RENDERED: u16 = 250;

/// A tenth beyond linear growth is the noise of a machine that others use.
const AIM: f64 = 1.1;

pub(crate) fn measure(runnerctl: &Runnerctl) -> Result<Vec<Row>> {
    let (mut start, mut few, mut many) = (Vec::new(), Vec::new(), Vec::new());
    let (mut few_files, mut many_files) = (Vec::new(), Vec::new());
    for _ in 0..REPETITIONS {
        start.push(timed(&mut runnerctl.command(&["--version"]))?);
        few.push(timed(&mut runnerctl.generate(FEW_RENDERED)?)?);
        many.push(timed(&mut runnerctl.generate(MANY)?)?);
        few_files.push(to_files(runnerctl, FEW_FILES)?);
        many_files.push(to_files(runnerctl, MANY)?);
    }
    let start = median(&start);
    let mut rows = vec![Row::new("runnerctl --version (process start)", time(start))];
    rows.extend(growth("generate", FEW_RENDERED, start, median(&few), median(&many)));
    rows.extend(growth(
        "generate --out in memory",
        FEW_FILES,
        start,
        median(&few_files),
        median(&many_files),
    ));
    Ok(rows)
}

/// The two times, and their ratio beside that of the numbers of runners.
fn growth(what: &str, runners: u16, start: Duration, few: Duration, many: Duration) -> [Row; 3] {
    let work = |total: Duration| total.saturating_sub(start).as_secs_f64();
    let ratio = work(many) / work(few);
    let linear = f64::from(MANY) / f64::from(runners);
    [
        Row::new(format!("{what}, {runners} runners"), time(few)),
        Row::new(format!("{what}, {MANY} runners"), time(many)),
        Row::new(format!("{what}, growth less process start"), format!("{ratio:.1}"))
            .beside(format!("linear {linear:.0}"), ratio / linear)
            .aim(AIM),
    ]
}

/// Into a directory that is new each time: rewriting a file is another kind of work.
fn to_files(runnerctl: &Runnerctl, runners: u16) -> Result<Duration> {
    let out = temporary_directory(Path::new(MEMORY))?;
    timed(runnerctl.generate(runners)?.arg("--out").arg(out.path()))
}
