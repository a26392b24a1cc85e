//! GitHub as a witness: silent, lying, and right about a runner that does not know.

use std::time::{Duration, Instant};

use homelab_runners_vm::{Guest, Result, poll};
use serde_json::{Value, json};

use crate::bed::{Outcome, Scenario};
use crate::fleet::{CREDENTIAL, Fleet, NAMES, START_LIMIT, WORKFLOW_LIMIT, Way};
use crate::watched::{
    CURL, Undo, begin_anew, invocations, restarted, restarts_nobody_for, status_of, wait_answers,
    wait_said_of_all, wait_up_for_a_minute,
};

/// Only the host of this fleet may ask GitHub.
const WAY: Way = Way::PodmanService;

pub(crate) const SCENARIOS: &[Scenario] = &[
    ("ten_minutes_without_a_way_to_github_get_nobody_restarted", cut_off),
    ("a_github_that_calls_everybody_offline_gets_one_idle_runner_restarted", lies),
    ("a_silent_zombie_is_restarted_within_three_questions_to_github", silent_zombie),
    ("a_runner_that_restarts_do_not_help_is_given_up_loudly", storm),
];

/// All who were asked agree.
const IDLE: &str = r#""says":"idle""#;

/// `monitor.github_interval` by default.
const INTERVAL: Duration = Duration::from_secs(60);

/// Both ways, and without a word: no packet to the simulator's port arrives, nor one from there.
const CUT: &str = "nft 'table inet github_cut { \
    chain requests { type filter hook input priority -200; tcp dport 80 drop; }; \
    chain answers { type filter hook output priority -200; tcp sport 80 drop; }; }'";

const MEND: &str = "nft delete table inet github_cut";

const CUT_FOR: Duration = Duration::from_secs(600);

fn cut_off(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, WAY)?;
    begin_anew(guest, "true")?;
    wait_said_of_all(guest, IDLE, START_LIMIT)?;
    let before = invocations(&fleet)?;
    let undo = Undo::new(|| guest.ok(MEND).map(drop));
    let begin = Instant::now();
    guest.ok(CUT)?;
    // Whoever asked right before the cut asks again after a minute, and waits for a minute then.
    let said = wait_said_of_all(guest, r#""says":"no_answer""#, Duration::from_secs(240));
    eprint!("({:.0?} until GitHub is called silent) ", begin.elapsed());
    said?;
    wait_said_of_all(guest, r#""verdict":"github_unreachable""#, Duration::from_secs(30))?;
    let events = fleet.runnerctl("events")?;
    assert!(events.stdout.contains("GitHub lost: "), "{events}");
    while begin.elapsed() < CUT_FOR {
        restarts_nobody_for(guest, INTERVAL)?;
        assert_eq!(status_of(guest, "/healthz")?, "200");
    }
    drop(undo);
    let mended = Instant::now();
    wait_said_of_all(guest, IDLE, Duration::from_secs(300))?;
    eprint!("({:.0?} until all is well again) ", mended.elapsed());
    fleet.wait_online(&NAMES)?;
    wait_answers(guest, 200)?;
    assert_eq!(invocations(&fleet)?, before);
    assert_eq!(restarted(guest)?, [0; 0]);
    Ok(())
}

/// GitHub is asked every 20 s, the least that the config allows; with `more` tables. In the end it says what is so, and the monitor has its budget again.
fn ask_often<'a>(fleet: &'a Fleet<'a>, more: &str) -> Outcome<Undo<'a>> {
    let guest = fleet.guest;
    let undo = Undo::new(move || {
        guest.simulator().delete("/faults")?;
        fleet.configure("")?;
        guest.ok_within("runnerctl install-units 2>&1", START_LIMIT)?;
        begin_anew(guest, "true").map(drop)
    });
    fleet.configure(&format!("\n\n[monitor]\ngithub_interval = \"20s\"\n{more}"))?;
    let install = fleet.runnerctl("install-units")?;
    assert_eq!(install.code, 0, "{install}");
    Ok(undo)
}

/// GitHub's list is what it is now from here on, but that these runners are offline and idle.
fn call_offline(guest: &Guest, names: &[&str]) -> Outcome {
    let list = guest.ok(&format!(
        "printf 'Authorization: Bearer %s' \"$(cat {CREDENTIAL})\" | {CURL} -H @- 'http://api.github.localhost/repos/acme/shop/actions/runners?per_page=100'"
    ))?;
    let mut list: Value = serde_json::from_str(&list)?;
    let runners = list.get_mut("runners").and_then(Value::as_array_mut).ok_or("no runners in the list")?;
    assert_eq!(runners.len(), NAMES.len());
    for runner in runners {
        let name = runner.get("name").and_then(Value::as_str).unwrap_or_default();
        if let (true, Some(runner)) = (names.contains(&name), runner.as_object_mut()) {
            runner.insert("status".to_owned(), "offline".into());
            runner.insert("busy".to_owned(), false.into());
        }
    }
    let lie = json!({
        "method": "GET", "path_prefix": "/repos/acme/shop/actions/runners", "query_contains": "per_page",
        "kind": "status", "status": 200, "body": list,
    });
    guest.simulator().post("/faults", &lie)?;
    Ok(())
}

/// One is restarted to find out whether that helps, and since it does not, nobody else; who is at a workflow job least of all.
fn lies(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, WAY)?;
    let undo = ask_often(&fleet, "")?;
    begin_anew(guest, "true")?;
    wait_up_for_a_minute(guest)?;
    wait_said_of_all(guest, IDLE, START_LIMIT)?;
    let job = fleet.queue("busy", "until [ -e /reports/lied ]; do sleep 0.2; done")?;
    let end_job = Undo::new(|| guest.ok("touch /var/lib/homelab-runners/reports/lied").map(drop));
    let busy = fleet.wait_for(job, "in_progress")?.text("runner_name").to_owned();
    let before = invocations(&fleet)?;
    call_offline(guest, &NAMES)?;
    let begin = Instant::now();
    wait_restarted(guest, "")?;
    eprint!("({:.0?} until one is restarted) ", begin.elapsed());
    restarts_nobody_for(guest, Duration::from_secs(100))?;
    let idle: Vec<u64> =
        (1..).zip(NAMES).filter(|(_, name)| *name != busy).map(|(number, _)| number).collect();
    let asked = restarted(guest)?;
    assert_eq!(asked, idle.get(..1).unwrap_or_default());
    let after = invocations(&fleet)?;
    let other: Vec<u64> = (1..)
        .zip(before.iter().zip(&after))
        .filter(|(_, (before, after))| before != after)
        .map(|(number, _)| number)
        .collect();
    assert_eq!(other, asked);
    assert_eq!(fleet.workflow_job(job)?.text("status"), "in_progress");
    drop(end_job);
    let job = fleet.wait_for(job, "completed")?;
    guest.ok("rm /var/lib/homelab-runners/reports/lied")?;
    assert_eq!(job.text("conclusion"), "success", "{}", job.text("log"));
    guest.simulator().delete("/faults")?;
    wait_said_of_all(guest, IDLE, WORKFLOW_LIMIT)?;
    wait_answers(guest, 200)?;
    drop(undo);
    wait_answers(guest, 200)?;
    Ok(())
}

