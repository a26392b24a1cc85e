//! Which runner gets which workflow job.

use serde::Deserialize;
use serde_json::Value;

use super::ledger::Ledger;
use super::refusal::Refusal;
use super::scope::Scope;
use super::workflow_job::{Cancellation, Stage, WorkflowJob, WorkflowJobRequest};
use crate::identifier;

/// A workflow job that was offered and not acquired goes back into the queue after this time.
const PICKUP_SECONDS: i64 = 60;
/// What the broker tells a polling runner.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Message {
    /// There is a workflow job to acquire, by the id of its row.
    JobRequest(u64),
    /// The running workflow job is to be cancelled.
    Cancellation { job_id: String },
}

/// The body of `completejob`, as far as it matters here.
#[derive(Debug, Deserialize)]
pub(crate) struct Completion {
    #[serde(rename = "jobId")]
    pub(crate) job_id: String,
    pub(crate) conclusion: String,
    #[serde(default, rename = "stepResults")]
    pub(crate) step_results: Vec<Value>,
}

impl Ledger {
    /// Queues a workflow job behind those that are there.
    pub(crate) fn queue(&mut self, request: WorkflowJobRequest, repository: Scope) -> &WorkflowJob {
        let id = self.next_id();
        let run_id = match request.run_id {
            Some(run_id) => run_id,
            None => self.next_id(),
        };
        let created_at = self.now();
        self.workflow_jobs.entry(id).or_insert(WorkflowJob {
            id,
            run_id,
            workflow: request.workflow,
            name: request.name,
            repository,
            labels: request.labels,
            steps: request.steps,
            stage: Stage::Queued,
            cancellation: Cancellation::NotWanted,
            conclusion: None,
            runner_name: None,
            runner_id: None,
            group_id: None,
            request_id: String::new(),
            plan_id: identifier::guid(),
            job_id: identifier::guid(),
            token: None,
            created_at,
            started_at: None,
            completed_at: None,
            log: String::new(),
            step_results: Vec::new(),
        })
    }

    /// Whether the runner was offered or is running a workflow job.
    pub(crate) fn is_busy(&self, runner_id: u64) -> bool {
        self.workflow_jobs.values().any(|workflow_job| workflow_job.held_by() == Some(runner_id))
    }

    /// Whether the REST API calls the runner busy. At times GitHub does not, although it is.
    pub(crate) fn shows_busy(&self, runner_id: u64) -> bool {
        self.is_busy(runner_id) && !self.settings.hides_busy
    }

    /// What there is to say to a runner that polls, if anything.
    pub(crate) fn next_message(
        &mut self,
        runner_id: u64,
        session_id: &str,
        is_idle: bool,
    ) -> Result<Option<Message>, Refusal> {
        let runner = self.runners.get(&runner_id).ok_or_else(|| Refusal::runner_not_found(runner_id))?;
        if runner.session.as_ref().is_none_or(|session| session.id != session_id) {
            return Err(Refusal::session_invalid());
        }
        if is_idle {
            self.give_up_work_of_earlier_sessions(runner_id, session_id);
            if !self.is_busy(runner_id) {
                return Ok(self.offer(runner_id, session_id));
            }
        }
        Ok(self.cancellation_for(runner_id))
    }

    /// Offers the longest waiting workflow job whose labels the runner has.
    pub(crate) fn offer(&mut self, runner_id: u64, session_id: &str) -> Option<Message> {
        let until = self.now() + PICKUP_SECONDS;
        let runner = self.runners.get(&runner_id)?;
        let workflow_job = self.workflow_jobs.values_mut().find(|workflow_job| {
            workflow_job.stage == Stage::Queued
                && runner.scope.serves(&workflow_job.repository)
                && runner.has_labels(&workflow_job.labels)
        })?;
        workflow_job.request_id = identifier::guid();
        workflow_job.runner_id = Some(runner_id);
        workflow_job.runner_name = Some(runner.name.clone());
        workflow_job.group_id = Some(runner.group_id);
        workflow_job.stage = Stage::Offered { runner_id, session_id: session_id.to_owned(), until };
        Some(Message::JobRequest(workflow_job.id))
    }

    fn cancellation_for(&mut self, runner_id: u64) -> Option<Message> {
        let workflow_job = self.workflow_jobs.values_mut().find(|workflow_job| {
            workflow_job.cancellation == Cancellation::Wanted
                && matches!(workflow_job.stage, Stage::InProgress { runner_id: holder, .. } if holder == runner_id)
        })?;
        workflow_job.cancellation = Cancellation::Sent;
        Some(Message::Cancellation { job_id: workflow_job.job_id.clone() })
    }

