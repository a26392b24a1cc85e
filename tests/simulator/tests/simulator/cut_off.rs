//! `kill -9` at every step of a registration: the next start, which nothing disturbs, ends online, whatever was cut off.
//!
//! Cut is before and after GitHub carries out each request, before the host's step changes the disk for each time, and before each program with which the entrypoint
//! changes the identity or takes the token; one after the other, until a start comes to its end undisturbed.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command};

use homelab_runners::runner::SessionState;
use rustix::process::Signal;
use serde_json::json;

use crate::bed::Bed;
use crate::host::{Container, Host, Mode, NAME};

const REGISTER: &str = "/actions/runners/register";
/// What this host may ask for within ten minutes, `src/runner/budget.rs`.
const BUDGET: usize = 3;
/// So many starts at a time: most of an ephemeral one's is waiting.
const AT_A_TIME: u64 = 4;
/// Far more than there are.
const MOST: u64 = 100;

#[derive(Debug, Clone, Copy)]
enum Cut {
    /// Of those to GitHub, before it is carried out.
    BeforeRequest(u64),
    /// After that, and before it is answered.
    AfterRequest(u64),
    /// Of the step, see [`Host::step_until_write`].
    BeforeWrite(u64),
    /// Of the container, see [`Host::start_container_until`].
    BeforeProgram(u64),
}

impl Cut {
    /// The number of the request, and what happens to it.
    fn request(self) -> Option<(u64, &'static str)> {
        match self {
            Self::BeforeRequest(number) => Some((number, "hang")),
            Self::AfterRequest(number) => Some((number, "answer_held")),
            Self::BeforeWrite(_) | Self::BeforeProgram(_) => None,
        }
    }

    /// The same, so many requests later.
    fn after(self, over: u64) -> Self {
        match self {
            Self::BeforeRequest(number) => Self::BeforeRequest(over + number),
            Self::AfterRequest(number) => Self::AfterRequest(over + number),
            other => other,
        }
    }
}

/// Sessions of the dead are given up at once: how long they are waited for is another test's affair.
fn bed() -> Bed {
    Bed::start_with(&["--session-lifetime-seconds", "0"])
}

/// Has the simulator do what `cut` says, `spared` requests of it being over already.
async fn order(bed: &Bed, cut: Cut, spared: u64) {
    if let Some((number, kind)) = cut.request() {
        let fault = json!({ "path_prefix": "/", "after": number - spared, "times": 1, "kind": kind });
        bed.ask(hyper::Method::POST, "/faults", &fault).await;
    }
}

async fn cut_everywhere(mode: Mode, cut: fn(u64) -> Cut) {
    let mut first = 0;
    loop {
        assert!(first < MOST, "still disturbed after {first} starts");
        let each = (first..first + AT_A_TIME).map(|number| cut_off(mode, cut(number)));
        let disturbed = futures_util::future::join_all(each).await;
        if disturbed.contains(&false) {
            assert!(first > 0 || disturbed[0], "nothing was cut off");
            return;
        }
        first += AT_A_TIME;
    }
}

/// Cuts a first start off and looks at the second; was it cut off?
async fn cut_off(mode: Mode, cut: Cut) -> bool {
    let bed = bed();
    let mut host = Host::with(&bed, mode, "host").await;
    order(&bed, cut, 0).await;
    if !start_until(&mut host, cut).await {
        return false;
    }
    let was_whole = identity_is_whole(&host);
    let registered = host.asked(REGISTER).await;
    let container = host.start().await;
    let told = format!("{mode:?}, {cut:?}: {}", container.output());
    assert!(registered == host.asked(REGISTER).await || !was_whole, "{told}: a whole identity was not used");
    assert_ends_well(&host, &told).await;
    drop(container);
    if mode == Mode::Ephemeral {
        host.run("end-registration").await;
        assert_eq!((host.at_github().await, host.noted().0.len()), (Vec::new(), 0), "{told}");
    }
    true
}

/// Cuts the end of an ephemeral runner's registration off, and looks at the next try; was it cut off?
async fn end_cut_off(cut: fn(u64) -> Cut, number: u64) -> bool {
    let bed = bed();
    let mut host = Host::new(&bed).await;
    let mut container = host.start().await;
    container.signal(Signal::INT);
    container.code(&bed).await;
    let over = requests(&bed).await;
    let mut cut = cut(number);
    let step = if let Cut::BeforeWrite(number) = cut {
        host.step_until_write("end-registration", number)
    } else {
        cut = cut.after(over);
        order(&bed, cut, over).await;
        host.step("end-registration")
    };
    let is_cut = !step_ends(&host, step, cut).await;
    host.run("end-registration").await;
    assert_eq!((host.at_github().await, host.noted().0.len()), (Vec::new(), 0), "{cut:?}");
    is_cut
}

