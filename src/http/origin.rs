//! What a visitor has to the left of the path.

use axum::http::{HeaderMap, header};

/// How visitors speak to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// In the open; a proxy before us may add what is missing.
    Http,
    /// Over TLS.
    Https,
}

/// Scheme and host as the visitor sees them, such as `https://reports.example`: `Host` (RFC 9110 §7.2), and `X-Forwarded-Proto` of a
/// proxy before us. `None` if the host is not spelled like one.
pub(super) fn origin(headers: &HeaderMap, own: Scheme) -> Option<String> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let host = text(header::HOST.as_str())?;
    let is_spelled = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
    if host.is_empty() || host.len() > 255 || !host.chars().all(is_spelled) {
        return None;
    }
    let is_https = own == Scheme::Https || text("x-forwarded-proto") == Some("https");
    let scheme = if is_https { "https" } else { "http" };
    Some(format!("{scheme}://{host}"))
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue};

    use super::{Scheme, origin};

    fn of(host: &'static str, forwarded: Option<&'static str>, own: Scheme) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert("host", HeaderValue::from_static(host));
        if let Some(forwarded) = forwarded {
            headers.insert("x-forwarded-proto", HeaderValue::from_static(forwarded));
        }
        origin(&headers, own)
    }

    #[test]
    fn the_origin_is_what_the_visitor_typed() {
        let http = |host, forwarded| of(host, forwarded, Scheme::Http);
        assert_eq!(http("[::1]:8089", None).as_deref(), Some("http://[::1]:8089"));
        assert_eq!(http("reports.example", Some("https")).as_deref(), Some("https://reports.example"));
        assert_eq!(http("a", Some("javascript")).as_deref(), Some("http://a"));
        for host in ["", "a/b", "a b", "a@b", "a\"b"] {
            assert_eq!(http(host, None), None, "{host}");
        }
    }

    #[test]
    fn over_tls_it_is_https_whatever_a_header_says() {
        for forwarded in [None, Some("http"), Some("https")] {
            let origin = of("reports.example:8089", forwarded, Scheme::Https);
            assert_eq!(origin.as_deref(), Some("https://reports.example:8089"));
        }
    }
}
