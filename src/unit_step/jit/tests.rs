#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::rc::Rc;
use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::unit_step::prepare::{make_files, prepare};
use crate::unit_step::token::TokenOrigin;

const CANARY: &str = "CANARYKEYCANARYKEYCANARYKEY";

/// What GitHub answers, and what it was asked: the notes that were to end, those on the disk at that moment, and the name.
struct Bed {
    directory: tempfile::TempDir,
    answers: Rc<RefCell<VecDeque<Renewed>>>,
    asked: Rc<RefCell<Vec<(Notes, Notes, String)>>>,
}

fn config() -> JitConfig {
    let file = |text: &str| STANDARD.encode(text);
    let files = serde_json::json!({
        ".runner": file("\u{feff}{\"agentId\": 7}"),
        ".credentials": file("{}"),
        ".credentials_rsaparams": file(&format!("{{\"d\": \"{CANARY}\"}}")),
    });
    JitConfig::from_github(STANDARD.encode(files.to_string()).into()).unwrap()
}

fn problem(passes: bool) -> TokenProblem {
    TokenProblem { cause: "GitHub says no".to_owned(), hint: "ask again".to_owned(), passes }
}

fn made(id: u64) -> Renewed {
    Renewed { left: Notes::default(), made: Ok((id, config())) }
}

fn not_made(left: &[Note], why: NotMade) -> Renewed {
    Renewed { left: Notes(left.to_vec()), made: Err(why) }
}

fn note(name: &str, id: Option<u64>) -> Note {
    Note { name: name.to_owned(), id }
}

impl Bed {
    fn new(answers: impl IntoIterator<Item = Renewed>) -> Self {
        let directory = tempfile::tempdir_in("/dev/shm").unwrap();
        let answers = Rc::new(RefCell::new(answers.into_iter().collect()));
        Self { directory, answers, asked: Rc::default() }
    }

    fn paths(&self) -> RunnerPaths {
        RunnerPaths::new(self.directory.path().join("state/3"), self.directory.path().join("run/3"))
    }

    fn step(&self) -> Prepare {
        let (answers, asked, paths) = (Rc::clone(&self.answers), Rc::clone(&self.asked), self.paths());
        let renew = move |old: &Notes, name: &str| {
            let on_disk = notes::read(&paths.ephemeral).unwrap();
            asked.borrow_mut().push((old.clone(), on_disk, name.to_owned()));
            answers.borrow_mut().pop_front().unwrap()
        };
        Prepare {
            runner: 3,
            unit_digest: "abc".to_owned(),
            token: TokenOrigin::Jit(Jit { name: "r-3".to_owned(), renew: Box::new(renew) }),
            paths: self.paths(),
            reports: self.directory.path().join("reports"),
            ids: None,
            unmapped: false,
            network: None,
            unshare: None,
        }
    }

    fn noted(&self) -> Notes {
        notes::read(&self.paths().ephemeral).unwrap()
    }

    /// What the last start left in the runtime directory.
    fn last_start(&self, state: &str, perf: &str) {
        fs::create_dir_all(self.paths().status.join("perf")).unwrap();
        fs::write(self.paths().session(), format!("{state}\n\n")).unwrap();
        fs::write(self.paths().perf(), perf).unwrap();
    }
}

#[test]
fn each_start_gets_another_runner_whose_identity_the_containers_root_alone_reads() {
    let bed = Bed::new([made(7), made(8)]);
    let paths = bed.paths();
    for id in [7, 8] {
        assert_eq!(make_files(&bed.step()).unwrap(), Vec::<String>::new());
        for name in [".runner", ".credentials", ".credentials_rsaparams"] {
            let mode = fs::metadata(paths.jit().join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o7777, 0o400, "{name}");
        }
        assert!(fs::read_to_string(paths.jit().join(".credentials_rsaparams")).unwrap().contains(CANARY));
        assert_eq!(fs::read_dir(&paths.identity).unwrap().count(), 0, "no identity is kept");
        assert_eq!(bed.noted().youngest().and_then(|note| note.id), Some(id));
    }
    let asked = bed.asked.borrow();
    let [(_, _, first), (old, _, second)] = asked.as_slice() else { panic!("asked twice") };
    assert!(runner::is_ephemeral_name("r-3", first) && runner::is_ephemeral_name("r-3", second));
    assert_ne!(first, second);
    assert_eq!(old.0, [note(first, Some(7))], "the last one is to end");
}

