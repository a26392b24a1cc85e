//! What `doctor` and `install-units` see of the host: every edge asked once.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::context::{Context, GlobalArgs};
use crate::config::{Engine, Tls};
use crate::doctor::{
    Certificate, HostFacts, IdMapper, ListenAddress, Needs, Program, Server, UserNamespaces, Version,
};
use crate::files::{self, Root};
use crate::fleet::Scope;
use crate::host_facts;
use crate::http;
use crate::programs::{self, NamespaceProbe};
use crate::systemd::{ActiveState, Systemd};

/// What the fleet asks of its host.
pub(super) fn needs(context: &Context) -> Needs {
    Needs::of(&context.fleet)
}

/// The facts, but for the clock: asking for it may start timedated.
///
/// Below another root than `/` no program is run, so versions are not known there.
pub(super) async fn gather(global: &GlobalArgs, needs: &Needs) -> HostFacts {
    let host = Place::of(global);
    let root = host.root.at(Path::new("/"));
    let uid = host_facts::uid();
    let user = host_facts::user(&root, uid);
    let engine = |engine: Engine| host.engine(engine, needs, global.engine_program.as_deref());
    let (systemctl, podman, docker) = tokio::join!(
        host.asked(present(host.find("systemctl"))),
        host.asked(engine(Engine::Podman)),
        host.asked(engine(Engine::Docker)),
    );
    HostFacts {
        os: host_facts::os_release(&root),
        kernel: host_facts::kernel(&root),
        control_groups: host_facts::control_groups(&root, needs.scope, uid),
        is_booted_with_systemd: host_facts::is_booted_with_systemd(&root),
        systemctl,
        podman,
        docker,
        quadlet: programs::generator_below(&|place| host.root.at(place)).is_some(),
        oci_runtime: present(host.find("crun").or_else(|| host.find("runc"))),
        socket: host_facts::is_there(&host.root.at(&needs.socket)),
        newuidmap: host.id_mapper("newuidmap"),
        newgidmap: host.id_mapper("newgidmap"),
        pasta: present(host.find_beside_podman("pasta")),
        slirp4netns: present(host.find_beside_podman("slirp4netns")),
        absent_account_programs: ["useradd", "usermod", "userdel"]
            .into_iter()
            .filter(|name| host.find(name).is_none())
            .collect(),
        subuid: host_facts::subordinate_ranges(&root, "subuid"),
        subgid: host_facts::subordinate_ranges(&root, "subgid"),
        user_namespaces: host.user_namespaces(&root, uid).await,
        network_namespaces: host_facts::network_namespaces(&root),
        selinux: host_facts::selinux(&root),
        apparmor: host_facts::apparmor(&root),
        disks: host_facts::disks(&root, &[&needs.state, &needs.reports]),
        is_runtime_in_memory: host_facts::is_in_memory(&host.root.at(&needs.runtime)),
        is_clock_synchronized: None,
        lingers: user.as_deref().and_then(|user| host_facts::lingers(&root, user)),
        listen: host.listen(global, needs).await,
        report_certificate: needs.report_tls.as_ref().filter(|_| host.is_here()).map(certificate),
        uid,
        user,
    }
}

/// As the server itself would load them.
fn certificate(tls: &Tls) -> Certificate {
    match http::Tls::load(tls.certificate.as_path(), tls.key.as_path()) {
        Ok(_) => Certificate::Usable,
        Err(error) if error.is_denied() => Certificate::Denied,
        Err(error) => Certificate::Unusable { words: error.to_string(), mend: error.hint().to_owned() },
    }
}

/// Where to look for programs.
struct Place {
    root: Root,
    path: Option<std::ffi::OsString>,
}

impl Place {
    fn of(global: &GlobalArgs) -> Self {
        Self { root: global.root(), path: std::env::var_os("PATH") }
    }

    fn is_here(&self) -> bool {
        self.root == Root::host()
    }

