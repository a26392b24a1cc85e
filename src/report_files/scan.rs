//! One workflow job's directory, read into a report.

use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use jiff::Timestamp;
use rustix::fs::{AtFlags, FileType, OFlags, Stat, fstat, statat};
use serde::de::DeserializeOwned;

use super::{below, file, names, tail};
use crate::reports::{Evidence, Finished, Html, OWN, Report, Stats, junit};

/// Files of the hooks that are longer are not theirs.
const LONGEST_LABEL: u64 = 16 * 1024;

/// `stats` has eight short lines.
const STATS_TAIL: u64 = 1024;

/// What Playwright's HTML reporter writes last: its data, which was a script in versions before.
const HTML_ENDS: [&str; 2] = ["</template>", "\";</script>"];

/// Names in `html/data` that are looked at for a screenshot and a trace, and names in a report for what else is there.
const MOST_EVIDENCE: usize = 500;

/// Other names that a line of the index has.
const MOST_OTHERS: usize = 5;

/// Bytes of such a name.
const LONGEST_OTHER: usize = 80;

/// Most counts are in the first line.
const JUNIT_HEAD: u64 = 64 * 1024;

/// Bytes of a screenshot that is shown in a table.
const LARGEST_SCREENSHOT: i64 = 4 * 1024 * 1024;

/// `None` where it is gone meanwhile.
pub(super) fn report(directory: &OwnedFd, [workflow, run_id, name]: [&str; 3]) -> Option<Report> {
    let found = fstat(directory).ok()?;
    let html = html(directory);
    let stats = end_of(directory, "results.json", STATS_TAIL).ok().and_then(|tail| Stats::of_tail(&tail));
    let others = if stats.is_none() || html != Html::Complete { others(directory) } else { Vec::new() };
    let finished: Option<Finished> = label(directory, "finished.json");
    Some(Report {
        workflow: workflow.to_owned(),
        run_id: run_id.to_owned(),
        directory: name.to_owned(),
        modified: Timestamp::from_second(found.st_mtime).unwrap_or(Timestamp::UNIX_EPOCH),
        started: label(directory, "started.json"),
        finished: finished.map(|finished| finished.finished),
        stats: stats.or_else(|| junit_stats(directory, &others)),
        html,
        evidence: if html == Html::Complete { evidence(directory) } else { Evidence::default() },
        others: if html == Html::Complete { Vec::new() } else { others },
    })
}

fn label<T: DeserializeOwned>(directory: impl AsFd, name: &str) -> Option<T> {
    let (mut file, found) = file(directory, &format!("{OWN}/{name}")).ok()?;
    if found.len() > LONGEST_LABEL {
        return None;
    }
    serde_json::from_str(&tail(&mut file, LONGEST_LABEL).ok()?).ok()
}

fn html(directory: &OwnedFd) -> Html {
    match end_of(directory, "html/index.html", 64) {
        Ok(end) if HTML_ENDS.iter().any(|last| end.trim_end().ends_with(last)) => Html::Complete,
        Ok(_) => Html::Partial,
        Err(_) if below(directory, "html", OFlags::PATH | OFlags::DIRECTORY).is_ok() => Html::Partial,
        Err(_) => Html::Missing,
    }
}

/// What is neither Playwright's nor the hooks', by name: links and pipes are not shown, long names are in the listing alone.
fn others(directory: &OwnedFd) -> Vec<String> {
    let (mut names, _) = names(directory, MOST_EVIDENCE).unwrap_or_default();
    names.retain(|name| {
        let is_known = name.starts_with('.') || matches!(name.as_str(), "html" | "results.json");
        let kind = |found: Stat| FileType::from_raw_mode(found.st_mode);
        let kind = statat(directory, name.as_str(), AtFlags::SYMLINK_NOFOLLOW).map(kind);
        let is_served = matches!(kind, Ok(FileType::RegularFile | FileType::Directory));
        !is_known && name.len() <= LONGEST_OTHER && is_served
    });
    names.truncate(MOST_OTHERS);
    names
}

/// Of the first XML file that is a `JUnit` report.
fn junit_stats(directory: &OwnedFd, names: &[String]) -> Option<Stats> {
    let mut found = names.iter().filter(|name| Path::new(name).extension().is_some_and(|end| end == "xml"));
    found.find_map(|name| {
        let mut text = Vec::new();
        file(directory, name).ok()?.0.take(JUNIT_HEAD).read_to_end(&mut text).ok()?;
        junit(&String::from_utf8_lossy(&text))
    })
}

fn end_of(directory: impl AsFd, path: &str, most: u64) -> io::Result<String> {
    tail(&mut file(directory, path)?.0, most)
}

/// Playwright copies attachments test by test, so the oldest is of the first test that has any.
fn evidence(directory: &OwnedFd) -> Evidence {
    let Ok(data) = below(directory, "html/data", OFlags::RDONLY | OFlags::DIRECTORY) else {
        return Evidence::default();
    };
    let (names, _) = names(&data, MOST_EVIDENCE).unwrap_or_default();
    let oldest = |end: &str, is_meant: fn(&Stat) -> bool| {
        let meant = names.iter().filter(|name| name.ends_with(end)).filter_map(|name| {
            let found = statat(&data, name.as_str(), AtFlags::SYMLINK_NOFOLLOW).ok()?;
            let is_file = FileType::from_raw_mode(found.st_mode) == FileType::RegularFile;
            (is_file && is_meant(&found)).then_some((found.st_mtime, found.st_mtime_nsec, name))
        });
        meant.min().map(|(_, _, name)| name.clone())
    };
    let has_viewer = file(directory, "html/trace/index.html").is_ok();
    Evidence {
        screenshot: oldest(".png", |found| found.st_size <= LARGEST_SCREENSHOT),
        trace: if has_viewer { oldest(".zip", |_| true) } else { None },
    }
}
