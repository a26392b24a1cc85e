//! `reports list` and `reports prune` below a directory: what is shown, what goes, and what nobody can make go.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use jiff::{SignedDuration, Timestamp};

use super::{Below, Called};

const CONFIG: &str = "url = \"https://github.com/acme/shop\"\ncount = 1\n[reports.retention]\n";
const REPORTS: &str = "var/lib/homelab-runners/reports";

fn with(retention: &str) -> Below {
    let below = Below::with_config(&format!("{CONFIG}{retention}"));
    fs::create_dir_all(at(&below, "")).unwrap();
    below
}

fn at(below: &Below, path: &str) -> PathBuf {
    below.at(&format!("{REPORTS}/{path}"))
}

fn has(below: &Below, path: &str) -> bool {
    fs::symlink_metadata(at(below, path)).is_ok()
}

fn json(called: &Called) -> serde_json::Value {
    serde_json::from_str(&called.stdout).unwrap()
}

fn ago(minutes: i64) -> String {
    (Timestamp::now() - SignedDuration::from_mins(minutes)).to_string()
}

/// One workflow job's report of two mebibytes, that began so many minutes ago; `word` is its outcome, or `running`.
fn report(below: &Below, path: &str, minutes: i64, word: &str) {
    let write = |name: &str, text: &str| below.write(&format!("{REPORTS}/{path}/{name}"), text);
    write(".runnerctl/started.json", &format!("{{\"run_attempt\":\"1\",\"started\":\"{}\"}}", ago(minutes)));
    write("trace.zip", &"x".repeat(2 << 20));
    if word == "running" {
        return;
    }
    let unexpected = u32::from(word == "failed");
    write(
        "results.json",
        &format!("{{\"stats\": {{\"duration\": 1000, \"expected\": 1, \"unexpected\": {unexpected}}}}}"),
    );
    write(".runnerctl/finished.json", &format!("{{\"finished\":\"{}\"}}", ago(minutes - 1)));
}

/// Nine runs of `ci`; the last but one passed, the last but two failed, the newest still runs.
fn nine(below: &Below) {
    report(below, "ci/9/1-test", 1, "running");
    report(below, "ci/8/1-test", 10, "passed");
    report(below, "ci/7/1-test", 20, "failed");
    for n in 1..=6 {
        report(below, &format!("ci/{n}/1-test"), 100 - n, "passed");
    }
}

