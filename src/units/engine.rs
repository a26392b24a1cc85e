//! A runner's private engine: a rootless Podman that speaks Docker's API, podman-system-service(1), for this one runner.
//!
//! It runs as an account without rights, in the runner's slice and in the network namespace of the runner's container, and sees a file system of its own making: the
//! host's programs, read-only, and the places that it has in common with the runner, at the same paths. It starts when a workflow first speaks to its socket, and ends
//! with the runner; rootless Podman makes no control groups, so whatever it started is in its own and ends with it.

use super::syntax::UnitText;
use super::{MARKER, Programs, hardening};
use crate::config::Flavour;
use crate::fleet::{Fleet, Runner, names};

/// Settings that have no option on Podman's command line, containers.conf(5).
pub(super) const CONFIG: &str = "[containers]
# There is no journal in an engine's file system; `docker logs` reads files.
log_driver = \"k8s-file\"
# Every container has the reports where the runner has them, `container:` workflow jobs among them; what a workflow mounts there itself takes its place.
volumes = [\"/reports:/reports\"]
";

/// Where the engine finds [`CONFIG`] in its file system.
const CONFIG_INSIDE: &str = "/run/homelab-runner-engine.conf";

/// Where the engine finds the images that the fleet shares.
const IMAGES_INSIDE: &str = "/run/homelab-runner-images";

/// The host's programs and libraries. Those with a dash are there on some hosts only: the links of a merged `/usr`, and what NixOS has instead.
const PROGRAMS: &str = "/usr /etc -/bin -/sbin -/lib -/lib64 -/nix/store -/run/current-system -/run/wrappers";

/// The text of `homelab-runner-engine@N.socket`.
pub(super) fn socket(runner: &Runner) -> String {
    let mut text = UnitText::with_comment(&[MARKER.trim_start_matches("# ")]);
    text.section("Unit")
        .text(
            "Description",
            &format!("Socket of the private engine of GitHub Actions runner {}", runner.name),
        )
        .plain("Documentation", "man:runnerctl(1)")
        // Not of the runner: systemd would take an automatic restart of it for one by hand, and count restarts from 0 again.
        .plain("PartOf", names::TARGET)
        .section("Socket")
        .plain("ListenStream", runner.paths.engine_socket().display())
        .plain("SocketUser", names::account(runner.number))
        .plain("SocketGroup", names::account(runner.number))
        // The group, for images whose user `runner` has another number than GitHub's.
        .plain("SocketMode", "0660")
        .plain("DirectoryMode", "0755")
        .plain("RemoveOnStop", "yes");
    text.finish()
}

/// The text of `homelab-runner-engine@N.service`.
pub(super) fn service(fleet: &Fleet, runner: &Runner, programs: &Programs) -> String {
    let mut text = UnitText::with_comment(&[MARKER.trim_start_matches("# ")]);
    unit_section(&mut text, runner);
    text.section("Service")
        .plain("Type", "exec")
        .plain("User", names::account(runner.number))
        .plain("Slice", names::slice(runner.number))
        .plain("Delegate", "yes")
        // What the containers of the last run left in the storage: their records went with the runtime directory.
        .command(
            "ExecStartPre",
            "-",
            &podman(runner, programs, &["system", "prune", "--external", "--force"]),
        )
        .command("ExecStart", "", &podman(runner, programs, &["system", "service", "--time=0"]));
    ending(&mut text);
    view(&mut text, fleet, runner);
    hardening::of_engine(&mut text);
    text.finish()
}

fn unit_section(text: &mut UnitText, runner: &Runner) {
    let (service, socket) = (names::service(runner.number), names::engine_socket(runner.number));
    text.section("Unit")
        .text("Description", &format!("Private engine of GitHub Actions runner {}", runner.name))
        .plain("Documentation", "man:runnerctl(1)")
        // Ends with the runner, however that ends; and after it, because the last steps of a cancelled workflow job may need containers.
        .plain("BindsTo", &service)
        .plain("Before", &service)
        .plain("Requires", &socket)
        .plain("After", &socket)
        .plain("ConditionPathExists", runner.paths.engine_ready().display());
}

/// Containers, networks and locks live in the runtime directory, which goes with the service: every start is a clean one. Images stay.
fn podman(runner: &Runner, programs: &Programs, command: &[&str]) -> Vec<String> {
    let storage = runner.paths.engine_storage.display();
    let runtime = runtime_directory(runner);
    let mut words = vec![programs.podman.display().to_string()];
    words.extend([
        format!("--root={storage}/storage"),
        format!("--runroot={runtime}/containers"),
        format!("--tmpdir={runtime}/libpod"),
        format!("--network-config-dir={runtime}/networks"),
        format!("--volumepath={storage}/volumes"),
    ]);
    words.push(format!("--storage-opt=additionalimagestore={IMAGES_INSIDE}"));
    // With `cgroupfs` and no control group to write to, everything stays in this service's own.
    words.extend(
        [
            "--transient-store",
            "--storage-driver=overlay",
            "--cgroup-manager=cgroupfs",
            "--events-backend=file",
        ]
        .map(str::to_owned),
    );
    words.extend(command.iter().map(ToString::to_string));
    words
}

fn ending(text: &mut UnitText) {
    // systemd ends Podman in order and kills the containers with it: a PID 1 that ignores SIGTERM must not hold the runner up.
    text.plain("KillMode", "mixed")
        .plain("TimeoutStopSec", "10s")
        // A container that is killed for its memory is the workflow's affair.
        .plain("OOMPolicy", "continue");
}

/// The engine's file system and network: those of the runner's container, as far as paths go that both have to understand.
fn view(text: &mut UnitText, fleet: &Fleet, runner: &Runner) {
    let paths = &runner.paths;
    let (storage, work) = (paths.engine_storage.display(), paths.work.display());
    let socket = paths.engine_socket();
    let inside = |part: &str, target: &str| format!("{}:{target}", paths.view(part).display());
    let directory = format!("homelab-runner-engine-{}", runner.number);
    text.plain("Environment", format!("HOME={storage}"))
        .plain("Environment", format!("XDG_RUNTIME_DIR={}", runtime_directory(runner)))
        .plain("Environment", format!("CONTAINERS_CONF_OVERRIDE={CONFIG_INSIDE}"))
        .plain("RuntimeDirectory", directory)
        .plain("RuntimeDirectoryMode", "0700")
        .plain("RootDirectory", paths.view("root").display())
        .plain("MountAPIVFS", "yes")
        // systemd ≥ 257 would show the journal's sockets; older ones do not, and pass over the key.
        .plain("BindLogSockets", "no")
        .plain("BindReadOnlyPaths", PROGRAMS)
        .plain("BindReadOnlyPaths", inside("resolv.conf", "/etc/resolv.conf"))
        .plain("BindReadOnlyPaths", inside("hosts", "/etc/hosts"))
        .plain(
            "BindReadOnlyPaths",
            format!("{}/{}:{CONFIG_INSIDE}", fleet.layout.scripts.display(), names::ENGINE_CONFIG),
        )
        // What GitHub's runner mounts into containers, at the runner's own paths: its Node, its work folder, the socket by that literal name.
        .plain("BindReadOnlyPaths", inside("externals", externals(fleet.flavour)))
        .plain("BindPaths", format!("{storage} {work} {}:/reports", paths.reports.display()))
        .plain("BindPaths", format!("{0}:/run/docker.sock {0}:/var/run/docker.sock", socket.display()))
        .plain("BindReadOnlyPaths", inside("images", IMAGES_INSIDE))
        // Locks in shared memory would outlive the service.
        .plain("TemporaryFileSystem", "/dev/shm:mode=1777")
        .plain("NetworkNamespacePath", paths.view("network").display());
}

fn runtime_directory(runner: &Runner) -> String {
    format!("/run/homelab-runner-engine-{}", runner.number)
}

/// Where the image has the Node of the runner, which `container:` workflow jobs get as `/__e`.
pub(super) fn externals(flavour: Flavour) -> &'static str {
    match flavour {
        Flavour::Official => "/home/runner/externals",
        Flavour::Myoung34 => "/actions-runner/externals",
    }
}
