//! The report server as a unit: who starts it, what it sees, and where it listens.

use std::time::Duration;

use homelab_runners_vm::{Guest, Result};

use crate::bed::{Outcome, Scenario};
use crate::fleet::{Fleet, START_LIMIT, Way};

pub(crate) const SCENARIOS: &[Scenario] = &[
    ("the_first_visitor_starts_the_report_server", first_visitor),
    ("the_report_server_sees_reports_alone_and_cannot_write", view),
    ("reports_come_over_https_with_a_key_that_root_alone_can_read", https),
    ("the_report_server_moves_goes_and_comes_with_the_config", config),
    ("reports_can_be_read_while_the_runners_are_down", down),
];

/// A report as a workflow job files it, on the host.
const REPORT: &str = "/var/lib/homelab-runners/reports/ci/7/1-test";

const SERVICE: &str = "homelab-reports.service";

/// A program of one file may take long to start under emulation.
const CURL: &str = "curl -s --max-time 120";

fn file_report(guest: &Guest) -> Result<String> {
    guest.ok(&format!(
        "mkdir -p {REPORT}/html/data && cd {REPORT} && chmod 755 .. ../.. &&
        echo '<p>the report</p><template></template>' > html/index.html && echo 0123456789 > html/data/a.webm &&
        echo '<testsuites tests=\"2\" failures=\"1\"/>' > junit.xml"
    ))
}

fn first_visitor(guest: &Guest) -> Outcome {
    let _fleet = Fleet::running(guest, Way::Quadlet)?;
    file_report(guest)?;
    guest.ok(&format!("systemctl is-active homelab-reports.socket && systemctl stop {SERVICE}"))?;
    let index = guest.ok_within(&format!("{CURL} http://127.0.0.1:8089/"), START_LIMIT)?;
    assert!(
        index.contains("href=\"/r/ci/7/1-test/html/\"") && index.contains("1 failed, 1 passed"),
        "{index}"
    );
    assert_eq!(guest.ok(&format!("systemctl is-active {SERVICE}"))?, "active");
    let report = guest.ok(&format!("{CURL} -i http://127.0.0.1:8089/r/ci/7/1-test/html/"))?;
    assert!(report.contains("the report") && report.contains("text/html; charset=utf-8"), "{report}");
    let part = guest.ok(&format!("{CURL} -i -r 2-4 http://127.0.0.1:8089/r/ci/7/1-test/html/data/a.webm"))?;
    assert!(part.contains("206 Partial") && part.contains("video/webm") && part.ends_with("234"), "{part}");
    // What comes later is seen, and so is another directory in the place of this one, at the next start.
    guest.ok(&format!("mkdir -p {REPORT}-later && chmod 755 {REPORT}-later"))?;
    guest.wait_until(
        "a later report is seen",
        Duration::from_secs(60),
        &format!("{CURL} http://127.0.0.1:8089/ | grep -q 1-test-later"),
    )?;
    let swapped = "cd /var/lib/homelab-runners && mv reports before && mkdir -m 1777 reports && mkdir -p reports/new/1/1-a";
    guest.ok(&format!("{swapped} && systemctl restart {SERVICE}"))?;
    let index = guest.ok(&format!("{CURL} http://127.0.0.1:8089/"))?;
    guest.ok("cd /var/lib/homelab-runners && rm -r reports && mv before reports")?;
    guest.ok(&format!("systemctl restart {SERVICE}"))?;
    assert!(index.contains("/r/new/1/") && !index.contains("/r/ci/7/"), "{index}");
    Ok(())
}

/// What root sees through the eyes of the server, and what even root cannot write through them.
const PROBE: &str = "
root=/proc/$(systemctl show -P MainPID homelab-reports.service)/root
echo \"top: $(ls -A $root | tr '\\n' ' ')\"
echo \"etc: $(ls -A $root/etc)\"
echo \"programs: $(ls -A $root/usr $root/usr/bin $root/usr/local/bin 2>/dev/null | tr '\\n' ' ')\"
echo \"var: $(find $root/var -mindepth 1 | sed \"s,$root,,\" | tr '\\n' ' ')\"
for place in / /reports /reports/ci/7 /etc /usr/lib /var; do touch $root$place/x 2>/dev/null && echo written: $place; done
echo \"tokens: $(find $root/run -name .env -o -name 'registration*' -o -name '*.sock' | wc -l)\"
";

fn view(guest: &Guest) -> Outcome {
    let _fleet = Fleet::running(guest, Way::Quadlet)?;
    file_report(guest)?;
    guest.ok(&format!("{CURL} -o /dev/null http://127.0.0.1:8089/"))?;
    let seen = guest.ok(PROBE)?;
    for line in [
        "top: dev etc lib lib64 proc reports root run sys tmp usr var ",
        "etc: \n",
        "programs: /proc/",
        "var: /var/tmp ",
        "tokens: 0",
    ] {
        assert!(seen.contains(line), "{line}: {seen}");
    }
    assert!(!seen.contains("written") && !seen.contains("podman"), "{seen}");
    let user = guest.ok(&format!("ps -o user= -p $(systemctl show -P MainPID {SERVICE})"))?;
    assert_ne!(user, "root");
    let memory: u64 = guest.ok(&format!("systemctl show -P MemoryPeak {SERVICE}"))?.parse()?;
    eprint!("({} KiB at most) ", memory / 1024);
    assert!(memory < 64 << 20, "{memory}");
    Ok(())
}