#[test]
fn what_is_asked_for_is_noted_before_github_is_asked() {
    let bed = Bed::new([made(7)]);
    make_files(&bed.step()).unwrap();
    let asked = bed.asked.borrow();
    let (_, on_disk, name) = asked.first().unwrap();
    assert_eq!(on_disk.0, [note(name, None)]);
    assert_eq!(bed.noted().0, [note(name, Some(7))]);
}

#[test]
fn a_name_that_is_taken_is_tried_once_more_as_another_and_never_taken_for_ours() {
    let taken = || not_made(&[], NotMade::NameTaken(problem(true)));
    let bed = Bed::new([taken(), made(7)]);
    make_files(&bed.step()).unwrap();
    let second = bed.asked.borrow().get(1).unwrap().clone();
    assert!(second.0.0.is_empty(), "the other's runner is not to end: {second:?}");
    assert_eq!(bed.noted().0, [note(&second.2, Some(7))]);

    let bed = Bed::new([taken(), taken()]);
    let said = make_files(&bed.step()).unwrap().join("\n");
    assert!(said.contains("GitHub says no"), "{said}");
    assert!(bed.noted().0.is_empty());
    assert!(bed.paths().token_delay().exists());
}

#[test]
fn a_refusal_leaves_no_note_and_a_lost_answer_leaves_one_for_the_next_start() {
    let bed = Bed::new([not_made(&[], NotMade::Refused(problem(false)))]);
    make_files(&bed.step()).unwrap();
    assert!(bed.noted().0.is_empty());
    assert!(bed.paths().token_problem().exists(), "a person has to act");

    let bed = Bed::new([not_made(&[], NotMade::Unknown(problem(true))), made(8)]);
    make_files(&bed.step()).unwrap();
    assert!(bed.paths().token_delay().exists() && !bed.paths().token_problem().exists());
    let lost = bed.noted();
    assert_eq!(lost.0.first().map(|note| note.id), Some(None));
    make_files(&bed.step()).unwrap();
    assert_eq!(bed.asked.borrow().get(1).unwrap().0, lost);
    assert_eq!(bed.noted().0.len(), 1);
}

#[test]
fn what_cannot_be_ended_now_stays_noted() {
    let busy = note("r-3-bbbbb", Some(5));
    let bed = Bed::new([Renewed { left: Notes(vec![busy.clone()]), ..made(7) }]);
    notes::write(&bed.paths().ephemeral, &Notes(vec![busy.clone()]))
        .unwrap_or_else(|error| panic!("{error}"));
    make_files(&bed.step()).unwrap();
    assert_eq!(bed.noted().0.first(), Some(&busy));
    assert_eq!(bed.noted().youngest().and_then(|note| note.id), Some(7));
}

#[test]
fn the_registration_of_a_runner_that_becomes_ephemeral_is_ended_and_its_identity_goes() {
    let bed = Bed::new([made(8)]);
    let identity = bed.paths().identity;
    fs::create_dir_all(&identity).unwrap();
    fs::write(identity.join(".runner"), "\u{feff}{\"agentId\": 5, \"agentName\": \"r-3\"}").unwrap();
    fs::write(identity.join("fingerprint"), "url=x\n").unwrap();
    make_files(&bed.step()).unwrap();
    assert_eq!(bed.asked.borrow().first().unwrap().0.0, [note("r-3", Some(5))]);
    assert_eq!(fs::read_dir(&identity).unwrap().count(), 0);
}

#[test]
fn nothing_that_the_last_workflow_job_wrote_is_there_for_the_next() {
    let bed = Bed::new([made(7)]);
    let (paths, outside) = (bed.paths(), bed.directory.path().join("outside"));
    fs::create_dir_all(&outside).unwrap();
    fs::write(outside.join("kept"), "").unwrap();
    for directory in
        [paths.work.join("shop/shop"), paths.work.join("_tool/node"), paths.engine_storage.join("storage")]
    {
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join("planted"), "").unwrap();
    }
    symlink(&outside, paths.work.join("way-out")).unwrap();
    make_files(&bed.step()).unwrap();
    assert_eq!(fs::read_dir(&paths.work).unwrap().count(), 0);
    assert!(!paths.engine_storage.exists(), "images of the last one are gone as well");
    assert_eq!(
        fs::read_dir(&paths.trash).unwrap().count(),
        2,
        "moved, and deleted while the container starts"
    );
    Trash::open(&paths.trash).unwrap().empty().unwrap();
    assert!(outside.join("kept").exists());
}

