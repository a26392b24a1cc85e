//! The fake's `org.freedesktop.systemd1.Manager`: enqueues, signals, and writes the journal of calls.

#![expect(
    clippy::needless_pass_by_value,
    clippy::unused_self,
    clippy::used_underscore_binding,
    reason = "zbus' macro gives every method and argument, those that the fake has no use for included"
)]

use std::sync::{Arc, Mutex};

use zbus::{ObjectServer, OwnedObjectPath, interface, object_server::SignalEmitter};

use super::{
    Refusal, Script, State, announce, job_path, lock,
    properties::{ListedUnit, Properties, ServiceObject, SliceObject, SocketObject, UnitObject},
    unit_path,
};

pub(super) struct Manager {
    pub(super) state: Arc<Mutex<State>>,
}

type Changes = Vec<(String, String, String)>;

impl Manager {
    /// Writes a call into the journal, unless everything is refused.
    fn note(&self, call: String) -> Result<(), Refusal> {
        let mut state = lock(&self.state);
        if let Some(refusal) = &state.refuse_all {
            return Err(refusal.clone());
        }
        state.journal.push(call);
        Ok(())
    }

    async fn enqueue(
        &self,
        (method, unit, mode): (&str, &str, &str),
        emitter: SignalEmitter<'_>,
    ) -> Result<OwnedObjectPath, Refusal> {
        self.note(format!("{method} {unit} {mode}"))?;
        let script = lock(&self.state).script(method, unit);
        if let Script::Refused(refusal) = script {
            return Err(refusal);
        }
        if matches!(script, Script::NeverReplies) {
            std::future::pending::<()>().await;
        }
        let job = self.new_job(method, unit, emitter).await;
        let path = job_path(job.id);
        match script {
            Script::EndsBeforeReply { result } => job.end(result).await,
            Script::Ends { after, result } => {
                tokio::spawn(async move {
                    tokio::time::sleep(after).await;
                    job.end(result).await;
                });
            }
            Script::NeverEnds | Script::NeverReplies | Script::Refused(_) => {}
        }
        Ok(path)
    }

    async fn new_job(&self, method: &str, unit: &str, emitter: SignalEmitter<'_>) -> Job {
        let (id, is_subscribed) = {
            let mut state = lock(&self.state);
            state.jobs += 1;
            state.job_begins(method, unit);
            (state.jobs, state.is_subscribed)
        };
        if is_subscribed {
            emitter.job_new(id, job_path(id), unit).await.unwrap();
        }
        announce(emitter.connection(), &self.state, unit).await;
        Job {
            id,
            method: method.to_owned(),
            unit: unit.to_owned(),
            state: Arc::clone(&self.state),
            emitter: emitter.into_owned(),
        }
    }
}

/// A systemd job in the queue of the fake.
struct Job {
    id: u32,
    method: String,
    unit: String,
    state: Arc<Mutex<State>>,
    emitter: SignalEmitter<'static>,
}

impl Job {
    async fn end(self, result: &str) {
        let is_subscribed = {
            let mut state = lock(&self.state);
            if let Some((_, properties)) = state.units.get_mut(&self.unit) {
                properties.job_ends(&self.method, result);
            }
            state.is_subscribed
        };
        if is_subscribed {
            // The test may have ended the connection meanwhile, and then nobody listens.
            drop(self.emitter.job_removed(self.id, job_path(self.id), &self.unit, result).await);
        }
        announce(self.emitter.connection(), &self.state, &self.unit).await;
    }
}

#[interface(name = "org.freedesktop.systemd1.Manager")]
impl Manager {
    fn subscribe(&self) -> Result<(), Refusal> {
        let mut state = lock(&self.state);
        if state.is_subscribed {
            return Err(Refusal::ALREADY_SUBSCRIBED);
        }
        state.is_subscribed = true;
        Ok(())
    }

    fn reload(&self) -> Result<(), Refusal> {
        self.note("Reload".to_owned())?;
        lock(&self.state).reload();
        Ok(())
    }

    async fn start_unit(
        &self,
        name: &str,
        mode: &str,
        #[zbus(signal_emitter)] emitter: SignalEmitter<'_>,
    ) -> Result<OwnedObjectPath, Refusal> {
        self.enqueue(("StartUnit", name, mode), emitter).await
    }

    async fn stop_unit(
        &self,
        name: &str,
        mode: &str,
        #[zbus(signal_emitter)] emitter: SignalEmitter<'_>,
    ) -> Result<OwnedObjectPath, Refusal> {
        self.enqueue(("StopUnit", name, mode), emitter).await
    }

    async fn restart_unit(
        &self,
        name: &str,
        mode: &str,
        #[zbus(signal_emitter)] emitter: SignalEmitter<'_>,
    ) -> Result<OwnedObjectPath, Refusal> {
        self.enqueue(("RestartUnit", name, mode), emitter).await
    }

