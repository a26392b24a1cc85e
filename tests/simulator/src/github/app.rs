//! GitHub Apps and their installations.

use serde::{Deserialize, Serialize};

use super::clock::Moment;
use super::credential::Reach;
use super::permission::Permissions;
use super::refusal::Refusal;

/// A GitHub App.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct App {
    pub(crate) id: u64,
    pub(crate) client_id: String,
    pub(crate) slug: String,
    /// The public key, as PKCS #1 DER.
    pub(crate) key: Vec<u8>,
    pub(crate) created_at: Moment,
}

/// A GitHub App on an account.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Installation {
    pub(crate) id: u64,
    pub(crate) app_id: u64,
    /// `Organization` or `User`.
    pub(crate) account_type: String,
    pub(crate) reach: Reach,
    pub(crate) permissions: Permissions,
    pub(crate) suspended_at: Option<Moment>,
    pub(crate) created_at: Moment,
}

impl Installation {
    /// A suspended installation gets no tokens, and those that it has are of no use.
    pub(crate) fn check_suspension(&self) -> Result<(), Refusal> {
        match self.suspended_at {
            None => Ok(()),
            Some(_) => Err(Refusal::Forbidden {
                message: "This installation has been suspended".to_owned(),
                headers: Vec::new(),
            }),
        }
    }
}
