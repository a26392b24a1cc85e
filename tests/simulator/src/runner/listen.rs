//! The `run` command: polls for messages and runs workflow jobs, one at a time, until told to stop.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep, sleep_until};

use super::arguments::Arguments;
use super::broker::{Broker, BrokerError, JobRequest, Message};
use super::dispatch::{Dispatch, Dispatcher, Order, Outcome};
use super::files;
use super::host::Host;
use super::jit_config;
use super::oauth::AccessTokens;
use super::return_code::ReturnCode;
use super::session;
use super::signals::{Stop, StopWish};

/// How long a worker may take after SIGTERM.
const TERMINATION_SECONDS: f64 = 30.0;
/// After so many failed polls in a row the runner gives up.
const MAXIMUM_POLL_ERRORS: u32 = 10;
/// The first errors are followed by shorter pauses.
const EARLY_POLL_ERRORS: u32 = 5;
const EARLY_PAUSE_SECONDS: [f64; 2] = [15.0, 30.0];
const LATE_PAUSE_SECONDS: [f64; 2] = [30.0, 60.0];

const NOT_CONFIGURED: &str = "Not configured. Run config.(sh/cmd) to configure the runner.";
const NO_CREDENTIALS: &str = "Credentials not stored.  Must reconfigure.";
/// What the real runner says when `.runner` cannot be read, or only `.runner_migrated` is left.
const NO_SETTINGS: &str = "Value cannot be null. (Parameter 'configuredSettings')";

/// Runs the command.
pub(crate) async fn run(host: Host, arguments: &Arguments) -> ReturnCode {
    if let Some(encoded) = arguments.value("jitconfig")
        && let Err(message) = jit_config::save(&host, encoded)
    {
        host.console.write_error(&message);
        return ReturnCode::TerminatedError;
    }
    let host = Arc::new(host);
    match Listener::prepare(&host, arguments) {
        Ok(mut listener) => listener.run().await,
        Err((code, message)) => {
            host.console.write_error(&format!("An error occurred: {message}"));
            code
        }
    }
}

struct Listener {
    dispatcher: Dispatcher,
    stop: StopWish,
    session_id: String,
    workflow_job: Option<Dispatch>,
    runs_once: bool,
    poll_errors: u32,
    next_poll: Instant,
}

enum Event {
    Stop,
    WorkflowJobEnded(Outcome),
    Polled(Result<Option<Message>, BrokerError>),
}

impl Listener {
    fn prepare(host: &Arc<Host>, arguments: &Arguments) -> Result<Self, (ReturnCode, String)> {
        if !files::is_configured(&host.root) {
            return Err((ReturnCode::TerminatedError, NOT_CONFIGURED.to_owned()));
        }
        let unusable = |message: &str| (ReturnCode::RetryableError, message.to_owned());
        let settings = files::load_settings(&host.root).map_err(|_| unusable(NO_SETTINGS))?;
        let credentials = files::load_credentials(&host.root).map_err(|_| unusable(NO_CREDENTIALS))?;
        let key = files::load_key(&host.root).map_err(|_| unusable(NO_CREDENTIALS))?;
        let work = host.root.join(&settings.work_folder);
        std::fs::create_dir_all(&work).map_err(|error| {
            (ReturnCode::TerminatedError, format!("Could not create '{}': {error}", work.display()))
        })?;
        let stop = StopWish::listen().map_err(|error| unusable(&error.to_string()))?;
        let tokens = AccessTokens::new(host.http_client(), credentials, key);
        let broker = Broker::new(host, settings.server_url_v2.clone(), tokens);
        Ok(Self {
            runs_once: settings.ephemeral || arguments.has_flag("once"),
            dispatcher: Dispatcher { host: Arc::clone(host), broker, settings: Arc::new(settings) },
            stop,
            session_id: String::new(),
            workflow_job: None,
            poll_errors: 0,
            next_poll: Instant::now(),
        })
    }

    fn host(&self) -> &Host {
        &self.dispatcher.host
    }

    async fn run(&mut self) -> ReturnCode {
        if let Err(code) = self.open_session().await {
            return code;
        }
        let console = &self.host().console;
        console.write_line("");
        console.write_success("Connected to GitHub");
        console.write_line("");
        console.write_line(&format!("Current runner version: '{}'", self.host().version));
        console.write_timed_line("Listening for Jobs");
        loop {
            let code = match self.next_event().await {
                Event::Stop => Some(self.shut_down().await),
                Event::WorkflowJobEnded(outcome) => self.end_workflow_job(outcome).await,
                Event::Polled(Ok(message)) => {
                    self.poll_errors = 0;
                    if let Some(message) = message {
                        self.handle(&message).await;
                    }
                    None
                }
                Event::Polled(Err(error)) => self.recover(error).await,
            };
            if let Some(code) = code {
                return code;
            }
        }
    }

    async fn open_session(&mut self) -> Result<(), ReturnCode> {
        let Dispatcher { host, broker, settings } = &self.dispatcher;
        self.session_id = session::open(host, broker, settings, &mut self.stop).await?;
        Ok(())
    }

