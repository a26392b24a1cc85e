#![expect(clippy::unwrap_used, reason = "what is missing fails the test")]

use jiff::Timestamp;

use super::{Moment, Query, index, listing, run};
use crate::reports::{Entry, Evidence, Html, Index, Listing, Location, Report, Run, Stats};

const MOMENT: Moment<'_> =
    Moment { now: Timestamp::UNIX_EPOCH, read: Timestamp::UNIX_EPOCH, origin: Some("http://localhost:8089") };

fn report(workflow: &str, number: usize) -> Report {
    Report {
        workflow: workflow.to_owned(),
        run_id: number.to_string(),
        directory: format!("1-job-{number}"),
        ..Report::default()
    }
}

fn of(reports: impl IntoIterator<Item = Report>) -> Index {
    let run = |report: Report| Run::of(&report.workflow.clone(), &report.run_id.clone(), vec![report]);
    Index::of(reports.into_iter().filter_map(run).map(Into::into).collect(), false)
}

fn many() -> Index {
    of((0..101).map(|number| report(if number == 0 { "a<b>" } else { "ci" }, number)))
}

fn failed() -> Report {
    Report {
        stats: Some(Stats { unexpected: 1, ..Stats::default() }),
        html: Html::Complete,
        evidence: Evidence { screenshot: Some("a b.png".to_owned()), trace: Some("t&.zip".to_owned()) },
        ..report("ci", 7)
    }
}

#[test]
fn names_are_escaped_and_control_characters_are_written_out() {
    let page = index(&many(), &Query::default(), MOMENT);
    assert!(page.contains("a&lt;b&gt;") && !page.contains("a<b>"));
    let entries = vec![Entry { name: "x\n\u{202e}\"><script>".to_owned(), bytes: Some(1) }];
    let location = Location::of_url_path("/ci/1/a/").unwrap();
    let page = listing(&location, &Listing { entries, incomplete: false });
    assert!(page.contains("x\\u{a}\\u{202e}&quot;&gt;&lt;script&gt;") && !page.contains("<script"), "{page}");
    assert!(page.contains("href=\"./x%0A%E2%80%AE%22%3E%3Cscript%3E\""), "{page}");
}

#[test]
fn a_page_has_a_hundred_runs_and_the_next_one_the_rest() {
    let many = many();
    let rows = |query: &Query| index(&many, query, MOMENT).matches("<tr>").count() - 1;
    assert_eq!(rows(&Query::default()), 100);
    assert_eq!(rows(&Query { page: 1, ..Query::default() }), 1);
    assert_eq!(rows(&Query { page: usize::MAX, ..Query::default() }), 0);
    assert_eq!(rows(&Query { q: "JOB-77".to_owned(), ..Query::default() }), 1);
    assert_eq!(rows(&Query { workflow: "a<b>".to_owned(), ..Query::default() }), 1);
    assert_eq!(rows(&Query { outcome: "failed".to_owned(), ..Query::default() }), 0);
    assert_eq!(rows(&Query { state: "complete".to_owned(), ..Query::default() }), 100);
    assert_eq!(rows(&Query { state: "running".to_owned(), ..Query::default() }), 0);
}

#[test]
fn a_failing_test_is_a_look_away_and_its_trace_a_click() {
    let page = index(&of([failed()]), &Query::default(), MOMENT);
    assert!(page.contains("<img src=\"/r/ci/7/1-job-7/html/data/a%20b.png\""), "{page}");
    let trace = "/r/ci/7/1-job-7/html/trace/index.html?trace=\
                 http%3A%2F%2Flocalhost%3A8089%2Fr%2Fci%2F7%2F1-job-7%2Fhtml%2Fdata%2Ft%2526.zip";
    assert!(page.contains(trace), "{page}");
    let passed = Report { stats: Some(Stats { expected: 1, ..Stats::default() }), ..failed() };
    let page = index(&of([passed]), &Query::default(), Moment { origin: None, ..MOMENT });
    assert!(!page.contains("<img") && !page.contains("trace="), "{page}");
}

#[test]
fn a_run_with_many_workflow_jobs_names_those_that_failed_and_links_to_the_rest() {
    let passed = Stats { expected: 1, ..Stats::default() };
    let mut jobs: Vec<Report> = (10..19)
        .map(|number| Report { run_id: "7".to_owned(), stats: Some(passed), ..report("ci", number) })
        .collect();
    jobs.push(failed());
    let found = Index::of(vec![Run::of("ci", "7", jobs).unwrap().into()], false);
    let page = index(&found, &Query::default(), MOMENT);
    assert!(page.contains("1-job-7") && page.contains("and 4 more") && !page.contains("1-job-18"), "{page}");
    assert!(page.contains("1 failed, 9 passed"), "{page}");
    let page = run(found.run("ci", "7").unwrap(), MOMENT);
    assert_eq!(page.matches("<tr>").count(), 11);
    assert_eq!(found.run("ci", "8"), None);
}

#[test]
fn a_query_is_a_link_to_the_same_page() {
    let query = Query { q: "a&b".to_owned(), state: "broken".to_owned(), ..Query::default() };
    assert_eq!(query.url(2), "/?state=broken&q=a%26b&page=2");
    assert_eq!(Query::default().url(0), "/");
}

#[test]
fn what_is_no_playwright_report_is_a_click_away_by_its_name() {
    let others = vec!["a b<.xml".to_owned(), "coverage".to_owned()];
    let page = index(&of([Report { others, ..report("ci", 7) }]), &Query::default(), MOMENT);
    assert!(page.contains("<a href=\"/r/ci/7/1-job-7/a%20b%3C.xml\">a b&lt;.xml</a>"), "{page}");
    assert!(page.contains("<a href=\"/r/ci/7/1-job-7/coverage\">coverage</a>"), "{page}");
}
