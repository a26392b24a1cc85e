//! The config file as serde sees it. The docs here become the descriptions of the JSON Schema.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::github::CredentialKind;
use super::limits::Limits;
use super::prune::DiskSize;
use super::reports::{ReportLayout, ReportsUrl};
use super::url::{ApiUrl, GithubUrl};
use super::words::{AbsolutePath, Engine, ExtraHost, Flavour, Image, Label, SocketMode, UnitFormat};

/// Configuration of runnerctl: one fleet of GitHub Actions runners on this host.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawConfig {
    /// Where the runners register: a repository, organisation or enterprise (required)
    pub url: Option<GithubUrl>,
    /// Number of runners, 1 to 1000 (default 4)
    #[schemars(with = "Option<u16>")]
    pub count: Option<Spanned<i64>>,
    /// Runner N is called NAME_PREFIX-N (default "homelab-runner")
    #[schemars(with = "Option<String>")]
    pub name_prefix: Option<Spanned<String>>,
    /// Custom labels beside GitHub's own self-hosted, Linux and X64
    pub labels: Option<Vec<Label>>,
    /// Register without GitHub's own labels; needs `labels`
    #[schemars(with = "Option<bool>")]
    pub no_default_labels: Option<Spanned<bool>>,
    /// Runner group; organisations and enterprises only
    #[schemars(with = "Option<String>")]
    pub runner_group: Option<Spanned<String>>,
    /// Take over a runner of the same name that another machine registered (default false)
    pub replace: Option<bool>,
    /// A new runner for each workflow job: new registration, new container, nothing left of the last; needs `[github]` (default false)
    #[schemars(with = "Option<bool>")]
    pub ephemeral: Option<Spanned<bool>>,
    /// Allow the same registration token for several runners (default false)
    pub shared_token: Option<bool>,
    /// systemd reads the tokens file and hands it to the units, `LoadCredential=`; it may then be on any file system and of any mode (default false)
    pub load_credential: Option<bool>,
    /// What runs the containers (default "podman")
    pub engine: Option<Engine>,
    /// How runners are written for systemd; default: Quadlet where the host has it
    #[schemars(with = "Option<UnitFormat>")]
    pub unit_format: Option<Spanned<UnitFormat>>,
    /// Layout of the image (default "official")
    pub flavour: Option<Flavour>,
    /// Image reference with a tag or digest; default: the pinned image of the flavour
    pub image: Option<Image>,
    /// Container socket that workflows get: "private" (an engine of the runner's own), "host" (root on this host!) or "none"; default: "private" with the host's Podman, else "host"
    pub socket: Option<SocketMode>,
    /// Network of the runner containers, in the engine's words; default: the engine's default bridge
    #[schemars(with = "Option<String>")]
    pub network: Option<Spanned<String>>,
    /// Additional lines of the containers' /etc/hosts, each NAME:ADDRESS
    pub extra_hosts: Option<Vec<ExtraHost>>,
    /// Budget of each runner
    pub limits: Limits,
    /// Ceiling over all runners together
    pub fleet_limits: Limits,
    /// Environment of every workflow job; visible to all of them: no secrets here
    #[schemars(with = "BTreeMap<String, String>")]
    pub environment: BTreeMap<Spanned<String>, Spanned<String>>,
    /// With what, and where, this host itself speaks to GitHub
    pub github: RawGithub,
    /// Proxy and certificate settings
    pub proxy: RawProxy,
    /// Places on the host
    pub paths: RawPaths,
    /// In-container health check
    pub health: RawHealth,
    /// How long systemd waits
    pub timeouts: RawTimeouts,
    /// What may stay on the disk
    pub prune: RawPrune,
    /// Reports of workflow jobs
    pub reports: RawReports,
    /// Who watches the runners
    pub monitor: RawMonitor,
    /// What differs for single runners: [runners.3]
    #[schemars(with = "BTreeMap<String, RawOverride>")]
    pub runners: BTreeMap<Spanned<String>, RawOverride>,
}

