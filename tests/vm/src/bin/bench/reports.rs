//! The report server's index over many runs: the first page, the memory, and the start.

use std::fs;
use std::io;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use homelab_runners_vm::{Error, Result};

use crate::report_server::{ReportServer, asked};
use crate::runnerctl::{Runnerctl, temporary_directory};
use crate::sample::median;
use crate::table::{Row, time};

pub(crate) const RUNS: u32 = 10_000;

/// They lie in so many workflows.
const WORKFLOWS: u32 = 10;

const REPETITIONS: usize = 9;

/// Requests between two looks at the memory.
const MANY: usize = 1000;

/// Longer than the server takes its copy for fresh.
const STALE_AFTER: Duration = Duration::from_millis(2500);

/// What a visitor takes for at once.
const AIM: Duration = Duration::from_millis(50);

/// Memory that only wavers is flat.
const FLAT: f64 = 1.1;

pub(crate) fn measure(runnerctl: &Runnerctl) -> Result<Vec<Row>> {
    let (tree, empty) =
        (temporary_directory(runnerctl.directory())?, temporary_directory(runnerctl.directory())?);
    make(tree.path()).map_err(|source| Error::File {
        action: "write reports below",
        path: tree.path().to_owned(),
        source,
    })?;
    let (mut cold, mut cold_empty) = (Vec::new(), Vec::new());
    for _ in 0..REPETITIONS {
        cold.push(cold_start(runnerctl, tree.path())?);
        cold_empty.push(cold_start(runnerctl, empty.path())?);
    }
    let server = ReportServer::start(runnerctl, tree.path())?;
    let mut connection = server.connect()?;
    let mut ask = || {
        let begin = Instant::now();
        connection.get("/").map_err(asked)?;
        Ok(begin.elapsed())
    };
    ask()?;
    let before = server.resident()?;
    let kept = (0..MANY).map(|_| ask()).collect::<Result<Vec<_>>>()?;
    let mut changed = Vec::new();
    for number in 0..REPETITIONS {
        let run = tree.path().join(format!("workflow-0/new-{number}"));
        report(&run, 0).map_err(asked)?;
        thread::sleep(STALE_AFTER);
        changed.push(ask()?);
    }
    let after = server.resident()?;
    let limit = |what: String, taken| Row::compared(&what, taken, "limit", AIM).aim(1.0);
    Ok(vec![
        Row::new("reports serve: start to first page, no report", time(median(&cold_empty))),
        Row::new(format!("reports serve: start to first page, {RUNS} runs"), time(median(&cold))),
        limit(format!("index of {RUNS} runs, first page"), median(&kept)),
        limit(format!("index of {RUNS} runs, first page after a new run"), median(&changed)),
        Row::new(format!("resident after {MANY} pages and {REPETITIONS} readings more"), mebibytes(after))
            .beside(format!("after the first {}", mebibytes(before)), f64::from(after) / f64::from(before))
            .aim(FLAT),
    ])
}

fn mebibytes(kib: u32) -> String {
    format!("{:.1} MiB", f64::from(kib) / 1024.0)
}

/// From before the process to the end of its first page.
fn cold_start(runnerctl: &Runnerctl, directory: &Path) -> Result<Duration> {
    let begin = Instant::now();
    let server = ReportServer::start(runnerctl, directory)?;
    server.connect()?.get("/").map_err(asked)?;
    Ok(begin.elapsed())
}

/// So many runs that ended, in ten workflows.
pub(crate) fn make(tree: &Path) -> io::Result<()> {
    (0..RUNS).try_for_each(|number| {
        report(&tree.join(format!("workflow-{}/{number}", number % WORKFLOWS)), number)
    })
}

/// What Playwright and the hooks leave, as small as it goes.
fn report(run: &Path, number: u32) -> io::Result<()> {
    let job = run.join(format!("1-test-homelab-runner-1-{number:08x}"));
    fs::create_dir_all(job.join(".runnerctl"))?;
    fs::create_dir_all(job.join("html"))?;
    let (day, minute) = (number % 28 + 1, number % 60);
    let started = format!(
        "{{\"version\":1,\"repository\":\"acme/shop\",\"workflow\":\"Tests in browsers\",\"run_id\":\"{number}\",\
         \"run_attempt\":\"1\",\"workflow_job\":\"test\",\"runner\":\"homelab-runner-1\",\"ref\":\"refs/heads/main\",\
         \"sha\":\"{number:040x}\",\"actor\":\"someone\",\"event\":\"push\",\"started\":\"2026-01-{day:02}T10:{minute:02}:00Z\"}}"
    );
    fs::write(job.join(".runnerctl/started.json"), started)?;
    fs::write(
        job.join(".runnerctl/finished.json"),
        format!("{{\"version\":1,\"finished\":\"2026-01-{day:02}T10:{minute:02}:59Z\"}}"),
    )?;
    let failed = u32::from(number.is_multiple_of(7));
    let stats =
        format!("{{\"stats\":{{\"duration\":58123.4,\"expected\":40,\"unexpected\":{failed},\"flaky\":0}}}}");
    fs::write(job.join("results.json"), stats)?;
    fs::write(job.join("html/index.html"), "<!DOCTYPE html><template></template>\n")
}
