//! Workflows may leave anything below the reports directory, also while the server reads it.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};

use super::{JOB, Server, assert_has};

impl Server {
    fn job(&self, path: &str) -> PathBuf {
        self.root.path().join("reports").join(JOB).join(path)
    }

    /// KiB of the process that are resident, at their most.
    pub(super) fn peak(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    #[track_caller]
    pub(super) fn assert_well(&self) {
        assert_has(&self.ask("GET", "/", ""), &["200 OK", "</html>"]);
        assert_has(&self.get("html/"), &["200 OK", "<p>report</p>"]);
    }
}

#[test]
fn what_is_no_file_is_not_there() {
    let server = Server::start();
    for (name, target) in [
        ("dangling", "nowhere"),
        ("loop", "loop"),
        ("proc", "/proc/self/environ"),
        ("zero-link", "/dev/zero"),
        ("self", "."),
        ("top", "../../.."),
        ("html/middle", "/etc"),
    ] {
        symlink(target, server.job(name)).unwrap();
    }
    let node = |name: &str, kind, device| mknodat(CWD, server.job(name), kind, Mode::from(0o666), device);
    node("fifo", FileType::Fifo, 0).unwrap();
    let mut names =
        vec!["dangling", "loop", "proc", "zero-link", "self", "top", "html/middle", "fifo", "socket"];
    let _socket = UnixListener::bind(server.job("socket")).unwrap();
    if rustix::process::geteuid().is_root()
        && node("zero", FileType::CharacterDevice, makedev(1, 5)).is_ok()
        && node("disk", FileType::BlockDevice, makedev(8, 0)).is_ok()
    {
        names.extend(["zero", "disk"]);
    }
    let listing = server.get("");
    for name in names {
        for path in
            [name.to_owned(), format!("{name}/"), format!("{name}/passwd"), format!("{name}/tool.exe")]
        {
            let answer = server.get(&path);
            assert!(answer.starts_with("HTTP/1.1 404"), "{path}: {answer}");
        }
        assert!(!listing.contains(&format!("./{name}\"")), "{name}: {listing}");
    }
    server.assert_well();
}

#[test]
fn files_of_any_size_take_no_memory() {
    let server = Server::start();
    for name in ["giant.bin", "results.json", ".runnerctl/started.json", "html/index.html", "html/data/a.png"]
    {
        fs::create_dir_all(server.job("html/data")).unwrap();
        File::create(server.job(name)).unwrap().set_len(1 << 40).unwrap();
    }
    let target = format!("/r/{JOB}/giant.bin");
    assert_has(&server.ask("HEAD", &target, ""), &["200 OK", "content-length: 1099511627776"]);
    let end = server.ask("GET", &target, "Range: bytes=1099511627773-\r\n");
    assert_has(&end, &["206", "content-range: bytes 1099511627773-1099511627775/1099511627776"]);
    // All at once: each gets as much of it as it reads, and that is nearly nothing.
    let _readers: Vec<_> = (0..50).map(|_| server.begin("GET", &target)).collect();
    assert_has(&server.ask("GET", "/", ""), &["200 OK", "broken"]);
    assert_has(&server.get(""), &["1099511627776"]);
    assert!(server.peak() < 100 * 1024, "{} KiB", server.peak());
}

#[test]
fn labels_that_are_garbage_label_nothing() {
    let server = Server::start();
    let deep = format!("{}{}", "[".repeat(8000), "]".repeat(8000));
    let stats = format!("\"stats\":{{\"expected\":{}1}}", "{\"a\":".repeat(150));
    for (started, results) in [
        (deep.as_bytes(), stats.as_bytes()),
        (b"\xff\xfe\0\0", b"\"stats\":{\"expected\":1e999,\"duration\":1e308}}"),
        (b"{\"started\":\"-262143-01-01T00:00:00Z\"}", b"\"stats\":{\"duration\":18446744073709551615}}"),
        (b"{\"workflow\":\"<script>alert(1)</script>\",\"ref\":\"\\u202e\\u0000\"}", b"null"),
    ] {
        fs::write(server.job(".runnerctl/started.json"), started).unwrap();
        fs::write(server.job("results.json"), results).unwrap();
        let fresh = Server::over(server.root.path());
        let page = fresh.ask("GET", "/r/ci/7/", "");
        assert_has(&page, &["200 OK", "</html>"]);
        assert!(!page.contains("<script"), "{page}");
    }
}

#[test]
fn names_of_every_kind_are_listed_or_left_out() {
    let server = Server::start();
    let long = "x".repeat(255);
    let names: [&[u8]; 11] = [
        b"new\nline",
        b"quote\"'><script>alert(1)<",
        "\u{202e}gnp.exe".as_bytes(),
        b"\xff\xfe",
        long.as_bytes(),
        b"-rf",
        b"javascript:alert(1)",
        b"%2e%2e",
        b"a?b#c",
        b"back\\slash",
        b" ",
    ];
    for name in names {
        fs::write(server.job("").join(OsStr::from_bytes(name)), "CONTENT").unwrap();
    }
    let listing = server.get("");
    assert!(!listing.contains("<script") && !listing.contains('\u{202e}'), "{listing}");
    let links: Vec<&str> =
        listing.split("href=\"./").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    // Two are no text, or could be two things to a browser.
    let shown = links.iter().filter(|link| server.get(link).ends_with("CONTENT")).count();
    assert_eq!(shown, names.len() - 2, "{links:?}");
}

#[test]
fn a_deep_tree_ends_somewhere() {
    let server = Server::start();
    fs::create_dir_all(server.job(&"d/".repeat(1500))).unwrap();
    for (depth, status) in [(1, "200"), (60, "200"), (62, "404"), (1500, "404")] {
        let answer = server.get(&"d/".repeat(depth));
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{depth}: {answer}");
    }
    server.assert_well();
}

#[test]
fn a_hundred_thousand_files_take_little_memory() {
    let server = Server::start();
    let first = server.job("many/0");
    fs::create_dir_all(server.job("many")).unwrap();
    fs::write(&first, "").unwrap();
    // Links to one file are names like any others. A file system has an end of them.
    for number in 1..100_000 {
        if fs::hard_link(&first, server.job(&format!("many/{number}"))).is_err() {
            fs::write(server.job(&format!("many/{number}")), "").unwrap();
        }
    }
    assert_has(&server.get("many/"), &["200 OK", "There are more files than are shown here."]);
    server.assert_well();
    assert!(server.peak() < 64 * 1024, "{} KiB", server.peak());
}

#[test]
fn what_changes_while_it_is_read_breaks_off_that_answer_alone() {
    let server = Server::start();
    let (file, target) = (server.job("shrinks.bin"), format!("/r/{JOB}/shrinks.bin"));
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                File::create(&file).unwrap().set_len(64 << 20).unwrap();
                File::create(&file).unwrap().set_len(1).unwrap();
            }
        });
        // Listings and runs that come and go.
        scope.spawn(|| {
            let (here, there) = (server.job("../2-new"), server.job("../2-old"));
            while !is_over.load(Ordering::Relaxed) {
                fs::create_dir_all(here.join("html")).unwrap();
                fs::rename(&here, &there).unwrap();
                drop(fs::remove_file(server.job("../2-link")));
                symlink("/etc", server.job("../2-link")).unwrap();
                fs::remove_dir_all(&there).unwrap();
            }
        });
        for _ in 0..100 {
            let answer = server.ask("GET", &target, "");
            assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 "), "{answer:.200}");
            let listing = server.ask("GET", "/r/ci/7/", "");
            assert!(!listing.contains("2-link"), "{listing}");
        }
        is_over.store(true, Ordering::Relaxed);
    });
    server.assert_well();
}