/// How this host itself speaks to GitHub; neither token nor key ever enters a container.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawGithub {
    /// What it shows: "registration-token" (those of `paths.tokens`, an hour each), "pat" (a personal access token) or "app" (the key of a GitHub App) (default "registration-token")
    #[schemars(with = "Option<CredentialKind>")]
    pub credential: Option<Spanned<CredentialKind>>,
    /// File with the personal access token, or with the App's private key in PEM; mode 0600 (default /etc/homelab-runners/github-credential)
    #[schemars(with = "Option<AbsolutePath>")]
    pub credential_file: Option<Spanned<AbsolutePath>>,
    /// The file was encrypted for this host by systemd-creds(1), under the name "github"; of any mode then (default false)
    #[schemars(with = "Option<bool>")]
    pub encrypted: Option<Spanned<bool>>,
    /// Client id (or app id) of the GitHub App; needed with "app"
    #[schemars(with = "Option<String>")]
    pub client_id: Option<Spanned<String>>,
    /// The App's installation; default: GitHub is asked which one `url` has
    #[schemars(with = "Option<u64>")]
    pub installation_id: Option<Spanned<i64>>,
    /// Where the REST API is; default: <https://api.github.com>, or `/api/v3` of a GitHub Enterprise Server
    pub api_url: Option<ApiUrl>,
}

/// Proxies, as curl and the runner read them.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawProxy {
    /// URL of the proxy for http:// (`http_proxy`)
    #[schemars(with = "Option<String>")]
    pub http: Option<Spanned<String>>,
    /// URL of the proxy for https:// (`https_proxy`)
    #[schemars(with = "Option<String>")]
    pub https: Option<Spanned<String>>,
    /// Hosts reached without the proxy, separated by commas (`no_proxy`)
    #[schemars(with = "Option<String>")]
    pub no_proxy: Option<Spanned<String>>,
    /// PEM file on the host with all certificate authorities to trust, instead of the image's
    pub ca_file: Option<AbsolutePath>,
}

/// Places on the host; each has a default that follows the FHS.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawPaths {
    /// File with `RUNNER_TOKEN_1` to `RUNNER_TOKEN_N` (default /etc/homelab-runners/.env)
    pub tokens: Option<AbsolutePath>,
    /// Identity and work folder of each runner (default /var/lib/homelab-runners)
    pub state: Option<AbsolutePath>,
    /// Token hand-over and status, on a tmpfs (default /run/homelab-runners)
    pub runtime: Option<AbsolutePath>,
    /// Seen as /reports by every runner (default STATE/reports)
    pub reports: Option<AbsolutePath>,
}

/// Health check; durations such as "30s" or "5m".
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawHealth {
    /// Time between two checks (default "30s")
    #[schemars(with = "Option<String>")]
    pub interval: Option<Spanned<String>>,
    /// A check that takes longer has failed (default "10s")
    #[schemars(with = "Option<String>")]
    pub timeout: Option<Spanned<String>>,
    /// Failures in a row that make a runner unhealthy (default 3)
    #[schemars(with = "Option<u32>")]
    pub retries: Option<Spanned<i64>>,
    /// Failures this early do not count (default "5m": a session conflict lasts up to four minutes)
    #[schemars(with = "Option<String>")]
    pub start_period: Option<Spanned<String>>,
}

/// Time limits of systemd.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawTimeouts {
    /// Pulling the image, registering and connecting (default "15m")
    #[schemars(with = "Option<String>")]
    pub start: Option<Spanned<String>>,
    /// A cancelled workflow job may run its `always()` steps this long (default "330s")
    #[schemars(with = "Option<String>")]
    pub stop: Option<Spanned<String>>,
    /// A shutdown or reboot of the host waits for running workflow jobs this long, at most "20m"; "0s": not at all (default "10m")
    #[schemars(with = "Option<String>")]
    pub shutdown: Option<Spanned<String>>,
}

