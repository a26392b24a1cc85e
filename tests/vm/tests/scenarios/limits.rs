//! Requirement "Resource Limits".

use std::time::Duration;

use homelab_runners_vm::Guest;

use crate::bed::{Outcome, Scenario};
use crate::fleet::{Fleet, NAMES, START_LIMIT, Way};

pub(crate) const SCENARIOS: &[Scenario] = &[
    ("cpu_and_memory_limits", cpu_and_memory_limits),
    ("a_cpu_hog_is_held_at_its_quota", cpu_hog_is_held),
    ("a_memory_hog_is_killed_and_the_neighbours_go_on", memory_hog_is_killed),
];

fn cpu_and_memory_limits(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, Way::Quadlet)?;
    for number in 1..=4 {
        for unit in [format!("homelab-runner@{number}.service"), format!("homelab-runners-{number}.slice")] {
            let show = |property: &str| guest.ok(&format!("systemctl show --value -p {property} {unit}"));
            assert_eq!(show("CPUQuotaPerSecUSec")?, "1.500000s", "{unit}");
            assert_eq!(show("MemoryMax")?, (300 << 20).to_string(), "{unit}");
            assert_eq!(show("TasksMax")?, "512", "{unit}");
        }
        // The kernel has them too, in the group that the container lives in.
        let group = fleet.property(number, "ControlGroup")?;
        assert!(
            group.starts_with(&format!(
                "/homelab.slice/homelab-runners.slice/homelab-runners-{number}.slice/"
            ))
        );
        assert_eq!(guest.ok(&format!("cat /sys/fs/cgroup{group}/cpu.max"))?, "150000 100000");
        assert_eq!(guest.ok(&format!("cat /sys/fs/cgroup{group}/memory.max"))?, (300 << 20).to_string());
        let inside = guest.ok(&format!(
            "cat /proc/$(podman inspect -f '{{{{.State.Pid}}}}' homelab-runner-{number})/cgroup"
        ))?;
        assert!(inside.contains(&group), "{inside}");
    }
    Ok(())
}

/// Runner 4 gets half a core, and a workflow job that wants two.
fn cpu_hog_is_held(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, Way::Quadlet)?;
    guest.ok("systemctl set-property --runtime homelab-runners-4.slice CPUQuota=50%")?;
    guest.ok("systemctl stop homelab-runner@{1,2,3}.service")?;
    fleet.wait_online(&["homelab-runner-4"])?;
    let hog = "spin() { echo spinning > /reports/hog-$1; until [ -e /reports/hog-done ]; do :; done; }
        spin 1 & spin 2; wait";
    let job = fleet.queue("hog", hog)?;
    fleet.wait_for(job, "in_progress")?;
    let used = guest.ok(
        "usage() { sed -n 's/^usage_usec //p' /sys/fs/cgroup/homelab.slice/homelab-runners.slice/homelab-runners-4.slice/cpu.stat; }
        until [ -e /var/lib/homelab-runners/reports/hog-1 ] && [ -e /var/lib/homelab-runners/reports/hog-2 ]; do sleep 0.2; done
        before=$(usage) start=$(date +%s%N); sleep 10; after=$(usage) end=$(date +%s%N)
        echo $(( (after - before) * 100000 / (end - start) ))",
    )?;
    guest.ok("systemctl set-property --runtime homelab-runners-4.slice CPUQuota=150%")?;
    guest.ok("touch /var/lib/homelab-runners/reports/hog-done")?;
    fleet.wait_for(job, "completed")?;
    guest.ok("rm /var/lib/homelab-runners/reports/hog-*")?;
    guest.ok_within("runnerctl up 2>&1", START_LIMIT)?;
    fleet.wait_online(&NAMES)?;
    let percent: u32 = used.parse()?;
    assert!((35..=58).contains(&percent), "a hog with CPUQuota=50% used {percent}% of a core");
    Ok(())
}

fn memory_hog_is_killed(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, Way::Quadlet)?;
    let restarts: Vec<String> = (1..=4).map(|n| fleet.property(n, "NRestarts")).collect::<Result<_, _>>()?;
    let neighbour = fleet.queue(
        "neighbour",
        "for _ in $(seq 300); do [ -e /reports/hog-done ] && exit 0; sleep 0.2; done; exit 1",
    )?;
    fleet.wait_for(neighbour, "in_progress")?;
    // 400 MB where 300 are allowed; tail keeps all of a line without an end in memory.
    let hog = fleet.queue("hog", "head -c 400M /dev/zero | tail | wc -c; echo survived=$?")?;
    let hog = fleet.wait_for(hog, "completed")?;
    assert!(!hog.text("log").contains("419430400"), "the hog got all of its memory: {}", hog.text("log"));
    guest.ok("touch /var/lib/homelab-runners/reports/hog-done")?;
    let neighbour = fleet.wait_for(neighbour, "completed")?;
    guest.ok("rm /var/lib/homelab-runners/reports/hog-done")?;
    assert_eq!(neighbour.text("conclusion"), "success");
    assert_ne!(neighbour.text("runner_name"), hog.text("runner_name"));
    let kills = guest.ok(
        "cat /sys/fs/cgroup/homelab.slice/homelab-runners.slice/memory.events | sed -n 's/^oom_kill //p'",
    )?;
    assert_ne!(kills, "0", "the kernel killed nothing");
    let number = hog.text("runner_name").rsplit('-').next().unwrap_or_default().to_owned();
    guest.wait_until(
        "the monitor tells it",
        Duration::from_secs(60),
        &format!(
            "runnerctl events {number} | grep 'out of memory: the kernel killed .* its limit is 300M' \
             && curl -s --max-time 60 http://127.0.0.1:8090/metrics | grep '^homelab_runner_oom_kills_total{{number=\"{number}\",.* [1-9]'"
        ),
    )?;
    let now: Vec<String> = (1..=4).map(|n| fleet.property(n, "NRestarts")).collect::<Result<_, _>>()?;
    assert_eq!(now, restarts, "a runner went down with its workflow job");
    fleet.wait_online(&NAMES)?;
    guest.wait_until("no runner is busy", Duration::from_secs(60), "! pgrep -x Runner.Worker")?;
    Ok(())
}
