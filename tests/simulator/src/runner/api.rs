//! Where GitHub's API is for the URL that a runner is configured with, as `UrlUtil.cs` has it.

/// A GitHub URL in its parts.
#[derive(Debug)]
pub(crate) struct GitHubUrl {
    scheme: String,
    host: String,
    port: Option<u16>,
    segments: Vec<String>,
}

impl GitHubUrl {
    /// Reads a URL of a repository, organization or enterprise.
    pub(crate) fn parse(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let mut parts = rest.split('/');
        let authority = parts.next()?;
        let (host, port) = match authority.split_once(':') {
            Some((host, port)) => (host, Some(port.parse().ok()?)),
            None => (authority, None),
        };
        let segments: Vec<String> =
            parts.filter(|segment| !segment.is_empty()).map(ToOwned::to_owned).collect();
        let is_valid =
            matches!(scheme, "http" | "https") && !host.is_empty() && (1..=2).contains(&segments.len());
        is_valid.then(|| Self { scheme: scheme.to_owned(), host: host.to_ascii_lowercase(), port, segments })
    }

    /// The base of the API. The port is dropped as the real runner drops it, unless a test wants it kept.
    pub(crate) fn api(&self, keeps_port: bool, forces_ghes: bool) -> String {
        let port = match self.port {
            Some(port) if keeps_port => format!(":{port}"),
            _ => String::new(),
        };
        if self.is_hosted() && !forces_ghes {
            format!("{}://api.{}{port}", self.scheme, self.host)
        } else {
            format!("{}://{}{port}/api/v3", self.scheme, self.host)
        }
    }

    fn is_hosted(&self) -> bool {
        matches!(self.host.as_str(), "github.com" | "www.github.com" | "github.localhost")
            || self.host.ends_with(".ghe.localhost")
            || self.host.ends_with(".ghe.com")
    }

    /// The path of the repository, organization or enterprise below the API's base.
    pub(crate) fn entity(&self) -> String {
        match self.segments.as_slice() {
            [first, enterprise] if first.eq_ignore_ascii_case("enterprises") => {
                format!("enterprises/{enterprise}")
            }
            [owner, name] => format!("repos/{owner}/{name}"),
            [organization, ..] => format!("orgs/{organization}"),
            [] => String::new(),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn hosted_hosts_have_an_api_host_and_others_an_api_path() {
        let api = |url, keeps_port| GitHubUrl::parse(url).unwrap().api(keeps_port, false);
        assert_eq!(api("https://github.com/acme/shop", false), "https://api.github.com");
        assert_eq!(api("http://github.localhost:8080/acme", false), "http://api.github.localhost");
        assert_eq!(api("https://acme.ghe.com/acme/shop", false), "https://api.acme.ghe.com");
        assert_eq!(api("https://ghes.example:8443/acme/shop", false), "https://ghes.example/api/v3");
        assert_eq!(api("http://127.0.0.1:4444/acme/shop", true), "http://127.0.0.1:4444/api/v3");
    }

    #[test]
    fn the_entity_is_a_repository_an_organization_or_an_enterprise() {
        let entity = |url| GitHubUrl::parse(url).unwrap().entity();
        assert_eq!(entity("https://github.com/acme/shop"), "repos/acme/shop");
        assert_eq!(entity("https://github.com/acme"), "orgs/acme");
        assert_eq!(entity("https://github.com/enterprises/big"), "enterprises/big");
        assert!(GitHubUrl::parse("https://github.com").is_none());
    }
}
