//! All properties of one D-Bus interface of a unit, as plain Rust values.

use std::{
    collections::HashMap,
    time::{Duration, SystemTime},
};

use zbus::{ObjectPath, OwnedVariant};

use super::{client::Systemd, dbus_error::Call, error::Error, proxy::DESTINATION};

/// What `GetAll` of org.freedesktop.DBus.Properties returned.
///
/// Every reader gives `None` for a property that this systemd does not have (they come with its releases),
/// and for the value that means "none": an empty text, 0 for a time, all bits set for a number.
pub(super) struct Properties {
    call: Call,
    values: HashMap<String, OwnedVariant>,
}

impl Systemd {
    /// Reads all properties of `interface` at `path` from systemd, never from a cache.
    pub(super) async fn properties(
        &self,
        call: Call,
        path: &ObjectPath<'_>,
        interface: &str,
    ) -> Result<Properties, Error> {
        let reply = self.connection.call_method(
            Some(DESTINATION),
            path,
            Some("org.freedesktop.DBus.Properties"),
            "GetAll",
            &interface,
        );
        let message = self.ask(call.clone(), reply).await?;
        let values = message
            .body()
            .deserialize()
            .map_err(|error| call.clone().unexpected(error.to_string(), Some(error)))?;
        Ok(Properties { call, values })
    }
}

impl Properties {
    /// Takes a property out, as systemd sent it.
    fn take<T>(&mut self, name: &str) -> Result<Option<T>, Error>
    where
        T: TryFrom<OwnedVariant, Error = zbus::Error>,
    {
        let Some(value) = self.values.remove(name) else { return Ok(None) };
        T::try_from(value)
            .map(Some)
            .map_err(|error| self.call.clone().unexpected(format!("property {name}: {error}"), Some(error)))
    }

    /// A text that is not empty.
    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, Error> {
        Ok(self.take::<String>(name)?.filter(|text| !text.is_empty()))
    }

    /// A list of texts.
    pub(super) fn texts(&mut self, name: &str) -> Result<Vec<String>, Error> {
        Ok(self.take(name)?.unwrap_or_default())
    }

    /// A yes or no; no where systemd does not have the property.
    pub(super) fn is(&mut self, name: &str) -> Result<bool, Error> {
        Ok(self.take(name)?.unwrap_or(false))
    }

    /// A count, a size or an amount: `u64::MAX` is systemd's "infinity" and "not known".
    pub(super) fn amount(&mut self, name: &str) -> Result<Option<u64>, Error> {
        Ok(self.take(name)?.filter(|amount| *amount != u64::MAX))
    }

    /// A small number.
    pub(super) fn number(&mut self, name: &str) -> Result<Option<u32>, Error> {
        self.take(name)
    }

    /// A number with a sign.
    pub(super) fn signed(&mut self, name: &str) -> Result<Option<i32>, Error> {
        self.take(name)
    }

    /// A point in time, which systemd counts in microseconds since the epoch, with 0 for never.
    pub(super) fn time(&mut self, name: &str) -> Result<Option<SystemTime>, Error> {
        let micros = self.amount(name)?.filter(|micros| *micros != 0);
        Ok(micros.and_then(|micros| SystemTime::UNIX_EPOCH.checked_add(Duration::from_micros(micros))))
    }

    /// Bytes as lower-case hexadecimal digits.
    pub(super) fn hex(&mut self, name: &str) -> Result<Option<String>, Error> {
        let bytes: Option<Vec<u8>> = self.take(name)?;
        let mut hex = String::new();
        for byte in bytes.unwrap_or_default() {
            hex.extend(
                [byte >> 4, byte & 0xf].iter().filter_map(|digit| char::from_digit((*digit).into(), 16)),
            );
        }
        Ok(Some(hex).filter(|hex| !hex.is_empty()))
    }

    /// The second of a pair of texts: `LoadError` is a D-Bus error name and its text.
    pub(super) fn second_text(&mut self, name: &str) -> Result<Option<String>, Error> {
        let pair: Option<(String, String)> = self.take(name)?;
        Ok(pair.map(|(_, text)| text).filter(|text| !text.is_empty()))
    }
}
