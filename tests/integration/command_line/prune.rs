//! `prune --root`: what goes from the work folders below a directory, and what an engine is asked.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use homelab_runners::files::Lock;

use super::{Below, Called, runnerctl};

const CONFIG: &str = "url = \"https://github.com/acme/shop\"\ncount = 2\n";
const STATE: &str = "var/lib/homelab-runners";
/// What the disk of the test has never less than.
const NO_FLOOR: &str = "free_disk_min = \"none\"\n";

fn with(prune: &str) -> Below {
    Below::with_config(&format!("{CONFIG}[prune]\n{NO_FLOOR}{prune}"))
}

/// Two mebibytes in a file that was last used so many hours ago.
fn put(below: &Below, path: &str, hours: u64) {
    let path = format!("{STATE}/{path}");
    below.write(&path, &"x".repeat(2 << 20));
    let then = SystemTime::now() - Duration::from_secs(3600 * hours);
    let times = fs::FileTimes::new().set_accessed(then).set_modified(then);
    let is_below_the_runners =
        |path: &&Path| path.components().count() > Path::new(STATE).components().count() + 2;
    for path in Path::new(&path).ancestors().take_while(is_below_the_runners) {
        fs::File::open(below.at(path.to_str().unwrap())).unwrap().set_times(times).unwrap();
    }
}

fn has(below: &Below, path: &str) -> bool {
    below.at(&format!("{STATE}/{path}")).exists()
}

fn json(called: &Called) -> serde_json::Value {
    serde_json::from_str(&called.stdout).unwrap()
}

#[test]
fn within_its_budgets_nothing_goes() {
    let below = with("");
    put(&below, "1/work/shop/shop/a", 1);
    let called =
        below.run("prune").ends(0).says(&["nothing to delete: every idle runner is within its budgets"]);
    assert_eq!(called.stdout, "");
    assert!(has(&below, "1/work/shop/shop/a"));
}

#[test]
fn a_fleet_that_never_ran_has_nothing_to_prune() {
    with("").run("prune").ends(0);
}

#[test]
fn what_was_used_longest_ago_goes_and_the_runners_own_book_stays() {
    let below = with("work_max = \"3M\"\ntool_cache_max = \"3M\"\n");
    put(&below, "1/work/old/old/a", 50);
    put(&below, "1/work/new/new/a", 1);
    put(&below, "1/work/_tool/node/18.0.0/x64/a", 40);
    put(&below, "1/work/_tool/node/20.0.0/x64/a", 2);
    put(&below, "1/work/_temp/a", 0);
    put(&below, "1/work/_PipelineMapping/acme/shop/PipelineFolder.json", 90);
    put(&below, "1/identity/.runner", 90);
    put(&below, "2/work/shop/shop/a", 90);

    let dry = below.run("prune --dry-run").ends(0);
    assert!(has(&below, "1/work/old") && has(&below, "1/work/_temp"));
    let called = below.run("prune").ends(0).says(&["freed up to 6M"]);

    assert_eq!(called.stdout.replace("deleted", "would go"), dry.stdout);
    let expected = "deleted: \"/var/lib/homelab-runners/1/work/old\" of runner 1, 2M (work_max)\n";
    assert!(called.stdout.contains(expected), "{}", called.stdout);
    for gone in ["1/work/old", "1/work/_temp", "1/work/_tool/node/18.0.0"] {
        assert!(!has(&below, gone), "{gone}");
    }
    for kept in [
        "1/work/new/new/a",
        "1/work/_tool/node/20.0.0/x64/a",
        "1/work/_PipelineMapping/acme/shop/PipelineFolder.json",
        "1/identity/.runner",
        "2/work/shop/shop/a",
    ] {
        assert!(has(&below, kept), "{kept}");
    }
    assert_eq!(fs::read_dir(below.at(&format!("{STATE}/1/trash"))).unwrap().count(), 0);
    below.run("prune").ends(0).says(&["nothing to delete"]);
}

#[test]
fn only_the_runners_that_are_named_are_pruned() {
    let below = with("work_max = \"0\"\n");
    put(&below, "1/work/shop/a", 1);
    put(&below, "2/work/shop/a", 1);
    below.run("prune 2").ends(0);
    assert!(has(&below, "1/work/shop") && !has(&below, "2/work/shop"));
    below.run("prune 3").ends(2).says(&["there is no runner 3"]);
}

