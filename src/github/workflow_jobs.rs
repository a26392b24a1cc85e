//! Calls about workflow jobs. GitHub has no list of those of an organisation: each repository is asked.

use std::collections::BTreeSet;

use tokio::time::Instant;

use super::error::{Cause, Error};
use super::pages::Page;
use super::permission::Permission::ReadActions;
use super::workflow_job::{QueuedRuns, WorkflowJob, WorkflowJobPage, WorkflowJobStatus, WorkflowRunPage};
use super::{Ask, Client, Repository};

impl Client {
    /// The repository whose runners these are; `None` for an organisation or enterprise.
    #[must_use]
    pub fn repository(&self) -> Option<Repository> {
        self.target.repository()
    }

    /// The workflow jobs of these repositories that have not ended, each once: those that wait for a runner and those that have one.
    ///
    /// # Errors
    /// Why one of the repositories cannot be asked; the rest is then not known either.
    pub async fn unfinished_workflow_jobs(
        &self,
        repositories: &[Repository],
    ) -> Result<Vec<WorkflowJob>, Error> {
        let until = self.until();
        let (mut jobs, mut seen) = (Vec::new(), BTreeSet::new());
        for repository in repositories {
            for run in self.unfinished_runs(repository, until).await? {
                let of_run = self.workflow_jobs_of(repository, run, until).await?;
                let is_unfinished = |job: &WorkflowJob| job.status != WorkflowJobStatus::Completed;
                jobs.extend(of_run.into_iter().filter(|job| is_unfinished(job) && seen.insert(job.id)));
            }
        }
        Ok(jobs)
    }

    /// The workflow runs of which no workflow job has begun: how many, and some of them. One call.
    ///
    /// # Errors
    /// Why it cannot be told.
    pub async fn queued_workflow_runs(&self, repository: &Repository) -> Result<QueuedRuns, Error> {
        let action = format!("list the queued workflow runs of {repository}");
        let path = repository.actions("/runs?status=queued&per_page=10");
        let ask = Ask::get(action, path, ReadActions);
        let answer = self.ask(&ask, self.until()).await?;
        let (total, runs) = answer.read::<WorkflowRunPage>().map_err(|cause| ask.error(cause))?.into_parts();
        Ok(QueuedRuns { total: total.max(runs.len().try_into().unwrap_or(u64::MAX)), runs })
    }

    /// Queued ones first: a run that begins meanwhile is then in the second list, or in both.
    async fn unfinished_runs(&self, repository: &Repository, until: Instant) -> Result<BTreeSet<u64>, Error> {
        let mut runs = BTreeSet::new();
        for status in ["queued", "in_progress"] {
            let action = format!("list the {status} workflow runs of {repository}");
            let path = repository.actions(&format!("/runs?status={status}"));
            let ask = Ask::get(action, path, ReadActions);
            runs.extend(self.pages::<WorkflowRunPage>(&ask, until).await?.into_iter().map(|run| run.id));
        }
        Ok(runs)
    }

    async fn workflow_jobs_of(
        &self,
        repository: &Repository,
        run: u64,
        until: Instant,
    ) -> Result<Vec<WorkflowJob>, Error> {
        let action = format!("list the workflow jobs of run {run} of {repository}");
        let ask =
            Ask::get(action, repository.actions(&format!("/runs/{run}/jobs?filter=latest")), ReadActions);
        match self.pages::<WorkflowJobPage>(&ask, until).await {
            // Somebody has deleted the run.
            Err(error) if matches!(error.cause(), Cause::NotFound { .. }) => Ok(Vec::new()),
            result => result,
        }
    }

    /// The workflow job of that number; `None` where there is none.
    ///
    /// # Errors
    /// Why it cannot be told.
    pub async fn workflow_job(&self, repository: &Repository, id: u64) -> Result<Option<WorkflowJob>, Error> {
        let action = format!("look at workflow job {id} of {repository}");
        let ask = Ask::get(action, repository.actions(&format!("/jobs/{id}")), ReadActions);
        match self.ask(&ask, self.until()).await {
            Ok(answer) => answer.read().map(Some).map_err(|cause| ask.error(cause)),
            Err(error) if matches!(error.cause(), Cause::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
