//! The helper that restarts for the monitor's unit: what it believes, and what the monitor makes of its answers.

use std::io::{BufRead, Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::Stdio;
use std::time::SystemTime;

use homelab_runners::health::HealEnd;
use homelab_runners::unit_step;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixListener;

use super::*;

/// What the helper answers to `question`, as its unit runs it.
async fn answer(bed: &Bed, question: &[u8]) -> String {
    let (asks, helper) = UnixStream::pair().unwrap();
    (&asks).write_all(question).unwrap();
    let count = u16::try_from(bed.fleet.runners.len()).unwrap();
    let end = match unit_step::asked(&helper, count) {
        Ok(number) => unit_step::heal(&bed.host(), number, HOUR).await,
        Err(why) => HealEnd::Failed(why),
    };
    unit_step::answer(&helper, &end).unwrap();
    drop(helper);
    // What was not read of the question may end the connection in an error, behind the answer.
    let mut said = String::new();
    std::io::BufReader::new(asks).read_line(&mut said).unwrap();
    said
}

#[tokio::test(start_paused = true)]
async fn an_idle_runner_is_restarted_when_it_is_asked_for() {
    let bed = Bed::new(2).await;
    assert_eq!(answer(&bed, b"2\n").await, "healed\n");
    assert_eq!(bed.journal(), ["RestartUnit homelab-runner@2.service fail"]);
}

#[tokio::test(start_paused = true)]
async fn while_a_workflow_job_runs_the_helper_restarts_nobody_whoever_asks() {
    let bed = Bed::new(1).await;
    bed.begin(1, WORKER);
    assert_eq!(answer(&bed, b"1\n").await, "called-off: a workflow job had begun\n");
    assert!(bed.journal().is_empty(), "{:?}", bed.journal());
}

#[tokio::test(start_paused = true)]
async fn what_is_no_number_of_a_runner_restarts_nobody() {
    let bed = Bed::new(2).await;
    let questions: [&[u8]; 13] = [
        b"0\n",
        b"3\n",
        b"01\n",
        b"+1\n",
        b"-1\n",
        b" 1\n",
        b"1 \n",
        b"1\r\n",
        b"\n",
        b"homelab-runner@1.service\n",
        b"111111111111111111111111111111\n",
        b"65537\n",
        b"\xff\n",
    ];
    for question in questions {
        let said = answer(&bed, question).await;
        assert_eq!(
            said, "failed: that is no runner; allowed: a line with a number from 1 to 2\n",
            "{question:?}"
        );
    }
    assert!(bed.journal().is_empty(), "{:?}", bed.journal());
}

#[tokio::test(start_paused = true)]
async fn a_question_without_an_end_is_none_and_is_not_waited_for_for_ever() {
    let bed = Bed::new(1).await;
    let begin = Instant::now();
    let said = answer(&bed, b"1").await;
    assert!(said.starts_with("failed: the question cannot be read: "), "{said}");
    assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
    let (asks, helper) = UnixStream::pair().unwrap();
    (&asks).write_all(b"1").unwrap();
    asks.shutdown(Shutdown::Write).unwrap();
    assert!(unit_step::asked(&helper, 1).is_err());
    assert!(bed.journal().is_empty(), "{:?}", bed.journal());
}

#[tokio::test(start_paused = true)]
async fn a_runner_that_came_up_less_than_a_minute_ago_is_left_alone_by_systemds_own_clock() {
    let bed = Bed::new(1).await;
    let up_for = |seconds: u64| {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let since = now.saturating_sub(Duration::from_secs(seconds));
        let micros = u64::try_from(since.as_micros()).unwrap();
        bed.fake().properties(&Bed::unit(1), |unit| unit.active_enter = micros);
    };
    for seconds in [0, 30, 50] {
        up_for(seconds);
        let expected = "called-off: homelab-runner@1.service came up less than 60 s ago\n";
        assert_eq!(answer(&bed, b"1\n").await, expected);
    }
    assert!(bed.journal().is_empty(), "{:?}", bed.journal());
    up_for(61);
    assert_eq!(answer(&bed, b"1\n").await, "healed\n");
    up_for(0);
    assert!(answer(&bed, b"1\n").await.starts_with("called-off: "));
    assert_eq!(bed.journal().len(), 1, "{:?}", bed.journal());
}

#[tokio::test(start_paused = true)]
async fn a_runner_that_somebody_stopped_or_that_is_on_its_way_is_not_started() {
    let bed = Bed::new(1).await;
    for state in ["inactive", "failed", "activating", "deactivating"] {
        bed.fake().properties(&Bed::unit(1), |unit| state.clone_into(&mut unit.active_state));
        let said = answer(&bed, b"1\n").await;
        assert!(said.starts_with("called-off: homelab-runner@1.service is not active"), "{state}: {said}");
    }
    assert!(bed.journal().is_empty(), "{:?}", bed.journal());
}

#[tokio::test(start_paused = true)]
async fn a_restart_that_fails_is_told_in_one_line() {
    let bed = Bed::new(1).await;
    bed.fake().unit(&Bed::unit(1), Script::FAILED);
    let said = answer(&bed, b"1\n").await;
    assert!(said.starts_with("failed: ") && said.contains("homelab-runner@1.service"), "{said}");
    assert_eq!(said.find('\n'), Some(said.len() - 1));
}

/// A helper that answers so, and what it was asked.
fn helper(bed: &Bed, answer: Option<&'static str>) -> tokio::sync::mpsc::UnboundedReceiver<String> {
    let place = bed.directory.path().join("heal");
    drop(fs::remove_file(&place));
    let listener = UnixListener::bind(&place).unwrap();
    *bed.healer.borrow_mut() = Some(Healer::Helper(place));
    let (asked, questions) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            let mut stream = BufReader::new(stream);
            let mut question = String::new();
            stream.read_line(&mut question).await.unwrap();
            drop(asked.send(question));
            if let Some(answer) = answer {
                stream.get_mut().write_all(answer.as_bytes()).await.unwrap();
            } else {
                open.push(stream);
            }
        }
    });
    questions
}

