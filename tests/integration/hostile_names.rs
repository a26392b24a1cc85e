//! Names, paths and labels as a workflow could choose them, by the million: `HOSTILE_CASES=100000000 cargo test --release hostile_names` goes on for longer,
//! `HOSTILE_SEED` repeats what failed.

use std::fs;
use std::os::unix::fs::symlink;
use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;

use homelab_runners::report_files::ReportTree;
use homelab_runners::reports::page::{self, Moment, Query};
use homelab_runners::reports::{
    Entry, Evidence, Finished, Html, Index, Listing, Location, Report, Run, Source, Started, Stats, encoded,
    media,
};

/// What means something to one of those who read a name.
const PIECES: [&str; 52] = [
    "<",
    ">",
    "\"",
    "'",
    "&",
    "/",
    "\\",
    "\0",
    "\n",
    "\r",
    "\t",
    " ",
    ".",
    "..",
    "%",
    "%2e",
    "%2F",
    "%5c",
    "%00",
    "%ff",
    "%25",
    "%zz",
    "<script>",
    "</td>",
    "-->",
    "javascript:",
    "data:",
    "&lt;",
    "&#60;",
    "\u{202e}",
    "\u{2066}",
    "\u{feff}",
    "\u{85}",
    "\u{2028}",
    "\u{200b}",
    "é",
    "😀",
    "a",
    "Z",
    "0",
    "-",
    "_",
    "~",
    "?",
    "#",
    ":",
    "@",
    "+",
    "\"stats\":",
    "{",
    "}",
    ".html",
];

/// Xorshift; what it is worth is in `PIECES`.
struct Random(u64);

impl Random {
    fn new(test: u64) -> Self {
        let clock = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let seed = std::env::var("HOSTILE_SEED").map_or_else(|_| clock(), |seed| seed.parse().unwrap());
        println!("HOSTILE_SEED={seed}");
        Self((seed ^ test).max(1))
    }

    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap() % most
    }

    fn text(&mut self) -> String {
        let count = self.below(12) + 1;
        (0..count).map(|_| PIECES[self.below(PIECES.len())]).collect()
    }

    /// As a file system has it.
    fn name(&mut self) -> String {
        let name = self.text().replace(['/', '\0'], "");
        if matches!(name.as_str(), "" | "." | "..") { "n".to_owned() } else { name }
    }
}

/// Of a million.
fn cases(share: usize) -> usize {
    let all = std::env::var("HOSTILE_CASES").map_or(1_000_000, |cases| cases.parse().unwrap());
    all / 1_000_000 * share
}

#[test]
fn a_million_paths_and_names_lead_nowhere_else() {
    let mut random = Random::new(1);
    for case in 0..cases(1_000_000) {
        let text = random.text();
        if let Some(location) = Location::of_url_path(&format!("/{text}")) {
            for name in location.names() {
                assert!(!matches!(name.as_str(), "" | "." | ".."), "{text:?}");
                assert!(!name.contains(['/', '\\', '\0']), "{text:?}");
            }
            // Read a second time it is the same, not what it would decode to.
            let names: Vec<String> = location.names().iter().map(|name| encoded(name)).collect();
            let again = format!("/{}", names.join("/"));
            assert_eq!(Location::of_url_path(&again).unwrap().names(), location.names(), "{text:?}");
        }
        let media = media(&text);
        assert!(media.content_type.is_ascii() && !media.content_type.contains(['\r', '\n']), "{text:?}");
        // Only what ends like a page is one.
        let is_page = media.content_type.starts_with("text/html");
        assert_eq!(is_page, text.rsplit_once('.').is_some_and(|(_, end)| end == "html"), "{text:?}");
        let part = encoded(&text);
        assert!(
            part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte)),
            "{text:?}"
        );
        if case % 10 > 0 {
            continue;
        }
        let _stats = Stats::of_tail(&text);
        let _started = serde_json::from_str::<Started>(&text);
        let _finished = serde_json::from_str::<Finished>(&text);
    }
}