async fn assert_ends_well(host: &Host<'_>, told: &str) {
    let asked = host.asked("/registration-token").await + host.asked("/generate-jitconfig").await;
    assert!(asked <= BUDGET && host.asked(REGISTER).await <= 2, "{told}: asked {asked} times");
    let at_github = host.at_github().await;
    if host.mode == Mode::Ephemeral {
        let noted: Vec<_> = host.noted().0.into_iter().map(|note| note.name).collect();
        assert_eq!(at_github, noted, "{told}");
        assert_eq!(at_github.len(), 1, "{told}");
    } else {
        assert_eq!(at_github, [NAME], "{told}");
        assert!(identity_is_whole(host), "{told}");
        assert!(!host.paths().identity.join("registering").exists(), "{told}");
    }
    let online = host.bed.runner(&at_github[0]).await.unwrap();
    assert_eq!(online["status"], "online", "{told}");
}

/// `.runner` stands for all of it, or is not there.
fn identity_is_whole(host: &Host<'_>) -> bool {
    let identity = host.paths().identity;
    if !identity.join(".runner").exists() {
        return false;
    }
    for name in [".runner", ".credentials", ".credentials_rsaparams"] {
        let text = fs::read_to_string(identity.join(name)).unwrap();
        serde_json::from_str::<serde_json::Value>(text.trim_start_matches('\u{feff}')).unwrap();
    }
    assert!(fs::read_to_string(identity.join("fingerprint")).unwrap().contains(NAME));
    true
}

/// `ExecStartPre=` and `ExecStart=`, until they are cut off or online; were they?
async fn start_until(host: &mut Host<'_>, cut: Cut) -> bool {
    let step = match cut {
        Cut::BeforeWrite(number) => host.step_until_write(host.prepare(), number),
        _ => host.step(host.prepare()),
    };
    if !step_ends(host, step, cut).await {
        return true;
    }
    let number = if let Cut::BeforeProgram(number) = cut { Some(number) } else { None };
    let mut container = host.start_container_until(number);
    let bed = host.bed;
    let what = format!("{cut:?}: {}", container.output());
    let is_cut = bed
        .until(&what, async || {
            if container.is(SessionState::Online) {
                return Some(false);
            }
            (container.is_stopped() || is_struck(host, cut).await).then_some(true)
        })
        .await;
    if is_cut {
        await_note(host, &container).await;
        container.kill();
    }
    is_cut
}

/// Does it end by itself?
async fn step_ends(host: &Host<'_>, mut step: Child, cut: Cut) -> bool {
    let ended = host.bed.until("the end of a step", async || {
        if is_struck(host, cut).await {
            step.kill().unwrap();
        }
        step.try_wait().unwrap()
    });
    let ended = ended.await;
    assert!(ended.success() || ended.signal() == Some(9), "{cut:?}: {ended}");
    ended.success()
}

async fn is_struck(host: &Host<'_>, cut: Cut) -> bool {
    let Some((number, _)) = cut.request() else { return false };
    requests(host.bed).await > number
}

async fn requests(bed: &Bed) -> u64 {
    u64::try_from(bed.get("/journal").await.as_array().unwrap().len()).unwrap()
}

/// GitHub takes longer for the requests between the two than the entrypoint for a file; the simulator does not.
async fn await_note(host: &Host<'_>, container: &Container) {
    if host.asked(REGISTER).await == 0 || identity_is_whole(host) {
        return;
    }
    let note = host.paths().identity.join("registering");
    let what = format!("a note of the registration: {}", container.output());
    host.bed.until(&what, async || note.exists().then_some(())).await;
}

#[tokio::test]
async fn at_each_request_of_a_registration() {
    cut_everywhere(Mode::Credential, Cut::BeforeRequest).await;
    cut_everywhere(Mode::Credential, Cut::AfterRequest).await;
}

#[tokio::test]
async fn at_each_request_of_a_jit_config() {
    cut_everywhere(Mode::Ephemeral, Cut::BeforeRequest).await;
    cut_everywhere(Mode::Ephemeral, Cut::AfterRequest).await;
}

#[tokio::test]
async fn at_each_change_of_the_identity_in_the_container() {
    cut_everywhere(Mode::Credential, Cut::BeforeProgram).await;
    cut_everywhere(Mode::Ephemeral, Cut::BeforeProgram).await;
}

#[tokio::test]
async fn at_each_write_of_the_hosts_step() {
    if !has_strace() {
        eprintln!("skipped: no strace here");
        return;
    }
    cut_everywhere(Mode::Credential, Cut::BeforeWrite).await;
    cut_everywhere(Mode::Ephemeral, Cut::BeforeWrite).await;
}

#[tokio::test]
async fn at_each_request_and_write_of_the_end_of_an_ephemeral_registration() {
    let mut cuts: Vec<fn(u64) -> Cut> = vec![Cut::BeforeRequest, Cut::AfterRequest];
    if has_strace() {
        cuts.push(Cut::BeforeWrite);
    }
    for cut in cuts {
        let mut number = 0;
        while end_cut_off(cut, number).await {
            number += 1;
        }
        assert!(number > 0, "nothing was cut off");
    }
}

fn has_strace() -> bool {
    Path::new("/usr/bin/strace").exists()
        && Command::new("strace")
            .args(["-qq", "-o", "/dev/null", "true"])
            .status()
            .is_ok_and(|ended| ended.success())
}
