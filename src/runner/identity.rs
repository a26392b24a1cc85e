//! What of a runner's kept identity the host reads: who it is at GitHub.

use serde::Deserialize;

/// The part of `.runner` that names the runner, ConfigurationStore.cs of actions/runner.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Agent {
    /// Id at GitHub, in the scope of the registration.
    #[serde(rename = "agentId")]
    pub id: u64,
    /// Name at GitHub.
    #[serde(rename = "agentName")]
    pub name: String,
}

impl Agent {
    /// Reads the text of a `.runner`; `None` where it does not name a runner.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        // The runner writes a byte order mark, and no other value may be relied on to be there.
        serde_json::from_str(text.trim_start_matches('\u{feff}')).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runners_own_file_names_it() {
        let text = "\u{feff}{\n  \"agentId\": 23,\n  \"agentName\": \"homelab-runner-3\",\n  \"poolId\": 1,\n  \"useV2Flow\": true\n}";
        assert_eq!(Agent::of(text), Some(Agent { id: 23, name: "homelab-runner-3".to_owned() }));
        for text in ["", "{}", "{\"agentId\": -1, \"agentName\": \"x\"}", "{\"agentId\": 1}"] {
            assert_eq!(Agent::of(text), None, "{text}");
        }
    }
}
