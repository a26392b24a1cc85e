//! What the page shows beside the verdicts; and the page served, for `tests/browser` to look at.

use std::io::{BufRead, BufReader};

use homelab_runners::health::page::Links;
use homelab_runners::health::{Now, WaitingRun};
use homelab_runners::http::{Server, health_site};
use jiff::{SignedDuration, Timestamp};

use super::*;

const MINUTE: Duration = Duration::from_secs(60);

impl Bed {
    /// The kernel's word on what runner `number` uses: milliseconds of CPU so far, and mebibytes, of two cores and 4 GiB.
    fn uses(&self, number: u16, cpu_millis: u64, mebibytes: u64) {
        let group = self.control_groups.join(names::slice_control_group(number));
        for (name, text) in [
            ("cpu.stat", format!("usage_usec {}\n", cpu_millis * 1000)),
            ("cpu.max", "200000 100000\n".to_owned()),
            ("memory.current", format!("{}\n", mebibytes << 20)),
            ("memory.max", format!("{}\n", 4_u64 << 30)),
        ] {
            fs::write(group.join(name), text).unwrap();
        }
    }

    /// A workflow job begins, and its started hook says which.
    fn begin_workflow_job(&self, number: u16, name: &str) {
        let file = self.fleet.runner(number).unwrap().paths.workflow_job();
        let label = format!(
            "{{\"repository\":\"acme/shop\",\"workflow\":\"ci\",\"workflow_job\":\"{name}\",\"run_id\":\"42\"}}\n"
        );
        files::write(&self.root.at(&file), label.as_bytes(), 0o644).unwrap();
        self.begin(number, WORKER);
    }

    fn end_workflow_job(&self, number: u16) {
        let mut worker = self.processes.borrow_mut().get_mut(&number).unwrap().pop().unwrap();
        worker.kill().unwrap();
        worker.wait().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_busy_runner_tells_its_workflow_job_until_that_ends() {
    let bed = Bed::new(2).await;
    let of = |snapshot: &Snapshot| snapshot.runner(1).and_then(|runner| runner.workflow_job.clone());
    bed.watch(async |watching| {
        watching.verdict(1, "well").await;
        bed.begin_workflow_job(1, "test");
        watching.verdict(1, "busy").await;
        let job = of(&watching.0.borrow()).unwrap();
        assert_eq!((job.repository.as_str(), job.workflow_job.as_str()), ("acme/shop", "test"));
        // Its label stays behind.
        bed.end_workflow_job(1);
        watching.verdict(1, "well").await;
        assert_eq!(of(&watching.0.borrow()), None);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn the_last_hour_is_kept_minute_by_minute_and_no_longer() {
    let bed = Bed::new(1).await;
    bed.watch(async |watching| {
        let mut used = 0;
        for minute in 0..90 {
            used += 30_000;
            bed.uses(1, used, 100 + minute);
            sleep(MINUTE).await;
        }
        let snapshot = Arc::clone(&watching.0.borrow_and_update());
        let history = &snapshot.runner(1).unwrap().history;
        assert_eq!(history.len(), 60);
        let memory: Vec<u64> = history.iter().filter_map(|minute| minute.memory_bytes).collect();
        assert!(memory.is_sorted() && memory.len() == 60, "{memory:?}");
        assert!(memory[0] >= 129 << 20, "{memory:?}");
        let cpu = history[30].cpu_percent.unwrap();
        assert!((45.0..55.0).contains(&cpu), "half a core, and not {cpu} %");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_waits_at_github_is_shown_as_soon_as_it_is_known() {
    let bed = Bed::new(1).await;
    let waiting = Queue::Waiting { total: 1, runs: vec![WaitingRun::default()] };
    bed.watch(async |watching| {
        watching.verdict(1, "well").await;
        bed.queue.send_replace(waiting.clone());
        watching.until("it is shown", |snapshot| snapshot.queue == waiting).await;
    })
    .await;
}

/// An hour of a fleet in which much happens, in no time; then its page at an address that is printed, while standard input has commands:
/// `busy N`, `idle N`, `fail N`, and an end.
#[tokio::test(start_paused = true)]
#[ignore = "serves until its standard input ends: tests/browser looks at it"]
async fn serves_the_page_of_a_fleet() {
    let bed = Bed::new(4).await;
    bed.github_says(&[AtGithub::Busy, AtGithub::Idle, AtGithub::Idle, AtGithub::Idle]);
    for (number, minutes, what, why) in [
        (2, 190, What::Restarted, "it lost its connection to GitHub"),
        (3, 42, What::Heal, "systemd and the container say online, GitHub says offline each time"),
        (3, 41, What::Healed, "it is online again"),
    ] {
        let time = Timestamp::now() - SignedDuration::from_mins(minutes);
        let event = Event::new(Now { uptime: SignedDuration::ZERO, time }, Some(number), what, why);
        bed.log().add(&event.line()).unwrap();
    }
    bed.queue.send_replace(waiting());
    bed.begin_workflow_job(1, "end-to-end tests");
    bed.watch(async |watching| {
        let mut used = [0; 4];
        for minute in 0..70_u64 {
            for (place, used) in used.iter_mut().enumerate() {
                let (number, phase) = (u16::try_from(place + 1).unwrap(), minute + 17 * place as u64);
                let is_at_work = phase % 24 < 13;
                *used += if is_at_work { 40_000 + phase * 7919 % 60_000 } else { 600 };
                bed.uses(number, *used, if is_at_work { 900 + phase * 104_729 % 2300 } else { 180 });
            }
            sleep(MINUTE).await;
        }
        tokio::time::resume();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        println!("\nhttp://{}/", listener.local_addr().unwrap());
        let links = Links { option: "", reports: Some("http://127.0.0.1:8089/".to_owned()) };
        let site = health_site(watching.0.clone(), links);
        let server = Server { site, tls: None, idle_exit: None, threads: 1 };
        server.run(listener, obey(&bed)).await.unwrap();
    })
    .await;
}

fn waiting() -> Queue {
    let run = |workflow: &str, title: &str, number: u32, minutes: i64| WaitingRun {
        workflow: workflow.to_owned(),
        title: title.to_owned(),
        since: Some(Timestamp::now() - SignedDuration::from_mins(minutes)),
        url: Some(format!("https://github.com/acme/shop/actions/runs/{number}")),
    };
    let runs = vec![
        run("ci", "Sell <b>shoes</b> & socks, in all the sizes there are and some that there are not", 43, 2),
        run("nightly", "", 41, 63),
    ];
    Queue::Waiting { total: 5, runs }
}

/// Does what standard input says until that ends.
async fn obey(bed: &Bed) {
    let (tell, mut told) = tokio::sync::mpsc::channel(16);
    std::thread::spawn(move || {
        let lines = BufReader::new(std::io::stdin()).lines();
        lines.map_while(Result::ok).try_for_each(|line| tell.blocking_send(line).ok())
    });
    while let Some(line) = told.recv().await {
        let (word, number) = line.split_once(' ').unwrap();
        let number = number.parse().unwrap();
        match word {
            "busy" => bed.begin_workflow_job(number, "build"),
            "idle" => bed.end_workflow_job(number),
            "fail" => {
                let failed = |unit: &mut crate::fake_systemd::Properties| {
                    "failed".clone_into(&mut unit.active_state);
                    (unit.exec_main_code, unit.exec_main_status) = (1, 64);
                };
                bed.fake().change(&Bed::unit(number), failed).await;
            }
            _ => panic!("{line}"),
        }
        println!("done: {line}");
    }
}
