//! What a runner is registered for: a repository, an organization or an enterprise.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A place at GitHub that runners can be registered for.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Scope {
    Repository { owner: String, name: String },
    Organization(String),
    Enterprise(String),
}

impl Scope {
    /// Reads the scope out of a URL such as `https://github.com/acme/shop`; the host does not matter here.
    pub(crate) fn from_url(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        if !matches!(scheme, "http" | "https") {
            return None;
        }
        let segments: Vec<&str> = rest.split('/').skip(1).filter(|segment| !segment.is_empty()).collect();
        match segments.as_slice() {
            ["enterprises", enterprise] => Some(Self::Enterprise((*enterprise).to_owned())),
            [owner, name] => Some(Self::Repository { owner: (*owner).to_owned(), name: (*name).to_owned() }),
            [organization] => Some(Self::Organization((*organization).to_owned())),
            _ => None,
        }
    }

    /// Whether both are the same place; GitHub ignores the case of names.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.to_string().eq_ignore_ascii_case(&other.to_string())
    }

    /// Whether runners of this scope take workflow jobs of `repository`.
    pub(crate) fn serves(&self, repository: &Self) -> bool {
        match (self, repository) {
            // The simulator does not know which organizations an enterprise owns: all of them.
            (Self::Enterprise(_), _) => true,
            (Self::Organization(organization), Self::Repository { owner, .. }) => {
                organization.eq_ignore_ascii_case(owner)
            }
            _ => self.is(repository),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Repository { owner, name } => write!(formatter, "{owner}/{name}"),
            Self::Organization(organization) => formatter.write_str(organization),
            Self::Enterprise(enterprise) => write!(formatter, "enterprises/{enterprise}"),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_a_repository_an_organization_or_an_enterprise() {
        let scope = |url| Scope::from_url(url).map(|scope| scope.to_string());
        assert_eq!(scope("https://github.com/acme/shop/").as_deref(), Some("acme/shop"));
        assert_eq!(scope("http://127.0.0.1:8080/acme").as_deref(), Some("acme"));
        assert_eq!(scope("https://github.com/enterprises/big").as_deref(), Some("enterprises/big"));
        assert_eq!(scope("https://github.com"), None);
        assert_eq!(scope("github.com/acme/shop"), None);
    }

    #[test]
    fn an_organization_serves_its_repositories_only() {
        let acme = Scope::from_url("https://github.com/Acme").unwrap();
        assert!(acme.serves(&Scope::from_url("https://github.com/acme/shop").unwrap()));
        assert!(!acme.serves(&Scope::from_url("https://github.com/other/shop").unwrap()));
    }
}
