//! Asks GitHub for the next runner of an ephemeral one, and ends meanwhile what is left of earlier ones: the two do not wait for each other.

use super::jit::{NotMade, Renewed};
use super::token::TokenProblem;
use crate::apply::notes;
use crate::config::JitConfig;
use crate::github::{Cause, Client, Error, JitRequest};
use crate::runner::Notes;

/// GitHub's number for the group that a place has without making any, docs.github.com "REST API endpoints for self-hosted runners".
const DEFAULT_GROUP: u64 = 1;

/// What a runner for one workflow job is made with.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// All its labels, GitHub's own included.
    pub labels: Vec<String>,
    /// Its runner group; `None`: GitHub's default.
    pub runner_group: Option<String>,
    /// Its work folder, as the container sees it.
    pub work_folder: String,
}

/// Makes the runner `name`, and ends those of `old`.
pub async fn renew(client: &Client, wanted: &Wanted, old: &Notes, name: &str) -> Renewed {
    let (left, made) = tokio::join!(notes::end_all(client, old), make(client, wanted, name));
    Renewed { left, made }
}

async fn make(client: &Client, wanted: &Wanted, name: &str) -> Result<(u64, JitConfig), NotMade> {
    let runner_group_id = match &wanted.runner_group {
        None => DEFAULT_GROUP,
        Some(group) => group_id(client, group).await?,
    };
    let request = JitRequest {
        name: name.to_owned(),
        runner_group_id,
        labels: wanted.labels.clone(),
        work_folder: wanted.work_folder.clone(),
    };
    match client.generate_jit_config(&request).await {
        Ok(made) => Ok((made.runner.id, made.config)),
        Err(error) => Err(not_made(&error)),
    }
}

async fn group_id(client: &Client, group: &str) -> Result<u64, NotMade> {
    let found =
        client.runner_group_id(group).await.map_err(|error| NotMade::Refused(TokenProblem::from(&error)))?;
    found.ok_or_else(|| {
        NotMade::Refused(TokenProblem {
            cause: format!("GitHub has no runner group \"{group}\" there"),
            hint: "correct runner_group".to_owned(),
            passes: false,
        })
    })
}

fn not_made(error: &Error) -> NotMade {
    let problem = TokenProblem::from(error);
    match error.cause() {
        Cause::NameTaken { .. } => NotMade::NameTaken(TokenProblem { passes: true, ..problem }),
        // The next start looks for it by its name.
        Cause::AnswerLost { .. } => NotMade::Unknown(TokenProblem { passes: true, ..problem }),
        Cause::BadCredential { .. }
        | Cause::ClockSkew { .. }
        | Cause::Forbidden { .. }
        | Cause::NotFound { .. }
        | Cause::NotInstalled
        | Cause::Refused { .. }
        | Cause::RateLimited { .. }
        | Cause::Unreachable { .. }
        | Cause::UnknownHost { .. }
        | Cause::Tls { .. }
        | Cause::Redirected { .. }
        | Cause::BadKey { .. }
        | Cause::AppForEnterprise
        | Cause::Setup { .. } => NotMade::Refused(problem),
        // Something came, or may have come, after GitHub had the request.
        Cause::Unavailable { .. }
        | Cause::NotGithub { .. }
        | Cause::TooLarge { .. }
        | Cause::Incomplete { .. }
        | Cause::TimedOut { .. }
        | Cause::Broken { .. } => NotMade::Unknown(problem),
    }
}
