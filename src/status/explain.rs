//! Why a runner is not online, and what to do.

use crate::runner::{RunnerExit, Session, SessionState, TokenSource};

/// Cause and next step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// What happened, one sentence.
    pub cause: String,
    /// The next step.
    pub hint: Option<String>,
}

/// Puts the witnesses of a failed or restarting runner together: the exit status of its main process and the last
/// sentence of its entrypoint. The entrypoint's own words are more exact, the exit status is always there.
#[must_use]
pub fn explain(
    exit_status: Option<i32>,
    session: Option<&Session>,
    token: &TokenSource,
) -> Option<Explanation> {
    let said = session
        .filter(|session| session.state == SessionState::Failed && !session.sentence.is_empty())
        .map(|session| session.sentence.clone());
    let exit = exit_status.and_then(RunnerExit::from_code).filter(|exit| *exit != RunnerExit::Stopped);
    let other = exit_status.filter(|status| *status != 0).map(engine_status);
    let hint = exit.and_then(|exit| exit.next_step(token));
    let cause = said.or_else(|| exit.map(|exit| exit.sentence().to_owned())).or(other)?;
    Some(Explanation { cause, hint })
}

/// Exit codes that are the engine's, podman-run(1) "Exit Status".
fn engine_status(status: i32) -> String {
    match status {
        125 => "the engine could not start the container (image, network or option): see its log".to_owned(),
        126 | 127 => "the image has no /bin/bash that could be run".to_owned(),
        137 => "the container was killed (out of memory, or by hand)".to_owned(),
        143 => "the container was terminated".to_owned(),
        other => format!("the container ended with status {other}"),
    }
}
