//! What needs more than one key, or a default: `RawConfig` → `Config`.

use std::collections::BTreeMap;
use std::ops::{Range, RangeInclusive};
use std::time::Duration;

use toml::Spanned;

use super::collect::bare;
use super::ephemeral;
use super::github;
use super::monitor;
use super::problem::Problems;
use super::raw::{RawConfig, RawHealth, RawOverride, RawProxy, RawPrune, RawTimeouts};
use super::reports;
use super::words::{Engine, UnitFormat};
use super::{Config, DiskSize, Health, MOST_RUNNERS, Override, Paths, Proxy, Prune, RunnerScope, Timeouts};

/// Names that the tool itself gives the containers.
const RESERVED_ENVIRONMENT: [&str; 4] =
    ["RUNNERCTL_", "RUNNER_TOKEN", "ACTIONS_RUNNER_INPUT_", "GITHUB_ACTIONS_RUNNER_HTTPTRACE"];

type RawEnvironment = BTreeMap<Spanned<String>, Spanned<String>>;

/// Checks `raw` as a whole. `None` only where the URL is missing, which is then among the problems.
pub(super) fn validate(raw: RawConfig, problems: &mut Problems) -> Option<Config> {
    let count = count(&raw, problems);
    let name_prefix = bare(raw.name_prefix.as_ref()).unwrap_or_else(|| "homelab-runner".to_owned());
    check_name("name_prefix", raw.name_prefix.as_ref(), problems);
    check_group(&raw, problems);
    check_default_labels(&raw, problems);
    check_unit_format(&raw, problems);
    check_network(raw.network.as_ref(), problems);
    let overrides = overrides(&raw.runners, count, problems);
    check_names(&raw, count, &name_prefix, problems);
    let environment = environment("environment", &raw.environment, problems);
    let github = github::validate(&raw.github, raw.url.as_ref(), problems);
    ephemeral::check(&raw, count, &name_prefix, github.as_ref(), problems);
    let proxy = proxy(raw.proxy, problems);
    let health = health(&raw.health, problems);
    let timeouts = timeouts(&raw.timeouts, problems);
    let prune = prune(&raw.prune, problems);
    let reports = reports::validate(raw.reports, problems);
    let monitor = monitor::validate(&raw.monitor, &reports, problems);
    let (Some(url), Some(github)) = (raw.url, github) else {
        if problems.iter().all(|problem| problem.key != "url") {
            problems.add(
                None,
                "url",
                "is missing".to_owned(),
                "add the repository or organisation that the runners serve: url = \"https://github.com/OWNER/REPOSITORY\"",
            );
        }
        return None;
    };
    let flavour = raw.flavour.unwrap_or_default();
    Some(Config {
        url,
        count,
        name_prefix,
        labels: raw.labels.unwrap_or_default(),
        no_default_labels: bare(raw.no_default_labels.as_ref()).unwrap_or(false),
        runner_group: bare(raw.runner_group.as_ref()),
        replace: raw.replace.unwrap_or(false),
        ephemeral: bare(raw.ephemeral.as_ref()).unwrap_or(false),
        shared_token: raw.shared_token.unwrap_or(false),
        load_credential: raw.load_credential.unwrap_or(false),
        engine: raw.engine.unwrap_or_default(),
        unit_format: bare(raw.unit_format.as_ref()),
        flavour,
        image: raw.image.unwrap_or_else(|| flavour.default_image()),
        socket: raw.socket,
        network: bare(raw.network.as_ref()),
        extra_hosts: raw.extra_hosts.unwrap_or_default(),
        limits: raw.limits,
        fleet_limits: raw.fleet_limits,
        environment,
        github,
        proxy,
        paths: Paths {
            tokens: raw.paths.tokens,
            state: raw.paths.state,
            runtime: raw.paths.runtime,
            reports: raw.paths.reports,
        },
        health,
        timeouts,
        prune,
        reports,
        monitor,
        overrides,
    })
}

