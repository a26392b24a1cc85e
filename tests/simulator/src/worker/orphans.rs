//! Processes that a workflow job left behind are recognised by a variable of their environment and killed.

use std::fs;

use rustix::process::{Pid, Signal, kill_process};

/// Kills every process that carries the tracking id and returns a line about each.
pub(crate) fn clean_up(tracking_id: &str) -> String {
    let marker = format!("RUNNER_TRACKING_ID={tracking_id}");
    let mut log = String::from("Cleaning up orphan processes\n");
    let Ok(entries) = fs::read_dir("/proc") else { return log };
    for entry in entries.flatten() {
        let id = entry.file_name().to_string_lossy().parse::<i32>().ok().and_then(Pid::from_raw);
        let Some(pid) = id else { continue };
        let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
        if environment.split(|byte| *byte == 0).any(|variable| variable == marker.as_bytes()) {
            let name = fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
            let line =
                format!("Terminate orphan process: pid ({}) ({})\n", pid.as_raw_nonzero(), name.trim_end());
            if kill_process(pid, Signal::KILL).is_ok() {
                log.push_str(&line);
            }
        }
    }
    log
}