/// Budgets of disk of each runner; amounts such as "20G" (powers of 1024), "0" or "none".
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawPrune {
    /// Prune by a timer (default true)
    pub enabled: Option<bool>,
    /// Time between two runs of the timer (default "1h")
    #[schemars(with = "Option<String>")]
    pub interval: Option<Spanned<String>>,
    /// Most that the work folder may hold, its tool cache left out (default "20G")
    pub work_max: Option<DiskSize>,
    /// Most that the tool cache in the work folder may hold (default "10G")
    pub tool_cache_max: Option<DiskSize>,
    /// Most that the storage of the runner's own engine may hold (default "20G")
    pub images_max: Option<DiskSize>,
    /// How long the runner keeps its own logs, whole days (default "14d")
    #[schemars(with = "Option<String>")]
    pub diag_max_age: Option<Spanned<String>>,
    /// With less than this free a runner takes no workflow job; "none": no floor (default "5G")
    pub free_disk_min: Option<DiskSize>,
}

/// How reports are filed, shown and deleted.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawReports {
    /// Job hooks give each workflow job a directory for its report (default true)
    pub hooks: Option<bool>,
    /// That directory's place below the reports directory, of `{owner}`, `{repository}`, `{workflow}` and `{run_id}` (default `"{workflow}/{run_id}"`)
    pub layout: Option<ReportLayout>,
    /// Empty the workspace after each workflow job, by the same hooks (default true)
    pub clean_workspace: Option<bool>,
    /// Run the report server (default true)
    pub serve: Option<bool>,
    /// Its address and port (default "127.0.0.1:8089")
    #[schemars(with = "Option<String>")]
    pub listen: Option<Spanned<String>>,
    /// The address that people type, for links to reports, without a path; default: that of `listen`
    pub url: Option<ReportsUrl>,
    /// HTTPS
    #[schemars(with = "Option<RawTls>")]
    pub tls: Option<Spanned<RawTls>>,
    /// How long reports stay
    pub retention: RawRetention,
}

/// PEM files on the host.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawTls {
    /// The server's certificate and those between it and the root
    pub certificate: Option<AbsolutePath>,
    /// Its private key, readable by root alone
    pub key: Option<AbsolutePath>,
}

/// Budgets of reports; the last good and the last failed run of each workflow stay, and so does what is being written.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawRetention {
    /// Delete by a timer (default true)
    pub enabled: Option<bool>,
    /// Time between two runs of the timer (default "10m")
    #[schemars(with = "Option<String>")]
    pub interval: Option<Spanned<String>>,
    /// Runs that ended longer ago go, whole days (default "90d")
    #[schemars(with = "Option<String>")]
    pub max_age: Option<Spanned<String>>,
    /// Most runs of one workflow, 1 to 1000000 (default 500)
    #[schemars(with = "Option<u32>")]
    pub runs_max: Option<Spanned<i64>>,
    /// Most that one workflow may hold (default "5G")
    pub workflow_max: Option<DiskSize>,
    /// Most that all reports may hold (default "20G")
    pub total_max: Option<DiskSize>,
}

/// The monitor: it compares what systemd, the containers and GitHub say, and restarts an idle runner whose session is lost.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawMonitor {
    /// Run it as a service (default true)
    pub enabled: Option<bool>,
    /// Address and port of its status page, health endpoint and metrics (default "127.0.0.1:8090")
    #[schemars(with = "Option<String>")]
    pub listen: Option<Spanned<String>>,
    /// Restart idle runners whose session is lost, instead of only telling (default true)
    pub heal: Option<bool>,
    /// Time between two questions to GitHub, "20s" to "1h" (default "60s")
    #[schemars(with = "Option<String>")]
    pub github_interval: Option<Spanned<String>>,
}

/// What differs for one runner.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawOverride {
    /// Name at GitHub and of the container
    #[schemars(with = "Option<String>")]
    pub name: Option<Spanned<String>>,
    /// Replaces the fleet's labels
    pub labels: Option<Vec<Label>>,
    /// Replaces the fleet's image
    pub image: Option<Image>,
    /// Replaces the fleet's socket mode
    pub socket: Option<SocketMode>,
    /// Replaces the fleet's `ephemeral`
    #[schemars(with = "Option<bool>")]
    pub ephemeral: Option<Spanned<bool>>,
    /// Replaces single limits
    pub limits: Limits,
    /// Added to the fleet's environment
    #[schemars(with = "BTreeMap<String, String>")]
    pub environment: BTreeMap<Spanned<String>, Spanned<String>>,
}
