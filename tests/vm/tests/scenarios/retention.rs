//! Reports are deleted while others are written and read, and a workflow that takes too much is marked.

use std::time::Duration;

use homelab_runners_vm::Guest;
use homelab_runners_vm::ssh::quoted;

use crate::bed::{Outcome, Scenario};
use crate::fleet::{Fleet, START_LIMIT, Way};

pub(crate) const SCENARIOS: &[Scenario] =
    &[("reports_go_by_the_timers_unit_while_others_are_written_and_read", under_load)];

const REPORTS: &str = "/var/lib/homelab-runners/reports";

/// Six runs that ended, a minute apart; the second passed, the third failed, the others had no tests.
const SIX_RUNS: &str = r#"
for n in 1 2 3 4 5 6; do
    report=/reports/load/$n/1-test
    mkdir -p "$report/.runnerctl" "$report/html"
    printf '{"started":"2026-01-01T00:0%s:00Z"}' "$n" > "$report/.runnerctl/started.json"
    printf '{"finished":"2026-01-01T00:0%s:30Z"}' "$n" > "$report/.runnerctl/finished.json"
    echo '<template></template>' > "$report/html/index.html"
    head -c 1000000 /dev/zero > "$report/trace.zip"
    for file in 1 2 3 4 5 6 7 8 9; do printf x > "$report/$file.txt"; done
done
echo '{"stats": {"expected": 3, "unexpected": 0}}' > /reports/load/2/1-test/results.json
echo '{"stats": {"expected": 3, "unexpected": 1}}' > /reports/load/3/1-test/results.json
"#;

/// Writes without end; sees the mark as a hook does, and tries to take it away.
const BUSY_WORKFLOW: &str = r#"
report=/reports/load/$GITHUB_RUN_ID/1-test
mkdir -p "$report/.runnerctl"
printf '{"started":"%s"}' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" > "$report/.runnerctl/started.json"
head -c 9000000 /dev/urandom > "$report/video.webm"
touch /reports/writing
n=0
until [ -e /reports/go-on ]; do n=$((n + 1)); printf x > "$report/$n.png"; sleep 0.5; done
[ -e /reports/.runnerctl/over-budget/load ] && echo "the mark is seen"
for try in "mv /reports/.runnerctl /reports/away" "rm -rf /reports/.runnerctl" "rmdir /reports/.runnerctl/over-budget" \
    "touch /reports/.runnerctl/over-budget/other" "ls /reports/.runnerctl/trash" "cat /reports/.runnerctl/lock" \
    "sudo mv /reports/.runnerctl /reports/away" "sudo rm /reports/.runnerctl/over-budget/load" \
    "docker run --rm -v /reports:/r localhost/busybox:latest mv /r/.runnerctl /r/away" \
    "docker run --rm --privileged -v /reports:/r localhost/busybox:latest rm -r /r/.runnerctl/over-budget"; do
    $try 2>&1 && echo "IT WORKED: $try"
done
[ "$(ls "$report" | grep -c 'png$')" -eq "$n" ] && echo "nothing was lost"
rm "$report/video.webm"
printf '{"finished":"%s"}' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" > "$report/.runnerctl/finished.json"
"#;

/// Reads a page and a file that stays, over and over, and notes what was answered.
const READER: &str = "until [ -e /root/read-enough ]; do \
    curl -s -o /dev/null -o /dev/null -w '%{http_code}\\n' http://127.0.0.1:8089/?workflow=load http://127.0.0.1:8089/r/load/3/1-test/1.txt; \
    done > /root/answers";

fn under_load(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, Way::Quadlet)?;
    guest.ok("systemctl is-active homelab-reports-prune.timer")?;
    fleet.succeed("six runs", SIX_RUNS)?;
    fleet.configure("\n\n[reports.retention]\nmax_age = \"3650d\"\nruns_max = 3\nworkflow_max = \"8M\"")?;
    let busy = fleet.queue("busy", BUSY_WORKFLOW)?;
    let seen = prune_under_load(&fleet, busy);
    // Whatever came of it: no other scenario can use a runner that stays busy.
    guest.ok(&format!(
        "touch {REPORTS}/go-on /root/read-enough; systemctl stop reports-server reports-reader; true"
    ))?;
    let job = fleet.wait_for(busy, "completed")?;
    // With its video gone the workflow is below its budget.
    guest.ok("systemctl start homelab-reports-prune.service")?;
    let marks = guest.ok(&format!("ls {REPORTS}/.runnerctl/over-budget"))?;
    guest.ok(&format!(
        "rm -r {REPORTS}/load {REPORTS}/go-on {REPORTS}/writing /root/read-enough /root/answers"
    ))?;
    fleet.configure("")?;
    let Seen { said, left, marks: marks_before, answers } = seen?;

    let mut expected = vec!["2".to_owned(), "3".to_owned(), job.run_id().to_string()];
    expected.sort();
    assert_eq!(left, expected, "{said}");
    for wanted in [
        "deleted: \"load/1\"",
        "(runs_max)",
        "\"load\" holds too much: its next workflow jobs file no report",
    ] {
        assert!(said.contains(wanted), "{wanted}: {said}");
    }
    assert_eq!((marks_before.as_str(), marks.as_str()), ("load", ""));
    assert!(answers.lines().count() > 4 && answers.lines().all(|code| code == "200"), "{answers}");
    let log = job.text("log");
    assert!(log.contains("the mark is seen") && log.contains("nothing was lost"), "{log}");
    assert!(!log.contains("IT WORKED"), "{log}");
    assert_eq!(job.text("conclusion"), "success", "{log}");
    Ok(())
}

/// What the timer's unit said, the runs and marks that were left, and what the server answered meanwhile.
struct Seen {
    said: String,
    left: Vec<String>,
    marks: String,
    answers: String,
}

fn prune_under_load(fleet: &Fleet<'_>, busy: u64) -> Outcome<Seen> {
    let guest = fleet.guest;
    fleet.wait_for(busy, "in_progress")?;
    guest.wait_until(
        "the workflow job writes",
        Duration::from_secs(60),
        &format!("test -e {REPORTS}/writing"),
    )?;
    guest.ok("systemd-run --unit=reports-server --collect runnerctl reports serve")?;
    guest.wait_until("the server answers", START_LIMIT, "curl -sf -o /dev/null http://127.0.0.1:8089/")?;
    guest.ok(&format!("systemd-run --unit=reports-reader --collect bash -c {}", quoted(READER)))?;
    guest.wait_until("somebody reads", Duration::from_secs(60), "test \"$(wc -l < /root/answers)\" -ge 4")?;
    let before: usize = guest.ok("wc -l < /root/answers")?.parse()?;
    // As the timer does, with all that the unit forbids.
    guest.ok("systemctl start homelab-reports-prune.service")?;
    guest.wait_until(
        "somebody reads on",
        Duration::from_secs(60),
        &format!("test \"$(wc -l < /root/answers)\" -ge {}", before + 4),
    )?;
    let said = guest.ok("journalctl -u homelab-reports-prune.service -o cat --no-pager -n 30")?;
    let mut left: Vec<String> = guest.ok(&format!("ls {REPORTS}/load"))?.lines().map(str::to_owned).collect();
    left.sort();
    let marks = guest.ok(&format!("ls {REPORTS}/.runnerctl/over-budget"))?;
    Ok(Seen { said, left, marks, answers: guest.ok("cat /root/answers")? })
}
