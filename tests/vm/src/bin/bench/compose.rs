//! The peer with Compose: `podman-compose up -d` of the file that `runnerctl generate --format compose` gives.

use homelab_runners_vm::Result;

use crate::fleet::{DIRECTORY, Fleet};
use crate::online::Way;

/// The way, its file already in the guest.
pub(crate) fn way(fleet: &Fleet) -> Result<Way> {
    let guest = fleet.guest();
    let text = guest.ok("runnerctl generate --format compose")?;
    let path = format!("{DIRECTORY}/compose.yaml");
    guest.write(&path, &without_secrets(&text))?;
    Ok(Way {
        name: "podman-compose",
        start: format!("podman-compose -f {path} up -d"),
        stop: format!("podman-compose -f {path} down"),
    })
}

/// podman-compose 1.3 refuses secrets that come from the environment ("unparsable secret"). The runners are registered and
/// need none, so the peer gets the same file without them.
fn without_secrets(compose: &str) -> String {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut kept = String::new();
    let mut left_out: Option<usize> = None;
    for line in compose.lines() {
        if left_out.is_some_and(|secrets| indent(line) > secrets) {
            continue;
        }
        left_out = (line.trim() == "secrets:").then(|| indent(line));
        if left_out.is_none() {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::without_secrets;

    #[test]
    fn secrets_go_and_all_else_stays() {
        let file = "services:\n  \"a\":\n    volumes:\n      - \"x\"\n    secrets:\n      - source: t-1\n        target: /t\n    \
                    healthcheck:\n      retries: 3\nsecrets:\n  t-1:\n    environment: RUNNER_TOKEN_1\n";
        let expected =
            "services:\n  \"a\":\n    volumes:\n      - \"x\"\n    healthcheck:\n      retries: 3\n";
        assert_eq!(without_secrets(file), expected);
    }
}
