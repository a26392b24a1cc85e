//! The pages of the report server: no script, and every word in them escaped.

use jiff::Timestamp;
use maud::{DOCTYPE, Markup, html};
use serde::Deserialize;

use super::{Html, Listing, Location, Outcome, Report, Scan, encoded};

/// Reports on one page.
const PER_PAGE: usize = 100;

/// The style sheet of every page.
pub const STYLE: &str = "
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:75rem;padding:0 1rem;color-scheme:light dark}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #8884}
form{display:flex;gap:.5rem;margin:1rem 0;flex-wrap:wrap}.failed,.broken{color:#c62828}.flaky{color:#b26a00}.passed{color:#2e7d32}
";

/// What is asked of the index, as its query.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Query {
    /// Directory of one workflow; empty: all.
    pub workflow: String,
    /// An [`Outcome`]'s word; empty: all.
    pub outcome: String,
    /// Text that a report's names or labels contain, in any case.
    pub q: String,
    /// From 0.
    pub page: usize,
}

/// All reports that `query` asks for, newest first.
#[must_use]
pub fn index(scan: &Scan, query: &Query, now: Timestamp) -> String {
    let found: Vec<&Report> = scan.reports.iter().filter(|report| query.wants(report)).collect();
    let begin = query.page.saturating_mul(PER_PAGE);
    let shown = found.iter().skip(begin).take(PER_PAGE);
    let has_more = found.len() > begin.saturating_add(PER_PAGE);
    page(
        "Reports",
        &html! {
            form method="get" action="/" {
                input type="search" name="q" value=(query.q) placeholder="repository, branch, workflow job …";
                input name="workflow" value=(query.workflow) placeholder="workflow";
                select name="outcome" {
                    option value="" { "any outcome" }
                    @for outcome in Outcome::ALL {
                        option value=(outcome.word()) selected[outcome.word() == query.outcome] { (outcome.word()) }
                    }
                }
                button { "Show" }
            }
            @if scan.incomplete { p { "There are more reports than are looked at here." } }
            table {
                tr { th { "Workflow" } th { "Run" } th { "Workflow job" } th { "Outcome" } th { "Tests" } th { "Duration" }
                     th { "State" } th { "Began" } th { "Branch" } }
                @for report in shown { (row(report, now)) }
            }
            @if found.is_empty() { p { "No reports." } }
            p {
                @if query.page > 0 { a href=(query.url(query.page - 1)) { "Newer" } " " }
                @if has_more { a href=(query.url(query.page + 1)) { "Older" } }
            }
        },
    )
}

fn row(report: &Report, now: Timestamp) -> Markup {
    let (outcome, state) = (report.outcome().word(), report.state(now).word());
    let label = report.started.as_ref();
    let url = format!(
        "/r/{}/{}/{}/",
        encoded(&report.workflow),
        encoded(&report.run_id),
        encoded(&report.directory)
    );
    let of_workflow = Query { workflow: report.workflow.clone(), ..Query::default() };
    html! {
        tr {
            td { a href=(of_workflow.url(0)) { (visible(label.map_or(&report.workflow, |label| &label.workflow))) } }
            td { (visible(&report.run_id)) }
            td {
                a href=(url) { (visible(&report.directory)) }
                @if report.html == Html::Complete { " · " a href={ (url) "html/" } { "report" } }
                @if label.is_none() { " (unlabelled)" }
            }
            td class=(outcome) { (outcome) }
            td {
                @if let Some(stats) = report.stats {
                    (stats.expected) " passed, " (stats.unexpected) " failed, " (stats.flaky) " flaky, "
                    (stats.skipped) " skipped"
                }
            }
            td { @if let Some(stats) = report.stats { (stats.milliseconds / 1000) " s" } }
            td class=(state) { (state) }
            td { (report.began().strftime("%Y-%m-%d %H:%M UTC")) }
            td { (visible(label.map_or("", |label| &label.git_ref))) }
        }
    }
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

/// Control characters and those that turn the direction of a text are written out, so that a name looks like what it is.
fn visible(text: &str) -> String {
    let is_hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let shown = |c: char| if is_hidden(c) { c.escape_unicode().to_string() } else { c.to_string() };
    text.chars().map(shown).collect()
}

impl Query {
    fn wants(&self, report: &Report) -> bool {
        let is_of = |asked: &str, found: &str| asked.is_empty() || asked == found;
        is_of(&self.workflow, &report.workflow)
            && is_of(&self.outcome, report.outcome().word())
            && self.is_found_in(report)
    }

    fn is_found_in(&self, report: &Report) -> bool {
        let text = self.q.to_lowercase();
        let has = |field: &String| field.to_lowercase().contains(&text);
        let labels = report.started.iter().flat_map(|label| {
            [
                &label.repository,
                &label.workflow,
                &label.workflow_job,
                &label.runner,
                &label.git_ref,
                &label.sha,
                &label.actor,
            ]
        });
        [&report.workflow, &report.run_id, &report.directory].into_iter().chain(labels).any(has)
    }

    fn url(&self, page: usize) -> String {
        let (workflow, outcome, q) = (encoded(&self.workflow), encoded(&self.outcome), encoded(&self.q));
        format!("/?workflow={workflow}&outcome={outcome}&q={q}&page={page}")
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "what is missing fails the test")]

    use jiff::Timestamp;

    use super::{Query, index, listing};
    use crate::reports::{Entry, Html, Listing, Location, Report, Scan};

    fn scan() -> Scan {
        let report = |number: usize| Report {
            workflow: if number == 0 { "a<b>".to_owned() } else { "ci".to_owned() },
            run_id: number.to_string(),
            directory: format!("1-job-{number}"),
            modified: Timestamp::UNIX_EPOCH,
            started: None,
            finished: None,
            stats: None,
            html: Html::Missing,
        };
        Scan { reports: (0..101).map(report).collect(), incomplete: false }
    }

    #[test]
    fn names_are_escaped_and_control_characters_are_written_out() {
        let page = index(&scan(), &Query::default(), Timestamp::UNIX_EPOCH);
        assert!(page.contains("a&lt;b&gt;") && !page.contains("a<b>"));
        let entries = vec![Entry { name: "x\n\u{202e}\"><script>".to_owned(), bytes: Some(1) }];
        let location = Location::of_url_path("/ci/1/a/").unwrap();
        let page = listing(&location, &Listing { entries, incomplete: false });
        assert!(
            page.contains("x\\u{a}\\u{202e}&quot;&gt;&lt;script&gt;") && !page.contains("<script"),
            "{page}"
        );
        assert!(page.contains("href=\"./x%0A%E2%80%AE%22%3E%3Cscript%3E\""), "{page}");
    }

    #[test]
    fn a_page_has_a_hundred_reports_and_the_next_one_the_rest() {
        let rows = |query: &Query| index(&scan(), query, Timestamp::UNIX_EPOCH).matches("<tr>").count() - 1;
        assert_eq!(rows(&Query::default()), 100);
        assert_eq!(rows(&Query { page: 1, ..Query::default() }), 1);
        assert_eq!(rows(&Query { page: usize::MAX, ..Query::default() }), 0);
        assert_eq!(rows(&Query { q: "JOB-77".to_owned(), ..Query::default() }), 1);
        assert_eq!(rows(&Query { workflow: "a<b>".to_owned(), ..Query::default() }), 1);
        assert_eq!(rows(&Query { outcome: "failed".to_owned(), ..Query::default() }), 0);
    }
}
