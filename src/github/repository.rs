//! Calls about the repository itself.

use serde::Deserialize;

use super::error::Error;
use super::permission::Permission::ReadRunners;
use super::{Ask, Client};

#[derive(Deserialize)]
struct Whole {
    full_name: String,
    html_url: String,
}

impl Client {
    /// Where the repository is now, if it was renamed or given to somebody else: GitHub sends API calls on, so that they go on working under the old name.
    /// `None` where nothing has changed, and for organisations and enterprises: their old names are not sent on.
    ///
    /// # Errors
    /// Why it cannot be told.
    pub async fn moved_to(&self) -> Result<Option<String>, Error> {
        let Some(repository) = self.repository() else { return Ok(None) };
        let ask = Ask::get(format!("look at {repository}"), repository.path(), ReadRunners);
        let answer = self.ask(&ask, self.until()).await?;
        let found: Whole = answer.read().map_err(|cause| ask.error(cause))?;
        let is_same = found.full_name.eq_ignore_ascii_case(&repository.to_string());
        Ok((!is_same).then_some(found.html_url))
    }
}
