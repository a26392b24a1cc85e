//! Addresses that our servers listen on.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use toml::Spanned;

use super::problem::Problems;

/// `port` for this host alone.
pub(super) const fn loopback(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

/// What `key` says, or the default.
pub(super) fn address(
    key: &str,
    raw: Option<&Spanned<String>>,
    default: SocketAddr,
    problems: &mut Problems,
) -> SocketAddr {
    let Some(raw) = raw else { return default };
    match raw.get_ref().parse::<SocketAddr>() {
        Ok(address) if address.port() != 0 => address,
        _ => {
            let message = format!("{:?} is no address with a port", raw.get_ref());
            let port = default.port();
            let hint =
                format!("allowed: such as \"127.0.0.1:{port}\", \"0.0.0.0:{port}\" or \"[::]:{port}\"");
            problems.add(Some(raw.span()), key, message, &hint);
            default
        }
    }
}
