//! The one property of org.freedesktop.timedate1(5) that is read.

pub(super) const PATH: &str = "/org/freedesktop/timedate1";

pub(super) struct Timedate {
    pub(super) is_synchronized: bool,
}

#[zbus::interface(name = "org.freedesktop.timedate1")]
impl Timedate {
    #[zbus(property, name = "NTPSynchronized")]
    fn ntp_synchronized(&self) -> bool {
        self.is_synchronized
    }
}
