//! Runs systemd jobs to their end: subscribe, enqueue, match the path, return the result.

use std::{collections::HashMap, fmt, pin::pin, time::Duration};

use futures_util::StreamExt as _;
use zbus::OwnedObjectPath;

use super::{
    Scope,
    client::Systemd,
    dbus_error::Call,
    error::Error,
    proxy::JobRemoved,
    words::{JobMode, JobResult},
};

/// What a systemd job is to do with its unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verb {
    /// Start it, if it is not started.
    Start,
    /// Stop it, if it is started.
    Stop,
    /// Stop it if it is started, then start it.
    Restart,
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Restart => "restart",
        })
    }
}

/// A systemd job to enqueue. (A workflow job is GitHub's, and something else.)
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UnitJob {
    /// What to do.
    pub verb: Verb,
    /// Full unit name, with its suffix: `homelab-runner@1.service`.
    pub unit: String,
}

impl UnitJob {
    /// A systemd job that starts `unit`.
    pub fn start(unit: impl Into<String>) -> Self {
        Self { verb: Verb::Start, unit: unit.into() }
    }

    /// A systemd job that stops `unit`.
    pub fn stop(unit: impl Into<String>) -> Self {
        Self { verb: Verb::Stop, unit: unit.into() }
    }

    /// A systemd job that restarts `unit`.
    pub fn restart(unit: impl Into<String>) -> Self {
        Self { verb: Verb::Restart, unit: unit.into() }
    }
}

/// How one systemd job ended.
#[derive(Clone, Debug)]
pub struct JobOutcome {
    /// Which systemd ran it.
    pub scope: Scope,
    /// The systemd job that was asked for.
    pub unit_job: UnitJob,
    /// systemd's result, good or bad, or why there is none.
    pub result: Result<JobResult, Error>,
}

impl JobOutcome {
    /// Tells whether the job ended well.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.result.as_ref().is_ok_and(JobResult::is_success)
    }

    /// Turns a bad end into an error.
    ///
    /// # Errors
    ///
    /// The error that kept the job from a result, or [`Error::JobNotDone`].
    pub fn into_result(self) -> Result<(), Error> {
        match self.result {
            Ok(result) if result.is_success() => Ok(()),
            Ok(result) => Err(Error::JobNotDone {
                scope: self.scope,
                unit: self.unit_job.unit,
                verb: self.unit_job.verb,
                result,
            }),
            Err(error) => Err(error),
        }
    }
}

impl Systemd {
    /// Enqueues all `unit_jobs` and waits for the end of each, for `limit` altogether.
    ///
    /// Returns one outcome per systemd job, in the order given; `progress` sees each as soon as it is known.
    /// What goes wrong with one job (masked, not found, refused) is that job's own outcome. After `limit`,
    /// jobs without a result get [`Error::TimedOut`]; those that systemd has taken stay queued there, as they
    /// do when the returned future is dropped. All jobs are enqueued one after the other and awaited together.
    pub async fn run_jobs(
        &self,
        unit_jobs: &[UnitJob],
        mode: &JobMode,
        limit: Duration,
        progress: &mut dyn FnMut(&JobOutcome),
    ) -> Vec<JobOutcome> {
        let mut ledger = Ledger::new(self.scope, unit_jobs, progress);
        if tokio::time::timeout(limit, self.enqueue_and_wait(&mut ledger, unit_jobs, mode)).await.is_err() {
            ledger.give_up(limit);
        }
        ledger.into_outcomes()
    }

    async fn enqueue_and_wait(&self, ledger: &mut Ledger<'_>, unit_jobs: &[UnitJob], mode: &JobMode) {
        let mut removals = match self.job_removals().await {
            Ok(removals) => removals,
            Err(error) => return ledger.settle_rest(|_| error.clone()),
        };
        for (index, unit_job) in unit_jobs.iter().enumerate() {
            let mut call = pin!(self.enqueue(unit_job, mode));
            // Signals are taken in while the reply is awaited: zbus reads nothing more from the socket, and so
            // not the reply either, once 64 signals wait in the stream.
            let reply = loop {
                tokio::select! {
                    biased;
                    Some(signal) = removals.next() => ledger.note_removal(&signal),
                    reply = &mut call => break reply,
                }
            };
            ledger.note_reply(index, reply);
        }
        while ledger.is_waiting() {
            match removals.next().await {
                Some(signal) => ledger.note_removal(&signal),
                None => ledger.settle_rest(|unit_job| self.call_for(unit_job).connection_lost(None)),
            }
        }
    }