/// The last event of runner 1 after the monitor has asked a helper that answers so.
async fn end_of(bed: &Bed, answer: Option<&'static str>) -> (What, String) {
    let mut questions = helper(bed, answer);
    bed.signal_listener(1, Signal::STOP);
    let is_end = |event: &Event| matches!(event.what, What::Healed | What::HealFailed | What::HealCalledOff);
    bed.watch(async |watching| {
        watching.until("it has ended", |snapshot| snapshot.events.iter().any(is_end)).await;
    })
    .await;
    assert_eq!(questions.recv().await.unwrap(), "1\n");
    let events = bed.events();
    let end = events.iter().rfind(|event| is_end(event)).unwrap();
    assert!(bed.journal().is_empty(), "the monitor itself restarted: {:?}", bed.journal());
    (end.what, end.why.clone())
}

#[tokio::test(start_paused = true)]
async fn the_monitor_asks_its_helper_and_believes_each_answer() {
    for (answer, what, why) in [
        ("healed\n", What::Healed, "it is online again"),
        ("called-off: a workflow job had begun\n", What::HealCalledOff, "a workflow job had begun"),
        ("failed: it is masked\n", What::HealFailed, "it is masked"),
        ("", What::HealFailed, "the helper that restarts ended without an answer"),
        ("heal", What::HealFailed, "the helper that restarts ended without an answer"),
        ("yes\n", What::HealFailed, "the helper that restarts ended without an answer"),
    ] {
        let bed = Bed::new(1).await;
        assert_eq!(end_of(&bed, Some(answer)).await, (what, why.to_owned()), "{answer:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_helper_that_never_answers_is_given_up_and_counts_as_a_restart() {
    let bed = Bed::new(1).await;
    let expected = "the helper that restarts does not answer".to_owned();
    assert_eq!(end_of(&bed, None).await, (What::HealFailed, expected));
}

#[tokio::test(start_paused = true)]
async fn a_helper_that_is_not_there_is_told() {
    let bed = Bed::new(1).await;
    *bed.healer.borrow_mut() = Some(Healer::Helper(bed.directory.path().join("nothing")));
    bed.signal_listener(1, Signal::STOP);
    bed.watch(async |watching| {
        let is_told =
            |snapshot: &Snapshot| snapshot.events.iter().any(|event| event.what == What::HealFailed);
        watching.until("it is told", is_told).await;
    })
    .await;
    let why = bed.events().last().unwrap().why.clone();
    assert!(why.starts_with("the helper that restarts cannot be asked: "), "{why}");
}

/// The helper as a process, on a host without a bus.
fn process(question: &[u8]) -> (String, Option<i32>) {
    let (mut asks, helper) = UnixStream::pair().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_runnerctl"))
        .env_clear()
        .env("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus")
        .args(["unit-step", "heal", "--count=2", "--limit=5"])
        .stdin(Stdio::from(OwnedFd::from(helper)))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    asks.write_all(question).unwrap();
    let mut said = String::new();
    asks.read_to_string(&mut said).unwrap();
    (said, child.wait().unwrap().code())
}

#[test]
fn the_helper_answers_on_its_standard_input_and_ends() {
    let (said, code) = process(b"3\n");
    assert_eq!(
        (said.as_str(), code),
        ("failed: that is no runner; allowed: a line with a number from 1 to 2\n", Some(1))
    );
    let (said, code) = process(b"2\n");
    assert!(said.starts_with("failed: ") && said.contains("/nonexistent/bus"), "{said}");
    assert_eq!(code, Some(1));
}
