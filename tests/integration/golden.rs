//! What `runnerctl generate` writes for each config of `tests/fixtures`, byte for byte.
//!
//! After a change that is meant, `UPDATE_FIXTURES=1 cargo test --test integration golden` rewrites the expected files; read the
//! difference before committing it. The scripts are not kept a second time: they are compared with their sources.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use homelab_runners::runner::SCRIPTS;
use homelab_runners::units::{MARKER, digest_of};
use tempfile::TempDir;

use crate::command_line::runnerctl;

/// A config, and what is asked of `generate`.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    format: &'static str,
    engine: &'static str,
}

pub(crate) const DEFAULTS: Case = Case { name: "defaults", format: "quadlet", engine: "podman" };
/// The example that is shipped; it has every key.
pub(crate) const EVERYTHING: Case = Case { name: "everything", format: "quadlet", engine: "podman" };
pub(crate) const SERVICE_PODMAN: Case = Case { name: "service-podman", format: "service", engine: "podman" };
pub(crate) const DOCKER: Case = Case { name: "docker", format: "service", engine: "docker" };
pub(crate) const HOSTILE_VALUES: Case = Case { name: "hostile-values", format: "quadlet", engine: "podman" };
pub(crate) const PERSONAL_ACCESS_TOKEN: Case =
    Case { name: "personal-access-token", format: "service", engine: "podman" };
pub(crate) const ENCRYPTED_CREDENTIAL: Case =
    Case { name: "encrypted-credential", format: "quadlet", engine: "podman" };
pub(crate) const EPHEMERAL: Case = Case { name: "ephemeral", format: "quadlet", engine: "podman" };
pub(crate) const EPHEMERAL_SERVICE: Case =
    Case { name: "ephemeral-service", format: "service", engine: "podman" };
pub(crate) const EPHEMERAL_DOCKER: Case =
    Case { name: "ephemeral-docker", format: "service", engine: "docker" };
pub(crate) const COMPOSE: Case = Case { name: "compose", format: "compose", engine: "podman" };

pub(crate) fn manifest_dir() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn is_update() -> bool {
    std::env::var_os("UPDATE_FIXTURES").is_some_and(|value| value == "1")
}

impl Case {
    /// The same config in another format.
    pub(crate) const fn as_format(&self, format: &'static str) -> Self {
        Self { name: self.name, format, engine: self.engine }
    }

    pub(crate) fn config_file(&self) -> PathBuf {
        if self.name == EVERYTHING.name {
            manifest_dir().join("src/config/config.example.toml")
        } else {
            self.directory().join("config.toml")
        }
    }

    fn directory(&self) -> PathBuf {
        manifest_dir().join("tests/fixtures").join(self.name)
    }

    /// Where the files that are expected lie, at the paths the host would see them.
    pub(crate) fn expected(&self) -> PathBuf {
        self.directory().join("expected")
    }

    /// Compose has no private engines and no ephemeral runners: another config, where this is for Compose.
    fn config_for_compose(&self) -> Option<tempfile::NamedTempFile> {
        if self.format != "compose" {
            return None;
        }
        let text = fs::read_to_string(self.config_file()).unwrap();
        let text = text.replace("socket = \"private\"", "socket = \"host\"");
        let text = text.replace("ephemeral = true", "ephemeral = false");
        let text = if text.contains("\nsocket = ") { text } else { format!("socket = \"host\"\n{text}") };
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        Some(file)
    }

    /// Has `runnerctl` write the files below a new directory.
    pub(crate) fn generate(&self) -> TempDir {
        let directory = tempfile::tempdir().unwrap();
        let for_compose = self.config_for_compose();
        let config = for_compose.as_ref().map_or_else(|| self.config_file(), |file| file.path().to_owned());
        runnerctl()
            .arg("--config")
            .arg(config)
            .args(["--runnerctl", "/usr/bin/runnerctl"])
            .arg(format!("--engine-program=/usr/bin/{}", self.engine))
            .args(["generate", "--format", self.format, "--out"])
            .arg(directory.path())
            .assert()
            .success();
        directory
    }
}