    /// The stream of `JobRemoved`, which has to exist before the first job does.
    async fn job_removals(&self) -> Result<super::proxy::JobRemovedStream, Error> {
        let call = Call::new(self.scope, "subscribe to systemd's signals");
        let removals = self.ask(call, self.manager.receive_job_removed()).await?;
        self.subscribe().await?;
        Ok(removals)
    }

    async fn enqueue(&self, unit_job: &UnitJob, mode: &JobMode) -> Result<OwnedObjectPath, Error> {
        let (unit, mode) = (unit_job.unit.as_str(), mode.as_str());
        let call = self.call_for(unit_job);
        match unit_job.verb {
            Verb::Start => self.ask(call, self.manager.start_unit(unit, mode)).await,
            Verb::Stop => self.ask(call, self.manager.stop_unit(unit, mode)).await,
            Verb::Restart => self.ask(call, self.manager.restart_unit(unit, mode)).await,
        }
    }

    fn call_for(&self, unit_job: &UnitJob) -> Call {
        Call::on(self.scope, &unit_job.verb.to_string(), &[&unit_job.unit])
    }
}

/// How far one systemd job has come.
enum Stage {
    /// Not enqueued yet.
    Asked,
    /// systemd has it under this path.
    Queued(OwnedObjectPath),
    Ended(JobOutcome),
}

/// The state of all jobs of one [`Systemd::run_jobs`].
struct Ledger<'a> {
    scope: Scope,
    entries: Vec<(UnitJob, Stage)>,
    /// Results of jobs whose path is not known to be ours: other people's, and ours before the reply.
    removed: HashMap<OwnedObjectPath, JobResult>,
    progress: &'a mut dyn FnMut(&JobOutcome),
}

impl<'a> Ledger<'a> {
    fn new(scope: Scope, unit_jobs: &[UnitJob], progress: &'a mut dyn FnMut(&JobOutcome)) -> Self {
        let entries = unit_jobs.iter().map(|unit_job| (unit_job.clone(), Stage::Asked)).collect();
        Self { scope, entries, removed: HashMap::new(), progress }
    }

    fn is_waiting(&self) -> bool {
        self.entries.iter().any(|(_, stage)| !matches!(stage, Stage::Ended(_)))
    }

    fn note_reply(&mut self, index: usize, reply: Result<OwnedObjectPath, Error>) {
        if let Some((_, stage)) = self.entries.get_mut(index)
            && let Ok(path) = &reply
        {
            *stage = Stage::Queued(path.clone());
        }
        // The result may be here already. It stays in `removed`, because systemd merges jobs: the reply to a
        // later call may name the same path.
        let known = reply.map(|path| self.removed.get(&path).cloned());
        if let Some(result) = known.transpose() {
            self.settle(|at, _| at == index, |_| result.clone());
        }
    }

    fn note_removal(&mut self, signal: &JobRemoved) {
        // A signal that cannot be read names no path, so it cannot be one that is waited for.
        let Ok(arguments) = signal.args() else { return };
        let result = JobResult::from(arguments.result.as_str());
        let path = arguments.job;
        self.settle(
            |_, stage| matches!(stage, Stage::Queued(queued) if *queued == path),
            |_| Ok(result.clone()),
        );
        self.removed.insert(path, result);
    }

    fn settle_rest(&mut self, error: impl Fn(&UnitJob) -> Error) {
        self.settle(|_, stage| !matches!(stage, Stage::Ended(_)), |unit_job| Err(error(unit_job)));
    }

    fn give_up(&mut self, limit: Duration) {
        let scope = self.scope;
        let timed_out = |unit_job: &UnitJob, is_queued| {
            Err(Error::TimedOut { scope, unit: unit_job.unit.clone(), verb: unit_job.verb, limit, is_queued })
        };
        self.settle(|_, stage| matches!(stage, Stage::Queued(_)), |unit_job| timed_out(unit_job, true));
        self.settle(|_, stage| matches!(stage, Stage::Asked), |unit_job| timed_out(unit_job, false));
    }

    fn settle(
        &mut self,
        is_meant: impl Fn(usize, &Stage) -> bool,
        result: impl Fn(&UnitJob) -> Result<JobResult, Error>,
    ) {
        for (index, (unit_job, stage)) in self.entries.iter_mut().enumerate() {
            if is_meant(index, stage) {
                let outcome =
                    JobOutcome { scope: self.scope, unit_job: unit_job.clone(), result: result(unit_job) };
                (self.progress)(&outcome);
                *stage = Stage::Ended(outcome);
            }
        }
    }

    fn into_outcomes(self) -> Vec<JobOutcome> {
        self.entries
            .into_iter()
            .filter_map(|(_, stage)| match stage {
                Stage::Ended(outcome) => Some(outcome),
                Stage::Asked | Stage::Queued(_) => None,
            })
            .collect()
    }
}
