//! The gap between two workflow jobs on one ephemeral runner: from the end of the one to the session of the next, both as GitHub's stand-in notes them; beside the same by
//! hand, a loop in a shell that asks for a JIT config and runs a bare container.

use std::time::Duration;

use homelab_runners_vm::product::REPOSITORY;
use homelab_runners_vm::ssh::quoted;
use homelab_runners_vm::{Result, poll};
use serde_json::{Value, json};

use crate::bare_podman;
use crate::fleet::{DIRECTORY, Fleet, LIMIT, microseconds, unexpected};
use crate::sample::median;
use crate::table::Row;

/// Their gaps are one less.
const WORKFLOW_JOBS: usize = 6;

/// Which only the runner that is measured has.
const LABEL: &str = "clean";

const CREDENTIAL: &str = "/etc/homelab-runners/github-credential";

/// What people do who have no manager: ask, run, again. The container is as small as it can be: no mount, no health check, no unit.
const BY_HAND: &str = r#"
for round in $(seq ROUNDS); do
  config=$(curl -sSf -X POST -H "Authorization: Bearer $(cat CREDENTIAL)" \
    -d "{\"name\": \"by-hand-$round-$RANDOM\", \"runner_group_id\": 1, \"labels\": [\"self-hosted\", \"LABEL\"]}" \
    http://github.localhost/api/v3/repos/acme/shop/actions/runners/generate-jitconfig | jq -r .encoded_jit_config)
  podman run --rm --name by-hand --user runner --entrypoint /home/runner/bin/Runner.Listener OPTIONS run --jitconfig "$config" || exit
done
"#;

/// All runners are stopped before. Afterwards runner 1 is ephemeral, and stopped.
pub(crate) fn measure(fleet: &Fleet) -> Result<Vec<Row>> {
    let guest = fleet.guest();
    let token = guest.simulator().personal_access_token(&["repo"])?;
    guest.write(CREDENTIAL, &token)?;
    let config = "/etc/homelab-runners/config.toml";
    guest.ok(&format!("chmod 600 {CREDENTIAL}"))?;
    guest.ok(&format!(
        "printf '\n[github]\ncredential = \"pat\"\n\n[runners.1]\nephemeral = true\nlabels = [\"{LABEL}\"]\n' >>{config}"
    ))?;
    let by_hand = script(bare_podman::runs(fleet)?.first().map(Vec::as_slice).unwrap_or_default())?;
    let path = format!("{DIRECTORY}/by-hand.sh");
    guest.write(&path, &by_hand)?;

    guest.ok_within(
        "runnerctl install-units 2>&1 && runnerctl down 2 3 4 2>&1 && runnerctl up 1 2>&1",
        LIMIT,
    )?;
    let ours = gaps(fleet)?;
    fleet.stop("runnerctl down")?;

    let log = format!("{DIRECTORY}/by-hand.log");
    guest.ok(&format!("systemd-run --quiet --unit=by-hand --property=StandardOutput=file:{log} --property=StandardError=file:{log} bash {path}"))?;
    let peer = gaps(fleet)?;
    fleet.stop("systemctl stop by-hand.service; podman rm --force --ignore by-hand")?;
    let row = Row::compared(
        "from one ephemeral workflow job to the next session",
        median(&ours),
        "by hand",
        median(&peer),
    );
    Ok(vec![row])
}

/// With the options of the same runner without which a container would not reach GitHub's stand-in.
fn script(run: &[String]) -> Result<String> {
    let is_needed = |word: &&String| word.starts_with("--add-host=") || word.starts_with("--network=host");
    let [.., image, _script] = run else { return Err(unexpected("no image in a service".to_owned())) };
    let options: Vec<String> = run.iter().filter(is_needed).chain([image]).map(|word| quoted(word)).collect();
    Ok(BY_HAND
        // One more than there is work for, as ours has.
        .replace("ROUNDS", &(WORKFLOW_JOBS + 1).to_string())
        .replace("CREDENTIAL", CREDENTIAL)
        .replace("LABEL", LABEL)
        .replace("OPTIONS", &options.join(" ")))
}

/// Queues the workflow jobs at once, waits for the last, and reads the gaps from the journal.
fn gaps(fleet: &Fleet) -> Result<Vec<Duration>> {
    let simulator = fleet.guest().simulator();
    let before = entries(&simulator.get("/journal")?).len();
    let mut ids = Vec::new();
    for number in 0..WORKFLOW_JOBS {
        let steps = json!([{ "name": "step", "run": "true" }]);
        let request =
            json!({ "url": REPOSITORY, "name": format!("gap-{number}"), "labels": [LABEL], "steps": steps });
        ids.extend(simulator.post("/workflow-jobs", &request)?.get("id").and_then(Value::as_u64));
    }
    for id in ids {
        poll(&format!("workflow job {id} is done"), LIMIT, || {
            let job = simulator.get(&format!("/workflow-jobs/{id}"))?;
            let is_done = job.get("status").and_then(Value::as_str) == Some("completed");
            Ok(if is_done { Ok(()) } else { Err(job.to_string()) })
        })?;
    }
    let pairs = pairs(entries(&simulator.get("/journal")?).get(before..).unwrap_or_default());
    if pairs.len() < WORKFLOW_JOBS - 1 {
        return Err(unexpected(format!("{} gaps between {WORKFLOW_JOBS} workflow jobs", pairs.len())));
    }
    let moment = |at: &str| microseconds(&fleet.guest().ok(&format!("date --date={at} +%s%6N"))?);
    let gap = |(end, session): &(String, String)| {
        Ok(Duration::from_micros(moment(session)?.saturating_sub(moment(end)?)))
    };
    pairs.iter().take(WORKFLOW_JOBS - 1).map(gap).collect()
}

fn entries(journal: &Value) -> Vec<Value> {
    journal.as_array().cloned().unwrap_or_default()
}

/// When each workflow job ended, and when the next session was given.
fn pairs(entries: &[Value]) -> Vec<(String, String)> {
    let mut ended: Option<String> = None;
    let mut pairs = Vec::new();
    for entry in entries {
        let text = |field: &str| entry.get(field).and_then(Value::as_str).unwrap_or_default();
        let is_well = entry.get("status").and_then(Value::as_u64).is_some_and(|status| status < 300);
        match (text("method"), text("path")) {
            ("POST", "/run-service/completejob") if is_well => ended = Some(text("at").to_owned()),
            ("POST", "/broker/session") if is_well => {
                pairs.extend(ended.take().map(|end| (end, text("at").to_owned())));
            }
            _ => {}
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{pairs, script};

    #[test]
    fn a_gap_goes_from_an_end_to_the_next_session_that_was_given() {
        let entry = |at: &str, path: &str, status: u16| json!({ "at": at, "method": "POST", "path": path, "status": status });
        let (end, session) = ("/run-service/completejob", "/broker/session");
        let journal = [
            entry("1", session, 200),
            entry("2", end, 200),
            entry("3", session, 409),
            entry("4", session, 200),
            entry("5", session, 200),
            entry("6", end, 204),
        ];
        assert_eq!(pairs(&journal), [("2".to_owned(), "4".to_owned())]);
    }

    #[test]
    fn by_hand_takes_no_more_than_the_network_and_the_image() {
        let words = ["run", "--rm", "--name=x", "--add-host=a:b", "--volume=c:d", "image", "/x.sh"]
            .map(str::to_owned);
        let script = script(&words).unwrap_or_default();
        assert!(script.contains("Runner.Listener '--add-host=a:b' 'image' run --jitconfig"), "{script}");
        assert!(script.contains("seq 7)") && script.contains("\\\"clean\\\""), "{script}");
    }
}
