//! Workflows that try to get out: each try has a twin that must succeed, so that a probe that probes nothing fails.

use std::time::Duration;

use homelab_runners_vm::Guest;

use crate::bed::{Outcome, Scenario};
use crate::engine::on_two_runners;
use crate::fleet::{Fleet, NAMES, Way};

pub(crate) const SCENARIOS: &[Scenario] = &[
    ("a_workflow_cannot_read_another_runners_token_identity_or_work", cannot_read_others),
    ("a_workflow_cannot_reach_another_runners_engine_containers_or_network", cannot_reach_others),
    ("a_workflow_cannot_write_outside_work_and_reports", cannot_write_outside),
    ("a_workflow_cannot_become_root_on_the_host", cannot_become_root),
    ("a_workflow_cannot_reach_the_hosts_bus", cannot_reach_the_bus),
    ("a_hog_in_a_job_container_is_killed_at_the_runners_memory_limit", memory_hog),
    ("a_cpu_hog_in_a_job_container_is_held_at_the_runners_quota", cpu_hog),
    ("a_fork_bomb_in_a_workflow_stops_at_the_runners_task_limit", fork_bomb),
];

/// A container with all that can be asked for; the script is the file `probe.sh` of the workspace.
const WIDE_OPEN: &str = r#"
wide_open() {
    docker run --rm --privileged --pid=host --network=host --ipc=host --uts=host --security-opt seccomp=unconfined \
        -v /:/host -v /proc:/host_proc -v "$GITHUB_WORKSPACE:/w" localhost/busybox:latest sh /w/probe.sh
}
"#;

const READ: &str = r#"
me=${RUNNER_NAME##*-}
show() { # FILE: its secret, if it can be read
    sudo cat "$1" 2>/dev/null || true
}
show "/var/lib/homelab-runners/$me/work/canary"
for n in 1 2 3 4; do
    for file in identity/canary work/canary; do show "/var/lib/homelab-runners/$n/$file"; done
    show "/run/homelab-runners/$n/token/canary"
done
show /etc/homelab-runners/canary
sudo bash -c 'cat /proc/[0-9]*/environ | tr "\0" "\n" | grep CANARY' || true
cat > probe.sh <<'END'
for root in /host /proc/[0-9]*/root /host_proc/[0-9]*/root; do
    for n in 1 2 3 4; do
        cat $root/var/lib/homelab-runners/$n/identity/canary $root/var/lib/homelab-runners/$n/work/canary \
            $root/run/homelab-runners/$n/token/canary
    done
    cat $root/etc/homelab-runners/canary $root/root/canary
done 2>/dev/null
cat /proc/[0-9]*/environ /host_proc/[0-9]*/environ 2>/dev/null | tr '\0' '\n' | grep CANARY
echo "probe done"
END
wide_open
for n in 1 2 3 4; do
    [ "$n" = "$me" ] && continue
    for directory in "/var/lib/homelab-runners/$n/identity" "/var/lib/homelab-runners/$n/work" "/run/homelab-runners/$n/token" /etc/homelab-runners; do
        docker run --rm -v "$directory:/x" localhost/busybox:latest cat /x/canary 2>/dev/null || true
    done
    break
done
rm probe.sh
"#;

fn cannot_read_others(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, Way::Quadlet)?;
    guest.ok(
        "for n in 1 2 3 4; do
            for place in identity work; do echo \"secret=$place-of-$n\" > /var/lib/homelab-runners/$n/$place/canary; done
            echo \"secret=token-of-$n\" > /run/homelab-runners/$n/token/canary
        done
        echo secret=of-the-host | tee /root/canary > /etc/homelab-runners/canary; chmod 600 /etc/homelab-runners/canary
        systemd-run -q --unit=canary --setenv=CANARY=secret=environment-of-the-host sleep infinity",
    )?;
    let job = fleet.succeed("read", &format!("{WIDE_OPEN}{READ}"))?;
    guest.ok(
        "systemctl stop canary; rm /root/canary /etc/homelab-runners/canary /run/homelab-runners/*/token/canary /var/lib/homelab-runners/*/{identity,work}/canary",
    )?;
    let log = job.text("log");
    let me = job.text("runner_name").rsplit('-').next().unwrap_or_default();
    let own = format!("secret=work-of-{me}");
    // By the workflow itself, and from a container through /.
    assert!(log.matches(&own).count() >= 2 && log.contains("probe done"), "{log}");
    let foreign: Vec<&str> =
        log.lines().filter(|line| line.contains("secret=") && !line.contains(&own)).collect();
    assert!(foreign.is_empty(), "{foreign:?}");
    Ok(())
}

