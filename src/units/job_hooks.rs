//! What the job hooks have to know of `[reports]`. In a file of its own beside them and not in the container's environment: it may change, and no runner is
//! restarted for it; the next workflow job sees it.

use std::fmt::Write as _;

use super::MARKER;
use crate::config::Reports;

/// The text of `reports.conf`: `NAME=VALUE` lines, whose values have no line break. Read by `src/runner/report.sh`.
pub(super) fn settings(reports: &Reports) -> String {
    let mut text = format!("{MARKER}\n");
    let mut put = |name: &str, value: &str| {
        // Writing to a string cannot fail.
        let _written = writeln!(text, "{name}={value}");
    };
    put("layout", &reports.layout.to_string());
    // Without a server of ours or an address in the config nobody knows where a report can be seen.
    if reports.serve || reports.url.is_some() {
        put("url", &reports.url());
    }
    if reports.clean_workspace {
        put("clean_workspace", "1");
    }
    text
}
