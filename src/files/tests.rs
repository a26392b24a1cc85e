#![expect(clippy::unwrap_used, reason = "tests")]

use std::os::unix::fs::symlink;

use super::*;
use crate::units::MARKER;

#[test]
fn a_written_file_has_its_mode_and_replaces_the_old_one() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a/b/unit.service");
    write(&path, b"one", 0o644).unwrap();
    write(&path, b"two", 0o600).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"two");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(names(path.parent().unwrap()).unwrap(), ["unit.service"]);
}

#[test]
fn only_plain_files_with_the_marker_are_ours() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    fs::write(at("ours"), format!("{MARKER}\n[Unit]\n")).unwrap();
    fs::write(at("script"), format!("#!/bin/bash\n{MARKER}\n")).unwrap();
    fs::write(at("foreign"), "[Unit]\n").unwrap();
    fs::write(at("late"), format!("[Unit]\n\n{MARKER}\n")).unwrap();
    fs::write(at("binary"), [0xff, 0xfe]).unwrap();
    symlink(at("ours"), at("link")).unwrap();
    fs::create_dir(at("directory")).unwrap();
    for name in ["ours", "script"] {
        assert!(matches!(found(&at(name)).unwrap(), Some(FoundFile::Ours { .. })), "{name}");
    }
    for name in ["foreign", "late", "binary", "link", "directory"] {
        assert_eq!(found(&at(name)).unwrap(), Some(FoundFile::Foreign), "{name}");
    }
    assert_eq!(found(&at("nothing")).unwrap(), None);
}

#[test]
fn the_leftovers_of_a_killed_run_are_swept_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join(".runnerctl-x1"), "").unwrap();
    fs::write(directory.path().join("other.tmp"), "").unwrap();
    sweep(directory.path()).unwrap();
    assert_eq!(names(directory.path()).unwrap(), ["other.tmp"]);
}

#[test]
fn the_lock_is_held_once_and_freed_when_dropped() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("lock");
    let held = Lock::take(&path).unwrap();
    assert!(held.is_some());
    assert!(Lock::take(&path).unwrap().is_none());
    drop(held);
    assert!(Lock::take(&path).unwrap().is_some());
}

#[test]
fn token_files_that_others_can_read_or_that_are_no_files_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(".env");
    let refusal = |path: &Path| read_tokens(path).err().unwrap().to_string();
    assert!(refusal(&path).ends_with("does not exist"));
    fs::write(&path, "RUNNER_TOKEN_1=CANARY").unwrap();
    for mode in [0o640, 0o604, 0o620, 0o602] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        assert!(refusal(&path).contains("open to other users"), "{mode:o}");
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(read_tokens(&path).is_ok());
    let link = directory.path().join("link");
    symlink(&path, &link).unwrap();
    assert!(read_tokens(&link).is_ok());
    assert!(refusal(directory.path()).contains("not a regular file"));
    assert!(refusal(Path::new("/dev/null")).contains("not a regular file"));
    // The next step is that of the secret that should be there.
    let hint = |kind| read_secret(&directory.path().join("gone"), kind).err().unwrap().hint();
    assert!(hint(SecretKind::Tokens).contains("RUNNER_TOKEN_1"));
    assert!(hint(SecretKind::Credential).contains("personal access token"));
}

#[test]
fn a_root_stands_before_absolute_paths() {
    assert_eq!(Root::below("/tmp/x".into()).at(Path::new("/etc/a")), Path::new("/tmp/x/etc/a"));
    assert_eq!(Root::host().at(Path::new("/etc/a")), Path::new("/etc/a"));
}

#[test]
fn of_what_a_container_wrote_only_small_plain_files_are_read() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    fs::write(at("plain"), "online\n").unwrap();
    assert_eq!(read_untrusted(&at("plain")).as_deref(), Some("online\n"));
    symlink(at("plain"), at("link")).unwrap();
    fs::create_dir(at("directory")).unwrap();
    fs::write(at("large"), vec![b'x'; 100_000]).unwrap();
    fs::write(at("binary"), [0xff]).unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, at("pipe"), rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    for name in ["link", "directory", "large", "binary", "pipe", "nothing"] {
        assert_eq!(read_untrusted(&at(name)), None, "{name}");
    }
}
