//! The completed hook empties the workspace, and nothing else.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::bed::{WorkflowJob, is_root, names_in};

#[test]
fn the_workspace_is_emptied_and_stays() {
    let job = WorkflowJob::new();
    fs::create_dir(job.path("kept")).unwrap();
    fs::write(job.path("kept/file"), "").unwrap();
    job.give("kept");
    job.step(&format!(
        "for i in $(seq 1200); do : > \"-file $i\"; done; mkdir -p .git/objects deep/er; echo x > deep/er/file
        chmod 555 deep/er deep; : > $'new\\nline'; ln -s '{0}' link; ln -s '{0}/file' .link; : > '*'",
        job.path("kept").display()
    ));
    let ended = job.completed().without_harm();
    assert_eq!(ended.output, "");
    assert_eq!(names_in(&job.path("work/shop/shop")), [""; 0]);
    assert!(job.path("kept/file").is_file());
}

#[test]
fn it_is_left_alone_when_the_config_says_so() {
    let mut job = WorkflowJob::new();
    job.setting("clean_workspace", "");
    job.step(": > file");
    job.completed().without_harm();
    assert!(job.path("work/shop/shop/file").is_file());
}

#[test]
fn no_other_directory_is_ever_emptied() {
    for place in [
        "elsewhere/shop",
        "work",
        "work/shop",
        "work/_tool/node",
        "work/shop/../shop/shop",
        "work/link/shop",
        "work/shop/link",
        "link/shop/shop",
        "",
    ] {
        let mut job = WorkflowJob::new();
        fs::create_dir_all(job.path("elsewhere/shop")).unwrap();
        symlink(job.path("elsewhere"), job.path("work/link")).unwrap();
        symlink(job.path("elsewhere/shop"), job.path("work/shop/link")).unwrap();
        symlink(job.path("work"), job.path("link")).unwrap();
        let directory = if place.is_empty() { job.path("work/shop/shop") } else { job.path(place) };
        fs::write(directory.join("file"), "").unwrap();
        if place.is_empty() {
            job.without_env("GITHUB_WORKSPACE");
        } else {
            let text = format!("{}/{place}", job.path("").display().to_string().trim_end_matches('/'));
            job.env("GITHUB_WORKSPACE", text);
        }
        for owned in ["elsewhere", "elsewhere/shop", "work"] {
            job.give(owned);
        }
        assert_eq!(job.completed().without_harm().output, "", "{place}");
        assert!(directory.join("file").is_file(), "{place}");
    }
}

#[test]
fn files_of_another_user_stay_and_are_told() {
    if !is_root() {
        return;
    }
    let job = WorkflowJob::new();
    fs::create_dir(job.path("work/shop/shop/of\nroot")).unwrap();
    fs::set_permissions(job.path("work/shop/shop/of\nroot"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(job.path("work/shop/shop/of\nroot/file"), "").unwrap();
    job.step(": > own");
    let ended = job.completed().without_harm();
    assert_eq!(ended.output.lines().count(), 1, "{}", ended.output);
    assert!(ended.output.contains("$'of\\nroot'"), "{}", ended.output);
    assert_eq!(names_in(&job.path("work/shop/shop")), ["of\nroot"]);
}
