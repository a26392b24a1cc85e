//! What `ephemeral = true` needs: somebody to ask GitHub with for each start, and room in the name for what tells one runner from the next.

use toml::Spanned;

use super::collect::bare;
use super::github::Github;
use super::problem::Problems;
use super::raw::RawConfig;

/// GitHub allows 64 characters in a runner's name, and each start adds a hyphen and five of its own.
const LONGEST_NAME: usize = 58;

/// Checks the key of the fleet and those of single runners.
pub(super) fn check(
    raw: &RawConfig,
    count: u16,
    name_prefix: &str,
    github: Option<&Github>,
    problems: &mut Problems,
) {
    let of_runners = raw
        .runners
        .iter()
        .map(|(number, own)| (format!("runners.{}.ephemeral", number.get_ref()), own.ephemeral.as_ref()));
    let of_fleet = ("ephemeral".to_owned(), raw.ephemeral.as_ref());
    let is_set = |(_, key): &(String, Option<&Spanned<bool>>)| bare(*key) == Some(true);
    for (key, value) in std::iter::once(of_fleet).chain(of_runners).filter(is_set) {
        // Of a credential that is wrong itself more is said elsewhere.
        if github.is_some_and(|github| !github.has_api())
            && problems.iter().all(|problem| problem.key != "github.credential")
        {
            problems.add(
                value.map(Spanned::span),
                &key,
                "needs a credential of the host's own: a registration token lives one hour, and an ephemeral runner registers for each workflow job".to_owned(),
                "set credential = \"pat\" or \"app\" in [github], or remove ephemeral",
            );
        }
    }
    check_names(raw, count, name_prefix, problems);
}

fn check_names(raw: &RawConfig, count: u16, name_prefix: &str, problems: &mut Problems) {
    for number in 1..=count {
        let own =
            raw.runners.iter().find(|(key, _)| *key.get_ref() == number.to_string()).map(|(_, own)| own);
        let own_flag = own.and_then(|own| own.ephemeral.as_ref());
        if bare(own_flag.or(raw.ephemeral.as_ref())) != Some(true) {
            continue;
        }
        let (key, span, name) = if let Some(name) = own.and_then(|own| own.name.as_ref()) {
            (format!("runners.{number}.name"), Some(name.span()), name.get_ref().clone())
        } else {
            let span = raw.name_prefix.as_ref().map(Spanned::span);
            ("name_prefix".to_owned(), span, format!("{name_prefix}-{number}"))
        };
        if name.len() > LONGEST_NAME {
            let hint =
                "allowed: 58 characters, number included, because GitHub allows 64 and each start adds six";
            problems.add(span, &key, format!("{name:?} is too long for an ephemeral runner"), hint);
            return;
        }
    }
}
