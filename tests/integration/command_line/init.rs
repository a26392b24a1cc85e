//! `init`: a first config that `check` accepts.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::Below;

const INIT: &str = "init --url https://github.com/acme/shop --count 3 --label homelab --label gpu --no-input";

#[test]
fn a_first_config_and_a_closed_env_are_written_and_check_accepts_them() {
    let below = Below::empty();

    below.run(INIT).ends(0).says(&["config.toml", ".env (mode 0600)", "sudo runnerctl install-units"]);

    let tokens = below.at("etc/homelab-runners/.env");
    assert_eq!(fs::metadata(&tokens).unwrap().permissions().mode() & 0o7777, 0o600);
    let text = fs::read_to_string(&tokens).unwrap();
    for number in 1..=3 {
        assert!(text.contains(&format!("\nRUNNER_TOKEN_{number}=\n")), "{text}");
    }
    let checked = below.run("check").ends(0).says(&["RUNNER_TOKEN_1 is empty"]);
    assert!(checked.stdout.contains("3 runners for https://github.com/acme/shop"), "{}", checked.stdout);
    let config = fs::read_to_string(below.at("etc/homelab-runners/config.toml")).unwrap();
    assert!(config.contains("labels = [\"homelab\", \"gpu\"]"), "{config}");
}

#[test]
fn nothing_that_exists_is_overwritten() {
    for existing in ["etc/homelab-runners/config.toml", "etc/homelab-runners/.env"] {
        let below = Below::empty();
        below.write(existing, "precious");

        below.run(INIT).ends(2).says(&[existing, "exists already", "nothing was changed"]);

        assert_eq!(fs::read_to_string(below.at(existing)).unwrap(), "precious");
        let files: Vec<_> = fs::read_dir(below.at("etc/homelab-runners")).unwrap().collect();
        assert_eq!(files.len(), 1, "{files:?}");
    }
}

#[test]
fn answers_that_check_would_refuse_are_refused_and_nothing_is_written() {
    let below = Below::empty();
    below
        .run("init --url https://github.com/acme/shop --cpu-quota lots --no-input")
        .ends(2)
        .says(&["cpu_quota"]);
    below.run("init --url github.com --no-input").ends(2);
    below.run("init --no-input").ends(2).says(&["no URL was given", "hint: add --url"]);
    assert!(!below.at("etc").exists());
}
