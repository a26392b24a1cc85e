//! Debian 13's Prometheus reads the monitor's metrics, the alert rules and the queries of the dashboard.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use homelab_runners::health::{
    Activity, Container, Github, Listener, Queue, RunnerHealth, Since, Snapshot, Unit, Usage, Verdict,
    Witnesses, metrics, page,
};
use homelab_runners::http::{Server, health_site};
use homelab_runners::runner::SessionState;
use jiff::Timestamp;
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::{oneshot, watch};

use super::debian13::{command, run};
use crate::golden::manifest_dir;

const RULES: &str = "contrib/prometheus/alerts.yml";
const RULE_TESTS: &str = "tests/fixtures/prometheus/alerts_test.yml";
const PATIENCE: Duration = Duration::from_secs(60);

fn text(path: &str) -> String {
    fs::read_to_string(manifest_dir().join(path)).unwrap()
}

/// A runner of which all is known.
fn runner(number: u16, verdict: Verdict) -> RunnerHealth {
    let time = Timestamp::now();
    let unit = Unit { active_state: Activity::Active, restarts: 1, exit_status: None, active_since: None };
    let container =
        Container { session: Some(SessionState::Online), listener: Listener::Running, worker: false };
    let mut witnesses = Witnesses::unasked(time);
    Since::renew(&mut witnesses.systemd, unit, time, Unit::eq);
    Since::renew(&mut witnesses.container, container, time, Container::eq);
    witnesses.github.says = Github::Idle;
    let usage = Usage {
        cpu_percent: Some(12.5),
        cpu_quota_percent: Some(200.0),
        memory_bytes: Some(1 << 30),
        memory_max_bytes: Some(4 << 30),
        oom_kills: Some(1),
    };
    RunnerHealth {
        number,
        name: format!("homelab-runner-{number}"),
        verdict,
        why: verdict.why(),
        hint: None,
        since: time,
        heals: 2,
        healing: false,
        witnesses,
        workflow_job: None,
        image: None,
        usage: Some(usage),
        history: Vec::new(),
    }
}

fn snapshot() -> Snapshot {
    let runners = vec![runner(1, Verdict::Well), runner(2, Verdict::GivenUp)];
    Snapshot { time: Timestamp::now(), may_heal: true, runners, events: Vec::new(), queue: Queue::NotAsked }
}

