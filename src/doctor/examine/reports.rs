//! What the report server would meet: its address, its certificate.

use crate::doctor::{Certificate, Finding, HostFacts, ListenAddress, Needs};

pub(super) fn examine(facts: &HostFacts, needs: &Needs) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(found) = facts.report_address {
        findings.extend(address(found, needs));
    }
    if let Some(found) = &facts.report_certificate {
        findings.push(certificate(found));
    }
    findings
}

fn address(found: ListenAddress, needs: &Needs) -> Option<Finding> {
    let listen = needs.report_address?;
    let subject = format!("port {}", listen.port());
    Some(match found {
        ListenAddress::Free => Finding::ok(subject, "free for the report server"),
        ListenAddress::Ours => Finding::ok(subject, "the report server listens there"),
        ListenAddress::Absent => {
            Finding::warning(subject, format!("this host has no address {} now", listen.ip()))
                .mended_by("wait for the network, or set reports.listen to an address of this host")
        }
        ListenAddress::Unknown => Finding::unknown(subject),
        ListenAddress::Taken => Finding::missing(subject, "another program listens there")
            .mended_by(format!("find it with `ss -ltnp 'sport = :{}'` and stop it", listen.port()))
            .breaking(
                format!("reports.listen = \"{listen}\""),
                Some("set another reports.listen, or reports.serve = false"),
            ),
    })
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
