//! TLS and proxies.

use std::sync::Arc;

use homelab_runners::config::Proxy;
use homelab_runners::github::{Cause, Connection};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use serde_json::json;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::bed::{CANARY, Reply, Server, client_at, connection, ends, json, pat, told};

fn no_runners() -> Reply {
    json(200, &json!({"total_count": 0, "runners": []}))
}

/// An authority of one's own.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn pem(&self) -> String {
        self.0.pem()
    }

    /// A server whose certificate is for `name`, until the year `until`.
    async fn server(&self, name: &str, until: i32) -> Server {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_after = date_time_ymd(until, 1, 1);
        let certificate = params.signed_by(&key, &self.0).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        Server::with_tls(vec![no_runners()], Some(TlsAcceptor::from(Arc::new(config)))).await
    }
}

fn trusting(authority: &Authority) -> Connection {
    Connection { ca_pem: Some(authority.pem()), ..connection() }
}

#[tokio::test]
async fn a_private_authority_is_trusted_where_the_config_names_it() {
    let authority = Authority::new("ours");
    let server = authority.server("127.0.0.1", 2090).await;
    let client =
        client_at(&format!("https://{}/acme", server.address), pat(), &trusting(&authority)).unwrap();
    assert!(ends(client.runners()).await.is_ok());
    assert_eq!(server.heard()[0].header("authorization"), Some(format!("Bearer {CANARY}").as_str()));
}

#[tokio::test]
async fn nobody_else_gets_the_credential() {
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    for (server, words) in [
        (theirs.server("127.0.0.1", 2090).await, "set proxy.ca_file to a PEM file with all authorities"),
        (ours.server("127.0.0.2", 2090).await, "see that url and github.api_url have the right host"),
        (ours.server("127.0.0.1", 2020).await, "this host's clock is right"),
    ] {
        let client = client_at(&format!("https://{}/acme", server.address), pat(), &trusting(&ours)).unwrap();
        let error = ends(client.runners()).await.err().unwrap();
        assert!(matches!(error.cause(), Cause::Tls { .. }), "{error}");
        assert!(told(&error).contains(words), "{}", told(&error));
        assert!(!error.is_temporary() && server.heard().is_empty());
    }
}

#[tokio::test]
async fn without_a_word_in_the_config_the_host_says_who_is_trusted() {
    let ours = Authority::new("ours");
    let server = ours.server("127.0.0.1", 2090).await;
    let error = match client_at(&format!("https://{}/acme", server.address), pat(), &connection()) {
        Ok(client) => ends(client.runners()).await.err().unwrap(),
        Err(error) => error,
    };
    let is_refused = match error.cause() {
        Cause::Tls { is_unknown_issuer, .. } => *is_unknown_issuer,
        // A host that trusts nobody.
        Cause::Setup { what, .. } => *what == "the host's certificate authorities",
        _ => false,
    };
    assert!(is_refused && told(&error).contains("proxy.ca_file"), "{error}");
    assert!(server.heard().is_empty());
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_is_told_as_that() {
    let server = Server::start(vec![Reply::Unread(b"HTTP/1.1 400 Bad\r\n\r\n".to_vec())]).await;
    let ours = Authority::new("ours");
    let client = client_at(&format!("https://{}/acme", server.address), pat(), &trusting(&ours)).unwrap();
    let error = ends(client.runners()).await.err().unwrap();
    assert!(matches!(error.cause(), Cause::Tls { .. }), "{error}");
    assert!(told(&error).contains("right host and scheme"), "{error}");
}

#[tokio::test]
async fn a_file_without_certificates_is_no_authority() {
    for pem in ["", "hello", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        let connection = Connection { ca_pem: Some(pem.to_owned()), ..connection() };
        let error = client_at("https://ghes.lan/acme", pat(), &connection).err().unwrap();
        assert!(told(&error).contains("proxy.ca_file cannot be used"), "{error}");
    }
}

fn through(proxy: &Server, no_proxy: Option<&str>) -> Connection {
    let proxy = Proxy {
        http: Some(format!("http://{}", proxy.address)),
        no_proxy: no_proxy.map(str::to_owned),
        ..Proxy::default()
    };
    Connection { proxy, ..connection() }
}

#[tokio::test]
async fn the_proxy_of_the_config_is_used() {
    let proxy = Server::start(vec![no_runners()]).await;
    let client = client_at("http://ghes.invalid/acme", pat(), &through(&proxy, Some("other.lan"))).unwrap();
    assert!(ends(client.runners()).await.is_ok());
    assert!(proxy.lines()[0].starts_with("GET http://ghes.invalid/api/v3/orgs/acme/actions/runners?"));
}

#[tokio::test]
async fn hosts_that_need_no_proxy_are_reached_directly() {
    let proxy = Server::start(Vec::new()).await;
    let server = Server::start(vec![no_runners()]).await;
    let client = server.client_with("acme", pat(), &through(&proxy, Some("localhost,127.0.0.1,.lan")));
    assert!(ends(client.runners()).await.is_ok());
    assert!(proxy.heard().is_empty() && server.heard().len() == 1);
}

#[tokio::test]
async fn a_proxy_that_is_not_there_is_told_as_that() {
    let proxy = Server::start(Vec::new()).await;
    let connection = through(&proxy, None);
    drop(proxy);
    tokio::task::yield_now().await;
    let client = client_at("http://ghes.invalid/acme", pat(), &connection).unwrap();
    let error = ends(client.runners()).await.err().unwrap();
    assert!(matches!(error.cause(), Cause::Unreachable { has_proxy: true, .. }), "{error}");
    assert!(told(&error).contains("[proxy]"), "{error}");
}

#[tokio::test]
async fn https_goes_through_a_tunnel_that_sees_no_credential() {
    let proxy = Server::start((0..4).map(|_| super::bed::answer(403, &[], "")).collect()).await;
    let ours = Authority::new("ours");
    let proxies = Proxy { https: Some(format!("http://{}", proxy.address)), ..Proxy::default() };
    let connection = Connection { proxy: proxies, ..trusting(&ours) };
    let client = client_at("https://ghes.invalid/acme", pat(), &connection).unwrap();
    let error = ends(client.runners()).await.err().unwrap();
    assert!(matches!(error.cause(), Cause::Unreachable { has_proxy: true, .. }), "{error}");
    told(&error);
    let heard = proxy.heard();
    assert!(heard.iter().all(|request| request.line == "CONNECT ghes.invalid:443"), "{heard:?}");
    assert!(heard.iter().all(|request| request.header("authorization").is_none()), "{heard:?}");
}
