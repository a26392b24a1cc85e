//! Private engines: what workflows do with containers, and how an engine begins and ends.

use homelab_runners_vm::{Guest, Result, host};

use crate::bed::{Outcome, Scenario};
use crate::fleet::{Fleet, NAMES, START_LIMIT, Way};

pub(crate) const SCENARIOS: &[Scenario] = &[
    ("a_container_workflow_job_gets_the_mounts_of_githubs_runner", container_workflow_job),
    ("a_docker_action_runs", docker_action),
    ("services_are_reached_at_localhost_on_two_runners_at_the_same_port", services),
    ("files_that_container_root_wrote_can_be_deleted_by_the_runner", |guest| {
        succeeds(guest, LEFT_FILES, "all are gone")
    }),
    ("a_nested_socket_mount_reaches_only_the_private_engine", nested_socket),
    ("docker_compose_works_in_a_workflow_job", docker_compose),
    ("act_runs_a_workflow_file_on_the_private_engine", act),
    ("the_engine_starts_on_first_use_and_ends_with_the_runner", first_use_and_end),
    ("an_engine_that_was_killed_starts_clean", killed_engine),
];

/// Takes the fleet apart, so it comes after those that only use it.
pub(crate) const REMOVING: &[Scenario] = &[("accounts_go_with_the_fleet_and_keep_their_ids", accounts)];

fn succeeds(guest: &Guest, script: &str, said: &str) -> Outcome {
    let fleet = Fleet::running(guest, Way::Quadlet)?;
    let job = fleet.succeed("containers", script)?;
    assert!(job.text("log").contains(said), "{}", job.text("log"));
    Ok(())
}

/// The command lines of GitHub's runner for a workflow job with `container:`.
const CONTAINER_JOB: &str = r#"
work=${GITHUB_WORKSPACE%/*/*}
mkdir -p "$work"/_temp/_github_home "$work"/_temp/_github_workflow "$work"/_actions "$work"/_tool
cat > "$work/_temp/script.sh" <<'END'
echo "node=$(/__e/node20/bin/node --version) home=$HOME directory=$(pwd)"
if touch /__e/written 2>/dev/null; then exit 1; fi
test -S /var/run/docker.sock
touch /__t/tool /github/home/h /github/workflow/w
echo filed > "$RUNNERCTL_REPORT_DIR/from-container"
echo built > artifact
END
docker network create --label 1a2b3c github_network_1 >/dev/null
docker create --name job_1 --label 1a2b3c --workdir /__w/shop/shop --network github_network_1 \
    -e HOME=/github/home -e GITHUB_ACTIONS=true -e CI=true \
    -v /var/run/docker.sock:/var/run/docker.sock -v "$work":/__w -v /home/runner/externals:/__e:ro \
    -v "$work/_temp":/__w/_temp -v "$work/_actions":/__w/_actions -v "$work/_tool":/__t \
    -v "$work/_temp/_github_home":/github/home -v "$work/_temp/_github_workflow":/github/workflow \
    --entrypoint tail localhost/busybox:latest -f /dev/null >/dev/null
docker start job_1
docker ps --all --filter name=job_1 --filter status=running --no-trunc --format 'state={{.Status}}'
docker exec -i --workdir /__w/shop/shop -e CI -e RUNNERCTL_REPORT_DIR job_1 sh -e /__w/_temp/script.sh
echo "artifact=$(cat artifact) report=$(cat "$RUNNERCTL_REPORT_DIR/from-container")"
echo "asked for, too: $(docker run --rm -v /reports:/reports localhost/busybox:latest cat "$RUNNERCTL_REPORT_DIR/from-container")"
echo "another's place: $(docker run --rm -v "$GITHUB_WORKSPACE":/reports localhost/busybox:latest cat /reports/artifact)"
rm "$RUNNERCTL_REPORT_DIR/from-container"
docker rm --force job_1 >/dev/null
docker network rm github_network_1 >/dev/null
rm -r "$work"/_tool "$work"/_temp/_github_* artifact
"#;

fn container_workflow_job(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, Way::Quadlet)?;
    let job = fleet.succeed("container", CONTAINER_JOB)?;
    for said in [
        "state=Up",
        "node=v20.0.0 home=/github/home directory=/__w/shop/shop",
        "artifact=built report=filed",
        "asked for, too: filed",
        "another's place: built",
    ] {
        assert!(job.text("log").contains(said), "{said}: {}", job.text("log"));
    }
    Ok(())
}

const DOCKER_ACTION: &str = r#"
work=${GITHUB_WORKSPACE%/*/*}
mkdir -p "$work"/_temp/_github_home "$work"/_temp/_github_workflow "$work"/_temp/_runner_file_commands action
printf 'FROM localhost/busybox:latest\nCOPY entrypoint.sh /\nENTRYPOINT ["sh", "/entrypoint.sh"]\n' > action/Dockerfile
echo 'echo "answer=42 for $(cat /github/workspace/whom)" >> "$GITHUB_OUTPUT"' > action/entrypoint.sh
echo 'the workspace' > whom
docker build -q -t 1a2b3c:action -f action/Dockerfile action >/dev/null
docker run --name action_1 --label 1a2b3c --workdir /github/workspace --rm -e GITHUB_OUTPUT=/github/file_commands/set_output \
    -v /var/run/docker.sock:/var/run/docker.sock -v "$work/_temp":/github/runner_temp \
    -v "$work/_temp/_github_home":/github/home -v "$work/_temp/_github_workflow":/github/workflow \
    -v "$work/_temp/_runner_file_commands":/github/file_commands -v "$GITHUB_WORKSPACE":/github/workspace 1a2b3c:action
