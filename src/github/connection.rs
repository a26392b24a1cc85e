//! How GitHub, or another server out there, is reached: proxies, certificates and limits of time, all of them from the config and none from the environment.

use std::sync::Arc;
use std::time::Duration;

use reqwest::{NoProxy, Proxy, Url, redirect};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::error::Cause;
use crate::config::{self, ApiUrl};

/// How long a connection is kept for the next request.
const IDLE: Duration = Duration::from_secs(15);

/// How long to wait for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeLimits {
    /// For a connection, its TLS included.
    pub connect: Duration,
    /// For one request and its whole answer.
    pub request: Duration,
    /// For a whole call: all pages, all attempts and the pauses between them.
    pub call: Duration,
    /// The pause after a first failed attempt.
    pub first_pause: Duration,
}

impl Default for TimeLimits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            request: Duration::from_secs(30),
            call: Duration::from_secs(60),
            first_pause: Duration::from_secs(1),
        }
    }
}

/// The way to GitHub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// Proxies; of `ca_file` the content counts, see [`Self::ca_pem`].
    pub proxy: config::Proxy,
    /// The content of `proxy.ca_file`: all authorities to trust; `None`: the host's.
    pub ca_pem: Option<String>,
    /// `User-Agent`; GitHub refuses requests without.
    pub user_agent: String,
    /// How long to wait.
    pub limits: TimeLimits,
}

impl Connection {
    /// Through `proxy`, with the usual limits.
    #[must_use]
    pub fn new(proxy: config::Proxy, ca_pem: Option<String>) -> Self {
        let user_agent = format!("{}/{}", env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
        Self { proxy, ca_pem, user_agent, limits: TimeLimits::default() }
    }

    /// A client that follows no redirection, reads no environment, and knows nobody's credential. `is_plain`: it is for `http://` alone.
    ///
    /// # Errors
    /// Proxies or certificates cannot be used.
    pub fn client(&self, is_plain: bool) -> Result<reqwest::Client, Cause> {
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(self.tls(is_plain)?)
            .redirect(redirect::Policy::none())
            .referer(false)
            .user_agent(&self.user_agent)
            .connect_timeout(self.limits.connect)
            // Shorter than any server's: a request on a connection that is being closed is lost.
            .pool_idle_timeout(IDLE)
            .no_proxy();
        for proxy in self.proxies()? {
            builder = builder.proxy(proxy);
        }
        builder.build().map_err(|error| Cause::Setup {
            what: "the connection",
            reason: in_words(&error),
            hint: "see that url, github.api_url and [proxy] are right",
        })
    }

    /// Does the way to `api` lead through a proxy? For words in errors alone: networks in `no_proxy` (`10.0.0.0/8`) are not looked at.
    pub(super) fn has_proxy_to(&self, api: &ApiUrl) -> bool {
        let Ok(url) = Url::parse(api.as_str()) else { return false };
        let host = url.host_str().unwrap_or_default();
        let proxy = if api.is_plain_http() { &self.proxy.http } else { &self.proxy.https };
        let direct = self.proxy.no_proxy.as_deref().unwrap_or_default();
        let is_direct = direct.split(',').map(|entry| entry.trim().trim_start_matches('.')).any(|entry| {
            let rest = host.strip_suffix(entry).filter(|_| !entry.is_empty());
            entry == "*" || rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        });
        proxy.is_some() && !is_direct
    }

    fn proxies(&self) -> Result<Vec<Proxy>, Cause> {
        let direct = self.proxy.no_proxy.as_deref().and_then(NoProxy::from_string);
        let of = |what, made: reqwest::Result<Proxy>| match made {
            Ok(proxy) => Ok(proxy.no_proxy(direct.clone())),
            Err(error) => {
                Err(Cause::Setup { what, reason: in_words(&error), hint: "give it as http://HOST:PORT" })
            }
        };
        let http = self.proxy.http.as_deref().map(|url| of("proxy.http", Proxy::http(url)));
        let https = self.proxy.https.as_deref().map(|url| of("proxy.https", Proxy::https(url)));
        http.into_iter().chain(https).collect()
    }

    /// With ring, given explicitly: reqwest would look for a provider of the whole process, and panic without one.
    fn tls(&self, is_plain: bool) -> Result<ClientConfig, Cause> {
        let roots = match &self.ca_pem {
            Some(pem) => roots_of(pem)?,
            None if is_plain => RootCertStore::empty(),
            None => roots_of_host()?,
        };
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| Cause::Setup {
                what: "TLS",
                reason: error.to_string(),
                hint: "report this as a mistake of runnerctl",
            })?;
        Ok(builder.with_root_certificates(roots).with_no_client_auth())
    }
}

fn roots_of(pem: &str) -> Result<RootCertStore, Cause> {
    let hint = "name a PEM file with lines such as -----BEGIN CERTIFICATE-----";
    let bad = |reason: String| Cause::Setup { what: "proxy.ca_file", reason, hint };
    let certificates = CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| bad("it is no PEM".to_owned()))?;
    let mut roots = RootCertStore::empty();
    // Bundles have certificates that are too old for rustls in them.
    let (good, bad_ones) = roots.add_parsable_certificates(certificates);
    if good == 0 {
        return Err(bad(format!("it has no certificate of an authority ({bad_ones} cannot be read)")));
    }
    Ok(roots)
}

fn roots_of_host() -> Result<RootCertStore, Cause> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::debug!(%error, "some certificates of the host cannot be read");
    }
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        return Err(Cause::Setup {
            what: "the host's certificate authorities",
            reason: "there are none".to_owned(),
            hint: "install ca-certificates, or set proxy.ca_file",
        });
    }
    Ok(roots)
}

/// The innermost cause of `error`: those around it are the libraries' words for "it failed", with the URL.
pub(super) fn in_words(error: &reqwest::Error) -> String {
    let mut innermost = None;
    let mut next = std::error::Error::source(error);
    while let Some(error) = next {
        innermost = Some(error.to_string());
        next = error.source();
    }
    innermost.unwrap_or_else(|| "the request could not be made".to_owned())
}
