//! The edge to GitHub's REST API: registration tokens, runners and workflow jobs of one repository, organisation or enterprise.
//!
//! No policy: when to ask, and what to do with the answer, is decided elsewhere. What is held here are GitHub's rules of conduct (limits, pauses,
//! pages) and that a credential goes nowhere but to the API of the config: redirections are not followed elsewhere, nothing is read from the
//! environment, and no text that leaves this module holds it.

mod answer;
mod app;
mod ask;
mod attempt;
mod connection;
mod credential;
mod error;
mod jwt;
mod nulls;
mod pages;
mod permission;
mod rate_limit;
mod registration;
mod repository;
mod retry;
mod runner;
mod runners;
mod target;
mod workflow_job;
mod workflow_jobs;

use reqwest::{StatusCode, Url};
use secrecy::ExposeSecret;
use tokio::time::{Instant, sleep};

pub use connection::{Connection, TimeLimits};
pub use credential::Credential;
pub use error::{Cause, Error};
pub use rate_limit::{RateLimit, RateLimits};
pub use registration::{Expiring, JitRequest, JitRunner};
pub use runner::{Runner, RunnerLabel, RunnerStatus};
pub use runners::Removal;
pub use target::Repository;
pub use workflow_job::{QueuedRuns, WorkflowJob, WorkflowJobStatus, WorkflowRun};

use crate::config::{ApiUrl, GithubUrl, RunnerScope};
use answer::{Answer, Unreadable};
use app::App;
use ask::{Ask, Shown, ShownKind};
use attempt::{Failure, Line, Outgoing};
use jwt::Signer;
use retry::{Attempt, Met, Next, Repeat};
use target::Target;

/// GitHub's clock and this host's may differ by this much, in seconds, before a signature is refused for it.
const CLOCK_SKEW_SECS: u64 = 60;

/// GitHub's REST API for one repository, organisation or enterprise.
pub struct Client {
    http: reqwest::Client,
    has_proxy: bool,
    api: ApiUrl,
    target: Target,
    identity: Identity,
    limits: TimeLimits,
}

enum Identity {
    Pat(Shown),
    App(Box<App>),
}

impl Client {
    /// A client for the runners that register at `url`. Nothing is sent yet.
    ///
    /// # Errors
    /// The credential, the proxies or the certificates cannot be used.
    pub fn new(
        url: &GithubUrl,
        api_url: &ApiUrl,
        credential: Credential,
        connection: &Connection,
    ) -> Result<Self, Error> {
        let target = Target::of(url);
        let failed = |cause| Error::new(format!("reach GitHub's API at {api_url}"), cause);
        let identity = match credential {
            Credential::Pat(token) => {
                Identity::Pat(Shown::new(token.expose().into(), ShownKind::Pat).map_err(failed)?)
            }
            Credential::App { .. } if target.scope == RunnerScope::Enterprise => {
                return Err(failed(Cause::AppForEnterprise));
            }
            Credential::App { key, client_id, installation_id } => {
                let signer = Signer::new(&key, &client_id).map_err(failed)?;
                Identity::App(Box::new(App::new(signer, installation_id)))
            }
        };
        Ok(Self {
            http: connection.client(api_url.is_plain_http()).map_err(failed)?,
            has_proxy: connection.has_proxy_to(api_url),
            api: api_url.clone(),
            target,
            identity,
            limits: connection.limits,
        })
    }

    /// When a call that begins now has to be over.
    fn until(&self) -> Instant {
        Instant::now() + self.limits.call
    }

    /// Makes the call, with whatever credential it takes.
    async fn ask(&self, ask: &Ask, until: Instant) -> Result<Answer, Error> {
        match &self.identity {
            Identity::Pat(shown) => self.send(ask, shown, until).await,
            Identity::App(app) => {
                let shown = app.token(self, ask, until).await?;
                let result = self.send(ask, &shown, until).await;
                if matches!(&result, Err(error) if matches!(error.cause(), Cause::BadCredential { .. })) {
                    // It was revoked, or the App was installed anew.
                    app.forget().await;
                }
                result
            }
        }
    }

