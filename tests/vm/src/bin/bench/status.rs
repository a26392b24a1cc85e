//! `runnerctl status` beside `systemctl show` of the same units, while the fleet is up.

use std::time::Duration;

use homelab_runners_vm::Result;

use crate::fleet::{Fleet, LIMIT, microseconds};
use crate::sample::median;
use crate::table::Row;

/// Timed by the guest's own bash, which costs no process, and alternating. A line of microseconds for each run.
const SCRIPT: &str = r#"
took() {
  local start=${EPOCHREALTIME/[.,]/}
  "$@" >/dev/null || exit
  echo "$((${EPOCHREALTIME/[.,]/} - start))"
}
for _ in 1 2 3 4 5 6 7; do
  took runnerctl status
  took systemctl show homelab-runner@{1,2,3,4}.service
done
"#;

pub(crate) fn measure(fleet: &Fleet) -> Result<Vec<Row>> {
    let output = fleet.guest().ok_within(SCRIPT, LIMIT)?;
    let (mut ours, mut peer) = (Vec::new(), Vec::new());
    for (line, number) in output.lines().zip(0..) {
        let time = Duration::from_micros(microseconds(line)?);
        if number % 2 == 0 { ours.push(time) } else { peer.push(time) }
    }
    Ok(vec![Row::compared("runnerctl status", median(&ours), "systemctl show", median(&peer)).aim(2.0)])
}
