//! The table of `runnerctl status`.

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};

use super::{ImageAge, RunnerStatus};

const GIBIBYTE: f64 = 1_073_741_824.0;
const MEBIBYTE: f64 = 1_048_576.0;
const KIBIBYTE: f64 = 1024.0;

/// The fleet as a table for people; `since` turns a time stamp into the reader's words.
#[must_use]
pub fn table(runners: &[RunnerStatus], since: &dyn Fn(&str) -> String) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header([
        "N",
        "RUNNER",
        "STATE",
        "HEALTH",
        "SINCE",
        "RESTARTS",
        "CPU",
        "MEMORY",
        "IMAGE",
        "REGISTERED",
    ]);
    for runner in runners {
        table.add_row([
            runner.number.to_string(),
            runner.name.clone(),
            runner.word().to_owned(),
            runner.health.clone().unwrap_or_else(|| "-".to_owned()),
            runner.since.as_deref().map_or("-".to_owned(), since),
            runner.restarts.to_string(),
            cpu(runner.cpu_percent, runner.cpu_quota_percent).unwrap_or_else(|| "-".to_owned()),
            memory(runner.memory_bytes, runner.memory_max_bytes).unwrap_or_else(|| "-".to_owned()),
            image(runner),
            registered(runner),
        ]);
    }
    for column in [0, 5] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    if let Some(first) = table.column_mut(0) {
        first.set_padding((0, 1));
    }
    table.trim_fmt()
}

/// Percent of one core in use, against the quota where there is one; `None` where nothing is in use.
#[must_use]
pub fn cpu(percent: Option<f64>, quota: Option<f64>) -> Option<String> {
    let now = percent?;
    Some(quota.map_or_else(|| format!("{now:.0}%"), |quota| format!("{now:.0}% of {quota:.0}%")))
}

/// Bytes in use, against the limit where there is one; `None` where nothing is in use.
#[must_use]
pub fn memory(bytes: Option<u64>, limit: Option<u64>) -> Option<String> {
    let now = size(bytes?);
    Some(limit.map_or_else(|| now.clone(), |limit| format!("{now} of {}", size(limit))))
}

/// The runner's version, where the reference names it, and the age of the image.
fn image(runner: &RunnerStatus) -> String {
    match &runner.image {
        None => "-".to_owned(),
        Some(ImageAge { runner_version: Some(version), days, .. }) => format!("{version}, {days}d old"),
        Some(ImageAge { days, .. }) => format!("{days}d old"),
    }
}

fn registered(runner: &RunnerStatus) -> String {
    match (runner.registered, runner.token.as_deref()) {
        (None, _) => "unknown (needs root)".to_owned(),
        (Some(true), _) if runner.ephemeral => "for one workflow job".to_owned(),
        (Some(true), _) => "yes".to_owned(),
        (Some(false), Some("present")) => "no, token present".to_owned(),
        (Some(false), Some("missing")) => "no, token missing".to_owned(),
        (Some(false), _) => "no".to_owned(),
    }
}

/// Bytes as people read them: `12K`, `300M`, `4.0G`.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "shown with one digit behind the point")]
pub fn size(bytes: u64) -> String {
    let bytes = bytes as f64;
    if bytes >= GIBIBYTE {
        format!("{:.1}G", bytes / GIBIBYTE)
    } else if bytes >= MEBIBYTE || bytes == 0.0 {
        format!("{:.0}M", bytes / MEBIBYTE)
    } else {
        format!("{:.0}K", (bytes / KIBIBYTE).ceil())
    }
}

/// So many seconds as systemctl says them: the two largest units, `3h 5min`.
#[must_use]
pub fn span(seconds: i64) -> String {
    let seconds = seconds.max(0);
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, minutes) => format!("{minutes}min"),
        (0, hours, minutes) => format!("{hours}h {minutes}min"),
        (days, hours, _) => format!("{days}d {hours}h"),
    }
}