fn count(raw: &RawConfig, problems: &mut Problems) -> u16 {
    let Some(count) = &raw.count else { return 4 };
    match u16::try_from(*count.get_ref()) {
        Ok(number) if (1..=MOST_RUNNERS).contains(&number) => number,
        _ => {
            let message = format!("{} is no number of runners", count.get_ref());
            problems.add(Some(count.span()), "count", message, "allowed: 1 to 1000");
            4
        }
    }
}

/// GitHub allows 64 characters in a runner's name; systemd, Podman and Docker agree on these.
fn check_name(key: &str, name: Option<&Spanned<String>>, problems: &mut Problems) {
    let Some(name) = name else { return };
    let text = name.get_ref();
    let good = text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
        && text.len() <= 58;
    if !good {
        let hint = "allowed: up to 58 letters, digits and - _ . beginning with a letter or digit";
        problems.add(Some(name.span()), key, format!("{text:?} is no runner name"), hint);
    }
}

fn check_group(raw: &RawConfig, problems: &mut Problems) {
    let Some(group) = &raw.runner_group else { return };
    if raw.url.as_ref().is_some_and(|url| url.scope() == RunnerScope::Repository) {
        let hint = "remove runner_group, or give the url of the organisation";
        problems.add(
            Some(group.span()),
            "runner_group",
            "repositories have no runner groups".to_owned(),
            hint,
        );
    }
    if group.get_ref().trim().is_empty() || group.get_ref().chars().any(char::is_control) {
        let message = format!("{:?} is no runner group", group.get_ref());
        problems.add(Some(group.span()), "runner_group", message, "allowed: the group's name at GitHub");
    }
}

fn check_default_labels(raw: &RawConfig, problems: &mut Problems) {
    let Some(flag) = &raw.no_default_labels else { return };
    if *flag.get_ref() && raw.labels.as_ref().is_none_or(Vec::is_empty) {
        let message = "a runner without any label gets no workflow job".to_owned();
        problems.add(Some(flag.span()), "no_default_labels", message, "add labels = [\"…\"]");
    }
}

fn check_unit_format(raw: &RawConfig, problems: &mut Problems) {
    let Some(format) = &raw.unit_format else { return };
    if *format.get_ref() == UnitFormat::Quadlet && raw.engine == Some(Engine::Docker) {
        let message = "Quadlet is Podman's; Docker has nothing like it".to_owned();
        problems.add(
            Some(format.span()),
            "unit_format",
            message,
            "set unit_format = \"service\", or engine = \"podman\"",
        );
    }
}

fn check_network(network: Option<&Spanned<String>>, problems: &mut Problems) {
    let Some(network) = network else { return };
    let text = network.get_ref();
    if text.is_empty() || !text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.:,=".contains(c)) {
        let hint = "allowed: a network's name, \"host\", \"none\" or another mode of the engine";
        problems.add(Some(network.span()), "network", format!("{text:?} is no network"), hint);
    }
}

fn overrides(
    raw: &BTreeMap<Spanned<String>, RawOverride>,
    count: u16,
    problems: &mut Problems,
) -> BTreeMap<u16, Override> {
    let mut overrides = BTreeMap::new();
    for (key, value) in raw {
        let path = format!("runners.{}", key.get_ref());
        let number = key.get_ref().parse::<u16>().ok().filter(|n| (1..=count).contains(n));
        let Some(number) = number else {
            let hint = format!("allowed: runners.1 to runners.{count} (count = {count})");
            problems.add(Some(key.span()), &path, "there is no such runner".to_owned(), &hint);
            continue;
        };
        check_name(&format!("{path}.name"), value.name.as_ref(), problems);
        let environment = environment(&format!("{path}.environment"), &value.environment, problems);
        overrides.insert(
            number,
            Override {
                name: bare(value.name.as_ref()),
                labels: value.labels.clone(),
                image: value.image.clone(),
                socket: value.socket,
                ephemeral: bare(value.ephemeral.as_ref()),
                limits: value.limits.clone(),
                environment,
            },
        );
    }
    overrides
}

