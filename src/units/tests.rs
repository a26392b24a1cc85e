#![expect(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use std::path::PathBuf;

use proptest::prelude::*;

use super::syntax::word;
use super::*;
use crate::config::Config;
use crate::fleet::Layout;

mod monitor;

fn programs(engine: &str) -> Programs {
    Programs {
        runnerctl: PathBuf::from("/usr/bin/runnerctl"),
        engine: PathBuf::from(engine),
        podman: PathBuf::from("/usr/bin/podman"),
    }
}

fn fleet(text: &str) -> Fleet {
    let text = format!("url = \"https://github.com/acme/shop\"\n{text}");
    Fleet::new(&Config::parse(&text).unwrap(), &Layout::system(), &UnitFormat::Quadlet.into())
}

/// systemd.syntax(7) and systemd.service(5) read backwards: one word of a command line, `%` and `$` resolved.
fn unquote(word: &str) -> String {
    let inner = word.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(word);
    let mut plain = Vec::new();
    let mut chars = inner.chars();
    let mut buffer = [0; 4];
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next().expect("a character after a backslash") {
                'n' => plain.push(b'\n'),
                't' => plain.push(b'\t'),
                'x' => {
                    let hex: String = chars.by_ref().take(2).collect();
                    plain.push(u8::from_str_radix(&hex, 16).unwrap());
                }
                other => plain.extend(other.encode_utf8(&mut buffer).bytes()),
            },
            '%' | '$' => assert_eq!(chars.next(), Some(c), "a lone {c} would be expanded"),
            other => {
                assert!(other != '"' || inner == word, "an inner quote ends the word");
                plain.extend(other.encode_utf8(&mut buffer).bytes());
            }
        }
        if c == '%' || c == '$' {
            plain.push(u8::try_from(c).unwrap());
        }
    }
    String::from_utf8(plain).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn every_word_survives_quoting(text in "\\PC{0,40}|[ \"\\\\%$'\n\t\u{1}=;#{}]{0,12}") {
        let quoted = word(&text);
        prop_assert!(!quoted.contains(['\n', '\t']));
        prop_assert_eq!(unquote(&quoted), text);
    }
}

#[test]
fn the_same_config_renders_the_same_bytes() {
    let once = render(&fleet("count = 7"), &programs("/usr/bin/podman"));
    let again = render(&fleet("count = 7"), &programs("/usr/bin/podman"));
    assert_eq!(once, again);
    // Scripts and what the hooks among them know, settings of the engines, fleet slice and target, two timers and their services, report server and its socket, the monitor and its helper with theirs; slice, runner, engine and its socket.
    assert_eq!(once.len(), 5 + 1 + 1 + 2 + 4 + 2 + 4 + 7 * 4);
}

#[test]
fn without_prune_there_is_no_timer_and_nothing_that_wants_it() {
    let texts = render(&fleet("[prune]\nenabled = false"), &programs("/usr/bin/podman"));
    let of_it = ["homelab-runners-prune", names::PRUNE_TIMER];
    assert!(
        texts
            .iter()
            .all(|file| of_it.iter().all(|word| !file.name().contains(word) && !file.text.contains(word)))
    );
}

#[test]
fn without_the_report_server_there_is_no_socket_and_nothing_that_wants_it() {
    let texts = render(&fleet("[reports]\nserve = false"), &programs("/usr/bin/podman"));
    let is_of_reports =
        |file: &UnitFile| [names::REPORTS_SOCKET, names::REPORTS_SERVICE].contains(&file.name().as_str());
    assert!(!texts.iter().any(|file| is_of_reports(file) || file.text.contains(names::REPORTS_SOCKET)));
}

fn report_server(fleet: &Fleet) -> String {
    let files = render(fleet, &programs("/usr/bin/podman"));
    files.into_iter().find(|file| file.name() == names::REPORTS_SERVICE).unwrap().text
}

const TLS: &str = "[reports.tls]\ncertificate = \"/etc/a.pem\"\nkey = \"/etc/b.key\"";