/// Every metric that a query names, exists.
#[track_caller]
fn assert_exist(text: &str) {
    let metrics = metrics::metrics(&snapshot());
    let exist: BTreeSet<&str> =
        metrics.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let named: BTreeSet<&str> =
        text.split(|c| !is_of_name(c)).filter(|word| word.starts_with("homelab_runner")).collect();
    assert!(named.len() > 3, "the test is blind");
    let missing: Vec<_> = named.difference(&exist).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// The queries of each panel, and their titles.
fn panels() -> Vec<(String, Vec<String>)> {
    let dashboard: Value = serde_json::from_str(&text("contrib/grafana/dashboard.json")).unwrap();
    let queries = |panel: &Value| {
        let targets = panel["targets"].as_array().unwrap();
        targets.iter().map(|target| target["expr"].as_str().unwrap().to_owned()).collect()
    };
    let panel = |panel: &Value| (panel["title"].as_str().unwrap().to_owned(), queries(panel));
    dashboard["panels"].as_array().unwrap().iter().map(panel).collect()
}

#[test]
fn promtool_takes_the_rules_and_each_alert_is_raised_when_it_should_be() {
    let said = run("usr/bin/promtool", |command| {
        command.args(["check", "rules"]).arg(manifest_dir().join(RULES));
    });
    assert!(
        said.is_success && said.stdout.contains("SUCCESS: 10 rules found"),
        "{}{}",
        said.stdout,
        said.stderr
    );
    let said = run("usr/bin/promtool", |command| {
        command.args(["test", "rules"]).arg(manifest_dir().join(RULE_TESTS));
    });
    assert!(said.is_success && said.stdout.contains("SUCCESS"), "{}{}", said.stdout, said.stderr);
    let tests = text(RULE_TESTS);
    for alert in text(RULES).lines().filter_map(|line| line.trim().strip_prefix("- alert: ")) {
        let mut tried = tests.split("- alertname: ").skip(1);
        let is_raised =
            tried.any(|test| test.starts_with(&format!("{alert}\n")) && test.contains("exp_labels"));
        assert!(is_raised, "{alert} is never raised in {RULE_TESTS}");
    }
}

#[test]
fn rules_and_dashboard_name_no_metric_that_does_not_exist() {
    assert_exist(&text(RULES));
    assert_exist(&panels().into_iter().flat_map(|(_, queries)| queries).collect::<Vec<_>>().join(" "));
}

#[test]
fn the_panels_of_the_dashboard_have_ids_of_their_own_and_lie_beside_each_other() {
    let dashboard: Value = serde_json::from_str(&text("contrib/grafana/dashboard.json")).unwrap();
    let (mut ids, mut taken) = (BTreeSet::new(), BTreeSet::new());
    for panel in dashboard["panels"].as_array().unwrap() {
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{}", panel["title"]);
        let place = |key: &str| panel["gridPos"][key].as_u64().unwrap();
        assert!(place("x") + place("w") <= 24, "{}", panel["title"]);
        for x in place("x")..place("x") + place("w") {
            for y in place("y")..place("y") + place("h") {
                assert!(taken.insert((x, y)), "{} lies on another panel", panel["title"]);
            }
        }
    }
}

/// The real thing, on an address of this host's own; gone when dropped.
struct Prometheus {
    child: Child,
    address: String,
    directory: TempDir,
}

impl Prometheus {
    /// Scrapes `target` five times a second.
    fn start(target: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let config = format!(
            "global: {{scrape_interval: 200ms, scrape_timeout: 200ms, evaluation_interval: 200ms}}\nrule_files: [{}]\nscrape_configs: [{{job_name: runners, static_configs: [{{targets: [\"{target}\"]}}]}}]\n",
            manifest_dir().join(RULES).display()
        );
        fs::write(directory.path().join("prometheus.yml"), config).unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let child = command("usr/bin/prometheus")
            .arg(format!("--config.file={}", directory.path().join("prometheus.yml").display()))
            .arg(format!("--storage.tsdb.path={}", directory.path().join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .current_dir(directory.path())
            .stdout(Stdio::null())
            .stderr(fs::File::create(directory.path().join("log")).unwrap())
            .spawn()
            .unwrap();
        Self { child, address, directory }
    }

    /// What its API answers; `None` where it does not.
    fn ask(&self, path: &str) -> Option<Value> {
        let mut stream = TcpStream::connect(&self.address).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(stream, "GET {path} HTTP/1.0\r\nHost: x\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()
    }

    fn query(&self, query: &str) -> Value {
        let encoded = query.bytes().map(|byte| format!("%{byte:02x}")).collect::<Vec<_>>().concat();
        self.ask(&format!("/api/v1/query?query={encoded}")).unwrap()
    }

    fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap()
    }

    /// Waits until that is so.
    async fn until(&self, what: &str, is_so: impl Fn() -> bool) {
        let begin = Instant::now();
        while !is_so() {
            assert!(begin.elapsed() < PATIENCE, "{what}\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prometheus_reads_the_metrics_raises_an_alert_and_answers_every_panel() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = listener.local_addr().unwrap().to_string();
    let (publish, snapshots) = watch::channel(Arc::new(snapshot()));
    let server = Server {
        site: health_site(snapshots, page::Links { option: "", reports: None }),
        tls: None,
        idle_exit: None,
        threads: 1,
    };
    let (end, ended) = oneshot::channel::<()>();
    let serving = tokio::spawn(server.run(listener, async { drop(ended.await) }));
    let prometheus = Prometheus::start(&target);

    let names = || -> Vec<String> {
        let alerts = prometheus.ask("/api/v1/alerts").unwrap_or_default();
        let firing = alerts["data"]["alerts"].as_array().cloned().unwrap_or_default();
        let firing = firing.iter().filter(|alert| alert["state"] == "firing");
        firing.map(|alert| format!("{}", alert["labels"]["alertname"])).collect()
    };
    prometheus
        .until("it is told that a runner was given up", || names() == ["\"HomelabRunnerGivenUp\""])
        .await;
    let up = prometheus.query("up");
    assert_eq!(up["data"]["result"][0]["value"][1], "1", "{up}");

    // Ranges need two samples, which differ where something is to increase.
    let mut later = snapshot();
    later.runners.iter_mut().for_each(|runner| runner.heals += 1);
    publish.send_replace(Arc::new(later));
    prometheus
        .until("a restart is seen", || {
            prometheus.query("min(homelab_runner_heals_total)")["data"]["result"][0]["value"][1] == "3"
        })
        .await;
    for (title, queries) in panels() {
        for query in queries {
            let query = query.replace("$__rate_interval", "1m").replace("$instance", ".*");
            let answer = prometheus.query(&query);
            assert_eq!(answer["status"], "success", "{title}: {query}: {answer}");
            let samples = answer["data"]["result"].as_array().map_or(0, Vec::len);
            assert!(samples > 0, "{title}: {query} finds nothing: {answer}");
        }
    }

    // A counter that falls has begun anew, and would be a restart.
    let mut well = snapshot();
    well.runners = vec![runner(1, Verdict::Well), runner(2, Verdict::Well)];
    well.runners.iter_mut().for_each(|runner| runner.heals += 1);
    publish.send_replace(Arc::new(well));
    prometheus.until("the alert is over", || names().is_empty()).await;
    end.send(()).unwrap();
    serving.await.unwrap().unwrap();
}