/// A restart by the monitor has ended well.
fn wait_restarted(guest: &Guest, number: &str) -> Result<String> {
    guest.wait_until(
        "a restart by the monitor is over",
        START_LIMIT,
        &format!("runnerctl events {number} | grep 'restarted: it is online again'"),
    )
}

/// GitHub takes the polls of its session and never answers: it has lost it, and the listener waits. A new session is another one.
fn silent_zombie(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, WAY)?;
    begin_anew(guest, "true")?;
    wait_said_of_all(guest, IDLE, START_LIMIT)?;
    let before = invocations(&fleet)?;
    let [_, _, third, _] = before.as_slice() else { return Err("not four runners".into()) };
    let undo = Undo::new(|| guest.simulator().delete("/faults").map(drop));
    guest.simulator().post(
        "/faults",
        &json!({ "path_prefix": "/broker/message", "query_contains": format!("sessionId={}", session_of(guest, NAMES[2])?), "kind": "hang" }),
    )?;
    // After the poll that is open now, and a minute without another.
    poll("GitHub calls runner 3 offline", Duration::from_secs(240), || {
        let online = guest.simulator().online()?;
        Ok(if online.iter().any(|name| name == NAMES[2]) { Err(online.join(" ")) } else { Ok(()) })
    })?;
    let begin = Instant::now();
    assert_eq!(fleet.property(3, "ActiveState")?, "active");
    guest.wait_until(
        "the monitor restarts it",
        5 * INTERVAL,
        "runnerctl events 3 | grep 'restarting it: '",
    )?;
    let measured = begin.elapsed();
    fleet.wait_started_again(3, third)?;
    eprint!("({measured:.0?} until the restart, {:.0?} until it is healed) ", begin.elapsed());
    // The third list takes its time under emulation, and so does each look at the events.
    assert!(measured < 3 * INTERVAL + Duration::from_secs(10), "{measured:?}");
    wait_said_of_all(guest, IDLE, WORKFLOW_LIMIT)?;
    wait_answers(guest, 200)?;
    drop(undo);
    assert_eq!(restarted(guest)?, [3]);
    let after = invocations(&fleet)?;
    let same: Vec<bool> = before.iter().zip(&after).map(|(before, after)| before == after).collect();
    assert_eq!(same, [true, true, false, true]);
    Ok(())
}

