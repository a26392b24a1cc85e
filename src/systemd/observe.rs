//! What systemd knows about units, read at one moment.

use std::{
    path::PathBuf,
    time::{Duration, SystemTime},
};

use zbus::ObjectPath;

use super::{
    client::Systemd,
    dbus_error::Call,
    error::Error,
    properties::Properties,
    words::{ActiveState, LoadState, ServiceResult, UnitFileState},
};

const UNIT_INTERFACE: &str = "org.freedesktop.systemd1.Unit";

/// The properties of one unit; names and meanings are those of org.freedesktop.systemd1(5).
///
/// `None` means that there is no such value now: no limit, accounting off, not running, never started, a
/// property that this systemd or this type of unit does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitState {
    /// The name that was asked for.
    pub unit: String,
    /// Whether the unit file could be read; `not-found` where there is none.
    pub load_state: LoadState,
    /// Why the unit file could not be read.
    pub load_error: Option<String>,
    /// Whether it is started.
    pub active_state: ActiveState,
    /// The state in the words of its type, such as `running` or `auto-restart`.
    pub sub_state: String,
    /// Whether the unit file is enabled.
    pub unit_file_state: Option<UnitFileState>,
    /// Whether the unit file on disk is newer than what systemd has read.
    pub need_daemon_reload: bool,
    /// The unit file.
    pub fragment_path: Option<PathBuf>,
    /// The file that a generator made the unit from, such as a Quadlet file.
    pub source_path: Option<PathBuf>,
    /// Units that it wants, `Wants=` and `.wants`.
    pub wants: Vec<String>,
    /// When it last became active.
    pub active_enter: Option<SystemTime>,
    /// When its state last changed.
    pub state_change: Option<SystemTime>,
    /// Id of the current or last run: 32 hexadecimal digits, the journal's `_SYSTEMD_INVOCATION_ID`.
    pub invocation_id: Option<String>,
    /// Services: how the last run ended.
    pub result: Option<ServiceResult>,
    /// Services: how often systemd itself restarted it since it was last started by hand.
    pub n_restarts: Option<u32>,
    /// Services: the running main process.
    pub main_pid: Option<u32>,
    /// Services: how the main process ended, as waitid(2) codes it: 1 exited, 2 killed, 3 dumped core.
    pub exec_main_code: Option<i32>,
    /// Services: its exit status, or the number of the signal that ended it.
    pub exec_main_status: Option<i32>,
    /// Services: the text that it sent as `STATUS=`.
    pub status_text: Option<String>,
    /// Memory in use, in bytes.
    pub memory_current: Option<u64>,
    /// Most memory that was in use, in bytes; newer releases of systemd only.
    pub memory_peak: Option<u64>,
    /// `MemoryMax=`, in bytes.
    pub memory_max: Option<u64>,
    /// CPU time used, in nanoseconds.
    pub cpu_usage_nsec: Option<u64>,
    /// `CPUQuota=`, as CPU time per second: 2 s for `200%`.
    pub cpu_quota_per_sec: Option<Duration>,
    /// Tasks (processes and threads) that exist.
    pub tasks_current: Option<u64>,
    /// `TasksMax=`.
    pub tasks_max: Option<u64>,
}

impl UnitState {
    /// The state of a unit that does not exist.
    #[must_use]
    pub fn not_found(unit: &str) -> Self {
        Self {
            unit: unit.to_owned(),
            load_state: LoadState::NotFound,
            load_error: None,
            active_state: ActiveState::Inactive,
            sub_state: "dead".to_owned(),
            unit_file_state: None,
            need_daemon_reload: false,
            fragment_path: None,
            source_path: None,
            wants: Vec::new(),
            active_enter: None,
            state_change: None,
            invocation_id: None,
            result: None,
            n_restarts: None,
            main_pid: None,
            exec_main_code: None,
            exec_main_status: None,
            status_text: None,
            memory_current: None,
            memory_peak: None,
            memory_max: None,
            cpu_usage_nsec: None,
            cpu_quota_per_sec: None,
            tasks_current: None,
            tasks_max: None,
        }
    }