#[test]
fn links_and_hostile_names_lead_nowhere() {
    let below = with("work_max = \"0\"\ntool_cache_max = \"0\"\n");
    put(&below, "1/identity/.runner", 1);
    put(&below, "2/work/shop/a", 1);
    fs::create_dir_all(below.at(&format!("{STATE}/1/work/_tool"))).unwrap();
    let at = |path: &str| below.at(&format!("{STATE}/1/work/{path}"));
    symlink(below.at(&format!("{STATE}/1/identity")), at("identity")).unwrap();
    symlink(below.at(&format!("{STATE}/2/work")), at("_tool/work")).unwrap();
    fs::write(at("a\u{1b}[31m\nb"), "x".repeat(4096)).unwrap();
    let called = below.run("prune 1").ends(0);
    assert!(
        !called.stdout.contains('\u{1b}') && called.stdout.contains("a\\u{1b}[31m\\nb"),
        "{}",
        called.stdout
    );
    assert!(has(&below, "1/identity/.runner") && has(&below, "2/work/shop/a"));
}

#[test]
fn what_a_run_that_was_cut_off_moved_aside_is_deleted() {
    let below = with("");
    put(&below, "1/trash/77-0/deep/er/a", 1);
    below.run("prune --dry-run").ends(0);
    assert!(has(&below, "1/trash/77-0"));
    below.run("prune").ends(0);
    assert!(!has(&below, "1/trash/77-0"));
}

#[test]
fn below_the_floor_idle_runners_give_what_they_have_and_the_rest_is_told() {
    let below = Below::with_config(&format!("{CONFIG}[prune]\nfree_disk_min = \"8000000T\"\n"));
    put(&below, "1/work/shop/a", 1);
    let dry = below.run("prune --dry-run --json").ends(0);
    assert_eq!(json(&dry)["removed"][0]["reason"], "free_disk_min");
    below.run("prune").ends(0).says(&["lack to free_disk_min: idle runners take no workflow job"]);
    assert!(!has(&below, "1/work/shop"));
}

#[test]
fn the_json_says_what_went_and_why() {
    let below = with("work_max = \"0\"\n");
    put(&below, "1/work/shop/a", 1);
    let report = json(&below.run("prune --json").ends(0));
    assert_eq!(report["dry_run"], false);
    let removed = &report["removed"][0];
    assert_eq!((&removed["runner"], &removed["kind"]), (&1.into(), &"work".into()));
    assert_eq!((&removed["reason"], &removed["bytes"]), (&"work_max".into(), &report["freed_bytes"]));
    assert!(report["freed_bytes"].as_u64().unwrap() >= 2 << 20);
    assert_eq!((&report["shortage_bytes"], &report["problems"]), (&0.into(), &serde_json::json!([])));
}

#[test]
fn a_work_folder_that_cannot_be_opened_is_told_and_the_others_are_pruned() {
    let below = with("work_max = \"0\"\n");
    fs::create_dir_all(below.at(&format!("{STATE}/1"))).unwrap();
    symlink("/", below.at(&format!("{STATE}/1/work"))).unwrap();
    put(&below, "2/work/shop/a", 1);
    below.run("prune").ends(1).says(&["cannot open", "1/work"]);
    assert!(!has(&below, "2/work/shop"));
}

#[test]
fn two_at_once_are_told_apart() {
    let below = with("");
    let _held = Lock::take(&below.at(&format!("{STATE}/prune-lock"))).unwrap().unwrap();
    below.run("prune").ends(2).says(&["another runnerctl prune is at work"]);
    below.run("prune --dry-run").ends(0);
}

/// A podman that notes what it is asked, and lists two images that no container uses and one that is in use.
fn podman(below: &Below) -> PathBuf {
    let image = |id: char, name: &str, created: u32, containers: u32| {
        let id = id.to_string().repeat(64);
        format!(
            "{{\"Id\":\"{id}\",\"Names\":[\"{name}\"],\"Size\":3145728,\"Created\":{created},\"Containers\":{containers}}}"
        )
    };
    let images = [
        image('a', "docker.io/library/node:22", 200, 0),
        image('b', "docker.io/library/node:20", 100, 0),
        image('c', "docker.io/library/postgres:17", 50, 1),
    ];
    let text = format!(
        "#!/bin/bash\nprintf '%s\\n' \"$*\" >>'{}'\n[[ $3 != images ]] || printf '%s' '[{}]'\n",
        below.at("asked").display(),
        images.join(",")
    );
    let path = below.at("podman");
    executable(&path, &text);
    path
}

fn prune_with(below: &Below, podman: &Path) -> Called {
    let mut command = runnerctl();
    command.arg("--root").arg(below.path()).arg("--engine-program").arg(podman).arg("prune");
    Called::from(command.assert())
}

fn asked(below: &Below) -> Vec<String> {
    let text = fs::read_to_string(below.at("asked")).unwrap_or_default();
    let socket = below.at("run/homelab-runners/1/engine/docker.sock");
    text.lines().map(|line| line.replace(&format!("--url unix://{}", socket.display()), "URL")).collect()
}

