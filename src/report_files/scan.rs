//! One workflow job's directory, read into a report.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use jiff::Timestamp;
use rustix::fs::{AtFlags, FileType, OFlags, Stat, fstat, statat};
use serde::de::DeserializeOwned;

use super::{below, file, names, tail};
use crate::reports::{Evidence, Finished, Html, OWN, Report, Stats};

/// Files of the hooks that are longer are not theirs.
const LONGEST_LABEL: u64 = 16 * 1024;

/// `stats` has eight short lines.
const STATS_TAIL: u64 = 1024;

/// What Playwright's HTML reporter writes last: its data, which was a script in versions before.
const HTML_ENDS: [&str; 2] = ["</template>", "\";</script>"];

/// Names in `html/data` that are looked at for a screenshot and a trace.
const MOST_EVIDENCE: usize = 500;

/// Bytes of a screenshot that is shown in a table.
const LARGEST_SCREENSHOT: i64 = 4 * 1024 * 1024;

/// `None` where it is gone meanwhile.
pub(super) fn report(directory: &OwnedFd, [workflow, run_id, name]: [&str; 3]) -> Option<Report> {
    let found = fstat(directory).ok()?;
    let html = html(directory);
    let finished: Option<Finished> = label(directory, "finished.json");
    Some(Report {
        workflow: workflow.to_owned(),
        run_id: run_id.to_owned(),
        directory: name.to_owned(),
        modified: Timestamp::from_second(found.st_mtime).unwrap_or(Timestamp::UNIX_EPOCH),
        started: label(directory, "started.json"),
        finished: finished.map(|finished| finished.finished),
        stats: end_of(directory, "results.json", STATS_TAIL).ok().and_then(|tail| Stats::of_tail(&tail)),
        html,
        evidence: if html == Html::Complete { evidence(directory) } else { Evidence::default() },
    })
}

fn label<T: DeserializeOwned>(directory: impl AsFd, name: &str) -> Option<T> {
    let mut file = file(directory, &format!("{OWN}/{name}")).ok()?;
    if file.metadata().ok()?.len() > LONGEST_LABEL {
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

fn end_of(directory: impl AsFd, path: &str, most: u64) -> io::Result<String> {
    tail(&mut file(directory, path)?, most)
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
