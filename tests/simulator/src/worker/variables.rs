//! Environment variables of steps: what the worker inherited, what GitHub documents, what earlier steps added.

use std::collections::BTreeMap;

use super::file_commands::FileCommands;
use super::message::NewJobRequest;
use super::workspace::Workspace;
use crate::identifier;

/// Fields of the `github` context that become `GITHUB_*` variables.
const CONTEXT_VARIABLES: &[&str] = &[
    "actor",
    "api_url",
    "base_ref",
    "event_name",
    "head_ref",
    "job",
    "ref",
    "ref_name",
    "ref_type",
    "repository",
    "repository_owner",
    "run_attempt",
    "run_id",
    "run_number",
    "server_url",
    "sha",
    "triggering_actor",
    "workflow",
    "workflow_ref",
];

/// The variables of the next step.
#[derive(Debug)]
pub(crate) struct Variables {
    values: BTreeMap<String, String>,
    tracking_id: String,
}

impl Variables {
    pub(crate) fn new(request: &NewJobRequest, workspace: &Workspace) -> Self {
        let lossy = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        let mut values: BTreeMap<String, String> =
            std::env::vars_os().map(|(name, value)| (lossy(name), lossy(value))).collect();
        let context = &request.body.context_data;
        for name in CONTEXT_VARIABLES {
            values.insert(format!("GITHUB_{}", name.to_ascii_uppercase()), context.text(name).to_owned());
        }
        let tracking_id = format!("github_{}", identifier::guid());
        let architecture = if std::env::consts::ARCH == "aarch64" { "ARM64" } else { "X64" };
        let tools = std::env::var("RUNNER_TOOL_CACHE").or_else(|_| std::env::var("AGENT_TOOLSDIRECTORY"));
        let tools = tools.unwrap_or_else(|_| workspace.tools.display().to_string());
        let own = [
            ("CI", "true".to_owned()),
            ("GITHUB_ACTIONS", "true".to_owned()),
            ("GITHUB_WORKSPACE", workspace.directory.display().to_string()),
            ("GITHUB_EVENT_PATH", workspace.event.display().to_string()),
            ("RUNNER_NAME", request.runner.name.clone()),
            ("RUNNER_OS", "Linux".to_owned()),
            ("RUNNER_ARCH", architecture.to_owned()),
            ("RUNNER_ENVIRONMENT", "self-hosted".to_owned()),
            ("RUNNER_TEMP", workspace.temp.display().to_string()),
            ("RUNNER_TOOL_CACHE", tools),
            ("RUNNER_WORKSPACE", workspace.pipeline.display().to_string()),
            ("RUNNER_TRACKING_ID", tracking_id.clone()),
        ];
        values.extend(own.map(|(name, value)| (name.to_owned(), value)));
        Self { values, tracking_id }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// By which the processes of this workflow job are recognised.
    pub(crate) fn tracking_id(&self) -> &str {
        &self.tracking_id
    }

    /// The variables of one step, with its own file commands.
    pub(crate) fn of_step(&self, files: &FileCommands) -> BTreeMap<String, String> {
        let mut values = self.values.clone();
        values.extend(files.variables().map(|(name, path)| (name.to_owned(), path.display().to_string())));
        values
    }

    /// Takes over what a step wrote for the steps after it. What the runner itself provides is set anew for each step, so these do not change.
    pub(crate) fn take_over(&mut self, files: &FileCommands) -> Result<(), String> {
        for entry in files.new_path_entries() {
            let path = self.values.entry("PATH".to_owned()).or_default();
            *path = if path.is_empty() { entry } else { format!("{entry}:{path}") };
        }
        let is_provided = |name: &str| name.starts_with("GITHUB_") || name.starts_with("RUNNER_");
        for (name, value) in files.new_variables()? {
            if !(is_provided(&name) && self.values.contains_key(&name)) {
                self.values.insert(name, value);
            }
        }
        Ok(())
    }
}
