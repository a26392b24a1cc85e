use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use tempfile::TempDir;

use super::{Most, ReportTree};
use crate::reports::{Html, Location, Outcome, Source, Stats};

fn write(root: &TempDir, path: &str, text: &str) {
    let path = root.path().join(path);
    fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).unwrap();
    fs::write(path, text).unwrap();
}

fn started(root: &TempDir, directory: &str, when: &str) {
    let text = format!("{{\"version\":1,\"workflow\":\"CI\",\"started\":\"{when}\"}}");
    write(root, &format!("{directory}/.runnerctl/started.json"), &text);
}

#[test]
fn reports_are_read_newest_first() {
    let root = tempfile::tempdir().unwrap();
    started(&root, "ci/1/1-test-r1-a", "2020-01-01T00:00:00Z");
    started(&root, "ci/3/1-test-r1-a", "2020-01-03T00:00:00Z");
    started(&root, "nightly/2/1-test-r1-a", "2020-01-02T00:00:00Z");
    write(&root, "ci/3/1-test-r1-a/.runnerctl/finished.json", "{\"finished\":\"2020-01-03T00:01:00Z\"}");
    write(&root, "ci/3/1-test-r1-a/html/index.html", "<html></html><template></template>\n");
    let results =
        format!("{{\"suites\":\"{}\",\"stats\":{{\"duration\":5.5,\"flaky\":1}}}}", "x".repeat(1 << 20));
    write(&root, "ci/3/1-test-r1-a/results.json", &results);
    let scan = ReportTree::open(root.path()).unwrap().scan();
    let runs: Vec<&str> = scan.reports.iter().map(|report| report.run_id.as_str()).collect();
    assert_eq!((runs, scan.incomplete), (vec!["3", "2", "1"], false));
    let newest = scan.reports.first().unwrap();
    assert_eq!((newest.outcome(), newest.html), (Outcome::Flaky, Html::Complete));
    assert_eq!(newest.stats, Some(Stats { milliseconds: 5, flaky: 1, ..Stats::default() }));
    assert_eq!(newest.finished.as_deref(), Some("2020-01-03T00:01:00Z"));
}

#[test]
fn links_files_and_hidden_directories_are_no_reports() {
    let (root, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    started(&outside, "1/1-test-r1-a", "2020-01-01T00:00:00Z");
    write(&root, "ci/1/file", "");
    write(&root, ".hidden/1/1-a/x", "");
    symlink(outside.path(), root.path().join("linked")).unwrap();
    symlink(outside.path().join("1"), root.path().join("ci/2")).unwrap();
    symlink(outside.path().join("1/1-test-r1-a"), root.path().join("ci/1/job")).unwrap();
    assert_eq!(ReportTree::open(root.path()).unwrap().scan().reports, []);
}

#[test]
fn labels_that_are_links_pipes_or_too_long_label_nothing() {
    let root = tempfile::tempdir().unwrap();
    let secret = root.path().join("secret");
    fs::write(&secret, "{\"workflow\":\"secret\"}").unwrap();
    for (job, is_link) in [("a", true), ("b", false)] {
        let labels = root.path().join(format!("ci/1/{job}/.runnerctl"));
        fs::create_dir_all(&labels).unwrap();
        if is_link {
            symlink(&secret, labels.join("started.json")).unwrap();
        } else {
            let mode = rustix::fs::Mode::from_raw_mode(0o600);
            let kind = rustix::fs::FileType::Fifo;
            rustix::fs::mknodat(rustix::fs::CWD, labels.join("started.json"), kind, mode, 0).unwrap();
        }
    }
    let long = format!("{{\"workflow\":\"{}\"}}", "x".repeat(1 << 20));
    write(&root, "ci/1/c/.runnerctl/started.json", &long);
    let scan = ReportTree::open(root.path()).unwrap().scan();
    assert_eq!(scan.reports.len(), 3);
    assert!(scan.reports.iter().all(|report| report.started.is_none()), "{scan:?}");
}

#[test]
fn a_tree_of_any_size_is_read_up_to_a_bound() {
    let root = tempfile::tempdir().unwrap();
    for number in 0..30 {
        write(&root, &format!("ci/{number}/1-a/x"), "");
    }
    let tree = ReportTree::open(root.path()).unwrap();
    let bounded = |names, in_all| {
        let scan = ReportTree { most: Most { names, in_all }, ..tree.clone() }.scan();
        (scan.reports.len(), scan.incomplete)
    };
    assert_eq!(bounded(30, 61), (30, false));
    assert_eq!(bounded(29, 61), (29, true));
    assert_eq!(bounded(30, 38), (7, true));
}

#[test]
fn a_listing_has_files_and_directories_and_nothing_that_leads_elsewhere() {
    let root = tempfile::tempdir().unwrap();
    write(&root, "ci/1/1-a/b.txt", "12345");
    write(&root, "ci/1/1-a/html/index.html", "");
    symlink("/etc/passwd", root.path().join("ci/1/1-a/passwd")).unwrap();
    let tree = ReportTree::open(root.path()).unwrap();
    let listing = tree.list(&Location::of_url_path("/ci/1/1-a/").unwrap()).unwrap();
    let found: Vec<(&str, Option<u64>)> =
        listing.entries.iter().map(|entry| (entry.name.as_str(), entry.bytes)).collect();
    assert_eq!(found, [("b.txt", Some(5)), ("html", None)]);
    assert_eq!(tree.list(&Location::of_url_path("/ci/1/1-a/b.txt").unwrap()), None);
    assert_eq!(tree.list(&Location::of_url_path("/ci/1/none").unwrap()), None);
}