#[test]
fn a_work_folder_that_is_a_link_leads_nowhere() {
    let bed = Bed::new([made(7)]);
    let outside = bed.directory.path().join("outside");
    fs::create_dir_all(&outside).unwrap();
    fs::write(outside.join("kept"), "").unwrap();
    fs::create_dir_all(&bed.paths().state).unwrap();
    symlink(&outside, &bed.paths().work).unwrap();
    make_files(&bed.step()).unwrap();
    assert!(outside.join("kept").exists());
    assert!(fs::symlink_metadata(bed.paths().work).unwrap().is_dir());
}

#[test]
fn a_thousand_workflow_jobs_in_a_row_never_wait_and_starts_without_one_are_used_up() {
    let bed = Bed::new((0..1003).map(made));
    for _ in 0..1000 {
        let begin = Instant::now();
        assert!(prepare(&bed.step()).unwrap().is_empty());
        assert!(begin.elapsed() < Duration::from_secs(4));
        bed.last_start("done", "MessageReceived_RunnerJobRequest:x\n");
    }
    pause(&bed.step()).unwrap();
    for _ in 0..3 {
        assert!(make_files(&bed.step()).unwrap().is_empty());
    }
    let said = make_files(&bed.step()).unwrap().join("\n");
    assert!(said.contains("three registrations within ten minutes"), "{said}");
    assert_eq!(bed.asked.borrow().len(), 1003, "GitHub was not asked");
    assert!(bed.paths().token_delay().exists());
}

#[test]
fn a_runner_that_was_killed_at_its_workflow_job_is_followed_at_once_and_one_that_had_none_is_not() {
    for (state, perf, counts) in [
        ("online", "SessionCreated:x\nMessageReceived_RunnerJobRequest:x\n", false),
        ("stopping", "SessionCreated:x\n", false),
        ("online", "SessionCreated:x\n", true),
        ("failed", "", true),
    ] {
        let bed = Bed::new([made(7)]);
        make_files(&bed.step()).unwrap();
        bed.last_start(state, perf);
        let begin = Instant::now();
        pause(&bed.step()).unwrap();
        assert_eq!(begin.elapsed() >= Duration::from_secs(5), counts, "{state} {perf}");
    }
}

#[test]
fn a_place_on_a_disk_is_handed_no_identity_and_github_is_not_asked() {
    let mut bed = Bed::new([]);
    bed.directory = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
    if crate::host_facts::is_in_memory(bed.directory.path()) == Some(true) {
        return;
    }
    make_files(&bed.step()).unwrap();
    assert!(bed.paths().token_problem().exists());
    assert!(bed.asked.borrow().is_empty());
}

#[test]
fn a_stopped_runner_is_ended_at_github_and_one_whose_workflow_job_is_done_is_left_to_github_itself() {
    let ended = Rc::new(RefCell::new(Vec::new()));
    let inner = Rc::clone(&ended);
    let end: EndNoted = Box::new(move |notes| {
        inner.borrow_mut().extend(notes.0.clone());
        Notes::default()
    });
    let bed = Bed::new([]);
    let runner = note("r-3-bbbbb", Some(5));
    notes::write(&bed.paths().ephemeral, &Notes(vec![runner.clone()])).unwrap();
    bed.last_start("done", "");
    assert_eq!(end_registration(&bed.paths(), &end).unwrap(), Notes::default());
    assert!(ended.borrow().is_empty() && !bed.noted().0.is_empty());
    for state in ["stopping", "failed", "online", ""] {
        notes::write(&bed.paths().ephemeral, &Notes(vec![runner.clone()])).unwrap();
        bed.last_start(state, "");
        end_registration(&bed.paths(), &end).unwrap();
        assert_eq!(ended.borrow_mut().pop(), Some(runner.clone()), "{state}");
        assert!(bed.noted().0.is_empty());
    }
}
