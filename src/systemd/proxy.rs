//! The methods, properties and signals of `org.freedesktop.systemd1.Manager` that are called, and no more.
//!
//! Unit properties have no proxy: they are read with `GetAll` (see `properties`), because zbus caches
//! what systemd announces as constant, and systemd changes it all the same.

use zbus::OwnedObjectPath;

/// Name of systemd on the bus.
pub(super) const DESTINATION: &str = "org.freedesktop.systemd1";

/// One unit as `ListUnitsByPatterns` returns it: name, description, load state, active state, sub state,
/// followed unit, object path, id of its queued job (0 = none), the job's type, and the job's path.
pub(super) type ListedUnitReply =
    (String, String, String, String, String, String, OwnedObjectPath, u32, String, OwnedObjectPath);

/// One change to unit files: its kind (such as `symlink` or `unlink`), the file, and the link's target.
pub(super) type UnitFileChangeReply = (String, String, String);

#[zbus::proxy(
    interface = "org.freedesktop.systemd1.Manager",
    default_service = "org.freedesktop.systemd1",
    default_path = "/org/freedesktop/systemd1"
)]
pub(super) trait Manager {
    /// The control group that systemd's own units live below, such as `/user.slice/…`; empty for the host's.
    #[zbus(property)]
    fn control_group(&self) -> zbus::Result<String>;

    /// The state of systemd as a whole, such as `running`, `degraded` or `stopping`.
    #[zbus(property(emits_changed_signal = "false"))]
    fn system_state(&self) -> zbus::Result<String>;

    /// Asks systemd to send its signals on this connection.
    fn subscribe(&self) -> zbus::Result<()>;

    /// Runs the generators and reads all unit files again; replies when that is done.
    fn reload(&self) -> zbus::Result<()>;

    /// Enqueues a start job, and returns its path.
    fn start_unit(&self, name: &str, mode: &str) -> zbus::Result<OwnedObjectPath>;

    /// Enqueues a stop job, and returns its path.
    fn stop_unit(&self, name: &str, mode: &str) -> zbus::Result<OwnedObjectPath>;

    /// Enqueues a restart job, and returns its path.
    fn restart_unit(&self, name: &str, mode: &str) -> zbus::Result<OwnedObjectPath>;

    /// Returns the path of a unit, loading it when it is not in memory, and even when it does not exist.
    fn load_unit(&self, name: &str) -> zbus::Result<OwnedObjectPath>;

    /// Clears the failed state of a unit, and its counter of starts.
    fn reset_failed_unit(&self, name: &str) -> zbus::Result<()>;

    /// Lists the units in memory whose state is one of `states` and whose name fits one of `patterns`.
    fn list_units_by_patterns(
        &self,
        states: &[&str],
        patterns: &[&str],
    ) -> zbus::Result<Vec<ListedUnitReply>>;

    /// Makes the links of the `[Install]` sections; tells whether there was such a section.
    fn enable_unit_files(
        &self,
        files: &[&str],
        runtime: bool,
        force: bool,
    ) -> zbus::Result<(bool, Vec<UnitFileChangeReply>)>;

    /// Removes all links to the unit files.
    fn disable_unit_files(&self, files: &[&str], runtime: bool) -> zbus::Result<Vec<UnitFileChangeReply>>;

    /// Tells that a systemd job has ended.
    #[zbus(signal)]
    fn job_removed(&self, id: u32, job: OwnedObjectPath, unit: String, result: String) -> zbus::Result<()>;

    /// Version of systemd as it was built, such as `257.7-1~deb13u1`.
    #[zbus(property(emits_changed_signal = "false"))]
    fn version(&self) -> zbus::Result<String>;
}
