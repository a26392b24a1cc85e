//! `homelab-runners-prune.timer` and `.service`: `runnerctl prune` every now and then, systemd.timer(5), systemd.exec(5).

use super::syntax::UnitText;
use super::{MARKER, Programs};
use crate::fleet::{Fleet, Scope, names};

/// The timer; the target wants it, and its stop stops it.
pub(super) fn timer(fleet: &Fleet) -> String {
    let mut text = begin("Frees disk space of GitHub Actions runners, from time to time");
    text.plain("PartOf", names::TARGET)
        .section("Timer")
        // Counted from the end of a run, so that two never meet.
        .plain("OnActiveSec", "1min")
        .plain("OnUnitInactiveSec", format!("{}s", fleet.prune.interval.as_secs()));
    text.finish()
}

/// What the timer starts.
pub(super) fn service(fleet: &Fleet, programs: &Programs) -> String {
    let mut text = begin("Frees disk space of idle GitHub Actions runners");
    let mut run = vec![programs.runnerctl.display().to_string()];
    run.push(format!("--config={}", fleet.layout.config_file.display()));
    run.push(format!("--engine-program={}", programs.engine.display()));
    if fleet.layout.scope == Scope::User {
        run.push("--user".to_owned());
    }
    run.push("prune".to_owned());
    text.section("Service")
        .plain("Type", "oneshot")
        .command("ExecStart", "", &run)
        // A disk of millions of small files; what is cut off is gone on with by the next run.
        .plain("TimeoutStartSec", "1h")
        // Nobody waits for it: workflow jobs come first.
        .plain("Nice", 19)
        .plain("IOSchedulingClass", "idle")
        // It reads what workflows made, and what their engines say.
        .plain("MemoryMax", "512M");
    if fleet.layout.scope == Scope::System {
        harden(&mut text, fleet);
    }
    text.finish()
}

/// It runs as root among files that others own. A user's systemd can do little of this, and the user namespace that the
/// containers' ids need is made by programs that gain privileges.
fn harden(text: &mut UnitText, fleet: &Fleet) {
    text.plain("NoNewPrivileges", "yes")
        // Reads any file, deletes other people's, and from directories with a sticky bit; nothing else of root's.
        .plain("CapabilityBoundingSet", "CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_FOWNER")
        // Deletes below the state directory alone.
        .plain("ProtectSystem", "strict")
        .plain("ProtectHome", "read-only")
        .plain("ReadWritePaths", fleet.layout.state.display())
        .plain("PrivateTmp", "yes")
        .plain("PrivateDevices", "yes")
        // systemd's bus and the runners' engines are sockets in the file system.
        .plain("PrivateNetwork", "yes")
        .plain("RestrictAddressFamilies", "AF_UNIX")
        // Control groups are read to see who is busy.
        .plain("ProtectControlGroups", "yes")
        .plain("ProtectKernelTunables", "yes")
        .plain("ProtectKernelModules", "yes")
        .plain("ProtectKernelLogs", "yes")
        .plain("ProtectClock", "yes")
        .plain("ProtectHostname", "yes")
        .plain("RestrictNamespaces", "yes")
        .plain("RestrictRealtime", "yes")
        .plain("RestrictSUIDSGID", "yes")
        .plain("LockPersonality", "yes")
        .plain("MemoryDenyWriteExecute", "yes")
        .plain("SystemCallArchitectures", "native")
        .plain("SystemCallFilter", "@system-service");
}

fn begin(description: &str) -> UnitText {
    let mut text = UnitText::with_comment(&[MARKER.trim_start_matches("# ")]);
    text.section("Unit").text("Description", description).plain("Documentation", "man:runnerctl(1)");
    text
}
