//! Requirements "Runner Isolation" and "Shared Report Volume".

use std::collections::BTreeSet;

use homelab_runners_vm::Guest;
use serde_json::Value;

use crate::bed::{Outcome, Scenario};
use crate::fleet::{Fleet, NAMES, START_LIMIT, Way, WorkflowJob};

pub(crate) const SCENARIOS: &[Scenario] = &[
    ("separate_work_directories", separate_work_directories),
    ("docker_in_docker_support", docker_in_docker_support),
    ("report_output", report_output),
];

/// Four workflow jobs at once write a file of one name and read it back when all four have written theirs.
pub(crate) const SAME_FILE: &str = r#"
echo "$RUNNER_NAME" > same-name.txt
mkdir -p /reports/meeting && touch "/reports/meeting/$RUNNER_NAME"
for _ in $(seq 600); do [ "$(ls /reports/meeting | wc -l)" -ge 4 ] && break; sleep 0.2; done
[ "$(ls /reports/meeting | wc -l)" = 4 ] || { echo "the others never came"; exit 1; }
[ "$(cat same-name.txt)" = "$RUNNER_NAME" ] || { echo "another workflow wrote here"; exit 1; }
echo "workspace=$GITHUB_WORKSPACE"
"#;

fn separate_work_directories(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, Way::Quadlet)?;
    let ids = (0..4).map(|n| fleet.queue(&format!("same-{n}"), SAME_FILE)).collect::<Result<Vec<_>, _>>()?;
    let mut workspaces = BTreeSet::new();
    for id in ids {
        let job = fleet.wait_for(id, "completed")?;
        assert_eq!(job.text("conclusion"), "success", "{}", job.text("log"));
        let log = job.text("log").to_owned();
        let workspace =
            log.lines().find_map(|line| line.split_once("workspace=")).map(|(_, path)| path.to_owned());
        workspaces.insert(workspace.ok_or("the workflow job told no workspace")?);
    }
    guest.ok("rm -rf /var/lib/homelab-runners/reports/meeting")?;
    let expected: BTreeSet<String> =
        (1..=4).map(|n| format!("/var/lib/homelab-runners/{n}/work/shop/shop")).collect();
    assert_eq!(workspaces, expected);
    for number in 1..=4 {
        assert_eq!(guest.ok(&format!("ls -A /var/lib/homelab-runners/{number}/work/shop/shop"))?, "");
    }
    Ok(())
}

/// Builds an image and runs it, with the docker CLI of the runner's image and the socket where workflows expect it. The work folder has the
/// same path on the host, so a bind mount of the workspace resolves.
pub(crate) const CONTAINER_WORKFLOW: &str = r#"
docker version --format '{{.Server.Version}}'
mkdir -p image && printf 'FROM localhost/busybox:latest\nCOPY greeting /greeting\n' > image/Dockerfile
echo "hello from the workspace" > image/greeting
docker build -q -t localhost/greeter:latest image
docker run --rm localhost/greeter:latest cat /greeting
docker run --rm -v "$GITHUB_WORKSPACE:/src" localhost/busybox:latest cat /src/image/greeting
docker rmi localhost/greeter:latest >/dev/null
"#;

fn docker_in_docker_support(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, Way::Quadlet)?;
    let job = fleet.succeed("containers", CONTAINER_WORKFLOW)?;
    assert_eq!(job.text("log").matches("hello from the workspace").count(), 2, "{}", job.text("log"));
    Ok(())
}

/// What Playwright's reporters do: they write to where their own variables say, and know nothing of this fleet.
pub(crate) const REPORT_WORKFLOW: &str = r#"
mkdir -p "$PLAYWRIGHT_HTML_OUTPUT_DIR/data" && touch left-behind
echo screenshot > "$PLAYWRIGHT_HTML_OUTPUT_DIR/data/0001.png"
echo '<!doctype html><title>report</title><template></template>' > "$PLAYWRIGHT_HTML_OUTPUT_DIR/index.html"
echo '{"stats": {"duration": 5, "expected": 1, "skipped": 0, "unexpected": 0, "flaky": 0}}' > "$PLAYWRIGHT_JSON_OUTPUT_FILE"
"#;

