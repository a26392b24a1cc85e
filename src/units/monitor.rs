//! `homelab-runners-monitor.socket` and `.service`: the monitor; `homelab-runners-heal.socket` and `homelab-runners-heal@.service`: who restarts for it, systemd.socket(5),
//! systemd.service(5), systemd.exec(5).
//!
//! The monitor answers HTTP and reads what comes from GitHub and from containers, so under the host's systemd it runs as a user without rights, and cannot restart anything. It asks a
//! helper that runs as root for a moment, through a socket that lies in a directory of root's alone and is mounted into the monitor's view.

use std::path::PathBuf;
use std::time::Duration;

use super::syntax::{UnitText, word};
use super::{MARKER, Programs, hardening, launch};
use crate::config::AbsolutePath;
use crate::fleet::{Fleet, Scope, names};
use crate::runner;

/// The monitor is killed and started again if it has said nothing for so long; it says something each time that it looks at the containers.
const WATCHDOG: &str = "30s";

/// What the helper has for itself beside the restart: to be asked, to ask systemd, to answer.
const HELPER_MARGIN: Duration = Duration::from_secs(60);

/// The text of `homelab-runners-monitor.socket`.
pub(super) fn socket(fleet: &Fleet, programs: &Programs) -> String {
    let mut text = begin("Address of the monitor of GitHub Actions runners");
    // Not PartOf= the target: what is the matter can be read while the runners are down.
    text.section("Socket");
    if fleet.layout.scope == Scope::System {
        // Here, since systemd looks for the service's user before that service runs anything.
        let prepare = [&programs.runnerctl.display().to_string(), "unit-step", "prepare-monitor"];
        text.command("ExecStartPre", "-", &prepare);
    }
    text.plain("ListenStream", fleet.monitor.listen)
        // An address that comes later than this unit at boot, such as that of a VPN.
        .plain("FreeBind", "yes");
    text.finish()
}

/// The text of `homelab-runners-monitor.service`.
pub(super) fn service(fleet: &Fleet, programs: &Programs) -> String {
    let is_system = fleet.layout.scope == Scope::System;
    let mut text = begin("Monitor of GitHub Actions runners");
    text.plain("Requires", names::MONITOR_SOCKET).plain("After", names::MONITOR_SOCKET);
    if fleet.has_heal_helper() {
        // A socket that is made anew is another one: the monitor has to be started again to see it.
        text.plain("Requires", names::HEAL_SOCKET).plain("After", names::HEAL_SOCKET);
    }
    text.plain("StartLimitIntervalSec", 0)
        // For `install-units`, and for a switch of NixOS: another config is another unit. systemd itself passes over the key.
        .plain("X-Restart-Triggers", watched(fleet))
        .section("Service")
        .plain("Type", "notify")
        .plain("ExecStart", monitor(fleet, programs))
        .plain("Restart", "always")
        .plain("RestartSec", "2s")
        .plain("WatchdogSec", WATCHDOG)
        // Not SIGABRT: what it knows is in its log, and a core dump would hold the credential.
        .plain("WatchdogSignal", "SIGKILL")
        .plain("TimeoutStopSec", "10s");
    share(&mut text);
    if is_system {
        inputs(&mut text, fleet);
        view(&mut text, fleet, programs);
        hardening::of_monitor(&mut text);
    }
    hardening::of_any_server(&mut text, "AF_UNIX AF_INET AF_INET6");
    text.finish()
}

/// The text of `homelab-runners-heal.socket`.
pub(super) fn heal_socket(fleet: &Fleet) -> String {
    let mut text = begin("Where the monitor of GitHub Actions runners asks for a restart");
    text.section("Socket")
        .plain("ListenStream", fleet.layout.heal_socket().display())
        // The directory keeps everybody out; whoever has the socket itself in their view may write to it.
        .plain("DirectoryMode", "0700")
        .plain("SocketMode", "0666")
        .plain("RemoveOnStop", "yes")
        .plain("Accept", "yes")
        // The monitor asks once at a time.
        .plain("MaxConnections", 4);
    text.finish()
}

