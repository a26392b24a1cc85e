//! The workflow job as a whole: set up, started hook, steps, completed hook, clean up.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::Value;

use super::cancellation::Cancellation;
use super::file_commands::FileCommands;
use super::message::NewJobRequest;
use super::orphans;
use super::process::{Ending, Script};
use super::result::{StepResult, TaskResult};
use super::variables::Variables;
use super::workspace::Workspace;
use crate::identifier;
use crate::runner::{VERSION, timescale};

/// A workflow job at work.
struct Job<'a> {
    request: &'a NewJobRequest,
    cancellation: Cancellation,
    workspace: Workspace,
    variables: Variables,
    result: TaskResult,
    steps: Vec<StepResult>,
}

/// What a step runs, and when.
struct Step<'a> {
    id: String,
    name: &'a str,
    condition: &'a str,
    script: Result<PathBuf, String>,
}

/// Runs the workflow job.
pub(crate) async fn run(
    request: &NewJobRequest,
    cancellation: Cancellation,
) -> (TaskResult, Vec<StepResult>) {
    let started_at = Timestamp::now();
    let context = &request.body.context_data;
    let event = context.github.get("event").map(Value::to_string).unwrap_or_default();
    let mut set_up = StepResult {
        id: identifier::guid(),
        name: "Set up job".to_owned(),
        result: TaskResult::Succeeded,
        started_at,
        completed_at: started_at,
        log: format!("Current runner version: '{VERSION}'\nRunner name: '{}'\n", request.runner.name),
        summary: String::new(),
    };
    let prepared = Workspace::prepare(&request.runner.work_folder, context.text("repository"), &event);
    set_up.completed_at = Timestamp::now();
    let workspace = match prepared {
        Ok(workspace) => workspace,
        Err(error) => {
            set_up.result = TaskResult::Failed;
            set_up.log.push_str(&error_line(&error.to_string()));
            return (TaskResult::Failed, vec![set_up]);
        }
    };
    let variables = Variables::new(request, &workspace);
    let result = TaskResult::Succeeded;
    let mut job = Job { request, cancellation, workspace, variables, result, steps: vec![set_up] };
    job.run_all().await;
    (job.result, job.steps)
}

impl Job<'_> {
    async fn run_all(&mut self) {
        self.run_hook("ACTIONS_RUNNER_HOOK_JOB_STARTED", "Set up runner").await;
        let request = self.request;
        for step in &request.body.steps {
            let path = self.workspace.temp.join(format!("{}.sh", identifier::guid()));
            let written = fs::write(&path, &step.inputs.script).map_err(|error| error.to_string());
            self.run_step(Step {
                id: step.id.clone(),
                name: &step.display_name,
                condition: &step.condition,
                script: written.map(|()| path),
            })
            .await;
        }
        self.run_hook("ACTIONS_RUNNER_HOOK_JOB_COMPLETED", "Complete runner").await;
        let orphans = orphans::clean_up(self.variables.tracking_id());
        if let Some(last) = self.steps.last_mut() {
            last.log.push_str(&orphans);
        }
    }

    /// A hook is a script of the runner's own environment; it runs whatever happened before.
    async fn run_hook(&mut self, variable: &str, name: &str) {
        // Read from the worker's environment: what steps set does not count here.
        let Ok(path) = std::env::var(variable) else { return };
        if path.is_empty() {
            return;
        }
        let script = valid_hook(&path).map(|()| PathBuf::from(path));
        self.run_step(Step { id: identifier::guid(), name, condition: "always()", script }).await;
    }

    async fn run_step(&mut self, step: Step<'_>) {
        let started_at = Timestamp::now();
        let mut log = Vec::new();
        let mut summary = String::new();
        let result = if self.meets(step.condition) {
            self.run_script(&step, &mut log, &mut summary).await.unwrap_or_else(|message| {
                log.extend(error_line(&message).bytes());
                TaskResult::Failed
            })
        } else {
            TaskResult::Skipped
        };
        self.result = self.result.and(result);
        self.steps.push(StepResult {
            id: step.id,
            name: step.name.to_owned(),
            result,
            started_at,
            completed_at: Timestamp::now(),
            log: String::from_utf8_lossy(&log).into_owned(),
            summary,
        });
    }

    async fn run_script(
        &mut self,
        step: &Step<'_>,
        log: &mut Vec<u8>,
        summary: &mut String,
    ) -> Result<TaskResult, String> {
        let path = step.script.as_deref().map_err(Clone::clone)?;
        let files = FileCommands::create(&self.workspace.file_commands).map_err(|error| error.to_string())?;
        let script = Script {
            path,
            directory: &self.workspace.directory,
            variables: self.variables.of_step(&files),
            timescale: timescale(self.variables.get("STANDIN_TIMESCALE")),
        };
        // A step that runs even after a cancellation is not cancelled by it.
        let is_cancellable = matches!(step.condition, "success()" | "failure()");
        let cancellation = is_cancellable.then_some(&self.cancellation);
        let ending = script.run(cancellation, log).await.map_err(|error| error.to_string())?;
        *summary = files.summary();
        let taken_over = self.variables.take_over(&files);
        let result = match ending {
            Ending::Canceled => {
                let reason = self.cancellation.reason().unwrap_or_default();
                log.extend(error_line(reason).bytes());
                TaskResult::Canceled
            }
            Ending::Exited(0) => TaskResult::Succeeded,
            Ending::Exited(code) => {
                log.extend(error_line(&format!("Process completed with exit code {code}.")).bytes());
                TaskResult::Failed
            }
        };
        taken_over?;
        Ok(result)
    }

    fn meets(&self, condition: &str) -> bool {
        let is_canceled = self.cancellation.reason().is_some();
        match condition {
            "always()" => true,
            "cancelled()" => is_canceled,
            "failure()" => !is_canceled && self.result == TaskResult::Failed,
            _ => !is_canceled && self.result == TaskResult::Succeeded,
        }
    }
}

fn valid_hook(path: &str) -> Result<(), String> {
    let path = Path::new(path);
    let is_script = path.extension().is_some_and(|end| ["sh", "ps1", "js"].iter().any(|known| end == *known));
    if !path.is_absolute() || !is_script {
        return Err(format!(
            "{} is not a valid path to a script. Make sure it ends in '.sh', '.ps1' or '.js'.",
            path.display()
        ));
    }
    if path.is_file() { Ok(()) } else { Err(format!("File doesn't exist: {}", path.display())) }
}

fn error_line(message: &str) -> String {
    format!("##[error]{message}\n")
}
