#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use proptest::prelude::*;

use super::*;

const URL: &str = "url = \"https://github.com/acme/shop\"\n";

/// `line:column key: message (hint)` of every problem.
fn problems(text: &str) -> Vec<String> {
    let problems = Config::parse(text).err().unwrap_or_default();
    problems
        .iter()
        .map(|problem| {
            let place =
                problem.position(text).map_or("-".to_owned(), |(line, column)| format!("{line}:{column}"));
            let hint = problem.hint.as_ref().map_or(String::new(), |hint| format!(" ({hint})"));
            format!("{place} {problem}{hint}")
        })
        .collect()
}

#[test]
fn the_shipped_example_is_a_valid_config_with_every_key() {
    Config::parse(EXAMPLE).unwrap();
    let example: toml::Table = EXAMPLE.parse().unwrap();
    let schema = schema().to_value();
    assert_has_all(&toml::Value::Table(example), &schema, &schema, "");
}

/// Every property of the schema, and of the tables in it, stands in the example.
fn assert_has_all(value: &toml::Value, node: &serde_json::Value, root: &serde_json::Value, path: &str) {
    let node = match node.get("$ref").and_then(|r| r.as_str()) {
        Some(reference) => root.pointer(reference.trim_start_matches('#')).unwrap(),
        None => node,
    };
    if let Some(properties) = node.get("properties").and_then(|p| p.as_object()) {
        for (key, inner) in properties {
            let found = value.get(key).unwrap_or_else(|| panic!("the example lacks {path}{key}"));
            assert_has_all(found, inner, root, &format!("{path}{key}."));
        }
    } else if path == "runners." {
        assert_has_all(&value["4"], &node["additionalProperties"], root, "runners.4.");
    }
}

#[test]
fn defaults_are_the_four_runners_of_the_specification() {
    let config = Config::parse(URL).unwrap();
    assert_eq!((config.count, config.name_prefix.as_str()), (4, "homelab-runner"));
    assert_eq!((config.engine, config.socket), (Engine::Podman, None));
    assert_eq!(config.image.to_string(), "ghcr.io/actions/actions-runner:2.338.0");
}

#[test]
fn all_problems_are_told_at_once_with_line_key_and_suggestion() {
    let text = "cuont = 5\nurl = \"github.com/acme\"\nengine = \"podmen\"\n[limits]\ncpu_quota = \"two\"\nmemory_max = \"4GB\"\nmemory_maxx = \"1G\"\n[runners.9]\nlabels = [\"a,b\"]\n";
    assert_eq!(
        problems(text),
        [
            "1:1 cuont: unknown key (did you mean `count`?)",
            "2:7 url: \"github.com/acme\" does not begin with https:// (allowed: https://HOST/OWNER/REPOSITORY, https://HOST/ORGANISATION or https://HOST/enterprises/ENTERPRISE)",
            "3:10 engine: unknown word \"podmen\" (did you mean \"podman\"? allowed: \"podman\", \"docker\")",
            "5:13 limits.cpu_quota: \"two\" is no CPU quota (allowed: a percentage of one core such as \"200%\" (two cores))",
            "6:14 limits.memory_max: \"4GB\" is no memory size (allowed: \"4G\", \"512M\" (powers of 1024), \"25%\" or \"infinity\")",
            "7:1 limits.memory_maxx: unknown key (did you mean `memory_max`?)",
            "8:10 runners.9: there is no such runner (allowed: runners.1 to runners.4 (count = 4))",
            "9:10 runners.9.labels: \"a,b\" is no label (a label has no comma, no double quote and no control character)",
        ]
    );
}

#[test]
fn a_misspelt_key_is_refused_in_every_table() {
    for table in [
        "limits",
        "fleet_limits",
        "github",
        "proxy",
        "paths",
        "health",
        "timeouts",
        "prune",
        "reports",
        "reports.tls",
        "reports.retention",
        "monitor",
        "runners.1",
        "runners.1.limits",
    ] {
        let text = format!("{URL}[{table}]\nno_such_key = 1\n");
        let found = problems(&text);
        let unknown = format!("3:1 {table}.no_such_key: unknown key");
        assert_eq!(
            found.iter().filter(|problem| problem.starts_with(&unknown)).count(),
            1,
            "{table}: {found:?}"
        );
    }
}

