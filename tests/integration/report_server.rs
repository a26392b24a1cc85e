//! `reports serve` as a process, asked in raw HTTP: clients would tidy up the paths that are asked for here.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::web_process::{WebProcess, assert_has};

mod hostile_files;
mod hostile_visitors;
mod https;
mod life;

const JOB: &str = "ci/7/1-test-r1-ab";

struct Server {
    root: TempDir,
    process: WebProcess,
}

impl Server {
    fn start() -> Self {
        Self::with(&[], &[])
    }

    /// With more options, and more of an environment.
    fn with(options: &[&str], environment: &[(&str, &str)]) -> Self {
        let root = tempfile::tempdir().unwrap();
        let reports = root.path().join("reports");
        for (path, text) in [
            (".runnerctl/started.json", "{\"workflow\":\"<b>CI\",\"started\":\"2026-11-24T00:00:00Z\"}"),
            ("html/index.html", "<p>report</p><template></template>"),
            ("html/data/a.webm", "0123456789"),
            ("html/trace/manifest.webmanifest", "{}"),
            ("tool.exe", "MZ"),
            ("bell\u{7}<i>.txt", "x"),
        ] {
            let path = reports.join(JOB).join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        fs::write(root.path().join("secret.txt"), "SECRET").unwrap();
        symlink(root.path().join("secret.txt"), reports.join(JOB).join("link.txt")).unwrap();
        symlink(root.path(), reports.join(JOB).join("up")).unwrap();
        symlink("html/index.html", reports.join(JOB).join("inner.html")).unwrap();
        let process = serve(&reports, options, environment);
        Self { root, process }
    }

    /// Another one over the same reports, which has read none of them yet.
    fn over(root: &Path) -> Self {
        let process = serve(&root.join("reports"), &[], &[]);
        Self { root: tempfile::tempdir().unwrap(), process }
    }

    fn ask(&self, method: &str, target: &str, headers: &str) -> String {
        self.process.ask(method, target, headers)
    }

    fn get(&self, path: &str) -> String {
        self.ask("GET", &format!("/r/{JOB}/{path}"), "")
    }
}

fn serve(reports: &Path, options: &[&str], environment: &[(&str, &str)]) -> WebProcess {
    let mut command = Command::new(env!("CARGO_BIN_EXE_runnerctl"));
    command
        .args(["reports", "serve", "--listen", "127.0.0.1:0", "--directory"])
        .arg(reports)
        .args(options)
        .envs(environment.iter().copied());
    WebProcess::start(command)
}

#[test]
fn nothing_leads_out_of_the_reports() {
    let server = Server::start();
    let mut paths: Vec<String> = ["link.txt", "up/secret.txt", "up/", "up", "inner.html"]
        .map(|path| format!("/r/{JOB}/{path}"))
        .to_vec();
    for up in ["..", "%2e%2e", "%2E.", "..%2f..", "..%5c..", "%252e%252e"] {
        paths.push(format!("/r/{up}/secret.txt"));
        paths.push(format!("/r/{JOB}/{up}/{up}/{up}/{up}/secret.txt"));
    }
    paths.extend(
        ["/r//etc/passwd", "/r/%2fetc%2fpasswd", "/r/ci%00/7", "/r/%ff", "/r/", "/r"].map(str::to_owned),
    );
    for path in paths {
        let answer = server.ask("GET", &path, "");
        assert!(answer.starts_with("HTTP/1.1 404"), "{path}: {answer}");
        assert!(!answer.contains("SECRET"), "{path}: {answer}");
    }
}

#[test]
fn what_is_ours_among_the_reports_is_shown_to_nobody() {
    let server = Server::start();
    for path in [".runnerctl/trash/9-0/1-test/html/index.html", ".runnerctl/over-budget/ci"] {
        let path = server.root.path().join("reports").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "HALF").unwrap();
    }
    let job = format!("/r/{JOB}/.runnerctl/started.json");
    for path in [
        job.as_str(),
        "/r/.runnerctl/",
        "/r/.runnerctl/trash/",
        "/r/.runnerctl/trash/9-0/1-test/html/",
        "/r/%2Erunnerctl/over-budget/ci",
    ] {
        let answer = server.ask("GET", path, "");
        assert!(answer.starts_with("HTTP/1.1 404"), "{path}: {answer}");
    }
    for page in [format!("/r/{JOB}/"), "/".to_owned()] {
        let answer = server.ask("GET", &page, "");
        assert!(answer.starts_with("HTTP/1.1 200") && !answer.contains("runnerctl/"), "{answer}");
    }
}

