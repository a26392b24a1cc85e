//! `runnerctl monitor` as a process, on a host without a bus.

use std::io::{BufRead, BufReader};
use std::os::unix::net::UnixDatagram;
use std::process::Stdio;

use super::*;
use crate::web_process::{WebProcess, assert_has};

struct Served {
    directory: TempDir,
    process: WebProcess,
}

fn command(directory: &TempDir, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_runnerctl"));
    command
        .env_clear()
        .env("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus")
        .arg("--config")
        .arg(directory.path().join("config.toml"))
        .args(arguments);
    command
}

/// A bus of the test's own; gone when dropped.
struct Bus(Child);

impl Bus {
    fn start(address: &str) -> Self {
        let child = Command::new("dbus-daemon")
            .args(["--session", "--nofork", "--nopidfile", "--address", address])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let path = address.strip_prefix("unix:path=").unwrap();
        let begin = Instant::now();
        while std::os::unix::net::UnixStream::connect(path).is_err() {
            assert!(begin.elapsed() < Duration::from_secs(20), "the bus does not listen");
            std::thread::yield_now();
        }
        Self(child)
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// A systemd with four runners that are up, and whoever asks for it at `address`.
async fn four_runners_of_a_systemd(address: &str) -> FakeSystemd {
    let fake = FakeSystemd::start_on(address).await;
    for number in 1..=4 {
        fake.unit(&names::service(number), Script::DONE);
        fake.properties(&names::service(number), |unit| "active".clone_into(&mut unit.active_state));
    }
    fake
}

#[tokio::test]
#[ignore = "needs dbus-daemon"]
async fn over_a_real_bus_it_finds_systemd_again() {
    let directory = tempfile::tempdir().unwrap();
    let address = format!("unix:path={}", directory.path().join("bus").display());
    let mut buses = vec![Bus::start(&address)];
    let fake = four_runners_of_a_systemd(&address).await;
    let served = Served::with(&[("DBUS_SYSTEM_BUS_ADDRESS", address.as_str())]);
    let until = async |part: &str| {
        let begin = Instant::now();
        while !served.ask("GET", "/healthz").contains(part) {
            assert!(begin.elapsed() < Duration::from_secs(60), "{}", served.ask("GET", "/healthz"));
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    until("\"active_state\":\"active\"").await;
    fake.change(&names::service(2), |unit| "failed".clone_into(&mut unit.active_state)).await;
    until("\"verdict\":\"failed\"").await;
    buses.clear();
    until("\"systemd\":null").await;
    buses.push(Bus::start(&address));
    let _fake = four_runners_of_a_systemd(&address).await;
    until("\"active_state\":\"active\"").await;
}

/// Says `ready` when it answers.
#[tokio::test]
#[ignore = "a systemd at the bus of DBUS_SYSTEM_BUS_ADDRESS until its standard input ends: for `bench monitor`"]
async fn is_a_systemd_with_four_runners() {
    let address = std::env::var("DBUS_SYSTEM_BUS_ADDRESS").unwrap();
    let _fake = four_runners_of_a_systemd(&address).await;
    println!("\nready");
    tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new())).await.unwrap().unwrap();
}

impl Served {
    fn with(environment: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().display();
        let config = format!(
            "url = \"https://github.com/acme/shop\"\ncount = 4\nsocket = \"none\"\n[paths]\nstate = \"{place}/state\"\nruntime = \"{place}/run\"\n"
        );
        fs::write(directory.path().join("config.toml"), config).unwrap();
        let mut monitor = command(&directory, &["monitor", "--listen", "127.0.0.1:0"]);
        monitor.envs(environment.iter().copied());
        Self { directory, process: WebProcess::start(monitor) }
    }

    fn ask(&self, method: &str, path: &str) -> String {
        self.process.ask(method, path, "")
    }
}

#[test]
fn without_a_bus_every_page_says_that_nothing_is_known() {
    let served = Served::with(&[]);
    let fleet = served.ask("GET", "/healthz");
    assert_has(
        &fleet,
        &["HTTP/1.1 503", "application/json", "nosniff", "\"verdict\":\"unknown\"", "\"number\":2"],
    );
    let (_, json) = fleet.split_once("\r\n\r\n").unwrap();
    let json: serde_json::Value = serde_json::from_str(json).unwrap();
    let witnesses = &json["runners"][0]["witnesses"];
    assert_eq!(
        (&witnesses["systemd"], &witnesses["github"]["says"]),
        (&serde_json::Value::Null, &"not_asked".into())
    );
    assert_has(&served.ask("GET", "/healthz/2"), &["HTTP/1.1 503", "\"number\":2"]);
    for path in ["/healthz/5", "/healthz/x", "/healthz/99999999", "/healthz/", "/nothing"] {
        assert_has(&served.ask("GET", path), &["HTTP/1.1 404"]);
    }
    let metrics = served.ask("GET", "/metrics");
    assert_has(&metrics, &["200 OK", "text/plain; version=0.0.4", "verdict=\"unknown\"} 1"]);
    let page = served.ask("GET", "/");
    assert_has(
        &page,
        &[
            "200 OK",
            "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'",
            "0 of 4 runners",
            "systemctl status dbus",
        ],
    );
    assert!(!page.contains("unsafe-inline") && page.matches("<script").count() == 1, "{page}");
    assert_has(&page, &["href=\"http://127.0.0.1:8089/\">reports"]);
    assert_has(&served.ask("GET", "/style.css"), &["200 OK", "text/css", ".runners", "color-scheme"]);
    assert_has(&served.ask("GET", "/live.js"), &["200 OK", "text/javascript", "nosniff", "fetch('/'"]);
}

#[test]
fn nothing_can_be_changed_through_a_page() {
    let served = Served::with(&[]);
    for method in ["POST", "PUT", "DELETE", "PATCH"] {
        for path in ["/", "/healthz", "/healthz/1", "/metrics", "/live.js"] {
            assert_has(&served.ask(method, path), &["HTTP/1.1 405"]);
        }
    }
}

#[test]
fn systemd_hears_that_it_is_ready_and_that_it_lives() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("notify");
    let socket = UnixDatagram::bind(&place).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let environment = [("NOTIFY_SOCKET", place.to_str().unwrap()), ("WATCHDOG_USEC", "300000")];
    let _served = Served::with(&environment);
    let mut heard = Vec::new();
    while heard.len() < 20 {
        let mut said = [0; 64];
        let length = socket.recv(&mut said).unwrap();
        heard.push(String::from_utf8_lossy(&said[..length]).into_owned());
    }
    assert_eq!(heard[0], "READY=1\n");
    assert!(heard[1..].iter().all(|said| said == "WATCHDOG=1\n"), "{heard:?}");
}

#[test]
fn a_second_monitor_is_refused_and_the_first_one_ends_when_it_is_told() {
    let mut served = Served::with(&[]);
    let second = command(&served.directory, &["monitor", "--listen", "127.0.0.1:0"]).output().unwrap();
    assert_eq!(second.status.code(), Some(2));
    assert_has(&String::from_utf8_lossy(&second.stderr), &["another monitor watches this fleet", "hint: "]);
    kill_process(Pid::from_child(&served.process.child), Signal::TERM).unwrap();
    assert_eq!(served.process.child.wait().unwrap().code(), Some(0));
}

#[test]
fn events_tell_what_the_monitor_has_seen() {
    let served = Served::with(&[]);
    let events = |arguments: &[&str]| {
        let output = command(&served.directory, arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let begin = Instant::now();
    while !events(&["events"]).contains("systemd lost: ") {
        assert!(begin.elapsed() < Duration::from_secs(20), "{}", events(&["events"]));
    }
    assert!(
        events(&["events"]).contains("all        watching: the monitor began"),
        "{}",
        events(&["events"])
    );
    let json: serde_json::Value =
        serde_json::from_str(events(&["events", "1", "--json"]).lines().next().unwrap()).unwrap();
    assert_eq!(json["what"], "watching");
    assert!(events(&["events", "--since", "2999-01-01T00:00:00Z"]).is_empty());
    assert!(!events(&["events", "--since", "1h"]).is_empty());
    let mut following =
        command(&served.directory, &["events", "-f", "1"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(following.stdout.take().unwrap()).lines();
    assert_has(&lines.next().unwrap().unwrap(), &["watching"]);
    let log = Log::new(served.directory.path().join("state/events"), 1 << 20);
    let news = |runner: u16| {
        let now =
            homelab_runners::health::Now { uptime: jiff::SignedDuration::ZERO, time: jiff::Timestamp::now() };
        log.add(&Event::new(now, Some(runner), What::Healed, "it is online again").line()).unwrap();
    };
    news(2);
    news(1);
    let heard = lines.by_ref().map(Result::unwrap).find(|line| line.contains("online again")).unwrap();
    assert_has(&heard, &["runner 1   restarted: "]);
    // It ends when it is told, and when nobody reads any more.
    kill_process(Pid::from_child(&following), Signal::INT).unwrap();
    assert_eq!(following.wait().unwrap().code(), Some(0));
    let mut unread = command(&served.directory, &["events", "-f"]).stdout(Stdio::piped()).spawn().unwrap();
    drop(unread.stdout.take());
    assert_eq!(unread.wait().unwrap().code(), Some(0));
    let wrong = command(&served.directory, &["events", "--since", "yesterday"]).output().unwrap();
    assert_has(&String::from_utf8_lossy(&wrong.stderr), &["allowed: a time such as"]);
}

#[test]
fn below_another_root_nothing_runs_and_that_is_said() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("config.toml"), "url = \"https://github.com/acme/shop\"\n").unwrap();
    let root = directory.path().to_str().unwrap();
    let refused = command(&directory, &["--root", root, "monitor"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
}

#[test]
fn the_unit_watches_without_github_where_systemd_hands_it_no_credential_and_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let text = "url = \"https://github.com/acme/shop\"\n[github]\ncredential = \"pat\"\n";
    fs::write(directory.path().join("config.toml"), text).unwrap();
    let home = directory.path().to_str().unwrap();
    let arguments = ["--user", "monitor", "--as-unit", "--listen", "127.0.0.1:0"];
    let mut monitor = command(&directory, &arguments);
    monitor.envs([("HOME", home), ("XDG_RUNTIME_DIR", home)]);
    let served = Served { process: WebProcess::start(monitor), directory };
    let said = &served.process.said;
    assert!(said[0].contains("systemd gave this unit no credentials"), "{said:?}");
    let begin = Instant::now();
    while !served.ask("GET", "/healthz").contains("systemd gave this unit no credentials") {
        assert!(begin.elapsed() < Duration::from_secs(20), "{}", served.ask("GET", "/healthz"));
    }
}
