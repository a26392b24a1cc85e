//! JIT configurations: a runner that is registered without ever having asked, as the files that it would have written.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use super::labels;
use super::ledger::Ledger;
use super::refusal::Refusal;
use super::registration::name_is_taken;
use super::runner::{Label, Runner};
use super::scope::Scope;
use crate::identifier;

const MODULUS_LENGTH: usize = 256;
const PRIME_LENGTH: usize = 128;
const MAXIMUM_NAME_LENGTH: usize = 64;

/// The body of `POST …/actions/runners/generate-jitconfig`.
#[derive(Debug, Deserialize)]
pub(crate) struct JitRequest {
    name: String,
    runner_group_id: u64,
    labels: Vec<String>,
    #[serde(default = "default_work_folder")]
    work_folder: String,
}

fn default_work_folder() -> String {
    "_work".to_owned()
}

impl Ledger {
    /// Registers an ephemeral runner, and returns it with its encoded configuration.
    pub(crate) fn generate_jit_config(
        &mut self,
        request: JitRequest,
        scope: &Scope,
        origin: &str,
    ) -> Result<(&Runner, String), Refusal> {
        labels::check(&request.labels, 1)?;
        if !(1..=MAXIMUM_NAME_LENGTH).contains(&request.name.chars().count()) {
            return Err(Refusal::Unprocessable(format!(
                "Invalid request.\n\nname must have 1 to {MAXIMUM_NAME_LENGTH} characters."
            )));
        }
        let groups = self.runner_groups(scope);
        let group =
            groups.iter().find(|group| group.id == request.runner_group_id).ok_or(Refusal::NotFound)?;
        if self.runner_named(&request.name, scope).is_some() {
            return Err(name_is_taken(&request.name));
        }
        let key = key();
        let runner = Runner {
            id: self.next_id(),
            name: request.name,
            scope: scope.clone(),
            group_id: group.id,
            labels: request.labels.into_iter().map(|name| Label::named(name, self.next_id())).collect(),
            version: String::new(),
            ephemeral: true,
            is_jit: true,
            client_id: identifier::guid(),
            key: key.get("modulus").and_then(Value::as_str).unwrap_or_default().to_owned(),
            session: None,
            last_contact: None,
            created_at: self.now(),
        };
        let encoded = encode(&runner, &group.name, &request.work_folder, &key, origin);
        Ok((self.runners.entry(runner.id).or_insert(runner), encoded))
    }
}

/// The three files of an identity, each encoded, and together once more.
fn encode(runner: &Runner, group_name: &str, work_folder: &str, key: &Value, origin: &str) -> String {
    let settings = json!({
        "agentId": runner.id,
        "agentName": runner.name,
        "poolId": runner.group_id,
        "poolName": group_name,
        "disableUpdate": true,
        "ephemeral": true,
        "serverUrl": format!("{origin}/broker/"),
        "gitHubUrl": format!("{origin}/{}", runner.scope),
        "workFolder": work_folder,
        "useV2Flow": true,
        "serverUrlV2": format!("{origin}/broker/"),
    });
    let credentials = json!({
        "scheme": "OAuth",
        "data": {
            "clientId": runner.client_id,
            "authorizationUrl": format!("{origin}/oauth/token"),
            "requireFipsCryptography": "True",
        },
    });
    let file = |content: &Value| STANDARD.encode(content.to_string());
    let files = json!({
        ".runner": file(&settings),
        ".credentials": file(&credentials),
        ".credentials_rsaparams": file(key),
    });
    STANDARD.encode(files.to_string())
}

/// What looks like an RSA-2048 key and is only random numbers; see `oauth`.
fn key() -> Value {
    let number = |length: usize| {
        let bytes: Vec<u8> = std::iter::repeat_with(|| fastrand::u8(..)).take(length).collect();
        STANDARD.encode(bytes)
    };
    json!({
        "d": number(MODULUS_LENGTH),
        "dp": number(PRIME_LENGTH),
        "dq": number(PRIME_LENGTH),
        "exponent": "AQAB",
        "inverseQ": number(PRIME_LENGTH),
        "modulus": number(MODULUS_LENGTH),
        "p": number(PRIME_LENGTH),
        "q": number(PRIME_LENGTH),
    })
}
