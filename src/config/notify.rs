//! Whom the monitor tells what: `[notify]`.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::collect::bare;
use super::limits::try_from_string;
use super::problem::Problems;
use super::raw::RawNotify;
use super::validate::{Allowed, duration_within};
use super::words::AbsolutePath;

/// Most messages an hour that can be asked for.
const MOST_PER_HOUR: u32 = 60;

/// More than any kernel takes of one argument is 128 KiB; nobody types so much.
const LONGEST_ARGUMENT: usize = 4096;

/// Whom to tell what, and how often. Nobody is told anything where there is neither command nor webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notify {
    /// A program with its arguments; empty: none.
    pub command: Vec<String>,
    /// A server.
    pub webhook: Option<Webhook>,
    /// What is told.
    pub on: BTreeSet<NoticeKind>,
    /// Most messages an hour, to each of the two.
    pub hourly_max: u32,
    /// Between two messages of one kind about one runner.
    pub pause: Duration,
}

/// A server that takes messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Its address.
    pub url: WebhookUrl,
    /// In which form.
    pub format: WebhookFormat,
    /// The file with the token that it wants to be shown.
    pub token_file: Option<AbsolutePath>,
}

/// What may be told. The most urgent comes first, in the order of messages too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NoticeKind {
    /// A runner needs a new registration token.
    NeedsToken,
    /// Restarts did not help, and no more are tried.
    GaveUp,
    /// Something else is the matter with a runner, or a restart by the monitor failed.
    Failed,
    /// The kernel killed programs of a runner for want of memory.
    OutOfMemory,
    /// GitHub refuses a runner's version, or will before long.
    VersionDeadline,
    /// The monitor has restarted a runner.
    Healed,
    /// Nothing is the matter any more.
    Recovered,
    /// Somebody tries whether messages arrive. Nothing to choose: it is always told.
    #[serde(skip_deserializing)]
    #[schemars(skip)]
    Test,
}

impl NoticeKind {
    /// Those that can be chosen.
    pub const ALL: [Self; 7] = [
        Self::NeedsToken,
        Self::GaveUp,
        Self::Failed,
        Self::OutOfMemory,
        Self::VersionDeadline,
        Self::Healed,
        Self::Recovered,
    ];

    /// The word in the config and in messages.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::NeedsToken => "needs-token",
            Self::GaveUp => "gave-up",
            Self::Failed => "failed",
            Self::OutOfMemory => "out-of-memory",
            Self::VersionDeadline => "version-deadline",
            Self::Healed => "healed",
            Self::Recovered => "recovered",
            Self::Test => "test",
        }
    }
}

/// What a webhook is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum WebhookFormat {
    /// One JSON object.
    #[default]
    Json,
    /// Plain text with headers, <https://docs.ntfy.sh/publish/>.
    Ntfy,
}

/// Where messages are posted. Path and query may be all that keeps others out, so neither is ever shown.
#[derive(Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String", extend("pattern" = "^https?://[A-Za-z0-9._:\\[\\]-]+([/?].*)?$"))]
pub struct WebhookUrl(String);

impl WebhookUrl {
    /// All of it, for the one place that sends.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Is it without TLS?
    #[must_use]
    pub fn is_plain_http(&self) -> bool {
        self.0.starts_with("http:")
    }

    /// Scheme, host and port, for messages.
    #[must_use]
    pub fn origin(&self) -> &str {
        let rest = self.0.find("://").map_or(0, |at| at + 3);
        let end = self.0.get(rest..).and_then(|rest| rest.find(['/', '?'])).map(|at| rest + at);
        end.and_then(|end| self.0.get(..end)).unwrap_or(&self.0)
    }
}

impl FromStr for WebhookUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| {
            format!("{why}; allowed: https://HOST[:PORT]/PATH, such as \"https://ntfy.sh/TOPIC\"")
        };
        let (is_plain, rest) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
            (Some(rest), _) => (false, rest),
            (_, Some(rest)) => (true, rest),
            _ => return Err(wrong("does not begin with https://")),
        };
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        if authority.contains('@') {
            return Err(
                "holds a user name or password; put a token into a file and name it: token_file = \"/…\""
                    .to_owned(),
            );
        }
        if text.contains('#') || !text.chars().all(|c| c.is_ascii_graphic() && !"\"<>\\^`{|}".contains(c)) {
            return Err(wrong("has characters that no address has"));
        }
        let host = host_of(authority).ok_or_else(|| wrong("has no host"))?;
        if is_plain && !is_at_home(host) {
            return Err(
                "is http:// to a host out on the network: everybody on the way could read it; allowed: https://, or http:// to a loopback or private address, a name without dots or one that ends with .lan, .local, .internal or .home.arpa"
                    .to_owned(),
            );
        }
        Ok(Self(text.to_owned()))
    }
}

