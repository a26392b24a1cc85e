//! The peer with nothing around Podman: four `podman run --detach` at once, with the arguments of the rendered services.

use homelab_runners_vm::ssh::quoted;
use homelab_runners_vm::{Error, Result};

use crate::fleet::{DIRECTORY, FIRST, Fleet, NAMES};
use crate::online::Way;
use crate::unit_words::podman_arguments;

/// The way, its script already in the guest.
pub(crate) fn way(fleet: &Fleet) -> Result<Way> {
    let runs = runs(fleet)?;
    if runs.len() != NAMES.len() {
        return Err(Error::Unsupported(format!("{} services instead of {}", runs.len(), NAMES.len())));
    }
    way_of(fleet, &runs, &NAMES)
}

/// The same for the first runner alone.
pub(crate) fn way_of_one(fleet: &Fleet) -> Result<Way> {
    way_of(fleet, &runs(fleet)?.into_iter().take(1).collect::<Vec<_>>(), &[FIRST])
}

/// The arguments of `podman` for each runner.
pub(crate) fn runs(fleet: &Fleet) -> Result<Vec<Vec<String>>> {
    podman_arguments(&fleet.guest().ok("runnerctl generate --format service")?)
}

fn way_of(fleet: &Fleet, runs: &[Vec<String>], names: &[&str]) -> Result<Way> {
    let path = format!("{DIRECTORY}/podman-{}.sh", names.len());
    fleet.guest().write(&path, &script(runs))?;
    Ok(Way {
        name: "bare podman run",
        start: format!("bash {path}"),
        // Interrupted like our own, so that the listeners end their sessions; `--rm` removes the containers.
        stop: format!("podman stop --ignore {}", names.join(" ")),
    })
}

/// All at once, and failing if one of them fails.
fn script(runs: &[Vec<String>]) -> String {
    let mut lines = vec!["processes=()".to_owned()];
    for arguments in runs {
        let words: Vec<String> = arguments.iter().map(|word| quoted(word)).collect();
        lines.push(format!("podman {} >/dev/null & processes+=($!)", words.join(" ")));
    }
    lines.push("for process in \"${processes[@]}\"; do wait \"$process\" || exit; done\n".to_owned());
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::script;

    #[test]
    fn each_run_has_its_own_process_and_all_are_waited_for() {
        let script = script(&[vec!["run".to_owned(), "it's".to_owned()], vec!["run".to_owned()]]);
        let expected = "processes=()\n\
                        podman 'run' 'it'\\''s' >/dev/null & processes+=($!)\n\
                        podman 'run' >/dev/null & processes+=($!)\n\
                        for process in \"${processes[@]}\"; do wait \"$process\" || exit; done\n";
        assert_eq!(script, expected);
    }
}
