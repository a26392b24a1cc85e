//! The fake's unit objects, and how their properties change with systemd jobs.

use std::sync::{Arc, Mutex};

use zbus::{OwnedObjectPath, interface};

use super::{ACTIVE_ENTER_MICROS, State, lock, unit_path};

pub(super) type ListedUnit =
    (String, String, String, String, String, String, OwnedObjectPath, u32, String, OwnedObjectPath);

/// Makes the struct of all properties, and for each object the interface that serves some of them.
macro_rules! properties {
    ($($object:ident $interface:literal { $($field:ident: $type:ty = $value:expr => $name:tt,)+ })+) => {
        /// The properties of a unit as they go over the bus, `u64::MAX` for infinity included.
        #[derive(Clone, Debug)]
        pub(crate) struct Properties {
            $($(pub(crate) $field: $type,)+)+
        }

        impl Default for Properties {
            fn default() -> Self {
                Self { $($($field: $value,)+)+ }
            }
        }

        $(
            pub(super) struct $object(pub(super) (Arc<Mutex<State>>, String));

            #[interface(name = $interface)]
            impl $object {
                $(
                    #[zbus(property, name = $name)]
                    fn $field(&self) -> $type {
                        let (state, unit) = &self.0;
                        read(state, unit).$field
                    }
                )+
            }
        )+
    };
}

properties! {
    UnitObject "org.freedesktop.systemd1.Unit" {
        load_state: String = "loaded".to_owned() => "LoadState",
        load_error: (String, String) = (String::new(), String::new()) => "LoadError",
        active_state: String = "inactive".to_owned() => "ActiveState",
        sub_state: String = "dead".to_owned() => "SubState",
        unit_file_state: String = "disabled".to_owned() => "UnitFileState",
        need_daemon_reload: bool = false => "NeedDaemonReload",
        fragment_path: String = String::new() => "FragmentPath",
        source_path: String = String::new() => "SourcePath",
        active_enter: u64 = 0 => "ActiveEnterTimestamp",
        state_change: u64 = 0 => "StateChangeTimestamp",
        invocation_id: Vec<u8> = Vec::new() => "InvocationID",
    }
    ServiceObject "org.freedesktop.systemd1.Service" {
        result: String = "success".to_owned() => "Result",
        n_restarts: u32 = 0 => "NRestarts",
        main_pid: u32 = 0 => "MainPID",
        exec_main_code: i32 = 0 => "ExecMainCode",
        exec_main_status: i32 = 0 => "ExecMainStatus",
        status_text: String = String::new() => "StatusText",
        memory_current: u64 = u64::MAX => "MemoryCurrent",
        memory_peak: u64 = u64::MAX => "MemoryPeak",
        memory_max: u64 = u64::MAX => "MemoryMax",
        cpu_usage_nsec: u64 = u64::MAX => "CPUUsageNSec",
        cpu_quota_per_sec: u64 = u64::MAX => "CPUQuotaPerSecUSec",
        tasks_current: u64 = u64::MAX => "TasksCurrent",
        tasks_max: u64 = u64::MAX => "TasksMax",
    }
    SliceObject "org.freedesktop.systemd1.Slice" {
        slice_memory_max: u64 = u64::MAX => "MemoryMax",
        slice_memory_current: u64 = u64::MAX => "MemoryCurrent",
    }
    SocketObject "org.freedesktop.systemd1.Socket" {
        socket_memory_max: u64 = u64::MAX => "MemoryMax",
    }
}

/// The properties of a unit now; those of a unit that does not exist are what systemd shows for it.
fn read(state: &Mutex<State>, unit: &str) -> Properties {
    let known = lock(state).units.get(unit).map(|(_, properties)| properties.clone());
    known.unwrap_or_else(|| Properties {
        load_state: "not-found".to_owned(),
        load_error: ("org.freedesktop.systemd1.NoSuchUnit".to_owned(), format!("Unit {unit} not found.")),
        unit_file_state: String::new(),
        ..Properties::default()
    })
}

impl Properties {
    pub(super) fn enter(&mut self, active_state: &str, sub_state: &str) {
        active_state.clone_into(&mut self.active_state);
        sub_state.clone_into(&mut self.sub_state);
        self.state_change = ACTIVE_ENTER_MICROS;
    }

    pub(super) fn job_begins(&mut self, method: &str) {
        match (method, self.active_state.as_str()) {
            ("StopUnit", "active") => self.enter("deactivating", "stop-sigterm"),
            ("StopUnit", _) | ("StartUnit", "active") => {}
            _ => self.enter("activating", "start"),
        }
    }

    pub(super) fn job_ends(&mut self, method: &str, result: &str) {
        match (method, result) {
            ("StopUnit", "done") => {
                self.enter("inactive", "dead");
                self.main_pid = 0;
            }
            (_, "done") => {
                self.enter("active", "running");
                "success".clone_into(&mut self.result);
                (self.main_pid, self.exec_main_code, self.exec_main_status) = (4242, 0, 0);
                self.active_enter = ACTIVE_ENTER_MICROS;
                self.invocation_id = vec![0xab; 16];
            }
            (_, "failed") => {
                self.enter("failed", "failed");
                "exit-code".clone_into(&mut self.result);
                (self.main_pid, self.exec_main_code, self.exec_main_status) = (0, 1, 1);
            }
            // Cancelled, timed out, skipped, …: it never came up.
            _ => self.enter("inactive", "dead"),
        }
    }

    pub(super) fn listed(&self, name: &str) -> ListedUnit {
        let (load, active, sub) =
            (self.load_state.clone(), self.active_state.clone(), self.sub_state.clone());
        let no_job = OwnedObjectPath::try_from("/").unwrap();
        let description = format!("Description of {name}");
        (
            name.to_owned(),
            description,
            load,
            active,
            sub,
            String::new(),
            unit_path(name),
            0,
            String::new(),
            no_job,
        )
    }
}
