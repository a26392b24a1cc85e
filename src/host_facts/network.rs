//! Addresses that can be listened on.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};

use crate::doctor::ListenAddress;

/// Tries it for a moment, socket(7).
#[must_use]
pub fn listen_address(address: SocketAddr) -> ListenAddress {
    match TcpListener::bind(address).map_err(|error| error.kind()) {
        Ok(_) => ListenAddress::Free,
        Err(ErrorKind::AddrInUse) => ListenAddress::Taken,
        Err(ErrorKind::AddrNotAvailable) => ListenAddress::Absent,
        Err(_) => ListenAddress::Unknown,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::net::TcpListener;

    use super::{ListenAddress, listen_address};

    #[test]
    fn a_port_is_taken_while_somebody_listens_and_free_afterwards() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        assert_eq!(listen_address(address), ListenAddress::Taken);
        drop(listener);
        assert_eq!(listen_address(address), ListenAddress::Free);
        // TEST-NET-1, RFC 5737.
        assert_eq!(listen_address("192.0.2.1:8089".parse().unwrap()), ListenAddress::Absent);
    }
}
