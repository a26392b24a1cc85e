//! Running one workflow job: acquire it, start a worker process, renew while it runs.

use std::process::Stdio;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use tokio::time::interval;

use super::broker::{Broker, BrokerError, JobRequest};
use super::files::RunnerSettings;
use super::host::Host;

const RENEWAL_SECONDS: f64 = 60.0;
/// A worker's exit code is this plus the number of its result.
const RESULT_BASE: i32 = 100;

/// What the worker may be told while it runs.
#[derive(Debug)]
pub(crate) enum Order {
    /// Somebody cancelled the workflow job with this id.
    Cancel(String),
    /// The runner is shutting down.
    Shutdown,
}

/// A workflow job in the hands of this runner.
#[derive(Debug)]
pub(crate) struct Dispatch {
    task: JoinHandle<Outcome>,
    orders: UnboundedSender<Order>,
}

/// How it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It was no longer to be had.
    Skipped,
    Ran,
}

/// What a dispatch needs to know.
#[derive(Debug, Clone)]
pub(crate) struct Dispatcher {
    pub(crate) host: Arc<Host>,
    pub(crate) broker: Arc<Broker>,
    pub(crate) settings: Arc<RunnerSettings>,
}

impl Dispatch {
    /// Begins to work on a request.
    pub(crate) fn start(dispatcher: Dispatcher, session_id: String, request: JobRequest) -> Self {
        let (orders, received) = unbounded_channel();
        let task = tokio::spawn(async move { dispatcher.run(&session_id, &request, received).await });
        Self { task, orders }
    }

    pub(crate) fn order(&self, order: Order) {
        // A worker that has just ended needs no orders.
        drop(self.orders.send(order));
    }

    /// Completes when the worker has ended.
    pub(crate) async fn finished(&mut self) -> Outcome {
        (&mut self.task).await.unwrap_or(Outcome::Skipped)
    }
}

impl Dispatcher {
    async fn run(&self, session_id: &str, request: &JobRequest, orders: UnboundedReceiver<Order>) -> Outcome {
        let log = |text: &str| self.host.console.diagnostics.note("JobDispatcher", text);
        if request.should_acknowledge
            && let Err(error) = self.broker.acknowledge(session_id, request).await
        {
            log(&format!("the request could not be acknowledged: {error:?}"));
        }
        let message = match self.broker.acquire(request).await {
            Ok(message) => message,
            Err(error) => {
                log(&format!("the job is skipped: {error:?}"));
                return Outcome::Skipped;
            }
        };
        let name = message.get("jobDisplayName").and_then(Value::as_str).unwrap_or_default();
        self.host.console.write_timed_line(&format!("Running job: {name}"));
        let result = match self.start_worker() {
            Ok(child) => self.attend(child, &message, request, orders).await,
            Err(error) => {
                log(&format!("the worker did not start: {error}"));
                None
            }
        };
        if result.is_none() {
            self.report_crash(&message, request).await;
        }
        let result = result.unwrap_or("Failed");
        self.host.console.write_timed_line(&format!("Job {name} completed with result: {result}"));
        Outcome::Ran
    }

    fn start_worker(&self) -> std::io::Result<Child> {
        self.host.count("StartingWorkerProcess");
        Command::new(self.host.root.join("bin/Runner.Worker"))
            .args(["spawnclient", "0", "1"])
            .env_clear()
            .envs(self.host.environment.all())
            .current_dir(&self.host.root)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
    }

    /// Talks to the worker until it ends; nothing when it did not end with a result.
    async fn attend(
        &self,
        mut child: Child,
        message: &Value,
        request: &JobRequest,
        mut orders: UnboundedReceiver<Order>,
    ) -> Option<&'static str> {
        let mut pipe = child.stdin.take()?;
        let job_id = message.get("jobId").and_then(Value::as_str).unwrap_or_default();
        let work = self.host.root.join(&self.settings.work_folder);
        let start = json!({
            "messageType": "NewJobRequest",
            "body": message,
            "runner": { "name": self.settings.agent_name, "workFolder": work },
        });
        write_line(&mut pipe, &start).await;
        let mut renewal = interval(self.host.scaled(RENEWAL_SECONDS));
        loop {
            tokio::select! {
                status = child.wait() => return result_of(status.ok()?.code()?),
                Some(order) = orders.recv() => match order {
                    Order::Cancel(id) if id != job_id => {}
                    Order::Cancel(_) => write_line(&mut pipe, &json!({ "messageType": "CancelRequest" })).await,
                    Order::Shutdown => write_line(&mut pipe, &json!({ "messageType": "RunnerShutdown" })).await,
                },
                _ = renewal.tick() => self.renew(message, request).await,
            }
        }
    }

    async fn renew(&self, message: &Value, request: &JobRequest) {
        let body = json!({ "planId": message.pointer("/plan/planId"), "jobId": message.get("jobId") });
        if let Err(error) = self.call(message, request, "renewjob", &body).await {
            self.host
                .console
                .diagnostics
                .note("JobDispatcher", &format!("the job could not be renewed: {error:?}"));
        }
    }

    /// A worker that crashed cannot complete its workflow job itself.
    async fn report_crash(&self, message: &Value, request: &JobRequest) {
        let body = json!({
            "planId": message.pointer("/plan/planId"),
            "jobId": message.get("jobId"),
            "conclusion": "failed",
            "stepResults": [{ "name": "Runner", "conclusion": "failed", "log": "##[error]The worker crashed.\n" }],
        });
        if let Err(error) = self.call(message, request, "completejob", &body).await {
            self.host
                .console
                .diagnostics
                .note("JobDispatcher", &format!("the crash stays untold: {error:?}"));
        }
    }

    async fn call(
        &self,
        message: &Value,
        request: &JobRequest,
        name: &str,
        body: &Value,
    ) -> Result<(), BrokerError> {
        let token = message.pointer("/resources/endpoints/0/authorization/parameters/AccessToken");
        let token = token.and_then(Value::as_str).unwrap_or_default();
        self.broker.call_run_service(&format!("{}{name}", request.run_service_url), token, body).await
    }
}

async fn write_line(pipe: &mut (impl tokio::io::AsyncWrite + Unpin), message: &Value) {
    // A worker that does not read any more has ended or is about to; its exit code tells the rest.
    drop(pipe.write_all(format!("{message}\n").as_bytes()).await);
}

fn result_of(code: i32) -> Option<&'static str> {
    match code - RESULT_BASE {
        0 | 1 => Some("Succeeded"),
        2 => Some("Failed"),
        3 => Some("Canceled"),
        4 => Some("Skipped"),
        5 => Some("Abandoned"),
        _ => None,
    }
}
