#![expect(clippy::unwrap_used, reason = "tests")]

use std::os::unix::fs::symlink;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::*;

/// A work folder in a directory of its own, with room for what is outside of it.
struct Bed(tempfile::TempDir);

impl Bed {
    fn new() -> Self {
        let bed = Self(tempfile::tempdir().unwrap());
        fs::create_dir(bed.at("work")).unwrap();
        bed
    }

    fn at(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn write(&self, path: &str, bytes: usize) {
        fs::create_dir_all(self.at(path).parent().unwrap()).unwrap();
        fs::write(self.at(path), vec![7; bytes]).unwrap();
    }

    fn tree(&self) -> Tree {
        Tree::open(&self.at("work")).unwrap().unwrap()
    }

    fn bytes(&self, entry: &str) -> u64 {
        self.tree().measure(Path::new(entry)).bytes
    }

    /// Moves `entry` aside and deletes it.
    fn prune(&self, entry: &str) -> bool {
        let trash = Trash::open(&self.at("trash")).unwrap();
        let moved = self.tree().move_aside(Path::new(entry), &trash).unwrap();
        trash.empty().unwrap();
        assert!(names(&self.at("trash")).unwrap().is_empty());
        moved
    }
}

const MIB: usize = 1 << 20;

fn is_about(bytes: u64, expected: usize) -> bool {
    let expected = expected as u64;
    (expected..expected + 64 * 1024).contains(&bytes)
}

#[test]
fn what_is_on_the_disk_is_counted_and_holes_are_not() {
    let bed = Bed::new();
    bed.write("work/shop/a/b", MIB);
    bed.write("work/shop/c", MIB);
    fs::File::create(bed.at("work/shop/hole")).unwrap().set_len(1 << 40).unwrap();
    let bytes = bed.bytes("shop");
    assert!(is_about(bytes, 2 * MIB), "{bytes}");
}

#[test]
fn a_file_with_several_names_counts_once_in_all_entries() {
    let bed = Bed::new();
    bed.write("work/one/a", MIB);
    fs::create_dir(bed.at("work/two")).unwrap();
    fs::hard_link(bed.at("work/one/a"), bed.at("work/one/b")).unwrap();
    fs::hard_link(bed.at("work/one/a"), bed.at("work/two/c")).unwrap();
    let mut tree = bed.tree();
    let (one, two) = (tree.measure(Path::new("one")).bytes, tree.measure(Path::new("two")).bytes);
    assert!(is_about(one, MIB) && is_about(two, 0), "{one} {two}");
}

#[test]
fn links_are_counted_as_links_and_deleted_as_links() {
    let bed = Bed::new();
    bed.write("outside/precious", MIB);
    fs::create_dir(bed.at("work/shop")).unwrap();
    symlink(bed.at("outside"), bed.at("work/shop/directory")).unwrap();
    symlink(bed.at("outside/precious"), bed.at("work/shop/file")).unwrap();
    symlink(bed.at("outside"), bed.at("work/evil")).unwrap();
    assert!(is_about(bed.bytes("shop"), 0) && is_about(bed.bytes("evil"), 0));
    assert!(bed.prune("shop") && bed.prune("evil"));
    assert!(names(&bed.at("work")).unwrap().is_empty());
    assert_eq!(fs::metadata(bed.at("outside/precious")).unwrap().len(), 1 << 20);
}

#[test]
fn a_link_on_the_way_leads_nowhere() {
    let bed = Bed::new();
    bed.write("outside/node/20/bin", 1);
    symlink(bed.at("outside"), bed.at("work/_tool")).unwrap();
    let mut tree = bed.tree();
    assert!(tree.names(Path::new("_tool")).unwrap().is_empty());
    assert!(tree.names(Path::new("_tool/node")).unwrap().is_empty());
    assert_eq!(tree.measure(Path::new("_tool/node/20")).bytes, 0);
    assert!(!bed.prune("_tool/node/20"));
    assert!(bed.at("outside/node/20/bin").exists());
}

#[test]
fn only_names_lead_down() {
    let bed = Bed::new();
    bed.write("outside/precious", 1);
    bed.write("work/shop/a", 1);
    let trash = Trash::open(&bed.at("trash")).unwrap();
    for path in ["../outside", "..", "/", "shop/../../outside"] {
        assert!(bed.tree().move_aside(Path::new(path), &trash).is_err(), "{path}");
    }
    assert!(bed.at("outside/precious").exists());
}

#[test]
fn a_work_folder_that_is_a_link_is_refused() {
    let bed = Bed::new();
    symlink(bed.at("work"), bed.at("link")).unwrap();
    assert!(Tree::open(&bed.at("link")).is_err());
    assert!(Tree::open(&bed.at("nothing")).unwrap().is_none());
}

#[test]
fn what_vanished_meanwhile_is_no_error() {
    let bed = Bed::new();
    bed.write("work/shop/a", 1);
    let mut tree = bed.tree();
    fs::remove_dir_all(bed.at("work/shop")).unwrap();
    let measured = tree.measure(Path::new("shop"));
    assert_eq!((measured.bytes, measured.incomplete), (0, false));
    assert!(!bed.prune("shop"));
}

#[test]
fn a_tree_deeper_than_any_path_or_descriptor_is_deleted() {
    let bed = Bed::new();
    let directory = rustix::fs::Mode::from_raw_mode(0o755);
    let open = |parent: &rustix::fd::OwnedFd| {
        rustix::fs::mkdirat(parent, "deep", directory).unwrap();
        rustix::fs::openat(parent, "deep", tree::DIRECTORY, rustix::fs::Mode::empty()).unwrap()
    };
    let mut inner = rustix::fs::open(bed.at("work"), tree::DIRECTORY, rustix::fs::Mode::empty()).unwrap();
    for _ in 0..3000 {
        inner = open(&inner);
    }
    assert!(bed.tree().measure(Path::new("deep")).incomplete);
    assert!(bed.prune("deep"));
}

#[test]
fn what_a_run_that_was_cut_off_left_is_deleted_by_the_next() {
    let bed = Bed::new();
    assert!(Trash::left_at(&bed.at("trash")).unwrap().is_none());
    bed.write("work/shop/a/b", 1);
    let trash = Trash::open(&bed.at("trash")).unwrap();
    assert_eq!(fs::metadata(bed.at("trash")).unwrap().permissions().mode() & 0o777, 0o700);
    bed.tree().move_aside(Path::new("shop"), &trash).unwrap();
    drop(trash);
    Trash::left_at(&bed.at("trash")).unwrap().unwrap().empty().unwrap();
    assert!(Trash::left_at(&bed.at("trash")).unwrap().is_none());
}

#[test]
fn what_cannot_be_deleted_is_named_and_keeps_nothing_else() {
    if rustix::process::geteuid().is_root() {
        return; // root may delete everything
    }
    let bed = Bed::new();
    bed.write("trash/locked/a", 1);
    bed.write("trash/other/a", 1);
    fs::set_permissions(bed.at("trash/locked"), fs::Permissions::from_mode(0o500)).unwrap();
    let error = Trash::open(&bed.at("trash")).unwrap().empty().unwrap_err().to_string();
    fs::set_permissions(bed.at("trash/locked"), fs::Permissions::from_mode(0o700)).unwrap();
    assert!(error.contains("trash/locked"), "{error}");
    assert_eq!(names(&bed.at("trash")).unwrap(), ["locked"]);
}

#[test]
fn what_may_not_be_read_is_told() {
    if rustix::process::geteuid().is_root() {
        return; // root may read everything
    }
    let bed = Bed::new();
    bed.write("work/shop/locked/a", 1);
    fs::set_permissions(bed.at("work/shop/locked"), fs::Permissions::from_mode(0o000)).unwrap();
    assert!(bed.tree().measure(Path::new("shop")).incomplete);
    fs::set_permissions(bed.at("work/shop/locked"), fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn when_something_was_changed_cannot_be_set() {
    let bed = Bed::new();
    let before = SystemTime::now() - Duration::from_secs(1);
    bed.write("work/shop/a", 10);
    for claimed in [UNIX_EPOCH, SystemTime::now() + Duration::from_secs(1 << 30)] {
        let times = fs::FileTimes::new().set_accessed(claimed).set_modified(claimed);
        for path in ["work/shop/a", "work/shop"] {
            fs::File::open(bed.at(path)).unwrap().set_times(times).unwrap();
        }
        let changed = bed.tree().measure(Path::new("shop")).changed;
        assert!((before..=SystemTime::now()).contains(&changed), "{changed:?}");
    }
    assert_eq!(bed.tree().measure(Path::new("gone")).changed, UNIX_EPOCH);
}

#[test]
fn the_last_use_is_the_newest_reading_or_writing_and_never_in_the_future() {
    let bed = Bed::new();
    bed.write("work/shop/old", 1);
    bed.write("work/shop/new", 1);
    let hours = |hours: u64| UNIX_EPOCH + Duration::from_secs(3600 * hours);
    let set = |path: &str, read: SystemTime, written: SystemTime| {
        let times = fs::FileTimes::new().set_accessed(read).set_modified(written);
        fs::File::open(bed.at(path)).unwrap().set_times(times).unwrap();
    };
    set("work/shop/old", hours(1), hours(1));
    set("work/shop/new", hours(5), hours(2));
    set("work/shop", hours(9), hours(3));
    assert_eq!(bed.tree().measure(Path::new("shop")).last_used, hours(5));
    set("work/shop/new", hours(5), SystemTime::now() + Duration::from_secs(86_400));
    assert!(bed.tree().measure(Path::new("shop")).last_used <= SystemTime::now());
}

#[test]
fn free_space_is_asked_of_a_place_that_is_there() {
    let bed = Bed::new();
    assert!(free(bed.0.path()).unwrap() > 0);
    assert!(free(&bed.at("nothing")).is_err());
}
