//! The message that describes a workflow job, as far as the worker needs it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;

/// The first line from the listener.
#[derive(Debug, Deserialize)]
pub(crate) struct NewJobRequest {
    pub(crate) body: JobMessage,
    pub(crate) runner: Runner,
}

/// The runner that the worker belongs to.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Runner {
    pub(crate) name: String,
    pub(crate) work_folder: PathBuf,
}

/// The workflow job.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct JobMessage {
    pub(crate) plan: Plan,
    pub(crate) job_id: String,
    pub(crate) job_display_name: String,
    pub(crate) steps: Vec<Step>,
    pub(crate) context_data: ContextData,
    pub(crate) resources: Resources,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Plan {
    pub(crate) plan_id: String,
}

/// A step: a script and the condition under which it runs.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Step {
    pub(crate) id: String,
    pub(crate) display_name: String,
    pub(crate) condition: String,
    pub(crate) inputs: Inputs,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Inputs {
    pub(crate) script: String,
}

/// The contexts of expressions; only `github` counts here.
#[derive(Debug, Deserialize)]
pub(crate) struct ContextData {
    pub(crate) github: BTreeMap<String, Value>,
}

impl ContextData {
    /// A text of the `github` context.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.github.get(name).and_then(Value::as_str).unwrap_or_default()
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct Resources {
    pub(crate) endpoints: Vec<Endpoint>,
}

/// A service and the right to use it.
#[derive(Debug, Deserialize)]
pub(crate) struct Endpoint {
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) authorization: Authorization,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Authorization {
    pub(crate) parameters: BTreeMap<String, String>,
}
