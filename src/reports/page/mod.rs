//! The pages of the report server: no script, and every word in them escaped.

mod index;
mod query;
mod row;
mod run;

use jiff::Timestamp;
use maud::{DOCTYPE, Markup, html};

pub use index::index;
pub use query::Query;
pub use run::run;

use super::{Listing, Location, encoded, visible};

/// The style sheet of every page.
pub const STYLE: &str = "
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:80rem;padding:0 1rem;color-scheme:light dark}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #8884;vertical-align:top}
form{display:flex;gap:.5rem;margin:1rem 0;flex-wrap:wrap}.failed,.broken{color:#c62828}.flaky{color:#b26a00}.passed{color:#2e7d32}
.running{color:#1565c0}.job{margin:0}.quiet{opacity:.7}img{display:block;max-height:5rem;max-width:12rem;border:1px solid #8884}.large img{max-height:15rem;max-width:30rem}
";

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
                tr { th { "Name" } th { "Bytes" } }
                @for entry in &listing.entries {
                    @let slash = if entry.bytes.is_none() { "/" } else { "" };
                    tr {
                        // `./`: a name with a colon would else be a scheme.
                        td { a href={ "./" (encoded(&entry.name)) (slash) } { (visible(&entry.name)) (slash) } }
                        td { @if let Some(bytes) = entry.bytes { (bytes) } }
                    }
                }
            }
        },
    )
}

fn page(title: &str, content: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width";
                title { (title) }
                link rel="stylesheet" href="/style.css";
            }
            body { h1 { (title) } (content) }
        }
    };
    page.into_string()
}

#[cfg(test)]
mod tests;
