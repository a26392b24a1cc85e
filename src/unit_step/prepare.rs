//! `ExecStartPre=`: makes the runner's directories and hands the registration token over.
//!
//! A token that cannot be had is no failure of this step: the entrypoint is told why instead and ends with the exit code that
//! `RestartPreventExitStatus=` knows. systemd applies that setting to the main process alone, so a failure here would be
//! repeated for ever.

use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};

use crate::config::{RegistrationToken, Tokens, variable};
use crate::files::{self, FileError};
use crate::fleet::{HostIds, IdRange, RunnerPaths};
use crate::host_facts;

/// What the step is told on its command line.
#[derive(Debug)]
pub struct Prepare {
    /// Number of the runner.
    pub runner: u16,
    /// Digest of the unit's text.
    pub unit_digest: String,
    /// The `.env`.
    pub tokens: PathBuf,
    /// One token may serve several runners.
    pub shared_token: bool,
    /// The runner's directories.
    pub paths: RunnerPaths,
    /// The shared reports directory.
    pub reports: PathBuf,
    /// The runner's ids on the host, with a private engine.
    pub ids: Option<IdRange>,
    /// The container's ids are the host's although it has a private engine: Docker maps those of all its containers or of none.
    pub unmapped: bool,
}

impl Prepare {
    /// Who the container's root is on the host, if not who runs this.
    fn container_root(&self) -> Option<u32> {
        self.ids.filter(|_| !self.unmapped).map(IdRange::root)
    }
}

/// Why no token is handed over, for the journal and the entrypoint; never with the token.
struct TokenProblem {
    cause: String,
    hint: String,
}

/// Makes the directories and hands the token over. Returns what the journal should say.
///
/// # Errors
/// A directory or file could not be made.
pub fn prepare(step: &Prepare) -> Result<Vec<String>, FileError> {
    make_directories(step)?;
    make_engine_directories(step)?;
    // What an earlier start left must not speak for this one.
    for stale in [step.paths.session(), step.paths.registration_token(), step.paths.token_problem()] {
        files::remove(&stale)?;
    }
    files::write(&step.paths.started_with, step.unit_digest.as_bytes(), 0o644)?;
    let registered = step.paths.identity_mark().exists();
    match token(step) {
        Ok(text) => {
            hand_over(step, &step.paths.registration_token(), text.expose_secret())?;
            Ok(Vec::new())
        }
        Err(problem) => {
            // The entrypoint has a next step of its own to tell.
            hand_over(step, &step.paths.token_problem(), &problem.cause)?;
            // A registered runner needs no token, so a dead or missing one is nothing to speak of.
            Ok(if registered {
                Vec::new()
            } else {
                vec![format!("runner {}: {}", step.runner, problem.cause), format!("hint: {}", problem.hint)]
            })
        }
    }
}

fn make_directories(step: &Prepare) -> Result<(), FileError> {
    let paths = &step.paths;
    for (directory, mode) in [
        (&paths.identity, 0o700),
        (&paths.work, 0o755),
        (&paths.token, 0o700),
        (&paths.status, 0o755),
        // Like /tmp: whatever the runners' user ids are on this host, each may add to it.
        (&step.reports, 0o1777),
    ] {
        files::make_directory(directory, mode)?;
    }
    for directory in [&paths.identity, &paths.token, &paths.status] {
        give(directory, step.container_root())?;
    }
    give(&paths.work, step.ids.map(IdRange::runner))
}

/// What belonged to the ids of another mode is given to the new owner. Without ids of its own the container's root is the host's, or with rootless Podman the user
/// who calls this; the work folder's top is given to `runner` by the entrypoint.
fn give(directory: &Path, owner: Option<u32>) -> Result<(), FileError> {
    let found = files::owner(directory)?;
    let was_private = found.and_then(HostIds::slot_of).is_some();
    match owner {
        Some(owner) if found != Some(owner) => files::give_tree(directory, owner),
        None if was_private => files::give_tree(directory, rustix::process::geteuid().as_raw()),
        _ => Ok(()),
    }
}

/// The engine's storage belongs to its account. Volumes of the workflows before have no container any more.
fn make_engine_directories(step: &Prepare) -> Result<(), FileError> {
    let Some(ids) = step.ids else { return Ok(()) };
    let paths = &step.paths;
    files::make_directory(&paths.engine, 0o755)?;
    files::remove(&paths.engine_ready())?;
    files::make_directory(&paths.engine_storage, 0o700)?;
    if files::owner(&paths.engine_storage)? != Some(ids.runner()) {
        // Images of other ids are of no use to this account.
        files::remove_tree(&paths.engine_storage)?;
        files::make_directory(&paths.engine_storage, 0o700)?;
        files::give_tree(&paths.engine_storage, ids.runner())?;
    }
    files::remove_tree(&paths.engine_storage.join("volumes"))
}

/// Writes a file that the container's root alone can read.
fn hand_over(step: &Prepare, path: &Path, text: &str) -> Result<(), FileError> {
    files::write(path, text.as_bytes(), 0o400)?;
    step.container_root().map_or(Ok(()), |root| files::give_tree(path, root))
}

