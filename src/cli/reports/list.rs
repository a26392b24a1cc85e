//! `runnerctl reports list`

use std::path::{Path, PathBuf};

use clap::builder::PossibleValuesParser;
use jiff::Timestamp;
use serde::Serialize;

use super::{open, place};
use crate::cli::context::{GlobalArgs, absolute};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::{output, status};
use crate::files::{self, Tree};
use crate::report_files::Known;
use crate::reports::page::Query;
use crate::reports::{Outcome, RunSummary, Source, State, table};

/// Options of `reports list`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Runs of one workflow alone: the name of its directory
    #[arg(long, value_name = "DIRECTORY")]
    workflow: Option<String>,
    /// Runs whose tests ended like this alone
    #[arg(long, value_parser = PossibleValuesParser::new(Outcome::ALL.map(Outcome::word)))]
    outcome: Option<String>,
    /// Runs that are so far alone
    #[arg(long, value_parser = PossibleValuesParser::new(State::ALL.map(State::word)))]
    state: Option<String>,
    /// Runs with this text in a name or label alone, in any case
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// The reports [default: the reports directory of the config]
    #[arg(long, value_name = "DIR", value_parser = absolute)]
    directory: Option<PathBuf>,
    /// As JSON, for scripts
    #[arg(long)]
    json: bool,
}

/// The fields of the JSON: additions are fine, changes are not.
#[derive(Debug, Serialize)]
struct List {
    /// Newest first.
    runs: Vec<RunSummary>,
    /// Not everything could be looked at: there are more runs, or one is larger than it says.
    incomplete: bool,
}

pub(super) fn run(args: &Args, global: &GlobalArgs) -> Result<Exit, Failure> {
    let directory = place(args.directory.as_ref(), global)?;
    let list = list(args, &directory)?;
    if args.json {
        output::json(&list)?;
        return Ok(Exit::Done);
    }
    if list.runs.is_empty() {
        output::say("no reports");
    } else {
        output::data(&(table(&list.runs, &status::ago) + "\n"))?;
    }
    if list.incomplete {
        let hint = "run it as root (sudo); a listing looks at 100,000 names";
        output::warn("not everything could be looked at", Some(hint));
    }
    Ok(Exit::Done)
}

fn list(args: &Args, directory: &Path) -> Result<List, Failure> {
    let query = Query {
        workflow: args.workflow.clone().unwrap_or_default(),
        outcome: args.outcome.clone().unwrap_or_default(),
        state: args.state.clone().unwrap_or_default(),
        q: args.search.clone().unwrap_or_default(),
        page: 0,
    };
    let now = Timestamp::now();
    let index = open(directory)?.index(&mut Known::default(), now);
    let mut tree = Tree::open(&files::behind_links(directory)?)?;
    let mut list = List { runs: Vec::new(), incomplete: index.incomplete };
    for run in index.runs.iter().filter(|run| query.wants(run, now)) {
        let place = Path::new(&run.workflow).join(&run.run_id);
        let Some(measured) = tree.as_mut().map(|tree| tree.measure(&place)) else { break };
        list.incomplete |= measured.incomplete;
        list.runs.push(RunSummary::of(run, measured.bytes, now));
    }
    Ok(list)
}
