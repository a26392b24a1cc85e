//! A fleet in the guest: installed once for each way to run it, and shared by the scenarios of that way.

use std::sync::Mutex;
use std::time::Duration;

use homelab_runners_vm::product::{Product, REPOSITORY};
use homelab_runners_vm::{Engine, Guest, Output, Result, poll};
use serde_json::{Value, json};

/// Starting four runners takes half a minute under emulation on a quiet host.
pub(crate) const START_LIMIT: Duration = Duration::from_secs(400);

/// For a workflow job to be taken, run and reported.
pub(crate) const WORKFLOW_LIMIT: Duration = Duration::from_secs(240);

/// The names of the specification.
pub(crate) const NAMES: [&str; 4] =
    ["homelab-runner-1", "homelab-runner-2", "homelab-runner-3", "homelab-runner-4"];

/// How the fleet is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Quadlet,
    PodmanService,
    Docker,
}

impl Way {
    pub(crate) fn engine(self) -> &'static str {
        if self == Self::Docker { "docker" } else { "podman" }
    }

    fn settings(self) -> &'static str {
        match self {
            Self::Quadlet => "unit_format = \"quadlet\"",
            Self::PodmanService => "unit_format = \"service\"",
            Self::Docker => {
                "engine = \"docker\"\nextra_hosts = [\"github.localhost:10.213.0.1\", \"api.github.localhost:10.213.0.1\"]"
            }
        }
    }

    /// Plain Podman services ask GitHub for their tokens; the others have them written down.
    fn tables(self) -> &'static str {
        if self == Self::PodmanService { "[github]\ncredential = \"pat\"\n" } else { "" }
    }
}

/// Written by [`Fleet::prepare`] for the ways whose host has one.
pub(crate) const CREDENTIAL: &str = "/etc/homelab-runners/github-credential";

/// What is installed now; a scenario that finds another way installed changes it.
static INSTALLED: Mutex<Option<Way>> = Mutex::new(None);

/// The limits are small, so that reaching them is quick; the stand-in waits a tenth of what the runner would. A health check costs a
/// second and more of an emulated processor: one every five seconds for each of four runners took 1.4 of two processors all
/// the time, one every twenty 0.35.
const LIMITS: &str = "[limits]
cpu_quota = \"150%\"
memory_max = \"300M\"
tasks_max = 512
[environment]
STANDIN_TIMESCALE = \"10\"
[health]
interval = \"20s\"
timeout = \"20s\"
retries = 2
start_period = \"90s\"
";

/// The fleet, as scenarios use it.
pub(crate) struct Fleet<'a> {
    pub(crate) guest: &'a Guest,
    pub(crate) way: Way,
}

impl<'a> Fleet<'a> {
    /// Four runners run this way, all online.
    pub(crate) fn running(guest: &'a Guest, way: Way) -> Result<Self> {
        let fleet = Self { guest, way };
        let mut installed = INSTALLED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if *installed != Some(way) {
            fleet.prepare(*installed)?;
            *installed = None;
            fleet.write_tokens(&fleet.tokens(4)?)?;
            fleet.configure("")?;
            guest.ok_within("runnerctl install-units 2>&1", START_LIMIT)?;
            fleet.share_images()?;
            *installed = Some(way);
        }
        drop(installed);
        fleet.wait_online(&NAMES)?;
        Ok(fleet)
    }

    /// No fleet is installed: whoever asks brings one of their own, and takes it away again.
    pub(crate) fn none(guest: &'a Guest, way: Way) -> Result<Self> {
        let fleet = Self { guest, way };
        let mut installed = INSTALLED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        fleet.prepare(installed.take())?;
        drop(installed);
        Ok(fleet)
    }

    /// The engine has the image, and nothing of another fleet is left.
    fn prepare(&self, installed: Option<Way>) -> Result<()> {
        if let Some(way) = installed {
            self.guest.ok_within("runnerctl uninstall-units --force 2>&1", START_LIMIT)?;
            let left = self.guest.simulator().names()?;
            assert!(way != Way::PodmanService || left.is_empty(), "left behind at GitHub: {left:?}");
            for name in left {
                self.guest.simulator().delete(&format!("/runners/{name}"))?;
            }
        } else {
            Product::built()?.install(self.guest)?;
        }
        self.guest
            .ok("rm -rf /var/lib/homelab-runners /run/homelab-runners; mkdir -p /etc/homelab-runners")?;
        if self.way == Way::PodmanService {
            let token = self.guest.simulator().personal_access_token(&["repo"])?;
            self.guest.write(CREDENTIAL, &format!("{token}\n"))?;
            self.guest.ok(&format!("chmod 600 {CREDENTIAL}"))?;
        }
        if self.way == Way::Docker {
            self.guest.ok("systemctl start docker.service")?;
            Product::built()?.add_image(self.guest, Engine::Docker)?;
        }
        Ok(())
    }

    /// What private engines find without a registry.
    pub(crate) fn share_images(&self) -> Result<()> {
        if self.way != Way::Docker {
            self.guest.ok_within(
                "podman save -q localhost/busybox:latest | podman --root /var/lib/homelab-runners/images load -q",
                START_LIMIT,
            )?;
        }
        Ok(())
    }

