//! Questions to programs that are asked only to look at the host. None may keep anybody waiting.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::{ProgramError, output_within};

/// A program answers at once, or something is wrong with it; an emulated guest takes seconds.
const LIMIT: Duration = Duration::from_secs(10);

/// An account that is nobody's: `nobody`, everywhere.
const NOBODY: &str = "65534";

/// What `program --version` says.
///
/// # Errors
/// It cannot be run, or does not answer within 10 s.
pub async fn version(program: &Path) -> Result<String, ProgramError> {
    let mut command = Command::new(program);
    command.arg("--version");
    output_within(command, LIMIT).await
}

/// The programs of util-linux and coreutils that [`user_namespace`] needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamespaceProbe {
    /// setpriv(1), to become nobody: root is allowed everything. `None`: the caller is not root.
    pub setpriv: Option<PathBuf>,
    /// unshare(1)
    pub unshare: PathBuf,
    /// true(1)
    pub nothing: PathBuf,
}

/// Makes a user namespace without privileges, as rootless Podman would; `None`: the trial itself went wrong.
pub async fn user_namespace(probe: &NamespaceProbe) -> Option<bool> {
    let mut command = match &probe.setpriv {
        None => Command::new(&probe.unshare),
        Some(setpriv) => {
            let mut command = Command::new(setpriv);
            command.args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"]).arg(&probe.unshare);
            command
        }
    };
    command.args(["--user", "--map-root-user"]).arg(&probe.nothing).env("LC_ALL", "C").current_dir("/");
    match output_within(command, LIMIT).await {
        Ok(_) => Some(true),
        Err(ProgramError::Failed { stderr, .. }) if is_refusal(&stderr) => Some(false),
        Err(_) => None,
    }
}

/// The kernel said no to unshare(2) or to the map of ids, rather than to something before.
fn is_refusal(stderr: &str) -> bool {
    let errors = ["Operation not permitted", "Permission denied", "No space left on device"];
    stderr.starts_with("unshare:") && errors.iter().any(|error| stderr.contains(error))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn script(directory: &Path, name: &str, text: &str) -> PathBuf {
        let path = directory.join(name);
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    async fn tried(unshare: &str) -> Option<bool> {
        let directory = tempfile::tempdir().unwrap();
        let unshare = script(directory.path(), "unshare", unshare);
        user_namespace(&NamespaceProbe { setpriv: None, unshare, nothing: "/bin/true".into() }).await
    }

    #[tokio::test]
    async fn only_a_refusal_of_the_kernel_counts_as_a_no() {
        assert_eq!(tried("exec \"$3\"").await, Some(true));
        assert_eq!(
            tried("echo 'unshare: unshare failed: Operation not permitted' >&2; exit 1").await,
            Some(false)
        );
        let map = "echo 'unshare: write failed /proc/self/uid_map: Operation not permitted' >&2; exit 1";
        assert_eq!(tried(map).await, Some(false));
        assert_eq!(tried("echo 'unshare: unrecognized option: map-root-user' >&2; exit 1").await, None);
        assert_eq!(
            tried("echo 'setpriv: setresuid failed: Operation not permitted' >&2; exit 127").await,
            None
        );
        assert_eq!(tried("kill $$").await, None);
    }

    #[tokio::test]
    async fn root_becomes_nobody_first() {
        let directory = tempfile::tempdir().unwrap();
        let setpriv =
            script(directory.path(), "setpriv", "echo \"unshare: $* Permission denied\" >&2; exit 1");
        let probe = NamespaceProbe { setpriv: Some(setpriv), unshare: "/u".into(), nothing: "/t".into() };
        assert_eq!(user_namespace(&probe).await, Some(false));
    }

    #[tokio::test(start_paused = true)]
    async fn a_program_that_does_not_answer_is_given_up() {
        let directory = tempfile::tempdir().unwrap();
        let program = script(directory.path(), "podman", "exec tail -f /dev/null");
        let error = version(&program).await.unwrap_err();
        assert!(error.to_string().ends_with("podman did not end within 10s"), "{error}");
    }
}
