//! The container as the host sees it: the entrypoint's word, its processes, and what they use. The engine is not asked.
//!
//! The word needs no watching of its own: each change of it is one of the unit's state as well, and that is announced.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::apply::{self, Host, drain};
use crate::control_group;
use crate::files::{Root, read_untrusted};
use crate::fleet::{Runner, names};
use crate::health::{Container, Listener, Observation, Usage, WorkflowJob};
use crate::runner::{LISTENER, WORKER};

/// States of a process that a signal or a debugger stopped, `proc_pid_stat(5)`.
const STOPPED: [char; 2] = ['T', 't'];

/// Looks, and remembers the CPU time of the look before.
#[derive(Default)]
pub(super) struct Looker {
    earlier: BTreeMap<u16, (Instant, Duration)>,
}

impl Looker {
    pub(super) fn look(&mut self, host: &Host, root: &Root, runner: &Runner) -> Observation {
        let group = host.control_groups.join(names::slice_control_group(runner.number));
        let container = match control_group::programs_and_states(&group) {
            Ok(programs) => {
                let session = apply::session(root, &runner.paths).map(|session| session.state);
                let worker = programs.iter().any(|(name, _)| name == WORKER);
                Some(Container { session, listener: listener(&programs), worker })
            }
            Err(error) => {
                tracing::warn!(%error, runner = runner.number, "cannot look at the processes");
                None
            }
        };
        let used = control_group::usage(&group);
        Observation::Look {
            number: runner.number,
            container,
            drained: drain::is_marked(root, &runner.paths),
            usage: Usage {
                cpu_percent: self.cpu_percent(runner.number, used.cpu),
                cpu_quota_percent: used.cpu_quota.map(|quota| quota.as_secs_f64() * 100.0),
                memory_bytes: used.memory,
                memory_max_bytes: used.memory_max,
                oom_kills: used.oom_kills,
            },
            workflow_job: container
                .filter(|container| container.worker)
                .and_then(|_| workflow_job(root, runner)),
        }
    }

    fn cpu_percent(&mut self, number: u16, used: Option<Duration>) -> Option<f64> {
        let now = Instant::now();
        let Some(used) = used else {
            self.earlier.remove(&number);
            return None;
        };
        let (then, before) = self.earlier.insert(number, (now, used))?;
        let window = now.duration_since(then).as_secs_f64();
        // A container that is new has used less than the one before.
        (window > 0.0).then(|| used.saturating_sub(before).as_secs_f64() / window * 100.0)
    }
}

/// The image that its container runs.
pub(super) fn image(root: &Root, runner: &Runner) -> Observation {
    Observation::Image(runner.number, apply::image(root, runner))
}

/// What its started hook wrote; the hook is there with `reports.hooks`.
fn workflow_job(root: &Root, runner: &Runner) -> Option<WorkflowJob> {
    WorkflowJob::of_json(&read_untrusted(&root.at(&runner.paths.workflow_job()))?)
}

/// One that can run counts, whatever else bears the name.
fn listener(programs: &std::collections::BTreeSet<(String, char)>) -> Listener {
    let mut states = programs.iter().filter(|(name, _)| name == LISTENER).peekable();
    if states.peek().is_none() {
        return Listener::Missing;
    }
    if states.all(|(_, state)| STOPPED.contains(state)) { Listener::Stopped } else { Listener::Running }
}