#[test]
fn the_report_has_the_headers_that_its_viewer_needs() {
    let server = Server::start();
    let redirect = server.get("html");
    assert_has(&redirect, &["HTTP/1.1 307", &format!("location: /r/{JOB}/html/\r\n")]);
    let csp = "content-security-policy: default-src 'self'; script-src 'self' 'unsafe-inline'; style-src";
    let report = server.get("html/");
    let common = ["200 OK", "nosniff", csp, "worker-src 'self' blob:;"];
    assert_has(&report, &common);
    assert_has(&report, &["text/html", "cache-control: no-cache", "<p>report</p>"]);
    assert!(!report.to_lowercase().contains("cross-origin-embedder-policy"));
    let manifest = server.get("html/trace/manifest.webmanifest");
    assert_has(&manifest, &common);
    assert_has(&manifest, &["application/manifest+json"]);
    assert_has(&server.get("html/data/a.webm"), &["video/webm", "immutable", "0123456789"]);
    assert_has(&server.get("tool.exe"), &["application/octet-stream", "content-disposition: attachment"]);
}

#[test]
fn a_video_can_be_read_from_the_middle_on() {
    let server = Server::start();
    let target = format!("/r/{JOB}/html/data/a.webm");
    let part = server.ask("GET", &target, "Range: bytes=2-4\r\n");
    assert_has(&part, &["HTTP/1.1 206", "content-range: bytes 2-4/10", "\r\n\r\n234", "video/webm"]);
    assert_has(&server.ask("GET", &target, "Range: bytes=10-\r\n"), &["HTTP/1.1 416"]);
    let head = server.ask("HEAD", &target, "");
    assert_has(&head, &["HTTP/1.1 200", "content-length: 10"]);
    assert!(head.ends_with("\r\n\r\n"), "{head}");
    let (_, etag) = head.split_once("etag: ").unwrap();
    let etag = etag.lines().next().unwrap();
    assert_has(&server.ask("GET", &target, &format!("If-None-Match: {etag}\r\n")), &["HTTP/1.1 304"]);
}

#[test]
fn our_own_pages_escape_every_name_and_allow_no_script() {
    let server = Server::start();
    let strict = "content-security-policy: default-src 'none'; style-src 'self'; img-src 'self'; form-action";
    let index = server.ask("GET", "/", "");
    assert_has(&index, &["200 OK", strict, "nosniff", "&lt;b&gt;CI", &format!("href=\"/r/{JOB}/html/\"")]);
    let listing = server.get("");
    assert_has(&listing, &["200 OK", strict, "bell\\u{7}&lt;i&gt;.txt", "href=\"./bell%07%3Ci%3E.txt\""]);
    assert!(!listing.contains("link.txt") && !listing.contains("\"./up"), "{listing}");
    assert_has(&server.ask("GET", "/?outcome=failed", ""), &["No reports."]);
}

#[test]
fn a_workflow_and_a_run_have_pages_that_keep_their_address() {
    let server = Server::start();
    // What a workflow puts in their place is not shown there.
    fs::write(server.root.path().join("reports/ci/7/index.html"), "planted").unwrap();
    for path in ["/r/ci/", "/r/ci/7/"] {
        let page = server.ask("GET", path, "");
        assert_has(&page, &["200 OK", "default-src 'none'", &format!("href=\"/r/{JOB}/html/\"")]);
        assert!(!page.contains("planted"), "{page}");
    }
    for path in ["/r/none/", "/r/ci/8/"] {
        assert_has(&server.ask("GET", path, ""), &["HTTP/1.1 404"]);
    }
}

#[test]
fn nothing_can_be_written() {
    let server = Server::start();
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        for path in ["/", &format!("/r/{JOB}/tool.exe"), &format!("/r/{JOB}/")] {
            let answer = server.ask(method, path, "");
            assert!(answer.starts_with("HTTP/1.1 405"), "{method} {path}: {answer}");
        }
    }
    assert!(server.root.path().join("reports").join(JOB).join("tool.exe").exists());
}