/// The host of `HOST[:PORT]`, without the brackets of an IPv6 address.
fn host_of(authority: &str) -> Option<&str> {
    let (host, port) = if let Some(rest) = authority.strip_prefix('[') {
        let (host, port) = rest.split_once(']')?;
        host.parse::<std::net::Ipv6Addr>().ok()?;
        (host, port)
    } else {
        let (host, port) = authority.split_at(authority.find(':').unwrap_or(authority.len()));
        let good = host.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
        good.then_some((host, port))?
    };
    let is_port = |port: &str| port.parse::<u16>().is_ok_and(|number| number > 0) && !port.starts_with('+');
    let good = !host.is_empty() && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port));
    good.then_some(host)
}

/// Does what is sent there stay in this house, as far as a name can tell?
fn is_at_home(host: &str) -> bool {
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => address.is_loopback() || address.is_private() || address.is_link_local(),
        Ok(IpAddr::V6(address)) => {
            address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
        }
        Err(_) => {
            let host = host.to_ascii_lowercase();
            // The resolver reads numbers in other forms as addresses too: `http://134744072/` is 8.8.8.8.
            let is_name = host
                .rsplit('.')
                .next()
                .is_some_and(|last| last.starts_with(|c: char| c.is_ascii_alphabetic()));
            let ends = [".lan", ".local", ".internal", ".home.arpa", ".localhost"];
            is_name && (!host.contains('.') || ends.iter().any(|end| host.ends_with(end)))
        }
    }
}

/// Without its path and query.
impl fmt::Debug for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WebhookUrl({}/…)", self.origin())
    }
}

try_from_string!(WebhookUrl);

/// `[notify]` with its defaults.
pub(super) fn validate(raw: RawNotify, problems: &mut Problems) -> Notify {
    check_command(raw.command.as_ref(), problems);
    // Of an address that is no good nobody can say what belongs to it.
    if raw.webhook.is_none() && problems.iter().all(|problem| problem.key != "notify.webhook") {
        let of_webhooks = [
            ("notify.format", raw.format.as_ref().map(Spanned::span)),
            ("notify.token_file", raw.token_file.as_ref().map(Spanned::span)),
        ];
        for (key, span) in of_webhooks.into_iter().filter(|(_, span)| span.is_some()) {
            let message = "belongs to a webhook, and there is none".to_owned();
            problems.add(span, key, message, "remove it, or add webhook = \"https://…\"");
        }
    }
    if let Some(on) = raw.on.as_ref().filter(|on| on.get_ref().is_empty()) {
        let hint = "leave it out for all of them; for no messages remove command and webhook";
        problems.add(Some(on.span()), "notify.on", "tells nothing".to_owned(), hint);
    }
    let allowed = Allowed { seconds: 0..=86_400, step: 1, words: "whole seconds, \"0s\" to \"24h\"" };
    let pause = duration_within("notify.pause", raw.pause.as_ref(), 900, &allowed, problems);
    let (format, token_file) = (bare(raw.format.as_ref()).unwrap_or_default(), bare(raw.token_file.as_ref()));
    Notify {
        command: bare(raw.command.as_ref()).unwrap_or_default(),
        webhook: raw.webhook.map(|url| Webhook { url, format, token_file }),
        on: bare(raw.on.as_ref()).map_or_else(|| NoticeKind::ALL.into(), BTreeSet::from_iter),
        hourly_max: hourly_max(raw.hourly_max.as_ref(), problems),
        pause,
    }
}

