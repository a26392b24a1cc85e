//! `runnerctl init`: a first config, and a `.env` to put the tokens into.

use std::fmt::Write;

use dialoguer::{Input, Password};

use super::context::GlobalArgs;
use super::exit::Exit;
use super::failure::Failure;
use super::output;
use crate::config::{Config, GithubUrl, MOST_RUNNERS, variable};
use crate::files;
use crate::fleet::Layout;

/// Options of `init`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Repository, organisation or enterprise, `https://HOST/OWNER[/REPOSITORY]` [default: asked]
    #[arg(long)]
    url: Option<GithubUrl>,
    /// Number of runners
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=i64::from(MOST_RUNNERS)))]
    count: u16,
    /// Custom label; may be given several times
    #[arg(long = "label", value_name = "LABEL")]
    labels: Vec<String>,
    /// Budget of each runner: percent of one core
    #[arg(long, value_name = "PERCENT", default_value = "200%")]
    cpu_quota: String,
    /// Budget of each runner: memory
    #[arg(long, value_name = "SIZE", default_value = "4G")]
    memory_max: String,
    /// Ask for nothing; tokens are left empty
    #[arg(long)]
    no_input: bool,
}

pub(super) fn run(args: &Args, global: &GlobalArgs) -> Result<Exit, Failure> {
    let layout = global.layout()?;
    let config_file = global.config_file()?;
    let tokens_file = global.root().at(&layout.tokens);
    for path in [&config_file, &tokens_file] {
        if files::exists(path) {
            return Err(Failure::new(
                format!("{} exists already", path.display()),
                "edit it, or move it away and run this again; nothing was changed",
            ));
        }
    }
    let asking = !args.no_input && output::is_interactive();
    let url = match &args.url {
        Some(url) => url.clone(),
        None if asking => ask_url()?,
        None => {
            return Err(Failure::new("no URL was given", "add --url https://github.com/OWNER/REPOSITORY"));
        }
    };
    let config = config_text(args, &url);
    // What is written has to be what `check` accepts.
    Config::parse(&config).map_err(|problems| {
        output::problems("the options", &config, &problems);
        Failure::told()
    })?;
    let tokens =
        if asking { ask_tokens(args.count, &url)? } else { vec![String::new(); usize::from(args.count)] };
    let complete = tokens.iter().all(|token| !token.is_empty());
    files::write(&tokens_file, tokens_text(&tokens, &url).as_bytes(), 0o600)?;
    files::write(&config_file, config.as_bytes(), 0o644)?;
    output::say(&format!("wrote {} and {} (mode 0600)", config_file.display(), tokens_file.display()));
    next_step(complete, &url, &layout, global);
    Ok(Exit::Done)
}

fn next_step(complete: bool, url: &GithubUrl, layout: &Layout, global: &GlobalArgs) {
    output::heading("next");
    if !complete {
        output::say(&format!("  put a registration token for each runner into {}", layout.tokens.display()));
        output::say(&format!("  (they live one hour; get them at {})", url.new_runner_page()));
    }
    let sudo = if global.user { "" } else { "sudo " };
    output::say(&format!("  {sudo}runnerctl install-units{}", global.repeated()));
}

fn ask_url() -> Result<GithubUrl, Failure> {
    let prompt = "Where do the runners register (repository, organisation or enterprise URL)?";
    let answer: String = Input::new()
        .with_prompt(prompt)
        .validate_with(|text: &String| text.parse::<GithubUrl>().map(drop))
        .interact_text()
        .map_err(|error| asking_failed(&error))?;
    answer.parse().map_err(|error: String| Failure { message: error, hint: None })
}

/// Typed without echo; an empty answer leaves the rest for later.
fn ask_tokens(count: u16, url: &GithubUrl) -> Result<Vec<String>, Failure> {
    output::say(&format!("registration tokens: {} (Enter: later)", url.new_runner_page()));
    let mut tokens = Vec::new();
    for number in 1..=count {
        let token = Password::new()
            .with_prompt(variable(number))
            .allow_empty_password(true)
            .interact()
            .map_err(|error| asking_failed(&error))?;
        if token.is_empty() {
            break;
        }
        tokens.push(token.trim().to_owned());
    }
    tokens.resize(usize::from(count), String::new());
    Ok(tokens)
}

fn asking_failed(error: &dialoguer::Error) -> Failure {
    Failure::new(format!("cannot ask: {error}"), "give the answers as options, with --no-input")
}

fn config_text(args: &Args, url: &GithubUrl) -> String {
    let quoted = |text: &str| toml::Value::from(text).to_string();
    let labels: Vec<String> = args.labels.iter().map(|label| quoted(label)).collect();
    let mut text = String::from("# Every key, with comments: config.example.toml, or `runnerctl schema`.\n");
    // Writing to a String cannot fail.
    let _infallible = writeln!(
        text,
        "url = {}\ncount = {}\nlabels = [{}]\n\n[limits]\ncpu_quota = {}\nmemory_max = {}\ntasks_max = 4096",
        quoted(&url.to_string()),
        args.count,
        labels.join(", "),
        quoted(&args.cpu_quota),
        quoted(&args.memory_max),
    );
    text
}

fn tokens_text(tokens: &[String], url: &GithubUrl) -> String {
    let mut text = format!("# Registration tokens; each lives one hour. {}\n", url.new_runner_page());
    for (number, token) in (1..).zip(tokens) {
        // Writing to a String cannot fail.
        let _infallible = writeln!(text, "{}={token}", variable(number));
    }
    text
}
