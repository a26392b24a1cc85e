//! Requirements "Runner Isolation" and "Shared Report Volume".

use std::collections::BTreeSet;

use homelab_runners_vm::Guest;

use crate::bed::{Outcome, Scenario};
use crate::fleet::{Fleet, Way};

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
        let text =
            guest.ok(&format!("cat /var/lib/homelab-runners/{number}/work/shop/shop/same-name.txt"))?;
        assert_eq!(text, format!("homelab-runner-{number}"));
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

/// What a Playwright workflow does: a report in a directory of its own below `/reports/{workflow}/{run_id}/`.
pub(crate) const REPORT_WORKFLOW: &str = r#"
report="/reports/$GITHUB_WORKFLOW/$GITHUB_RUN_ID/$GITHUB_JOB"
mkdir -p "$report/data"
echo '<!doctype html><title>report</title>' > "$report/index.html"
echo screenshot > "$report/data/0001.png"
"#;

fn report_output(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, Way::Quadlet)?;
    let job = fleet.succeed("e2e", REPORT_WORKFLOW)?;
    let directory = format!("/var/lib/homelab-runners/reports/ci/{}", job.run_id());
    let files = guest.ok(&format!("cd {directory} && find . -type f | sort"))?;
    assert_eq!(files.lines().collect::<Vec<_>>(), ["./e2e/data/0001.png", "./e2e/index.html"]);
    // A report server is somebody else on the host: it reads the files and follows the structure.
    let served = guest
        .ok(&format!("setpriv --reuid 65534 --regid 65534 --clear-groups cat {directory}/e2e/index.html"))?;
    assert!(served.contains("<title>report</title>"), "{served}");
    guest.ok("rm -r /var/lib/homelab-runners/reports/ci")?;
    Ok(())
}
