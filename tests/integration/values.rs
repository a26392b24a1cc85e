//! Any value that the config accepts stands in the unit file as the value that it is, and changes nothing else there.
//!
//! Whole configs of made-up values are rendered; the texts are read back line by line, and compared with a plain fleet's.

use homelab_runners::config::{AbsolutePath, Config, ExtraHost, Image, Label, UnitFormat};
use homelab_runners::fleet::{Fleet, Layout};
use homelab_runners::units::{Programs, render};
use proptest::prelude::*;

use crate::readers::words::{command_line, environment, values};

/// Text as people mistype it and as attackers write it.
const TEXT: &str = "\\PC{0,24}|[ -~\n\t\r]{0,16}|[a-z%$\"'\\\\:, \n;#/=.\u{85}\u{2028}-]{0,12}";
/// What is often accepted, with something in it that may not be.
const NEARLY: &str = "[a-z0-9./:@_-]{0,12}[%$\"'\\\\:, \n;#\u{e9}]?[a-z0-9./:@_-]{0,12}";

fn made_by(pattern: &str) -> impl Strategy<Value = String> {
    proptest::string::string_regex(pattern).unwrap()
}

/// The texts of the runner's file as Quadlet and as plain service, if the config is accepted.
fn texts(config: &str) -> Option<[String; 2]> {
    let config = Config::parse(config).ok()?;
    let programs = Programs {
        runnerctl: "/usr/bin/runnerctl".into(),
        engine: "/usr/bin/podman".into(),
        podman: "/usr/bin/podman".into(),
    };
    let of = |format: UnitFormat| {
        let fleet = Fleet::new(
            &Config { unit_format: Some(format), ..config.clone() },
            &Layout::system(),
            &format.into(),
        );
        render(&fleet, &programs).pop().unwrap().text
    };
    Some([of(UnitFormat::Quadlet), of(UnitFormat::Service)])
}

fn config(lines: &[(&str, toml::Value)]) -> String {
    let mut text = "url = \"https://github.com/acme\"\ncount = 1\n".to_owned();
    for (key, value) in lines {
        text = text + key + " = " + &value.to_string() + "\n";
    }
    text
}

/// Keys and section names, without values.
fn shape(text: &str) -> Vec<&str> {
    text.lines().map(|line| line.split('=').next().unwrap()).collect()
}

/// No line was added, cut off or given another key by `config`, beside what `plain` has.
fn assert_same_shape(config: &str, plain: &str) -> Result<(), TestCaseError> {
    let (Some(found), Some(plain)) = (texts(config), texts(plain)) else { return Ok(()) };
    for (found, plain) in found.iter().zip(&plain) {
        prop_assert_eq!(shape(found), shape(plain));
        prop_assert!(!found.chars().any(|c| c.is_control() && c != '\n'), "{:?}", found);
        prop_assert!(!found.lines().any(|line| line.ends_with('\\')), "a line is continued:\n{}", found);
    }
    Ok(())
}

/// Everything that may stand in `Volume=`, `Image=` or `-v` without quotes.
fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "._+@=-/:".contains(c))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn an_accepted_path_needs_no_quotes_and_has_no_colon(text in made_by(&format!("{TEXT}|/{NEARLY}|(/{NEARLY}){{1,3}}/?"))) {
        if let Ok(path) = text.parse::<AbsolutePath>() {
            let path = path.to_string();
            prop_assert!(is_plain(&path) && !path.contains(':') && path.starts_with('/') && !path.contains("/../"), "{path}");
        }
    }

    #[test]
    fn an_accepted_image_is_plain_and_no_option(text in made_by(&format!("{TEXT}|{NEARLY}|[a-z]{{1,5}}\\.[a-z]{{2}}/{NEARLY}:{NEARLY}"))) {
        if let Ok(image) = text.parse::<Image>() {
            let image = image.to_string();
            prop_assert!(is_plain(&image) && !image.starts_with('-'), "{image}");
        }
    }

    #[test]
    fn an_accepted_host_is_a_name_and_an_address(text in made_by(&format!("{TEXT}|{NEARLY}:[0-9a-f.:]{{1,16}}"))) {
        if let Ok(host) = text.parse::<ExtraHost>() {
            let shown = host.to_string();
            prop_assert!(is_plain(&shown), "{shown}");
            prop_assert_eq!(shown.parse::<ExtraHost>().ok(), Some(host));
        }
    }

    #[test]
    fn an_accepted_label_is_one_label(text in made_by(&format!("{TEXT}|{NEARLY}"))) {
        if let Ok(label) = text.parse::<Label>() {
            let label = label.to_string();
            prop_assert!(!label.contains(',') && !label.chars().any(char::is_control) && label.trim() == label);
        }
    }
}