#[test]
fn all_problems_of_prune_are_told_at_once() {
    let text = "interval = \"10s\"\nwork_max = \"20GB\"\ntool_cache_max = \"20\"\ndiag_max_age = \"36h\"\nfree_disk_min = 5\n";
    assert_eq!(
        problems(&format!("{URL}[prune]\n{text}")),
        [
            "3:12 prune.interval: \"10s\" is out of range (allowed: whole seconds, \"1m\" to \"7d\")",
            "4:12 prune.work_max: \"20GB\" is no amount of disk (allowed: \"20G\", \"512M\" (powers of 1024), \"0\" or \"none\")",
            "5:18 prune.tool_cache_max: \"20\" is less than any workflow job leaves (allowed: \"1M\" or more, \"0\" or \"none\")",
            "6:16 prune.diag_max_age: \"36h\" is out of range (allowed: whole days, \"1d\" to \"365d\")",
            "7:17 prune.free_disk_min: invalid type: integer `5`, expected a string",
        ]
    );
}

#[test]
fn problems_of_the_monitor_are_told_with_their_place() {
    let text = "listen = \"8090\"\ngithub_interval = \"5s\"\nheal = \"yes\"\n";
    assert_eq!(
        problems(&format!("{URL}[monitor]\n{text}")),
        [
            "3:10 monitor.listen: \"8090\" is no address with a port (allowed: such as \"127.0.0.1:8090\", \"0.0.0.0:8090\" or \"[::]:8090\")",
            "4:19 monitor.github_interval: \"5s\" is out of range (allowed: whole seconds, \"20s\" to \"1h\")",
            "5:8 monitor.heal: invalid type: string \"yes\", expected a boolean",
        ]
    );
    let twice = "[monitor]\nlisten = \"127.0.0.1:8089\"\n";
    assert_eq!(
        problems(&format!("{URL}{twice}")),
        [
            "3:10 monitor.listen: 127.0.0.1:8089 is the address of the report server, too (give each an address or a port of its own)"
        ]
    );
    for one in ["[reports]\nserve = false\n", ""] {
        let rest = if one.is_empty() { "enabled = false\n" } else { "" };
        Config::parse(&format!("{URL}{one}{twice}{rest}")).unwrap();
    }
}

#[test]
fn all_problems_of_reports_are_told_at_once() {
    let text = "layout = \"{job}/{run_id}\"\nlisten = \"localhost:8089\"\nurl = \"reports.lan\"\n[reports.tls]\nkey = \"/k\"\n\
                [reports.retention]\nmax_age = \"36h\"\nruns_max = 0\n";
    assert_eq!(
        problems(&format!("{URL}[reports]\n{text}")),
        [
            "3:10 reports.layout: \"{job}\" has an unknown name in braces (allowed: {owner} {repository} {workflow} {run_id})",
            "4:10 reports.listen: \"localhost:8089\" is no address with a port (allowed: such as \"127.0.0.1:8089\", \"0.0.0.0:8089\" or \"[::]:8089\")",
            "5:7 reports.url: \"reports.lan\" is no address of a report server (allowed: https://HOST[:PORT]/ or http://HOST[:PORT]/)",
            "6:1 reports.tls: certificate is missing (give the PEM files of both: certificate = \"/…\", key = \"/…\")",
            "9:11 reports.retention.max_age: \"36h\" is out of range (allowed: whole days, \"1d\" to \"3650d\")",
            "10:12 reports.retention.runs_max: 0 is no number of runs (allowed: 1 to 1000000)",
        ]
    );
}

