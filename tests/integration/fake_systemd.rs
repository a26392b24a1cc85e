//! A systemd that lives in the test: the objects of org.freedesktop.systemd1(5) as zbus interfaces.
//!
//! ```ignore
//! let (fake, systemd) = FakeSystemd::start().await;
//! fake.unit("a.service", Script::Ends { after: Duration::from_secs(3), result: "done" });
//! // … what is tested drives `systemd` …
//! assert_eq!(fake.journal(), ["StartUnit a.service replace"]);
//! fake.properties("a.service", |unit| unit.memory_current = 5 << 20);
//! ```
//!
//! No bus and no socket: the two ends are in-memory channels. With `#[tokio::test(start_paused = true)]` all
//! moments in the scripts therefore pass in no time, and in a fixed order. (With a real socket they would not:
//! tokio moves its paused clock on while bytes are still in the kernel.)
//!
//! Like systemd it enqueues jobs, sends `JobNew` and `JobRemoved` only after `Subscribe`, and moves the unit
//! through its states. A unit that was never announced to the fake does not exist.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a fake that cannot go on fails the test")]

mod manager;
mod properties;
mod timedate;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use homelab_runners::systemd::{Scope, Systemd};
use zbus::{
    Connection, DBusError, Guid, Message, OwnedObjectPath, OwnedVariant,
    connection::{Builder, socket::Channel},
    message::Header,
    names::ErrorName,
    object_server::SignalEmitter,
};

use manager::{Manager, ManagerSignals as _};
pub(crate) use properties::Properties;

const MANAGER_PATH: &str = "/org/freedesktop/systemd1";

/// What the moment of every activation is said to be, in microseconds since the epoch.
pub(crate) const ACTIVE_ENTER_MICROS: u64 = 1_795_000_000_000_000;

/// What becomes of the systemd jobs of a unit.
#[derive(Clone, Debug)]
pub(crate) enum Script {
    /// They end with `result` (in systemd's words) after a time.
    Ends { after: Duration, result: &'static str },
    /// They end before the method that enqueued them has replied.
    EndsBeforeReply { result: &'static str },
    /// They are enqueued and never end.
    NeverEnds,
    /// systemd never replies to the method.
    NeverReplies,
    /// They are refused.
    Refused(Refusal),
}

impl Script {
    /// Jobs are done after a second.
    pub(crate) const DONE: Self = Self::Ends { after: Duration::from_secs(1), result: "done" };

    /// Jobs fail after a second; the unit is `failed` with the result `exit-code`.
    pub(crate) const FAILED: Self = Self::Ends { after: Duration::from_secs(1), result: "failed" };
}

/// An error that systemd, or the bus, replies with.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) name: &'static str,
    pub(crate) text: &'static str,
}

impl Refusal {
    pub(crate) const MASKED: Self =
        Self { name: "org.freedesktop.systemd1.UnitMasked", text: "Unit a.service is masked." };
    pub(crate) const NO_SUCH_UNIT: Self =
        Self { name: "org.freedesktop.systemd1.NoSuchUnit", text: "Unit a.service not found." };
    pub(crate) const BAD_UNIT_SETTING: Self = Self {
        name: "org.freedesktop.systemd1.BadUnitSetting",
        text: "Unit a.service has a bad unit file setting.",
    };
    pub(crate) const GENERATED: Self = Self {
        name: "org.freedesktop.systemd1.UnitGenerated",
        text: "Unit a.service is transient or generated.",
    };
    pub(crate) const ACCESS_DENIED: Self =
        Self { name: "org.freedesktop.DBus.Error.AccessDenied", text: "Access denied" };
    pub(crate) const INTERACTIVE: Self = Self {
        name: "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired",
        text: "Interactive authentication required.",
    };
    const ALREADY_SUBSCRIBED: Self =
        Self { name: "org.freedesktop.systemd1.AlreadySubscribed", text: "Client is already subscribed." };
}

impl DBusError for Refusal {
    fn create_reply(&self, call: &Header<'_>) -> zbus::Result<Message> {
        Message::error(call, self.name).build(&(self.text,))
    }

