//! A fleet whose host is a GitHub App: its runners register by themselves, and what the fleet has no more is removed at GitHub.

use homelab_runners_vm::Guest;
use homelab_runners_vm::product::REPOSITORY;
use serde_json::{Value, json};

use crate::bed::{Outcome, Scenario};
use crate::fleet::{CREDENTIAL, Fleet, NAMES, Way};
use crate::secrets;

pub(crate) const SCENARIOS: &[Scenario] = &[
    ("an_app_registers_runners_and_gc_removes_what_the_fleet_has_no_more", registers_and_removes),
    ("an_apps_key_and_tokens_are_not_exposed", is_not_exposed),
];

/// A key that guards nothing, in the form in which GitHub hands out the keys of Apps.
const PRIVATE_KEY: &str = include_str!("../../../simulator/tests/simulator/app-key.pem");

/// What GitHub keeps of it.
const PUBLIC_KEY: &str = "-----BEGIN RSA PUBLIC KEY-----
MIIBCgKCAQEA6Z2EbFP1adaUQnkXMaP7q9Bvm4+00xdKxmjI/UhlaGvh2eZag1IK
PM/v5LZ0i/TmHDF5nByE+45q/6DVj4TgJQo18VbtuKyigZDC4ckJpjfWjeVXQRKd
RehmBnhL0LX8Ci6jCuwClMfcZSAjTGZ5KTLjq8ofR463zV+NYO4ljkkN841CBabB
x70j3UZwPz9uZffdsyhxcUl467jCC4a9SXt5PQR2dzFIx81Bkk61W4WPugdzDPMF
TVoPyrjU6quVJ/ieCkW0gOd/E8ESEd9fSp86CoQs4tcgzWxzTaT7XJYMzm5Ygi0u
gdKfCdA+s6mA9pz3ECjaIn4co/cl/WCMnQIDAQAB
-----END RSA PUBLIC KEY-----
";

/// All of GitHub's API that is about runners.
const RUNNERS: &str = "/repos/acme/shop/actions/runners";

/// A runner of somebody else, though its name is the one that this fleet would give to a fifth.
const FOREIGN: &str = "homelab-runner-5";

/// The config of the App, in the place of the personal access token, which waits beside it.
fn become_app(guest: &Guest) -> Outcome<String> {
    let app = guest.simulator().post("/apps", &json!({ "public_key": PUBLIC_KEY }))?;
    let id = app.get("id").and_then(Value::as_u64).ok_or("no App")?;
    let permissions = json!({ "administration": "write", "actions": "read" });
    let installation = json!({ "account": "acme", "permissions": permissions });
    guest.simulator().post(&format!("/apps/{id}/installations"), &installation)?;
    guest.ok(&format!("mv {CREDENTIAL} {CREDENTIAL}.pat"))?;
    guest.write(CREDENTIAL, PRIVATE_KEY)?;
    guest.ok(&format!("chmod 600 {CREDENTIAL}"))?;
    let client_id = app.get("client_id").and_then(Value::as_str).ok_or("no client id")?;
    Ok(format!("\n\ncredential = \"app\"\nclient_id = \"{client_id}\""))
}

fn become_person_again(fleet: &Fleet<'_>) -> Outcome {
    fleet.guest.ok(&format!("mv {CREDENTIAL}.pat {CREDENTIAL}"))?;
    fleet.configure("")?;
    let back = fleet.runnerctl("install-units")?;
    assert_eq!(back.code, 0, "{back}");
    fleet.wait_online(&NAMES)?;
    Ok(())
}

/// Somebody else's host registers a runner, with a credential of its own.
fn register_foreign(guest: &Guest) -> Outcome {
    let token = guest.simulator().personal_access_token(&["repo"])?;
    guest.write("/run/foreign-header", &format!("Authorization: Bearer {token}\n"))?;
    let body = json!({ "name": FOREIGN, "runner_group_id": 1, "labels": ["theirs"] });
    guest.ok(&format!(
        "curl -sf --max-time 60 -o /dev/null -H @/run/foreign-header -d '{body}' http://api.github.localhost{RUNNERS}/generate-jitconfig && rm /run/foreign-header"
    ))?;
    Ok(())
}

/// Runner 4 leaves the fleet while GitHub's API is down, so that GitHub keeps it; `gc` removes that one and no other. When the fleet has it again, it registers by itself.
fn registers_and_removes(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, Way::PodmanService)?;
    let app = become_app(guest)?;
    let down = json!({ "path_prefix": RUNNERS, "kind": "status", "status": 503 });
    guest.simulator().post("/faults", &down)?;
    fleet.configure(&format!("count = 3{app}"))?;
    let fewer = fleet.runnerctl("install-units")?;
    guest.simulator().delete("/faults")?;
    assert_eq!(fewer.code, 0, "{fewer}");
    assert_eq!(
        guest.simulator().names()?,
        NAMES,
        "GitHub keeps what it could not be asked to remove: {fewer}"
    );

    register_foreign(guest)?;
    let dry = fleet.runnerctl("gc --dry-run")?;
    assert!(dry.code == 0 && dry.stdout.contains("would remove homelab-runner-4 (id "), "{dry}");
    assert_eq!(dry.stdout.matches("would remove").count(), 1, "{dry}");
    let gc = fleet.runnerctl("gc")?;
    assert!(gc.code == 0 && gc.stdout.contains("homelab-runner-4: removed at GitHub"), "{gc}");
    let left = ["homelab-runner-1", "homelab-runner-2", "homelab-runner-3", FOREIGN];
    assert_eq!(guest.simulator().names()?, left);
    let again = fleet.runnerctl("gc")?;
    assert!(again.code == 0 && again.stdout.contains("nothing to remove"), "{again}");
    guest.simulator().delete(&format!("/runners/{FOREIGN}"))?;

    fleet.configure(&app)?;
    let more = fleet.runnerctl("install-units")?;
    assert_eq!(more.code, 0, "{more}");
    fleet.wait_online(&NAMES)?;
    let asked = guest.simulator().get("/journal")?;
    let asked = asked.as_array().map(Vec::as_slice).unwrap_or_default();
    let is_token = |entry: &&Value| {
        entry.get("path").and_then(Value::as_str).is_some_and(|path| path.ends_with("/access_tokens"))
    };
    assert!(
        asked.iter().any(|entry| is_token(&entry)),
        "nobody asked for a token of the App's at {REPOSITORY}"
    );
    become_person_again(&fleet)
}

fn is_not_exposed(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, Way::PodmanService)?;
    let app = become_app(guest)?;
    fleet.configure(&app)?;
    let install = fleet.runnerctl("install-units")?;
    assert_eq!(install.code, 0, "{install}");
    // Its runners have registered with it.
    let before = fleet.property(2, "InvocationID")?;
    guest.simulator().delete("/runners/homelab-runner-2")?;
    fleet.wait_started_again(2, &before)?;
    // Four tokens, four keys of runners, the lines of the App's own, and what every token of an installation begins with.
    let lines = PRIVATE_KEY.lines().filter(|line| !line.starts_with('-')).count();
    secrets::are_not_exposed(&fleet, &format!("searched 11 places for {} secrets", 4 + 4 + lines + 1))?;
    become_person_again(&fleet)
}