#[test]
fn an_engine_over_its_budget_gives_its_oldest_unused_images() {
    let below = with("images_max = \"6M\"\n");
    let podman = podman(&below);
    for layer in 0..4 {
        put(&below, &format!("1/engine/overlay/{layer}"), 1);
    }
    below.write("run/homelab-runners/1/engine/docker.sock", "");
    let called = prune_with(&below, &podman).ends(0);
    assert_eq!(called.stdout, "deleted: image docker.io/library/node:20 of runner 1, 3M (images_max)\n");
    assert_eq!(asked(&below), ["URL images --format json", "URL image rm -- docker.io/library/node:20"]);
}

#[test]
fn an_engine_within_its_budget_is_not_woken_up() {
    let below = with("images_max = \"9M\"\n");
    let podman = podman(&below);
    for layer in 0..4 {
        put(&below, &format!("1/engine/overlay/{layer}"), 1);
    }
    below.write("run/homelab-runners/1/engine/docker.sock", "");
    prune_with(&below, &podman).ends(0);
    assert!(asked(&below).is_empty(), "{:?}", asked(&below));
}

#[test]
fn an_engine_that_fails_is_told_and_keeps_nothing_else_from_going() {
    let below = with("images_max = \"1M\"\nwork_max = \"0\"\n");
    put(&below, "1/engine/overlay/0", 1);
    put(&below, "1/work/shop/a", 1);
    below.write("run/homelab-runners/1/engine/docker.sock", "");
    prune_with(&below, &below.at("no-podman")).ends(1).says(&["runner 1: cannot run"]);
    assert!(!has(&below, "1/work/shop"));
}

/// The control group of runner 1.
const PROCESSES: &str = "cgroup/homelab.slice/homelab-runners.slice/homelab-runners-1.slice/cgroup.procs";

/// A process called `Runner.Worker` in the control group of runner 1, as long as it lives.
struct Worker(std::process::Child);

impl Worker {
    fn on_runner_1(below: &Below) -> Self {
        let program = below.at("Runner.Worker");
        symlink("/bin/sleep", &program).unwrap();
        let child = std::process::Command::new(&program).arg("1000").spawn().unwrap();
        below.write(PROCESSES, &format!("{}\n", child.id()));
        let worker = Self(child);
        worker.wait_for_name();
        worker
    }

    /// A spawned process goes on before its child has its new name: the kernel ends vfork(2) in the middle of execve(2).
    fn wait_for_name(&self) {
        let limit = Instant::now() + Duration::from_secs(20);
        let name = format!("/proc/{}/comm", self.0.id());
        while fs::read_to_string(&name).unwrap() != "Runner.Worker\n" {
            assert!(Instant::now() < limit, "{name}");
            std::thread::yield_now();
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn a_busy_runner_keeps_everything_whatever_lacks() {
    let below =
        Below::with_config(&format!("{CONFIG}[prune]\nwork_max = \"0\"\nfree_disk_min = \"8000000T\"\n"));
    put(&below, "1/work/shop/a", 1);
    put(&below, "2/work/shop/a", 1);
    let prune = format!("prune --control-groups {}", below.at("cgroup").display());
    let worker = Worker::on_runner_1(&below);
    below.run(&prune).ends(0).says(&["runner 1 runs a workflow job: it is left alone"]);
    assert!(has(&below, "1/work/shop/a") && !has(&below, "2/work/shop"));
    drop(worker);
    below.run(&prune).ends(0);
    assert!(!has(&below, "1/work/shop"));
}

/// The engine's answer is the last thing before the plan is carried out: here a workflow job begins with it.
#[test]
fn a_workflow_job_that_begins_after_the_plan_was_made_loses_nothing() {
    let below = with("images_max = \"1M\"\nwork_max = \"0\"\n");
    put(&below, "1/engine/overlay/0", 1);
    put(&below, "1/work/shop/a", 1);
    below.write("run/homelab-runners/1/engine/docker.sock", "");
    let worker = Worker::on_runner_1(&below);
    below.write(PROCESSES, "");
    let podman = below.at("podman");
    let begins =
        format!("#!/bin/bash\necho {} >'{}'\necho '[]'\n", worker.0.id(), below.at(PROCESSES).display());
    executable(&podman, &begins);
    let mut command = runnerctl();
    command.arg("--root").arg(below.path()).arg("--engine-program").arg(&podman);
    command.args(["prune", "--control-groups"]).arg(below.at("cgroup"));
    Called::from(command.assert()).ends(0).says(&["runner 1 runs a workflow job: it is left alone"]);
    assert!(has(&below, "1/work/shop/a"));
}

/// Written by another process: a descriptor open for writing, inherited by what a parallel test is just starting, would make
/// the kernel refuse to execute the file.
fn executable(path: &Path, text: &str) {
    let source = path.with_extension("source");
    fs::write(&source, text).unwrap();
    let install = std::process::Command::new("install").args(["-m", "0755"]).arg(&source).arg(path).status();
    assert!(install.unwrap().success());
}
