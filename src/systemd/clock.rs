//! systemd-timedated, org.freedesktop.timedate1(5): is the clock set by the network?

use zbus::OwnedVariant;

use super::{client::Systemd, dbus_error::Call, error::Error};

const DESTINATION: &str = "org.freedesktop.timedate1";
const PATH: &str = "/org/freedesktop/timedate1";

impl Systemd {
    /// Asks whether the kernel holds the clock to be synchronised, whoever does it (timesyncd, chrony, ntpd). The connection has
    /// to be one to the system bus.
    ///
    /// This is adjtimex(2)'s word: it does not tell how far the clock is off, nor whether its source is right.
    ///
    /// # Errors
    ///
    /// When timedated is not there or does not answer.
    pub async fn is_clock_synchronized(&self) -> Result<bool, Error> {
        let call = Call::new(self.scope, "ask timedated for the clock");
        let reply = self.connection.call_method(
            Some(DESTINATION),
            PATH,
            Some("org.freedesktop.DBus.Properties"),
            "Get",
            &(DESTINATION, "NTPSynchronized"),
        );
        let message = self.ask(call.clone(), reply).await?;
        let unexpected = |error: zbus::Error| call.clone().unexpected(error.to_string(), Some(error));
        let value: OwnedVariant = message.body().deserialize().map_err(unexpected)?;
        bool::try_from(value).map_err(unexpected)
    }
}