#[test]
fn the_report_servers_key_is_a_credential_and_its_directory_the_only_one_it_sees() {
    let text = report_server(&fleet(&format!("[paths]\nreports = \"/srv/reports\"\n{TLS}")));
    assert!(
        text.contains("LoadCredential=certificate:/etc/a.pem\nLoadCredential=key:/etc/b.key\n"),
        "{text}"
    );
    assert!(text.contains(" --tls-certificate=%d/certificate --tls-key=%d/key\n"), "{text}");
    assert!(text.contains("RootDirectory=/run/homelab-runners/report-server\n"), "{text}");
    assert!(text.contains("BindReadOnlyPaths=/srv/reports:/reports\n"), "{text}");
    assert!(!report_server(&fleet("")).contains("tls"));
}

#[test]
fn a_users_own_report_server_reads_the_files_where_they_are() {
    let home = |name: &str| PathBuf::from("/home/al ice").join(name);
    let dirs = crate::fleet::UserDirs { config: home("config"), state: home("state"), runtime: home("run") };
    let mut fleet = fleet(TLS);
    fleet.layout = Layout::user(&dirs);
    let text = report_server(&fleet);
    let serve = "reports serve \"--directory=/home/al ice/state/homelab-runners/reports\" --idle-exit=10m \
                 --tls-certificate=/etc/a.pem --tls-key=/etc/b.key\n";
    assert!(text.contains(serve) && text.contains("NoNewPrivileges=yes\n"), "{text}");
    // What takes more rights than a user's systemd has.
    for key in ["LoadCredential", "RootDirectory", "Bind", "DynamicUser", "PrivateNetwork", "%d"] {
        assert!(!text.contains(key), "{key}: {text}");
    }
}

#[test]
fn job_hooks_know_where_reports_go_and_where_they_are_shown() {
    let known = |text: &str| -> String {
        let files = render(&fleet(text), &programs("/usr/bin/podman"));
        let file = files.into_iter().find(|file| file.name() == names::REPORT_SETTINGS);
        file.map(|file| file.text.strip_prefix(MARKER).unwrap().to_owned()).unwrap_or_default()
    };
    let (layout, clean) = ("\nlayout={workflow}/{run_id}\n", "clean_workspace=1\n");
    assert_eq!(known(""), format!("{layout}url=http://127.0.0.1:8089/\n{clean}"));
    assert_eq!(known("[reports]\nserve = false\nclean_workspace = false"), layout);
    assert_eq!(
        known("[reports]\nserve = false\nurl = \"https://r.example\""),
        format!("{layout}url=https://r.example/\n{clean}")
    );
    assert_eq!(known("[reports]\nhooks = false"), "");
}

#[test]
fn whether_there_are_job_hooks_changes_a_runner_and_what_they_know_does_not() {
    let runner = |text: &str| {
        let fleet = fleet(text);
        runner_file(&fleet, &fleet.runners[0], &programs("/usr/bin/podman")).text
    };
    assert_eq!(runner(""), runner("[reports]\nclean_workspace = false\nlisten = \"[::1]:9000\""));
    assert_ne!(runner(""), runner("[reports]\nhooks = false"));
}

#[test]
fn without_retention_there_is_no_timer_for_reports_and_nothing_that_wants_it() {
    let texts = render(&fleet("[reports.retention]\nenabled = false"), &programs("/usr/bin/podman"));
    assert!(
        texts
            .iter()
            .all(|file| !file.name().contains("reports-prune") && !file.text.contains("reports-prune"))
    );
}

#[test]
fn the_unit_that_deletes_reports_can_write_to_nothing_else() {
    let texts = render(
        &fleet("paths.reports = \"/srv/reports\"\n[reports.retention]\ninterval = \"5m\""),
        &programs("/usr/bin/podman"),
    );
    let text = |name: &str| texts.iter().find(|file| file.name() == name).unwrap().text.clone();
    let service = text(names::REPORTS_PRUNE_SERVICE);
    assert!(
        service.contains("\nReadWritePaths=-/srv/reports\n")
            && service.matches("ReadWritePaths=").count() == 1,
        "{service}"
    );
    assert!(
        service.contains("\nProtectSystem=strict\n") && service.contains(" reports prune\n"),
        "{service}"
    );
    assert!(text(names::REPORTS_PRUNE_TIMER).contains("\nOnUnitInactiveSec=300s\n"));
    assert!(text(names::TARGET).contains("\nWants=homelab-reports-prune.timer\n"));
}

