//! Repositories and accounts as the REST API shows them. Every name exists; whether it is private, the admin says.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::ledger::Ledger;
use super::scope::Scope;

/// Links of an account, by the field's name and the path below the account's own URL.
const ACCOUNT_LINKS: &[(&str, &str)] = &[
    ("followers_url", "/followers"),
    ("following_url", "/following{/other_user}"),
    ("gists_url", "/gists{/gist_id}"),
    ("starred_url", "/starred{/owner}{/repo}"),
    ("subscriptions_url", "/subscriptions"),
    ("organizations_url", "/orgs"),
    ("repos_url", "/repos"),
    ("events_url", "/events{/privacy}"),
    ("received_events_url", "/received_events"),
];

/// Links of a repository, by the field's name and the path below the repository's own URL.
const REPOSITORY_LINKS: &[(&str, &str)] = &[
    ("archive_url", "/{archive_format}{/ref}"),
    ("assignees_url", "/assignees{/user}"),
    ("blobs_url", "/git/blobs{/sha}"),
    ("branches_url", "/branches{/branch}"),
    ("collaborators_url", "/collaborators{/collaborator}"),
    ("comments_url", "/comments{/number}"),
    ("commits_url", "/commits{/sha}"),
    ("compare_url", "/compare/{base}...{head}"),
    ("contents_url", "/contents/{+path}"),
    ("contributors_url", "/contributors"),
    ("deployments_url", "/deployments"),
    ("downloads_url", "/downloads"),
    ("events_url", "/events"),
    ("forks_url", "/forks"),
    ("git_commits_url", "/git/commits{/sha}"),
    ("git_refs_url", "/git/refs{/sha}"),
    ("git_tags_url", "/git/tags{/sha}"),
    ("hooks_url", "/hooks"),
    ("issue_comment_url", "/issues/comments{/number}"),
    ("issue_events_url", "/issues/events{/number}"),
    ("issues_url", "/issues{/number}"),
    ("keys_url", "/keys{/key_id}"),
    ("labels_url", "/labels{/name}"),
    ("languages_url", "/languages"),
    ("merges_url", "/merges"),
    ("milestones_url", "/milestones{/number}"),
    ("notifications_url", "/notifications{?since,all,participating}"),
    ("pulls_url", "/pulls{/number}"),
    ("releases_url", "/releases{/id}"),
    ("stargazers_url", "/stargazers"),
    ("statuses_url", "/statuses/{sha}"),
    ("subscribers_url", "/subscribers"),
    ("subscription_url", "/subscription"),
    ("tags_url", "/tags"),
    ("teams_url", "/teams"),
    ("trees_url", "/git/trees{/sha}"),
];

/// Numbers that a repository without visitors has.
const COUNTERS: &[&str] = &[
    "forks",
    "forks_count",
    "network_count",
    "open_issues",
    "open_issues_count",
    "size",
    "stargazers_count",
    "subscribers_count",
    "watchers",
    "watchers_count",
];
const FEATURES: &[&str] =
    &["has_issues", "has_projects", "has_wiki", "has_pages", "has_downloads", "has_discussions"];

/// When everything here was created.
const LONG_AGO: &str = "2024-02-29T12:00:00Z";

/// The number of a place or account: always the same for the same name.
pub(crate) fn number_of(name: &str) -> u64 {
    let digest = Sha256::digest(name.to_ascii_lowercase());
    digest.iter().take(4).fold(1, |number, byte| number * 256 + u64::from(*byte))
}

/// An account, with `User` or `Organization` as its kind.
pub(crate) fn account(login: &str, kind: &str, origin: &str) -> Value {
    let url = format!("{origin}/users/{login}");
    let mut fields = Map::new();
    for (name, path) in ACCOUNT_LINKS {
        fields.insert((*name).to_owned(), format!("{url}{path}").into());
    }
    merge(
        fields,
        json!({
            "login": login,
            "id": number_of(login),
            "node_id": format!("U_{}", number_of(login)),
            "avatar_url": format!("{origin}/avatars/{login}"),
            "gravatar_id": "",
            "html_url": format!("{origin}/{login}"),
            "url": url,
            "type": kind,
            "site_admin": false,
        }),
    )
}

impl Ledger {
    /// Whether the repository is private.
    pub(crate) fn is_private(&self, repository: &Scope) -> bool {
        self.private_repositories.contains(&repository.to_string().to_ascii_lowercase())
    }

    /// Makes a repository private or public.
    pub(crate) fn set_private(&mut self, repository: &Scope, is_private: bool) {
        let name = repository.to_string().to_ascii_lowercase();
        if is_private {
            self.private_repositories.insert(name);
        } else {
            self.private_repositories.remove(&name);
        }
    }

    /// The repository of the REST API.
    pub(crate) fn repository(&self, repository: &Scope, origin: &str) -> Value {
        let full_name = repository.to_string();
        let (owner, name) = full_name.split_once('/').unwrap_or(("", &full_name));
        let url = format!("{origin}/repos/{full_name}");
        let page = format!("{origin}/{full_name}");
        let is_private = self.is_private(repository);
        let mut fields = Map::new();
        for (name, path) in REPOSITORY_LINKS {
            fields.insert((*name).to_owned(), format!("{url}{path}").into());
        }
        fields.extend(COUNTERS.iter().map(|name| ((*name).to_owned(), 0.into())));
        fields.extend(FEATURES.iter().map(|name| ((*name).to_owned(), false.into())));
        merge(
            fields,
            json!({
                "visibility": if is_private { "private" } else { "public" },
                "private": is_private,
                "permissions": { "admin": true, "maintain": true, "push": true, "triage": true, "pull": true },
                "owner": account(owner, "Organization", origin),
                "full_name": full_name,
                "name": name,
                "id": number_of(&full_name),
                "node_id": format!("R_{}", number_of(&full_name)),
                "html_url": page,
                "clone_url": format!("{page}.git"),
                "git_url": format!("{page}.git"),
                "ssh_url": format!("git@github.example:{full_name}.git"),
                "svn_url": page,
                "url": url,
                "mirror_url": null,
                "homepage": null,
                "language": null,
                "license": null,
                "description": null,
                "default_branch": "main",
                "fork": false,
                "archived": false,
                "disabled": false,
                "pushed_at": LONG_AGO,
                "created_at": LONG_AGO,
                "updated_at": LONG_AGO,
            }),
        )
    }
}

fn merge(mut fields: Map<String, Value>, more: Value) -> Value {
    if let Value::Object(more) = more {
        fields.extend(more);
    }
    Value::Object(fields)
}
