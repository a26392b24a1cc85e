//! The only printer: data on stdout, everything for the eye on stderr, colour only where a terminal reads.

use std::io::{self, IsTerminal, Write};

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use anstyle::{AnsiColor, Style};
use tracing_subscriber::filter::LevelFilter;

use super::failure::Failure;
use crate::config::{Problem, Problems};

const BOLD: Style = Style::new().bold();
const RED: Style = AnsiColor::Red.on_default().bold();
const YELLOW: Style = AnsiColor::Yellow.on_default().bold();
const CYAN: Style = AnsiColor::Cyan.on_default();

/// Diagnostics of the program itself go to stderr; `-v` shows more of them.
pub(super) fn start_log(verbose: u8) {
    let level = match verbose {
        0 => LevelFilter::WARN,
        1 => LevelFilter::INFO,
        _ => LevelFilter::DEBUG,
    };
    // A second subscriber exists in tests only.
    let _already_set = tracing_subscriber::fmt().with_max_level(level).with_writer(io::stderr).try_init();
}

/// Data, for people and pipes. A reader that has seen enough is no error.
pub(super) fn data(text: &str) -> Result<(), Failure> {
    more_data(text).map(|_is_read| ())
}

/// The same; is there still somebody who reads?
pub(super) fn more_data(text: &str) -> Result<bool, Failure> {
    let mut stdout = anstream::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Does a terminal show the data?
pub(super) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// What moves a terminal's cursor, and what is to stand there: as it is, also for those who want no colours.
pub(super) fn control(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    Ok(stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush())?)
}

/// A value as indented JSON.
pub(super) fn json(value: &impl serde::Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Failure { message: format!("cannot write JSON: {error}"), hint: None })?;
    data(&(text + "\n"))
}

/// What is being done or was done.
pub(super) fn say(text: &str) {
    line(text);
}

/// Something that is no error and should be known.
pub(super) fn warn(text: &str, hint: Option<&str>) {
    line(&format!("{YELLOW}warning{YELLOW:#}: {text}"));
    self::hint(hint);
}

/// Something that went wrong, beside others.
pub(super) fn error(text: &str, hint: Option<&str>) {
    line(&format!("{RED}error{RED:#}: {text}"));
    self::hint(hint);
}

/// What ended the command.
pub(super) fn failure(failure: &Failure) {
    if !failure.message.is_empty() {
        error(&failure.message, failure.hint.as_deref());
    }
}

/// Every problem of a config with its line, the way compilers show it.
pub(super) fn problems(path: &str, text: &str, problems: &Problems) {
    let renderer = if io::stderr().is_terminal() { Renderer::styled() } else { Renderer::plain() };
    for problem in problems {
        line(&renderer.render(&[report(path, text, problem)]));
        if let Some((row, column)) = problem.position(text) {
            tracing::debug!(path, row, column, key = problem.key, "problem");
        }
    }
}

fn report<'a>(path: &'a str, text: &'a str, problem: &'a Problem) -> Group<'a> {
    let group = Group::with_title(Level::ERROR.primary_title(problem.to_string()));
    let group = match &problem.span {
        Some(span) => group
            .element(Snippet::source(text).path(path).annotation(AnnotationKind::Primary.span(span.clone()))),
        None => group.element(annotate_snippets::Origin::path(path)),
    };
    match &problem.hint {
        Some(hint) => group.element(Level::HELP.with_name("hint").message(hint.as_str())),
        None => group,
    }
}

fn hint(hint: Option<&str>) {
    if let Some(hint) = hint {
        line(&format!("{CYAN}hint{CYAN:#}: {hint}"));
    }
}

/// Emphasis for a heading on stderr.
pub(super) fn heading(text: &str) {
    line(&format!("{BOLD}{text}{BOLD:#}"));
}

fn line(text: &str) {
    // Whoever closed stderr does not want to read this.
    let _closed = writeln!(anstream::stderr().lock(), "{text}");
}

/// Is somebody there to be asked?
pub(super) fn is_interactive() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}