#[test]
fn the_runners_own_environment_goes_before_ours_about_their_logs() {
    let fleet = fleet("[environment]\nRUNNER_LOGRETENTION = \"3\"\n[prune]\nfree_disk_min = \"none\"");
    let text = runner_file(&fleet, &fleet.runners[0], &programs("/usr/bin/podman")).text;
    assert_eq!(text.matches("RUNNER_LOGRETENTION").count(), 1);
    assert!(text.contains("RUNNER_LOGRETENTION=3\n") && text.contains("WORKER_LOGRETENTION=14\n"), "{text}");
    assert!(!text.contains("RUNNERCTL_FREE_DISK_MIN"), "{text}");
}

#[test]
fn every_file_carries_the_marker() {
    for format in ["quadlet", "service"] {
        for file in render(&fleet(&format!("unit_format = \"{format}\"")), &programs("/usr/bin/podman")) {
            assert!(is_ours(&file.text), "{}", file.path.display());
        }
    }
}

#[test]
fn docker_build_asks_podman_for_no_buildkit_unless_the_config_says_so() {
    let builder = |config: &str| {
        let fleet = fleet(config);
        let all = super::container::environment(&fleet, &fleet.runners[0]);
        all.into_iter()
            .filter(|(name, _)| name == "DOCKER_BUILDKIT")
            .map(|(_, value)| value)
            .collect::<Vec<_>>()
    };
    assert_eq!(builder("socket = \"private\""), ["0"]);
    assert_eq!(builder("socket = \"host\""), ["0"]);
    assert!(builder("socket = \"none\"").is_empty());
    assert!(builder("engine = \"docker\"\nsocket = \"host\"").is_empty());
    assert_eq!(builder("[environment]\nDOCKER_BUILDKIT = \"1\""), ["1"]);
}

#[test]
fn a_users_own_runner_keeps_what_a_rootless_podman_needs() {
    let home = |name: &str| PathBuf::from("/home/alice").join(name);
    let dirs = crate::fleet::UserDirs { config: home("config"), state: home("state"), runtime: home("run") };
    let mut fleet = fleet("");
    let first = |fleet: &Fleet| runner_file(fleet, &fleet.runners[0], &programs("/usr/bin/podman")).text;
    let taken = ["CapabilityBoundingSet=", "SystemCallFilter=", "RestrictAddressFamilies="];
    assert!(taken.iter().all(|key| first(&fleet).contains(key)));
    fleet.layout = Layout::user(&dirs);
    assert!(!taken.iter().any(|key| first(&fleet).contains(key)), "{}", first(&fleet));
}

#[test]
fn a_users_own_podman_alone_has_a_namespace_in_which_to_delete() {
    let home = |name: &str| std::path::PathBuf::from("/home/alice").join(name);
    let dirs = crate::fleet::UserDirs { config: home("config"), state: home("state"), runtime: home("run") };
    for (layout, keys, has_one) in [
        (Layout::system(), "", false),
        (Layout::user(&dirs), "", true),
        (Layout::user(&dirs), "engine = \"docker\"", false),
    ] {
        let mut fleet = fleet(keys);
        fleet.layout = layout;
        let text = runner_file(&fleet, &fleet.runners[0], &programs("/usr/bin/engine")).text;
        let prepare = text.lines().find(|line| line.contains("unit-step prepare")).unwrap();
        assert_eq!(prepare.contains(" --rootless"), has_one, "{prepare}");
    }
}

#[test]
fn no_path_of_two_runners_is_the_same() {
    let fleet = fleet("count = 40");
    let mut paths: Vec<_> = fleet
        .runners
        .iter()
        .flat_map(|r| [&r.paths.identity, &r.paths.work, &r.paths.token, &r.paths.status])
        .collect();
    paths.sort();
    paths.dedup();
    assert_eq!(paths.len(), 160);
}

#[test]
fn an_edit_that_touches_one_runner_changes_one_runners_file() {
    let before = render(&fleet(""), &programs("/usr/bin/podman"));
    let after = render(&fleet("[runners.2]\nlabels = [\"big\"]"), &programs("/usr/bin/podman"));
    let changed: Vec<_> = before.iter().zip(&after).filter(|(a, b)| a != b).map(|(a, _)| a.name()).collect();
    assert_eq!(changed, ["homelab-runner@2.container"]);
}

