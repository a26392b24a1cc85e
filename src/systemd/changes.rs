//! Which units have changed, by systemd's own signals: nobody has to look.

use futures_util::StreamExt as _;
use futures_util::stream::{SelectAll, select_all};
use zbus::{MatchRule, MessageStream, message::Type};

use super::{client::Systemd, dbus_error::Call, error::Error, proxy::DESTINATION};

/// Changes of some units.
pub struct Changes {
    /// For each change the unit's place in the list that was asked for; `None` when the connection broke.
    signals: SelectAll<futures_util::stream::BoxStream<'static, Option<usize>>>,
}

impl Systemd {
    /// From now on, changes of `units`: read them after this, and whatever comes later is told.
    ///
    /// # Errors
    ///
    /// When systemd or the bus does not answer.
    pub async fn changes(&self, units: &[&str]) -> Result<Changes, Error> {
        let mut signals = Vec::new();
        for (index, unit) in units.iter().enumerate() {
            let call = Call::on(self.scope, "watch", &[unit]);
            let path = self.ask(call.clone(), self.manager.load_unit(unit)).await?;
            let stream = async {
                // The interface of all units: each change of a state is announced there once.
                let rule = MatchRule::builder()
                    .msg_type(Type::Signal)
                    .sender(DESTINATION)
                    .path(path)
                    .interface("org.freedesktop.DBus.Properties")
                    .member("PropertiesChanged")
                    .arg(0, "org.freedesktop.systemd1.Unit")
                    .build()?;
                MessageStream::for_match_rule(rule, &self.connection, None).await
            };
            let stream = self.ask(call, stream).await?;
            signals.push(stream.map(move |message| message.ok().map(|_| index)).boxed());
        }
        self.subscribe().await?;
        Ok(Changes { signals: select_all(signals) })
    }
}

impl Changes {
    /// Waits for the next change: the place of the unit in the list that was asked for. `None` when the connection is lost.
    pub async fn next(&mut self) -> Option<usize> {
        self.signals.next().await.flatten()
    }
}
