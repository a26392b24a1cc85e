//! What a private engine costs beside the host's socket: the start of a runner, one container, memory, disk.

use std::time::Duration;

use homelab_runners_vm::Result;

use crate::fleet::{Fleet, LIMIT, microseconds};
use crate::restart;
use crate::sample::median;
use crate::table::{Row, time};

/// Docker's own client on both sides, timed by the guest's bash and alternating. The first use, which starts the engine, is a line of its own.
const RUNS: &str = r#"
run() {
  local start=${EPOCHREALTIME/[.,]/}
  docker --host "unix://$1" run --rm localhost/busybox:latest true >/dev/null 2>&1 || exit
  echo "$((${EPOCHREALTIME/[.,]/} - start))"
}
systemctl start podman.socket
run /run/podman/podman.sock >/dev/null
run /run/homelab-runners/1/engine/docker.sock
for _ in 1 2 3 4 5; do
  run /run/homelab-runners/1/engine/docker.sock
  run /run/podman/podman.sock
done
"#;

/// Bytes of memory that the engine's service holds; 0 while it does not run.
const MEMORY: &str = "for n in 1 2; do
  systemctl is-active -q homelab-runner-engine@$n.service && systemctl show -P MemoryCurrent homelab-runner-engine@$n.service || echo 0
done";

/// Kilobytes of all engines' storage: with an image that all of them share, and when each has loaded it for itself.
const DISK: &str = r#"
engines() { du -s /var/lib/homelab-runners/*/engine | awk '{ sum += $1 } END { print sum }'; }
for n in 1 2 3 4; do docker --host unix:///run/homelab-runners/$n/engine/docker.sock run --rm localhost/busybox:latest true || exit; done
echo "$(($(engines) + $(du -s /var/lib/homelab-runners/images | cut -f1)))"
podman save -q localhost/busybox:latest >/var/tmp/image.tar
podman --root /var/lib/homelab-runners/images rmi --force localhost/busybox:latest >/dev/null
for n in 1 2 3 4; do docker --host unix:///run/homelab-runners/$n/engine/docker.sock load -q <"/var/tmp/image.tar" >/dev/null || exit; done
engines
"#;

/// The fleet is up with the host's socket before, and with private engines afterwards. `host_restart` is the median of the former.
pub(crate) fn measure(fleet: &Fleet, host_restart: Duration) -> Result<Vec<Row>> {
    let guest = fleet.guest();
    guest.ok("sed -i 's/^socket = .*/socket = \"private\"/' /etc/homelab-runners/config.toml")?;
    guest.ok_within("runnerctl install-units 2>&1", LIMIT)?;
    guest.ok(
        "podman save -q localhost/busybox:latest | podman --root /var/lib/homelab-runners/images load -q",
    )?;
    let restart = median(&restart::samples(fleet)?);
    let output = guest.ok_within(RUNS, LIMIT)?;
    let times: Vec<Duration> =
        output.lines().map(|line| Ok(Duration::from_micros(microseconds(line)?))).collect::<Result<_>>()?;
    let (first, rest) = times.split_first().map_or((Duration::ZERO, &[][..]), |(first, rest)| (*first, rest));
    let every_second = |from: usize| median(&rest.iter().skip(from).step_by(2).copied().collect::<Vec<_>>());
    let memory = guest.ok(MEMORY)?;
    let (used, unused) = memory.split_once('\n').unwrap_or((&memory, "?"));
    let disk = guest.ok_within(DISK, LIMIT)?;
    let (shared, separate) = (number(disk.lines().next())?, number(disk.lines().last())?);
    Ok(vec![
        Row::compared("restart with a private engine, online again", restart, "host socket", host_restart),
        Row::new("docker run that starts the private engine", time(first)),
        Row::compared("docker run in a private engine", every_second(0), "host's Podman", every_second(1)),
        Row::new("memory of a private engine, idle after use", format!("{} KiB", number(Some(used))? / 1024))
            .without_peer(format!("before its first use {unused}")),
        Row::new("disk of one image for four engines, shared", format!("{shared} KiB"))
            .beside(format!("each its own {separate} KiB"), ratio(shared, separate)),
    ])
}

fn number(text: Option<&str>) -> Result<u64> {
    microseconds(text.unwrap_or_default())
}

#[expect(clippy::cast_precision_loss, reason = "kilobytes of a guest's disk")]
fn ratio(ours: u64, peer: u64) -> f64 {
    ours as f64 / peer as f64
}