#[test]
fn people_find_the_report_server_where_the_config_says() {
    let url = |text: &str| Config::parse(&format!("{URL}[reports]\n{text}")).unwrap().reports.url();
    assert_eq!(url(""), "http://127.0.0.1:8089/");
    assert_eq!(
        url("listen = \"[::1]:9\"\n[reports.tls]\ncertificate = \"/c\"\nkey = \"/k\""),
        "https://[::1]:9/"
    );
    assert_eq!(url("url = \"https://reports.lan\""), "https://reports.lan/");
}

#[test]
fn the_floor_can_be_switched_off_in_two_ways() {
    for off in ["none", "0"] {
        let config = Config::parse(&format!("{URL}[prune]\nfree_disk_min = \"{off}\"\n")).unwrap();
        assert_eq!(config.prune.floor(), 0);
    }
    let config = Config::parse(URL).unwrap();
    assert_eq!((config.prune.floor(), config.prune.diag_days(), config.prune.enabled), (5 << 30, 14, true));
}

#[test]
fn syntax_errors_are_told_with_their_line() {
    let found = problems("url = \ncount = 4 4\n");
    assert!(found.iter().any(|line| line.starts_with("1:")), "{found:?}");
    assert!(found.iter().any(|line| line.starts_with("2:")), "{found:?}");
}

#[test]
fn a_missing_url_is_told_with_an_example() {
    assert_eq!(problems("count = 2\n").len(), 1);
    assert!(problems("")[0].starts_with("- url: is missing (add"));
}

#[test]
fn duplicate_names_are_refused_whatever_their_case() {
    let found = problems(&format!(
        "{URL}[runners.1]\nname = \"Homelab-Runner-2\"\n[runners.3]\nname = \"x\"\n[runners.4]\nname = \"X\"\n"
    ));
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found[0].contains("already the name of runner 2")
            && found[1].contains("already the name of runner 3")
    );
}

#[test]
fn contradictions_between_keys_are_refused() {
    for (text, expected) in [
        ("engine = \"docker\"\nunit_format = \"quadlet\"", "Quadlet is Podman's"),
        ("runner_group = \"x\"", "repositories have no runner groups"),
        ("no_default_labels = true", "without any label"),
        ("count = 0", "0 is no number of runners"),
        ("count = 1001", "1001 is no number of runners"),
        ("image = \"ghcr.io/actions/actions-runner:latest\"", "is not pinned"),
        ("image = \"ghcr.io/actions/actions-runner\"", "is not pinned"),
        ("image = \"--privileged.x/a:1\"", "is no image reference"),
        (
            "[github]\nclient_id = \"Iv1\"",
            "belongs to a GitHub App, and the credential is \"registration-token\"",
        ),
        (
            "[github]\ncredential = \"pat\"\ninstallation_id = 3",
            "belongs to a GitHub App, and the credential is \"pat\"",
        ),
        ("[github]\ncredential = \"app\"", "needs the App's client_id"),
        ("[github]\ncredential_file = \"/f\"", "is not read: the credential is \"registration-token\""),
        ("[github]\ncredential = \"app\"\nclient_id = \"\"", "is no client id"),
        ("[github]\ncredential = \"app\"\nclient_id = \"a\"\ninstallation_id = 0", "is no installation id"),
        ("[github]\ncredential = \"token\"\nclient_id = \"a\"", "unknown word \"token\""),
        ("[github]\napi_url = \"ghes.lan/api/v3\"", "does not begin with https://"),
        ("[github]\napi_url = \"https://me:secret@ghes.lan\"", "user name or password"),
        ("[github]\napi_url = \"https://ghes.lan/api?x=1\"", "no address of an API"),
        ("[proxy]\nno_proxy = \"a\\nb\"", "has a line break"),
        ("image = \"actions-runner:1\"", "names no registry"),
        ("[environment]\nRUNNER_TOKEN_1 = \"x\"", "keeps for itself"),
        ("[environment]\nA = \"a\\nb\"", "line break"),
        ("[proxy]\nhttp = \"http://me:secret@proxy:1\"", "password"),
        ("[paths]\nstate = \"relative\"", "no usable path"),
        ("[paths]\nstate = \"/var/../etc\"", "no usable path"),
        ("[paths]\nreports = \"/a:b\"", "no usable path"),
        ("[health]\ninterval = \"1 fortnight\"", "no duration"),
        ("[timeouts]\nstart = \"2 days\"", "out of range"),
        ("[timeouts]\nshutdown = \"21m\"", "out of range"),
        ("[limits]\ntasks_max = 3", "too few"),
        ("[limits]\nio_weight = 0", "no I/O weight"),
        ("[limits]\nmemory_max = \"1M\"", "too little"),
        ("count = 4.5", "invalid type"),
    ] {
        let found = problems(&format!("{URL}{text}\n"));
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert!(found[0].contains(expected), "{text}: {found:?}");
    }
}

