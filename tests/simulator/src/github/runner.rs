//! A registered runner, as GitHub shows it.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::clock::Moment;
use super::scope::Scope;
use super::session::Session;

/// A runner that was not heard of for this long is shown as offline.
const OFFLINE_AFTER_SECONDS: i64 = 60;

/// A runner label. `Runner.Listener` sends `system` or `user` as its type.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Label {
    #[serde(default)]
    pub(crate) id: u64,
    pub(crate) name: String,
    #[serde(default, rename = "type")]
    pub(crate) kind: String,
}

/// A registered runner.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Runner {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) scope: Scope,
    pub(crate) group_id: u64,
    pub(crate) labels: Vec<Label>,
    pub(crate) version: String,
    pub(crate) ephemeral: bool,
    /// Whether it was registered by a JIT configuration.
    #[serde(default)]
    pub(crate) is_jit: bool,
    pub(crate) client_id: String,
    /// The modulus of the public key; whoever signs must have the key that belongs to it.
    pub(crate) key: String,
    #[serde(skip)]
    pub(crate) session: Option<Session>,
    /// The last contact of a session that is gone, so that absence can be measured.
    pub(crate) last_contact: Option<Moment>,
    pub(crate) created_at: Moment,
}

impl Runner {
    /// Online means: a session, heard of within the last minute.
    pub(crate) fn is_online(&self, now: Moment) -> bool {
        self.session
            .as_ref()
            .is_some_and(|session| now.seconds_since(session.last_contact(now)) < OFFLINE_AFTER_SECONDS)
    }

    /// Whether this runner has every label, whatever the case of its letters.
    pub(crate) fn has_labels(&self, wanted: &[String]) -> bool {
        wanted.iter().all(|label| self.labels.iter().any(|own| own.name.eq_ignore_ascii_case(label)))
    }

    /// How long this runner was not heard of.
    pub(crate) fn absent_seconds(&self, now: Moment) -> i64 {
        let last = match &self.session {
            Some(session) => session.last_contact(now),
            None => self.last_contact.unwrap_or(self.created_at),
        };
        now.seconds_since(last)
    }

    /// The labels of the REST API.
    pub(crate) fn rest_labels(&self) -> Vec<Value> {
        let view = |label: &Label| {
            let kind = if label.is_read_only() { "read-only" } else { "custom" };
            json!({ "type": kind, "name": label.name, "id": label.id, "node_id": null })
        };
        self.labels.iter().map(view).collect()
    }

    /// The runner of the REST API, with a few fields that no documentation promises.
    pub(crate) fn rest(&self, now: Moment, is_busy: bool) -> Value {
        // What nobody has started has no system and no version.
        let was_seen = self.session.is_some() || self.last_contact.is_some();
        json!({
            "node_id": format!("R_{}", self.id),
            "id": self.id,
            "name": self.name,
            "os": if was_seen || !self.is_jit { "Linux" } else { "unknown" },
            "busy": is_busy,
            "status": if self.is_online(now) { "online" } else { "offline" },
            "ephemeral": self.ephemeral,
            "version": was_seen.then_some(&self.version),
            "runner_group_id": self.group_id,
            "labels": self.rest_labels(),
            "last_active_on": null,
        })
    }
}
