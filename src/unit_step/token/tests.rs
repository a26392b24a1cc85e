#![expect(clippy::unwrap_used, reason = "tests")]

use std::cell::Cell;
use std::fs;
use std::rc::Rc;

use super::*;
use crate::fleet::RunnerPaths;
use crate::runner::Notes;
use crate::unit_step::prepare::make_files;

const CANARY: &str = "CANARYTOKENCANARYTOKENCANARYT";

/// A host that asks GitHub, and how often it did.
struct Bed {
    directory: tempfile::TempDir,
    asked: Rc<Cell<u32>>,
}

impl Bed {
    fn new() -> Self {
        Self { directory: tempfile::tempdir_in("/dev/shm").unwrap(), asked: Rc::default() }
    }

    fn step(&self, answer: Result<(), TokenProblem>) -> Prepare {
        let at = |name: &str| self.directory.path().join(name);
        let asked = Rc::clone(&self.asked);
        let ask = move || {
            asked.set(asked.get() + 1);
            answer.clone().map(|()| RegistrationToken::from_github(CANARY.into()).unwrap())
        };
        Prepare {
            runner: 3,
            unit_digest: "abc".to_owned(),
            token: TokenOrigin::Github(Mint {
                registration: runner::digest("url=x\n"),
                ask: Box::new(ask),
                end: Box::new(|_| Notes::default()),
            }),
            paths: RunnerPaths::new(at("state/3"), at("run/3")),
            reports: at("reports"),
            ids: None,
            unmapped: false,
            network: None,
            unshare: None,
        }
    }

    fn is_registered_with(&self, fingerprint: &str) {
        let identity = self.directory.path().join("state/3/identity");
        fs::create_dir_all(&identity).unwrap();
        fs::write(identity.join(".runner"), "{}").unwrap();
        fs::write(identity.join("fingerprint"), fingerprint).unwrap();
    }
}

#[test]
fn a_runner_without_an_identity_gets_a_token_that_github_made_for_it() {
    let bed = Bed::new();
    let step = bed.step(Ok(()));
    assert_eq!(make_files(&step).unwrap(), Vec::<String>::new());
    assert_eq!(fs::read_to_string(step.paths.registration_token()).unwrap(), CANARY);
    assert_eq!(bed.asked.get(), 1);
}

#[test]
fn a_registered_runner_asks_for_nothing() {
    let bed = Bed::new();
    bed.is_registered_with("url=x\n");
    let step = bed.step(Ok(()));
    for _ in 0..20 {
        assert_eq!(make_files(&step).unwrap(), Vec::<String>::new());
    }
    assert!(!step.paths.registration_token().exists());
    assert_eq!(bed.asked.get(), 0);
}

#[test]
fn a_runner_that_is_to_have_another_name_or_other_labels_registers_anew() {
    let bed = Bed::new();
    bed.is_registered_with("url=y\n");
    let step = bed.step(Ok(()));
    make_files(&step).unwrap();
    assert!(step.paths.registration_token().exists());
}

#[test]
fn ten_thousand_restarts_in_a_row_ask_three_times() {
    let bed = Bed::new();
    let step = bed.step(Ok(()));
    fs::create_dir_all(&step.paths.token).unwrap();
    fs::create_dir_all(&step.paths.state).unwrap();
    let answers: Vec<_> = (0..10_000).map(|_| token(&step).map(|token| token.is_some())).collect();
    assert_eq!(bed.asked.get(), 3);
    assert!(answers.iter().skip(3).all(|answer| answer.as_ref().is_err_and(|problem| problem.passes)));
    let said = make_files(&step).unwrap().join("\n");
    assert!(said.contains("three registrations within ten minutes"), "{said}");
    assert!(fs::read_to_string(step.paths.token_delay()).unwrap().lines().count() == 2);
    assert!(!step.paths.token_problem().exists());
}

#[test]
fn what_github_refuses_is_told_with_the_next_step_and_what_passes_is_told_apart() {
    for passes in [false, true] {
        let bed = Bed::new();
        let problem = TokenProblem { cause: "github refuses".to_owned(), hint: "do this".to_owned(), passes };
        let step = bed.step(Err(problem));
        assert_eq!(make_files(&step).unwrap(), ["runner 3: github refuses", "hint: do this"]);
        let (told, other) = (step.paths.token_problem(), step.paths.token_delay());
        let (told, other) = if passes { (other, told) } else { (told, other) };
        assert_eq!(fs::read_to_string(told).unwrap(), "github refuses\ndo this\n");
        assert!(!other.exists());
    }
}
