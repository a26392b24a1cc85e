//! From a D-Bus error name to the [`Error`] that explains it.

use zbus::DBusError as _;

use super::{Scope, error::Error};

/// What a call was for, as its errors tell it.
#[derive(Clone, Debug)]
pub(super) struct Call {
    scope: Scope,
    action: String,
    units: String,
}

impl Call {
    /// Describes a call that is about no unit; `action` completes "cannot …".
    pub(super) fn new(scope: Scope, action: &str) -> Self {
        Self { scope, action: action.to_owned(), units: String::new() }
    }

    /// Describes a call that is about `units`.
    pub(super) fn on(scope: Scope, verb: &str, units: &[&str]) -> Self {
        let units = units.join(" ");
        Self { scope, action: format!("{verb} {units}"), units }
    }

    /// The error of a call that systemd did not answer.
    pub(super) fn no_reply(self, limit: std::time::Duration) -> Error {
        Error::NoReply { scope: self.scope, action: self.action, limit }
    }

    /// The error of a connection that ended while the call's outcome was awaited.
    pub(super) fn connection_lost(self, source: Option<zbus::Error>) -> Error {
        Error::ConnectionLost { scope: self.scope, action: self.action, source: source.map(Box::new) }
    }

    /// The error of a reply that makes no sense.
    pub(super) fn unexpected(self, reason: String, source: Option<zbus::Error>) -> Error {
        Error::UnexpectedReply { action: self.action, reason, source: source.map(Box::new) }
    }

    /// The error that explains why the call failed.
    ///
    /// Names are those of bus-common-errors.h in systemd and of the D-Bus specification.
    pub(super) fn failed(self, source: zbus::Error) -> Error {
        let (name, reason) = match name_and_reason(&source) {
            Some(named) => named,
            None if matches!(source, zbus::Error::InputOutput(_)) => {
                return self.connection_lost(Some(source));
            }
            None => return self.unexpected(source.to_string(), Some(source)),
        };
        let Self { scope, action, units } = self;
        let short = name
            .strip_prefix("org.freedesktop.DBus.Error.")
            .or_else(|| name.strip_prefix("org.freedesktop.systemd1."))
            .unwrap_or(&name);
        let boxed = Box::new(source);
        match short {
            "AccessDenied" | "InteractiveAuthorizationRequired" | "AuthFailed" => {
                Error::AccessDenied { scope, action, reason, source: boxed }
            }
            "NoSuchUnit" | "FileNotFound" => {
                Error::UnitNotFound { scope, action, units, reason, source: boxed }
            }
            "UnitMasked" => Error::UnitMasked { scope, action, units, reason, source: boxed },
            "BadUnitSetting" | "LoadFailed" => {
                Error::BadUnitFile { scope, action, units, reason, source: boxed }
            }
            "InvalidArgs" => Error::InvalidArgument { action, reason, source: boxed },
            "UnitGenerated" => Error::UnitGenerated { action, reason, source: boxed },
            // The bus answers for a systemd that is not there, or that left before it replied.
            "ServiceUnknown" | "NameHasNoOwner" => Error::NoSystemd { scope, reason, source: boxed },
            _ if short.starts_with("Spawn.") => Error::NoSystemd { scope, reason, source: boxed },
            "Disconnected" | "NoReply" => Error::ConnectionLost { scope, action, source: Some(boxed) },
            _ => Error::Refused { scope, action, name, reason, source: boxed },
        }
    }
}

/// The D-Bus error name, and the text that came with it without its full stop.
fn name_and_reason(error: &zbus::Error) -> Option<(String, String)> {
    let (name, text) = match error {
        zbus::Error::MethodError(name, text, _) => (name.to_string(), text.clone()),
        // This arm is an error of zbus itself in the clothes of a D-Bus error.
        zbus::Error::FDO(error) if matches!(**error, zbus::fdo::Error::ZBus(_)) => return None,
        zbus::Error::FDO(error) => (error.name().to_string(), error.description().map(str::to_owned)),
        _ => return None,
    };
    let text = text.unwrap_or_default();
    let reason = text.trim().trim_end_matches('.');
    let reason = if reason.is_empty() { "no reason given" } else { reason };
    Some((name, reason.to_owned()))
}
