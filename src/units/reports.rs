//! `homelab-reports.socket` and `.service`: the report server, systemd.socket(5), systemd.service(5), systemd.exec(5).
//!
//! The socket is there all the time; the server comes with the first visitor and goes when nobody has come for a while. So a memory that nobody looks at costs
//! nothing, and whatever was put in the place of the reports directory or of the certificate is found by the next start at the latest.

use super::syntax::{UnitText, word};
use super::{MARKER, Programs, hardening};
use crate::config::Tls;
use crate::fleet::{Fleet, Scope, names};

/// Where the server finds the reports in its file system.
const REPORTS_INSIDE: &str = "/reports";

/// What the server is made of beside its own program. Those with a dash are there on some hosts only: the links of a merged `/usr`, and what NixOS has instead.
const LIBRARIES: &str = "-/lib -/lib64 -/usr/lib -/usr/lib64 -/nix/store";

/// Nobody came for so long, and the server ends.
const IDLE: &str = "10m";

/// The text of `homelab-reports.socket`.
pub(super) fn socket(fleet: &Fleet, programs: &Programs) -> String {
    let layout = &fleet.layout;
    let mut text = begin("Address of the report server of GitHub Actions runners");
    // Not PartOf= the target: reports can be read while the runners are down.
    if layout.scope == Scope::System {
        text.plain("RequiresMountsFor", layout.reports.display());
    }
    // What the server sees has to be there before it starts; the socket's programs run outside of the server's file system.
    let mut prepare = vec![programs.runnerctl.display().to_string()];
    prepare.extend(["unit-step", "prepare-reports"].map(str::to_owned));
    prepare.push(format!("--reports-dir={}", layout.reports.display()));
    if layout.scope == Scope::System {
        prepare.push(format!("--server-root={}", layout.report_server_root().display()));
    }
    text.section("Socket")
        .command("ExecStartPre", "", &prepare)
        .plain("ListenStream", fleet.reports.listen)
        // An address that comes later than this unit at boot, such as that of a VPN.
        .plain("FreeBind", "yes");
    text.finish()
}

/// The text of `homelab-reports.service`.
pub(super) fn service(fleet: &Fleet, programs: &Programs) -> String {
    let is_system = fleet.layout.scope == Scope::System;
    let runnerctl = programs.runnerctl.display().to_string();
    let mut text = begin("Report server of GitHub Actions runners");
    text.plain("Requires", names::REPORTS_SOCKET).plain("After", names::REPORTS_SOCKET);
    if is_system {
        text.plain("RequiresMountsFor", fleet.layout.reports.display());
    }
    text.section("Service")
        // A certificate that is no good fails the start, not the first visitor.
        .plain("Type", "notify")
        .plain("ExecStart", serve(fleet, &runnerctl))
        .plain("TimeoutStopSec", "20s");
    if let (Some(tls), true) = (&fleet.reports.tls, is_system) {
        // systemd reads them as root; the server finds copies of its own.
        text.plain("LoadCredential", format!("certificate:{}", tls.certificate))
            .plain("LoadCredential", format!("key:{}", tls.key));
    }
    share(&mut text);
    if is_system {
        view(&mut text, fleet, &runnerctl);
        hardening::of_reports(&mut text);
    }
    hardening::of_any_server(&mut text, "AF_UNIX");
    text.finish()
}

/// `%d` is the directory of the credentials, so these words are not quoted as a whole.
fn serve(fleet: &Fleet, runnerctl: &str) -> String {
    let (directory, tls) = match (&fleet.reports.tls, fleet.layout.scope) {
        (Some(_), Scope::System) => (REPORTS_INSIDE.to_owned(), credentials()),
        (None, Scope::System) => (REPORTS_INSIDE.to_owned(), String::new()),
        (tls, Scope::User) => {
            (fleet.layout.reports.display().to_string(), tls.as_ref().map(files).unwrap_or_default())
        }
    };
    let directory = word(&format!("--directory={directory}"));
    format!("{} reports serve {directory} --idle-exit={IDLE}{tls}", word(runnerctl))
}

fn credentials() -> String {
    " --tls-certificate=%d/certificate --tls-key=%d/key".to_owned()
}

fn files(tls: &Tls) -> String {
    format!(
        " {} {}",
        word(&format!("--tls-certificate={}", tls.certificate)),
        word(&format!("--tls-key={}", tls.key))
    )
}

/// Beside the fleet's slice, not in it: runners that use all of `[fleet_limits]` do not keep the reports from being read, and the reports have a ceiling of their own.
fn share(text: &mut UnitText) {
    text.plain("Slice", names::OUTER_SLICE)
        // Half of what the runners together may claim, where all want more than there is.
        .plain("CPUWeight", 50)
        .plain("MemoryMax", "512M")
        .plain("TasksMax", 100);
}

/// A file system of its own: its program, what that is made of, and the reports; none of it to be written to.
fn view(text: &mut UnitText, fleet: &Fleet, runnerctl: &str) {
    // Not TemporaryFileSystem=/: the ProtectSystem=strict that comes with DynamicUser= is about the same directory, and wins.
    text.plain("RootDirectory", fleet.layout.report_server_root().display())
        .plain("MountAPIVFS", "yes")
        // systemd ≥ 257 would show the journal's sockets; older ones do not, and pass over the key.
        .plain("BindLogSockets", "no")
        .plain("BindReadOnlyPaths", LIBRARIES)
        .plain("BindReadOnlyPaths", word(runnerctl))
        .plain("BindReadOnlyPaths", format!("{}:{REPORTS_INSIDE}", fleet.layout.reports.display()))
        // What a workflow left there cannot be run.
        .plain("NoExecPaths", REPORTS_INSIDE);
}

fn begin(description: &str) -> UnitText {
    let mut text = UnitText::with_comment(&[MARKER.trim_start_matches("# ")]);
    text.section("Unit").text("Description", description).plain("Documentation", "man:runnerctl(1)");
    text
}
