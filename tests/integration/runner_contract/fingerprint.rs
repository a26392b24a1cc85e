//! The entrypoint and the host have to agree on what GitHub was told: the host gets a token where the two texts differ.

use std::process::Command;

use homelab_runners::config::{GithubUrl, Label};
use homelab_runners::runner::{ENTRYPOINT, Registration};
use proptest::prelude::*;

/// What the entrypoint's own function prints, in whatever locale the image has.
fn of_the_entrypoint(wanted: &Registration<'_>, locale: &str) -> String {
    let function: Vec<&str> = ENTRYPOINT
        .lines()
        .skip_while(|line| !line.starts_with("fingerprint() {"))
        .scan(false, |ended, line| (!std::mem::replace(ended, line == "}")).then_some(line))
        .collect();
    let script = format!(
        "declare -A want=([url]=$1 [name]=$2 [labels]=$3 [group]=$4 [no_default_labels]=$5)\n{}\nfingerprint",
        function.join("\n")
    );
    let labels: Vec<String> = wanted.labels.iter().map(ToString::to_string).collect();
    let output = Command::new("bash")
        .args(["-c", &script, "bash", &wanted.url.to_string(), wanted.name, &labels.join(",")])
        .args([wanted.runner_group.unwrap_or_default(), if wanted.no_default_labels { "1" } else { "" }])
        .env("LC_ALL", locale)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn label() -> impl Strategy<Value = Label> {
    "[A-Za-z0-9._ äÄß-]{1,12}".prop_filter_map("a label", |text| text.parse().ok())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_host_and_the_entrypoint_write_the_same_fingerprint(
        labels in proptest::collection::vec(label(), 0..5),
        runner_group in proptest::option::of("[A-Za-z][A-Za-z ]{0,8}[A-Za-z]"),
        no_default_labels: bool,
        locale in prop_oneof![Just("C"), Just("C.UTF-8"), Just("en_US.UTF-8")],
    ) {
        let url: GithubUrl = "https://github.com/acme/shop".parse().unwrap();
        let wanted = Registration {
            url: &url, name: "homelab-runner-3", labels: &labels, runner_group: runner_group.as_deref(), no_default_labels,
        };
        prop_assert_eq!(of_the_entrypoint(&wanted, locale), wanted.fingerprint());
    }
}
