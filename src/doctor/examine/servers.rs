//! What our servers would meet: their addresses, the report server's certificate.

use std::net::SocketAddr;

use crate::doctor::{Certificate, Finding, HostFacts, ListenAddress, Needs, Server};

pub(super) fn examine(facts: &HostFacts, needs: &Needs) -> Vec<Finding> {
    let addresses = needs.listen.iter().filter_map(|(server, listen)| {
        let found = facts.listen.get(server)?;
        Some(address(*server, *listen, *found))
    });
    addresses.chain(facts.report_certificate.as_ref().map(certificate)).collect()
}

fn address(server: Server, listen: SocketAddr, found: ListenAddress) -> Finding {
    let subject = format!("port {}", listen.port());
    let (who, (key, without)) = (server.words(), server.keys());
    match found {
        ListenAddress::Free => Finding::ok(subject, format!("free for {who}")),
        ListenAddress::Ours => Finding::ok(subject, format!("{who} listens there")),
        ListenAddress::Absent => {
            Finding::warning(subject, format!("this host has no address {} now", listen.ip()))
                .mended_by(format!("wait for the network, or set {key} to an address of this host"))
        }
        ListenAddress::Unknown => Finding::unknown(subject),
        ListenAddress::Taken => Finding::missing(subject, "another program listens there")
            .mended_by(format!("find it with `ss -ltnp 'sport = :{}'` and stop it", listen.port()))
            .breaking(format!("{key} = \"{listen}\""), Some(&format!("set another {key}, or {without}"))),
    }
}

fn certificate(found: &Certificate) -> Finding {
    let subject = "certificate";
    match found {
        Certificate::Usable => Finding::ok(subject, "the report server's, with its key"),
        Certificate::Denied => Finding::unknown(subject),
        Certificate::Unusable { words, mend } => Finding::missing(subject, words)
            .mended_by(mend)
            .breaking("reports.tls", Some("leave reports.tls out")),
    }
}
