//! Carries a plan out, step by step.

use std::time::Duration;

use super::{Error, Host};
use crate::files;
use crate::fleet::plan::Step;
use crate::fleet::{Account, Plan, names};
use crate::programs;
use crate::systemd::{self, JobMode, JobOutcome, Systemd, UnitJob};

/// systemd's own limits end a job long before; this one is for a systemd that does not answer.
const GRACE: Duration = Duration::from_secs(60);

/// What became of the units that were started or restarted.
#[derive(Debug, Default)]
pub struct Execution {
    /// In the order of the steps.
    pub outcomes: Vec<JobOutcome>,
}

/// Carries `plan` out. `before` sees each step before it is taken, so that people see what is being waited for; `limit` is what
/// a unit may take to start or stop.
///
/// A unit that fails to start stops nothing else: the other runners are none of its business.
///
/// # Errors
/// A file, or systemd as a whole. What was done stays done; the next run finishes it.
pub async fn execute(
    plan: &Plan,
    host: &Host,
    limit: Duration,
    before: &mut dyn FnMut(&Step),
) -> Result<Execution, Error> {
    let mut execution = Execution::default();
    if plan.is_empty() {
        return Ok(execution);
    }
    let mark = host.unfinished_mark();
    files::write(&mark, b"a run of install-units did not finish; run it again\n", 0o644)?;
    for step in &plan.steps {
        before(step);
        take(step, host, limit + GRACE, &mut execution).await?;
    }
    files::remove(&mark)?;
    Ok(execution)
}

async fn take(step: &Step, host: &Host, limit: Duration, execution: &mut Execution) -> Result<(), Error> {
    match step {
        Step::Write(file) => {
            return Ok(files::write(&host.root.at(&file.path), file.text.as_bytes(), file.mode)?);
        }
        Step::Remove(path) => return Ok(files::remove(&host.root.at(path))?),
        _ => {}
    }
    // Below a --root there is no systemd to be told, and no account to be made.
    let Some(manager) = &host.systemd else { return Ok(()) };
    match step {
        Step::Write(_) | Step::Remove(_) => {}
        Step::AddAccount(account) => add_account(host, *account)?,
        Step::RemoveAccount(account) => {
            // The account last: as long as it is there, the next run tries again.
            if let Some(podman) = programs::find("podman", std::env::var_os("PATH").as_deref()) {
                programs::remove_network(&podman, &names::network(account.number))?;
            }
            files::remove_tree(&host.layout.runner(account.number).engine_storage)?;
            programs::remove_account(&account.name())?;
        }
        Step::Reload => manager.reload().await?,
        Step::Enable(unit) => drop(manager.enable(&[unit]).await?),
        Step::Disable(unit) => drop(manager.disable(&[unit]).await?),
        Step::Stop(unit) => {
            // What does not stop must not lose its file: systemd would no longer know how to stop it.
            for outcome in
                manager.run_jobs(&[UnitJob::stop(unit)], &JobMode::Replace, limit, &mut |_| {}).await
            {
                match outcome.into_result() {
                    // A run that was cut off may have removed its file: what systemd does not know is not started.
                    Ok(()) | Err(systemd::Error::UnitNotFound { .. }) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Step::Start(units) => execution.run(manager, units.iter().map(UnitJob::start).collect(), limit).await,
        Step::Restart(units) => {
            execution.run(manager, units.iter().map(UnitJob::restart).collect(), limit).await;
        }
    }
    Ok(())
}

fn add_account(host: &Host, account: Account) -> Result<(), Error> {
    let exists = super::host_ids(&host.root)?.accounts.contains_key(&account.number);
    let home = host.layout.runner(account.number).engine_storage;
    Ok(programs::add_account(account, &home, exists)?)
}

impl Execution {
    async fn run(&mut self, systemd: &Systemd, unit_jobs: Vec<UnitJob>, limit: Duration) {
        let outcomes = systemd.run_jobs(&unit_jobs, &JobMode::Replace, limit, &mut |_| {}).await;
        self.outcomes.extend(outcomes);
    }
}