#[test]
fn urls_say_what_they_name() {
    for (url, scope, page) in [
        (
            "https://github.com/acme/shop",
            RunnerScope::Repository,
            "https://github.com/acme/shop/settings/actions/runners/new",
        ),
        (
            "https://github.com/acme/",
            RunnerScope::Organisation,
            "https://github.com/organizations/acme/settings/actions/runners/new",
        ),
        (
            "https://ghes.lan/enterprises/big",
            RunnerScope::Enterprise,
            "https://ghes.lan/enterprises/big/settings/actions/runners/new",
        ),
    ] {
        let parsed: GithubUrl = url.parse().unwrap();
        assert_eq!((parsed.scope(), parsed.new_runner_page().as_str()), (scope, page));
    }
    for url in [
        "https://github.com",
        "https://github.com/a/b/c",
        "https://u:p@github.com/a/b",
        "ssh://github.com/a",
        "https://github.com/a b",
    ] {
        assert!(url.parse::<GithubUrl>().is_err(), "{url}");
    }
}

#[test]
fn problems_of_github_are_told_with_their_place_and_the_next_step() {
    let text = "url = \"https://github.com/enterprises/big\"\n[github]\ncredential = \"app\"\n";
    assert_eq!(
        problems(text),
        [
            "3:14 github.credential: \"app\" needs the App's client_id (add client_id = \"…\" (GitHub: the App's settings, General, Client ID))",
            "3:14 github.credential: GitHub Apps cannot register runners of an enterprise (set credential = \"pat\", or give the url of an organisation)",
        ]
    );
}

#[test]
fn only_a_credential_can_be_encrypted() {
    let with = |github: &str| format!("{URL}[github]\nencrypted = true\n{github}");
    assert_eq!(
        problems(&with("")),
        [
            "3:13 github.encrypted: there is nothing to decrypt: the credential is \"registration-token\" (remove it, or set credential = \"pat\" or \"app\"; registration tokens live an hour and are kept in plain text)"
        ]
    );
    assert!(Config::parse(&with("credential = \"pat\"\n")).unwrap().github.encrypted);
}

#[test]
fn a_config_that_says_nothing_of_github_has_registration_tokens_alone() {
    let github = Config::parse(URL).unwrap().github;
    assert_eq!((github.credential, github.has_api()), (CredentialKind::RegistrationToken, false));
    let text = format!("{URL}[github]\ncredential = \"app\"\nclient_id = \"Iv1.a\"\ninstallation_id = 7\n");
    let github = Config::parse(&text).unwrap().github;
    assert_eq!((github.has_api(), github.installation_id), (true, Some(7)));
    assert_eq!(github.client_id.as_deref(), Some("Iv1.a"));
}

#[test]
fn the_api_is_where_the_host_has_it() {
    for (url, api) in [
        ("https://github.com/acme", "https://api.github.com"),
        ("https://www.github.com/acme", "https://api.github.com"),
        ("https://GitHub.com/acme", "https://api.github.com"),
        ("https://acme.ghe.com/shop", "https://api.acme.ghe.com"),
        ("http://github.localhost:8080/o/r", "http://api.github.localhost:8080"),
        ("https://ghes.lan/o/r", "https://ghes.lan/api/v3"),
        ("http://127.0.0.1:4711/o/r", "http://127.0.0.1:4711/api/v3"),
        ("https://[::1]:8443/o", "https://[::1]:8443/api/v3"),
        ("https://notgithub.com/o", "https://notgithub.com/api/v3"),
    ] {
        assert_eq!(ApiUrl::of(&url.parse().unwrap()).as_str(), api);
    }
    let text = format!("{URL}[github]\napi_url = \"https://x.lan/api/v3/\"\n");
    assert_eq!(Config::parse(&text).unwrap().github.api_url.as_str(), "https://x.lan/api/v3");
}