#[test]
fn the_digest_in_the_unit_changes_with_the_unit() {
    let digest = |text: &str| digest_of(text).unwrap().to_owned();
    let fleet_before = fleet("");
    let fleet_after = fleet("[environment]\nA = \"1\"");
    let one = runner_file(&fleet_before, &fleet_before.runners[0], &programs("/usr/bin/podman"));
    let two = runner_file(&fleet_after, &fleet_after.runners[0], &programs("/usr/bin/podman"));
    assert_ne!(digest(&one.text), digest(&two.text));
}

#[test]
fn a_runner_with_a_private_engine_has_a_network_of_its_own_unless_the_config_names_one() {
    let runner = |config: &str| {
        let mut fleet = fleet(config);
        let ids = crate::fleet::IdRange::from(0x7000_0000);
        fleet.runners.iter_mut().for_each(|runner| runner.ids = ids);
        let second = fleet.runners[1].clone();
        runner_file(&fleet, &second, &programs("/usr/bin/podman")).text
    };
    let own = runner("");
    assert!(own.contains("Network=homelab-runner-2\n"), "{own}");
    assert!(own.contains(" --engine-program=/usr/bin/podman --network=homelab-runner-2\n"), "{own}");
    let named = runner("network = \"lan\"");
    assert!(named.contains("Network=lan\n") && !named.contains("--network="), "{named}");
}

#[test]
fn a_switch_of_nixos_is_told_to_leave_what_would_end_workflow_jobs_or_start_stopped_runners() {
    for format in ["quadlet", "service"] {
        let fleet = fleet(&format!("unit_format = \"{format}\""));
        for file in render(&fleet, &programs("/usr/bin/podman")) {
            let name = file.name();
            // Servers come and go at any time.
            let is_server = [names::REPORTS_SERVICE, names::MONITOR_SERVICE].contains(&name.as_str());
            let is_left = file.text.contains("\n[Service]\n") && !is_server;
            assert_eq!(file.text.contains("\nX-RestartIfChanged=false\n"), is_left, "{name}");
            assert_eq!(file.text.contains("\nX-OnlyManualStart=true\n"), name == names::TARGET, "{name}");
        }
    }
}

#[test]
fn with_load_credential_systemd_hands_the_tokens_file_over() {
    let text = |more: &str| {
        let fleet = fleet(&format!("{more}\n[paths]\ntokens = \"/run/secrets/tokens\""));
        runner_file(&fleet, &fleet.runners[0], &programs("/usr/bin/podman")).text
    };
    let with = text("load_credential = true");
    assert!(with.contains("\nLoadCredential=tokens:/run/secrets/tokens\n"), "{with}");
    // The step names the file where something is wrong with it.
    assert!(with.contains(" --tokens=/run/secrets/tokens ") && with.contains(" --load-credential"), "{with}");
    assert!(!text("").contains("redential"));
}

#[test]
fn every_service_can_be_tried_on_another_image_and_pulls_nothing_that_is_there() {
    for (engine, format) in [("podman", "service"), ("docker", "service")] {
        let fleet = fleet(&format!("socket = \"none\"\nengine = \"{engine}\"\nunit_format = \"{format}\"\n"));
        let runner = &fleet.runners[0];
        let text = runner_file(&fleet, runner, &programs(&format!("/usr/bin/{engine}"))).text;
        let drop_in = trial(&text, &runner.image, "abc").unwrap();
        assert!(drop_in.contains(" abc /run/homelab-runner/scripts/entrypoint.sh\n"), "{drop_in}");
        assert_eq!(text.matches("--pull=missing").count(), 1, "{text}");
    }
}

