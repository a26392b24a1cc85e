//! The pages of the report server: no script, and every word in them escaped.

mod index;
mod query;
mod row;
mod run;

use jiff::Timestamp;
use maud::{Markup, html};

pub use index::index;
pub use query::Query;
pub use run::run;

use super::{Listing, Location, encoded, visible};
use crate::page::frame;

/// What a page shows beside the reports.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    /// Now.
    pub now: Timestamp,
    /// When the reports were read.
    pub read: Timestamp,
    /// What the visitor has to the left of the path, such as `http://localhost:8089`; Playwright's trace viewer takes no less than a
    /// whole URL.
    pub origin: Option<&'a str>,
}

/// One directory of a report.
#[must_use]
pub fn listing(location: &Location, listing: &Listing) -> String {
    page(
        &visible(&location.path()),
        &html! {
            p { a href="/" { "All reports" } " · " a href="../" { "Up" } }
            @if listing.incomplete { p { "There are more files than are shown here." } }
            table {
                thead { tr { th { "Name" } th class="size" { "Bytes" } } }
                tbody { @for entry in &listing.entries {
                    @let slash = if entry.bytes.is_none() { "/" } else { "" };
                    tr {
                        // `./`: a name with a colon would else be a scheme.
                        td { a href={ "./" (encoded(&entry.name)) (slash) } { (visible(&entry.name)) (slash) } }
                        td class="size" { @if let Some(bytes) = entry.bytes { (bytes) } }
                    }
                } }
            }
            @if listing.entries.is_empty() { p { "No files." } }
        },
    )
}

/// Instead of everything that is not there; it does not say why.
#[must_use]
pub fn missing() -> String {
    page(
        "Not here",
        &html! {
            p { "There is no such report or file. Reports go after a while, and links in them are not followed." }
            p { a href="/" { "All reports" } }
        },
    )
}

fn page(title: &str, content: &Markup) -> String {
    frame(title, None, content)
}

#[cfg(test)]
mod tests;