/// Tags and attributes of a page of ours, and what its links lead to; fails for what maud would not write.
fn structure(page: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut parts = page.split('<');
    assert_eq!(parts.next(), Some(""));
    for part in parts {
        // No value has a `>` in it, since all are escaped.
        let (tag, text) = part.split_once('>').unwrap();
        assert!(!text.contains('"') || !text.contains("=\""), "{text:?}");
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag:?}");
        for (place, piece) in tag.split('"').enumerate() {
            if place % 2 == 0 {
                assert!(
                    piece.bytes().all(|byte| byte.is_ascii_alphanumeric() || b" =!-/".contains(&byte)),
                    "{tag:?}"
                );
                found.push(piece.to_owned());
            } else if found.last().unwrap().ends_with("href=") || found.last().unwrap().ends_with("src=") {
                assert!(
                    piece.starts_with('/') || piece.starts_with("./") || piece.starts_with("../"),
                    "{tag:?}"
                );
                assert!(!piece.starts_with("//"), "{tag:?}");
            }
        }
    }
    found
}

const MOMENT: Moment<'_> =
    Moment { now: Timestamp::UNIX_EPOCH, read: Timestamp::UNIX_EPOCH, origin: Some("http://localhost:8089") };

/// All pages of ours with `next` wherever a workflow has the choice.
fn pages(mut next: impl FnMut() -> String) -> [String; 4] {
    let (workflow, run_id, asked) = (next(), next(), next());
    let report = Report {
        workflow: workflow.clone(),
        run_id: run_id.clone(),
        directory: next(),
        started: Some(Started {
            repository: next(),
            workflow: next(),
            run_attempt: "1".to_owned(),
            workflow_job: next(),
            runner: next(),
            git_ref: next(),
            sha: next(),
            actor: next(),
            started: next(),
        }),
        finished: Some(next()),
        stats: Some(Stats { unexpected: 1, milliseconds: u64::MAX, ..Stats::default() }),
        html: Html::Complete,
        evidence: Evidence { screenshot: Some(next()), trace: Some(next()) },
        ..Report::default()
    };
    let run = Run::of(&workflow, &run_id, vec![report]).unwrap();
    let entries = vec![Entry { name: next(), bytes: Some(1) }, Entry { name: next(), bytes: None }];
    let location = Location::of_url_path(&format!("/{}/", encoded(&next())))
        .unwrap_or_else(|| Location::of_url_path("/a/").unwrap());
    let listing = page::listing(&location, &Listing { entries, incomplete: false });
    let run_page = page::run(&run, MOMENT);
    let index = Index::of(vec![run.into()], false);
    // The visitor's words are shown, too.
    let query = Query { workflow: asked, ..Query::default() };
    let searched = page::index(&Index::default(), &query, MOMENT);
    [page::index(&index, &Query::default(), MOMENT), searched, run_page, listing]
}

#[test]
fn thousands_of_pages_have_the_structure_of_a_harmless_one() {
    let harmless = pages(|| "n".to_owned()).map(|page| structure(&page));
    let mut random = Random::new(2);
    for _ in 0..cases(4_000) {
        let made = pages(|| random.name());
        for (page, expected) in made.iter().zip(&harmless) {
            assert_eq!(&structure(page), expected, "{page}");
        }
    }
}

#[test]
fn a_hundred_thousand_lookups_stay_below_the_reports() {
    let root = tempfile::tempdir().unwrap();
    let reports = root.path().join("reports");
    fs::create_dir_all(reports.join("a/0/a..0/html")).unwrap();
    fs::write(root.path().join("OUTSIDE"), "").unwrap();
    for (link, target) in [("a/-", "../.."), ("Z", "/"), ("a/0/_", "."), ("~", "..")] {
        symlink(target, reports.join(link)).unwrap();
    }
    let tree = ReportTree::open(&reports).unwrap();
    let names =
        ["a", "0", "a..0", "html", "-", "Z", "_", "~", "..", ".", "%2e%2e", "OUTSIDE", "etc", "", "proc"];
    let mut random = Random::new(3);
    let mut found = 0;
    for _ in 0..cases(100_000) {
        let depth = random.below(5) + 1;
        let parts: Vec<&str> = (0..depth).map(|_| names[random.below(names.len())]).collect();
        let path = format!("/{}", parts.join("/"));
        let Some(location) = Location::of_url_path(&path) else { continue };
        let Some(listing) = tree.list(&location) else { continue };
        found += 1;
        assert!(
            location.names().iter().all(|name| ["a", "0", "a..0", "html"].contains(&name.as_str())),
            "{path}"
        );
        assert!(listing.entries.iter().all(|entry| entry.name != "OUTSIDE"), "{path}");
    }
    assert!(found > 0);
}