/// The session in which GitHub has this runner.
fn session_of(guest: &Guest, name: &str) -> Outcome<String> {
    let runners = guest.simulator().get("/runners")?;
    let runners = runners.as_array().ok_or("no list of runners")?;
    let runner = runners.iter().find(|runner| runner.get("name").and_then(Value::as_str) == Some(name));
    let session = runner.and_then(|runner| runner.get("session")?.as_str());
    Ok(session.ok_or_else(|| format!("{name} has no session"))?.to_owned())
}

/// Lines of the monitor's log, as it would have written them in its own rhythm: after four restarts of runner 2 the next may come eight minutes later.
/// So the fifth is the first that is seen here, and what comes after it needs no quarter of an hour.
const FOUR_EARLIER: &str = r#"for minutes in 40 39 37 33; do
    for what in heal healed; do printf '{"time":"%s","runner":2,"what":"%s","why":"of earlier"}\n' "$(date -u -d "-$minutes min" +%FT%TZ)" $what; done
done"#;

/// Who is told: a program by its standard input, and a web server; what they got stands in the journal.
const TOLD: &str = r#"
[notify]
command = ["/usr/bin/logger", "--tag=told-command"]
webhook = "http://127.0.0.1:8099/told"
"#;

/// That web server: systemd starts it for each request. It reads the header and the body, and takes it.
const WEBHOOK: &str = r#"cat >/run/systemd/system/told.socket <<'END'
[Socket]
ListenStream=127.0.0.1:8099
Accept=yes
END
cat >/run/systemd/system/told@.service <<'END'
[Service]
StandardInput=socket
ExecStart=/bin/bash /var/tmp/told.sh
END
cat >/var/tmp/told.sh <<'END'
while IFS= read -r line && line=${line%$'\r'} && [[ -n $line ]]; do
    [[ ${line,,} != content-length:* ]] || length=${line##* }
done
IFS= read -rN "$length" body
logger --tag=told-webhook -- "$body"
printf 'HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n'
END
systemctl daemon-reload && systemctl start told.socket"#;

const NO_WEBHOOK: &str =
    "systemctl stop told.socket; rm /run/systemd/system/told* /var/tmp/told.sh; systemctl daemon-reload";

/// GitHub goes on to call runner 2 offline whatever is done.
fn storm(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, WAY)?;
    let no_webhook = Undo::new(|| guest.ok(NO_WEBHOOK).map(drop));
    guest.ok(WEBHOOK)?;
    let undo = ask_often(&fleet, TOLD)?;
    begin_anew(guest, FOUR_EARLIER)?;
    wait_up_for_a_minute(guest)?;
    wait_said_of_all(guest, IDLE, START_LIMIT)?;
    call_offline(guest, &[NAMES[1]])?;
    wait_restarted(guest, "2")?;
    let before = invocations(&fleet)?;
    let told = guest.wait_until(
        "it is given up",
        START_LIMIT,
        "runnerctl events 2 | grep 'gave up: restarts did not help, and no more are tried'",
    )?;
    assert!(told.contains("runner 2 "), "{told}");
    for whom in ["told-command", "told-webhook"] {
        let about = r#""kind":"gave-up""#;
        let look =
            format!("journalctl --no-pager -o cat -t {whom} | grep -F '{about}' | grep homelab-runner-2");
        guest.wait_until(&format!("{whom} is told"), START_LIMIT, &look)?;
    }
    assert_eq!(status_of(guest, "/healthz")?, "503");
    assert_eq!(status_of(guest, "/healthz/2")?, "503");
    let said = guest.ok(&format!("{CURL} http://127.0.0.1:8090/healthz/2"))?;
    for word in [r#""verdict":"given_up""#, r#""says":"offline""#, "runnerctl restart 2"] {
        assert!(said.contains(word), "{word}: {said}");
    }
    // Six lists more.
    restarts_nobody_for(guest, Duration::from_secs(120))?;
    assert_eq!(restarted(guest)?, [2; 5]);
    assert_eq!(invocations(&fleet)?, before);
    // Given up is only its restart: as soon as GitHub sees it, it is in service.
    guest.simulator().delete("/faults")?;
    wait_said_of_all(guest, IDLE, WORKFLOW_LIMIT)?;
    wait_answers(guest, 200)?;
    drop(undo);
    drop(no_webhook);
    wait_answers(guest, 200)?;
    Ok(())
}