/// Every file below `directory` with its permission bits, by its path from there.
pub(crate) fn files_below(directory: &Path) -> BTreeMap<PathBuf, (u32, String)> {
    let mut found = BTreeMap::new();
    let mut left = vec![directory.to_owned()];
    while let Some(next) = left.pop() {
        let Ok(entries) = fs::read_dir(&next) else { continue };
        for path in entries.map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                left.push(path);
            } else {
                let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o7777;
                let text = fs::read_to_string(&path).unwrap();
                found.insert(path.strip_prefix(directory).unwrap().to_owned(), (mode, text));
            }
        }
    }
    found
}

/// The digest covers the scripts, too: with it, every change of a script would change every fixture.
fn without_digest(text: &str) -> String {
    match digest_of(text) {
        Some(digest) => text.replace(digest, "0123456789abcdef"),
        None => text.to_owned(),
    }
}

/// The place of the config is in it, and that is where somebody keeps this tree.
fn without_restart_trigger(text: &str) -> String {
    let replaced = |line: &str| match line.split_once('=') {
        Some((key @ "X-Restart-Triggers", _)) => format!("{key}=0123456789abcdef\n"),
        _ => line.to_owned(),
    };
    text.split_inclusive('\n').map(replaced).collect()
}

/// Compares one case with its fixture, or rewrites the fixture.
fn check(case: &Case) {
    let written = case.generate();
    let mut files = files_below(written.path());
    for (name, source) in SCRIPTS {
        let path = Path::new("var/lib/homelab-runners/scripts").join(name);
        let script = files.remove(&path).unwrap();
        let (shebang, rest) = source.split_once('\n').unwrap();
        assert_eq!(script, (0o755, format!("{shebang}\n{MARKER}\n{rest}")), "{name}");
    }
    let config = case.config_file();
    for (_, text) in files.values_mut() {
        // The unit that reads the config reads it where it is, and is restarted when that place changes.
        *text = without_digest(text).replace(config.to_str().unwrap(), "/etc/homelab-runners/config.toml");
        *text = without_restart_trigger(text);
    }
    if is_update() {
        if case.expected().exists() {
            fs::remove_dir_all(case.expected()).unwrap();
        }
        for (path, (_, text)) in &files {
            let target = case.expected().join(path);
            fs::create_dir_all(target.parent().unwrap()).unwrap();
            fs::write(target, text).unwrap();
        }
    }
    let expected = files_below(&case.expected());
    assert_eq!(files.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "{}", case.name);
    for (path, (mode, text)) in &files {
        let (_, expected) = &expected[path];
        assert!(
            text == expected,
            "{}: {} differs; the new text is:\n{text}\nUPDATE_FIXTURES=1 accepts it",
            case.name,
            path.display()
        );
        assert_eq!(*mode, 0o644, "{}", path.display());
    }
}

#[test]
fn a_config_of_a_url_alone_becomes_four_quadlet_files() {
    check(&DEFAULTS);
}

#[test]
fn the_shipped_example_becomes_its_fleet() {
    check(&EVERYTHING);
}

#[test]
fn plain_services_run_podman() {
    check(&SERVICE_PODMAN);
}

#[test]
fn plain_services_run_docker_in_the_runners_slice() {
    check(&DOCKER);
}

#[test]
fn values_with_a_meaning_elsewhere_are_quoted() {
    check(&HOSTILE_VALUES);
}

#[test]
fn a_host_with_a_personal_access_token_gets_tokens_by_itself() {
    check(&PERSONAL_ACCESS_TOKEN);
}

#[test]
fn a_credential_that_is_encrypted_for_the_host_is_decrypted_by_systemd() {
    check(&ENCRYPTED_CREDENTIAL);
}

#[test]
fn ephemeral_runners_get_another_registration_at_each_start() {
    check(&EPHEMERAL);
    check(&EPHEMERAL_SERVICE);
    check(&EPHEMERAL_DOCKER);
}

#[test]
fn a_fleet_becomes_a_compose_file() {
    check(&COMPOSE);
}
