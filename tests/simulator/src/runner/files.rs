//! The runner's own files in its root: camelCase JSON that begins with a byte order mark.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::key::RsaParameters;

const BYTE_ORDER_MARK: &str = "\u{feff}";
const RUNNER: &str = ".runner";
const RUNNER_MIGRATED: &str = ".runner_migrated";
const CREDENTIALS: &str = ".credentials";
const CREDENTIALS_MIGRATED: &str = ".credentials_migrated";
const RSA_PARAMETERS: &str = ".credentials_rsaparams";
const OWNER_ONLY: u32 = 0o600;

/// The content of `.runner`; what has its default value is not written.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "the real file has as many")]
pub(crate) struct RunnerSettings {
    pub(crate) agent_id: u64,
    pub(crate) agent_name: String,
    pub(crate) pool_id: u64,
    pub(crate) pool_name: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) disable_update: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) ephemeral: bool,
    pub(crate) server_url: String,
    pub(crate) git_hub_url: String,
    pub(crate) work_folder: String,
    #[serde(default)]
    pub(crate) use_v2_flow: bool,
    #[serde(default)]
    pub(crate) use_runner_admin_flow: bool,
    #[serde(default)]
    pub(crate) server_url_v2: String,
}

/// The content of `.credentials`.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Credentials {
    pub(crate) scheme: String,
    pub(crate) data: CredentialData,
}

/// What the OAuth scheme needs.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CredentialData {
    pub(crate) client_id: String,
    pub(crate) authorization_url: String,
    pub(crate) require_fips_cryptography: String,
}

/// Either file of settings counts, even where only the migrated one is left and nothing can be done with it.
pub(crate) fn is_configured(root: &Path) -> bool {
    root.join(RUNNER).exists() || root.join(RUNNER_MIGRATED).exists()
}

/// A service was installed, which must be uninstalled before the runner is removed.
pub(crate) fn has_service(root: &Path) -> bool {
    root.join(".service").exists()
}

pub(crate) fn has_credentials(root: &Path) -> bool {
    root.join(CREDENTIALS).exists()
}

pub(crate) fn load_settings(root: &Path) -> io::Result<RunnerSettings> {
    load(&root.join(RUNNER))
}

pub(crate) fn load_credentials(root: &Path) -> io::Result<Credentials> {
    load(&root.join(CREDENTIALS))
}

pub(crate) fn load_key(root: &Path) -> io::Result<RsaParameters> {
    load(&root.join(RSA_PARAMETERS))
}

/// Writes the key, for its owner's eyes only from the first byte on.
pub(crate) fn save_key(root: &Path, key: &RsaParameters) -> io::Result<()> {
    let path = root.join(RSA_PARAMETERS);
    delete(&path)?;
    fs::write(&path, "")?;
    fs::set_permissions(&path, Permissions::from_mode(OWNER_ONLY))?;
    save(&path, key)
}

pub(crate) fn save_credentials(root: &Path, credentials: &Credentials) -> io::Result<()> {
    let path = root.join(CREDENTIALS);
    delete(&path)?;
    save(&path, credentials)
}

pub(crate) fn save_settings(root: &Path, settings: &RunnerSettings) -> io::Result<()> {
    let path = root.join(RUNNER);
    delete(&path)?;
    save(&path, settings)
}

/// Writes a file of the identity as it came.
pub(crate) fn save_as_is(root: &Path, name: &str, content: &[u8]) -> io::Result<()> {
    let path = root.join(name);
    delete(&path)?;
    fs::write(path, content)
}

pub(crate) fn delete_credentials(root: &Path) -> io::Result<()> {
    [RSA_PARAMETERS, CREDENTIALS, CREDENTIALS_MIGRATED].iter().try_for_each(|name| delete(&root.join(name)))
}

pub(crate) fn delete_settings(root: &Path) -> io::Result<()> {
    [RUNNER, RUNNER_MIGRATED].iter().try_for_each(|name| delete(&root.join(name)))
}

fn delete(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn save(path: &Path, value: &impl Serialize) -> io::Result<()> {
    let json = serde_json::to_string_pretty(value)?;
    fs::write(path, format!("{BYTE_ORDER_MARK}{json}"))
}

fn load<T: DeserializeOwned>(path: &Path) -> io::Result<T> {
    let text = fs::read_to_string(path)?;
    Ok(serde_json::from_str(text.trim_start_matches(BYTE_ORDER_MARK))?)
}
