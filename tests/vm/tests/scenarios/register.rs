//! A fleet that has registration tokens alone: a runner that needs a new one is given it.

use homelab_runners_vm::Guest;

use crate::bed::{Outcome, Scenario};
use crate::fleet::{Fleet, NAMES, START_LIMIT, Way};

pub(crate) const SCENARIOS: &[Scenario] = &[("a_runner_that_needs_a_new_token_is_given_one", register)];

/// GitHub removes a runner, and all tokens are dead: `status` says what to do, `register` does it. A working runner is left alone, and goes back to what it had where its
/// new token is refused.
fn register(guest: &Guest) -> Outcome {
    let fleet = Fleet::running(guest, Way::Quadlet)?;
    let dead: Vec<String> = (1..=4).map(|number| format!("DEADTOKEN{number}")).collect();
    fleet.write_tokens(&dead)?;
    let working = fleet.property(1, "InvocationID")?;
    guest.simulator().delete("/runners/homelab-runner-2")?;
    guest.wait_until("it needs a token", START_LIMIT, "systemctl is-failed -q homelab-runner@2.service")?;
    let status = fleet.runnerctl("status 2")?;
    let page = "/settings/actions/runners/new and give it to `runnerctl register 2`";
    assert!(status.code == 1 && status.stdout.contains(page), "{status}");

    let token = fleet.tokens(1)?.pop().ok_or("no token")?;
    guest.write("/run/new-token", &token)?;
    let given = fleet.runnerctl("register 2 </run/new-token")?;
    guest.ok("rm /run/new-token")?;
    assert!(given.code == 0 && !given.stdout.contains(&token), "{given}");
    assert!(given.stdout.contains("homelab-runner-2: online"), "{given}");
    fleet.wait_online(&NAMES)?;
    let expected = format!(
        "RUNNER_TOKEN_1=DEADTOKEN1\nRUNNER_TOKEN_2={token}\nRUNNER_TOKEN_3=DEADTOKEN3\nRUNNER_TOKEN_4=DEADTOKEN4"
    );
    assert_eq!(guest.ok("cat /etc/homelab-runners/.env")?, expected);
    assert_eq!(guest.ok("stat -c %a /etc/homelab-runners/.env")?, "600");

    let needless = fleet.runnerctl("register 1 </dev/null")?;
    assert!(needless.code == 0 && needless.stdout.contains("needs no token"), "{needless}");
    assert_eq!(fleet.property(1, "InvocationID")?, working);
    let refused = fleet.runnerctl("register 3 --again <<<DEADTOKEN9")?;
    assert!(refused.code == 1 && refused.stdout.contains("goes back to the registration"), "{refused}");
    fleet.wait_online(&NAMES)?;
    Ok(())
}
