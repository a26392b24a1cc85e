//! What a process of a unit's step does: the same as `runnerctl unit-step`, with shorter time limits towards GitHub.

use std::time::Duration;

use homelab_runners::apply::notes;
use homelab_runners::config::{ApiUrl, GithubUrl, PersonalAccessToken, Proxy};
use homelab_runners::fleet::RunnerPaths;
use homelab_runners::github::{Client, Connection, Credential, TimeLimits};
use homelab_runners::runner::{Notes, Registration, all_labels};
use homelab_runners::unit_step::{
    EndNoted, Jit, Mint, Prepare, TokenOrigin, TokenProblem, TokensFile, Wanted, end_registration, prepare,
    renew,
};

/// The variable that names the step.
pub(super) const NAME: &str = "UNIT_STEP";

fn variable(name: &str) -> String {
    std::env::var(name).unwrap()
}

fn client() -> Client {
    let url: GithubUrl = variable("STEP_URL").parse().unwrap();
    let limits = TimeLimits {
        request: Duration::from_secs(2),
        first_pause: Duration::from_millis(10),
        ..TimeLimits::default()
    };
    let connection = Connection { limits, ..Connection::new(Proxy::default(), None) };
    let pat = PersonalAccessToken::parse(&variable("STEP_PAT")).ok().unwrap();
    Client::new(&url, &ApiUrl::of(&url), Credential::Pat(pat), &connection).unwrap()
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn end() -> EndNoted {
    Box::new(|noted| block_on(notes::end_all(&client(), noted)))
}

fn origin(step: &str, paths: &RunnerPaths) -> TokenOrigin {
    match step {
        "prepare-persistent" => {
            let url: GithubUrl = variable("STEP_URL").parse().unwrap();
            let labels = ["e2e".parse().unwrap()];
            let registration = Registration {
                url: &url,
                name: super::NAME,
                labels: &labels,
                runner_group: None,
                no_default_labels: false,
            };
            let ask = || block_on(client().registration_token()).map(|expiring| expiring.token);
            let ask = Box::new(move || ask().map_err(|error| TokenProblem::from(&error)));
            return TokenOrigin::Github(Mint { registration: registration.digest(), ask, end: end() });
        }
        "prepare-from-file" => {
            let path = variable("STEP_TOKENS").into();
            return TokenOrigin::File(TokensFile { path, credential: None, shared: false });
        }
        _ => {}
    }
    let wanted = Wanted {
        labels: all_labels(&["e2e".to_owned()], false),
        runner_group: None,
        work_folder: paths.work.display().to_string(),
    };
    let renew = Box::new(move |old: &Notes, name: &str| block_on(renew(&client(), &wanted, old, name)));
    TokenOrigin::Jit(Jit { name: super::NAME.to_owned(), renew })
}

/// Not a test: what [`Host::step`] starts, so that it can be killed.
#[test]
#[ignore = "a process of other tests"]
fn a_step_of_the_unit() {
    let Ok(step) = std::env::var(NAME) else { return };
    let paths = RunnerPaths::new(variable("STEP_STATE").into(), variable("STEP_RUNTIME").into());
    if step == "end-registration" {
        println!("left: {:?}", end_registration(&paths, &end()).unwrap());
        return;
    }
    let said = prepare(&Prepare {
        runner: 3,
        unit_digest: "abc".to_owned(),
        token: origin(&step, &paths),
        reports: paths.state.join("reports"),
        paths,
        ids: None,
        unmapped: false,
        network: None,
        unshare: None,
    });
    println!("said: {:?}", said.unwrap());
}
