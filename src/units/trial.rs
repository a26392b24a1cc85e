//! A drop-in that starts a runner on another image than its unit names, once: the image gets its name when it has proved itself.

use super::syntax::UnitText;
use super::{MARKER, container};
use crate::config::Image;

/// The drop-in for `unit`, the text that systemd has read (Quadlet's generator wrote it, or we did): the same command with the image `id` in the place
/// of `image`. `None` where the unit does not run `image`.
#[must_use]
pub fn trial(unit: &str, image: &Image, id: &str) -> Option<String> {
    let command = unit.lines().find_map(|line| line.strip_prefix("ExecStart")?.strip_prefix('='))?;
    let [_, script] = container::entrypoint();
    // Neither has a character that would be quoted.
    let options = command.strip_suffix(&format!(" {image} {script}"))?;
    let mut text = UnitText::with_comment(&[MARKER.trim_start_matches("# ")]);
    text.section("Service").plain("ExecStart", "").plain("ExecStart", format!("{options} {id} {script}"));
    Some(text.finish())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    const SCRIPT: &str = "/run/homelab-runner/scripts/entrypoint.sh";

    #[test]
    fn the_command_is_the_same_but_for_the_image() {
        let image: Image = "x.y/runner:stable".parse().unwrap();
        let unit = format!(
            "[Service]\nExecStartPre=/bin/true x.y/runner:stable {SCRIPT}\nExecStart=podman run \"--env=A=50%% x.y/runner:stable $$B\" x.y/runner:stable {SCRIPT}\nExecStop=podman rm\n"
        );
        let expected = format!(
            "{MARKER}\n\n[Service]\nExecStart=\nExecStart=podman run \"--env=A=50%% x.y/runner:stable $$B\" abc {SCRIPT}\n"
        );
        assert_eq!(trial(&unit, &image, "abc").unwrap(), expected);
    }

    #[test]
    fn a_unit_that_runs_another_image_has_no_trial() {
        let image: Image = "x.y/runner:stable".parse().unwrap();
        for runs in ["x.y/runner:stable2", "x.y/runner:other", "ax.y/runner:stable"] {
            let unit = format!("[Service]\nExecStart=podman run {runs} {SCRIPT}\n");
            assert_eq!(trial(&unit, &image, "abc"), None, "{runs}");
        }
        assert_eq!(trial("", &image, "abc"), None);
    }
}
