//! What a visitor has to the left of the path.

use axum::http::{HeaderMap, header};

/// Scheme and host as the visitor sees them, such as `https://reports.example`: `Host` (RFC 9110 §7.2), and `X-Forwarded-Proto` of a
/// proxy before us. `None` if the host is not spelled like one.
pub(super) fn origin(headers: &HeaderMap) -> Option<String> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let host = text(header::HOST.as_str())?;
    let is_spelled = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
    if host.is_empty() || host.len() > 255 || !host.chars().all(is_spelled) {
        return None;
    }
    let scheme = if text("x-forwarded-proto") == Some("https") { "https" } else { "http" };
    Some(format!("{scheme}://{host}"))
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue};

    use super::origin;

    fn of(host: &'static str, scheme: Option<&'static str>) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert("host", HeaderValue::from_static(host));
        if let Some(scheme) = scheme {
            headers.insert("x-forwarded-proto", HeaderValue::from_static(scheme));
        }
        origin(&headers)
    }

    #[test]
    fn the_origin_is_what_the_visitor_typed() {
        assert_eq!(of("[::1]:8089", None).as_deref(), Some("http://[::1]:8089"));
        assert_eq!(of("reports.example", Some("https")).as_deref(), Some("https://reports.example"));
        assert_eq!(of("a", Some("javascript")).as_deref(), Some("http://a"));
        for host in ["", "a/b", "a b", "a@b", "a\"b"] {
            assert_eq!(of(host, None), None, "{host}");
        }
    }
}