cat "$work/_temp/_runner_file_commands/set_output"
docker rmi -f 1a2b3c:action >/dev/null
rm -r "$work"/_temp/_github_* "$work"/_temp/_runner_file_commands
"#;

fn docker_action(guest: &Guest) -> Outcome {
    succeeds(guest, DOCKER_ACTION, "answer=42 for the workspace")?;
    // With the plugin that the official image has, `docker build` would ask Podman for BuildKit.
    succeeds(guest, "echo buildkit=$DOCKER_BUILDKIT", "buildkit=0")
}

/// Two workflow jobs with a service each, at one port, both there at one moment.
pub(crate) const SERVICE: &str = r#"
docker run -d --name db -p 5432:5432 localhost/busybox:latest sh -c "while :; do echo I serve $RUNNER_NAME | nc -l -p 5432; done" >/dev/null
ask() { timeout 5 bash -c "exec 3<>/dev/tcp/$1/5432 && cat <&3" 2>/dev/null; }
for _ in $(seq 100); do [ -z "$(ask 127.0.0.1)" ] || break; sleep 0.1; done
mkdir -p /reports/meeting && hostname -I > "/reports/meeting/$RUNNER_NAME"
meet() { touch "/reports/meeting/$1-$RUNNER_NAME"; for _ in $(seq 600); do [ "$(ls /reports/meeting | grep -c "^$1")" = 2 ] && return; sleep 0.2; done; exit 1; }
meet here
echo "at localhost: $(ask 127.0.0.1)"
"#;

const SERVICE_ENDS: &str = "meet done\ndocker rm -f db >/dev/null\n";

/// Runs a script on two runners at once and returns the logs, each with the runner's name.
pub(crate) fn on_two_runners(fleet: &Fleet<'_>, script: &str) -> Result<Vec<(String, String)>> {
    let text = format!("{SERVICE}{script}{SERVICE_ENDS}");
    let ids = (0..2).map(|n| fleet.queue(&format!("service-{n}"), &text)).collect::<Result<Vec<_>>>()?;
    let mut logs = Vec::new();
    for id in ids {
        let job = fleet.wait_for(id, "completed")?;
        assert_eq!(job.text("conclusion"), "success", "{}", job.text("log"));
        logs.push((job.text("runner_name").to_owned(), job.text("log").to_owned()));
    }
    fleet.guest.ok("rm -r /var/lib/homelab-runners/reports/meeting")?;
    Ok(logs)
}

fn services(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, Way::Quadlet)?;
    for (runner, log) in on_two_runners(&fleet, "")? {
        assert!(log.contains(&format!("at localhost: I serve {runner}")), "{log}");
    }
    Ok(())
}

/// What root in a container wrote is the runner's own; other ids are within reach of `sudo`.
const LEFT_FILES: &str = r#"
docker run --rm -v "$GITHUB_WORKSPACE:/w" localhost/busybox:latest sh -c \
    'umask 077; mkdir -p /w/roots/deep /w/others/deep; echo x > /w/roots/deep/f; echo x > /w/others/deep/f; chown -R 1000:1000 /w/others'
