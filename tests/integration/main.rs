//! Integration tests.
//!
//! | module | what it is about |
//! |---|---|
//! | `architecture` | which part of `src` may use what |
//! | `command_line` | `runnerctl` as people call it: output, exit codes, files below `--root` |
//! | `drain` | ending runners when no workflow job runs on them |
//! | `ephemeral` | the steps of an ephemeral runner's unit |
//! | `github_client` | GitHub's REST API, and everything that can go wrong on the way there |
//! | `golden` | what `generate` writes, byte for byte |
//! | `hostile_names` | a million names and texts, as workflows could choose them |
//! | `job_hooks` | the job hooks: reports that file themselves, the workspace |
//! | `monitor` | the monitor: faults, restarts, lost witnesses; its pages as a process |
//! | `note_image` | what `unit-step await-online` notes of a container for the monitor |
//! | `notify` | messages of the monitor: to real commands, and to real servers that answer, hang, break off and lead elsewhere |
//! | `power_cut` | `install-units` cut off at every step, and run again |
//! | `prepare` | `unit-step prepare` in a user's own fleet, where a workflow has closed a directory |
//! | `readers` | Debian 13's Quadlet, systemd, Docker Compose and Prometheus read what is written |
//! | `registrations` | what this host has registered, and how it ends at GitHub |
//! | `report_server` | `reports serve` over raw HTTP: what is answered, and what never is |
//! | `runner_contract` | the scripts that run inside the containers |
//! | `systemd_edge` | systemd over D-Bus |
//! | `tokens_file` | a new token in the `.env` |
//! | `update` | a new image that goes round, and back |
//! | `values` | no accepted value of the config changes the meaning of a unit file |
//! | `when_idle` | `install-units` around running workflow jobs |

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what is missing fails the test"
)]

mod architecture;
mod command_line;
mod core_dumps;
mod drain;
mod ephemeral;
mod fake_systemd;
mod github_client;
mod golden;
mod hostile_names;
mod job_hooks;
mod monitor;
mod note_image;
mod notify;
mod power_cut;
mod prepare;
mod readers;
mod registrations;
mod report_server;

mod runner_contract;
mod systemd_edge;
mod tokens_file;
mod update;
mod values;
mod web_process;
mod when_idle;
mod worker;
