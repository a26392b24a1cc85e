//! The programs that will read our files read them here: those of Debian 13, unpacked by `debian13.sh` and run from there.
//!
//! Nothing of this host is asked or changed: the programs bring their own libraries, and see the units of a directory alone.

mod compose;
mod debian13;
mod prometheus;
mod quadlet;
mod systemd_analyze;
pub(crate) mod words;

use std::collections::BTreeMap;
use std::fs;

use homelab_runners::config::{Config, UnitFormat};
use homelab_runners::fleet::{Fleet, Layout};

use crate::golden::Case;

/// What the jobs of each runner shall see, straight from the config.
fn environments(case: &Case) -> BTreeMap<u16, BTreeMap<String, String>> {
    let config = Config::parse(&fs::read_to_string(case.config_file()).unwrap()).unwrap();
    let fleet = Fleet::new(&config, &Layout::system(), &UnitFormat::Service.into());
    let environment = |number: u16| {
        let runner = fleet.runner(number).unwrap();
        let labels: Vec<String> = runner.labels.iter().map(ToString::to_string).collect();
        let mut environment = config.environment.clone();
        if let Some(own) = config.overrides.get(&number) {
            environment.extend(own.environment.clone());
        }
        environment.insert("RUNNERCTL_LABELS".to_owned(), labels.join(","));
        environment.insert("RUNNERCTL_GROUP".to_owned(), config.runner_group.clone().unwrap_or_default());
        environment
    };
    (1..=config.count).map(|number| (number, environment(number))).collect()
}

/// `found` holds every variable of runner `number`, with its value.
#[track_caller]
fn assert_environment(case: &Case, number: u16, found: &BTreeMap<String, String>) {
    for (name, value) in &environments(case)[&number] {
        assert_eq!(found.get(name), Some(value), "{name} of runner {number} of {}", case.name);
    }
}
