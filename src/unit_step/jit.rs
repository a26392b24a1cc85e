//! Ephemeral runners: each start is another one at GitHub, made for one workflow job, and nothing that the last one could write is there for the next.
//!
//! What GitHub is asked for is noted before it is asked, and the note stays until the runner is seen gone there: whatever is cut off in between, a later step ends it.

use std::path::Path;
use std::thread;
use std::time::Duration;

use jiff::Timestamp;
use secrecy::ExposeSecret;

use super::Prepare;
use super::await_online::{is_done, session};
use super::prepare::hand_over;
use super::token::{TokenProblem, require_memory, take_from_budget};
use crate::apply::notes;
use crate::config::{JitConfig, JitFile};
use crate::files::{self, FileError, Trash};
use crate::fleet::RunnerPaths;
use crate::runner::{self, Agent, Note, Notes, RegistrationBudget};

/// After a step that failed: systemd starts an ephemeral runner again at once.
const FAILED_PAUSE: Duration = Duration::from_secs(5);

/// Makes the next runner at GitHub.
pub struct Jit {
    /// What all of this runner's names begin with.
    pub name: String,
    /// Asks GitHub.
    pub renew: Renew,
}

/// Ends what is noted, where that can be done, and makes the runner of this name.
pub type Renew = Box<dyn Fn(&Notes, &str) -> Renewed>;

/// What GitHub said.
pub struct Renewed {
    /// Of what was noted: what stays.
    pub left: Notes,
    /// The new runner's id, and what it starts with.
    pub made: Result<(u64, JitConfig), NotMade>,
}

/// Why there is no new runner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotMade {
    /// Another runner has the name.
    NameTaken(TokenProblem),
    /// GitHub made none.
    Refused(TokenProblem),
    /// No answer came: GitHub may have made one.
    Unknown(TokenProblem),
}

impl NotMade {
    fn problem(self) -> TokenProblem {
        match self {
            Self::NameTaken(problem) | Self::Refused(problem) | Self::Unknown(problem) => problem,
        }
    }
}

/// Ends noted runners; returns those that stay.
pub type EndNoted = Box<dyn Fn(&Notes) -> Notes>;

/// Waits, if the last starts came to nothing. What the last one left stands meanwhile: it says why.
pub(super) fn pause(step: &Prepare) -> Result<(), FileError> {
    let record = &step.paths.registrations;
    let mut budget = RegistrationBudget::of_text(&files::read(record)?.unwrap_or_default());
    if was_of_use(&step.paths) {
        budget.give_back();
        files::write(record, budget.to_text().as_bytes(), 0o600)?;
    }
    thread::sleep(budget.pause(Timestamp::now()));
    Ok(())
}

/// A step that failed is tried again at once: not too soon.
pub(super) fn pause_after_failure() {
    thread::sleep(FAILED_PAUSE);
}

fn was_of_use(paths: &RunnerPaths) -> bool {
    let perf = files::read_untrusted(&paths.perf()).unwrap_or_default();
    runner::was_of_use(session(paths).as_ref(), &perf)
}

/// Moves away what the last workflow job could write: its work folder with the tool cache, and all that it left in the private engine, images among it, since a
/// name of an image is what the last one made it. In one step each; it is deleted while the container starts.
pub(super) fn clear(paths: &RunnerPaths) -> Result<Vec<String>, FileError> {
    let trash = Trash::open(&paths.trash)?;
    // What there was no time for at the last start. `runnerctl prune` may be at the same; it is out of everybody's reach in any case.
    let stuck = trash.empty().err().map(|error| error.to_string());
    for directory in [&paths.work, &paths.engine_storage] {
        trash.take(directory)?;
    }
    Ok(stuck.into_iter().collect())
}

/// Deletes what was moved away, until this process ends; the rest is for the next start.
pub fn delete_in_background(trash: &Path) {
    let trash = trash.to_owned();
    // What cannot be deleted now is told by the next start.
    let delete = move || Trash::left_at(&trash).and_then(|trash| trash.map_or(Ok(()), |trash| trash.empty()));
    drop(thread::spawn(delete));
}