/// Each asks at its own address, which answers, and at the other's.
const REACH: &str = r#"
other=$(ls /reports/meeting | grep ^homelab | grep -vx "$RUNNER_NAME")
for address in $(cat "/reports/meeting/$RUNNER_NAME"); do echo "at my address: $(ask "$address")"; done
for address in $(cat "/reports/meeting/$other"); do echo "at the other's: $(ask "$address")"; done
docker run --rm localhost/busybox:latest nc -w 5 "$(cut -d' ' -f1 "/reports/meeting/$other")" 5432 || true
echo "containers: $(docker ps --all --format '{{.Names}}' | tr '\n' ' ')"
number=${other##*-}
if sudo ls "/run/homelab-runners/$number/engine/docker.sock" "/run/homelab-runner-engine-$number" 2>/dev/null; then echo "sees the other's socket"; fi
if docker run --rm -v "/run/homelab-runners/$number/engine:/x" localhost/busybox:latest ls /x/docker.sock 2>/dev/null; then echo "sees the other's socket"; fi
"#;

fn cannot_reach_others(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, Way::Quadlet)?;
    let logs = on_two_runners(&fleet, REACH)?;
    let names: Vec<&String> = logs.iter().map(|(name, _)| name).collect();
    for (runner, log) in &logs {
        assert!(log.contains(&format!("at my address: I serve {runner}")), "{log}");
        assert!(log.contains("at the other's: "), "{log}");
        assert!(log.contains("containers: db \n") || log.contains("containers: db\n"), "{log}");
        for other in names.iter().filter(|name| **name != runner) {
            assert!(!log.contains(&format!("I serve {other}")), "{log}");
        }
        assert!(
            !log.lines()
                .any(|line| line.ends_with(" sees the other's socket") || line == "sees the other's socket"),
            "{log}"
        );
    }
    Ok(())
}

const WRITE: &str = r#"
cat > probe.sh <<'END'
cd /host
for directory in . etc usr usr/bin root run var var/lib var/lib/homelab-runners var/lib/homelab-runners/images run/homelab-runner-images \
    home/runner/externals sys/fs/cgroup proc/sys/kernel dev; do
    echo x > /host/$directory/breach
done 2>/dev/null
echo x > /w/breach
echo x > /host/reports/breach
echo '|/breach' > /proc/sys/kernel/core_pattern
echo 1 > /proc/sys/kernel/sysrq
for file in $(find /sys/fs/cgroup /host/sys/fs/cgroup -name memory.max -o -name pids.max 2>/dev/null); do echo max > $file; done 2>/dev/null
mkdir /tmp/c; mount -t cgroup -o rdma cgroup /tmp/c && echo 1 > /tmp/c/notify_on_release && echo /breach > /tmp/c/release_agent
mknod /tmp/disk b 259 0 && head -c 1 /tmp/disk >/dev/null && echo "reads the disk"
for disk in /dev/nvme0n1 /host/dev/nvme0n1; do head -c 1 $disk >/dev/null && echo "reads the disk"; done
true
END
wide_open 2>/dev/null
for directory in /etc /usr /root /var/lib/homelab-runners/images; do
    docker run --rm -v "$directory:/x" localhost/busybox:latest sh -c 'echo x > /x/breach' 2>/dev/null || true
done
sudo bash -c 'echo x > /run/homelab-runner/scripts/breach; echo x > /home/runner/externals/breach-of-the-runners-own' 2>/dev/null || true
rm probe.sh
"#;

fn cannot_write_outside(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, Way::Quadlet)?;
    let kernel = "cat /proc/sys/kernel/core_pattern /proc/sys/kernel/sysrq; cat /sys/fs/cgroup/homelab.slice/homelab-runners.slice/homelab-runners-?.slice/{memory,pids}.max";
    let before = guest.ok(kernel)?;
    let job = fleet.succeed("write", &format!("{WIDE_OPEN}{WRITE}"))?;
    assert_eq!(guest.ok(kernel)?, before);
    assert!(!job.text("log").lines().any(|line| line.ends_with("reads the disk")), "{}", job.text("log"));
    let found = guest.ok("find / -xdev -path /var/lib/containers -prune -o -name breach -print
        find /run /dev -path '/run/homelab-runners/*/reports' -prune -o -name breach -print")?;
    // What it wrote into its workspace, the completed hook has removed.
    assert_eq!(found.trim(), "/var/lib/homelab-runners/reports/breach", "{}", job.text("log"));
    guest.ok("find /var/lib/homelab-runners -name breach -delete")?;
    Ok(())
}

/// Programs that take their owner's rights, left where the host and other runners can start them.
const SETUID: &str = r"
docker run --rm -v /reports:/r localhost/busybox:latest sh -c 'cp /bin/busybox /r/setuid-container; chown 0:0 /r/setuid-container; chmod 6755 /r/setuid-container'
sudo install -o root -g root -m 6755 /bin/bash /reports/setuid-sudo
";

fn cannot_become_root(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, Way::Quadlet)?;
    fleet.succeed("setuid", SETUID)?;
    let said = guest.ok(
        "cd /var/lib/homelab-runners/reports; stat -c '%a %u %g' setuid-*; setpriv --reuid 65534 --regid 65534 --clear-groups ./setuid-sudo -pc 'echo 6755 $EUID $EUID'",
    )?;
    guest.ok("rm /var/lib/homelab-runners/reports/setuid-*")?;
    assert_eq!(said.lines().count(), 3, "{said}");
    for line in said.lines() {
        let ids: Vec<u32> = line.split(' ').skip(1).map(str::parse).collect::<Result<_, _>>()?;
        assert!(line.starts_with("6755 ") && ids.iter().all(|id| *id >= 0x7000_0000), "{said}");
    }
    Ok(())
}

