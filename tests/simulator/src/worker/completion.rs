//! Reporting the result of a workflow job to the run service.

use std::time::Duration;

use hyper::Method;
use serde_json::{Value, json};

use super::message::NewJobRequest;
use super::result::{StepResult, TaskResult};
use crate::http_client::{HttpClient, Outgoing};
use crate::runner::{VERSION, timescale};

const TRIES: u32 = 5;
const PAUSE_SECONDS: f64 = 5.0;
const TIMEOUT: Duration = Duration::from_secs(100);

/// Completes the workflow job, with its steps' output.
pub(crate) async fn report(
    request: &NewJobRequest,
    result: TaskResult,
    steps: &[StepResult],
) -> Result<(), String> {
    let job = &request.body;
    let endpoint = job.resources.endpoints.iter().find(|endpoint| endpoint.name == "SystemVssConnection");
    let endpoint = endpoint.ok_or("the job has no run service")?;
    let token = endpoint.authorization.parameters.get("AccessToken").ok_or("the job has no token")?;
    let steps: Vec<Value> = steps.iter().zip(1..).map(|(step, number)| step.json(number)).collect();
    let body = json!({
        "planId": job.plan.plan_id,
        "jobId": job.job_id,
        "conclusion": result.conclusion(),
        "outputs": {},
        "annotations": [],
        "stepResults": steps,
    });
    let client =
        HttpClient { user_agent: format!("GitHubActionsRunner-linux-x64/{VERSION}"), timeout: TIMEOUT };
    let pause = PAUSE_SECONDS / timescale(std::env::var("STANDIN_TIMESCALE").ok().as_deref());
    let mut tries = 1;
    loop {
        let outgoing = Outgoing::json(&body).authorized(format!("Bearer {token}"));
        let failure = match client.send(Method::POST, &format!("{}completejob", endpoint.url), outgoing).await
        {
            Ok(answer) if answer.status.is_success() => return Ok(()),
            // Nothing that a client did can be made good by doing it again.
            Ok(answer) if answer.status.is_client_error() => return Err(answer.status.to_string()),
            Ok(answer) => answer.status.to_string(),
            Err(failure) => failure.to_string(),
        };
        if tries == TRIES {
            return Err(failure);
        }
        tries += 1;
        tokio::time::sleep(Duration::from_secs_f64(pause)).await;
    }
}