/// Makes a runner at GitHub and hands its identity to the entrypoint.
pub(super) fn hand_over_identity(step: &Prepare, jit: &Jit) -> Result<Result<(), TokenProblem>, FileError> {
    let files = match make(step, jit) {
        Ok(files) => files,
        Err(problem) => return Ok(Err(problem)),
    };
    let directory = step.paths.jit();
    files::make_directory(&directory, 0o700)?;
    for file in &files {
        hand_over(step, &directory.join(&file.name), file.text.expose_secret())?;
    }
    step.give_to_container(&directory)?;
    Ok(Ok(()))
}

fn make(step: &Prepare, jit: &Jit) -> Result<Vec<JitFile>, TokenProblem> {
    require_memory(&step.paths.token)?;
    let mut notes = noted(&step.paths)?;
    take_from_budget(&step.paths.registrations)?;
    let made = match try_name(step, jit, &mut notes)? {
        // Another name is free, unless something else is wrong.
        Err(NotMade::NameTaken(_)) => try_name(step, jit, &mut notes)?,
        made => made,
    };
    made.map_err(NotMade::problem)?.files().map_err(|error| TokenProblem {
        cause: error.to_string(),
        hint: "see that url is GitHub's; else use a newer runnerctl".to_owned(),
        passes: false,
    })
}

/// Asks for a runner of a new name.
fn try_name(
    step: &Prepare,
    jit: &Jit,
    notes: &mut Notes,
) -> Result<Result<JitConfig, NotMade>, TokenProblem> {
    let name = runner::ephemeral_name(&jit.name, fastrand::u64(..));
    let old = notes.clone();
    notes.0.push(Note { name: name.clone(), id: None });
    write(&step.paths, notes)?;
    let Renewed { left, made } = (jit.renew)(&old, &name);
    *notes = left;
    match &made {
        Ok((id, _)) => notes.0.push(Note { name, id: Some(*id) }),
        Err(NotMade::Unknown(_)) => notes.0.push(Note { name, id: None }),
        // GitHub made none, and under a name that is taken somebody else's may be.
        Err(NotMade::NameTaken(_) | NotMade::Refused(_)) => {}
    }
    write(&step.paths, notes)?;
    Ok(made.map(|(_, config)| config))
}

/// What is noted, and the registration of a runner that was none of these before: it is noted before its identity goes.
fn noted(paths: &RunnerPaths) -> Result<Notes, TokenProblem> {
    let mut notes = notes::read(&paths.ephemeral).map_err(|error| disk_problem(&error))?;
    if let Some(Agent { id, name }) =
        files::read_untrusted(&paths.identity_mark()).and_then(|text| Agent::of(&text))
    {
        notes.0.insert(0, Note { name, id: Some(id) });
        write(paths, &notes)?;
    }
    for entry in files::names(&paths.identity).map_err(|error| disk_problem(&error))? {
        files::remove(&paths.identity.join(entry)).map_err(|error| disk_problem(&error))?;
    }
    Ok(notes)
}

fn write(paths: &RunnerPaths, notes: &Notes) -> Result<(), TokenProblem> {
    notes::write(&paths.ephemeral, notes).map_err(|error| disk_problem(&error))
}

fn disk_problem(error: &FileError) -> TokenProblem {
    let hint = "see that the disk works and is not full".to_owned();
    TokenProblem { cause: error.to_string(), hint, passes: true }
}

/// Ends what this runner has left at GitHub from when it was ephemeral.
pub(super) fn end_left(paths: &RunnerPaths, end: &EndNoted) -> Result<(), FileError> {
    let notes = notes::read(&paths.ephemeral)?;
    if notes.0.is_empty() { Ok(()) } else { notes::write(&paths.ephemeral, &end(&notes)) }
}

/// `ExecStopPost=`: an ephemeral runner that ended without a workflow job, or in the midst of one, leaves no registration behind. GitHub itself ends that of one whose
/// workflow job is done. Returns what stays.
///
/// # Errors
/// The notes could not be read or written.
pub fn end_registration(paths: &RunnerPaths, end: &EndNoted) -> Result<Notes, FileError> {
    if is_done(paths) {
        return Ok(Notes::default());
    }
    end_left(paths, end)?;
    notes::read(&paths.ephemeral)
}

#[cfg(test)]
mod tests;
