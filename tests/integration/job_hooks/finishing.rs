//! The completed hook: what becomes of a report when its workflow job has ended.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use homelab_runners::reports::Finished;

use super::bed::{URL, WorkflowJob, mode, names_in};

#[test]
fn a_report_is_marked_as_finished_and_linked_in_the_summary() {
    let mut job = WorkflowJob::new();
    let directory = job.started().without_harm().directory();
    job.step("mkdir \"$PLAYWRIGHT_HTML_OUTPUT_DIR\"; echo x > \"$PLAYWRIGHT_HTML_OUTPUT_DIR/index.html\"");
    let ended = job.completed().without_harm();
    let name = directory.file_name().unwrap().to_str().unwrap();
    assert_eq!(ended.summary, format!("[Report]({URL}r/ci/42/{name}/html/)\n"));
    let text = fs::read_to_string(directory.join(".runnerctl/finished.json")).unwrap();
    let label: Finished = serde_json::from_str(&text).unwrap();
    let time: jiff::Timestamp = label.finished.parse().unwrap();
    assert!(jiff::Timestamp::now().duration_since(time).as_secs().abs() < 60, "{time}");
    assert_eq!(names_in(&directory.join(".runnerctl")), ["finished.json", "started.json"]);
}

#[test]
fn files_of_any_kind_are_a_report() {
    let mut job = WorkflowJob::new();
    let directory = job.started().without_harm().directory();
    job.step("echo x > \"$RUNNERCTL_REPORT_DIR/coverage.txt\"");
    let name = directory.file_name().unwrap().to_str().unwrap().to_owned();
    assert_eq!(job.completed().without_harm().summary, format!("[Report]({URL}r/ci/42/{name}/)\n"));
    job.setting("url", "");
    let told = format!("Report: `/reports/ci/42/{name}` on the host of runner `homelab-runner-1`\n");
    assert_eq!(job.completed().without_harm().summary, told);
}

#[test]
fn a_workflow_job_without_a_report_leaves_nothing() {
    let mut job = WorkflowJob::new();
    job.started().without_harm();
    let ended = job.completed().without_harm();
    assert_eq!((ended.summary.as_str(), ended.output.as_str()), ("", ""));
    assert_eq!(names_in(&job.path("reports")), [""; 0]);
}

#[test]
fn what_others_filed_in_the_same_run_stays() {
    let mut first = WorkflowJob::new();
    let other = first.started().without_harm().directory();
    fs::write(other.join("junit.xml"), "").unwrap();
    first.started().without_harm();
    first.completed().without_harm();
    assert_eq!(first.only_directory("ci/42"), other);
}

#[test]
fn what_a_workflow_wrote_for_itself_alone_becomes_readable_and_no_link_is_followed() {
    let mut job = WorkflowJob::new();
    let directory = job.started().without_harm().directory();
    let outside = job.path("work/shop/shop/private");
    job.step(
        "umask 077; echo x > private; cd \"$RUNNERCTL_REPORT_DIR\"; mkdir -p html/data; echo x > html/data/a.png
        ln -s \"$GITHUB_WORKSPACE/private\" link; ln -s \"$GITHUB_WORKSPACE\" html/link",
    );
    job.setting("clean_workspace", "");
    job.completed().without_harm();
    assert_eq!(mode(&directory.join("html/data")), 0o755);
    assert_eq!(mode(&directory.join("html/data/a.png")), 0o644);
    assert_eq!(mode(&outside), 0o600);
}

#[test]
fn a_workflow_that_empties_its_temporary_directory_still_finishes_its_report() {
    let mut job = WorkflowJob::new();
    let directory = job.started().without_harm().directory();
    job.step("echo x > \"$RUNNERCTL_REPORT_DIR/junit.xml\"; rm -r \"${RUNNER_TEMP:?}\"/*");
    job.completed().without_harm();
    assert!(directory.join(".runnerctl/finished.json").is_file());
}

#[test]
fn what_is_forged_leads_to_nobody_elses_files() {
    let mut victim = WorkflowJob::new();
    let own = victim.started().without_harm().directory();
    let name = own.file_name().unwrap().to_str().unwrap().to_owned();
    // Another run's, another runner's, one out of the reports, and one behind a link.
    for (forged, other) in [
        ("../41/1-e2e-homelab-runner-1-AAAAAAAA", "reports/ci/41/1-e2e-homelab-runner-1-AAAAAAAA"),
        ("1-e2e-homelab-runner-2-AAAAAAAA", "reports/ci/42/1-e2e-homelab-runner-2-AAAAAAAA"),
        ("../../../elsewhere", "elsewhere"),
        ("1-e2e-homelab-runner-1-BBBBBBBB", "behind"),
    ] {
        let job = &victim;
        fs::create_dir_all(job.path(other).join(".runnerctl")).unwrap();
        fs::write(job.path(other).join(".runnerctl/started.json"), "{}").unwrap();
        fs::write(job.path(other).join("mine"), "").unwrap();
        fs::set_permissions(job.path(other).join("mine"), fs::Permissions::from_mode(0o600)).unwrap();
        for directory in [other.to_owned(), format!("{other}/.runnerctl"), format!("{other}/mine")] {
            job.give(directory);
        }
        if other == "behind" {
            std::os::unix::fs::symlink(job.path(other), job.path("reports/ci/42").join(forged)).unwrap();
        }
        fs::write(job.path("work/_temp/_runnerctl_report"), format!("{forged}\n")).unwrap();
        victim.env("RUNNERCTL_REPORT_DIR", format!("/reports/ci/42/{forged}"));
        let ended = victim.completed().without_harm();
        assert_eq!(ended.summary, "", "{forged}");
        assert_eq!(names_in(&victim.path(other).join(".runnerctl")), ["started.json"], "{forged}");
        assert_eq!(mode(&victim.path(other).join("mine")), 0o600, "{forged}");
    }
    fs::write(victim.path("work/_temp/_runnerctl_report"), name).unwrap();
    fs::write(own.join("junit.xml"), "").unwrap();
    assert_ne!(victim.completed().without_harm().summary, "", "its own is found again");
}