/// Two runners of one name take GitHub's session from each other for ever.
fn check_names(raw: &RawConfig, count: u16, name_prefix: &str, problems: &mut Problems) {
    let mut owners: BTreeMap<String, String> = BTreeMap::new();
    let own_name = |number: u16| {
        raw.runners.iter().any(|(key, value)| *key.get_ref() == number.to_string() && value.name.is_some())
    };
    for number in (1..=count).filter(|number| !own_name(*number)) {
        owners.insert(format!("{name_prefix}-{number}").to_lowercase(), format!("runner {number}"));
    }
    for (key, value) in &raw.runners {
        let Some(name) = &value.name else { continue };
        let path = format!("runners.{}.name", key.get_ref());
        let owner = owners.insert(name.get_ref().to_lowercase(), format!("runner {}", key.get_ref()));
        if let Some(owner) = owner {
            let message = format!("{:?} is already the name of {owner}", name.get_ref());
            problems.add(Some(name.span()), &path, message, "give each runner a name of its own");
        }
    }
}

fn environment(path: &str, raw: &RawEnvironment, problems: &mut Problems) -> BTreeMap<String, String> {
    let mut environment = BTreeMap::new();
    for (name, value) in raw {
        let key = format!("{path}.{}", name.get_ref());
        let text = name.get_ref();
        let plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !plain {
            let hint = "allowed: letters, digits and _, not beginning with a digit";
            problems.add(Some(name.span()), &key, "is no name of an environment variable".to_owned(), hint);
        } else if RESERVED_ENVIRONMENT.iter().any(|reserved| text.starts_with(reserved)) {
            let hint = "tokens belong into the tokens file, never into the environment";
            problems.add(
                Some(name.span()),
                &key,
                "is a name that runnerctl or the runner keeps for itself".to_owned(),
                hint,
            );
        }
        if value.get_ref().chars().any(|c| c.is_control() && c != '\t') {
            let message = "has a line break or another control character".to_owned();
            problems.add(Some(value.span()), &key, message, "write it in one line");
        }
        environment.insert(text.clone(), value.get_ref().clone());
    }
    environment
}

fn proxy(raw: RawProxy, problems: &mut Problems) -> Proxy {
    for (key, url) in [("proxy.http", &raw.http), ("proxy.https", &raw.https)] {
        let Some(url) = url else { continue };
        let text = url.get_ref();
        if !text.contains("://") || text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            problems.add(Some(url.span()), key, "is no proxy URL".to_owned(), "allowed: http://HOST:PORT");
        } else if text.contains('@') {
            let message = "holds a password that every workflow and `inspect` could read".to_owned();
            problems.add(
                Some(url.span()),
                key,
                message,
                "use a proxy that lets this host in without a password",
            );
        }
    }
    if let Some(hosts) = &raw.no_proxy
        && hosts.get_ref().chars().any(char::is_control)
    {
        let message = "has a line break or another control character".to_owned();
        problems.add(Some(hosts.span()), "proxy.no_proxy", message, "allowed: HOST,HOST,… in one line");
    }
    Proxy {
        http: bare(raw.http.as_ref()),
        https: bare(raw.https.as_ref()),
        no_proxy: bare(raw.no_proxy.as_ref()),
        ca_file: raw.ca_file,
    }
}

fn health(raw: &RawHealth, problems: &mut Problems) -> Health {
    let mut of =
        |key: &str, value: Option<&Spanned<String>>, default: u64| duration(key, value, default, problems);
    let interval = of("health.interval", raw.interval.as_ref(), 30);
    let timeout = of("health.timeout", raw.timeout.as_ref(), 10);
    let start_period = of("health.start_period", raw.start_period.as_ref(), 300);
    let retries = raw.retries.as_ref().map_or(3, |retries| {
        u32::try_from(*retries.get_ref()).ok().filter(|number| (1..=100).contains(number)).unwrap_or_else(
            || {
                let message = format!("{} is no number of retries", retries.get_ref());
                problems.add(Some(retries.span()), "health.retries", message, "allowed: 1 to 100");
                3
            },
        )
    });
    Health { interval, timeout, retries, start_period }
}