    fn name(&self) -> ErrorName<'_> {
        ErrorName::from_static_str_unchecked(self.name)
    }

    fn description(&self) -> Option<&str> {
        Some(self.text)
    }
}

/// What is on the host beside systemd. Without one the fake has the units that the test announced, whatever files there are.
pub(crate) trait HostSide: Send {
    /// Reads the unit files; returns the names of all units that there are.
    fn reload(&mut self) -> BTreeSet<String>;
    /// Tells whether a unit that is not started can be loaded: systemd forgets it, and reads its file when it is named again.
    fn can_load(&self, unit: &str) -> bool;
    /// A unit's programs are started.
    fn start(&mut self, unit: &str);
    /// Tells whether a unit's start would fail now, whatever its script.
    fn fails(&self, _unit: &str) -> bool {
        false
    }
}

#[derive(Default)]
struct State {
    host: Option<Box<dyn HostSide>>,
    units: BTreeMap<String, (Script, Properties)>,
    units_after_reload: BTreeMap<String, Script>,
    journal: Vec<String>,
    jobs: u32,
    is_subscribed: bool,
    refuse_all: Option<Refusal>,
    overall: &'static str,
}

/// The handle on the fake; clones are handles on the same one.
#[derive(Clone)]
pub(crate) struct FakeSystemd {
    state: Arc<Mutex<State>>,
    connection: Connection,
}

impl FakeSystemd {
    /// Starts a fake without units, and connects to it as the system's systemd.
    pub(crate) async fn start() -> (Self, Systemd) {
        let (our_end, their_end) = Channel::pair();
        let guid = Guid::generate();
        let state = Arc::new(Mutex::new(State::default()));
        let manager = Manager { state: Arc::clone(&state) };
        let server =
            Builder::authenticated_socket(our_end, guid.clone()).p2p().serve_at(MANAGER_PATH, manager);
        let client = Builder::authenticated_socket(their_end, guid).p2p();
        let (connection, client) = tokio::try_join!(server.build(), client.build()).unwrap();
        (Self { state, connection }, Systemd::over(client, Scope::System).await.unwrap())
    }

    /// The same on the bus at `address`, under systemd's name.
    pub(crate) async fn start_on(address: &str) -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let manager = Manager { state: Arc::clone(&state) };
        let builder = Builder::address(address).name("org.freedesktop.systemd1");
        let connection = builder.serve_at(MANAGER_PATH, manager).build().await.unwrap();
        Self { state, connection }
    }

    /// Adds a stopped unit, or gives it another script.
    pub(crate) fn unit(&self, name: &str, script: Script) {
        lock(&self.state).units.entry(name.to_owned()).or_default().0 = script;
    }

    /// Adds a unit that exists only after the next daemon-reload, as a new unit file does.
    pub(crate) fn unit_after_reload(&self, name: &str, script: Script) {
        lock(&self.state).units_after_reload.insert(name.to_owned(), script);
    }

    /// Puts a host around the fake.
    pub(crate) fn on_host(&self, host: impl HostSide + 'static) {
        lock(&self.state).host = Some(Box::new(host));
    }

    /// Removes a unit, as if its file were deleted and systemd reloaded.
    pub(crate) fn remove_unit(&self, name: &str) {
        lock(&self.state).units.remove(name);
    }

    /// The state of systemd as a whole, in its words.
    pub(crate) fn system_state(&self, state: &'static str) {
        lock(&self.state).overall = state;
    }

    /// Refuses every method that changes something.
    pub(crate) fn refuse_all(&self, refusal: Refusal) {
        lock(&self.state).refuse_all = Some(refusal);
    }

    /// Reads or sets the properties of a unit.
    pub(crate) fn properties<T>(&self, name: &str, look: impl FnOnce(&mut Properties) -> T) -> T {
        let mut state = lock(&self.state);
        let (_, properties) = state.units.get_mut(name).unwrap_or_else(|| panic!("the fake has no {name}"));
        look(properties)
    }

    /// Changes the properties of a unit, and announces it as systemd does.
    pub(crate) async fn change(&self, name: &str, look: impl FnOnce(&mut Properties)) {
        self.properties(name, look);
        announce(&self.connection, &self.state, name).await;
    }

    /// The methods called so far that change something, in their order, each with its arguments.
    pub(crate) fn journal(&self) -> Vec<String> {
        lock(&self.state).journal.clone()
    }

    /// Sends a `JobRemoved` of a job that nobody enqueued here.
    pub(crate) async fn end_foreign_job(&self, id: u32, unit: &str, result: &str) {
        let emitter = SignalEmitter::new(&self.connection, MANAGER_PATH).unwrap();
        emitter.job_removed(id, job_path(id), unit, result).await.unwrap();
    }

    /// Starts a timedated beside it.
    pub(crate) async fn timedate(&self, is_synchronized: bool) {
        let timedate = timedate::Timedate { is_synchronized };
        let added = self.connection.object_server().at(timedate::PATH, timedate).await;
        assert!(added.is_ok(), "timedated is there already");
    }

    /// Ends the connection from systemd's side.
    pub(crate) async fn hang_up(&self) {
        self.connection.clone().close().await.unwrap();
    }
}