fn check_command(raw: Option<&Spanned<Vec<String>>>, problems: &mut Problems) {
    let Some(raw) = raw else { return };
    let mut add = |message: &str, hint: &str| {
        problems.add(Some(raw.span()), "notify.command", message.to_owned(), hint);
    };
    let words = raw.get_ref();
    match words.first() {
        Some(program) if program.starts_with('/') && !program.ends_with('/') => {}
        _ => add(
            "does not begin with the path of a program",
            "allowed: such as [\"/usr/local/bin/tell-me\", \"--short\"]; no shell reads it",
        ),
    }
    let is_odd = |word: &String| word.len() > LONGEST_ARGUMENT || word.chars().any(char::is_control);
    if words.iter().any(is_odd) {
        add(
            "has a line break or another control character, or an argument of more than 4096 bytes",
            "put what takes so much into a script",
        );
    }
}

fn hourly_max(raw: Option<&Spanned<i64>>, problems: &mut Problems) -> u32 {
    const DEFAULT: u32 = 12;
    let Some(number) = bare(raw) else { return DEFAULT };
    if let Some(number) = u32::try_from(number).ok().filter(|number| (1..=MOST_PER_HOUR).contains(number)) {
        return number;
    }
    let message = format!("{number} is no number of messages");
    problems.add(raw.map(Spanned::span), "notify.hourly_max", message, "allowed: 1 to 60");
    DEFAULT
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn is_allowed(text: &str) -> bool {
        text.parse::<WebhookUrl>().is_ok()
    }

    #[test]
    fn without_tls_messages_go_to_hosts_at_home_alone() {
        for host in [
            "127.0.0.1",
            "127.1.2.3:8080",
            "[::1]:80",
            "10.0.0.5",
            "192.168.1.5:2586",
            "172.31.0.1",
            "169.254.3.4",
            "[fd00::5]",
            "[fe80::1]",
            "localhost:80",
            "ntfy",
            "ntfy.lan",
            "NTFY.Local",
            "a.internal",
            "x.home.arpa",
        ] {
            assert!(is_allowed(&format!("http://{host}/topic")), "{host}");
            assert!(is_allowed(&format!("https://{host}/topic")), "{host}");
        }
        for host in [
            "ntfy.sh",
            "8.8.8.8",
            "172.32.0.1",
            "134744072",
            "0x08080808",
            "8.8",
            "[2606:4700::1111]",
            "lan.example",
            "192.168.1.5.example",
            "127.0.0.1.example",
        ] {
            assert!(!is_allowed(&format!("http://{host}/topic")), "{host}");
        }
        assert!(is_allowed("https://ntfy.sh/topic") && is_allowed("https://8.8.8.8/x?y=z"));
    }

    #[test]
    fn what_is_no_address_is_refused_without_being_repeated() {
        for text in [
            "",
            "https://",
            "https:///x",
            "ftp://a/SECRET",
            "ntfy.sh/SECRET",
            "https://a b/SECRET",
            "https://u:SECRET@a/",
            "https://a/SECRET#x",
            "https://a:0/",
            "https://a:99999/",
            "https://a:x/",
            "https://[::g]/",
            "https://a/\"",
            "https://a/\n",
            "https://[::1]x/",
            "https://ä/",
        ] {
            let error = text.parse::<WebhookUrl>().err();
            assert!(
                error.as_ref().is_some_and(|error| error.contains("; ") && !error.contains("SECRET")),
                "{text}: {error:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn an_address_shows_its_origin_and_nothing_more(host in "[a-z]{1,9}(\\.[a-z]{2,5})?(:[1-9][0-9]{0,3})?", path in "[/?][A-Z0-9/?=&%]{1,20}") {
            let url = format!("https://{host}{path}").parse::<WebhookUrl>();
            let origin = format!("https://{host}");
            prop_assert_eq!(url.as_ref().map(WebhookUrl::origin), Ok(origin.as_str()));
            prop_assert_eq!(url.as_ref().map(|url| format!("{url:?}")), Ok(format!("WebhookUrl({origin}/…)")));
        }

        #[test]
        fn whatever_is_typed_is_an_address_that_can_be_sent_to_or_told(text in "https?://\\PC{0,30}|https?://[a-z0-9.:@\\[\\]/?#-]{0,30}") {
            if let Ok(url) = text.parse::<WebhookUrl>() {
                prop_assert!(reqwest::Url::parse(url.as_str()).is_ok_and(|url| url.has_host() && url.username().is_empty()), "{}", url.as_str());
            }
        }
    }
}
