//! Who is told: the user's own program, or a server.

use std::time::Duration;

use crate::health::Message;
use crate::programs;
use crate::webhook::Webhook;

/// Takes messages.
pub enum Receiver {
    /// A program that is run for each.
    Command {
        /// It, and its arguments.
        command: Vec<String>,
        /// How long it may run.
        limit: Duration,
    },
    /// A server that is posted to.
    Webhook(Webhook),
}

/// Why a message was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The cause.
    pub reason: String,
    /// The next step.
    pub hint: Option<&'static str>,
    /// It wants to be left alone for so long.
    pub retry_after: Option<Duration>,
}

impl Receiver {
    /// For people; a webhook without what may be a secret.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Command { command, .. } => {
                format!("the command {}", command.first().map_or("", String::as_str))
            }
            Self::Webhook(webhook) => format!("the webhook at {}", webhook.origin()),
        }
    }

    /// Hands over `message` of this `host`, once.
    ///
    /// # Errors
    /// It was not taken.
    pub async fn deliver(&self, message: &Message, host: &str) -> Result<(), Refusal> {
        match self {
            Self::Command { command, limit } => {
                let (variables, input) = (message.variables(host), message.json(host));
                programs::run_hook(command, &variables, &input, *limit).await.map_err(|error| Refusal {
                    reason: error.to_string(),
                    hint: Some("it runs as the monitor does, without a shell: docs/monitor.md"),
                    retry_after: None,
                })
            }
            Self::Webhook(webhook) => webhook.post(message, host).await.map_err(|error| Refusal {
                reason: error.to_string(),
                hint: error.hint(),
                retry_after: error.retry_after(),
            }),
        }
    }
}