fn https(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, Way::Quadlet)?;
    file_report(guest)?;
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
    guest.write("/etc/homelab-runners/reports.pem", &made.cert.pem())?;
    guest.write("/etc/homelab-runners/reports.key", &made.signing_key.serialize_pem())?;
    guest.ok(
        "chown root:root /etc/homelab-runners/reports.key && chmod 600 /etc/homelab-runners/reports.key",
    )?;
    fleet.configure("\n\n[reports.tls]\ncertificate = \"/etc/homelab-runners/reports.pem\"\nkey = \"/etc/homelab-runners/reports.key\"")?;
    let install = fleet.runnerctl("install-units")?;
    assert_eq!(install.code, 0, "{install}");
    let trusting = format!("{CURL} --cacert /etc/homelab-runners/reports.pem");
    let report = guest.ok(&format!("{trusting} https://localhost:8089/r/ci/7/1-test/html/"))?;
    assert!(report.contains("the report"), "{report}");
    let sent =
        guest.ok(&format!("{CURL} -o /dev/null -w '%{{redirect_url}}' http://localhost:8089/r/ci/"))?;
    assert_eq!(sent, "https://localhost:8089/r/ci/");
    // A restart keeps visitors waiting and turns none away.
    let visitors = format!(
        "(for _ in 1 2 3 4 5 6; do {trusting} -o /dev/null -w '%{{http_code}} ' https://localhost:8089/style.css; done) & systemctl restart {SERVICE}; wait"
    );
    assert_eq!(guest.ok_within(&visitors, START_LIMIT)?, "200 200 200 200 200 200");
    let journal =
        guest.ok(&format!("journalctl -o cat --no-pager -u {SERVICE}; systemctl show {SERVICE}"))?;
    let key = made.signing_key.serialize_pem();
    assert!(key.lines().skip(1).take(2).all(|line| !journal.contains(line)), "the key was shown");
    back_to_normal(&fleet)?;
    guest.ok("rm /etc/homelab-runners/reports.pem /etc/homelab-runners/reports.key")?;
    Ok(())
}

fn config(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, Way::Quadlet)?;
    let answers = |port: u16| -> Result<bool> {
        Ok(guest.run(&format!("{CURL} -o /dev/null http://127.0.0.1:{port}/style.css"))?.code == 0)
    };
    assert!(answers(8089)?);
    fleet.configure("\n\n[reports]\nlisten = \"127.0.0.1:8095\"")?;
    let moved = fleet.runnerctl("install-units")?;
    assert_eq!(moved.code, 0, "{moved}");
    assert!(answers(8095)? && !answers(8089)?, "{moved}");
    fleet.configure("\n\n[reports]\nserve = false")?;
    let gone = fleet.runnerctl("install-units")?;
    assert_eq!(gone.code, 0, "{gone}");
    assert!(!answers(8095)?, "{gone}");
    let left = "systemctl list-units --all --no-legend 'homelab-reports.*'; ls /etc/systemd/system | grep '^homelab-reports[.]'; true";
    assert_eq!(guest.ok(left)?, "");
    // Another program's port is found before anything is written.
    guest.ok("systemd-run --quiet --unit=squatter systemd-socket-activate -l 127.0.0.1:8089 /bin/true")?;
    guest.wait_until("the port is taken", Duration::from_secs(60), "ss -Hltn | grep -q 127.0.0.1:8089")?;
    fleet.configure("")?;
    let refused = fleet.runnerctl("install-units")?;
    guest.ok("systemctl stop squatter.service")?;
    assert_eq!(refused.code, 2, "{refused}");
    assert!(refused.stdout.contains("another program listens"), "{refused}");
    assert_eq!(guest.ok(left)?, "");
    back_to_normal(&fleet)?;
    assert!(answers(8089)?);
    Ok(())
}

fn down(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, Way::Quadlet)?;
    assert_eq!(fleet.runnerctl("down")?.code, 0);
    let page = guest.run(&format!("{CURL} -o /dev/null http://127.0.0.1:8089/"))?;
    assert_eq!(fleet.runnerctl("up")?.code, 0);
    assert_eq!(page.code, 0, "{page}");
    Ok(())
}

fn back_to_normal(fleet: &Fleet<'_>) -> Outcome {
    fleet.configure("")?;
    let install = fleet.runnerctl("install-units")?;
    assert_eq!(install.code, 0, "{install}");
    Ok(())
}