#[test]
fn urls_know_their_owner_and_repository() {
    for (url, owner, repository) in [
        ("https://github.com/acme/shop/", "acme", Some("shop")),
        ("https://ghes.lan:8443/acme", "acme", None),
        ("https://github.com/enterprises/big", "big", None),
    ] {
        let url: GithubUrl = url.parse().unwrap();
        assert_eq!((url.owner(), url.repository()), (owner, repository));
    }
    assert!("https://github.com/../shop".parse::<GithubUrl>().is_err(), "it would lead elsewhere in the API");
}

#[test]
fn tokens_are_read_by_number_and_others_ignored() {
    let tokens =
        Tokens::parse("# first\nRUNNER_TOKEN_1=AAAA\nexport RUNNER_TOKEN_2='BBBB'\nOTHER=1\n").unwrap();
    assert_eq!(tokens.of(1).ok().unwrap().expose(), "AAAA");
    assert_eq!(tokens.of(2).ok().unwrap().expose(), "BBBB");
    assert_eq!(tokens.of(3).err().unwrap().to_string(), "RUNNER_TOKEN_3 is not set");
}

#[test]
fn bad_token_files_are_refused_without_showing_a_token() {
    let canary = "CANARYTOKENCANARYTOKENCANARYT";
    for (text, expected) in [
        (format!("A=1\nRUNNER_TOKEN_1={canary} x y\n"), "line 2 is not NAME=value"),
        (format!("RUNNER_TOKEN_1 {canary}\n"), "line 1 is not NAME=value"),
        (format!("RUNNER_TOKEN_1={canary}\nRUNNER_TOKEN_1=B\n"), "RUNNER_TOKEN_1 is set twice"),
    ] {
        let errors = Tokens::parse(&text).err().unwrap();
        let shown = format!("{errors:?} {}", errors[0]);
        assert!(shown.contains(expected), "{shown}");
        assert!(!shown.contains("CANARY"), "{shown}");
    }
    let tokens = Tokens::parse(&format!("RUNNER_TOKEN_1=\nRUNNER_TOKEN_2='{canary} b'\n")).unwrap();
    assert_eq!(tokens.of(1).err().unwrap().to_string(), "RUNNER_TOKEN_1 is empty");
    assert!(tokens.of(2).err().unwrap().to_string().starts_with("RUNNER_TOKEN_2 is no registration token"));
}

#[test]
fn the_same_token_for_two_runners_is_named_but_only_within_the_fleet() {
    let tokens = Tokens::parse("RUNNER_TOKEN_1=A\nRUNNER_TOKEN_3=A\nRUNNER_TOKEN_9=A\n").unwrap();
    assert_eq!(tokens.shared(4)[0].to_string(), "RUNNER_TOKEN_1 and RUNNER_TOKEN_3 hold the same token");
    assert_eq!(tokens.shared(4).len(), 1);
    assert!(tokens.shared(2).is_empty());
}

