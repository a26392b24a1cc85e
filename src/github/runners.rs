//! Calls about runners that are registered.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::json;

use super::error::{Cause, Error};
use super::permission::Permission::{ReadRunners, WriteRunners};
use super::runner::{Labels, Runner, RunnerGroupPage, RunnerLabel, RunnerPage};
use super::{Ask, Client};

/// The end of GitHub's words for a runner that cannot be removed now; what stands before it varies.
const BUSY: &str = "currently running a job";

/// What became of a removal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// It was there and idle; it is gone now.
    Removed,
    /// It was not there. GitHub says the same to a credential that may not see a private repository.
    AlreadyGone,
    /// It runs a workflow job, and stays.
    Busy,
}

impl Client {
    /// All runners, each once.
    ///
    /// # Errors
    /// Why there is no list, or no whole one.
    pub async fn runners(&self) -> Result<Vec<Runner>, Error> {
        let ask =
            Ask::get(format!("list the runners of {}", self.target), self.target.runners(""), ReadRunners);
        let mut runners = self.pages::<RunnerPage>(&ask, self.until()).await?;
        let mut seen = BTreeSet::new();
        runners.retain(|runner| seen.insert(runner.id));
        Ok(runners)
    }

    /// The runner of that number; `None` where there is none. GitHub says the same to a credential that may not see a private repository.
    ///
    /// # Errors
    /// Why it cannot be told.
    pub async fn runner(&self, id: u64) -> Result<Option<Runner>, Error> {
        let action = format!("look at runner {id} of {}", self.target);
        let ask = Ask::get(action, self.target.runners(&format!("/{id}")), ReadRunners);
        match self.ask(&ask, self.until()).await {
            Ok(answer) => answer.read().map(Some).map_err(|cause| ask.error(cause)),
            Err(error) if matches!(error.cause(), Cause::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Removes the runner of that number, unless it runs a workflow job: GitHub decides that and removes in one step.
    ///
    /// # Errors
    /// Why it was not removed, other than being busy.
    pub async fn remove_runner(&self, id: u64) -> Result<Removal, Error> {
        let action = format!("remove runner {id} of {}", self.target);
        let get = Ask::get(action, self.target.runners(&format!("/{id}")), WriteRunners);
        let ask = Ask { method: Method::DELETE, has_answer: false, ..get };
        let Err(error) = self.ask(&ask, self.until()).await else { return Ok(Removal::Removed) };
        match error.cause() {
            // Also after an attempt whose answer was lost.
            Cause::NotFound { .. } => Ok(Removal::AlreadyGone),
            Cause::Refused { status: 422, said } if said.contains(BUSY) => Ok(Removal::Busy),
            _ => Err(error),
        }
    }

    /// The labels of a runner.
    ///
    /// # Errors
    /// Why they cannot be told.
    pub async fn labels(&self, id: u64) -> Result<Vec<RunnerLabel>, Error> {
        let action = format!("list the labels of runner {id} of {}", self.target);
        let ask = Ask::get(action, self.target.runners(&format!("/{id}/labels")), ReadRunners);
        self.read_labels(&ask).await
    }

    /// Gives a runner these custom labels instead of those that it has; GitHub's own stay. Returns all that it has then.
    ///
    /// # Errors
    /// Why it does not have them now.
    pub async fn set_labels(&self, id: u64, labels: &[String]) -> Result<Vec<RunnerLabel>, Error> {
        let action = format!("set the labels of runner {id} of {}", self.target);
        let path = self.target.runners(&format!("/{id}/labels"));
        let body = json!({ "labels": labels });
        let ask = Ask { method: Method::PUT, ..Ask::post(action, path, Some(&body), WriteRunners) };
        self.read_labels(&ask).await
    }

    /// The number of the runner group of that name, as a JIT config wants it; `None` where there is none. Repositories have no runner groups.
    ///
    /// # Errors
    /// Why it cannot be told.
    pub async fn runner_group_id(&self, name: &str) -> Result<Option<u64>, Error> {
        let Some(path) = self.target.runner_groups() else { return Ok(None) };
        let ask = Ask::get(format!("list the runner groups of {}", self.target), path, ReadRunners);
        let groups = self.pages::<RunnerGroupPage>(&ask, self.until()).await?;
        Ok(groups.into_iter().find(|group| group.name == name).map(|group| group.id))
    }

    async fn read_labels(&self, ask: &Ask) -> Result<Vec<RunnerLabel>, Error> {
        let answer = self.ask(ask, self.until()).await?;
        Ok(answer.read::<Labels>().map_err(|cause| ask.error(cause))?.labels)
    }
}
