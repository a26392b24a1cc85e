//! The connection to one systemd, and the calls that are about systemd as a whole.

use std::{
    future::Future,
    path::{Path, PathBuf},
    time::Duration,
};

use zbus::{Address, Connection, connection::Builder, proxy::CacheProperties};

use super::{Scope, dbus_error::Call, error::Error, proxy::ManagerProxy};

/// How long connecting may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// How long systemd may take to answer a call; the same as libdbus' default.
pub(super) const CALL_LIMIT: Duration = Duration::from_secs(25);

/// How long a daemon-reload may take: systemd gives its generators 90 s, then reads all unit files.
const RELOAD_LIMIT: Duration = Duration::from_secs(120);

fn address(scope: Scope) -> zbus::Result<Address> {
    match scope {
        Scope::System => Address::system(),
        Scope::User => Address::session(),
    }
}

fn address_variable(scope: Scope) -> &'static str {
    match scope {
        Scope::System => "DBUS_SYSTEM_BUS_ADDRESS",
        Scope::User => "DBUS_SESSION_BUS_ADDRESS",
    }
}

/// A connection to systemd; see org.freedesktop.systemd1(5).
///
/// Clones share the connection. It must be made, and stay, inside a tokio runtime with I/O and time enabled.
#[derive(Clone, Debug)]
pub struct Systemd {
    pub(super) scope: Scope,
    pub(super) connection: Connection,
    pub(super) manager: ManagerProxy<'static>,
}

impl Systemd {
    /// Connects to the bus of `scope` and makes sure that systemd is on it; takes at most 5 s.
    ///
    /// The addresses are `DBUS_SYSTEM_BUS_ADDRESS`, else `/var/run/dbus/system_bus_socket`, and
    /// `DBUS_SESSION_BUS_ADDRESS`, else `$XDG_RUNTIME_DIR/bus`, else `/run/user/UID/bus`.
    ///
    /// # Errors
    ///
    /// [`Error::NoBus`], [`Error::ConnectTimedOut`] or [`Error::NoSystemd`], each with its own hint.
    pub async fn connect(scope: Scope) -> Result<Self, Error> {
        let variable = std::env::var_os(address_variable(scope)).map(|_| address_variable(scope));
        match address(scope) {
            Ok(address) => Self::greet(scope, address, variable).await,
            Err(source) => {
                let address = std::env::var(address_variable(scope)).unwrap_or_default();
                Err(no_bus(scope, address, variable, source))
            }
        }
    }

    /// Connects like [`Systemd::connect`], but to the bus at a D-Bus `address` such as `unix:path=/run/bus`.
    ///
    /// # Errors
    ///
    /// Those of [`Systemd::connect`].
    pub async fn connect_at(scope: Scope, address: &str) -> Result<Self, Error> {
        match Address::try_from(address) {
            Ok(address) => Self::greet(scope, address, None).await,
            Err(source) => Err(no_bus(scope, address.to_owned(), None, source)),
        }
    }

    async fn greet(scope: Scope, address: Address, variable: Option<&'static str>) -> Result<Self, Error> {
        let text = address.to_string();
        let connection = match tokio::time::timeout(CONNECT_LIMIT, Builder::address(address).build()).await {
            Ok(Ok(connection)) => connection,
            Ok(Err(source)) => return Err(no_bus(scope, text, variable, source)),
            Err(_) => return Err(Error::ConnectTimedOut { scope, address: text, limit: CONNECT_LIMIT }),
        };
        let systemd = Self::over(connection, scope).await?;
        // A bus without systemd, such as the one in a container, is told from a good one only by asking.
        systemd
            .ask_within(
                CONNECT_LIMIT,
                Call::new(scope, "ask for systemd's version"),
                systemd.manager.version(),
            )
            .await?;
        Ok(systemd)
    }

    /// Uses a connection that exists, such as one to a fake in a test. Sends nothing.
    ///
    /// # Errors
    ///
    /// Only what zbus finds wrong with the connection.
    pub async fn over(connection: Connection, scope: Scope) -> Result<Self, Error> {
        let manager = ManagerProxy::builder(&connection)
            .cache_properties(CacheProperties::No)
            .build()
            .await
            .map_err(|source| Call::new(scope, "use the connection to the bus").failed(source))?;
        Ok(Self { scope, connection, manager })
    }

    /// Returns which systemd this is.
    #[must_use]
    pub fn scope(&self) -> Scope {
        self.scope
    }