    /// Nothing below another root: what listens is this host's.
    async fn listen(&self, global: &GlobalArgs, needs: &Needs) -> BTreeMap<Server, ListenAddress> {
        let mut found = BTreeMap::new();
        for (server, address) in needs.listen.iter().filter(|_| self.is_here()) {
            let seen = match host_facts::listen_address(*address) {
                ListenAddress::Taken if is_ours(*server, *address, global, needs.scope).await => {
                    ListenAddress::Ours
                }
                other => other,
            };
            found.insert(*server, seen);
        }
        found
    }

    fn find(&self, name: &str) -> Option<PathBuf> {
        programs::places(name, self.path.as_deref()).find(|place| self.root.at(place).is_file())
    }

    /// The same, or where containers.conf(5) has Podman look for its own programs (`helper_binaries_dir`).
    fn find_beside_podman(&self, name: &str) -> Option<PathBuf> {
        let own =
            ["/usr/local/libexec/podman", "/usr/local/lib/podman", "/usr/libexec/podman", "/usr/lib/podman"];
        let own = own.iter().map(|directory| Path::new(directory).join(name));
        self.find(name).or_else(|| own.into_iter().find(|place| self.root.at(place).is_file()))
    }

    /// The engine where `--engine-program` has it, if that is this engine.
    fn engine(&self, engine: Engine, needs: &Needs, given: Option<&Path>) -> Program {
        let given = given.filter(|_| engine == needs.engine);
        let found = match given {
            Some(given) => Some(given.to_owned()).filter(|given| self.root.at(given).is_file()),
            None => self.find(engine.program()),
        };
        match found {
            Some(path) => Program::Found { path, version: None },
            None => Program::Missing { at: given.map(Path::to_owned) },
        }
    }

    /// The best of that name: NixOS has a plain one beside the one that may map ids.
    fn id_mapper(&self, name: &str) -> IdMapper {
        let found = programs::places(name, self.path.as_deref());
        found.map(|place| host_facts::id_mapper(&self.root.at(&place))).max().unwrap_or(IdMapper::Missing)
    }

    /// With the version that it says, unless it stands below another root.
    async fn asked(&self, program: Program) -> Program {
        let Program::Found { path, .. } = program else { return program };
        let version = if self.root == Root::host() { version(&path).await } else { None };
        Program::Found { path, version }
    }

    async fn user_namespaces(&self, root: &Path, uid: u32) -> UserNamespaces {
        let tried = match self.probe(uid) {
            Some(probe) if self.root == Root::host() => programs::user_namespace(&probe).await,
            _ => None,
        };
        UserNamespaces { tried, ..host_facts::user_namespaces(root) }
    }

    fn probe(&self, uid: u32) -> Option<NamespaceProbe> {
        let setpriv = if uid == 0 { Some(self.find("setpriv")?) } else { None };
        Some(NamespaceProbe { setpriv, unshare: self.find("unshare")?, nothing: self.find("true")? })
    }
}

/// Whoever listens on an address that the installed socket names, while that is active, is the socket.
async fn is_ours(server: Server, address: SocketAddr, global: &GlobalArgs, scope: Scope) -> bool {
    let Ok(layout) = global.layout() else { return false };
    let text = files::read(&layout.unit_dir.join(server.socket())).ok().flatten().unwrap_or_default();
    let is_named = text.lines().any(|line| line == format!("ListenStream={address}"));
    is_named && is_active(scope, server.socket()).await
}

async fn is_active(scope: Scope, unit: &str) -> bool {
    let states = async { Systemd::connect(scope).await?.observe(&[unit]).await };
    match states.await {
        Ok(states) => states.iter().any(|state| state.active_state == ActiveState::Active),
        Err(error) => {
            tracing::debug!(%error, "it is not known who listens");
            false
        }
    }
}

fn present(found: Option<PathBuf>) -> Program {
    match found {
        Some(path) => Program::Found { path, version: None },
        None => Program::Missing { at: None },
    }
}

async fn version(program: &Path) -> Option<Version> {
    match programs::version(program).await {
        Ok(text) => Version::in_text(&text),
        Err(error) => {
            tracing::debug!(%error, "no version");
            None
        }
    }
}
