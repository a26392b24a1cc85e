use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use tempfile::TempDir;

use jiff::{SignedDuration, Timestamp};

use super::{Known, Most, ReportTree};
use crate::reports::{Evidence, Html, Location, Outcome, Source, Stats};

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
fn the_html_of_a_playwright_from_before_1_45_has_another_end() {
    let root = tempfile::tempdir().unwrap();
    let index = "ci/1/1-a/html/index.html";
    let html = || ReportTree::open(root.path()).unwrap().scan().reports.first().unwrap().html;
    write(
        &root,
        index,
        "<script>window.playwrightReportBase64 = \"data:application/zip;base64,AA==\";</script>",
    );
    assert_eq!(html(), Html::Complete);
    write(&root, index, "<script>window.playwrightReportBase64 = \"data:application/zip;base64,AA==");
    assert_eq!(html(), Html::Partial);
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

/// Readings are told that it is later than it is, so that no change falls into their present.
fn later(seconds: i64) -> Timestamp {
    Timestamp::now() + SignedDuration::from_secs(60 + seconds)
}

fn ended(root: &TempDir, directory: &str, passed: u32) {
    started(root, directory, "2020-01-01T00:00:00Z");
    write(root, &format!("{directory}/.runnerctl/finished.json"), "{\"finished\":\"2020-01-01T00:01:00Z\"}");
    write(root, &format!("{directory}/results.json"), &format!("{{\"stats\":{{\"expected\":{passed}}}}}"));
}

/// The tests that passed, in the order of the runs' ids.
fn passed(tree: &ReportTree, known: &mut Known, now: Timestamp) -> Vec<(String, u64)> {
    let mut found: Vec<_> = tree
        .index(known, now)
        .runs
        .iter()
        .map(|run| {
            let stats = run.reports().iter().filter_map(|report| report.stats);
            (run.run_id.clone(), stats.map(|stats| stats.expected).sum())
        })
        .collect();
    found.sort();
    found
}

#[test]
fn what_is_new_or_running_is_read_again_and_what_has_settled_is_not() {
    let root = tempfile::tempdir().unwrap();
    ended(&root, "ci/1/1-a", 1);
    started(&root, "ci/2/1-a", &Timestamp::now().to_string());
    let (tree, known) = (ReportTree::open(root.path()).unwrap(), &mut Known::default());
    let of = |counts: &[(&str, u64)]| -> Vec<(String, u64)> {
        counts.iter().map(|(id, count)| ((*id).to_owned(), *count)).collect()
    };
    assert_eq!(passed(&tree, known, later(0)), of(&[("1", 1), ("2", 0)]));
    // The first is rewritten in place, which no directory shows; the second is running.
    ended(&root, "ci/1/1-a", 10);
    ended(&root, "ci/2/1-a", 2);
    assert_eq!(passed(&tree, known, later(1)), of(&[("1", 1), ("2", 2)]));
    ended(&root, "ci/1/1-b", 5);
    ended(&root, "ci/3/1-a", 3);
    ended(&root, "nightly/4/1-a", 4);
    let all = of(&[("1", 15), ("2", 2), ("3", 3), ("4", 4)]);
    assert_eq!(passed(&tree, known, later(2)), all);
    fs::remove_dir_all(root.path().join("ci/2")).unwrap();
    fs::remove_dir_all(root.path().join("nightly")).unwrap();
    assert_eq!(passed(&tree, known, later(3)), of(&[("1", 15), ("3", 3)]));
}

#[test]
fn a_while_later_everything_is_read_again() {
    let root = tempfile::tempdir().unwrap();
    ended(&root, "ci/1/1-a", 1);
    let (tree, known) = (ReportTree::open(root.path()).unwrap(), &mut Known::default());
    let first = tree.index(known, later(0));
    ended(&root, "ci/1/1-a", 10);
    let second = tree.index(known, later(599));
    assert_eq!(first, second);
    assert_eq!(passed(&tree, known, later(600)), [("1".to_owned(), 10)]);
}

#[test]
fn a_change_in_the_same_moment_is_not_missed() {
    let root = tempfile::tempdir().unwrap();
    ended(&root, "ci/1/1-a", 1);
    let (tree, known) = (ReportTree::open(root.path()).unwrap(), &mut Known::default());
    assert_eq!(tree.index(known, Timestamp::now()).runs.len(), 1);
    // Whether or not the directory shows another time than before.
    ended(&root, "ci/1/1-a", 10);
    assert_eq!(passed(&tree, known, Timestamp::now()), [("1".to_owned(), 10)]);
}

#[test]
fn a_run_whose_directory_becomes_a_link_is_gone() {
    let (root, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    ended(&root, "ci/1/1-a", 1);
    ended(&outside, "1/1-a", 2);
    let (tree, known) = (ReportTree::open(root.path()).unwrap(), &mut Known::default());
    assert_eq!(tree.index(known, later(0)).runs.len(), 1);
    fs::remove_dir_all(root.path().join("ci/1")).unwrap();
    symlink(outside.path().join("1"), root.path().join("ci/1")).unwrap();
    assert_eq!(tree.index(known, later(1)).runs, []);
}

#[test]
fn a_bound_holds_for_what_is_known_too() {
    let root = tempfile::tempdir().unwrap();
    for number in 0..30 {
        ended(&root, &format!("ci/{number}/1-a"), 1);
    }
    let most = Most { names: 30, in_all: 38 };
    let tree = ReportTree { most, ..ReportTree::open(root.path()).unwrap() };
    let known = &mut Known::default();
    for second in 0..3 {
        let index = tree.index(known, later(second));
        assert_eq!((index.runs.len(), index.incomplete), (7, true), "{second}");
    }
}

#[test]
fn a_workflow_with_names_without_end_hides_no_other_one() {
    let root = tempfile::tempdir().unwrap();
    for number in 0..30 {
        ended(&root, &format!("a/{number}/1-a"), 1);
    }
    ended(&root, "z/1000/1-a", 7);
    let most = Most { names: 30, in_all: 40 };
    let tree = ReportTree { most, ..ReportTree::open(root.path()).unwrap() };
    let index = tree.index(&mut Known::default(), later(0));
    assert!(index.incomplete && index.run("z", "1000").is_some(), "{index:?}");
}

#[test]
fn the_oldest_screenshot_and_trace_are_found_and_no_link_is_one() {
    let root = tempfile::tempdir().unwrap();
    let html = "ci/1/1-a/html";
    write(&root, &format!("{html}/index.html"), "<template></template>");
    for (name, second) in [("b.png", 2), ("a.png", 3), ("z.zip", 1), ("y.zip", 4), ("c.md", 0)] {
        let path = format!("{html}/data/{name}");
        write(&root, &path, "x");
        let when = std::time::UNIX_EPOCH + std::time::Duration::from_secs(second);
        fs::File::options().write(true).open(root.path().join(path)).unwrap().set_modified(when).unwrap();
    }
    symlink("/etc/passwd", root.path().join(html).join("data/0.png")).unwrap();
    let tree = ReportTree::open(root.path()).unwrap();
    let evidence = || tree.scan().reports.first().unwrap().evidence.clone();
    let screenshot = Some("b.png".to_owned());
    assert_eq!(evidence(), Evidence { screenshot: screenshot.clone(), trace: None });
    write(&root, &format!("{html}/trace/index.html"), "");
    assert_eq!(evidence(), Evidence { screenshot, trace: Some("z.zip".to_owned()) });
}

#[test]
fn a_report_without_playwrights_html_names_what_else_is_there_and_counts_its_junit_tests() {
    let root = tempfile::tempdir().unwrap();
    let suites = "<testsuites tests=\"3\" failures=\"1\" time=\"2.5\"><testsuite/></testsuites>";
    for (path, text) in [
        ("junit.xml", suites),
        ("a.xml", "<project/>"),
        ("coverage/index.html", "<html>"),
        ("blob/report.zip", "PK"),
        ("notes.txt", "x"),
        (".runnerctl/started.json", "{}"),
    ] {
        write(&root, &format!("ci/1/1-a/{path}"), text);
    }
    symlink("/etc/passwd", root.path().join("ci/1/1-a/aaa.xml")).unwrap();
    let tree = ReportTree::open(root.path()).unwrap();
    let report = || tree.scan().reports.first().unwrap().clone();
    assert_eq!(report().others, ["a.xml", "blob", "coverage", "junit.xml", "notes.txt"]);
    let counted = Stats { milliseconds: 2500, expected: 2, unexpected: 1, ..Stats::default() };
    assert_eq!((report().stats, report().html), (Some(counted), Html::Missing));
    // Beside a whole HTML report the listing is enough, and Playwright's own counts go before.
    write(&root, "ci/1/1-a/html/index.html", "<template></template>");
    assert_eq!((report().others, report().outcome()), (Vec::new(), Outcome::Failed));
    write(&root, "ci/1/1-a/results.json", "{\"stats\":{\"expected\":7}}");
    assert_eq!(report().outcome(), Outcome::Passed);
}