proptest! {
    // Each case renders a handful of fleets.
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn environment_labels_and_group_are_read_back_and_change_nothing_else(
        value in TEXT, label in made_by(&format!("{TEXT}|{NEARLY}")), group in TEXT, no_proxy in TEXT,
    ) {
        let lines = |value: &str, label: &str, group: &str, no_proxy: &str| config(&[
            ("environment.VALUE", value.into()),
            ("labels", vec![label].into()),
            ("runner_group", group.into()),
            ("proxy.no_proxy", no_proxy.into()),
        ]);
        // One wrong value must not keep the others from being tried.
        let accepted = |text: &str| Config::parse(text).is_ok();
        let value = if accepted(&lines(&value, "x", "x", "x")) { value } else { "v".to_owned() };
        let label = if accepted(&lines("x", &label, "x", "x")) { label } else { "l".to_owned() };
        let group = if accepted(&lines("x", "x", &group, "x")) { group } else { "g".to_owned() };
        let no_proxy = if accepted(&lines("x", "x", "x", &no_proxy)) { no_proxy } else { "n".to_owned() };
        let config = lines(&value, &label, &group, &no_proxy);
        assert_same_shape(&config, &lines("x", "x", "x", "x"))?;
        let [quadlet, service] = texts(&config).unwrap();
        let assignments: Vec<String> = values(&quadlet, "Environment")
            .into_iter()
            .flat_map(|line| ["--env".to_owned()].into_iter().chain(command_line(line)))
            .collect();
        let run = command_line(values(&service, "ExecStart")[0]);
        for found in [environment(&assignments), environment(&run)] {
            prop_assert_eq!(&found["VALUE"], &value);
            prop_assert_eq!(&found["RUNNERCTL_LABELS"], &label);
            prop_assert_eq!(&found["RUNNERCTL_GROUP"], &group);
            prop_assert_eq!(&found["no_proxy"], &no_proxy);
        }
    }

    #[test]
    fn names_networks_and_proxies_change_nothing_else(
        name in made_by(&format!("{TEXT}|{NEARLY}")), network in made_by(&format!("{TEXT}|{NEARLY}")), proxy in made_by(&format!("http://{NEARLY}|{TEXT}")),
    ) {
        let plain: [(&str, toml::Value); 3] =
            [("network", "x".into()), ("proxy.http", "http://x".into()), ("runners.1.name", "x".into())];
        for (at, value) in [network, proxy, name].into_iter().enumerate() {
            let mut lines = plain.clone();
            lines[at].1 = value.into();
            assert_same_shape(&config(&lines), &config(&plain))?;
        }
    }
}

#[test]
fn every_line_that_takes_a_path_takes_the_one_of_the_config() {
    let config = config(&[
        ("paths.state", "/srv/a+b@c=d".into()),
        ("paths.runtime", "/run/x_y".into()),
        ("paths.reports", "/srv/reports".into()),
        ("proxy.ca_file", "/etc/ca.pem".into()),
    ]);
    let [quadlet, service] = texts(&config).unwrap();
    let volumes = values(&quadlet, "Volume");
    let run = command_line(values(&service, "ExecStart")[0]);
    for expected in [
        "/srv/a+b@c=d/1/work:/srv/a+b@c=d/1/work:Z",
        "/run/x_y/1/token:/run/homelab-runner/token:Z",
        "/run/x_y/1/reports:/reports:z",
        "/etc/ca.pem:/run/homelab-runner/ca.pem:ro",
    ] {
        assert!(volumes.contains(&expected), "{volumes:?}");
        assert!(run.contains(&format!("--volume={expected}")), "{run:?}");
    }
    // A runner with ids of its own sees a mount of it.
    let prepare = command_line(values(&service, "ExecStartPre")[0]);
    assert!(prepare.contains(&"--reports-dir=/srv/reports".to_owned()), "{prepare:?}");
}
