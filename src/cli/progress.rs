//! What is said about a plan and its steps: the same words for `diff`, `--dry-run` and the real run.

use super::output;
use crate::fleet::plan::{HeldBack, Step};

/// A step in words.
pub(super) fn words(step: &Step) -> String {
    match step {
        Step::AddAccount(account) => format!("make the account {}", account.name()),
        Step::RemoveAccount(account) => format!("remove the account {} and its images", account.name()),
        Step::Stop(unit) => format!("stop {unit}"),
        Step::Remove(path) => format!("remove {}", path.display()),
        Step::Write(file) => format!("write {}", file.path.display()),
        Step::Reload => "reload systemd".to_owned(),
        Step::Enable(unit) => format!("enable {unit}"),
        Step::Disable(unit) => format!("disable {unit}"),
        Step::Start(units) => format!("start {} and wait until online", units.join(" ")),
        Step::Restart(units) => format!("restart {} and wait until online", units.join(" ")),
    }
}

/// Tells which runners were left alone.
pub(super) fn tell_held_back(held_back: &[(u16, HeldBack)]) {
    for (number, what) in held_back {
        let text = match what {
            HeldBack::Restart => {
                format!("runner {number} runs a workflow job: it takes its new unit at its next start")
            }
            HeldBack::Removal => format!("runner {number} runs a workflow job: it is left as it is"),
        };
        output::warn(
            &text,
            Some("run this again when it is idle, or with --force (the workflow job is cancelled)"),
        );
    }
}

/// Tells which runners would be waited for.
pub(super) fn tell_waiting(held_back: &[(u16, HeldBack)]) {
    for (number, _) in held_back {
        output::say(&format!("runner {number} runs a workflow job: its end would be waited for"));
    }
}
