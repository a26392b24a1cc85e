//! Hooks that the config or the image names run beside ours, as GitHub's runner would run them.

use std::fs;

use super::bed::WorkflowJob;

#[test]
fn a_started_hook_of_the_users_own_runs_after_ours_and_has_the_last_word() {
    let mut job = WorkflowJob::new();
    let hook = job.script(
        "started.sh",
        "pwd; grep -c RUNNERCTL_REPORT_DIR \"$GITHUB_ENV\"; echo \"$ACTIONS_RUNNER_HOOK_JOB_STARTED\"
        echo RUNNERCTL_REPORT_DIR=/mine >> \"$GITHUB_ENV\"; false; echo unreached",
    );
    job.setting("started", &hook);
    let ended = job.started();
    assert_eq!(ended.code, Some(1), "bash -e, and its failure is the workflow job's");
    let workspace = job.path("work/shop/shop");
    assert!(ended.output.ends_with(&format!("{}\n1\n{hook}\n", workspace.display())), "{}", ended.output);
    assert_eq!(ended.variables["RUNNERCTL_REPORT_DIR"], "/mine");
}

#[test]
fn a_completed_hook_of_the_users_own_runs_before_the_report_is_finished_and_the_workspace_emptied() {
    let mut job = WorkflowJob::new();
    let directory = job.started().without_harm().directory();
    let hook = job.script(
        "completed.sh",
        "cp log \"$RUNNERCTL_REPORT_DIR/log\"; ls -A \"$RUNNERCTL_REPORT_DIR/.runnerctl\"; exit 7",
    );
    job.setting("completed", &hook);
    job.step("echo x > log");
    let ended = job.completed();
    assert_eq!(ended.code, Some(7));
    assert!(ended.output.starts_with("started.json\n"), "{}", ended.output);
    assert!(directory.join("log").is_file() && directory.join(".runnerctl/finished.json").is_file());
    assert!(!job.path("work/shop/shop/log").exists());
}

#[test]
fn scripts_of_every_kind_are_run_by_what_github_runs_them_with() {
    let mut job = WorkflowJob::new();
    for version in ["node20", "node24"] {
        fs::create_dir_all(job.path(format!("externals/{version}/bin"))).unwrap();
        job.script(&format!("externals/{version}/bin/node"), &format!("echo {version} \"$@\""));
    }
    job.program("pwsh", "echo pwsh \"$@\"");
    for (name, expected) in [("it's a.js", "node24 HOOK\n"), ("it's a.ps1", "pwsh -command . 'HOOK'\n")] {
        let path = job.path(name).display().to_string();
        fs::write(&path, "").unwrap();
        job.setting("started", &path);
        let ended = job.started().without_harm();
        let path = if name.ends_with("ps1") { path.replace('\'', "''") } else { path };
        assert!(ended.output.ends_with(&expected.replace("HOOK", &path)), "{}", ended.output);
    }
}

#[test]
fn what_is_no_script_fails_as_it_does_without_us() {
    for (hook, message) in [
        (
            "relative.sh",
            "::error::relative.sh is not a valid path to a script. Make sure it ends in '.sh', '.ps1' or '.js'.",
        ),
        ("/bin/true", "::error::/bin/true is not a valid path to a script."),
        ("/nowhere/hook.sh", "::error::File doesn't exist: /nowhere/hook.sh"),
    ] {
        let mut job = WorkflowJob::new();
        job.setting("started", hook);
        let ended = job.started();
        assert_eq!(ended.code, Some(1), "{hook}");
        assert!(ended.output.contains(message), "{}", ended.output);
        assert!(ended.directory().starts_with(job.path("reports")), "ours ran all the same");
    }
}
