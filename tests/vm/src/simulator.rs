//! The GitHub simulator in the guest, and a client of its admin API through the forwarded port.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use ureq::Agent;

use crate::{Error, Guest, Result, poll};

/// An answer takes milliseconds; the guest may be busy starting containers.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

/// From starting the unit to an answer.
const START_LIMIT: Duration = Duration::from_secs(60);

/// Started at boot as well, because a reboot of the guest is no outage of GitHub.
const UNIT: &str = "[Unit]
Description=GitHub simulator
[Service]
ExecStart=/usr/local/bin/github-simulator --listen 0.0.0.0:80 --admin 0.0.0.0:8081 --session-lifetime-seconds 5 --state /var/lib/github-simulator/state.json
StateDirectory=github-simulator
WorkingDirectory=/var/lib/github-simulator
[Install]
WantedBy=multi-user.target
";

/// The admin API. Bodies are JSON as the simulator documents them.
#[derive(Debug)]
pub struct Simulator {
    base: String,
    agent: Agent,
}

impl Simulator {
    /// The API on a port of this host.
    #[must_use]
    pub fn at(port: u16) -> Self {
        let agent = Agent::config_builder()
            .timeout_global(Some(ANSWER_LIMIT))
            // The user's proxy is not for 127.0.0.1.
            .proxy(None)
            .http_status_as_error(false)
            // A connection kept from before a reboot of the guest would only fail later.
            .max_idle_connections(0)
            .build()
            .new_agent();
        Self { base: format!("http://127.0.0.1:{port}"), agent }
    }

    /// `GET path`.
    ///
    /// # Errors
    /// No answer, or one that is no success.
    pub fn get(&self, path: &str) -> Result<Value> {
        answer(&format!("GET {path}"), self.agent.get(format!("{}{path}", self.base)).call())
    }

    /// `DELETE path`.
    ///
    /// # Errors
    /// As [`Simulator::get`].
    pub fn delete(&self, path: &str) -> Result<Value> {
        answer(&format!("DELETE {path}"), self.agent.delete(format!("{}{path}", self.base)).call())
    }

    /// `POST path` with a JSON body.
    ///
    /// # Errors
    /// As [`Simulator::get`].
    pub fn post(&self, path: &str, body: &Value) -> Result<Value> {
        answer(&format!("POST {path}"), self.agent.post(format!("{}{path}", self.base)).send_json(body))
    }

    /// A new registration token for a repository's, organisation's or enterprise's URL.
    ///
    /// # Errors
    /// As [`Simulator::get`], or no token in the answer.
    pub fn registration_token(&self, url: &str) -> Result<String> {
        let request = "POST /registration-tokens";
        let answer = self.post("/registration-tokens", &json!({ "url": url }))?;
        answer.get("token").and_then(Value::as_str).map(str::to_owned).ok_or_else(|| Error::Simulator {
            request: request.to_owned(),
            problem: format!("no token in {answer}"),
        })
    }

    /// A new classic personal access token with these scopes.
    ///
    /// # Errors
    /// As [`Simulator::get`].
    pub fn personal_access_token(&self, scopes: &[&str]) -> Result<String> {
        let request = "POST /personal-access-tokens/classic";
        let answer = self.post("/personal-access-tokens/classic", &json!({ "scopes": scopes }))?;
        answer.get("token").and_then(Value::as_str).map(str::to_owned).ok_or_else(|| Error::Simulator {
            request: request.to_owned(),
            // Not the answer: it may hold a token after all.
            problem: "no token in the answer".to_owned(),
        })
    }

    /// The names of the runners that are online.
    ///
    /// # Errors
    /// As [`Simulator::get`].
    pub fn online(&self) -> Result<Vec<String>> {
        self.names_of(|runner| runner.get("status").and_then(Value::as_str) == Some("online"))
    }

    /// The names of all runners, online or not, in their order.
    ///
    /// # Errors
    /// As [`Simulator::get`].
    pub fn names(&self) -> Result<Vec<String>> {
        self.names_of(|_| true)
    }

    fn names_of(&self, is_meant: impl Fn(&Value) -> bool) -> Result<Vec<String>> {
        let runners = self.get("/runners")?;
        let meant = runners
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default()
            .iter()
            .filter(|runner| is_meant(runner));
        let name = |runner: &Value| runner.get("name").and_then(Value::as_str).map(str::to_owned);
        let mut names: Vec<String> = meant.filter_map(name).collect();
        names.sort();
        Ok(names)
    }
}

impl Guest {
    /// Copies the simulator in, starts it as a unit of its own and waits until it answers.
    ///
    /// # Errors
    /// It does not start or does not answer.
    pub fn start_simulator(&self, program: &Path) -> Result<()> {
        self.copy_in(program, "/usr/local/bin/github-simulator")?;
        self.write("/etc/systemd/system/github-simulator.service", UNIT)?;
        self.ok("systemctl daemon-reload && systemctl enable --quiet --now github-simulator.service")?;
        poll("the simulator answers", START_LIMIT, || {
            Ok(self.simulator().get("/clock").map(|_| ()).map_err(|error| error.to_string()))
        })
    }
}

fn answer(
    request: &str,
    result: std::result::Result<ureq::http::Response<ureq::Body>, ureq::Error>,
) -> Result<Value> {
    let failed = |problem| Error::Simulator { request: request.to_owned(), problem };
    let mut response = result.map_err(|error| failed(error.to_string()))?;
    let text = response.body_mut().read_to_string().map_err(|error| failed(error.to_string()))?;
    if !response.status().is_success() {
        return Err(failed(format!("{} {text}", response.status())));
    }
    if text.trim().is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_str(&text).map_err(|error| failed(format!("{error} in {text}")))
}
