//! The primary rate limit: so many requests an hour for each user, installation, app, or stranger.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::clock::Moment;
use super::credential::{Credential, Grant, Presented};
use super::ledger::Ledger;
use super::repository::number_of;

const WINDOW_SECONDS: i64 = 3600;
/// For the runner's own requests, which are not counted here.
const REGISTRATION_LIMIT: u64 = 10_000;
/// What the control plane is made of.
const COUNTED_PATHS: &[&str] = &["/repos/", "/orgs/", "/enterprises/", "/app"];
/// The other kinds of requests, with their limits in an hour; nobody here makes any.
const OTHER_RESOURCES: &[(&str, u64)] = &[("search", 30), ("graphql", 5000), ("integration_manifest", 5000)];

/// Who pays for a request.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Payer {
    User(String),
    Installation(u64),
    App(u64),
    Stranger,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    used: u64,
    resets_at: Moment,
}

/// The windows that were opened by a request.
#[derive(Debug, Default)]
pub(crate) struct RateLimits(BTreeMap<Payer, Window>);

/// How a payer stands.
#[derive(Debug, Clone)]
pub(crate) struct Allowance {
    pub(crate) resource: &'static str,
    pub(crate) limit: u64,
    pub(crate) used: u64,
    pub(crate) reset: i64,
}

impl Allowance {
    pub(crate) fn remaining(&self) -> u64 {
        self.limit.saturating_sub(self.used)
    }

    fn json(&self) -> Value {
        json!({
            "resource": self.resource,
            "reset": self.reset,
            "used": self.used,
            "remaining": self.remaining(),
            "limit": self.limit,
        })
    }
}

impl Payer {
    /// GitHub's sentence for a payer that has nothing left.
    pub(crate) fn exhausted(&self) -> String {
        match self {
            Self::User(login) => format!("API rate limit exceeded for user ID {}.", number_of(login)),
            Self::Installation(id) => format!("API rate limit exceeded for installation ID {id}."),
            Self::App(id) => format!("API rate limit exceeded for app ID {id}."),
            Self::Stranger => {
                "API rate limit exceeded for 192.0.2.1. (But here's the good news: Authenticated \
                 requests get a higher rate limit. Check out the documentation for more details.)"
                    .to_owned()
            }
        }
    }
}

impl Ledger {
    /// Who pays for what is presented; whoever is not known is a stranger.
    pub(crate) fn payer(&self, presented: &Presented) -> Payer {
        let Presented::Token(token) = presented else { return Payer::Stranger };
        match self.credential(token) {
            Some(Credential { grant: Grant::Installation { installation_id, .. }, .. }) => {
                Payer::Installation(*installation_id)
            }
            Some(Credential { login, .. }) => Payer::User(login.clone()),
            None => self.authenticated_app(presented).map_or(Payer::Stranger, |app| Payer::App(app.id)),
        }
    }

    /// Pays for one request, unless nothing is left. Requests of runners and for the rate limit itself are free.
    pub(crate) fn spend(
        &mut self,
        path: &str,
        presented: &Presented,
    ) -> Result<Allowance, (Payer, Allowance)> {
        let path = path.strip_prefix("/api/v3").unwrap_or(path);
        let is_runner = matches!(presented, Presented::RegistrationToken(_));
        let is_counted = COUNTED_PATHS.iter().any(|counted| path.starts_with(counted)) && !is_runner;
        if !is_counted && path != "/rate_limit" {
            return Ok(self.registration_allowance());
        }
        let payer = self.payer(presented);
        let before = self.allowance(&payer);
        if !is_counted {
            return Ok(before);
        }
        if before.remaining() == 0 {
            return Err((payer, before));
        }
        let resets_at = self.now() + WINDOW_SECONDS;
        let window = self.rate_limits.0.entry(payer.clone()).or_insert(Window { used: 0, resets_at });
        if before.used == 0 {
            *window = Window { used: 0, resets_at };
        }
        window.used += 1;
        Ok(self.allowance(&payer))
    }

    /// How a payer stands now: an hour after the first request of a window, all is as before.
    pub(crate) fn allowance(&self, payer: &Payer) -> Allowance {
        let now = self.now();
        let limit = match payer {
            Payer::Stranger => self.settings.rate_limit_of_strangers,
            Payer::User(_) | Payer::Installation(_) | Payer::App(_) => self.settings.rate_limit,
        };
        let window = self.rate_limits.0.get(payer).filter(|window| now < window.resets_at);
        let fresh = Window { used: 0, resets_at: now + WINDOW_SECONDS };
        let Window { used, resets_at } = window.copied().unwrap_or(fresh);
        Allowance { resource: "core", limit, used, reset: resets_at.unix_seconds() }
    }

    fn registration_allowance(&self) -> Allowance {
        self.untouched("actions_runner_registration", REGISTRATION_LIMIT)
    }

    fn untouched(&self, resource: &'static str, limit: u64) -> Allowance {
        Allowance { resource, limit, used: 0, reset: (self.now() + WINDOW_SECONDS).unix_seconds() }
    }

    /// The body of `GET /rate_limit`.
    pub(crate) fn rate_limit(&self, payer: &Payer) -> Value {
        let core = self.allowance(payer);
        let others = OTHER_RESOURCES.iter().map(|(resource, limit)| self.untouched(resource, *limit));
        let resources: serde_json::Map<String, Value> = others
            .chain([self.registration_allowance(), core.clone()])
            .map(|allowance| (allowance.resource.to_owned(), allowance.json()))
            .collect();
        json!({ "resources": resources, "rate": core.json() })
    }
}