fn timeouts(raw: &RawTimeouts, problems: &mut Problems) -> Timeouts {
    // After 30 minutes systemd cuts a shutdown off (JobTimeoutSec= of its reboot.target and poweroff.target), and a cancelled workflow job needs some of them.
    let at_shutdown = Allowed { seconds: 0..=1200, step: 1, words: "whole seconds, \"0s\" to \"20m\"" };
    Timeouts {
        start: duration("timeouts.start", raw.start.as_ref(), 900, problems),
        stop: duration("timeouts.stop", raw.stop.as_ref(), 330, problems),
        shutdown: duration_within("timeouts.shutdown", raw.shutdown.as_ref(), 600, &at_shutdown, problems),
    }
}

fn prune(raw: &RawPrune, problems: &mut Problems) -> Prune {
    const DAY: u64 = 86_400;
    let size = |value: Option<DiskSize>, gibibytes: u64| value.unwrap_or(DiskSize::Bytes(gibibytes << 30));
    let hourly = Allowed { seconds: 60..=7 * DAY, step: 1, words: "whole seconds, \"1m\" to \"7d\"" };
    let daily = Allowed { seconds: DAY..=365 * DAY, step: DAY, words: "whole days, \"1d\" to \"365d\"" };
    Prune {
        enabled: raw.enabled.unwrap_or(true),
        interval: duration_within("prune.interval", raw.interval.as_ref(), 3600, &hourly, problems),
        work_max: size(raw.work_max, 20),
        tool_cache_max: size(raw.tool_cache_max, 10),
        images_max: size(raw.images_max, 20),
        diag_max_age: duration_within(
            "prune.diag_max_age",
            raw.diag_max_age.as_ref(),
            14 * DAY,
            &daily,
            problems,
        ),
        free_disk_min: size(raw.free_disk_min, 5),
    }
}

/// Which durations a key takes.
pub(super) struct Allowed {
    pub seconds: RangeInclusive<u64>,
    /// A whole number of these.
    pub step: u64,
    pub words: &'static str,
}

/// A whole number of seconds between one second and one day.
fn duration(
    key: &str,
    value: Option<&Spanned<String>>,
    default_secs: u64,
    problems: &mut Problems,
) -> Duration {
    let allowed = Allowed { seconds: 1..=86_400, step: 1, words: "whole seconds, \"1s\" to \"24h\"" };
    duration_within(key, value, default_secs, &allowed, problems)
}

/// A duration as humantime writes it.
pub(super) fn duration_within(
    key: &str,
    value: Option<&Spanned<String>>,
    default_secs: u64,
    allowed: &Allowed,
    problems: &mut Problems,
) -> Duration {
    let default = Duration::from_secs(default_secs);
    let Some(value) = value else { return default };
    let span: Range<usize> = value.span();
    let fits = |duration: Duration| {
        let seconds = duration.as_secs();
        allowed.seconds.contains(&seconds)
            && seconds.is_multiple_of(allowed.step)
            && duration.subsec_nanos() == 0
    };
    match humantime::parse_duration(value.get_ref()) {
        Ok(duration) if fits(duration) => duration,
        Ok(_) => {
            let message = format!("{:?} is out of range", value.get_ref());
            problems.add(Some(span), key, message, &format!("allowed: {}", allowed.words));
            default
        }
        Err(_) => {
            let message = format!("{:?} is no duration", value.get_ref());
            problems.add(Some(span), key, message, "allowed: such as \"30s\", \"5m\" or \"1h 30m\"");
            default
        }
    }
}
