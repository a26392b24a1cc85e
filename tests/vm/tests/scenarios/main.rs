//! Whole-system tests: one boot of the guest for all trials, which run one after the other in the order of this list.
//!
//! Scenarios of the specification bear its names. `cargo test -p homelab-runners-vm --test scenarios -- NAME` runs those whose name
//! contains NAME.

mod app;
mod bed;
mod credential;
mod deployment;
mod engine;
mod ephemeral;
mod fleet;
mod harness;
mod health;
mod installing;
mod isolation;
mod limits;
mod monitor;
mod monitor_faults;
mod monitor_github;
mod nixos;
mod prune;
mod queue;
mod register;
mod reports;
mod retention;
mod secrets;
mod shutdown;
mod update;
mod user;
mod walls;
mod watched;
mod ways;

use std::process::ExitCode;

use bed::{Bed, Scenario};

/// `make vm-all`, not `make test`: what takes a minute or more of an emulated processor, and neither is a scenario of the specification nor all
/// that shows a way to run runners.
const LONG: &[&str] = &[
    "a_bus_that_is_restarted_is_found_again_and_no_runner_with_it",
    "a_credential_encrypted_for_this_host_registers_a_runner_again",
    "a_github_that_calls_everybody_offline_gets_one_idle_runner_restarted",
    "a_listener_that_hangs_is_restarted_within_three_quarters_of_a_minute",
    "a_listener_that_hangs_while_a_workflow_job_runs_is_left_alone",
    "a_monitor_that_is_killed_or_stopped_in_its_tracks_comes_back",
    "a_personal_access_token_is_not_exposed",
    "a_power_cut_in_the_middle_of_install_units_is_repaired",
    "a_reboot_waits_for_workflow_jobs_and_lets_no_other_begin",
    "a_reboot_waits_for_workflow_jobs_in_dockers_containers",
    "a_runner_that_github_removed_while_it_was_stopped_registers_again",
    "a_runner_that_needs_a_new_token_is_given_one",
    "a_runner_that_restarts_do_not_help_is_given_up_loudly",
    "a_silent_zombie_is_restarted_within_three_questions_to_github",
    "a_users_own_systemd_runs_a_rootless_runner",
    "a_whole_fleet_restarts_under_two_hundred_workflow_jobs_and_none_is_lost",
    "accounts_go_with_the_fleet_and_keep_their_ids",
    "act_runs_a_workflow_file_on_the_private_engine",
    "an_app_registers_runners_and_gc_removes_what_the_fleet_has_no_more",
    "an_apps_key_and_tokens_are_not_exposed",
    "an_edit_restarts_only_the_runner_it_touches_and_no_busy_one",
    "an_engine_that_hangs_gets_nobody_restarted",
    "an_outage_of_github_is_waited_out_with_and_without_an_identity",
    "an_update_rolls_one_runner_first_and_goes_back_when_it_fails",
    "below_the_floor_of_free_disk_an_idle_runner_ends_and_says_so",
    "docker_runners_have_private_engines_beside_docker",
    "down_and_up_of_the_whole_fleet",
    "each_workflow_job_of_an_ephemeral_runner_has_a_container_and_a_registration_of_its_own",
    "fewer_runners_and_more_again",
    "four_listeners_that_hang_at_once_are_restarted_one_after_another",
    "harness_reboot_comes_back",
    "harness_runner_image_on_docker",
    "reports_can_be_read_while_the_runners_are_down",
    "ten_minutes_without_a_way_to_github_get_nobody_restarted",
    "the_engine_starts_on_first_use_and_ends_with_the_runner",
    "the_hosts_socket_is_used_when_the_config_says_so",
    "the_monitor_moves_goes_and_comes_with_the_config",
    "the_report_server_moves_goes_and_comes_with_the_config",
    "the_units_of_the_nixos_module_run_four_runners_and_switch_around_workflow_jobs",
    "uninstall_leaves_nothing_but_state",
];

fn main() -> ExitCode {
    let scenarios: Vec<Scenario> = [
        harness::SCENARIOS,
        deployment::SCENARIOS,
        secrets::OF_TOKENS,
        isolation::SCENARIOS,
        engine::SCENARIOS,
        walls::SCENARIOS,
        limits::SCENARIOS,
        health::SCENARIOS,
        monitor::SCENARIOS,
        monitor_faults::SCENARIOS,
        queue::SCENARIOS,
        prune::SCENARIOS,
        update::SCENARIOS,
        reports::SCENARIOS,
        retention::SCENARIOS,
        installing::SCENARIOS,
        register::SCENARIOS,
        shutdown::QUADLET,
        engine::REMOVING,
        user::SCENARIOS,
        ways::PODMAN,
        credential::SCENARIOS,
        monitor_github::SCENARIOS,
        secrets::OF_CREDENTIALS,
        app::SCENARIOS,
        ephemeral::SCENARIOS,
        shutdown::DOCKER,
        ways::DOCKER,
        nixos::SCENARIOS,
    ]
    .concat();
    Bed::run(scenarios, LONG)
}
