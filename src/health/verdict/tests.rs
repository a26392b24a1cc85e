#![expect(clippy::unwrap_used, reason = "what is missing fails the test")]
#![expect(clippy::unnecessary_wraps, reason = "a table of witnesses that may be missing")]

use jiff::Timestamp;

use super::*;
use crate::health::Since;

fn since<T>(says: T) -> Since<T> {
    Since { says, since: Timestamp::UNIX_EPOCH }
}

fn unit(active_state: Activity, exit_status: Option<i32>) -> Option<Since<Unit>> {
    Some(since(Unit { active_state, restarts: 0, exit_status, active_since: None }))
}

fn container(session: SessionState, listener: Listener, worker: bool) -> Option<Since<Container>> {
    Some(since(Container { session: Some(session), listener, worker }))
}

fn no_answer() -> Github {
    Github::NoAnswer { reason: "timeout".to_owned() }
}

/// The table of docs/monitor.md, row by row: unit, container, GitHub, and what follows.
#[test]
fn every_row_of_the_table_holds() {
    use Activity::{Activating, Active, Deactivating, Failed, Inactive};
    use Listener::{Missing, Running, Stopped};
    use SessionState::{Connecting, Online, Stopping};
    let up = || unit(Active, None);
    let idle = || container(Online, Running, false);
    let rows = [
        (up(), idle(), Github::NotAsked, Verdict::Well),
        (up(), idle(), Github::Idle, Verdict::Well),
        (up(), idle(), Github::Busy, Verdict::Busy),
        (up(), idle(), no_answer(), Verdict::GithubUnreachable),
        (up(), idle(), Github::Absent, Verdict::RemovedAtGithub),
        (up(), idle(), Github::Offline, Verdict::GithubDisagrees),
        (up(), container(Online, Running, true), Github::Offline, Verdict::Busy),
        (up(), container(Online, Stopped, true), Github::Busy, Verdict::WorkerAlone),
        (up(), container(Online, Missing, true), Github::NotAsked, Verdict::WorkerAlone),
        (up(), container(Online, Stopped, false), Github::Idle, Verdict::ListenerDead),
        (up(), container(Online, Missing, false), no_answer(), Verdict::ListenerDead),
        (up(), container(Connecting, Running, false), Github::Offline, Verdict::Starting),
        (up(), container(Stopping, Missing, false), Github::Idle, Verdict::Stopping),
        (up(), container(SessionState::Failed, Missing, false), Github::Idle, Verdict::Stopping),
        (up(), None, Github::Idle, Verdict::Unknown),
        (None, idle(), Github::Idle, Verdict::Unknown),
        (unit(Activating, None), idle(), Github::Offline, Verdict::Starting),
        (unit(Deactivating, None), idle(), Github::Idle, Verdict::Stopping),
        (unit(Inactive, None), idle(), Github::Offline, Verdict::Stopped),
        (unit(Failed, Some(64)), None, Github::Offline, Verdict::NeedsAPerson(RunnerExit::NeedsToken)),
        (unit(Failed, Some(75)), None, Github::Offline, Verdict::Failed),
        (unit(Failed, None), None, Github::NotAsked, Verdict::Failed),
    ];
    for (systemd, container, github, expected) in rows {
        let witnesses = Witnesses { systemd, container, github: since(github) };
        assert_eq!(Verdict::of(&witnesses, false, false), expected, "{witnesses:?}");
        assert_eq!(Verdict::of(&witnesses, true, false), Verdict::Drained, "{witnesses:?}");
        let lost = if expected == Verdict::GithubDisagrees { Verdict::SilentZombie } else { expected };
        assert_eq!(Verdict::of(&witnesses, false, true), lost, "{witnesses:?}");
    }
}

#[test]
fn every_verdict_has_a_word_of_its_own_and_says_why() {
    let words: std::collections::BTreeSet<&str> = Verdict::ALL.into_iter().map(Verdict::word).collect();
    assert_eq!(words.len(), Verdict::ALL.len());
    let manual = include_str!("../../../docs/monitor.md");
    for verdict in Verdict::ALL {
        assert!(!verdict.why().is_empty());
        assert!(
            manual.contains(&format!("| `{}` |", verdict.word())),
            "{} is not in the manual",
            verdict.word()
        );
    }
}

#[test]
fn who_serves_needs_nothing_done_and_all_others_say_what() {
    for verdict in Verdict::ALL {
        let is_passing = matches!(verdict, Verdict::Starting | Verdict::Stopping);
        let has_hint = verdict.hint(3).is_some();
        assert_eq!(
            has_hint,
            !is_passing && (!verdict.is_serving() || verdict == Verdict::GithubUnreachable),
            "{verdict:?}"
        );
    }
    assert_eq!(Verdict::Drained.hint(3).unwrap(), "take it back into service: runnerctl undrain 3");
}
