//! Requirement "Parallel Workflow Execution".

use std::collections::BTreeSet;

use homelab_runners_vm::Guest;

use crate::bed::{Outcome, Scenario};
use crate::fleet::{Fleet, Way};
use crate::isolation::SAME_FILE;

pub(crate) const SCENARIOS: &[Scenario] =
    &[("four_parallel_workflows", four_parallel_workflows), ("queue_management", queue_management)];

/// All four have to be running at one moment, or none of them ends well.
fn four_parallel_workflows(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, Way::Quadlet)?;
    let ids =
        (0..4).map(|n| fleet.queue(&format!("parallel-{n}"), SAME_FILE)).collect::<Result<Vec<_>, _>>()?;
    let mut runners = BTreeSet::new();
    for id in ids {
        let job = fleet.wait_for(id, "completed")?;
        assert_eq!(job.text("conclusion"), "success", "{}", job.text("log"));
        runners.insert(job.text("runner_name").to_owned());
    }
    guest.ok("rm -rf /var/lib/homelab-runners/reports/meeting")?;
    assert_eq!(runners.len(), 4, "four different runners");
    Ok(())
}

/// Six workflow jobs: the first four run at once, the others wait, and start in the order in which they came.
fn queue_management(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, Way::Quadlet)?;
    let wait = |n: usize| format!("until [ -e /reports/go-{n} ]; do sleep 0.2; done");
    let ids = (0..6).map(|n| fleet.queue(&format!("queued-{n}"), &wait(n))).collect::<Result<Vec<_>, _>>()?;
    let (first, rest) = ids.split_at(4);
    for id in first {
        fleet.wait_for(*id, "in_progress")?;
    }
    for id in rest {
        assert_eq!(fleet.workflow_job(*id)?.text("status"), "queued");
    }
    let go = |n: usize| guest.ok(&format!("touch /var/lib/homelab-runners/reports/go-{n}"));
    // One runner is free: it takes the older of the two, and the younger goes on waiting.
    go(2)?;
    let (fifth, sixth) =
        (rest.first().copied().unwrap_or_default(), rest.last().copied().unwrap_or_default());
    fleet.wait_for(fifth, "in_progress")?;
    assert_eq!(fleet.workflow_job(sixth)?.text("status"), "queued");
    for n in [0, 1, 3, 4, 5] {
        go(n)?;
    }
    let mut started = Vec::new();
    for id in &ids {
        let job = fleet.wait_for(*id, "completed")?;
        assert_eq!(job.text("conclusion"), "success", "{}", job.text("log"));
        started.push(job.text("started_at").to_owned());
    }
    guest.ok("rm /var/lib/homelab-runners/reports/go-*")?;
    // Four runners take the first four at the same time, each in its own moment; who waits, waits in order.
    let (at_once, waited) = started.split_at(4);
    assert!(
        at_once.iter().all(|time| Some(time) < waited.first()) && waited.is_sorted(),
        "in queue order: {started:?}"
    );
    Ok(())
}
