//! What to install for what is missing: one table for all distributions.

use super::Distribution;

/// Something that comes in a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Software {
    /// podman(1)
    Podman,
    /// docker(1) with its daemon
    Docker,
    /// crun(1) or runc(8), which Podman starts containers with
    OciRuntime,
    /// newuidmap(1) and newgidmap(1)
    IdMappers,
    /// pasta(1), the network of rootless containers since Podman 5.0
    Pasta,
    /// slirp4netns(1), the same before
    Slirp4netns,
    /// fuse-overlayfs(1), for kernels that let nobody but root mount an overlay
    FuseOverlayfs,
    /// useradd(8) and its kin
    Accounts,
    /// Something that sets the clock by the network
    TimeSync,
}

impl Software {
    /// By name; then the packages of Debian and Fedora, and what to put into NixOS' configuration.
    fn row(self) -> [&'static str; 4] {
        match self {
            Self::Podman => ["podman", "podman", "podman", "virtualisation.podman.enable = true;"],
            Self::Docker => ["docker", "docker.io", "moby-engine", "virtualisation.docker.enable = true;"],
            Self::OciRuntime => ["crun", "crun", "crun", "virtualisation.podman.enable = true;"],
            Self::IdMappers => {
                ["newuidmap and newgidmap", "uidmap", "shadow-utils", "security.shadow.enable = true;"]
            }
            Self::Pasta => ["pasta", "passt", "passt", "virtualisation.podman.enable = true;"],
            Self::Slirp4netns => [
                "slirp4netns",
                "slirp4netns",
                "slirp4netns",
                "virtualisation.podman.extraPackages = [ pkgs.slirp4netns ];",
            ],
            Self::FuseOverlayfs => [
                "fuse-overlayfs",
                "fuse-overlayfs",
                "fuse-overlayfs",
                "virtualisation.podman.extraPackages = [ pkgs.fuse-overlayfs ];",
            ],
            Self::Accounts => {
                ["useradd, usermod and userdel", "passwd", "shadow-utils", "security.shadow.enable = true;"]
            }
            Self::TimeSync => ["chrony", "systemd-timesyncd", "chrony", "services.timesyncd.enable = true;"],
        }
    }

    /// How to install it, in the words of `distribution`.
    #[must_use]
    pub fn install(self, distribution: Distribution) -> String {
        let [name, debian, fedora, nixos] = self.row();
        match distribution {
            Distribution::Debian => format!("apt install {debian}"),
            Distribution::Fedora => format!("dnf install {fedora}"),
            Distribution::NixOs => nixos.to_owned(),
            Distribution::Other => format!("install {name}"),
        }
    }
}

/// How to set a kernel parameter now and for every boot, sysctl.d(5).
pub(super) fn sysctl(distribution: Distribution, key: &str, value: u32) -> String {
    match distribution {
        Distribution::NixOs => format!("boot.kernel.sysctl.\"{key}\" = {value};"),
        _ => format!("echo {key}={value} > /etc/sysctl.d/60-homelab-runners.conf && sysctl --system"),
    }
}
