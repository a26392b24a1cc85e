//! Another token in the `.env`: its own line changes and nothing else, or nothing does.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use homelab_runners::apply::tokens::{TokensError, write_token};
use homelab_runners::config::RegistrationToken;
use secrecy::SecretString;
use tempfile::TempDir;

const TEXT: &str = "# by hand\r\nexport RUNNER_TOKEN_1 = 'OLD1' # mine\r\nRUNNER_TOKEN_2=OLD2\nOTHER=\"a b\"";

struct Env(TempDir);

impl Env {
    fn with(text: &str, mode: u32) -> Self {
        let env = Self(tempfile::tempdir().unwrap());
        fs::write(env.path(), text).unwrap();
        fs::set_permissions(env.path(), fs::Permissions::from_mode(mode)).unwrap();
        env
    }

    fn path(&self) -> PathBuf {
        self.0.path().join(".env")
    }

    fn text(&self) -> String {
        fs::read_to_string(self.path()).unwrap()
    }

    fn write(&self, number: u16, token: &str, shared: bool) -> Result<(), TokensError> {
        let token = RegistrationToken::copied(SecretString::from(token)).unwrap();
        write_token(&self.path(), number, &token, shared)
    }
}

#[test]
fn one_value_changes_and_every_other_byte_stays() {
    let env = Env::with(TEXT, 0o600);
    env.write(2, "NEW", false).unwrap();
    assert_eq!(env.text(), TEXT.replace("OLD2", "NEW"));
    env.write(1, "NEW1", false).unwrap();
    assert_eq!(env.text(), TEXT.replace("OLD2", "NEW").replace("'OLD1'", "NEW1"));
    let mode = fs::metadata(env.path()).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode, 0o600);
}

#[test]
fn a_file_that_is_not_there_is_made_for_its_owner_alone() {
    let env = Env(tempfile::tempdir().unwrap());
    env.write(3, "NEW", false).unwrap();
    assert_eq!(env.text(), "RUNNER_TOKEN_3=NEW\n");
    assert_eq!(fs::metadata(env.path()).unwrap().permissions().mode() & 0o7777, 0o600);
}

#[test]
fn what_a_killed_run_left_with_a_token_in_it_goes() {
    let env = Env::with(TEXT, 0o600);
    let left = env.0.path().join(".runnerctl-a1b2c3");
    fs::write(&left, "RUNNER_TOKEN_2=NE").unwrap();
    env.write(2, "NEW", false).unwrap();
    assert!(!left.exists());
}

#[test]
fn whoever_held_the_old_file_has_all_of_it() {
    let env = Env::with(TEXT, 0o600);
    let held = env.0.path().join("held");
    fs::hard_link(env.path(), &held).unwrap();
    env.write(2, "NEW", false).unwrap();
    assert_eq!(fs::read_to_string(held).unwrap(), TEXT);
}

#[test]
fn what_may_not_be_written_is_left_as_it_is() {
    let open = Env::with(TEXT, 0o644);
    assert!(matches!(open.write(2, "NEW", false), Err(TokensError::Unreadable(_))));
    let broken = Env::with("RUNNER_TOKEN_1 OLD1\nRUNNER_TOKEN_3=\"x\n", 0o600);
    let before = broken.text();
    let error = broken.write(2, "NEW", false).unwrap_err();
    assert!(matches!(&error, TokensError::Content(errors) if !errors.is_empty()), "{error}");
    assert!(!error.to_string().contains("OLD1"), "{error}");
    assert_eq!((open.text().as_str(), broken.text()), (TEXT, before));
    let link = Env(tempfile::tempdir().unwrap());
    symlink(open.path(), link.path()).unwrap();
    assert!(matches!(link.write(2, "NEW", false), Err(TokensError::Link(_))));
    assert!(fs::symlink_metadata(link.path()).unwrap().is_symlink());
}

#[test]
fn the_token_of_another_runner_is_refused_unless_one_may_be_shared() {
    let env = Env::with(TEXT, 0o600);
    let error = env.write(2, "OLD1", false).unwrap_err();
    assert!(error.to_string().contains("RUNNER_TOKEN_1 and RUNNER_TOKEN_2 hold the same token"), "{error}");
    assert_eq!(env.text(), TEXT);
    env.write(2, "OLD1", true).unwrap();
    assert_eq!(env.text(), TEXT.replace("OLD2", "OLD1"));
}
