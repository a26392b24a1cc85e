//! Whom `[notify]` names, ready to be told something.

use std::path::Path;
use std::time::Duration;

use super::context::Context;
use super::failure::Failure;
use super::github_client;
use crate::config::{self, Notify, NotifyToken};
use crate::files::{self, SecretKind};
use crate::fleet::names;
use crate::health::Throttle;
use crate::host_facts;
use crate::monitor::{Notifier, Notifiers, Receiver};
use crate::webhook::Webhook;

/// A command may run so long.
const COMMAND_LIMIT: Duration = Duration::from_secs(30);

/// The command and the webhook, where the config has them.
#[derive(Default)]
pub(super) struct Receivers {
    pub(super) command: Option<Receiver>,
    pub(super) webhook: Option<Receiver>,
}

impl Receivers {
    /// Each with a loop of its own.
    pub(super) fn notifiers(self, notify: &Notify) -> Notifiers {
        let of = |receiver| Notifier::new(receiver, Throttle::new(notify), host_name());
        Notifiers { command: self.command.map(of), webhook: self.webhook.map(of) }
    }
}

/// What this host is called in messages.
pub(super) fn host_name() -> String {
    host_facts::host_name(Path::new("/")).unwrap_or_else(|| "localhost".to_owned())
}

/// # Errors
/// The token or the certificates cannot be read or used.
pub(super) fn of(context: &Context) -> Result<Receivers, Failure> {
    let notify = &context.fleet.notify;
    let command = (!notify.command.is_empty())
        .then(|| Receiver::Command { command: notify.command.clone(), limit: COMMAND_LIMIT });
    let webhook = match &notify.webhook {
        Some(webhook) => Some(Receiver::Webhook(connect(webhook, &context.fleet.proxy)?)),
        None => None,
    };
    Ok(Receivers { command, webhook })
}

fn connect(webhook: &config::Webhook, proxy: &config::Proxy) -> Result<Webhook, Failure> {
    let connection = github_client::connection(proxy)?;
    let client = connection.client(webhook.url.is_plain_http()).map_err(|cause| Failure {
        message: format!("cannot reach the webhook at {}: {cause}", webhook.url.origin()),
        hint: cause.hint(),
    })?;
    let token = match &webhook.token_file {
        Some(file) => Some(token(file.as_path())?),
        None => None,
    };
    let limit = connection.limits.request;
    Ok(Webhook::new(client, webhook.url.clone(), webhook.format, token.as_ref(), limit))
}

/// That which systemd has read for this unit, else that of the file.
fn token(file: &Path) -> Result<NotifyToken, Failure> {
    let loaded = std::env::var_os("CREDENTIALS_DIRECTORY")
        .map(|directory| Path::new(&directory).join(names::NOTIFY_CREDENTIAL))
        .filter(|loaded| loaded.exists());
    let text = match &loaded {
        Some(loaded) => files::read_loaded(loaded, SecretKind::Token)?,
        None => files::read_secret(file, SecretKind::Token).map_err(|error| {
            let hint = match &error {
                files::SecretFileError::Open { .. } | files::SecretFileError::Owner { .. } => error.hint(),
                _ => {
                    "put the token of the webhook into it (mode 0600), or remove notify.token_file".to_owned()
                }
            };
            Failure::new(error.to_string(), hint)
        })?,
    };
    NotifyToken::parse(&text).ok_or_else(|| {
        Failure::new(
            format!("{} has no token of a webhook", file.display()),
            "it has to hold the token and nothing else: letters, digits and - . _ ~ + / =",
        )
    })
}