    async fn next_event(&mut self) -> Event {
        let status = if self.workflow_job.is_some() { "Busy" } else { "Online" };
        let workflow_job = &mut self.workflow_job;
        let ended = async {
            match workflow_job {
                Some(workflow_job) => workflow_job.finished().await,
                None => std::future::pending().await,
            }
        };
        let polled = async {
            sleep_until(self.next_poll).await;
            self.dispatcher.broker.poll(&self.session_id, status).await
        };
        tokio::select! {
            biased;
            () = self.stop.any() => Event::Stop,
            outcome = ended => Event::WorkflowJobEnded(outcome),
            polled = polled => Event::Polled(polled),
        }
    }

    async fn handle(&mut self, message: &Message) {
        match message.message_type.as_str() {
            "RunnerJobRequest" => {
                self.host().count("MessageReceived_RunnerJobRequest");
                match serde_json::from_str::<JobRequest>(&message.body) {
                    Ok(request) if self.workflow_job.is_none() => {
                        let dispatcher = self.dispatcher.clone();
                        self.workflow_job =
                            Some(Dispatch::start(dispatcher, self.session_id.clone(), request));
                    }
                    Ok(_) => self.note("a job request is ignored, since a job is running"),
                    Err(error) => self.note(&format!("a job request cannot be read: {error}")),
                }
            }
            "JobCancellation" => {
                let body: Value = serde_json::from_str(&message.body).unwrap_or_default();
                let id = body.get("jobId").and_then(Value::as_str).unwrap_or_default();
                if let Some(workflow_job) = &self.workflow_job {
                    workflow_job.order(Order::Cancel(id.to_owned()));
                }
            }
            "ForceTokenRefresh" => self.dispatcher.broker.refresh_token().await,
            other => self.note(&format!("a message of type {other} is ignored")),
        }
    }

    fn note(&self, text: &str) {
        self.host().console.diagnostics.note("MessageListener", text);
    }

    /// After a workflow job, a runner that takes only one is done.
    async fn end_workflow_job(&mut self, outcome: Outcome) -> Option<ReturnCode> {
        self.workflow_job = None;
        if !self.runs_once || outcome == Outcome::Skipped {
            return None;
        }
        self.close_session().await;
        if self.dispatcher.settings.ephemeral {
            let root = &self.host().root;
            let deleted = files::delete_credentials(root).and_then(|()| files::delete_settings(root));
            if let Err(error) = deleted {
                self.note(&format!("the local configuration could not be deleted: {error}"));
            }
        }
        Some(ReturnCode::Success)
    }

    /// Decides what a failed poll means.
    async fn recover(&mut self, error: BrokerError) -> Option<ReturnCode> {
        match error {
            // The registration of an ephemeral runner ends with its workflow job, a moment before the worker does.
            BrokerError::RunnerNotFound if self.runs_once && self.workflow_job.is_some() => {
                self.next_poll = Instant::now() + Duration::from_secs(1);
                None
            }
            BrokerError::RunnerNotFound => Some(session::clean_up_after_deletion(self.host())),
            BrokerError::VersionTooOld(message) => Some(session::refuse_version(self.host(), &message)),
            BrokerError::Denied(_) | BrokerError::RegistrationDeleted => {
                let console = &self.host().console;
                console.write_error("An error occurred: Get next message failed with non-retryable error.");
                Some(ReturnCode::TerminatedError)
            }
            BrokerError::SessionInvalid | BrokerError::SessionConflict => self.open_session().await.err(),
            BrokerError::Refused(message) | BrokerError::Temporary(message) => self.back_off(&message),
        }
    }

    fn back_off(&mut self, message: &str) -> Option<ReturnCode> {
        self.poll_errors += 1;
        if self.poll_errors >= MAXIMUM_POLL_ERRORS {
            self.host().console.write_error(&format!("An error occurred: {message}"));
            return Some(ReturnCode::RetryableError);
        }
        if self.poll_errors == 1 {
            let console = &self.host().console;
            console
                .write_timed_error(&format!("Runner connect error: {message}. Retrying until reconnected."));
        }
        let is_early = self.poll_errors <= EARLY_POLL_ERRORS;
        let [shortest, longest] = if is_early { EARLY_PAUSE_SECONDS } else { LATE_PAUSE_SECONDS };
        let pause: Duration = self.host().scaled(shortest + (longest - shortest) * fastrand::f64());
        self.next_poll = Instant::now() + pause;
        None
    }

    /// Cancels what runs and ends: after SIGINT in order, after SIGTERM without saying goodbye.
    async fn shut_down(&mut self) -> ReturnCode {
        if self.stop.current() == Stop::Interrupted {
            self.host().console.write_line("Exiting...");
        }
        if let Some(mut workflow_job) = self.workflow_job.take() {
            workflow_job.order(Order::Shutdown);
            let patience = self.host().scaled(TERMINATION_SECONDS);
            let out_of_patience = async {
                self.stop.terminated().await;
                sleep(patience).await;
            };
            tokio::select! {
                _ = workflow_job.finished() => {}
                () = out_of_patience => {}
            }
        }
        if self.stop.current() == Stop::Terminated {
            return ReturnCode::Terminated;
        }
        self.close_session().await;
        ReturnCode::Success
    }

    async fn close_session(&self) {
        if let Err(error) = self.dispatcher.broker.close_session().await {
            self.note(&format!("the session could not be deleted: {error:?}"));
        }
    }
}
