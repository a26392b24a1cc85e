//! The simulator as a process on free ports, and its admin API.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use homelab_runners_simulator::http_client::{Answer, HttpClient, Outgoing};
use hyper::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Everything that is waited for must happen within this time.
const LIMIT: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(20);

/// A simulated GitHub and a directory for runners.
pub(crate) struct Bed {
    simulator: Child,
    arguments: Vec<String>,
    admin: String,
    /// `http://ADDRESS:PORT` of GitHub.
    pub(crate) github: String,
    pub(crate) directory: TempDir,
    pub(crate) client: HttpClient,
}

impl Bed {
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts the simulator with more arguments.
    pub(crate) fn start_with(arguments: &[&str]) -> Self {
        Self::start_at("127.0.0.1:0", arguments)
    }

    /// Starts the simulator at this address, with more arguments and in the bed's directory.
    pub(crate) fn start_at(listen: &str, arguments: &[&str]) -> Self {
        // Beside the programs, so that they can be hard-linked into a runner's root.
        let directory = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        let (simulator, github, admin) = spawn(directory.path(), listen, &arguments);
        let client = HttpClient { user_agent: "tests".to_owned(), timeout: LIMIT };
        Self { simulator, arguments, admin, github, directory, client }
    }

    /// Kills the simulator and starts it again, with the same arguments and where runners look for it.
    pub(crate) fn restart(&mut self) {
        self.kill();
        let listen = self.github.strip_prefix("http://").unwrap();
        let (simulator, github, admin) = spawn(self.directory.path(), listen, &self.arguments);
        assert_eq!(github, self.github);
        (self.simulator, self.admin) = (simulator, admin);
    }

    fn kill(&mut self) {
        self.simulator.kill().unwrap();
        self.simulator.wait().unwrap();
    }

    /// The URL that runners are configured with.
    pub(crate) fn url(&self) -> String {
        format!("{}/acme/shop", self.github)
    }

    pub(crate) async fn ask(&self, method: Method, path: &str, body: &Value) -> Value {
        let url = format!("{}{path}", self.admin);
        let Answer { status, body, .. } = self.client.send(method, &url, Outgoing::json(body)).await.unwrap();
        assert!(status.is_success(), "{path}: {status} {}", String::from_utf8_lossy(&body));
        if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).unwrap() }
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        self.ask(Method::GET, path, &Value::Null).await
    }

    /// Sends a request to GitHub itself.
    pub(crate) async fn ask_github(
        &self,
        method: Method,
        path: &str,
        authorization: &str,
    ) -> Result<Answer, homelab_runners_simulator::http_client::Failure> {
        let outgoing = Outgoing::json(&json!({ "url": self.url(), "runner_event": "register" }));
        self.client
            .send(method, &format!("{}{path}", self.github), outgoing.authorized(authorization.to_owned()))
            .await
    }

    /// Sends a JSON body to GitHub itself, and does not insist on an answer.
    pub(crate) async fn ask_github_json(
        &self,
        path: &str,
        token: &str,
        body: &Value,
    ) -> Result<Answer, homelab_runners_simulator::http_client::Failure> {
        let outgoing = Outgoing::json(body).authorized(format!("Bearer {token}"));
        self.client.send(Method::POST, &format!("{}{path}", self.github), outgoing).await
    }

    pub(crate) async fn registration_token(&self) -> String {
        let answer = self.ask(Method::POST, "/registration-tokens", &json!({ "url": self.url() })).await;
        answer["token"].as_str().unwrap().to_owned()
    }

    /// Queues a workflow job of one step and returns its id.
    pub(crate) async fn queue(&self, name: &str, labels: &[&str], script: &str) -> u64 {
        self.queue_steps(name, labels, json!([{ "name": "step", "run": script }])).await
    }

    pub(crate) async fn queue_steps(&self, name: &str, labels: &[&str], steps: Value) -> u64 {
        let request = json!({ "url": self.url(), "name": name, "labels": labels, "steps": steps });
        self.ask(Method::POST, "/workflow-jobs", &request).await["id"].as_u64().unwrap()
    }

    pub(crate) async fn workflow_job(&self, id: u64) -> Value {
        self.get(&format!("/workflow-jobs/{id}")).await
    }

    /// Waits until the workflow job has this status, and returns it.
    pub(crate) async fn workflow_job_when(&self, id: u64, status: &str) -> Value {
        self.until(&format!("workflow job {id} {status}"), async || {
            Some(self.workflow_job(id).await).filter(|job| job["status"] == status)
        })
        .await
    }

    pub(crate) async fn runner(&self, name: &str) -> Option<Value> {
        self.get("/runners").await.as_array().unwrap().iter().find(|runner| runner["name"] == name).cloned()
    }

    /// Waits until the runner has this status, and returns it.
    pub(crate) async fn runner_when(&self, name: &str, status: &str) -> Value {
        self.until(&format!("runner {name} {status}"), async || {
            self.runner(name).await.filter(|runner| runner["status"] == status)
        })
        .await
    }

    pub(crate) async fn advance_clock(&self, seconds: u64) {
        self.ask(Method::POST, "/clock/advance", &json!({ "seconds": seconds })).await;
    }

    /// Moves the clock until the runner, whose listener is dead, is offline. Once may not be enough: the simulator
    /// counts from when it sees the connection break.
    pub(crate) async fn session_expired(&self, name: &str) {
        self.until("the end of a session", async || {
            self.advance_clock(60).await;
            self.runner(name).await.filter(|runner| runner["status"] == "offline")
        })
        .await;
    }

    /// Waits, within the limit, for something to become true.
    pub(crate) async fn until<T>(&self, what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
        let start = Instant::now();
        loop {
            if let Some(found) = look().await {
                return found;
            }
            assert!(start.elapsed() < LIMIT, "not within {LIMIT:?}: {what}");
            tokio::time::sleep(PAUSE).await;
        }
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Starts the simulator, and returns the URLs of GitHub and of the admin API with it.
fn spawn(directory: &Path, listen: &str, arguments: &[String]) -> (Child, String, String) {
    let mut simulator = Command::new(env!("CARGO_BIN_EXE_github-simulator"))
        .args(["--listen", listen, "--admin", "127.0.0.1:0"])
        .args(arguments)
        .current_dir(directory)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(simulator.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let addresses = line.trim().strip_prefix("github simulator: listening on ").unwrap();
    let (github, admin) = addresses.split_once(", admin on ").unwrap();
    (simulator, format!("http://{github}"), format!("http://{admin}"))
}
