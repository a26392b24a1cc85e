//! Workflow jobs that time or an absent runner ends.

use super::ledger::Ledger;
use super::workflow_job::Stage;

/// A workflow job that its runner does not renew is given up after this time.
const RENEWAL_SECONDS: i64 = 600;
/// A workflow job that finds no runner fails after a day.
const QUEUE_SECONDS: i64 = 24 * 3600;

const LOST_RUNNER: &str = "##[error]The self-hosted runner lost communication with the server. Verify the machine is \
     running and has a healthy network connection.\n";

impl Ledger {
    /// A runner that is idle in a new session cannot be running what it acquired in an old one.
    pub(crate) fn give_up_work_of_earlier_sessions(&mut self, runner_id: u64, session_id: &str) {
        let now = self.now();
        for workflow_job in self.workflow_jobs.values_mut() {
            if let Stage::InProgress { runner_id: holder, session_id: earlier, .. } = &workflow_job.stage
                && *holder == runner_id
                && earlier != session_id
            {
                workflow_job.log.push_str(LOST_RUNNER);
                workflow_job.complete("failure", now);
            }
        }
    }

    /// Ends or takes back what has waited for too long.
    pub(crate) fn give_up_late_workflow_jobs(&mut self) {
        let now = self.now();
        for workflow_job in self.workflow_jobs.values_mut() {
            match &workflow_job.stage {
                Stage::Offered { until, .. } if *until <= now => workflow_job.requeue(),
                Stage::InProgress { renewed_at, .. } if now.seconds_since(*renewed_at) >= RENEWAL_SECONDS => {
                    workflow_job.log.push_str(LOST_RUNNER);
                    workflow_job.complete("failure", now);
                }
                Stage::Queued if now.seconds_since(workflow_job.created_at) >= QUEUE_SECONDS => {
                    workflow_job.complete("failure", now);
                }
                _ => {}
            }
        }
    }
}
