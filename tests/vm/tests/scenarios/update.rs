//! A new image goes round a part of the fleet: one that does not work, then one that does.

use homelab_runners_vm::{Guest, Result};

use crate::bed::{Outcome, Scenario};
use crate::fleet::{Fleet, NAMES, START_LIMIT, Way};

pub(crate) const SCENARIOS: &[Scenario] =
    &[("an_update_rolls_one_runner_first_and_goes_back_when_it_fails", one_first_and_back)];

/// Built here, so there is no registry to pull it from.
const IMAGE: &str = "localhost/runner:stable";

/// Gives the name to an image whose container was changed by the words of `$1`; prints its id. Quicker than `podman build`, which runs a container.
const BUILD: &str = r#"
set -euo pipefail
container=$(podman create "$image" /bin/bash)
root=$(podman mount "$container")
eval "$1"
podman unmount "$container" >/dev/null
podman commit -q "$container" "$image"
podman rm "$container" >/dev/null
"#;

fn one_first_and_back(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, Way::Quadlet)?;
    guest.write("/root/build.sh", &format!("image={IMAGE}\n{BUILD}"))?;
    guest.ok(&format!(
        "podman tag \"$(podman inspect --format '{{{{.Image}}}}' homelab-runner-3)\" {IMAGE}"
    ))?;
    fleet.configure(&format!("\n\n[runners.3]\nimage = \"{IMAGE}\"\n[runners.4]\nimage = \"{IMAGE}\"\n"))?;
    guest.ok_within("runnerctl install-units 2>&1", START_LIMIT)?;
    let rolled = fails_then_works(&fleet);
    // Whatever came of it: the other scenarios use the image that they know.
    fleet.configure("")?;
    guest.ok_within("runnerctl install-units 2>&1", START_LIMIT)?;
    guest.ok(&format!("podman rmi --force {IMAGE}; rm /root/build.sh"))?;
    fleet.wait_online(&NAMES)?;
    rolled
}

fn fails_then_works(fleet: &Fleet<'_>) -> Outcome {
    let old = meaning(fleet)?;
    let nothing = fleet.runnerctl("update 3 4")?;
    assert!(nothing.code == 0 && nothing.stdout.contains("nothing new"), "{nothing}");

    let untouched = fleet.property(4, "InvocationID")?;
    build(fleet, r#"printf '#!/bin/sh\nexit 1\n' >"$root/home/runner/bin/Runner.Listener""#)?;
    let failed = fleet.runnerctl("update 3 4")?;
    assert_eq!(failed.code, 1, "{failed}");
    for said in
        ["homelab-runner-3: tries the new image first", "it is put back", "is online with the old image"]
    {
        assert!(failed.stdout.contains(said), "{said}: {failed}");
    }
    assert_eq!((meaning(fleet)?, runs(fleet, 3)?), (old.clone(), old.clone()), "{failed}");
    assert_eq!(fleet.property(4, "InvocationID")?, untouched, "{failed}");
    fleet.wait_online(&NAMES)?;

    build(fleet, r#"touch "$root/generation-2""#)?;
    let new = meaning(fleet)?;
    assert_ne!(new, old);
    let updated = fleet.runnerctl("update 3 4")?;
    assert_eq!(updated.code, 0, "{updated}");
    assert_eq!(
        (runs(fleet, 3)?, runs(fleet, 4)?, meaning(fleet)?),
        (new.clone(), new.clone(), new),
        "{updated}"
    );
    let left = fleet.guest.ok("ls /run/systemd/system/homelab-runner@*.service.d/ 2>/dev/null || true")?;
    assert!(!left.contains(".conf"), "{left}");
    let status = fleet.runnerctl("status 3 4")?;
    assert!(status.code == 0 && status.stdout.contains("0d old"), "{status}");
    fleet.wait_online(&NAMES).map_err(Into::into)
}

fn build(fleet: &Fleet<'_>, change: &str) -> Result<String> {
    fleet.guest.ok_within(&format!("bash /root/build.sh '{}'", change.replace('\'', r"'\''")), START_LIMIT)
}

/// The image that the reference means.
fn meaning(fleet: &Fleet<'_>) -> Result<String> {
    fleet.guest.ok(&format!("podman image inspect --format '{{{{.Id}}}}' {IMAGE}"))
}

/// The image that a runner's container runs.
fn runs(fleet: &Fleet<'_>, number: u16) -> Result<String> {
    fleet.guest.ok(&format!("podman inspect --format '{{{{.Image}}}}' homelab-runner-{number}"))
}