    /// Gives the workflow job to the runner it was offered to.
    pub(crate) fn acquire(&mut self, request_id: &str, runner_id: u64) -> Result<&WorkflowJob, Refusal> {
        let now = self.now();
        self.note_contact(runner_id);
        let workflow_job = self
            .workflow_jobs
            .values_mut()
            .find(|workflow_job| workflow_job.request_id == request_id)
            .ok_or(Refusal::NotFound)?;
        let Stage::Offered { runner_id: holder, session_id, .. } = workflow_job.stage.clone() else {
            return Err(Refusal::Conflict("The job is not waiting to be acquired.".to_owned()));
        };
        if holder != runner_id {
            return Err(Refusal::NotFound);
        }
        workflow_job.token = Some(identifier::web_token());
        workflow_job.started_at = Some(now);
        workflow_job.stage = Stage::InProgress { runner_id, session_id, renewed_at: now };
        Ok(workflow_job)
    }

    /// Notes that a workflow job still runs.
    pub(crate) fn renew(&mut self, job_id: &str, token: &str) -> Result<(), Refusal> {
        let now = self.now();
        let workflow_job = self.held_workflow_job(job_id, token)?;
        if let Stage::InProgress { renewed_at, runner_id, .. } = &mut workflow_job.stage {
            *renewed_at = now;
            let runner_id = *runner_id;
            self.note_contact(runner_id);
        }
        Ok(())
    }

    /// Ends a workflow job with what its runner reports; an ephemeral runner is removed with it.
    pub(crate) fn complete(&mut self, completion: Completion, token: &str) -> Result<(), Refusal> {
        let now = self.now();
        let workflow_job = self.held_workflow_job(&completion.job_id, token)?;
        let conclusion = rest_conclusion(&completion.conclusion);
        let runner_id = workflow_job.held_by();
        for mut result in completion.step_results {
            if let Some(Value::String(log)) = result.as_object_mut().and_then(|result| result.remove("log")) {
                workflow_job.log.push_str(&log);
            }
            let step_conclusion = result.get("conclusion").and_then(Value::as_str).map(rest_conclusion);
            if let (Some(conclusion), Some(fields)) = (step_conclusion, result.as_object_mut()) {
                fields.insert("conclusion".to_owned(), conclusion.into());
            }
            workflow_job.step_results.push(result);
        }
        workflow_job.complete(conclusion, now);
        if let Some(id) = runner_id {
            self.note_contact(id);
            if self.runners.get(&id).is_some_and(|runner| runner.ephemeral) {
                self.runners.remove(&id);
            }
        }
        Ok(())
    }

    fn held_workflow_job(&mut self, job_id: &str, token: &str) -> Result<&mut WorkflowJob, Refusal> {
        let workflow_job = self
            .workflow_jobs
            .values_mut()
            .find(|workflow_job| workflow_job.job_id == job_id)
            .ok_or(Refusal::NotFound)?;
        if workflow_job.token.as_deref() != Some(token) {
            return Err(Refusal::BadCredentials);
        }
        match workflow_job.stage {
            Stage::InProgress { .. } => Ok(workflow_job),
            _ => Err(Refusal::Conflict("The job is not in progress.".to_owned())),
        }
    }

    /// Cancels a workflow job: at once while no runner has it, else by a message to its runner.
    pub(crate) fn cancel(&mut self, id: u64) -> Result<(), Refusal> {
        let now = self.now();
        let workflow_job = self.workflow_jobs.get_mut(&id).ok_or(Refusal::NotFound)?;
        match workflow_job.stage {
            Stage::Queued | Stage::Offered { .. } => workflow_job.complete("cancelled", now),
            Stage::InProgress { .. } => workflow_job.cancellation = Cancellation::Wanted,
            Stage::Completed => return Err(Refusal::Conflict("The job is completed.".to_owned())),
        }
        Ok(())
    }
}

/// The REST API's word for a result of the run service.
fn rest_conclusion(result: &str) -> &'static str {
    match result.to_ascii_lowercase().as_str() {
        "succeeded" => "success",
        "canceled" => "cancelled",
        "skipped" => "skipped",
        _ => "failure",
    }
}
