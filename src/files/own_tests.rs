#![expect(clippy::unwrap_used, reason = "tests")]

use std::ffi::OsStr;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

fn tree(top: &tempfile::TempDir) -> Tree {
    Tree::open(top.path()).unwrap().unwrap()
}

fn own(top: &tempfile::TempDir) -> OwnDirectory {
    tree(top).own(OsStr::new(".own")).unwrap()
}

#[test]
fn it_is_made_once_and_its_trash_is_nobody_elses_to_look_into() {
    let top = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let own = own(&top);
        own.trash("trash").unwrap();
        own.directory("marks").unwrap();
    }
    let at = |path: &str| top.path().join(path);
    assert_eq!([mode(&at(".own")), mode(&at(".own/trash")), mode(&at(".own/marks"))], [0o755, 0o700, 0o755]);
    assert_eq!(names(top.path()).unwrap(), [".own"]);
}

#[test]
fn what_somebody_else_put_in_its_place_is_moved_away_and_never_written_to() {
    let outside = tempfile::tempdir().unwrap();
    let make: [&dyn Fn(&Path); 4] = [
        &|path| symlink(outside.path(), path).unwrap(),
        &|path| symlink("/nonexistent", path).unwrap(),
        &|path| fs::write(path, "x").unwrap(),
        &|path| {
            fs::create_dir(path).unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(0o777)).unwrap();
        },
    ];
    for make in make {
        let top = tempfile::tempdir().unwrap();
        make(&top.path().join(".own"));
        own(&top).trash("trash").unwrap();
        assert!(top.path().join(".own/trash").is_dir());
        assert!(fs::symlink_metadata(top.path().join(".own")).unwrap().is_dir());
        let mut left = names(top.path()).unwrap();
        left.sort();
        assert!(left.len() == 2 && left.iter().any(|name| name.starts_with(".own-foreign-")), "{left:?}");
    }
    assert!(names(outside.path()).unwrap().is_empty());
}

#[test]
fn it_keeps_exactly_the_files_that_are_wanted_and_follows_no_link() {
    let top = tempfile::tempdir().unwrap();
    let marks = own(&top).directory("marks").unwrap();
    let at = |name: &str| top.path().join(".own/marks").join(name);
    let wanted = |names: &[&str]| marks.keep_only(&names.iter().map(OsStr::new).collect::<Vec<_>>());
    wanted(&["a", "b"]).unwrap();
    wanted(&["b", "c"]).unwrap();
    let mut left = names(&top.path().join(".own/marks")).unwrap();
    left.sort();
    assert_eq!(left, ["b", "c"]);
    fs::write(top.path().join("precious"), "x").unwrap();
    symlink(top.path().join("precious"), at("d")).unwrap();
    wanted(&[]).unwrap();
    assert_eq!(fs::read_to_string(top.path().join("precious")).unwrap(), "x");
    assert!(names(&top.path().join(".own/marks")).unwrap().is_empty());
}

#[test]
fn its_lock_is_held_by_one_and_opened_by_nobody_else() {
    let top = tempfile::tempdir().unwrap();
    let first = own(&top).lock("lock").unwrap();
    assert!(first.is_some() && own(&top).lock("lock").unwrap().is_none());
    assert_eq!(mode(&top.path().join(".own/lock")), 0o600);
    drop(first);
    assert!(own(&top).lock("lock").unwrap().is_some());
}