const BUS: &str = r#"
sockets="run/dbus/system_bus_socket run/systemd/private run/systemd/journal/socket run/podman/podman.sock run/systemd/notify"
for socket in $sockets; do [ ! -S "/$socket" ] || echo "found=$socket"; done
cat > probe.sh <<END
for root in /host /proc/[0-9]*/root; do for socket in $sockets run/docker.sock; do [ ! -S \$root/\$socket ] || echo found=\$socket; done; done
END
wide_open
rm probe.sh
"#;

fn cannot_reach_the_bus(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, Way::Quadlet)?;
    let job = fleet.succeed("bus", &format!("{WIDE_OPEN}{BUS}"))?;
    let log = job.text("log");
    assert!(log.lines().any(|line| line.ends_with("found=run/docker.sock")), "{log}");
    let others: Vec<&str> = log
        .lines()
        .filter(|line| line.contains("found=run/") && !line.ends_with("run/docker.sock"))
        .collect();
    assert!(others.is_empty(), "{others:?}");
    Ok(())
}

fn memory_hog(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, Way::Quadlet)?;
    let kills = "sed -n 's/^oom_kill //p' /sys/fs/cgroup/homelab.slice/homelab-runners.slice/memory.events";
    let before: u64 = guest.ok(kills)?.parse()?;
    let script = "docker run --rm localhost/busybox:latest sh -c 'dd if=/dev/zero of=/dev/null bs=500M count=1 && echo \"all of it\"'; echo ended=$?";
    let hog = fleet.wait_for(fleet.queue("hog", script)?, "completed")?;
    assert!(!hog.text("log").contains("all of it"), "the hog got all of its memory: {}", hog.text("log"));
    assert!(guest.ok(kills)?.parse::<u64>()? > before, "the kernel killed nothing");
    fleet.wait_online(&NAMES)?;
    // The runner goes on with the next workflow job.
    fleet.succeed("after", "docker run --rm localhost/busybox:latest true")?;
    Ok(())
}

fn cpu_hog(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, Way::Quadlet)?;
    guest.ok(
        "for n in 1 2 3 4; do systemctl set-property --runtime homelab-runners-$n.slice CPUQuota=50%; done",
    )?;
    let script = "docker run --rm -v /reports:/r localhost/busybox:latest sh -c \
        'spin() { echo > /r/hog-$1; until [ -e /r/hog-done ]; do :; done; }; spin 1 & spin 2; wait'";
    let job = fleet.queue("hog", script)?;
    let name = fleet.wait_for(job, "in_progress")?.text("runner_name").to_owned();
    let number = name.rsplit('-').next().unwrap_or_default();
    let used = guest.ok(&format!(
        "usage() {{ sed -n 's/^usage_usec //p' /sys/fs/cgroup/homelab.slice/homelab-runners.slice/homelab-runners-{number}.slice/cpu.stat; }}
        until [ -e /var/lib/homelab-runners/reports/hog-1 ] && [ -e /var/lib/homelab-runners/reports/hog-2 ]; do sleep 0.2; done
        before=$(usage) start=$(date +%s%N); sleep 6; after=$(usage) end=$(date +%s%N)
        echo $(( (after - before) * 100000 / (end - start) ))"
    ));
    guest.ok("touch /var/lib/homelab-runners/reports/hog-done; for n in 1 2 3 4; do systemctl set-property --runtime homelab-runners-$n.slice CPUQuota=150%; done")?;
    fleet.wait_for(job, "completed")?;
    guest.ok("rm /var/lib/homelab-runners/reports/hog-*")?;
    let percent: u32 = used?.parse()?;
    assert!((30..=60).contains(&percent), "a hog with CPUQuota=50% used {percent}% of a core");
    Ok(())
}

fn fork_bomb(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, Way::Quadlet)?;
    let script =
        "docker run --rm localhost/busybox:latest sh -c 'while sleep 20 & do :; done'; echo ended=$?";
    let job = fleet.queue("bomb", script)?;
    let name = fleet.wait_for(job, "in_progress")?.text("runner_name").to_owned();
    let number = name.rsplit('-').next().unwrap_or_default();
    let slice = format!("/sys/fs/cgroup/homelab.slice/homelab-runners.slice/homelab-runners-{number}.slice");
    guest.wait_until(
        "the kernel refused a task",
        Duration::from_secs(90),
        &format!("cat {slice}/pids.events; grep -qE 'max [1-9]' {slice}/pids.events"),
    )?;
    assert!(guest.ok(&format!("cat {slice}/pids.peak"))?.parse::<u32>()? <= 512);
    fleet.wait_for(job, "completed")?;
    fleet.wait_online(&NAMES)?;
    fleet.succeed("after", "docker run --rm localhost/busybox:latest true")?;
    Ok(())
}