fn token(step: &Prepare) -> Result<SecretString, TokenProblem> {
    let place = step.tokens.display();
    if host_facts::is_in_memory(&step.paths.token) != Some(true) {
        return Err(TokenProblem {
            cause: format!(
                "{} is not on a tmpfs, and a token must not reach a disk",
                step.paths.token.display()
            ),
            hint: "set paths.runtime to a place below /run".to_owned(),
        });
    }
    let text = files::read_tokens(&step.tokens).map_err(|error| TokenProblem {
        cause: format!("{} cannot be read: {error}", variable(step.runner)),
        hint: error.hint(),
    })?;
    let in_file = |error: &crate::config::TokenError| TokenProblem {
        cause: format!("{error} in {place}"),
        hint: error.hint().to_owned(),
    };
    let tokens = Tokens::parse(text.expose_secret()).map_err(|errors| match errors.first() {
        Some(error) => in_file(error),
        None => TokenProblem { cause: format!("{place} cannot be read"), hint: String::new() },
    })?;
    if !step.shared_token
        && let Some(error) = tokens.shared(u16::MAX).iter().find(|error| error.concerns(step.runner))
    {
        return Err(in_file(error));
    }
    let token: &RegistrationToken = tokens.of(step.runner).map_err(|error| in_file(&error))?;
    Ok(SecretString::from(token.expose()))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    use super::*;

    const CANARY: &str = "CANARYTOKENCANARYTOKENCANARYT";

    fn step(directory: &Path, env: &str) -> Prepare {
        let tokens = directory.join(".env");
        fs::write(&tokens, env).unwrap();
        fs::set_permissions(&tokens, fs::Permissions::from_mode(0o600)).unwrap();
        Prepare {
            runner: 3,
            unit_digest: "abc".to_owned(),
            tokens,
            shared_token: false,
            paths: RunnerPaths::new(directory.join("state/3"), directory.join("run/3")),
            reports: directory.join("reports"),
            ids: None,
            unmapped: false,
        }
    }

    fn in_memory() -> tempfile::TempDir {
        tempfile::tempdir_in("/dev/shm").unwrap()
    }

    #[test]
    fn the_token_is_handed_over_in_a_file_only_its_owner_reads() {
        let directory = in_memory();
        let step = step(directory.path(), &format!("RUNNER_TOKEN_3={CANARY}\n"));
        assert!(prepare(&step).unwrap().is_empty());
        let token = step.paths.registration_token();
        assert_eq!(fs::read_to_string(&token).unwrap(), CANARY);
        assert_eq!(fs::metadata(&token).unwrap().permissions().mode() & 0o777, 0o400);
        assert_eq!(fs::metadata(&step.paths.identity).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(fs::metadata(&step.reports).unwrap().permissions().mode() & 0o7777, 0o1777);
        assert_eq!(fs::read_to_string(&step.paths.started_with).unwrap(), "abc");
    }

    #[test]
    fn a_missing_token_is_told_to_the_entrypoint_by_its_name_and_file() {
        let directory = in_memory();
        let step = step(directory.path(), &format!("RUNNER_TOKEN_2={CANARY}\n"));
        let said = prepare(&step).unwrap().join("\n");
        assert!(
            said.starts_with(&format!("runner 3: RUNNER_TOKEN_3 is not set in {}", step.tokens.display())),
            "{said}"
        );
        assert!(!step.paths.registration_token().exists());
        let problem = fs::read_to_string(step.paths.token_problem()).unwrap();
        assert!(problem.contains("RUNNER_TOKEN_3 is not set") && !problem.contains("CANARY"), "{problem}");
    }

    #[test]
    fn a_registered_runner_needs_no_token_and_says_nothing() {
        let directory = in_memory();
        let step = step(directory.path(), "");
        fs::create_dir_all(&step.paths.identity).unwrap();
        fs::write(step.paths.identity_mark(), "{}").unwrap();
        assert!(prepare(&step).unwrap().is_empty());
    }

    #[test]
    fn a_token_shared_with_another_runner_is_refused_unless_allowed() {
        let directory = in_memory();
        let env = format!("RUNNER_TOKEN_1={CANARY}\nRUNNER_TOKEN_3={CANARY}\n");
        let mut step = step(directory.path(), &env);
        assert!(
            prepare(&step)
                .unwrap()
                .join("")
                .contains("RUNNER_TOKEN_1 and RUNNER_TOKEN_3 hold the same token")
        );
        step.shared_token = true;
        assert!(prepare(&step).unwrap().is_empty());
    }

    #[test]
    fn what_an_earlier_start_left_is_gone() {
        let directory = in_memory();
        let step = step(directory.path(), "");
        fs::create_dir_all(&step.paths.status).unwrap();
        fs::create_dir_all(&step.paths.token).unwrap();
        fs::write(step.paths.session(), "online\n").unwrap();
        fs::write(step.paths.registration_token(), CANARY).unwrap();
        prepare(&step).unwrap();
        assert!(!step.paths.session().exists() && !step.paths.registration_token().exists());
    }

    #[test]
    fn a_token_never_reaches_a_disk() {
        let directory = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        if host_facts::is_in_memory(directory.path()) == Some(true) {
            return;
        }
        let step = step(directory.path(), &format!("RUNNER_TOKEN_3={CANARY}\n"));
        assert!(prepare(&step).unwrap().join("").contains("not on a tmpfs"));
        assert!(!step.paths.registration_token().exists());
    }
}
