//! The stand-in for GitHub's `bin/Runner.Worker`: runs one workflow job that the listener hands over, completes it at
//! the run service, and ends with 100 plus the number of the result.
//!
//! The listener talks through the standard input, one JSON message per line. SIGINT is ignored here: from a terminal
//! it reaches the listener as well, and the listener decides.

use std::process::ExitCode;

use serde_json::Value;

use self::cancellation::Cancellation;
use self::message::NewJobRequest;
use crate::runner::Diagnostics;

/// Orders of the listener, and signals.
mod cancellation;
/// Reporting the result to the run service.
mod completion;
/// `$GITHUB_ENV`, `$GITHUB_PATH` and the like.
mod file_commands;
/// The workflow job as a whole: hooks and steps in order.
mod job;
/// The message that describes a workflow job.
mod message;
/// Processes that a workflow job left behind.
mod orphans;
/// One process of a step, and how it is cancelled.
mod process;
/// Results of steps and of the workflow job.
mod result;
/// Environment variables of steps.
mod variables;
/// Directories of a workflow job.
mod workspace;

/// The worker ended without a result.
const CRASHED: u8 = 1;
const RESULT_BASE: u8 = 100;

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    let outcome = tokio::runtime::Builder::new_current_thread().enable_all().build().map(|runtime| {
        let outcome = runtime.block_on(work());
        runtime.shutdown_background();
        outcome
    });
    match outcome {
        Ok(Ok(result)) => ExitCode::from(RESULT_BASE + result as u8),
        Ok(Err(message)) => {
            eprintln!("{message}");
            ExitCode::from(CRASHED)
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(CRASHED)
        }
    }
}

async fn work() -> Result<result::TaskResult, String> {
    let root = std::env::current_exe().map_err(|error| error.to_string())?;
    let root =
        root.ancestors().nth(2).ok_or("the program is not in the bin directory of a runner")?.to_owned();
    let diagnostics = Diagnostics::open(&root, "Worker", false).map_err(|error| error.to_string())?;
    let (first, cancellation) = Cancellation::listen().await.map_err(|error| error.to_string())?;
    let message: Value = serde_json::from_str(&first).map_err(|error| error.to_string())?;
    let request: NewJobRequest = serde_json::from_value(message).map_err(|error| error.to_string())?;
    diagnostics.note("Worker", &format!("Job {} received", request.body.job_display_name));
    let (result, steps) = job::run(&request, cancellation).await;
    diagnostics.note("Worker", &format!("Job completed with {result:?}"));
    if let Err(error) = completion::report(&request, result, &steps).await {
        diagnostics.note("Worker", &format!("The result could not be reported: {error}"));
    }
    Ok(result)
}