/// The text of `homelab-runners-heal@.service`.
pub(super) fn heal_service(fleet: &Fleet, programs: &Programs) -> String {
    let limit = fleet.unit_limit();
    let count = fleet.runners.len();
    let mut text = begin("Restarts a GitHub Actions runner whose session is lost, if it is idle");
    // One that is asked in vain is no failed unit for ever.
    text.plain("CollectMode", "inactive-or-failed")
        .section("Service")
        .plain(launch::LEFT_BY_SWITCH.0, launch::LEFT_BY_SWITCH.1)
        .plain("Type", "oneshot")
        .command(
            "ExecStart",
            "",
            &[
                programs.runnerctl.display().to_string(),
                "unit-step".to_owned(),
                "heal".to_owned(),
                format!("--count={count}"),
                format!("--limit={}", limit.as_secs()),
            ],
        )
        .plain("StandardInput", "socket")
        .plain("StandardOutput", "journal")
        .plain("StandardError", "journal")
        .plain("TimeoutStartSec", format!("{}s", (limit + HELPER_MARGIN).as_secs()))
        .plain("Slice", names::OUTER_SLICE)
        .plain("MemoryMax", "64M")
        .plain("TasksMax", 20);
    hardening::of_heal(&mut text);
    text.finish()
}

/// `%d` is the directory of the credentials, so these words are not quoted as a whole.
fn monitor(fleet: &Fleet, programs: &Programs) -> String {
    let layout = &fleet.layout;
    let runnerctl = word(&programs.runnerctl.display().to_string());
    if layout.scope == Scope::User {
        let config = word(&format!("--config={}", layout.config_file.display()));
        return format!("{runnerctl} {config} --user monitor");
    }
    let heal_socket = if fleet.has_heal_helper() {
        format!(" --heal-socket={}", layout.heal_socket().display())
    } else {
        String::new()
    };
    format!("{runnerctl} --config=%d/{} monitor --as-unit{heal_socket}", names::CONFIG_CREDENTIAL)
}

/// What the monitor knows from its start on. Its place on the disk and what else is in the config is read by others.
fn watched(fleet: &Fleet) -> String {
    let Fleet { url, github, proxy, monitor, notify, timeouts, layout, .. } = fleet;
    let runners = fleet.runners.iter().map(|runner| format!("{} {}\n", runner.number, runner.name));
    let places = [&layout.state, &layout.runtime, &layout.config_file, &layout.credential_file];
    let rest = format!("{url} {github:?} {proxy:?} {monitor:?} {notify:?} {timeouts:?} {places:?}\n");
    runner::digest(&runners.chain([rest]).collect::<String>())
}

/// Beside the fleet's slice, not in it: runners that use all of `[fleet_limits]` keep nobody from seeing that, and the monitor takes nothing from them.
fn share(text: &mut UnitText) {
    text.plain("Slice", names::OUTER_SLICE)
        .plain("CPUQuota", "20%")
        .plain("MemoryMax", "128M")
        .plain("TasksMax", 100);
}

/// systemd reads them as root; the monitor finds copies of its own, so neither file has to be readable for others.
fn inputs(text: &mut UnitText, fleet: &Fleet) {
    let config = format!("{}:{}", names::CONFIG_CREDENTIAL, fleet.layout.config_file.display());
    text.text("LoadCredential", &config);
    if fleet.github.has_api() {
        launch::credential(text, fleet);
    }
    if let Some(file) = fleet.notify.webhook.as_ref().and_then(|webhook| webhook.token_file.as_ref()) {
        // Without the file it watches all the same, as without a credential for GitHub.
        text.text("LoadCredential", &format!("{}:{}", names::NOTIFY_CREDENTIAL, file.as_path().display()))
            .plain("SetCredential", format!("{}:#", names::NOTIFY_CREDENTIAL));
    }
    text.plain("StateDirectory", "homelab-runners-monitor").plain("StateDirectoryMode", "0700");
}

/// What `ProtectHome=` hides.
const HOMES: [&str; 3] = ["/home", "/root", "/run/user"];

/// What the config or whoever installed this has in a home is shown all the same. The rest is seen without a mount, which would keep what is replaced.
fn view(text: &mut UnitText, fleet: &Fleet, programs: &Programs) {
    let certificates = fleet.proxy.ca_file.as_ref().map(AbsolutePath::as_path);
    let needed = [&programs.runnerctl, &fleet.layout.state, &fleet.layout.runtime];
    let needed = needed.into_iter().map(PathBuf::as_path).chain(certificates);
    for path in needed.filter(|path| HOMES.iter().any(|home| path.starts_with(home))) {
        text.plain("BindReadOnlyPaths", word(&format!("-{}", path.display())));
    }
    if fleet.has_heal_helper() {
        let socket = fleet.layout.heal_socket();
        // In the place of the directory that is root's alone; systemd.exec(5) has the same example.
        let directory = socket.parent().unwrap_or(socket).display();
        text.plain("TemporaryFileSystem", format!("{directory}:ro,mode=0755"))
            .plain("BindPaths", socket.display());
    }
}

fn begin(description: &str) -> UnitText {
    let mut text = UnitText::with_comment(&[MARKER.trim_start_matches("# ")]);
    text.section("Unit").text("Description", description).plain("Documentation", "man:runnerctl(1)");
    text
}