#[test]
fn the_list_has_the_newest_first_and_can_be_narrowed_down() {
    let below = with("");
    nine(&below);
    report(&below, "nightly/1/1-a", 3000, "failed");
    report(&below, "nightly/1/1-b", 3000, "passed");
    let table = below.run("reports list").ends(0).stdout;
    let lines: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["WORKFLOW", "RUN", "OUTCOME", "STATE", "AGE", "SIZE", "REPORTS"]);
    assert_eq!(lines[1], ["ci", "9", "unknown", "running", "1min", "2M", "1"]);
    assert_eq!(lines[10], ["nightly", "1", "failed", "complete", "2d", "2h", "4M", "2"]);

    let failed = json(&below.run("reports list --outcome failed --json").ends(0));
    let ids: Vec<&str> =
        failed["runs"].as_array().unwrap().iter().map(|run| run["workflow"].as_str().unwrap()).collect();
    assert_eq!(ids, ["ci", "nightly"]);
    let run = &failed["runs"][1];
    assert_eq!(
        (&run["run_id"], &run["state"], &run["reports"]),
        (&"1".into(), &"complete".into(), &2.into())
    );
    assert!(run["bytes"].as_u64().unwrap() >= 4 << 20 && run["began"].as_str().unwrap().ends_with('Z'));
    assert_eq!(failed["incomplete"], false);
    assert_eq!(
        json(&below.run("reports list --workflow ci --state running --json"))["runs"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    below.run("reports list --workflow no-such").ends(0).says(&["no reports"]);
    below
        .run("reports list --outcome bad")
        .ends(2)
        .says(&["[possible values: failed, flaky, passed, unknown]"]);
}

#[test]
fn no_name_reaches_a_terminal_as_it_is() {
    let below = with("workflow_max = \"1M\"\n");
    report(&below, "ci\u{1b}[31m/1\u{202e}\n/a", 20, "passed");
    report(&below, "ci\u{1b}[31m/0\u{1b}]0;x\u{7}/a", 30, "passed");
    for call in ["reports list", "reports prune --dry-run", "reports prune"] {
        let called = below.run(call).ends(0);
        let shown = format!("{}{}", called.stdout, called.stderr);
        assert!(!shown.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{shown}");
        assert!(shown.contains("\\u{1b}[31m"), "{shown}");
    }
}

#[test]
fn the_oldest_go_and_what_has_to_stay_stays_over_every_budget() {
    let below = with("runs_max = 1\nworkflow_max = \"1M\"\ntotal_max = \"1M\"\n");
    nine(&below);
    let dry = below.run("reports prune --dry-run").ends(0);
    assert!(has(&below, "ci/1") && !has(&below, ".runnerctl"));
    let called = below.run("reports prune").ends(0).says(&[
        "freed up to 12M; 6M of reports stay",
        "\"ci\" has 2 runs more than runs_max, and what is left has to stay",
        "all reports has 5M more than total_max",
        "\"ci\" holds too much: its next workflow jobs file no report",
    ]);
    assert_eq!(called.stdout.replace("deleted", "would go"), dry.stdout);
    let first = called.stdout.lines().next().unwrap();
    assert_eq!(first, "deleted: \"ci/1\", 2M (runs_max)");
    let left = |n: u32| has(&below, &format!("ci/{n}"));
    assert_eq!((1..=9).filter(|n| left(*n)).collect::<Vec<_>>(), [7, 8, 9]);
    assert_eq!(fs::read_dir(at(&below, ".runnerctl/trash")).unwrap().count(), 0);
    below.run("reports prune").ends(0).says(&["nothing to delete"]);
}

#[test]
fn a_workflow_that_holds_too_much_is_marked_until_it_does_not() {
    let below = with("workflow_max = \"3M\"\n");
    report(&below, "ci/1/1-test", 1, "running");
    report(&below, "ci/2/1-test", 1, "running");
    report(&below, "small/1/1-test", 1, "running");
    let first = json(&below.run("reports prune --json").ends(0));
    assert_eq!(
        (&first["over_budget"], &first["removed"]),
        (&serde_json::json!(["ci"]), &serde_json::json!([]))
    );
    assert_eq!(fs::read_dir(at(&below, ".runnerctl/over-budget")).unwrap().count(), 1);
    assert!(has(&below, ".runnerctl/over-budget/ci"));
    let mode = |path: &str| fs::metadata(at(&below, path)).unwrap().permissions().mode() & 0o777;
    assert_eq!(
        (mode(".runnerctl"), mode(".runnerctl/over-budget"), mode(".runnerctl/trash")),
        (0o755, 0o755, 0o700)
    );
    // One of them ends, and is no longer wanted.
    report(&below, "ci/1/1-test", 5, "failed");
    report(&below, "ci/2/1-test", 9, "failed");
    let then = json(&below.run("reports prune --json").ends(0));
    assert_eq!((&then["over_budget"], &then["removed"][0]["name"]), (&serde_json::json!([]), &"2".into()));
    assert!(!has(&below, ".runnerctl/over-budget/ci") && has(&below, "ci/1"));
}

#[test]
fn the_json_says_what_went_and_why() {
    let below = with("runs_max = 3\n");
    nine(&below);
    let report = json(&below.run("reports prune --json").ends(0));
    assert_eq!(report["dry_run"], false);
    let removed = report["removed"].as_array().unwrap();
    assert_eq!(removed.len(), 6);
    let first = &removed[0];
    assert_eq!(
        (&first["workflow"], &first["name"], &first["run"]),
        (&"ci".into(), &"1".into(), &true.into())
    );
    assert_eq!(first["reason"], "runs_max");
    let sum: u64 = removed.iter().map(|removed| removed["bytes"].as_u64().unwrap()).sum();
    assert_eq!(report["freed_bytes"], sum);
    assert!(report["left_bytes"].as_u64().unwrap() >= 6 << 20);
    for empty in ["exceeded", "over_budget", "changed", "problems"] {
        assert_eq!(report[empty], serde_json::json!([]), "{empty}");
    }
}

#[test]
fn what_is_written_to_stays_and_so_does_what_says_nothing_for_an_hour() {
    let below = with("runs_max = 1\nworkflow_max = \"1M\"\ntotal_max = \"1M\"\n");
    // However old it claims to be.
    let long_ago = SystemTime::now() - Duration::from_secs(86_400 * 400);
    for name in ["ci/1/own", "ci/2/own", "core", ".cache/x"] {
        below.write(&format!("{REPORTS}/{name}/a"), &"x".repeat(2 << 20));
        let times = fs::FileTimes::new().set_modified(long_ago);
        for path in [format!("{name}/a"), name.to_owned()] {
            fs::File::open(at(&below, &path)).unwrap().set_times(times).unwrap();
        }
    }
    report(&below, "ci/3/1-test", 23 * 60, "running");
    report(&below, "ci/4/1-test", 5, "passed");
    let called = below.run("reports prune").ends(0);
    assert_eq!(called.stdout, "");
    for name in ["ci/1/own/a", "ci/2/own/a", "core/a", ".cache/x/a", "ci/3", "ci/4"] {
        assert!(has(&below, name), "{name}");
    }
}

#[test]
fn nothing_a_workflow_plants_leads_out_or_stops_it() {
    let below = with("runs_max = 1\n");
    let outside = below.at("precious");
    below.write("precious/a", "x");
    nine(&below);
    let job = |path: &str| at(&below, &format!("ci/1/1-test/{path}"));
    symlink(&outside, job("link")).unwrap();
    symlink(&outside, at(&below, "ci/link")).unwrap();
    symlink(&outside, at(&below, "top")).unwrap();
    symlink(&outside, at(&below, ".runnerctl")).unwrap();
    fs::write(job("bell\u{7}\n"), "x").unwrap();
    fs::create_dir_all(job("closed/inner")).unwrap();
    fs::set_permissions(job("closed"), fs::Permissions::from_mode(0o000)).unwrap();
    let deep = "d/".repeat(150);
    fs::create_dir_all(job(&deep)).unwrap();
    std::os::unix::net::UnixListener::bind(job("s")).map(drop).unwrap_or_default();

    let called = below.run("reports prune").ends(0);
    assert!(called.stdout.contains("deleted: \"ci/1\""), "{}", called.stdout);
    assert!(!has(&below, "ci/1") && outside.join("a").exists());
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
    assert!(fs::symlink_metadata(at(&below, ".runnerctl")).unwrap().is_dir());
    // The link is now one of the things that go in their time.
    let foreign = fs::read_dir(at(&below, "")).unwrap().filter(|entry| {
        entry.as_ref().unwrap().file_name().to_str().unwrap().starts_with(".runnerctl-foreign-")
    });
    assert_eq!(foreign.count(), 1);
}

#[test]
fn what_cannot_be_measured_counts_as_too_much_and_is_told() {
    let below = with("");
    report(&below, "ci/1/1-test", 1, "running");
    fs::create_dir_all(at(&below, &format!("ci/1/1-test/{}", "d/".repeat(300)))).unwrap();
    let called = below.run("reports prune --json").ends(1);
    assert_eq!(json(&called)["over_budget"], serde_json::json!(["ci"]));
    assert_eq!(
        json(&called)["problems"],
        serde_json::json!(["cannot look at all of \"ci/1\": it counts as too much"])
    );
}

#[test]
fn what_a_run_that_was_cut_off_moved_aside_is_deleted_and_counts_for_nothing() {
    let below = with("total_max = \"1M\"\n");
    report(&below, ".runnerctl/trash/77-0/1-test", 1, "running");
    fs::set_permissions(at(&below, ".runnerctl"), fs::Permissions::from_mode(0o755)).unwrap();
    below.run("reports prune --dry-run").ends(0).says(&["nothing to delete"]);
    assert!(has(&below, ".runnerctl/trash/77-0"));
    below.run("reports prune").ends(0);
    assert!(!has(&below, ".runnerctl/trash/77-0"));
}

#[test]
fn two_at_once_are_told_apart_and_without_reports_there_is_nothing_to_do() {
    let below = Below::with_config(CONFIG);
    below.run("reports prune").ends(0).says(&["nothing to delete"]);
    fs::create_dir_all(at(&below, "")).unwrap();
    below.run("reports prune").ends(0);
    let held = fs::File::open(at(&below, ".runnerctl/lock")).unwrap();
    held.lock().unwrap();
    below.run("reports prune").ends(2).says(&["another runnerctl reports prune is at work"]);
    below.run("reports prune --dry-run").ends(0);
}
