//! An ephemeral runner among three that stay: a registration and a container for each workflow job.

use homelab_runners_vm::{Guest, poll};
use serde_json::Value;

use crate::bed::{Outcome, Scenario};
use crate::fleet::{Fleet, NAMES, START_LIMIT, Way};

pub(crate) const SCENARIOS: &[Scenario] = &[(
    "each_workflow_job_of_an_ephemeral_runner_has_a_container_and_a_registration_of_its_own",
    a_container_and_a_registration_each,
)];

/// Runner 4 alone, which workflow jobs reach by a label that the others have not.
const EPHEMERAL: &str = "\n\n[runners.4]\nephemeral = true\nlabels = [\"homelab\", \"clean\"]";

/// Says when it begins and ends and in which container; finds whatever the last one left, and leaves the same: in the work folder, the tool cache, the home directory,
/// `/tmp` and the runner's engine.
const SCRIPT: &str = r#"
echo "begin=$(date +%s.%N) container=$(hostname)"
work=${GITHUB_WORKSPACE%/*/*}
for place in "$work" "$work/_tool" "$HOME" /tmp; do
  [ ! -e "$place/left" ] || echo "found $place/left"
  mkdir -p "$place" && touch "$place/left"
done
docker volume ls -q | sed 's/^/found volume /'
docker network ls --format '{{.Name}}' | grep left | sed 's/^/found network /'
docker ps --all --format '{{.Names}}' | sed 's/^/found container /'
docker images --format '{{.Repository}}' | grep left | sed 's/^/found image /'
docker volume create left >/dev/null
docker network create left >/dev/null
docker create --name left localhost/busybox:latest >/dev/null
docker tag localhost/busybox:latest localhost/left
docker images --format '{{.Repository}}' | grep -q left && echo "the search works"
echo "end=$(date +%s.%N)"
"#;

fn a_container_and_a_registration_each(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, Way::PodmanService)?;
    fleet.configure(EPHEMERAL)?;
    guest.ok_within("runnerctl install-units 2>&1", START_LIMIT)?;
    let first_name = online_as(guest)?;
    let status = fleet.runnerctl("status")?;
    assert!(status.code == 0 && status.stdout.contains("for one workflow job"), "{status}");
    // Both wait at once: the second is taken as soon as there is a runner for it.
    let [first, second] =
        ["first", "second"].map(|name| fleet.queue_for(name, &["self-hosted", "clean"], SCRIPT));
    let (first, second) = (fleet.wait_for(first?, "completed")?, fleet.wait_for(second?, "completed")?);
    for job in [&first, &second] {
        let log = job.text("log");
        assert_eq!(job.text("conclusion"), "success", "{log}");
        assert!(log.contains("the search works") && !log.contains("found "), "{log}");
    }
    assert_eq!(first.text("runner_name"), first_name);
    assert_ne!(second.text("runner_name"), first_name);
    let [first, second] = [first.text("log"), second.text("log")];
    assert_ne!(word(first, "container="), word(second, "container="));
    let gap = word(second, "begin=").parse::<f64>()? - word(first, "end=").parse::<f64>()?;
    eprint!(
        "(from the end of a workflow job to the begin of the next on the same ephemeral runner: {gap:.1} s) "
    );
    let third_name = online_as(guest)?;
    assert_eq!(guest.simulator().names()?.len(), 4, "GitHub has none of the runners that are through");

    let drain = fleet.runnerctl("drain 4")?;
    assert_eq!(drain.code, 0, "{drain}");
    assert!(!guest.simulator().names()?.contains(&third_name));
    let undrain = fleet.runnerctl("undrain 4")?;
    assert_eq!(undrain.code, 0, "{undrain}");
    online_as(guest)?;

    fleet.configure("")?;
    guest.ok_within("runnerctl install-units 2>&1", START_LIMIT)?;
    fleet.wait_online(&NAMES)?;
    assert_eq!(guest.simulator().names()?, NAMES, "nothing is left of the ephemeral ones");
    Ok(())
}

/// What runner 4 is called at GitHub, once it is online there.
fn online_as(guest: &Guest) -> Outcome<String> {
    let runners = poll("the ephemeral runner is online", START_LIMIT, || {
        let runners = guest.simulator().get("/runners")?;
        let found = runners.as_array().and_then(|runners| runners.iter().find(|runner| is_ephemeral(runner)));
        let name = found.and_then(|runner| runner.get("name")).and_then(Value::as_str).map(str::to_owned);
        Ok(name.ok_or_else(|| runners.to_string()))
    })?;
    Ok(runners)
}

fn is_ephemeral(runner: &Value) -> bool {
    let text = |key: &str| runner.get(key).and_then(Value::as_str).unwrap_or_default();
    text("status") == "online" && text("name").starts_with("homelab-runner-4-")
}

/// What stands behind `key`, up to the next blank.
fn word<'a>(log: &'a str, key: &str) -> &'a str {
    let rest = log.split_once(key).map_or("", |(_, rest)| rest);
    rest.split_whitespace().next().unwrap_or_default()
}