rm -r roots
if rm -r others 2>/dev/null; then exit 1; fi
sudo rm -r others
[ -z "$(ls | grep -E 'roots|others')" ] && echo all are gone
"#;

/// The docker CLI of the host's programs, which the engine sees, in a container of a workflow job.
const NESTED: &str = r#"
docker run --rm --name "inner-$RUNNER_NAME" -v /var/run/docker.sock:/var/run/docker.sock \
    -v /usr:/usr:ro -v /usr/lib:/lib:ro -v /usr/lib64:/lib64:ro localhost/busybox:latest \
    /usr/bin/docker ps --all --format 'seen={{.Names}}'
"#;

fn nested_socket(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, Way::Quadlet)?;
    let job = fleet.succeed("nested", NESTED)?;
    let log = job.text("log");
    let seen: Vec<&str> =
        log.lines().filter_map(|line| line.split_once("seen=")).map(|(_, name)| name).collect();
    assert_eq!(seen, [format!("inner-{}", job.text("runner_name"))], "{log}");
    Ok(())
}

const COMPOSE: &str = r#"
cat > compose.yaml <<'END'
services:
  web:
    image: localhost/busybox:latest
    command: sh -c 'while :; do echo from web | nc -l -p 8000; done'
    ports: ["8000:8000"]
  client:
    image: localhost/busybox:latest
    depends_on: [web]
    command: sh -c 'until nc web 8000; do sleep 0.2; done'
END
/reports/docker-compose up --detach --quiet-pull
/reports/docker-compose wait client || true
/reports/docker-compose logs client
for _ in $(seq 50); do said=$(timeout 5 bash -c 'exec 3<>/dev/tcp/127.0.0.1/8000 && cat <&3' || true); [ -z "$said" ] || break; sleep 0.2; done
echo "at localhost: $said"
/reports/docker-compose down --timeout 0
rm compose.yaml
"#;

/// The image has no plugin, so the program comes the way that a workflow would bring it: as a file.
fn docker_compose(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, Way::Quadlet)?;
    guest.ok("cp /usr/bin/docker-compose /var/lib/homelab-runners/reports/docker-compose")?;
    let job = fleet.succeed("compose", COMPOSE)?;
    guest.ok("rm /var/lib/homelab-runners/reports/docker-compose")?;
    assert!(job.text("log").contains("at localhost: from web"), "{}", job.text("log"));
    assert!(job.text("log").contains("| from web"), "a service is found by its name: {}", job.text("log"));
    Ok(())
}

/// Workflow jobs that need each other, a matrix, outputs, a failing step that another one heeds: through containers that another program than
/// GitHub's runner and Docker's own client makes, fills and runs.
const ACT: &str = r#"
mkdir -p project/.github/workflows
cat > project/.github/workflows/ci.yml <<'END'
on: push
defaults: { run: { shell: sh } }
jobs:
  build:
    runs-on: ubuntu-latest
    outputs: { answer: "${{ steps.think.outputs.answer }}" }
    steps:
      - { id: think, run: 'echo answer=42 >> "$GITHUB_OUTPUT"; echo written > by-act' }
      - { run: exit 3, continue-on-error: true, id: fails }
      - { if: "steps.fails.outcome == 'failure'", run: 'echo "heeded, $(cat by-act)"' }
  test:
    needs: build
    runs-on: ubuntu-latest
    strategy: { matrix: { leg: [left, right] } }
    steps:
      - run: echo "${{ matrix.leg }} knows ${{ needs.build.outputs.answer }}"
END
cd project
export XDG_CONFIG_HOME=$PWD/.config XDG_CACHE_HOME=$PWD/.cache
/reports/act push --bind --pull=false --platform ubuntu-latest=localhost/busybox:latest --container-architecture linux/amd64     --env GITHUB_REF=refs/heads/main </dev/null 2>&1
cat by-act
docker ps --all --format 'left={{.Names}}'
cd .. && rm -rf project
"#;

fn act(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, Way::Quadlet)?;
    guest.copy_in(&host::act()?, "/var/lib/homelab-runners/reports/act")?;
    let job = fleet.succeed("act", ACT)?;
    guest.ok("rm /var/lib/homelab-runners/reports/act")?;
    let log = job.text("log");
    for said in ["heeded, written", "left knows 42", "right knows 42"] {
        assert!(log.contains(said), "{said}: {log}");
    }
    assert!(!log.contains("left="), "a container was left behind: {log}");
    Ok(())
}