proptest! {
    #[test]
    fn any_text_is_parsed_or_refused_without_panic(text in "\\PC{0,200}|([a-z_]{1,12} = [\"0-9a-z\\[\\]]{0,8}\n){0,6}") {
        let _config = Config::parse(&text);
        let _tokens = Tokens::parse(&text);
    }

    #[test]
    fn every_url_that_is_accepted_has_an_api_that_is_accepted(
        text in "https?://[a-zA-Z0-9.:\\[\\]-]{0,20}(/[a-zA-Z0-9._%?#-]{0,8}){0,3}/?"
    ) {
        if let Ok(url) = text.parse::<GithubUrl>() {
            let api = ApiUrl::of(&url);
            prop_assert_eq!(&api.as_str().parse::<ApiUrl>(), &Ok(api.clone()));
            prop_assert_eq!(api.is_plain_http(), url.is_plain_http());
        }
    }

    #[test]
    fn what_is_accepted_as_a_credential_fits_into_a_header(text in "\\PC{0,60}|[ \t\r\na-zA-Z0-9_.-]{0,60}") {
        if let Ok(token) = PersonalAccessToken::parse(&text) {
            prop_assert!(token.expose().bytes().all(|byte| byte.is_ascii_graphic()));
            prop_assert_eq!(token.expose(), text.trim());
        }
    }

    #[test]
    fn memory_sizes_survive_printing(bytes in (64u64 << 20)..(1 << 50)) {
        let size = MemorySize::Bytes(bytes);
        prop_assert_eq!(size.to_string().parse::<MemorySize>().unwrap(), size);
    }
}

#[test]
fn an_image_tells_its_version_and_whether_it_can_change() {
    let image = |text: &str| text.parse::<Image>().unwrap();
    for (text, version) in [
        ("ghcr.io/actions/actions-runner:2.338.0", Some("2.338.0")),
        ("docker.io/myoung34/github-runner:2.338.0-ubuntu-noble", Some("2.338.0")),
        ("x.y:5000/runner:v2.338.0", Some("2.338.0")),
        ("x.y/runner:2.338.0@sha256:abc", Some("2.338.0")),
        ("x.y/runner:stable", None),
        ("x.y/runner:24.04", None),
        ("x.y:5000/runner@sha256:abc", None),
    ] {
        assert_eq!(image(text).version(), version, "{text}");
    }
    assert!(image("x.y/runner@sha256:abc").is_digest() && !image("x.y/runner:1").is_digest());
    assert!(image("localhost/runner:1").is_local() && !image("localhost:5000/runner:1").is_local());
}

#[test]
fn an_ephemeral_runner_needs_a_credential_of_the_hosts_own() {
    let base = "url = \"https://github.com/acme/shop\"\n";
    for (text, key) in
        [("ephemeral = true\n", "ephemeral"), ("[runners.2]\nephemeral = true\n", "runners.2.ephemeral")]
    {
        let problems = Config::parse(&format!("{base}{text}")).unwrap_err();
        let problem = problems.iter().next().unwrap();
        assert_eq!((problem.key.as_str(), problems.iter().count()), (key, 1));
        assert!(problem.message.contains("lives one hour"), "{}", problem.message);
        let hint = format!("{problem:?}");
        assert!(hint.contains("[github]"), "{hint}");
        let github = "[github]\ncredential = \"pat\"\n";
        let config = Config::parse(&format!("{base}{text}{github}")).unwrap();
        assert_eq!(config.ephemeral, key == "ephemeral");
        assert_eq!(
            config.overrides.get(&2).and_then(|own| own.ephemeral),
            (key != "ephemeral").then_some(true)
        );
    }
    for text in ["ephemeral = false\n", "[runners.2]\nephemeral = false\n"] {
        assert!(Config::parse(&format!("{base}{text}")).is_ok(), "{text}");
    }
}

#[test]
fn the_name_of_an_ephemeral_runner_leaves_room_for_what_each_start_adds() {
    let config = |prefix: usize, more: &str| {
        let name = "n".repeat(prefix);
        Config::parse(&format!(
            "url = \"https://github.com/acme/shop\"\ncount = 2\nname_prefix = \"{name}\"\n{more}[github]\ncredential = \"pat\"\n"
        ))
    };
    assert!(config(56, "ephemeral = true\n").is_ok());
    assert!(config(58, "").is_ok());
    let problems = config(57, "ephemeral = true\n").unwrap_err();
    assert_eq!(problems.iter().map(|problem| problem.key.as_str()).collect::<Vec<_>>(), ["name_prefix"]);
    let own = format!(
        "ephemeral = true\n[runners.2]\nname = \"{}\"\n[runners.1]\nephemeral = false\n",
        "n".repeat(58)
    );
    assert!(config(58, &own).is_ok());
}
