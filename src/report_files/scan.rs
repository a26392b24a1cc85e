//! The tree, read into reports.

use std::cell::Cell;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use jiff::Timestamp;
use rustix::fs::{OFlags, fstat};
use serde::de::DeserializeOwned;

use super::{Most, ReportTree, below, file, names, tail};
use crate::reports::{Finished, Html, Report, Scan, Stats};

/// Files of the hooks that are longer are not theirs.
const LONGEST_LABEL: u64 = 16 * 1024;

/// `stats` has eight short lines.
const STATS_TAIL: u64 = 1024;

/// What Playwright's HTML reporter writes last.
const HTML_END: &str = "</template>";

pub(super) fn scan(tree: &ReportTree) -> Scan {
    let mut scan = Scan::default();
    let Ok(top) = tree.directory(".") else { return scan };
    let walk = Walk { most: tree.most, left: Cell::new(tree.most.in_all), is_cut: Cell::new(false) };
    for (workflow, runs) in walk.directories(&top) {
        for (run_id, jobs) in walk.directories(&runs) {
            for (directory, opened) in walk.directories(&jobs) {
                scan.reports.extend(report(&opened, [&workflow, &run_id, &directory]));
            }
        }
    }
    scan.incomplete = walk.is_cut.get();
    in_order(scan)
}

/// How much may still be looked at.
struct Walk {
    most: Most,
    left: Cell<usize>,
    is_cut: Cell<bool>,
}

impl Walk {
    /// The directories in `parent`, each opened when it is its turn; hidden ones are no reports.
    fn directories(&self, parent: &OwnedFd) -> impl Iterator<Item = (String, OwnedFd)> {
        let most = self.most.names.min(self.left.get());
        let (found, is_cut) = names(parent, most).unwrap_or_default();
        self.left.set(self.left.get().saturating_sub(found.len()));
        self.is_cut.set(self.is_cut.get() || is_cut);
        let visible = found.into_iter().filter(|name| !name.starts_with('.'));
        visible.filter_map(move |name| {
            let opened = below(parent, &name, OFlags::RDONLY | OFlags::DIRECTORY).ok()?;
            Some((name, opened))
        })
    }
}

fn in_order(mut scan: Scan) -> Scan {
    scan.reports.sort_by_cached_key(|report| std::cmp::Reverse((report.began(), report.run_id.clone())));
    scan
}

fn report(directory: &OwnedFd, [workflow, run_id, name]: [&String; 3]) -> Option<Report> {
    let found = fstat(directory).ok()?;
    let finished: Option<Finished> = label(directory, ".runnerctl/finished.json");
    Some(Report {
        workflow: workflow.clone(),
        run_id: run_id.clone(),
        directory: name.clone(),
        modified: Timestamp::from_second(found.st_mtime).unwrap_or(Timestamp::UNIX_EPOCH),
        started: label(directory, ".runnerctl/started.json"),
        finished: finished.map(|finished| finished.finished),
        stats: end_of(directory, "results.json", STATS_TAIL).ok().and_then(|tail| Stats::of_tail(&tail)),
        html: html(directory),
    })
}

fn label<T: DeserializeOwned>(directory: impl AsFd, path: &str) -> Option<T> {
    let mut file = file(directory, path).ok()?;
    if file.metadata().ok()?.len() > LONGEST_LABEL {
        return None;
    }
    serde_json::from_str(&tail(&mut file, LONGEST_LABEL).ok()?).ok()
}

fn html(directory: &OwnedFd) -> Html {
    match end_of(directory, "html/index.html", 64) {
        Ok(end) if end.trim_end().ends_with(HTML_END) => Html::Complete,
        Ok(_) => Html::Partial,
        Err(_) if below(directory, "html", OFlags::PATH | OFlags::DIRECTORY).is_ok() => Html::Partial,
        Err(_) => Html::Missing,
    }
}

fn end_of(directory: impl AsFd, path: &str, most: u64) -> io::Result<String> {
    tail(&mut file(directory, path)?, most)
}
