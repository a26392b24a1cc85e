#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "what is missing fails the test")]

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;

const PAUSE: SignedDuration = SignedDuration::from_mins(15);

fn throttle(hourly_max: usize) -> Throttle {
    Throttle {
        on: NoticeKind::ALL.into(),
        hourly_max,
        pause: PAUSE,
        troubled: BTreeSet::new(),
        held: BTreeMap::new(),
        told: BTreeMap::new(),
        sent: VecDeque::new(),
    }
}

fn notice(kind: NoticeKind, runner: u16, second: i64) -> Notice {
    let time = Timestamp::from_second(second).unwrap();
    let name = Some(format!("runner-{runner}"));
    let is_trouble = matches!(kind, NeedsToken | GaveUp | Failed);
    Notice { time, kind, runner: Some(runner), name, why: format!("at {second}"), hint: None, is_trouble }
}

fn at(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

fn kinds(message: &Message) -> Vec<(NoticeKind, u16, u32)> {
    let told = std::iter::once(&message.first).chain(&message.also);
    told.map(|told| (told.notice.kind, told.notice.runner.unwrap_or(0), told.count)).collect()
}

/// The receiver takes what is due at `uptime`.
fn send(throttle: &mut Throttle, uptime: SignedDuration) -> Option<Message> {
    let message = throttle.next(uptime)?;
    throttle.taken(&message, uptime);
    Some(message)
}

use NoticeKind::{Failed, GaveUp, Healed, NeedsToken, Recovered, VersionDeadline};

#[test]
fn the_same_again_is_held_back_and_summed_up() {
    let mut throttle = throttle(12);
    throttle.take(notice(Failed, 1, 0));
    assert_eq!(kinds(&send(&mut throttle, at(0)).unwrap()), [(Failed, 1, 1)]);
    for second in [10, 20, 30] {
        throttle.take(notice(Failed, 1, second));
        assert_eq!(throttle.next(at(second)), None);
    }
    assert_eq!(throttle.due(at(30)), Some(PAUSE));
    // Another one is not held back by that, and takes along what is.
    throttle.take(notice(NeedsToken, 2, 40));
    let message = send(&mut throttle, at(40)).unwrap();
    assert_eq!(kinds(&message), [(NeedsToken, 2, 1), (Failed, 1, 3)]);
    assert_eq!(message.also[0].notice.why, "at 30");
    assert_eq!(message.title(), "runner-2 needs a registration token, and 1 more");
    assert_eq!(throttle.due(at(40)), None);
}

#[test]
fn what_waits_is_told_when_its_pause_is_over_although_nothing_more_happens() {
    let mut throttle = throttle(12);
    throttle.take(notice(GaveUp, 1, 0));
    send(&mut throttle, at(0)).unwrap();
    throttle.take(notice(GaveUp, 1, 1));
    assert_eq!(throttle.next(PAUSE - at(1)), None);
    assert_eq!(kinds(&throttle.next(PAUSE).unwrap()), [(GaveUp, 1, 1)]);
}

#[test]
fn an_hour_has_so_many_messages_and_the_most_urgent_comes_first_in_the_next() {
    let mut throttle = throttle(2);
    for runner in 1..=2 {
        throttle.take(notice(Failed, runner, 0));
        send(&mut throttle, at(i64::from(runner))).unwrap();
    }
    throttle.take(notice(Failed, 3, 10));
    throttle.take(notice(NeedsToken, 9, 11));
    assert_eq!(throttle.next(at(3600)), None);
    assert_eq!(throttle.due(at(11)), Some(at(3601)));
    assert_eq!(kinds(&throttle.next(at(3601)).unwrap()), [(NeedsToken, 9, 1), (Failed, 3, 1)]);
}

#[test]
fn what_the_receiver_did_not_take_is_there_again_with_what_happened_meanwhile() {
    let mut throttle = throttle(12);
    throttle.take(notice(Failed, 1, 0));
    let message = throttle.next(at(0)).unwrap();
    throttle.take(notice(Failed, 1, 5));
    throttle.take(notice(Healed, 1, 6));
    throttle.refused(message);
    let message = throttle.next(at(7)).unwrap();
    assert_eq!(kinds(&message), [(Failed, 1, 2), (Healed, 1, 1)]);
    assert_eq!(message.first.notice.why, "at 5");
}

#[test]
fn a_recovery_is_news_only_of_those_of_whom_there_was_bad_news() {
    let mut throttle = throttle(12);
    throttle.take(notice(Recovered, 1, 0));
    assert_eq!(throttle.next(at(0)), None);
    throttle.take(notice(Failed, 1, 1));
    throttle.take(notice(Healed, 1, 2));
    throttle.take(notice(Recovered, 1, 3));
    assert_eq!(kinds(&send(&mut throttle, at(3)).unwrap()), [(Failed, 1, 1), (Healed, 1, 1)]);
    throttle.on.remove(&Healed);
    throttle.take(notice(Failed, 2, 4));
    throttle.take(notice(Healed, 2, 5));
    throttle.take(notice(Recovered, 2, 6));
    assert_eq!(kinds(&send(&mut throttle, at(6)).unwrap()), [(Failed, 2, 1), (Recovered, 2, 1)]);
}

#[test]
fn what_is_not_chosen_is_not_told() {
    let mut throttle = throttle(12);
    throttle.on = [NeedsToken].into();
    for kind in [GaveUp, Failed, Healed, Recovered] {
        throttle.take(notice(kind, 1, 0));
    }
    assert_eq!((throttle.next(at(0)), throttle.due(at(0))), (None, None));
    throttle.take(notice(NeedsToken, 1, 0));
    assert_eq!(kinds(&throttle.next(at(0)).unwrap()), [(NeedsToken, 1, 1)]);
}

#[test]
fn more_than_a_message_has_room_for_comes_with_the_next_and_none_is_too_long_for_ntfy() {
    let mut throttle = throttle(12);
    for runner in 1..=30 {
        let notice = Notice { why: "x".repeat(300), ..notice(Failed, runner, 0) };
        throttle.take(notice);
    }
    let mut seen = Vec::new();
    while let Some(message) = send(&mut throttle, at(0)) {
        assert!(message.text().len() < 4096, "{}", message.text().len());
        seen.extend(kinds(&message).into_iter().map(|(_, runner, _)| runner));
        assert_eq!(message.left, 30 - seen.len());
    }
    seen.sort_unstable();
    assert_eq!(seen, (1..=30).collect::<Vec<u16>>());
}

#[test]
fn who_was_warned_of_a_deadline_hears_that_it_is_well_again_only_if_it_was_refused_meanwhile() {
    let mut throttle = throttle(12);
    throttle.take(notice(VersionDeadline, 1, 0));
    throttle.take(notice(Recovered, 1, 1));
    assert_eq!(kinds(&send(&mut throttle, at(1)).unwrap()), [(VersionDeadline, 1, 1)]);
    throttle.take(Notice { is_trouble: true, ..notice(VersionDeadline, 1, 2) });
    throttle.take(notice(Recovered, 1, 3));
    assert_eq!(kinds(&send(&mut throttle, at(3600)).unwrap()), [(VersionDeadline, 1, 1), (Recovered, 1, 1)]);
}

/// What happens to a throttle, second after second.
#[derive(Debug, Clone)]
enum Step {
    Happens(NoticeKind, u16),
    Passes(i64),
    /// The receiver takes what it gets from now on, or does not.
    Receiver(bool),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let kind = proptest::sample::select(NoticeKind::ALL.to_vec());
    let step = prop_oneof![
        5 => (kind, 1_u16..4).prop_map(|(kind, runner)| Step::Happens(kind, runner)),
        3 => (0_i64..2000).prop_map(Step::Passes),
        1 => any::<bool>().prop_map(Step::Receiver),
    ];
    proptest::collection::vec(step, 0..120)
}

proptest! {
    #[test]
    fn never_more_than_allowed_and_nothing_urgent_is_ever_lost(steps in steps(), hourly_max in 1_usize..5) {
        let mut throttle = throttle(hourly_max);
        let (mut now, mut takes) = (0_i64, true);
        let mut sent: Vec<i64> = Vec::new();
        let mut told: Vec<(i64, bool, Key, u32)> = Vec::new();
        let mut owed: BTreeMap<Key, u32> = BTreeMap::new();
        let end = [Step::Receiver(true)].into_iter().chain(std::iter::repeat_n(Step::Passes(3600), 40));
        for step in steps.into_iter().chain(end) {
            let until = match step {
                Step::Happens(kind, runner) => {
                    throttle.take(notice(kind, runner, now));
                    if matches!(kind, NeedsToken | GaveUp | Failed | VersionDeadline) {
                        *owed.entry((kind, Some(runner))).or_default() += 1;
                    }
                    now
                }
                Step::Passes(seconds) => now + seconds,
                Step::Receiver(there) => {
                    takes = there;
                    now
                }
            };
            // As the notifier does it: at once what can be sent, then whenever something is due; a receiver that is not there is left alone for a minute.
            loop {
                if let Some(message) = throttle.next(at(now)) {
                    sent.push(now);
                    if takes {
                        throttle.taken(&message, at(now));
                        let all = std::iter::once((true, &message.first)).chain(message.also.iter().map(|also| (false, also)));
                        told.extend(all.map(|(is_first, item)| (now, is_first, key(&item.notice), item.count)));
                        continue;
                    }
                    throttle.refused(message);
                }
                let due = throttle.due(at(now)).map(|due| if takes { due.as_secs() } else { due.as_secs().max(now + 60) });
                match due {
                    Some(due) if due <= until => {
                        prop_assert!(due > now, "it would spin at {now}");
                        now = due;
                    }
                    _ => break,
                }
            }
            now = until;
        }
        for window in sent.windows(hourly_max + 1) {
            prop_assert!(window[hourly_max] - window[0] >= 3600, "{sent:?}");
        }
        for (place, (when, is_first, of, _)) in told.iter().enumerate() {
            let before = told[..place].iter().rev().find(|(_, _, key, _)| key == of);
            if let (true, Some((before, ..))) = (is_first, before) {
                prop_assert!(when - before >= PAUSE.as_secs(), "{of:?} at {before} and {when}");
            }
        }
        for (of, count) in owed {
            let heard: u32 = told.iter().filter(|(_, _, key, _)| *key == of).map(|(.., count)| count).sum();
            prop_assert_eq!(heard, count, "{:?}", of);
        }
        prop_assert_eq!(throttle.due(at(now)), None);
    }
}
