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
pub(super) fn socket(fleet: &Fleet) -> String {
    let mut text = begin("Address of the report server of GitHub Actions runners");
    // Not PartOf= the target: reports can be read while the runners are down.
    text.section("Socket")
        .plain("ListenStream", fleet.reports.listen)
        // An address that comes later than this unit at boot, such as that of a VPN.
        .plain("FreeBind", "yes");
    text.finish()
}

/// The text of `homelab-reports.service`.
pub(super) fn service(fleet: &Fleet, programs: &Programs) -> String {
    let is_system = fleet.layout.scope == Scope::System;
    let reports = fleet.layout.reports.display();
    let runnerctl = programs.runnerctl.display().to_string();
    let mut text = begin("Report server of GitHub Actions runners");
    text.plain("Requires", names::REPORTS_SOCKET).plain("After", names::REPORTS_SOCKET);
    if is_system {
        text.plain("RequiresMountsFor", &reports);
    }
    // The directory is made by whoever comes first, a runner or a visitor; by root, outside of what the server sees.
    let make = ["unit-step", "prepare-reports", &format!("--reports-dir={reports}")].map(str::to_owned);
    let make: Vec<String> = std::iter::once(runnerctl.clone()).chain(make).collect();
    text.section("Service")
        // A certificate that is no good fails the start, not the first visitor.
        .plain("Type", "notify")
        .command("ExecStartPre", if is_system { "+" } else { "" }, &make)
        .plain("ExecStart", serve(fleet, &runnerctl))
        .plain("TimeoutStopSec", "20s");
    if let (Some(tls), true) = (&fleet.reports.tls, is_system) {
        // systemd reads them as root; the server finds copies of its own.
        text.plain("LoadCredential", format!("certificate:{}", tls.certificate))
            .plain("LoadCredential", format!("key:{}", tls.key));
    }
    share(&mut text);
    if is_system {
        view(&mut text, &runnerctl, &reports.to_string());
        hardening::of_reports(&mut text);
    }
    hardening::of_any_report_server(&mut text);
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
    text.plain("Slice", "homelab.slice")
        // Half of what the runners together may claim, where all want more than there is.
        .plain("CPUWeight", 50)
        .plain("MemoryMax", "512M")
        .plain("TasksMax", 100);
}

/// An empty file system but for its program, what that is made of, and the reports; none of it to be written to.
fn view(text: &mut UnitText, runnerctl: &str, reports: &str) {
    let program = word(runnerctl);
    text.plain("TemporaryFileSystem", "/:ro")
        .plain("MountAPIVFS", "yes")
        // systemd ≥ 257 would show the journal's sockets; older ones do not, and pass over the key.
        .plain("BindLogSockets", "no")
        .plain("BindReadOnlyPaths", LIBRARIES)
        .plain("BindReadOnlyPaths", &program)
        .plain("BindReadOnlyPaths", format!("{reports}:{REPORTS_INSIDE}"))
        .plain("BindReadOnlyPaths", "/run/systemd/notify")
        // Nothing that a workflow left there can be run.
        .plain("NoExecPaths", "/")
        .plain("ExecPaths", format!("{program} {LIBRARIES}"));
}

fn begin(description: &str) -> UnitText {
    let mut text = UnitText::with_comment(&[MARKER.trim_start_matches("# ")]);
    text.section("Unit").text("Description", description).plain("Documentation", "man:runnerctl(1)");
    text
}
