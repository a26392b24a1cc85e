//! Disk space: budgets, and the floor below which a runner takes no workflow job.

use std::time::Duration;

use homelab_runners_vm::Guest;

use crate::bed::{Outcome, Scenario};
use crate::fleet::{Fleet, NAMES, START_LIMIT, Way};

pub(crate) const SCENARIOS: &[Scenario] = &[
    ("idle_runners_are_pruned_to_their_budgets_by_the_timers_unit", budgets),
    ("below_the_floor_of_free_disk_an_idle_runner_ends_and_says_so", floor),
];

/// Goes over the budget itself, and ends when it is told to.
const BUSY_WORKFLOW: &str = r"
head -c 2000000 /dev/urandom > kept
touch /reports/too-much
while ! [ -e /reports/go-on ]; do sleep 0.2; done
test -e kept
";

/// Fills the work folder beside the workspace, which is emptied, and the storage of the private engine by an image of its own.
const FILLING_WORKFLOW: &str = r"
cd ..
head -c 4000000 /dev/urandom > artifact
printf 'FROM localhost/busybox:latest\nCOPY artifact /artifact\n' > Dockerfile
docker build -q -t localhost/large:1 .
";

fn budgets(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, Way::Quadlet)?;
    // First, so that what is to go is filled in by another runner.
    let busy = fleet.queue("busy", BUSY_WORKFLOW)?;
    fleet.wait_for(busy, "in_progress")?;
    guest.wait_until(
        "the busy runner holds too much",
        Duration::from_secs(60),
        "test -e /var/lib/homelab-runners/reports/too-much",
    )?;
    let pruned = fill_and_prune(&fleet);
    // Whatever came of it: no other scenario can use a runner that stays busy.
    guest.ok("touch /var/lib/homelab-runners/reports/go-on")?;
    let workflow_job = fleet.wait_for(busy, "completed")?;
    guest.ok("rm /var/lib/homelab-runners/reports/go-on /var/lib/homelab-runners/reports/too-much")?;
    fleet.configure("")?;
    guest.ok_within("runnerctl install-units 2>&1", START_LIMIT)?;
    fleet.wait_online(&NAMES)?;
    let Pruned { said, before, after } = pruned?;
    for wanted in
        ["image localhost/large:1", "(work_max)", "(images_max)", "runs a workflow job: it is left alone"]
    {
        assert!(said.contains(wanted), "{wanted}: {said}");
    }
    assert!(before - after > 6000, "{before} -> {after}: {said}");
    assert_eq!(workflow_job.text("conclusion"), "success", "{}", workflow_job.text("log"));
    Ok(())
}

/// What the timer's unit said, and the kilobytes on the disk before and after it.
struct Pruned {
    said: String,
    before: u64,
    after: u64,
}

fn fill_and_prune(fleet: &Fleet<'_>) -> Outcome<Pruned> {
    let guest = fleet.guest;
    fleet.succeed("filling", FILLING_WORKFLOW)?;
    let kilobytes = || -> Outcome<u64> {
        let sum = "du -s /var/lib/homelab-runners/*/engine/storage /var/lib/homelab-runners/*/work | awk '{ sum += $1 } END { print sum }'";
        Ok(guest.ok(sum)?.parse()?)
    };
    let before = kilobytes()?;
    fleet.configure("\n\n[prune]\nwork_max = \"1M\"\nimages_max = \"1M\"")?;
    // As the timer does, with all that the unit forbids.
    guest.ok("systemctl start homelab-runners-prune.service")?;
    let said = guest.ok("journalctl -u homelab-runners-prune.service -o cat --no-pager -n 20")?;
    Ok(Pruned { said, before, after: kilobytes()? })
}

fn floor(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, Way::Quadlet)?;
    let free: u64 = guest.ok("df --output=avail -BM / | tail -n 1 | tr -dc 0-9")?.parse()?;
    fleet.configure(&format!("\n\n[prune]\nfree_disk_min = \"{}M\"", free - 300))?;
    guest.ok_within("runnerctl install-units 2>&1", START_LIMIT)?;
    fleet.wait_online(&NAMES)?;
    guest.ok("fallocate -l 600M /var/lib/filler")?;
    guest.wait_until(
        "status says why the runners wait",
        Duration::from_secs(120),
        "runnerctl status 2>&1 | grep 'homelab-runner-1: no space: '",
    )?;
    guest.ok("rm /var/lib/filler")?;
    fleet.wait_online(&NAMES)?;
    fleet.configure("")?;
    guest.ok_within("runnerctl install-units 2>&1", START_LIMIT)?;
    fleet.wait_online(&NAMES).map_err(Into::into)
}
