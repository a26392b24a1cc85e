//! Credentials that systemd-creds(1) has encrypted for this host.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use secrecy::SecretString;

use super::find;

/// Its name.
const PROGRAM: &str = "systemd-creds";

/// Why an encrypted credential is not read. Never holds any of what it hides.
#[derive(Debug, thiserror::Error)]
pub enum DecryptError {
    /// This host cannot decrypt any.
    #[error("{path} is encrypted, and this host has no systemd-creds", path = file.display())]
    NoProgram {
        /// The credential.
        file: PathBuf,
    },
    /// It could not be started.
    #[error("cannot run {}: {source}", program.display())]
    Start {
        /// systemd-creds.
        program: PathBuf,
        /// The kernel's words.
        source: io::Error,
    },
    /// There is none.
    #[error("{path} does not exist", path = file.display())]
    Missing {
        /// The credential.
        file: PathBuf,
        /// What it has to be called.
        name: &'static str,
    },
    /// systemd-creds refused it.
    #[error("{path} cannot be decrypted: {reason}", path = file.display())]
    Refused {
        /// The credential.
        file: PathBuf,
        /// What it has to be called.
        name: &'static str,
        /// systemd's own words.
        reason: String,
    },
    /// It is no text.
    #[error("what {path} hides is no text", path = file.display())]
    NotText {
        /// The credential.
        file: PathBuf,
    },
}

impl DecryptError {
    /// The next step.
    #[must_use]
    pub fn hint(&self) -> String {
        let encrypt = |name: &str, file: &Path| {
            format!("systemd-creds encrypt --name={name} PLAINTEXT_FILE {}", file.display())
        };
        match self {
            Self::NoProgram { .. } => {
                "it came with systemd 250 (Debian, Fedora: the package systemd); without it, set encrypted = false and keep the plain text in a file of mode 0600"
                    .to_owned()
            }
            Self::Start { .. } => "see that it can be run".to_owned(),
            Self::Missing { file, name } => format!("as root: {}", encrypt(name, file)),
            Self::Refused { reason, .. } if reason.contains("ermission denied") => {
                "run it as root (sudo)".to_owned()
            }
            Self::Refused { reason, name, file } if reason.contains("does not match") => {
                format!("it has to be called {name}: {}", encrypt(name, file))
            }
            Self::Refused { name, file, .. } => format!(
                "only the host that encrypted it can, with the same TPM and the same /var/lib/systemd/credential.secret; here, as root: {}",
                encrypt(name, file)
            ),
            Self::NotText { file } => {
                format!("encrypt the token or the key itself (PEM), and nothing else, into {}", file.display())
            }
        }
    }
}

/// What `file` hides under `name`. The plain text comes through a pipe, and is in no argument and no file.
///
/// # Errors
/// Why it is not read.
pub fn decrypt_credential(
    name: &'static str,
    file: &Path,
    path: Option<&OsStr>,
) -> Result<SecretString, DecryptError> {
    let owned = || file.to_owned();
    // systemd-creds' own message for this tells no file.
    if !file.exists() {
        return Err(DecryptError::Missing { file: owned(), name });
    }
    let program = find(PROGRAM, path).ok_or_else(|| DecryptError::NoProgram { file: owned() })?;
    let mut command = Command::new(&program);
    command.arg("decrypt").arg(format!("--name={name}")).arg(file).arg("-");
    let output = command
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .output()
        .map_err(|source| DecryptError::Start { program, source })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        // Warnings come first.
        let last = said.lines().rfind(|line| !line.trim().is_empty());
        let reason = last.map_or_else(|| output.status.to_string(), |line| line.trim().to_owned());
        return Err(DecryptError::Refused { file: owned(), name, reason });
    }
    String::from_utf8(output.stdout)
        .map(SecretString::from)
        .map_err(|_| DecryptError::NotText { file: owned() })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use secrecy::ExposeSecret;

    use super::*;

    const CANARY: &str = "ghp_CANARYcanaryCANARYcanary";

    /// A credential, and a systemd-creds that does this.
    fn bed(script: &str) -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let program = directory.path().join(PROGRAM);
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let file = directory.path().join("github-credential");
        fs::write(&file, "Whxqht+dQJax1aZeCGLxmg==").unwrap();
        (directory, file)
    }

    fn decrypted(script: &str) -> Result<SecretString, DecryptError> {
        let (directory, file) = bed(script);
        decrypt_credential("github", &file, Some(directory.path().as_os_str()))
    }

    #[test]
    fn the_plain_text_comes_through_a_pipe() {
        let script = format!(
            "[ \"$1 $2 $4\" = 'decrypt --name=github -' ] && [ -s \"$3\" ] && printf '%s\\n' {CANARY}"
        );
        assert_eq!(decrypted(&script).unwrap().expose_secret(), format!("{CANARY}\n"));
    }

    #[test]
    fn what_systemd_refuses_is_told_in_its_last_words_with_the_next_step() {
        let warning = "echo 'Credential secret file is not located on encrypted media, using anyway.' >&2";
        for (said, hint) in [
            (
                "Embedded credential name 'x' does not match filename 'github', refusing.",
                "it has to be called github",
            ),
            ("Failed to determine local credential host secret: Permission denied", "run it as root"),
            ("Decryption failed (incorrect key?): Bad message", "only the host that encrypted it can"),
            ("TPM2 support is not available.", "the same TPM"),
        ] {
            let script = format!("printf %s {CANARY}; {warning}; echo \"{said}\" >&2; exit 1");
            let error = decrypted(&script).err().unwrap();
            assert!(error.to_string().ends_with(&format!("cannot be decrypted: {said}")), "{error}");
            assert!(error.hint().contains(hint), "{}", error.hint());
            assert!(!format!("{error} {error:?} {}", error.hint()).contains("CANARY"));
        }
    }

    #[test]
    fn what_is_not_there_is_told_with_the_command_that_makes_it() {
        let error = decrypt_credential("github", Path::new("/nonexistent/github"), None).err().unwrap();
        assert_eq!(error.to_string(), "/nonexistent/github does not exist");
        assert!(error.hint().contains("systemd-creds encrypt --name=github "), "{}", error.hint());
        assert!(decrypted("printf '\\377'").err().unwrap().to_string().ends_with("is no text"));
    }
}
