//! Sessions of runners with the broker: one at a time per runner, kept alive by polling.

use super::clock::Moment;
use super::ledger::Ledger;
use super::refusal::Refusal;
use crate::identifier;

/// A runner's session.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) id: String,
    /// `HOST (PID: n)`, as the runner names itself.
    pub(crate) owner: String,
    last_contact: Moment,
    /// An open poll is contact, however long it lasts.
    open_polls: u32,
}

impl Session {
    pub(crate) fn last_contact(&self, now: Moment) -> Moment {
        if self.open_polls > 0 { now } else { self.last_contact }
    }
}

impl Ledger {
    /// Opens a session, which counts as contact. Refused while another one is alive.
    pub(crate) fn open_session(
        &mut self,
        runner_id: u64,
        version: &str,
        owner: &str,
    ) -> Result<String, Refusal> {
        let now = self.now();
        self.check_version(version)?;
        let lifetime = self.settings.session_lifetime_seconds;
        let runner = self.runners.get_mut(&runner_id).ok_or_else(|| Refusal::runner_not_found(runner_id))?;
        if let Some(session) = &runner.session
            && now.seconds_since(session.last_contact(now)) < lifetime
        {
            return Err(Refusal::session_conflict(&session.owner));
        }
        let id = identifier::guid();
        version.clone_into(&mut runner.version);
        runner.last_contact = Some(now);
        runner.session =
            Some(Session { id: id.clone(), owner: owner.to_owned(), last_contact: now, open_polls: 0 });
        Ok(id)
    }

    /// Ends the runner's session: it is offline at once, since it said goodbye.
    pub(crate) fn close_session(&mut self, runner_id: u64) {
        let now = self.now();
        let session = self.runners.get(&runner_id).and_then(|runner| runner.session.as_ref());
        if let Some(id) = session.map(|session| session.id.clone())
            && self.settings.offers_to_stopping_runners
            && !self.is_busy(runner_id)
        {
            // The message is under way while the runner says goodbye; nobody will read it.
            self.offer(runner_id, &id);
        }
        if let Some(runner) = self.runners.get_mut(&runner_id)
            && runner.session.take().is_some()
        {
            runner.last_contact = Some(now);
        }
    }

    /// Notes that a poll of this session began.
    pub(crate) fn begin_poll(&mut self, runner_id: u64, session_id: &str) -> Result<(), Refusal> {
        let session = self.session_mut(runner_id, session_id).ok_or_else(Refusal::session_invalid)?;
        session.open_polls += 1;
        Ok(())
    }

    /// Notes that a poll ended, with an answer or because the runner went away.
    pub(crate) fn end_poll(&mut self, runner_id: u64, session_id: &str) {
        let now = self.now();
        if let Some(session) = self.session_mut(runner_id, session_id) {
            session.open_polls = session.open_polls.saturating_sub(1);
            session.last_contact = now;
        }
    }

    /// Notes any other sign of life.
    pub(crate) fn note_contact(&mut self, runner_id: u64) {
        let now = self.now();
        if let Some(session) = self.runners.get_mut(&runner_id).and_then(|runner| runner.session.as_mut()) {
            session.last_contact = now;
        }
    }

    /// Refuses a version below the minimum.
    pub(crate) fn check_version(&self, version: &str) -> Result<(), Refusal> {
        match &self.settings.minimum_runner_version {
            Some(minimum) if numbers(version) < numbers(minimum) => Err(Refusal::version_too_old(version)),
            _ => Ok(()),
        }
    }

    fn session_mut(&mut self, runner_id: u64, session_id: &str) -> Option<&mut Session> {
        let session = self.runners.get_mut(&runner_id)?.session.as_mut()?;
        (session.id == session_id).then_some(session)
    }
}

/// A version's numbers, so that 2.99.0 is below 2.300.0.
fn numbers(version: &str) -> Vec<u32> {
    version.split('.').map(|part| part.parse().unwrap_or(0)).collect()
}