    /// Tries, until it is done, refused, or not worth another attempt.
    async fn send(&self, ask: &Ask, shown: &Shown, until: Instant) -> Result<Answer, Error> {
        let mut number = 1;
        loop {
            let (cause, met) = match self.attempt(ask, shown, until).await {
                Ok(answer) if answer.status.is_success() => return Ok(answer),
                Ok(answer) => {
                    let met = answer.met(shown.secret.expose_secret());
                    (self.refusal(&answer, met, ask, shown), met)
                }
                Err(Failure::NotSent(cause)) => (cause, Met::NotSent),
                Err(Failure::Lost(cause)) => (cause, Met::Lost),
                Err(Failure::Final(cause)) => (cause, Met::Refused),
            };
            let left = until.saturating_duration_since(Instant::now());
            let (repeat, first_pause, jitter) = (ask.repeat, self.limits.first_pause, fastrand::f64());
            match (Attempt { number, met, repeat, left, first_pause, jitter }).next() {
                Next::Wait(pause) => {
                    tracing::debug!(action = ask.action, %cause, ?pause, "trying again");
                    sleep(pause).await;
                    number += 1;
                }
                Next::GiveUp => return Err(ask.error(given_up(cause, met, repeat))),
            }
        }
    }

    /// One attempt: an answer of any status that is no half of one.
    async fn attempt(&self, ask: &Ask, shown: &Shown, until: Instant) -> Result<Answer, Failure> {
        let url = Url::parse(&format!("{}{}", self.api, ask.path)).map_err(|error| {
            Failure::Final(Cause::Setup {
                what: "github.api_url",
                reason: error.to_string(),
                hint: "give the address of the API, such as https://api.github.com",
            })
        })?;
        let outgoing = Outgoing {
            method: &ask.method,
            url,
            body: ask.body.as_deref(),
            authorization: &shown.header,
            secret: shown.secret.expose_secret(),
        };
        let line = Line { client: &self.http, has_proxy: self.has_proxy };
        let answer = line.exchange(outgoing, self.limits, until).await?;
        if !answer.status.is_success() || !ask.has_answer {
            return Ok(answer);
        }
        match answer.check_json() {
            Ok(()) => Ok(answer),
            Err(Unreadable::Truncated) => {
                let (address, reason) = (answer.address.clone(), "the answer is cut off".to_owned());
                Err(Failure::Lost(Cause::Broken { address, reason }))
            }
            Err(Unreadable::Other(reason)) => Err(Failure::Final(answer.not_github(reason))),
        }
    }

    /// What an answer says that is no success.
    fn refusal(&self, answer: &Answer, met: Met, ask: &Ask, shown: &Shown) -> Cause {
        let said = answer.said(shown.secret.expose_secret());
        let needed = ask.needs.in_words(self.target.scope);
        match (answer.status, met) {
            (_, Met::Limited { .. }) => Cause::RateLimited { until: answer.until(met) },
            (status, Met::Unavailable(_)) => {
                Cause::Unavailable { status: status.as_u16(), until: answer.until(met) }
            }
            (StatusCode::UNAUTHORIZED, _) => unauthorized(answer, shown.kind, said),
            (StatusCode::FORBIDDEN, _) => Cause::Forbidden {
                said,
                needed,
                accepted: answer.accepted_permissions(shown.secret.expose_secret()),
            },
            (StatusCode::NOT_FOUND, _) => Cause::NotFound { needed },
            (StatusCode::CONFLICT, _) => Cause::NameTaken { said },
            (status, _) => Cause::Refused { status: status.as_u16(), said },
        }
    }
}

/// A signature with the wrong time in it is refused like one with a wrong key.
fn unauthorized(answer: &Answer, kind: ShownKind, said: String) -> Cause {
    let ahead = answer.clock_ahead_secs().unwrap_or(0);
    let secs = ahead.unsigned_abs();
    if kind == ShownKind::Jwt && secs > CLOCK_SKEW_SECS {
        return Cause::ClockSkew { secs, is_ahead: ahead > 0 };
    }
    Cause::BadCredential { credential: kind.in_words(), said }
}

/// What may have been done, and must not be done twice, is told as that.
fn given_up(cause: Cause, met: Met, repeat: Repeat) -> Cause {
    match (met, repeat) {
        (Met::Lost | Met::Unavailable(_), Repeat::Harmful) => Cause::AnswerLost { reason: cause.to_string() },
        _ => cause,
    }
}
