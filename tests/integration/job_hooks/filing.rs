//! The started hook: a directory for each workflow job.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use homelab_runners::fleet::RunnerPaths;
use homelab_runners::health;
use homelab_runners::reports::Started;

use super::bed::{WorkflowJob, mode, names_in};

fn started(directory: &Path) -> Started {
    let text = fs::read_to_string(directory.join(".runnerctl/started.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn the_steps_are_told_where_reporters_of_every_version_shall_write() {
    let mut job = WorkflowJob::new();
    let ended = job.started().without_harm();
    let directory = job.only_directory("ci/42");
    let variables: Vec<(String, String)> = ended.variables.clone().into_iter().collect();
    let at = |name: &str, file: &str| (name.to_owned(), directory.join(file).to_str().unwrap().to_owned());
    let never = |name: &str| (name.to_owned(), "never".to_owned());
    assert_eq!(
        variables,
        [
            never("PLAYWRIGHT_HTML_OPEN"),
            at("PLAYWRIGHT_HTML_OUTPUT_DIR", "html"),
            at("PLAYWRIGHT_HTML_REPORT", "html"),
            at("PLAYWRIGHT_JSON_OUTPUT_FILE", "results.json"),
            at("PLAYWRIGHT_JSON_OUTPUT_NAME", "results.json"),
            at("PLAYWRIGHT_JUNIT_OUTPUT_FILE", "junit.xml"),
            at("PLAYWRIGHT_JUNIT_OUTPUT_NAME", "junit.xml"),
            never("PW_TEST_HTML_REPORT_OPEN"),
            ("RUNNERCTL_REPORT_DIR".to_owned(), directory.to_str().unwrap().to_owned()),
        ]
    );
    let name = directory.file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with("1-e2e-homelab-runner-1-"), "{name}");
    assert!(ended.output.contains(&format!("/reports/ci/42/{name}")), "{}", ended.output);
}

#[test]
fn the_monitor_is_told_which_workflow_job_runs_even_where_no_report_can_be_filed() {
    let mut job = WorkflowJob::new();
    job.env("GITHUB_JOB", "e2e \"</td>\n");
    job.setting("layout", "");
    job.started();
    let file = job.path("work/_temp/_runnerctl_workflow_job");
    let expected = health::WorkflowJob {
        repository: "acme/shop".to_owned(),
        workflow: "ci".to_owned(),
        workflow_job: "e2e \"</td>\n".to_owned(),
        run_id: "42".to_owned(),
    };
    assert_eq!(health::WorkflowJob::of_json(&fs::read_to_string(&file).unwrap()), Some(expected));
    assert_eq!(mode(&file), 0o644);
    let paths = RunnerPaths::new(job.path(""), job.path("run"));
    assert_eq!(paths.workflow_job(), file);
}

#[test]
fn a_report_says_of_what_it_is() {
    let mut job = WorkflowJob::new();
    job.started().without_harm();
    let label = started(&job.only_directory("ci/42"));
    let time: jiff::Timestamp = label.started.parse().unwrap();
    assert!(jiff::Timestamp::now().duration_since(time).as_secs().abs() < 60, "{time}");
    let expected = Started {
        repository: "acme/shop".to_owned(),
        workflow: "ci".to_owned(),
        run_attempt: "1".to_owned(),
        workflow_job: "e2e".to_owned(),
        runner: "homelab-runner-1".to_owned(),
        git_ref: "refs/heads/main".to_owned(),
        sha: "0a1b2c".to_owned(),
        actor: "octocat".to_owned(),
        started: label.started.clone(),
    };
    assert_eq!(label, expected);
}

#[test]
fn a_report_server_can_read_it_whatever_the_mask() {
    let mut job = WorkflowJob::new();
    job.umask = "077";
    job.started().without_harm();
    let directory = job.only_directory("ci/42");
    for path in
        [directory.join(".runnerctl"), directory.clone(), job.path("reports/ci/42"), job.path("reports/ci")]
    {
        assert_eq!(mode(&path), 0o755, "{}", path.display());
    }
    assert_eq!(mode(&directory.join(".runnerctl/started.json")), 0o644);
    assert_eq!(names_in(&directory.join(".runnerctl")), ["started.json"], "nothing temporary stays");
}

#[test]
fn legs_of_a_matrix_never_share_a_directory() {
    let job = WorkflowJob::new();
    let reports = job.path("reports");
    let directories: BTreeSet<_> = std::thread::scope(|scope| {
        let legs: Vec<_> = (0..12)
            .map(|_| {
                scope.spawn(|| {
                    let mut leg = WorkflowJob::new();
                    // The same reports directory, the same everything.
                    fs::remove_dir(leg.path("reports")).unwrap();
                    symlink(&reports, leg.path("reports")).unwrap();
                    let directory = leg.started().without_harm().directory();
                    directory.file_name().unwrap().to_owned()
                })
            })
            .collect();
        legs.into_iter().map(|leg| leg.join().unwrap()).collect()
    });
    assert_eq!(directories.len(), 12);
    assert_eq!(names_in(&reports.join("ci/42")).len(), 12);
}

#[test]
fn a_layout_of_the_config_is_filled_in() {
    let mut job = WorkflowJob::new();
    job.setting("layout", "{owner}.{repository}-{workflow}/run-{run_id}");
    job.env("GITHUB_WORKFLOW", ".github/workflows/nightly.yml");
    job.started().without_harm();
    job.only_directory("acme.shop-nightly.yml/run-42");
}

#[test]
fn a_workflow_over_its_budget_files_nothing_and_is_not_disturbed() {
    let mut job = WorkflowJob::new();
    fs::create_dir_all(job.path("reports/.runnerctl/over-budget")).unwrap();
    fs::write(job.path("reports/.runnerctl/over-budget/ci"), "").unwrap();
    let ended = job.started().without_harm();
    assert!(
        ended.output.starts_with("::warning title=Report not kept::the reports of ci take more"),
        "{}",
        ended.output
    );
    assert!(ended.directory().starts_with(job.path("work/_temp")) && ended.directory().is_dir());
    job.step("mkdir \"$PLAYWRIGHT_HTML_OUTPUT_DIR\"; echo x > \"$PLAYWRIGHT_HTML_OUTPUT_DIR/index.html\"");
    assert_eq!(job.completed().without_harm().summary, "");
    assert_eq!(names_in(&job.path("reports")), [".runnerctl"]);
}

#[test]
fn no_link_that_a_workflow_left_leads_out_of_the_reports() {
    for planted in ["reports/ci", "reports/ci/42"] {
        let mut job = WorkflowJob::new();
        fs::create_dir(job.path("elsewhere")).unwrap();
        job.give("elsewhere");
        job.step(&format!(
            "cd '{}'; mkdir -p \"$(dirname {planted})\"; ln -s '{}' {planted}",
            job.path("").display(),
            job.path("elsewhere").display()
        ));
        let ended = job.started().without_harm();
        assert!(ended.output.contains("::warning"), "{planted}: {}", ended.output);
        assert!(ended.directory().starts_with(job.path("work/_temp")), "{planted}: {ended:?}");
        assert_eq!(names_in(&job.path("elsewhere")), [""; 0], "{planted}");
    }
}
