//! `--user`: a fleet of a user's own, rootless, under that user's systemd.

use std::time::Duration;

use homelab_runners_vm::product::REPOSITORY;
use homelab_runners_vm::runner_image::RUNNER_IMAGE;
use homelab_runners_vm::{Guest, Result};

use crate::bed::{Outcome, Scenario};
use crate::fleet::{Fleet, START_LIMIT, Way};

pub(crate) const SCENARIOS: &[Scenario] = &[
    ("without_root_it_says_what_it_lacks", without_root),
    ("a_users_own_systemd_runs_a_rootless_runner", rootless_runner),
];

/// Importing the image into a rootless store takes its time under emulation.
const IMPORT_LIMIT: Duration = Duration::from_secs(400);

/// Runs a command as alice, as if she had logged in.
fn as_alice(guest: &Guest, command: &str) -> Result<String> {
    let quoted = command.replace('\'', r"'\''");
    guest.ok_within(
        &format!(
            "cd /home/alice && runuser -u alice -- env HOME=/home/alice XDG_RUNTIME_DIR=/run/user/$(id -u alice) bash -c '{quoted}' 2>&1"
        ),
        IMPORT_LIMIT,
    )
}

fn without_root(guest: &Guest) -> Outcome {
    let _fleet = Fleet::running(guest, Way::Quadlet)?;
    let output = guest.run("runuser -u nobody -- runnerctl install-units 2>&1")?;
    assert_eq!(output.code, 2, "{output}");
    assert!(output.stdout.contains("hint: ") && output.stdout.contains("sudo"), "{output}");
    let output =
        guest.run("runuser -u nobody -- env -u XDG_RUNTIME_DIR HOME=/tmp runnerctl status --user 2>&1")?;
    assert_eq!(output.code, 2, "{output}");
    assert!(
        output.stdout.contains("$XDG_RUNTIME_DIR is not set") && output.stdout.contains("enable-linger"),
        "{output}"
    );
    Ok(())
}

fn rootless_runner(guest: &Guest) -> Outcome {
    let _fleet = Fleet::running(guest, Way::Quadlet)?;
    guest.ok("useradd --create-home --shell /bin/bash alice && loginctl enable-linger alice")?;
    guest.wait_until("alice has a bus", Duration::from_secs(60), "test -S /run/user/$(id -u alice)/bus")?;
    guest.ok_within(
        &format!("podman save -q {RUNNER_IMAGE} -o /var/tmp/runner.tar && chmod 644 /var/tmp/runner.tar"),
        IMPORT_LIMIT,
    )?;
    as_alice(guest, "podman load -q -i /var/tmp/runner.tar")?;
    guest.ok("rm /var/tmp/runner.tar")?;
    as_alice(
        guest,
        &format!("runnerctl init --user --no-input --count 1 --url {REPOSITORY} --memory-max 300M"),
    )?;
    let token = guest.simulator().registration_token(REPOSITORY)?;
    as_alice(
        guest,
        &format!(
            "cd .config/homelab-runners && sed -i '1i name_prefix = \"alice-runner\"' config.toml && echo RUNNER_TOKEN_1={token} > .env"
        ),
    )?;
    // The host's own report server has the port that is the default, and its monitor the other.
    let refused = as_alice(guest, "runnerctl install-units --user || true")?;
    assert!(refused.contains("another program listens there"), "{refused}");
    let listen = r#"printf '\n[reports]\nlisten = "127.0.0.1:8091"\n\n[monitor]\nlisten = "127.0.0.1:8092"\n' >> .config/homelab-runners/config.toml"#;
    as_alice(guest, listen)?;
    let install = as_alice(guest, "runnerctl install-units --user");
    let journal = guest.ok("journalctl --no-pager -n 60 _UID=$(id -u alice)")?;
    let install = install.map_err(|error| format!("{error}\n{journal}"))?;
    assert!(install.contains("alice-runner-1: online"), "{install}");
    assert!(guest.simulator().online()?.contains(&"alice-runner-1".to_owned()));
    let status = as_alice(guest, "runnerctl status --user")?;
    assert!(status.contains(" online "), "{status}");
    // What the first start left in the runtime directory is in nobody's way, not even what a workflow has closed there.
    let closed = "umask 077; mkdir -p /run/homelab-runner/status/perf/closed/inner";
    as_alice(guest, &format!("podman exec --user runner alice-runner-1 sh -c \"{closed}\""))?;
    as_alice(guest, "systemctl --user restart homelab-runner@1.service")?;
    assert!(as_alice(guest, "runnerctl status --user")?.contains(" online "));
    let index = as_alice(guest, "curl -s --max-time 120 http://127.0.0.1:8091/")?;
    assert!(index.contains("<h1>Reports</h1>"), "{index}");
    assert!(as_alice(guest, "runnerctl install-units --user")?.contains("nothing to do"));
    as_alice(guest, "runnerctl uninstall-units --user")?;
    guest.simulator().delete("/runners/alice-runner-1")?;
    guest.ok("loginctl disable-linger alice; loginctl terminate-user alice || true")?;
    guest.wait_until(
        "alice has logged out",
        START_LIMIT,
        "! systemctl is-active -q user@$(id -u alice).service && userdel --remove alice",
    )?;
    Ok(())
}
