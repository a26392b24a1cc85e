//! The harness itself: what every other scenario stands on.

use std::time::Duration;

use homelab_runners_vm::runner_image::RUNNER_IMAGE;
use homelab_runners_vm::{Engine, Guest, RunnerPrograms};

use crate::bed::{Outcome, Scenario};

/// In the order in which they run.
pub(crate) const SCENARIOS: &[Scenario] = &[
    ("harness_guest_runs_systemd_257_as_pid_1", guest_runs_systemd),
    ("harness_copies_files_in_and_out", copies_files),
    ("harness_commands_have_a_time_limit", commands_have_a_limit),
    ("harness_containers_run_on_podman", containers_run_on_podman),
    ("harness_runner_image_looks_like_the_official_one", runner_image_looks_official),
    ("harness_runner_image_on_docker", runner_image_on_docker),
    ("harness_reboot_comes_back", reboot_comes_back),
];

fn guest_runs_systemd(guest: &Guest) -> Outcome {
    assert_eq!(guest.ok("cat /proc/1/comm")?, "systemd");
    let version = guest.ok("systemctl --version | head -n 1")?;
    assert!(version.starts_with("systemd 257"), "{version}");
    assert_eq!(guest.ok("stat -fc %T /sys/fs/cgroup")?, "cgroup2fs");
    assert_eq!(guest.ok("getent hosts api.github.localhost | cut -d' ' -f1")?, "10.213.0.1");
    Ok(())
}

fn copies_files(guest: &Guest) -> Outcome {
    let host = tempfile::tempdir()?;
    let (there, back) = (host.path().join("there"), host.path().join("back"));
    std::fs::create_dir_all(there.join("deep"))?;
    std::fs::write(there.join("deep/a file"), b"\0\xff")?;
    guest.copy_in(&there, "/var/tmp/copied files")?;
    guest.copy_out("/var/tmp/copied files", &back)?;
    assert_eq!(std::fs::read(back.join("deep/a file"))?, b"\0\xff");
    guest.copy_out("/var/tmp/copied files/deep/a file", &host.path().join("one"))?;
    assert_eq!(std::fs::read(host.path().join("one"))?, b"\0\xff");
    guest.write("/var/tmp/copied files/text", "it's\n")?;
    assert_eq!(guest.ok("cat '/var/tmp/copied files/text'")?, "it's");
    guest.ok("rm -r '/var/tmp/copied files'")?;
    Ok(())
}

fn commands_have_a_limit(guest: &Guest) -> Outcome {
    let output = guest.run_within("echo before; sleep 1000", Duration::from_secs(1))?;
    assert_eq!((output.code, output.stdout.as_str()), (124, "before\n"));
    assert_eq!(guest.run("pgrep -fx 'sleep 1000'")?.code, 1, "the command still runs in the guest");
    Ok(())
}

fn containers_run_on_podman(guest: &Guest) -> Outcome {
    assert_eq!(guest.ok("podman run --rm localhost/busybox:latest echo hello")?, "hello");
    // From inside a bridge network, the simulator's address is the guest's own.
    let command = "busybox nc -l -p 8099 -e echo reached & podman run --rm localhost/busybox:latest \
        nc -w 30 github.localhost 8099";
    assert_eq!(guest.ok(command)?, "reached");
    Ok(())
}

fn runner_image_looks_official(guest: &Guest) -> Outcome {
    guest.add_runner_image(&RunnerPrograms::placeholder(), Engine::Podman)?;
    runner_image_is_right(guest, Engine::Podman)
}

fn runner_image_on_docker(guest: &Guest) -> Outcome {
    guest.ok("systemctl start docker.service")?;
    guest.add_runner_image(&RunnerPrograms::placeholder(), Engine::Docker)?;
    runner_image_is_right(guest, Engine::Docker)?;
    guest.ok("systemctl stop docker.service docker.socket containerd.service")?;
    Ok(())
}

fn runner_image_is_right(guest: &Guest, engine: Engine) -> Outcome {
    let engine = engine.command();
    let config = guest.ok(&format!(
        "{engine} image inspect --format '{{{{.Config.User}}}} {{{{.Config.WorkingDir}}}} {{{{.Config.Entrypoint}}}}' {RUNNER_IMAGE}"
    ))?;
    assert_eq!(config, "runner /home/runner []");
    let script = "id -un; id -Gn; pwd; stat -c '%U:%G' run.sh bin/Runner.Listener; sudo id -u; \
        git --version >&2; curl --version >&2; docker --version >&2; setpriv --version >&2; \
        echo $ImageOS $RUNNER_MANUALLY_TRAP_SIG $ACTIONS_RUNNER_PRINT_LOG_TO_STDOUT; ./config.sh";
    let seen = guest.ok(&format!("{engine} run --rm {RUNNER_IMAGE} bash -ec {}", single_quoted(script)))?;
    let expected = "runner\nrunner sudo docker\n/home/runner\nrunner:docker\nrunner:docker\n0\nubuntu24 1 1\nplaceholder config.sh";
    assert_eq!(seen, expected);
    Ok(())
}

fn single_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn reboot_comes_back(guest: &Guest) -> Outcome {
    guest.ok("touch /var/lib/stays")?;
    let before = guest.ok("cat /proc/sys/kernel/random/boot_id")?;
    guest.reboot()?;
    assert_ne!(guest.ok("cat /proc/sys/kernel/random/boot_id")?, before);
    guest.ok("test -e /var/lib/stays && rm /var/lib/stays")?;
    guest.ok("journalctl --list-boots --no-pager | grep -q -- '-1'")?;
    Ok(())
}
