//! Single words and names of the config that check themselves.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::Deserialize;

use super::limits::try_from_string;

/// What runs the containers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// Podman, without a daemon.
    #[default]
    Podman,
    /// Docker, through its daemon.
    Docker,
}

impl Engine {
    /// The engine's program name.
    #[must_use]
    pub fn program(self) -> &'static str {
        match self {
            Self::Podman => "podman",
            Self::Docker => "docker",
        }
    }
}

/// How a runner is written for systemd.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum UnitFormat {
    /// A Quadlet file, podman-systemd.unit(5).
    Quadlet,
    /// A plain unit, systemd.service(5).
    Service,
}

/// Whose layout the image follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Flavour {
    /// `ghcr.io/actions/actions-runner`: the runner in `/home/runner`.
    #[default]
    Official,
    /// `myoung34/github-runner`: the runner in `/actions-runner`.
    Myoung34,
}

impl Flavour {
    /// The image used when the config names none.
    #[must_use]
    pub fn default_image(self) -> Image {
        Image(
            match self {
                Self::Official => "ghcr.io/actions/actions-runner:2.338.0",
                Self::Myoung34 => "docker.io/myoung34/github-runner:2.338.0-ubuntu-noble",
            }
            .to_owned(),
        )
    }
}

/// Which container socket workflows find at `/var/run/docker.sock`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SocketMode {
    /// A rootless Podman of the runner's own: no way to the host, to other runners or out of the budget.
    Private,
    /// The host's own: whoever can run a workflow is root on the host.
    Host,
    /// None: workflows cannot use containers.
    None,
}

/// A custom runner label: GitHub's limit is 256 characters; a comma separates labels.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String", extend("minLength" = 1, "maxLength" = 256))]
pub struct Label(String);

impl FromStr for Label {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.is_empty() || text.trim() != text || text.chars().count() > 256 {
            return Err(format!(
                "{text:?} is no label; allowed: 1 to 256 characters without blanks around them"
            ));
        }
        if text.chars().any(|c| c == ',' || c == '"' || c.is_control()) {
            return Err(format!(
                "{text:?} is no label; a label has no comma, no double quote and no control character"
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An image reference with a registry, and a tag or digest that is not `latest`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub struct Image(String);

impl FromStr for Image {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let allowed = "allowed: REGISTRY/NAME:TAG or REGISTRY/NAME@sha256:DIGEST";
        // Behind the options of `podman run` a leading dash would be one more.
        let begins_well = text.starts_with(|c: char| c.is_ascii_alphanumeric());
        if !begins_well || !text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./:@".contains(c)) {
            return Err(format!("{text:?} is no image reference; {allowed}"));
        }
        let (registry, name) = text.split_once('/').unwrap_or(("", text));
        if !(registry.contains(['.', ':']) || registry == "localhost") {
            return Err(format!(
                "{text:?} names no registry, and engines differ in where they would look; {allowed}"
            ));
        }
        let tag = name.rsplit('/').next().unwrap_or(name);
        match tag.split_once(['@', ':']) {
            Some((_, "latest")) | None => {
                Err(format!("{text:?} is not pinned: a runner image must not change by itself; {allowed}"))
            }
            Some((_, "")) => Err(format!("{text:?} is no image reference; {allowed}")),
            Some(_) => Ok(Self(text.to_owned())),
        }
    }
}

impl Image {
    /// Is it one image for ever?
    #[must_use]
    pub fn is_digest(&self) -> bool {
        self.0.contains('@')
    }

    /// Was it built on this host? Podman and Docker call such images `localhost/NAME`; there is no registry to pull them from.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.0.starts_with("localhost/")
    }

    /// The version of the runner in its tag, such as `2.338.0` in `2.338.0-ubuntu-noble`.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        let (_, tag) = self.0.split('@').next()?.rsplit('/').next()?.split_once(':')?;
        let version = tag.trim_start_matches('v').split('-').next()?;
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        (version.split('.').count() == 3 && version.split('.').all(is_number)).then_some(version)
    }
}

impl fmt::Display for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An absolute path of plain characters: `Volume=` and `-v` cannot quote a colon, and a `%` or `$` would be expanded.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String", extend("pattern" = "^(/[A-Za-z0-9._+@=-]+)+/?$"))]
pub struct AbsolutePath(String);

impl AbsolutePath {
    /// The path.
    #[must_use]
    pub fn as_path(&self) -> &Path {
        Path::new(&self.0)
    }
}

impl FromStr for AbsolutePath {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let trimmed = text.trim_end_matches('/');
        let plain = |part: &str| {
            !matches!(part, "" | "." | "..")
                && part.chars().all(|c| c.is_ascii_alphanumeric() || "._+@=-".contains(c))
        };
        match trimmed.strip_prefix('/') {
            Some(rest) if rest.split('/').all(plain) => Ok(Self(trimmed.to_owned())),
            _ => Err(format!(
                "{text:?} is no usable path; allowed: absolute, of letters, digits and . _ + @ = -"
            )),
        }
    }
}

impl fmt::Display for AbsolutePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `NAME:ADDRESS`, a line for the containers' `/etc/hosts`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub struct ExtraHost {
    /// Host name.
    pub name: String,
    /// IP address.
    pub address: std::net::IpAddr,
}

impl FromStr for ExtraHost {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("{text:?} is no host; allowed: NAME:ADDRESS, such as \"ghes.lan:192.168.1.5\"");
        let (name, address) = text.split_once(':').ok_or_else(wrong)?;
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || "-.".contains(c)) {
            return Err(wrong());
        }
        Ok(Self { name: name.to_owned(), address: address.parse().map_err(|_| wrong())? })
    }
}

impl fmt::Display for ExtraHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.name, self.address)
    }
}

try_from_string!(Label, Image, AbsolutePath, ExtraHost);
