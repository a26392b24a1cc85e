//! HTTPS: a certificate and its key from files, RFC 8446, and what is answered to those who come without it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::header::LOCATION;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{Error as PemError, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{Error as RustlsError, ServerConfig};

use super::origin::{Scheme, origin};

/// More than any chain of certificates has.
const LARGEST_FILE: u64 = 1 << 20;

/// The handshakes of our visitors.
#[derive(Clone)]
pub struct Tls(TlsAcceptor);

/// Certificate and key cannot be used. No message holds anything of what is in them.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {path}: {source}", path = path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// A file is no PEM, or has something else in it.
    #[error("{path} has no {what} in PEM", path = path.display())]
    Absent {
        /// Which.
        path: PathBuf,
        /// What should be in it.
        what: &'static str,
    },
    /// The key belongs to another certificate.
    #[error("the key {key} does not belong to the certificate {certificate}", key = key.display(), certificate = certificate.display())]
    Strangers {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// Anything else, such as a kind of key that is not supported.
    #[error("cannot use the certificate {certificate} with its key: {cause}", certificate = certificate.display())]
    Unusable {
        /// The certificate's file.
        certificate: PathBuf,
        /// rustls' words.
        cause: String,
    },
}

impl TlsError {
    /// The next step.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Read { .. } => "give the paths of PEM files that this user may read",
            Self::Absent { what: "private key", .. } => {
                "a PEM file has lines such as -----BEGIN PRIVATE KEY-----; one with a passphrase is no good here"
            }
            Self::Absent { .. } => "a PEM file has lines such as -----BEGIN CERTIFICATE-----",
            Self::Strangers { .. } => {
                "give the two that were made together, the server's own certificate first in its file"
            }
            Self::Unusable { .. } => {
                "make a key of a usual kind: ECDSA P-256, Ed25519 or RSA of 2048 bits and more"
            }
        }
    }

    /// Somebody else may be allowed to read it.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        matches!(self, Self::Read { source, .. } if source.kind() == io::ErrorKind::PermissionDenied)
    }
}

impl Tls {
    /// Reads both files.
    ///
    /// # Errors
    /// They cannot be read, or not be used together.
    pub fn load(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let absent = |path: &Path, what| TlsError::Absent { path: path.to_owned(), what };
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&read(certificate)?)
            .collect::<Result<_, PemError>>()
            .map_err(|_| absent(certificate, "certificate"))?;
        if chain.is_empty() {
            return Err(absent(certificate, "certificate"));
        }
        let private = PrivateKeyDer::from_pem_slice(&read(key)?).map_err(|_| absent(key, "private key"))?;
        let unusable = |error: RustlsError| match error {
            RustlsError::InconsistentKeys(_) => {
                TlsError::Strangers { certificate: certificate.to_owned(), key: key.to_owned() }
            }
            other => TlsError::Unusable { certificate: certificate.to_owned(), cause: other.to_string() },
        };
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(unusable)?
            .with_no_client_auth()
            .with_single_cert(chain, private)
            .map_err(unusable)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self(TlsAcceptor::from(Arc::new(config))))
    }

    pub(super) fn acceptor(&self) -> &TlsAcceptor {
        &self.0
    }
}

/// A bounded amount: what is named here need not be a file of ours.
fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    let failed = |source| TlsError::Read { path: path.to_owned(), source };
    let size = fs::metadata(path).map_err(failed)?.len();
    if size > LARGEST_FILE {
        return Err(failed(io::Error::from(io::ErrorKind::FileTooLarge)));
    }
    fs::read(path).map_err(failed)
}

/// What every TLS connection begins with: a record of the kind `handshake`, RFC 8446 §5.1.
pub(super) const HANDSHAKE: u8 = 22;

/// For those who typed `http://`: the same address with `https://`.
pub(super) fn to_https() -> Router {
    Router::new().fallback(async |request: Request| redirect(&request))
}

fn redirect(request: &Request) -> Response {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let target = origin(request.headers(), Scheme::Https).map(|origin| format!("{origin}{path}"));
    match target.and_then(|target| HeaderValue::try_from(target).ok()) {
        // Not for ever: HTTPS may be turned off again.
        Some(target) => (StatusCode::TEMPORARY_REDIRECT, [(LOCATION, target)]).into_response(),
        None => (StatusCode::BAD_REQUEST, "this port speaks HTTPS\n").into_response(),
    }
}