#[test]
fn the_health_check_is_that_of_the_config_in_every_format_and_no_engine_acts_on_it() {
    let health = "[health]\ninterval = \"41s\"\ntimeout = \"7s\"\nretries = 6\nstart_period = \"4m\"\n";
    let options = [
        "--health-interval=41s",
        "--health-timeout=7s",
        "--health-retries=6",
        "--health-start-period=240s",
        "--env=RUNNERCTL_HEAL_AFTER=6",
    ];
    let keys = [
        "HealthInterval=41s\n",
        "HealthTimeout=7s\n",
        "HealthRetries=6\n",
        "HealthStartPeriod=240s\n",
        "Environment=RUNNERCTL_HEAL_AFTER=6\n",
    ];
    let lines = [
        "interval: 41s\n",
        "timeout: 7s\n",
        "retries: 6\n",
        "start_period: 240s\n",
        "\"RUNNERCTL_HEAL_AFTER\": \"6\"\n",
    ];
    let text = |settings: &str| {
        let fleet = fleet(&format!("{settings}\n{health}"));
        let programs = programs(&format!("/usr/bin/{}", fleet.engine.program()));
        runner_file(&fleet, &fleet.runners[0], &programs).text
    };
    for (name, text, expected) in [
        ("quadlet", text("unit_format = \"quadlet\""), keys),
        ("service", text("unit_format = \"service\""), options),
        ("docker", text("engine = \"docker\""), options),
        ("compose", compose::render(&fleet(&format!("socket = \"none\"\n{health}"))), lines),
    ] {
        for expected in expected.into_iter().chain(["/bin/bash /run/homelab-runner/scripts/health.sh"]) {
            assert!(text.contains(expected), "{name}: {expected} is not in {text}");
        }
        assert!(!text.to_lowercase().replace('-', "").contains("onfailure"), "{name}: {text}");
    }
}

#[test]
fn a_shutdown_waits_in_every_format_before_the_engine_stops_the_container_and_on_request_in_none() {
    for settings in ["unit_format = \"quadlet\"", "unit_format = \"service\"", "engine = \"docker\""] {
        let text = |more: &str| {
            let fleet = fleet(&format!("{settings}\n{more}"));
            let programs = programs(&format!("/usr/bin/{}", fleet.engine.program()));
            (runner_file(&fleet, &fleet.runners[0], &programs).text, render(&fleet, &programs))
        };
        let (with, files) = text("[timeouts]\nshutdown = \"2m\"");
        let stops: Vec<&str> = with.lines().filter(|line| line.starts_with("ExecStop=")).collect();
        let step = "ExecStop=-/usr/bin/runnerctl unit-step await-workflow-job --runner=1 --limit=120";
        assert_eq!(stops.first(), Some(&step), "{with}");
        assert!(with.contains("\nAfter=dbus.service "), "{with}");
        // Whose message systemd would not hear, it would not wait for. Quadlet writes `all` by itself.
        assert!(settings.contains("quadlet") || with.contains("\nNotifyAccess="), "{with}");
        // Docker's containers are stopped with any slice above them.
        let slices: Vec<&UnitFile> = files.iter().filter(|file| file.text.contains("\n[Slice]\n")).collect();
        let is_docker = settings.contains("docker");
        assert_eq!(slices.iter().any(|file| file.name() == names::OUTER_SLICE), is_docker);
        for file in slices {
            assert_eq!(file.text.contains("\nDefaultDependencies=no\n"), is_docker, "{}", file.name());
        }
        let (without, files) = text("[timeouts]\nshutdown = \"0s\"");
        assert!(!without.contains("await-workflow-job") && !without.contains("dbus"), "{without}");
        assert!(files.iter().all(|file| !file.text.contains("DefaultDependencies")));
    }
}

#[test]
fn every_step_of_an_ephemeral_runner_takes_its_credential_from_systemd_where_that_hands_it_over() {
    for (more, handed_over) in [("", 0), ("encrypted = true", 2)] {
        let fleet = fleet(&format!("ephemeral = true\n[github]\ncredential = \"pat\"\n{more}\n"));
        let text = runner_file(&fleet, &fleet.runners[0], &programs("/usr/bin/podman")).text;
        let asks = |line: &&str| line.contains(" --credential-file=");
        assert_eq!(text.lines().filter(asks).count(), 2, "{text}");
        let loads = |line: &&str| asks(line) && line.contains(" --load-credential");
        assert_eq!(text.lines().filter(loads).count(), handed_over, "{text}");
    }
}

#[test]
fn an_encrypted_credential_is_decrypted_by_systemd_and_never_named_as_plain() {
    let text = |more: &str| {
        let fleet = fleet(&format!("{more}\n[github]\ncredential = \"pat\"\nencrypted = true\n"));
        runner_file(&fleet, &fleet.runners[0], &programs("/usr/bin/podman")).text
    };
    for more in ["", "load_credential = true"] {
        let with = text(more);
        let line = "\nLoadCredentialEncrypted=github:/etc/homelab-runners/github-credential\nSetCredential=github:#\n";
        assert!(with.contains(line) && !with.contains("\nLoadCredential="), "{with}");
        assert!(with.contains(" --load-credential"), "{with}");
    }
}
