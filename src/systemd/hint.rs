//! The next step that goes with each error.

use super::{Scope, error::Error};

impl Error {
    /// Returns the next step for the reader, without the word "hint", or `None` where nothing general helps.
    ///
    /// ```text
    /// error: cannot start homelab-runner@3.service: access denied (Access denied)
    /// hint: run it as root or with sudo
    /// ```
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            // Connected, and then turned away.
            Self::NoBus { scope, source, .. } if matches!(**source, zbus::Error::InputOutput(_)) => {
                Some(format!("the bus refuses this user: {}", right_user(*scope)))
            }
            Self::NoBus { variable: Some(variable), .. } => {
                Some(format!("the address comes from {variable}: correct it or unset it"))
            }
            Self::NoBus { scope, is_booted, .. } => Some(no_bus_hint(*scope, *is_booted)),
            Self::ConnectTimedOut { scope, .. } => {
                Some(format!("see `systemctl{} status dbus`, and whether the host is overloaded", scope.option()))
            }
            Self::NoSystemd { scope, .. } => Some(no_systemd_hint(*scope)),
            Self::AccessDenied { scope, .. } => Some(right_user(*scope).to_owned()),
            Self::UnitNotFound { scope, units, .. } => {
                let option = scope.option();
                Some(format!(
                    "see `systemctl{option} list-unit-files {units}`; after a new file, `systemctl{option} daemon-reload`"
                ))
            }
            Self::UnitMasked { scope, units, .. } => {
                Some(format!("`systemctl{} unmask {units}` lifts it", scope.option()))
            }
            Self::BadUnitFile { scope, units, .. } => {
                let option = scope.option();
                Some(format!("see `systemd-analyze{option} verify {units}` and `journalctl{option} -b -u {units}`"))
            }
            Self::UnitGenerated { .. } => Some(
                "a generated unit is enabled by the [Install] section of its source, such as the .container file"
                    .to_owned(),
            ),
            Self::InvalidArgument { .. } => {
                Some("a unit name ends in a suffix such as .service, see systemd.unit(5)".to_owned())
            }
            Self::Refused { scope, .. } => Some(refused_hint(*scope)),
            Self::NoReply { .. } => Some("see whether the host is overloaded, then try again".to_owned()),
            Self::ConnectionLost { scope, .. } => Some(format!(
                "systemd goes on with what it was told; see `systemctl{} list-jobs`, then try again",
                scope.option()
            )),
            Self::UnexpectedReply { .. } => None,
            Self::TimedOut { scope, unit, .. } => {
                let option = scope.option();
                Some(format!("see `systemctl{option} list-jobs` and `systemctl{option} status {unit}`"))
            }
            Self::JobNotDone { scope, unit, .. } => {
                let option = scope.option();
                Some(format!("see `systemctl{option} status {unit}` and `journalctl{option} -b -u {unit}`"))
            }
        }
    }
}

fn right_user(scope: Scope) -> &'static str {
    match scope {
        Scope::System => "run it as root or with sudo",
        Scope::User => "run it as the user that the units belong to, without sudo",
    }
}

fn refused_hint(scope: Scope) -> String {
    match scope {
        Scope::System => "see `systemctl list-jobs` and `journalctl -b _PID=1`".to_owned(),
        Scope::User => "see `systemctl --user list-jobs` and `journalctl --user -b`".to_owned(),
    }
}

fn no_bus_hint(scope: Scope, is_booted: bool) -> String {
    match (scope, is_booted) {
        (_, false) => "this host was not booted with systemd, as in most containers; \
                       run it on a host that was"
            .to_owned(),
        (Scope::System, true) => "the bus is not running: `systemctl start dbus.socket`".to_owned(),
        (Scope::User, true) => {
            "there is no user bus: as root, `loginctl enable-linger USER` starts one (Debian: with \
                                the packages dbus-user-session and libpam-systemd); where no login sets it \
                                (su, cron), set XDG_RUNTIME_DIR=/run/user/UID"
                .to_owned()
        }
    }
}

fn no_systemd_hint(scope: Scope) -> String {
    match scope {
        Scope::System => "this host was not booted with systemd, as in most containers; \
                          run it on a host that was"
            .to_owned(),
        Scope::User => "the address must be that of the user manager's bus: unset DBUS_SESSION_BUS_ADDRESS, \
                        and see `systemctl --user status`"
            .to_owned(),
    }
}