    /// Writes the config with `more` at its end, which may begin with keys of the first table.
    pub(crate) fn configure(&self, more: &str) -> Result<()> {
        let (keys, tables) = more.split_once("\n\n").unwrap_or((more, ""));
        // Others than the way's own, such as an App's.
        let has_credential = tables.starts_with("credential = ");
        let table = if has_credential { "[github]\n" } else { self.way.tables() };
        let text = format!(
            "url = \"{REPOSITORY}\"\nlabels = [\"homelab\"]\n{}\n{keys}\n{LIMITS}\n{}\n{tables}\n",
            self.way.settings(),
            table
        );
        self.guest.write("/etc/homelab-runners/config.toml", &text)
    }

    /// So many fresh registration tokens.
    pub(crate) fn tokens(&self, count: usize) -> Result<Vec<String>> {
        (0..count).map(|_| self.guest.simulator().registration_token(REPOSITORY)).collect()
    }

    /// Writes the `.env`, as its owner would.
    pub(crate) fn write_tokens(&self, tokens: &[String]) -> Result<()> {
        let lines: Vec<String> =
            (1..).zip(tokens).map(|(number, token)| format!("RUNNER_TOKEN_{number}={token}\n")).collect();
        self.guest.write("/etc/homelab-runners/.env", &lines.concat())?;
        self.guest.ok("chmod 600 /etc/homelab-runners/.env").map(drop)
    }

    /// Waits until exactly these runners are online at GitHub.
    pub(crate) fn wait_online(&self, names: &[&str]) -> Result<()> {
        poll(&format!("online: {}", names.join(" ")), START_LIMIT, || {
            let mut online = self.guest.simulator().online()?;
            online.sort();
            Ok(if online == names { Ok(()) } else { Err(format!("online: {}", online.join(" "))) })
        })
    }

    /// runnerctl with these arguments; messages are part of its output.
    pub(crate) fn runnerctl(&self, arguments: &str) -> Result<Output> {
        self.guest.run_within(&format!("runnerctl {arguments} 2>&1"), START_LIMIT)
    }

    /// One property of a runner's unit.
    pub(crate) fn property(&self, number: u16, property: &str) -> Result<String> {
        self.guest.ok(&format!("systemctl show --value -p {property} homelab-runner@{number}.service"))
    }

    /// Waits until systemd has started a runner anew, and all four are online.
    pub(crate) fn wait_started_again(&self, number: u16, old_invocation: &str) -> Result<()> {
        let unit = format!("homelab-runner@{number}.service");
        self.guest.wait_until(
            &format!("systemd started runner {number} again"),
            START_LIMIT,
            &format!("systemctl is-active -q {unit} && [ $(systemctl show --value -p InvocationID {unit}) != {old_invocation} ]"),
        )?;
        self.wait_online(&NAMES)
    }

    /// Queues a workflow job of one step.
    pub(crate) fn queue(&self, name: &str, script: &str) -> Result<u64> {
        self.queue_for(name, &["self-hosted", "homelab"], script)
    }

    /// Queues a workflow job for runners with these labels.
    pub(crate) fn queue_for(&self, name: &str, labels: &[&str], script: &str) -> Result<u64> {
        let body = json!({
            "url": REPOSITORY, "workflow": "ci", "name": name, "labels": labels,
            "steps": [{ "name": "only", "run": script }],
        });
        let answer = self.guest.simulator().post("/workflow-jobs", &body)?;
        Ok(answer.get("id").and_then(Value::as_u64).unwrap_or_default())
    }

    /// A workflow job as GitHub sees it now.
    pub(crate) fn workflow_job(&self, id: u64) -> Result<WorkflowJob> {
        Ok(WorkflowJob(self.guest.simulator().get(&format!("/workflow-jobs/{id}"))?))
    }

    /// Waits until a workflow job has this status.
    pub(crate) fn wait_for(&self, id: u64, status: &str) -> Result<WorkflowJob> {
        poll(&format!("workflow job {id} is {status}"), WORKFLOW_LIMIT, || {
            let job = self.workflow_job(id)?;
            Ok(if job.text("status") == status { Ok(job) } else { Err(job.0.to_string()) })
        })
    }

    /// Runs a workflow job that has to succeed, and returns its log.
    pub(crate) fn succeed(&self, name: &str, script: &str) -> Result<WorkflowJob> {
        let job = self.wait_for(self.queue(name, script)?, "completed")?;
        assert_eq!(job.text("conclusion"), "success", "{}", job.text("log"));
        Ok(job)
    }
}

/// A workflow job, as the simulator's admin API tells it.
#[derive(Debug)]
pub(crate) struct WorkflowJob(Value);

impl WorkflowJob {
    /// A field of text; empty where there is none.
    pub(crate) fn text(&self, field: &str) -> &str {
        self.0.get(field).and_then(Value::as_str).unwrap_or_default()
    }

    /// The run it belongs to.
    pub(crate) fn run_id(&self) -> u64 {
        self.0.get("run_id").and_then(Value::as_u64).unwrap_or_default()
    }
}