    fn read_unit(&mut self, mut properties: Properties) -> Result<(), Error> {
        if let Some(word) = properties.text("LoadState")? {
            self.load_state = LoadState::from(word.as_str());
        }
        if let Some(word) = properties.text("ActiveState")? {
            self.active_state = ActiveState::from(word.as_str());
        }
        if let Some(word) = properties.text("SubState")? {
            self.sub_state = word;
        }
        self.load_error = properties.second_text("LoadError")?;
        self.unit_file_state =
            properties.text("UnitFileState")?.map(|word| UnitFileState::from(word.as_str()));
        self.need_daemon_reload = properties.is("NeedDaemonReload")?;
        self.fragment_path = properties.text("FragmentPath")?.map(PathBuf::from);
        self.source_path = properties.text("SourcePath")?.map(PathBuf::from);
        self.wants = properties.texts("Wants")?;
        self.active_enter = properties.time("ActiveEnterTimestamp")?;
        self.state_change = properties.time("StateChangeTimestamp")?;
        self.invocation_id = properties.hex("InvocationID")?;
        Ok(())
    }

    /// Reads what the type's own interface has; one that runs no processes leaves all of it `None`.
    fn read_type(&mut self, mut properties: Properties) -> Result<(), Error> {
        self.result = properties.text("Result")?.map(|word| ServiceResult::from(word.as_str()));
        self.n_restarts = properties.number("NRestarts")?;
        self.main_pid = properties.number("MainPID")?.filter(|pid| *pid != 0);
        // Both are 0 until a main process has ended, and the status of one that ended well is 0 as well.
        self.exec_main_code = properties.signed("ExecMainCode")?.filter(|code| *code != 0);
        self.exec_main_status =
            properties.signed("ExecMainStatus")?.filter(|_| self.exec_main_code.is_some());
        self.status_text = properties.text("StatusText")?;
        self.memory_current = properties.amount("MemoryCurrent")?;
        self.memory_peak = properties.amount("MemoryPeak")?;
        self.memory_max = properties.amount("MemoryMax")?;
        self.cpu_usage_nsec = properties.amount("CPUUsageNSec")?;
        self.cpu_quota_per_sec = properties.amount("CPUQuotaPerSecUSec")?.map(Duration::from_micros);
        self.tasks_current = properties.amount("TasksCurrent")?;
        self.tasks_max = properties.amount("TasksMax")?;
        Ok(())
    }
}

impl Systemd {
    /// Reads the state of each of `units`, in the order given.
    ///
    /// The units are read one after the other, so the states are not of one instant. A unit that is not
    /// loaded is loaded first; one that does not exist has the load state `not-found`.
    ///
    /// # Errors
    ///
    /// When systemd does not answer, or a name is no unit name at all, such as one without a suffix.
    pub async fn observe(&self, units: &[&str]) -> Result<Vec<UnitState>, Error> {
        let mut states = Vec::with_capacity(units.len());
        for unit in units {
            states.push(self.observe_one(unit).await?);
        }
        Ok(states)
    }

    async fn observe_one(&self, unit: &str) -> Result<UnitState, Error> {
        let call = Call::on(self.scope, "observe", &[unit]);
        let path = self.ask(call.clone(), self.manager.load_unit(unit)).await?;
        let path: &ObjectPath<'_> = &path;
        let mut state = UnitState::not_found(unit);
        state.read_unit(self.properties(call.clone(), path, UNIT_INTERFACE).await?)?;
        // A unit without a file has only defaults in its type's interface.
        if state.load_state != LoadState::NotFound
            && let Some(interface) = type_interface(unit)
        {
            state.read_type(self.properties(call, path, interface).await?)?;
        }
        Ok(state)
    }
}

/// The interface of those unit types that have processes, and so limits and accounting.
fn type_interface(unit: &str) -> Option<&'static str> {
    match unit.rsplit_once('.')?.1 {
        "service" => Some("org.freedesktop.systemd1.Service"),
        "slice" => Some("org.freedesktop.systemd1.Slice"),
        "scope" => Some("org.freedesktop.systemd1.Scope"),
        "socket" => Some("org.freedesktop.systemd1.Socket"),
        _ => None,
    }
}
