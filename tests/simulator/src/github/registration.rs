//! Registration tokens, and the registering, replacing and removing of runners with them.

use serde::{Deserialize, Serialize};

use super::clock::Moment;
use super::ledger::Ledger;
use super::refusal::Refusal;
use super::runner::{Label, Runner};
use super::runner_group::DEFAULT_GROUP_ID;
use super::scope::Scope;
use crate::identifier;

/// Registration tokens live for one hour.
const TOKEN_LIFETIME_SECONDS: i64 = 3600;
/// A persistent runner that stays away this long loses its registration: 14 days.
const PERSISTENT_ABSENCE_SECONDS: i64 = 14 * 24 * 3600;
/// An ephemeral one already after a day.
const EPHEMERAL_ABSENCE_SECONDS: i64 = 24 * 3600;

/// What a registration token is good for; it may be used any number of times.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RegistrationToken {
    pub(crate) scope: Scope,
    pub(crate) expires_at: Moment,
}

/// The body of `POST actions/runners/register`.
#[derive(Debug, Deserialize)]
pub(crate) struct RegisterRequest {
    pub(crate) url: String,
    pub(crate) name: String,
    pub(crate) public_key: String,
    #[serde(default)]
    pub(crate) group_id: Option<u64>,
    #[serde(default)]
    pub(crate) version: String,
    #[serde(default)]
    pub(crate) ephemeral: bool,
    #[serde(default)]
    pub(crate) labels: Vec<Label>,
    #[serde(default)]
    pub(crate) runner_id: Option<u64>,
    #[serde(default)]
    pub(crate) replace: bool,
}

impl Ledger {
    /// Issues a registration token for `scope`.
    pub(crate) fn issue_registration_token(&mut self, scope: Scope) -> (String, Moment) {
        let token = identifier::registration_token();
        let expires_at = self.now() + TOKEN_LIFETIME_SECONDS;
        self.registration_tokens.insert(token.clone(), RegistrationToken { scope, expires_at });
        (token, expires_at)
    }

    /// Checks that `token` lives and is for `scope`. Why it is not, GitHub does not say.
    pub(crate) fn check_registration_token(&self, token: &str, scope: &Scope) -> Result<(), Refusal> {
        let now = self.now();
        match self.registration_tokens.get(token) {
            Some(known) if known.scope.is(scope) && now < known.expires_at => Ok(()),
            _ => Err(Refusal::NotFound),
        }
    }

    /// Registers a runner, or replaces one of the same id: its key, labels and version change, its session dies.
    pub(crate) fn register(&mut self, request: RegisterRequest, scope: &Scope) -> Result<&Runner, Refusal> {
        let key = modulus(&request.public_key).ok_or_else(|| {
            Refusal::Unprocessable("Invalid request.\n\npublic_key is not valid.".to_owned())
        })?;
        let group_id = request.group_id.unwrap_or(DEFAULT_GROUP_ID);
        if !self.runner_groups(scope).iter().any(|group| group.id == group_id) {
            return Err(Refusal::NotFound);
        }
        let same_name = self.runner_named(&request.name, scope).map(|runner| runner.id);
        let replaced = if request.replace { request.runner_id } else { None };
        if let Some(id) = same_name
            && replaced != Some(id)
        {
            return Err(name_is_taken(&request.name));
        }
        if replaced.is_some_and(|id| !self.runners.get(&id).is_some_and(|old| old.scope.is(scope))) {
            return Err(Refusal::NotFound);
        }
        Ok(self.enter_runner(request, scope, group_id, key, replaced))
    }

    fn enter_runner(
        &mut self,
        request: RegisterRequest,
        scope: &Scope,
        group_id: u64,
        key: String,
        replaced: Option<u64>,
    ) -> &Runner {
        let now = self.now();
        let id = replaced.unwrap_or_else(|| self.next_id());
        let old = self.runners.remove(&id);
        let mut labels = request.labels;
        for label in &mut labels {
            label.id = self.next_id();
        }
        let runner = Runner {
            id,
            name: request.name,
            scope: scope.clone(),
            group_id,
            labels,
            version: request.version,
            ephemeral: request.ephemeral,
            is_jit: false,
            // A replaced runner keeps its identity; only the key that proves it is new.
            client_id: old.map_or_else(identifier::guid, |old| old.client_id),
            key,
            session: None,
            last_contact: None,
            created_at: now,
        };
        self.runners.entry(id).or_insert(runner)
    }

    /// Removes a runner that is not busy, as GitHub's API does.
    pub(crate) fn remove_idle_runner(&mut self, id: u64, scope: &Scope) -> Result<(), Refusal> {
        let runner = self.runner_of(id, scope)?;
        if self.is_busy(id) {
            return Err(Refusal::Unprocessable(format!(
                "Bad request - Runner \"{}\" is currently running a job and cannot be deleted.",
                runner.name
            )));
        }
        self.runners.remove(&id);
        Ok(())
    }

    /// The runner of this number, if it belongs to the place.
    pub(crate) fn runner_of(&self, id: u64, scope: &Scope) -> Result<&Runner, Refusal> {
        self.runners.get(&id).filter(|runner| runner.scope.is(scope)).ok_or(Refusal::NotFound)
    }

    pub(crate) fn runner_named(&self, name: &str, scope: &Scope) -> Option<&Runner> {
        self.runners.values().find(|runner| runner.name.eq_ignore_ascii_case(name) && runner.scope.is(scope))
    }

    pub(crate) fn remove_long_offline_runners(&mut self) {
        let now = self.now();
        self.runners.retain(|_, runner| {
            let limit = if runner.ephemeral { EPHEMERAL_ABSENCE_SECONDS } else { PERSISTENT_ABSENCE_SECONDS };
            runner.absent_seconds(now) < limit
        });
    }
}

/// Names are unique in a place.
pub(crate) fn name_is_taken(name: &str) -> Refusal {
    Refusal::Conflict(format!("Already exists - A runner with the name {name} already exists."))
}

/// The modulus of a key in the XML form of .NET: `<RSAKeyValue><Modulus>…</Modulus>…`.
fn modulus(public_key: &str) -> Option<String> {
    let (_, rest) = public_key.split_once("<Modulus>")?;
    let (modulus, _) = rest.split_once("</Modulus>")?;
    (!modulus.is_empty()).then(|| modulus.to_owned())
}