impl Default for Script {
    fn default() -> Self {
        Self::DONE
    }
}

impl State {
    /// Reads the unit files of the host: new units appear, those without a file vanish unless they are started.
    fn reload(&mut self) {
        for (name, script) in std::mem::take(&mut self.units_after_reload) {
            self.units.insert(name, (script, Properties::default()));
        }
        for (_, properties) in self.units.values_mut() {
            properties.need_daemon_reload = false;
        }
        if let Some(host) = &mut self.host {
            let there = host.reload();
            self.units.retain(|name, (_, unit)| there.contains(name) || unit.active_state != "inactive");
            for name in there {
                self.units.entry(name).or_default();
            }
        }
    }

    /// What becomes of a systemd job for `unit`.
    fn script(&mut self, method: &str, unit: &str) -> Script {
        if let Some(host) = &self.host
            && !host.can_load(unit)
        {
            self.units.retain(|name, (_, found)| name != unit || found.active_state != "inactive");
        }
        if method != "StopUnit" && self.host.as_ref().is_some_and(|host| host.fails(unit)) {
            return Script::FAILED;
        }
        let found = self.units.get(unit).map(|(script, _)| script.clone());
        found.unwrap_or(Script::Refused(Refusal::NO_SUCH_UNIT))
    }

    fn job_begins(&mut self, method: &str, unit: &str) {
        let Some((_, properties)) = self.units.get_mut(unit) else { return };
        let is_started = matches!(properties.active_state.as_str(), "active" | "activating");
        properties.job_begins(method);
        if let Some(host) = &mut self.host
            && (method == "RestartUnit" || method == "StartUnit" && !is_started)
        {
            host.start(unit);
        }
    }
}

/// Sends the signal of a changed unit; what has changed is not in it.
async fn announce(connection: &Connection, state: &Mutex<State>, unit: &str) {
    if !lock(state).is_subscribed {
        return;
    }
    let nothing: (HashMap<&str, OwnedVariant>, Vec<&str>) = (HashMap::new(), vec!["ActiveState"]);
    let body = ("org.freedesktop.systemd1.Unit", nothing.0, nothing.1);
    let properties = "org.freedesktop.DBus.Properties";
    // The test may have ended the connection meanwhile, and then nobody listens.
    drop(connection.emit_signal(None::<&str>, unit_path(unit), properties, "PropertiesChanged", &body).await);
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap()
}

fn job_path(id: u32) -> OwnedObjectPath {
    format!("{MANAGER_PATH}/job/{id}").try_into().unwrap()
}

/// The object path of a unit: every byte that is no letter or digit, and a leading digit, becomes `_` and
/// two hexadecimal digits.
pub(crate) fn unit_path(unit: &str) -> OwnedObjectPath {
    let escaped: String = unit
        .bytes()
        .enumerate()
        .map(|(at, byte)| match byte {
            b'0'..=b'9' if at == 0 => format!("_{byte:02x}"),
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => char::from(byte).to_string(),
            _ => format!("_{byte:02x}"),
        })
        .collect();
    format!("{MANAGER_PATH}/unit/{escaped}").try_into().unwrap()
}
