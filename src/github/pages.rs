//! Lists that come in pages.

use reqwest::Method;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use super::error::{Cause, Error};
use super::{Ask, Client};

/// The most that GitHub gives.
const PER_PAGE: usize = 100;

/// More than the runners and workflow runs that anybody waits for.
const MOST_PAGES: u32 = 100;

/// One page: how many entries there are in all, and those of this page.
pub(super) trait Page: DeserializeOwned {
    /// What the list is of.
    type Entry;

    /// Total, and the entries of the page.
    fn into_parts(self) -> (u64, Vec<Self::Entry>);
}

impl Client {
    /// All entries of the list that `first` asks for. What moved to another page meanwhile is there twice; what is missing is an error.
    pub(super) async fn pages<P: Page>(&self, first: &Ask, until: Instant) -> Result<Vec<P::Entry>, Error> {
        let joint = if first.path.contains('?') { '&' } else { '?' };
        let mut entries: Vec<P::Entry> = Vec::new();
        for number in 1..=MOST_PAGES {
            let ask = Ask {
                action: first.action.clone(),
                method: Method::GET,
                path: format!("{}{joint}per_page={PER_PAGE}&page={number}", first.path),
                body: None,
                ..*first
            };
            let answer = self.ask(&ask, until).await?;
            let has_next = answer.has_next_page();
            let (total, page) = answer.read::<P>().map_err(|cause| ask.error(cause))?.into_parts();
            let is_empty = page.is_empty();
            entries.extend(page);
            let got = u64::try_from(entries.len()).unwrap_or(u64::MAX);
            if has_next.unwrap_or(got < total) && !is_empty {
                continue;
            }
            if got < total {
                return Err(ask.error(Cause::Incomplete { got, total }));
            }
            return Ok(entries);
        }
        let got = u64::try_from(entries.len()).unwrap_or(u64::MAX);
        Err(first.error(Cause::Incomplete { got, total: got + 1 }))
    }
}