    async fn load_unit(&self, name: &str, #[zbus(object_server)] server: &ObjectServer) -> OwnedObjectPath {
        let path = unit_path(name);
        let object = || (Arc::clone(&self.state), name.to_owned());
        server.at(&path, UnitObject(object())).await.unwrap();
        server.at(&path, ServiceObject(object())).await.unwrap();
        server.at(&path, SliceObject(object())).await.unwrap();
        server.at(&path, SocketObject(object())).await.unwrap();
        path
    }

    fn reset_failed_unit(&self, name: &str) -> Result<(), Refusal> {
        self.note(format!("ResetFailedUnit {name}"))?;
        let mut state = lock(&self.state);
        let (_, properties) = state.units.get_mut(name).ok_or(Refusal::NO_SUCH_UNIT)?;
        properties.n_restarts = 0;
        if properties.active_state == "failed" {
            properties.enter("inactive", "dead");
        }
        Ok(())
    }

    fn list_units_by_patterns(&self, states: Vec<String>, patterns: Vec<String>) -> Vec<ListedUnit> {
        let state = lock(&self.state);
        let fits = |name: &str, unit: &Properties| {
            (patterns.is_empty() || patterns.iter().any(|pattern| fits(pattern, name)))
                && (states.is_empty() || states.contains(&unit.active_state))
        };
        state
            .units
            .iter()
            .filter(|(name, (_, unit))| fits(name, unit))
            .map(|(name, (_, unit))| unit.listed(name))
            .collect()
    }

    fn enable_unit_files(
        &self,
        files: Vec<String>,
        _runtime: bool,
        _force: bool,
    ) -> Result<(bool, Changes), Refusal> {
        self.note(format!("EnableUnitFiles {}", files.join(" ")))?;
        let mut changes = Vec::new();
        for file in files {
            let mut state = lock(&self.state);
            // Enabling looks at the files alone: a unit that systemd has not read yet can be enabled.
            if state.host.as_ref().is_some_and(|host| host.can_load(&file)) {
                state.units.entry(file.clone()).or_default();
            }
            let (script, properties) = state.units.get_mut(&file).ok_or(Refusal::NO_SUCH_UNIT)?;
            match script {
                Script::Refused(refusal) => return Err(refusal.clone()),
                _ if properties.unit_file_state == "generated" => return Err(Refusal::GENERATED),
                _ if properties.unit_file_state == "enabled" => {}
                _ => {
                    "enabled".clone_into(&mut properties.unit_file_state);
                    let link = format!("/etc/systemd/system/multi-user.target.wants/{file}");
                    changes.push(("symlink".to_owned(), link, format!("/etc/systemd/system/{file}")));
                }
            }
        }
        Ok((true, changes))
    }

    fn disable_unit_files(&self, files: Vec<String>, _runtime: bool) -> Result<Changes, Refusal> {
        self.note(format!("DisableUnitFiles {}", files.join(" ")))?;
        let mut changes = Vec::new();
        let mut state = lock(&self.state);
        if files.iter().all(|file| !state.units.contains_key(file)) {
            return Err(Refusal::NO_SUCH_UNIT);
        }
        for file in files {
            if let Some((_, properties)) = state.units.get_mut(&file)
                && properties.unit_file_state == "enabled"
            {
                "disabled".clone_into(&mut properties.unit_file_state);
                let link = format!("/etc/systemd/system/multi-user.target.wants/{file}");
                changes.push(("unlink".to_owned(), link, String::new()));
            }
        }
        Ok(changes)
    }

    /// Below /sys/fs/cgroup, where it is looked for, and where there is nothing of the fake's.
    #[zbus(property)]
    fn control_group(&self) -> String {
        "/no-such-group".to_owned()
    }

    #[zbus(property)]
    fn version(&self) -> String {
        "257.7-1~deb13u1".to_owned()
    }

    #[zbus(property)]
    fn system_state(&self) -> String {
        lock(&self.state).overall.to_owned()
    }

    #[zbus(signal)]
    async fn job_new(
        emitter: &SignalEmitter<'_>,
        id: u32,
        job: OwnedObjectPath,
        unit: &str,
    ) -> zbus::Result<()>;

    #[zbus(signal)]
    async fn job_removed(
        emitter: &SignalEmitter<'_>,
        id: u32,
        job: OwnedObjectPath,
        unit: &str,
        result: &str,
    ) -> zbus::Result<()>;
}

/// Whether `name` fits a pattern with at most one `*`.
fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        Some((head, tail)) => name.starts_with(head) && name.ends_with(tail),
        None => pattern == name,
    }
}
