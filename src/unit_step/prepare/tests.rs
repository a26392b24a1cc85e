#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use super::*;
use crate::host_facts;
use crate::unit_step::TokensFile;

const CANARY: &str = "CANARYTOKENCANARYTOKENCANARYT";

fn step(directory: &Path, env: &str) -> Prepare {
    let tokens = directory.join(".env");
    fs::write(&tokens, env).unwrap();
    fs::set_permissions(&tokens, fs::Permissions::from_mode(0o600)).unwrap();
    Prepare {
        runner: 3,
        unit_digest: "abc".to_owned(),
        token: TokenOrigin::File(TokensFile { path: tokens, credential: None, shared: false }),
        paths: RunnerPaths::new(directory.join("state/3"), directory.join("run/3")),
        reports: directory.join("reports"),
        ids: None,
        unmapped: false,
        network: None,
        unshare: None,
    }
}

fn tokens_file(step: &mut Prepare) -> &mut TokensFile {
    match &mut step.token {
        TokenOrigin::File(file) => file,
        TokenOrigin::Github(_) | TokenOrigin::Jit(_) => panic!("the step has no tokens file"),
    }
}

fn in_memory() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").unwrap()
}

#[test]
fn the_token_is_handed_over_in_a_file_only_its_owner_reads() {
    let directory = in_memory();
    let step = step(directory.path(), &format!("RUNNER_TOKEN_3={CANARY}\n"));
    assert!(make_files(&step).unwrap().is_empty());
    let token = step.paths.registration_token();
    assert_eq!(fs::read_to_string(&token).unwrap(), CANARY);
    assert_eq!(fs::metadata(&token).unwrap().permissions().mode() & 0o777, 0o400);
    assert_eq!(fs::metadata(&step.paths.identity).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(fs::metadata(&step.reports).unwrap().permissions().mode() & 0o7777, 0o1777);
    assert_eq!(fs::read_to_string(&step.paths.started_with).unwrap(), "abc");
}

#[test]
fn a_missing_token_is_told_to_the_entrypoint_by_its_name_and_file() {
    let directory = in_memory();
    let mut step = step(directory.path(), &format!("RUNNER_TOKEN_2={CANARY}\n"));
    let said = make_files(&step).unwrap().join("\n");
    let place = tokens_file(&mut step).path.display().to_string();
    assert!(said.starts_with(&format!("runner 3: RUNNER_TOKEN_3 is not set in {place}")), "{said}");
    assert!(!step.paths.registration_token().exists());
    let problem = fs::read_to_string(step.paths.token_problem()).unwrap();
    assert!(problem.contains("RUNNER_TOKEN_3 is not set") && !problem.contains("CANARY"), "{problem}");
}

#[test]
fn a_registered_runner_needs_no_token_and_says_nothing() {
    let directory = in_memory();
    let step = step(directory.path(), "");
    fs::create_dir_all(&step.paths.identity).unwrap();
    fs::write(step.paths.identity_mark(), "{}").unwrap();
    assert!(make_files(&step).unwrap().is_empty());
}

#[test]
fn a_token_shared_with_another_runner_is_refused_unless_allowed() {
    let directory = in_memory();
    let env = format!("RUNNER_TOKEN_1={CANARY}\nRUNNER_TOKEN_3={CANARY}\n");
    let mut step = step(directory.path(), &env);
    assert!(
        make_files(&step).unwrap().join("").contains("RUNNER_TOKEN_1 and RUNNER_TOKEN_3 hold the same token")
    );
    tokens_file(&mut step).shared = true;
    assert!(make_files(&step).unwrap().is_empty());
}

#[test]
fn what_an_earlier_start_left_is_gone() {
    let directory = in_memory();
    let step = step(directory.path(), "");
    fs::create_dir_all(&step.paths.status).unwrap();
    fs::create_dir_all(&step.paths.token).unwrap();
    fs::write(step.paths.session(), "online\n").unwrap();
    fs::write(step.paths.registration_token(), CANARY).unwrap();
    make_files(&step).unwrap();
    assert!(!step.paths.session().exists() && !step.paths.registration_token().exists());
}

#[test]
fn a_token_never_reaches_a_disk() {
    let directory = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
    if host_facts::is_in_memory(directory.path()) == Some(true) {
        return;
    }
    let step = step(directory.path(), &format!("RUNNER_TOKEN_3={CANARY}\n"));
    assert!(make_files(&step).unwrap().join("").contains("not on a tmpfs"));
    assert!(!step.paths.registration_token().exists());
}

fn owner(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().uid()
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[test]
fn with_a_private_engine_the_containers_root_and_its_runner_own_what_they_need() {
    if !is_root() {
        eprintln!("skipped: giving files away needs root");
        return;
    }
    let directory = in_memory();
    let mut step = step(directory.path(), &format!("RUNNER_TOKEN_3={CANARY}\n"));
    // As a runner with the host's socket left it.
    fs::create_dir_all(step.paths.work.join("shop/shop")).unwrap();
    symlink("/etc/passwd", step.paths.work.join("shop/link")).unwrap();
    step.ids = IdRange::from(0x7000_0000);
    make_files(&step).unwrap();
    let (root, runner) = (0x7000_0000, 0x7000_0000 + 1001);
    let paths = &step.paths;
    for path in [&paths.identity, &paths.token, &paths.status, &paths.registration_token()] {
        assert_eq!(owner(path), root, "{}", path.display());
    }
    for path in
        [&paths.work, &paths.work.join("shop/shop"), &paths.work.join("shop/link"), &paths.engine_storage]
    {
        assert_eq!(owner(path), runner, "{}", path.display());
    }
    assert_eq!((owner(&paths.state), owner(&paths.runtime), owner(Path::new("/etc/passwd"))), (0, 0, 0));
    // And back.
    step.ids = None;
    make_files(&step).unwrap();
    assert_eq!((owner(&step.paths.identity), owner(&step.paths.work.join("shop/shop"))), (0, 1001));
}

#[test]
fn under_docker_only_the_work_folder_is_the_accounts() {
    if !is_root() {
        eprintln!("skipped: giving files away needs root");
        return;
    }
    let directory = in_memory();
    let mut step = step(directory.path(), &format!("RUNNER_TOKEN_3={CANARY}\n"));
    step.ids = IdRange::from(0x7000_0000);
    step.unmapped = true;
    make_files(&step).unwrap();
    assert_eq!((owner(&step.paths.token), owner(&step.paths.registration_token())), (0, 0));
    assert_eq!(owner(&step.paths.work), 0x7000_0000 + 1001);
}

#[test]
fn images_stay_and_volumes_of_earlier_workflows_go() {
    if !is_root() {
        eprintln!("skipped: giving files away needs root");
        return;
    }
    let directory = in_memory();
    let mut step = step(directory.path(), "");
    step.ids = IdRange::from(0x7000_0000);
    make_files(&step).unwrap();
    let storage = &step.paths.engine_storage;
    for path in ["storage/overlay", "volumes/cache"] {
        fs::create_dir_all(storage.join(path)).unwrap();
    }
    make_files(&step).unwrap();
    assert!(storage.join("storage/overlay").exists() && !storage.join("volumes").exists());
    // Other ids cannot use them.
    step.ids = IdRange::from(0x7001_0000);
    make_files(&step).unwrap();
    assert!(!storage.join("storage").exists());
}

#[test]
fn what_a_workflow_planted_in_its_own_directories_leads_nowhere() {
    let directory = in_memory();
    let step = step(directory.path(), &format!("RUNNER_TOKEN_3={CANARY}\n"));
    let elsewhere = directory.path().join("elsewhere");
    fs::write(&elsewhere, "untouched").unwrap();
    fs::create_dir_all(step.paths.session()).unwrap();
    fs::create_dir_all(&step.paths.token).unwrap();
    symlink(&elsewhere, step.paths.registration_token()).unwrap();
    make_files(&step).unwrap();
    assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "untouched");
    assert_eq!(fs::read_to_string(step.paths.registration_token()).unwrap(), CANARY);
    assert!(!step.paths.session().exists());
}

#[test]
fn a_credential_is_read_in_place_of_the_tokens_file_and_messages_name_the_file() {
    let directory = in_memory();
    let credential = directory.path().join("credential");
    fs::write(&credential, format!("RUNNER_TOKEN_3={CANARY}\n")).unwrap();
    fs::set_permissions(&credential, fs::Permissions::from_mode(0o400)).unwrap();
    let mut step = step(directory.path(), "");
    let file = tokens_file(&mut step);
    let place = file.path.display().to_string();
    fs::remove_file(&file.path).unwrap();
    file.credential = Some(credential.clone());
    assert!(make_files(&step).unwrap().is_empty());
    assert_eq!(fs::read_to_string(step.paths.registration_token()).unwrap(), CANARY);
    // What systemd hands over where there is no file.
    fs::remove_file(&credential).unwrap();
    fs::write(&credential, "#").unwrap();
    fs::set_permissions(&credential, fs::Permissions::from_mode(0o400)).unwrap();
    let said = make_files(&step).unwrap().join("\n");
    assert!(said.contains(&format!("RUNNER_TOKEN_3 is not set in {place}")), "{said}");
}