/// The report of [`REPORT_WORKFLOW`] is where it belongs, labelled and linked, and nothing else is left. Takes it away.
pub(crate) fn is_filed(guest: &Guest, job: &WorkflowJob) -> Outcome {
    let (run_id, runner) = (job.run_id(), job.text("runner_name"));
    let run = format!("/var/lib/homelab-runners/reports/ci/{run_id}");
    let name = guest.ok(&format!("ls {run}"))?;
    assert!(name.starts_with(&format!("1-e2e-{runner}-")) && !name.contains('\n'), "{name}");
    // A report server is somebody else on the host: it reads the files and follows the structure.
    let nobody = format!("cd {run}/{name} && setpriv --reuid 65534 --regid 65534 --clear-groups");
    let files = guest.ok(&format!("{nobody} find . -type f | sort"))?;
    let expected = [
        "./.runnerctl/finished.json",
        "./.runnerctl/started.json",
        "./html/data/0001.png",
        "./html/index.html",
        "./results.json",
    ];
    assert_eq!(files.lines().collect::<Vec<_>>(), expected);
    assert!(guest.ok(&format!("{nobody} cat html/index.html"))?.contains("<title>report</title>"));
    let label: Value = serde_json::from_str(&guest.ok(&format!("{nobody} cat .runnerctl/started.json"))?)?;
    let text = |field: &str| label.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    assert_eq!((text("workflow"), text("workflow_job")), ("ci".to_owned(), "e2e".to_owned()));
    assert_eq!((text("runner").as_str(), text("repository").as_str()), (runner, "acme/shop"));
    let link = format!("[Report](http://127.0.0.1:8089/r/ci/{run_id}/{name}/html/)\n");
    assert_eq!(job.text("summary"), link);
    let number = runner.rsplit('-').next().unwrap_or_default();
    assert_eq!(guest.ok(&format!("ls -A /var/lib/homelab-runners/{number}/work/shop/shop"))?, "");
    guest.ok("rm -r /var/lib/homelab-runners/reports/ci")?;
    Ok(())
}

/// All four runners have one of these at a time; `own-hook.sh` is the hook of runner 2's own.
const MEETING: &str = r#"
mkdir -p /reports/meeting && touch "/reports/meeting/$RUNNER_NAME" left-behind
for _ in $(seq 600); do [ "$(ls /reports/meeting | wc -l)" -ge 4 ] && exit; sleep 0.2; done
exit 1
"#;

const OWN_HOOK: &str = "echo \"own hook: $(ls) $ACTIONS_RUNNER_HOOK_JOB_COMPLETED\"\n";

fn report_output(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, Way::Quadlet)?;
    is_filed(guest, &fleet.succeed("e2e", REPORT_WORKFLOW)?)?;
    guest.write("/var/lib/homelab-runners/reports/own-hook.sh", OWN_HOOK)?;
    fleet.configure(
        "\n\n[runners.2.environment]\nACTIONS_RUNNER_HOOK_JOB_COMPLETED = \"/reports/own-hook.sh\"",
    )?;
    guest.ok_within("runnerctl install-units 2>&1", START_LIMIT)?;
    fleet.wait_online(&NAMES)?;
    let ids = (0..4).map(|n| fleet.queue(&format!("meeting-{n}"), MEETING)).collect::<Result<Vec<_>, _>>()?;
    let jobs = ids.into_iter().map(|id| fleet.wait_for(id, "completed")).collect::<Result<Vec<_>, _>>();
    fleet.configure("")?;
    guest.ok_within("runnerctl install-units 2>&1", START_LIMIT)?;
    fleet.wait_online(&NAMES)?;
    guest
        .ok("rm -r /var/lib/homelab-runners/reports/meeting /var/lib/homelab-runners/reports/own-hook.sh")?;
    for job in jobs? {
        let log = job.text("log");
        assert_eq!(job.text("conclusion"), "success", "{log}");
        // Its workspace is still there, then it is not.
        let said = "own hook: left-behind /reports/own-hook.sh";
        assert_eq!(log.contains(said), job.text("runner_name") == "homelab-runner-2", "{log}");
    }
    // Workflow jobs without a report leave none.
    assert_eq!(guest.ok("ls /var/lib/homelab-runners/reports")?, "");
    Ok(())
}