    /// Asks systemd to send its signals on this connection.
    pub(super) async fn subscribe(&self) -> Result<(), Error> {
        // Without this call systemd sends none. It is refused when this connection has made it before.
        let call = Call::new(self.scope, "subscribe to systemd's signals");
        match self.ask(call, self.manager.subscribe()).await {
            Err(Error::Refused { name, .. }) if name == "org.freedesktop.systemd1.AlreadySubscribed" => {
                Ok(())
            }
            other => other,
        }
    }

    /// Returns systemd's major version: 257 for `257.7-1~deb13u1`.
    ///
    /// # Errors
    ///
    /// When systemd does not answer, or its version does not begin with a number.
    pub async fn version(&self) -> Result<u32, Error> {
        let call = Call::new(self.scope, "ask for systemd's version");
        let text = self.ask(call.clone(), self.manager.version()).await?;
        major_version(&text).ok_or_else(|| call.unexpected(format!("the version is {text:?}"), None))
    }

    /// Returns where the control groups of this systemd's slices are mounted, cgroups(7).
    ///
    /// # Errors
    ///
    /// When systemd does not answer.
    pub async fn control_group_directory(&self) -> Result<PathBuf, Error> {
        let call = Call::new(self.scope, "ask for systemd's control group");
        let group = self.ask(call, self.manager.control_group()).await?;
        Ok(Path::new("/sys/fs/cgroup").join(group.trim_start_matches('/')))
    }

    /// Tells whether this systemd is on its way to end: a shutdown of the host in whatever form, for a user's own also the end of the last session.
    ///
    /// systemd says so from the moment that `shutdown.target` is queued, so before it stops the first unit.
    ///
    /// # Errors
    ///
    /// When systemd does not answer.
    pub async fn is_stopping(&self) -> Result<bool, Error> {
        let call = Call::new(self.scope, "ask whether the host is going down");
        Ok(self.ask(call, self.manager.system_state()).await? == "stopping")
    }

    /// Runs the generators and reads all unit files again (daemon-reload); returns when that is done.
    ///
    /// # Errors
    ///
    /// [`Error::AccessDenied`] without root; [`Error::NoReply`] after 120 s.
    pub async fn reload(&self) -> Result<(), Error> {
        self.ask_within(RELOAD_LIMIT, Call::new(self.scope, "reload the unit files"), self.manager.reload())
            .await
    }

    /// Clears the failed state of `unit` and its counter of starts (`systemctl reset-failed`).
    ///
    /// # Errors
    ///
    /// [`Error::UnitNotFound`] when the unit is not in memory, which also means that it has not failed.
    pub async fn reset_failed(&self, unit: &str) -> Result<(), Error> {
        let call = Call::on(self.scope, "reset the failed state of", &[unit]);
        self.ask(call, self.manager.reset_failed_unit(unit)).await
    }

    /// Awaits a reply for as long as any call may take.
    pub(super) async fn ask<T>(
        &self,
        call: Call,
        reply: impl Future<Output = zbus::Result<T>>,
    ) -> Result<T, Error> {
        self.ask_within(CALL_LIMIT, call, reply).await
    }

    async fn ask_within<T>(
        &self,
        limit: Duration,
        call: Call,
        reply: impl Future<Output = zbus::Result<T>>,
    ) -> Result<T, Error> {
        match tokio::time::timeout(limit, reply).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(source)) => Err(call.failed(source)),
            Err(_) => Err(call.no_reply(limit)),
        }
    }
}

fn no_bus(scope: Scope, address: String, variable: Option<&'static str>, source: zbus::Error) -> Error {
    let reason = match &source {
        zbus::Error::Connection(error, _) => error.to_string(),
        other => other.to_string(),
    };
    // The test of sd_booted(3).
    let is_booted = Path::new("/run/systemd/system").is_dir();
    Error::NoBus { scope, address, reason, is_booted, variable, source: Box::new(source) }
}

fn major_version(text: &str) -> Option<u32> {
    text.trim_start_matches('v').split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::major_version;

    #[test]
    fn the_major_version_is_the_leading_number() {
        assert_eq!(major_version("257.7-1~deb13u1"), Some(257));
        assert_eq!(major_version("v258-rc1"), Some(258));
        assert_eq!(major_version("252"), Some(252));
        assert_eq!(major_version("next"), None);
    }
}
