//! `make demo`: the main job from an empty machine to a report, in a throw-away guest.

use std::time::{Duration, Instant};

use homelab_runners_vm::product::{Product, REPOSITORY};
use homelab_runners_vm::{BootOptions, Error, Guest, Result, poll};
use serde_json::{Value, json};

/// Emulation takes its time, and a slow machine takes more.
const LIMIT: Duration = Duration::from_secs(600);

/// Two more than there are runners.
const WORKFLOW_JOBS: usize = 6;

/// What each workflow job does: a file of its own in its work folder, and a report as Playwright would leave it, where its variable says.
const WORKFLOW: &str = r#"
echo "built by $RUNNER_NAME" > result.txt
sleep 8
mkdir "$PLAYWRIGHT_HTML_OUTPUT_DIR"
printf '<!doctype html><title>%s</title><template></template>\n' "$GITHUB_JOB" > "$PLAYWRIGHT_HTML_OUTPUT_DIR/index.html"
cat result.txt
"#;

fn main() -> Result<()> {
    let start = Instant::now();
    let say = |text: &str| eprintln!("[{:>4}s] {text}", start.elapsed().as_secs());
    say("booting a throw-away Debian 13 (the very first time its disk is built, which takes minutes)");
    let guest =
        Guest::boot(&BootOptions { progress: |line| eprintln!("        {line}"), ..BootOptions::default() })?;
    say("installing runnerctl, the stand-in for GitHub and the stand-in for its runner image");
    Product::built()?.install(&guest)?;

    say("runnerctl init, and a registration token for each runner");
    guest.ok(&format!(
        "runnerctl init --no-input --url {REPOSITORY} --label homelab --cpu-quota 100% --memory-max 300M 2>&1"
    ))?;
    write_tokens(&guest)?;
    show(&guest, "cat /etc/homelab-runners/config.toml")?;

    say("runnerctl install-units");
    show(&guest, "runnerctl install-units")?;
    say("four runners are online at GitHub's stand-in");

    say(&format!("{WORKFLOW_JOBS} workflow jobs are queued"));
    let ids = (1..=WORKFLOW_JOBS).map(|number| queue(&guest, number)).collect::<Result<Vec<_>>>()?;
    watch(&guest, &ids, &say)?;

    show(&guest, "systemctl status homelab-runner@1 --no-pager --lines=4 | cut -c1-150")?;
    show(&guest, "runnerctl status")?;
    show(
        &guest,
        "cd /var/lib/homelab-runners/reports && find . -name index.html | sort | sed 's|^.|/reports|'",
    )?;
    say("done; the guest is thrown away");
    Ok(())
}

fn write_tokens(guest: &Guest) -> Result<()> {
    let line =
        |number| Ok(format!("RUNNER_TOKEN_{number}={}\n", guest.simulator().registration_token(REPOSITORY)?));
    let lines = (1..=4).map(line).collect::<Result<Vec<String>>>()?.concat();
    guest.write("/etc/homelab-runners/.env", &lines)?;
    guest.ok("chmod 600 /etc/homelab-runners/.env").map(drop)
}

fn queue(guest: &Guest, number: usize) -> Result<u64> {
    let body = json!({
        "url": REPOSITORY, "workflow": "demo", "name": format!("demo-{number}"), "labels": ["self-hosted", "homelab"],
        "steps": [{ "name": "build", "run": WORKFLOW }],
    });
    Ok(guest.simulator().post("/workflow-jobs", &body)?.get("id").and_then(Value::as_u64).unwrap_or_default())
}

/// Tells each change of a workflow job until all have ended.
fn watch(guest: &Guest, ids: &[u64], say: &impl Fn(&str)) -> Result<()> {
    let mut told = vec![String::new(); ids.len()];
    poll("all workflow jobs completed", LIMIT, || {
        let jobs = guest.simulator().get("/workflow-jobs?log=false")?;
        let all = jobs.as_array().map(Vec::as_slice).unwrap_or_default();
        let mut open = ids.len();
        for (id, told) in ids.iter().zip(&mut told) {
            let Some(job) = all.iter().find(|job| job.get("id").and_then(Value::as_u64) == Some(*id)) else {
                continue;
            };
            let text = |field: &str| job.get(field).and_then(Value::as_str).unwrap_or("-").to_owned();
            let line = match text("status").as_str() {
                "completed" => {
                    open -= 1;
                    format!("{} {} on {}", text("name"), text("conclusion"), text("runner_name"))
                }
                "in_progress" => format!("{} runs on {}", text("name"), text("runner_name")),
                status => format!("{} {status}", text("name")),
            };
            if *told != line {
                say(&line);
                *told = line;
            }
        }
        Ok(if open == 0 { Ok(()) } else { Err(format!("{open} are open")) })
    })?;
    if told.iter().all(|line| line.contains("success")) {
        Ok(())
    } else {
        Err(Error::TimedOut {
            what: "a good end of every workflow job".to_owned(),
            limit: LIMIT,
            last: told.join("\n"),
        })
    }
}

/// Runs a command in the guest and shows both, as in a terminal there.
fn show(guest: &Guest, command: &str) -> Result<()> {
    let output = guest.ok_within(&format!("{{ {command}; }} 2>&1"), LIMIT)?;
    println!("\nroot@homelab:~# {command}\n{output}\n");
    Ok(())
}