/// A command in runner 3's container, as the user of its workflow jobs.
fn in_runner_3(guest: &Guest, command: &str) -> Result<String> {
    guest.ok(&format!("podman exec -u 1001:1001 -e HOME=/home/runner homelab-runner-3 bash -ec '{command}'"))
}

const ENGINE_3: &str = "homelab-runner-engine@3.service";

fn first_use_and_end(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, Way::Quadlet)?;
    let restart = fleet.runnerctl("restart --force 3")?;
    assert_eq!(restart.code, 0, "{restart}");
    assert_eq!(guest.run(&format!("systemctl is-active {ENGINE_3}"))?.stdout.trim(), "inactive");
    assert_eq!(guest.run("pgrep -x podman -u homelab-runner-3")?.code, 1);
    in_runner_3(
        guest,
        r#"docker network create left >/dev/null
        printf "FROM localhost/busybox:latest\nRUN echo kept > /kept\n" | docker build -q -t localhost/kept -
        docker run -d --name left --network left localhost/busybox:latest sleep 1000"#,
    )?;
    assert_eq!(guest.ok(&format!("systemctl is-active {ENGINE_3}"))?, "active");
    guest.ok_within("systemctl stop homelab-runner@3.service", START_LIMIT)?;
    let left = guest.ok(
        "pgrep -a -u homelab-runner-3; pgrep -fx 'sleep 1000'; grep /run/homelab-runners/3/view /proc/self/mountinfo; ls -d /run/homelab-runner-engine-3 2>/dev/null; true",
    )?;
    assert_eq!(left, "", "left after the end of the runner");
    guest.ok_within("systemctl start homelab-runner@3.service", START_LIMIT)?;
    assert_eq!(in_runner_3(guest, "docker ps -aq")?, "");
    assert!(!in_runner_3(guest, "docker network ls")?.contains("left"));
    assert_eq!(
        in_runner_3(guest, "docker run --rm localhost/kept cat /kept; docker rmi localhost/kept >/dev/null")?,
        "kept"
    );
    fleet.wait_online(&NAMES)?;
    Ok(())
}

fn killed_engine(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, Way::Quadlet)?;
    let before = fleet.property(3, "InvocationID")?;
    in_runner_3(guest, "docker run -d --name left localhost/busybox:latest sleep 1000")?;
    guest.ok(&format!("systemctl kill --signal=KILL --kill-whom=main {ENGINE_3}"))?;
    guest.wait_until(
        "the engine has ended",
        START_LIMIT,
        &format!("! systemctl is-active -q {ENGINE_3} && ! pgrep -fx 'sleep 1000'"),
    )?;
    assert_eq!(
        in_runner_3(guest, "docker ps -aq; docker run --rm --name left localhost/busybox:latest echo fine")?,
        "fine"
    );
    assert_eq!(fleet.property(3, "InvocationID")?, before, "the runner went on");
    Ok(())
}

fn accounts(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, Way::Quadlet)?;
    let ids = "for n in 1 2 3 4; do id -u homelab-runner-$n; done";
    let before = guest.ok(ids)?;
    let gone = fleet.runnerctl("uninstall-units")?;
    assert_eq!(gone.code, 0, "{gone}");
    let left = guest.ok(
        "grep -hE homelab-runner-[0-9] /etc/passwd /etc/group /etc/subuid /etc/subgid; podman network ls -q | grep homelab; true",
    )?;
    assert_eq!(left, "");
    guest.ok("echo stranger:$((0x70000000 + 2 * 65536 + 5)):10 >> /etc/subuid")?;
    let around = fleet.runnerctl("install-units --no-start")?;
    assert_eq!(around.code, 0, "{around}");
    let evaded = guest.ok(ids)?;
    let same: Vec<bool> = before.lines().zip(evaded.lines()).map(|(old, new)| old == new).collect();
    assert_eq!(same, [true, true, false, true], "{before} {evaded}");
    let gone = fleet.runnerctl("uninstall-units")?;
    assert_eq!(gone.code, 0, "{gone}");
    guest.ok("sed -i /^stranger:/d /etc/subuid")?;
    let back = fleet.runnerctl("install-units")?;
    assert_eq!(back.code, 0, "{back}");
    assert_eq!(guest.ok(ids)?, before);
    fleet.wait_online(&NAMES)?;
    Ok(())
}
