//! `runnerctl why`

use std::collections::BTreeMap;

use serde::Serialize;

use super::context::{Context, GlobalArgs, block_on};
use super::exit::Exit;
use super::failure::Failure;
use super::{github_client, output, status};
use crate::fleet::Runner;
use crate::github::{self, Client, Repository, WorkflowJobStatus};
use crate::runner::all_labels;
use crate::status::RunnerStatus;
use crate::why::{AtGithub, Candidate, Here, Queued, RunnerReason, Verdict};

/// Options of `why`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// One workflow job alone, by the number in its address at GitHub
    #[arg(long, value_name = "ID")]
    workflow_job: Option<u64>,
    /// Repositories whose workflow jobs are looked at, for runners of an organisation or enterprise
    #[arg(long, value_name = "OWNER/REPOSITORY", value_parser = repository)]
    repository: Vec<Repository>,
    /// As JSON, for scripts
    #[arg(long)]
    json: bool,
}

fn repository(typed: &str) -> Result<Repository, String> {
    Repository::parse(typed).ok_or_else(|| "allowed: OWNER/REPOSITORY".to_owned())
}

/// All that is told.
#[derive(Debug, Serialize)]
struct Answer {
    workflow_jobs: Vec<Verdict>,
    runners: Vec<RunnerReason>,
}

pub(super) fn run(args: &Args, global: &GlobalArgs) -> Result<Exit, Failure> {
    let context = Context::load(global)?;
    let client = github_client::of(&context)?;
    if args.workflow_job.is_some() && client.is_none() {
        return Err(github_client::none("why --workflow-job"));
    }
    let answer = block_on(ask(args, &context, client.as_ref()))?;
    if args.json {
        output::json(&answer)?;
    } else {
        output::data(&in_words(&answer))?;
        if client.is_none() {
            output::say("GitHub was not asked: the config has no credential for that (github.credential)");
        }
    }
    Ok(Exit::Done)
}

async fn ask(args: &Args, context: &Context, client: Option<&Client>) -> Result<Answer, Failure> {
    let runners: Vec<&Runner> = context.fleet.runners.iter().collect();
    let here = status::gather(context, &runners).await?;
    let (known, queued) = match client {
        Some(client) => (Some(known(client).await?), queued(args, client).await?),
        None => (None, Vec::new()),
    };
    let fleet: Vec<Candidate> = runners
        .iter()
        .zip(&here)
        .map(|(runner, here)| candidate(context, runner, here, known.as_ref()))
        .collect();
    Ok(Answer {
        workflow_jobs: queued.iter().map(|job| job.verdict(&fleet)).collect(),
        runners: fleet.iter().map(|runner| runner.reason(&queued)).collect(),
    })
}

async fn known(client: &Client) -> Result<BTreeMap<String, github::Runner>, Failure> {
    Ok(client.runners().await?.into_iter().map(|runner| (runner.name.clone(), runner)).collect())
}

/// What has not begun, of the repositories that are meant.
async fn queued(args: &Args, client: &Client) -> Result<Vec<Queued>, Failure> {
    let repositories: Vec<Repository> = if args.repository.is_empty() {
        client.repository().into_iter().collect()
    } else {
        args.repository.clone()
    };
    if repositories.is_empty() {
        output::warn(
            "workflow jobs were not looked at: GitHub has no list of them for an organisation or enterprise",
            Some("name repositories: --repository OWNER/REPOSITORY"),
        );
    }
    let jobs = client.unfinished_workflow_jobs(&repositories).await?;
    let meant = jobs.into_iter().filter(|job| {
        job.status != WorkflowJobStatus::InProgress && args.workflow_job.is_none_or(|id| id == job.id)
    });
    let queued: Vec<Queued> = meant
        .map(|job| Queued {
            id: job.id,
            waits_for_runner: job.status == WorkflowJobStatus::Queued,
            name: job
                .workflow_name
                .map_or_else(|| job.name.clone(), |workflow| format!("{workflow} / {}", job.name)),
            labels: job.labels,
        })
        .collect();
    match args.workflow_job {
        Some(id) if queued.is_empty() => Err(Failure::new(
            format!("no workflow job {id} is queued"),
            "it runs, has ended, or is of another repository (--repository OWNER/REPOSITORY)",
        )),
        _ => Ok(queued),
    }
}

fn candidate(
    context: &Context,
    runner: &Runner,
    here: &RunnerStatus,
    known: Option<&BTreeMap<String, github::Runner>>,
) -> Candidate {
    let name = here.registered_as.as_ref().unwrap_or(&runner.name);
    let at_github = known.map(|known| known.get(name));
    let labels = match at_github {
        Some(Some(known)) => known.labels.iter().map(|label| label.name.clone()).collect(),
        _ => wanted_labels(context, runner),
    };
    Candidate {
        name: runner.name.clone(),
        number: runner.number,
        here: view_of(here),
        at_github: at_github.map(|known| known.map_or(AtGithub::Absent, AtGithub::from)),
        labels,
    }
}

fn view_of(here: &RunnerStatus) -> Here {
    match here.word() {
        "online" => Here::Idle,
        "busy" | "draining" => Here::Busy,
        "drained" => Here::Drained,
        word => Here::Away { word: word.to_owned(), problem: here.problem.clone() },
    }
}

/// What the runner is registered with.
fn wanted_labels(context: &Context, runner: &Runner) -> Vec<String> {
    let custom: Vec<String> = runner.labels.iter().map(ToString::to_string).collect();
    all_labels(&custom, context.fleet.no_default_labels)
}

fn in_words(answer: &Answer) -> String {
    let mut lines = Vec::new();
    for verdict in &answer.workflow_jobs {
        lines.push(format!("workflow job {} ({}): {}", verdict.workflow_job, verdict.name, verdict.reason));
        lines.extend(verdict.runners.iter().map(|(runner, why)| format!("    {runner}: {why}")));
        lines.push(format!("    hint: {}", verdict.hint));
    }
    for runner in &answer.runners {
        lines.push(format!("{}: {}", runner.runner, runner.reason));
        lines.extend(runner.hint.iter().map(|hint| format!("    hint: {hint}")));
    }
    lines.join("\n") + "\n"
}
