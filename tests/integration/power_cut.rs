//! The power goes at every step of `install-units` and `uninstall-units`; what runs goes on running, and the next run makes all good.
//!
//! A step is cut twice: before it is taken, with half a temporary file on the disk where it would write one, and, where systemd is
//! asked for something, as soon as systemd has heard of it. The files are real, below a temporary root; systemd is the fake one, which
//! reads these files at a reload and notes with which text a runner was started, as `unit-step prepare` does.

pub(crate) mod bed;

use std::collections::BTreeSet;

use homelab_runners::fleet::plan::Step;

use bed::{Bed, Cut, Wish};

/// From one config to the next; `None`: no fleet.
struct Change {
    from: Option<&'static str>,
    to: Option<&'static str>,
    /// The runners that it is about; no other may be stopped or restarted.
    touched: &'static [u16],
}

/// Cuts `change` at every step.
async fn cut_everywhere(change: Change) {
    let mut cuts = 0;
    for step in 0.. {
        for cut in [Cut::Before(step), Cut::During(step)] {
            let bed = Bed::new().await;
            let old = Wish::from(change.from);
            if change.from.is_some() {
                bed.complete(&old).await;
            }
            let new = Wish::from(change.to);
            let heard = bed.fake.journal().len();
            let plan = bed.plan(&new).await;
            if step == plan.steps.len() {
                assert!(cuts > step, "{cuts} cuts of {step} steps");
                return;
            }
            if cut == Cut::During(step) && matches!(plan.steps[step], Step::Write(_) | Step::Remove(_)) {
                continue;
            }
            cuts += 1;
            bed.execute_until(&plan, cut).await;
            let told = format!("{cut:?}, {:?}", words(&plan.steps[step]));

            bed.assert_files_are_whole(&[&old, &new], &told);
            bed.complete(&new).await;

            bed.assert_is(&new, &told).await;
            assert!(bed.plan(&new).await.is_empty(), "{told}: there is still something to do");
            bed.assert_only_touched(change.touched, heard, &told);
        }
    }
}

fn words(step: &Step) -> String {
    match step {
        Step::Write(file) => format!("write {}", file.name()),
        other => format!("{other:?}"),
    }
}

const ONE: &str = "count = 1";
const TWO: &str = "count = 2";
const THREE: &str = "count = 3";

#[tokio::test(start_paused = true)]
async fn a_first_installation() {
    cut_everywhere(Change { from: None, to: Some(TWO), touched: &[1, 2] }).await;
}

#[tokio::test(start_paused = true)]
async fn an_edit_of_one_runner() {
    let to = Some("count = 3\n[runners.2]\nlabels = [\"x\"]");
    cut_everywhere(Change { from: Some(THREE), to, touched: &[2] }).await;
}

#[tokio::test(start_paused = true)]
async fn a_lower_count() {
    cut_everywhere(Change { from: Some(THREE), to: Some(ONE), touched: &[2, 3] }).await;
}

#[tokio::test(start_paused = true)]
async fn a_higher_count() {
    cut_everywhere(Change { from: Some(ONE), to: Some(THREE), touched: &[2, 3] }).await;
}

#[tokio::test(start_paused = true)]
async fn from_quadlet_to_plain_services_and_back() {
    let service = "count = 2\nunit_format = \"service\"";
    cut_everywhere(Change { from: Some(TWO), to: Some(service), touched: &[1, 2] }).await;
    cut_everywhere(Change { from: Some(service), to: Some(TWO), touched: &[1, 2] }).await;
}

#[tokio::test(start_paused = true)]
async fn a_report_server_that_moves_and_one_that_goes() {
    let moved = "count = 1\n[reports]\nlisten = \"127.0.0.1:9000\"";
    let gone = "count = 1\n[reports]\nserve = false";
    cut_everywhere(Change { from: Some(ONE), to: Some(moved), touched: &[] }).await;
    cut_everywhere(Change { from: Some(moved), to: Some(gone), touched: &[] }).await;
}

#[tokio::test(start_paused = true)]
async fn uninstalling() {
    cut_everywhere(Change { from: Some(TWO), to: None, touched: &[1, 2] }).await;
}

#[tokio::test(start_paused = true)]
async fn a_file_is_replaced_and_never_written_into() {
    let bed = Bed::new().await;
    bed.complete(&Wish::from(Some(ONE))).await;
    let path = "etc/containers/systemd/homelab-runner@1.container";
    let old = bed.link_to(path);
    let before = std::fs::read_to_string(&old).unwrap();

    bed.complete(&Wish::from(Some("count = 1\nlabels = [\"x\"]"))).await;

    // Whoever held the old file while it was replaced has all of it.
    assert_eq!(std::fs::read_to_string(old).unwrap(), before);
}

#[tokio::test(start_paused = true)]
async fn after_the_last_step_a_cut_costs_the_next_run_a_reload_and_the_restart_of_what_serves() {
    let bed = Bed::new().await;
    let wish = Wish::from(Some(TWO));
    bed.complete(&wish).await;
    bed.leave_mark();
    let heard = bed.fake.journal().len();
    bed.complete(&wish).await;
    assert_eq!(
        bed.fake.journal()[heard..],
        [
            "Reload",
            "RestartUnit homelab-reports.socket replace",
            "RestartUnit homelab-runners-monitor.service replace",
            "RestartUnit homelab-runners-monitor.socket replace",
            "RestartUnit homelab-runners-heal.socket replace"
        ]
    );
    assert!(bed.plan(&wish).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_unit_that_cannot_be_started_keeps_no_other_from_starting() {
    let bed = Bed::new().await;
    let wish = Wish::from(Some(THREE));
    bed.fake.unit("homelab-runner@2.service", crate::fake_systemd::Script::FAILED);
    bed.complete(&wish).await;
    let active: BTreeSet<u16> = (1..=3).filter(|number| bed.is_active(*number)).collect();
    assert_eq!(active, BTreeSet::from([1, 3]));
}
