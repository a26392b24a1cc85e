#!/bin/bash
# Makes an installed Debian tree the guest: network, ssh, quick boot.
# Usage: rootfs.sh TREE PUBLIC-KEY
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
tree=$1 key=$2

cp -r --no-preserve=ownership "$here/files/." "$tree/"
install -d -m 700 "$tree/root/.ssh"
install -m 600 "$key" "$tree/root/.ssh/authorized_keys"
# How this host reaches its mirror is none of the guest's business, and the guest reaches nothing anyway.
rm -f "$tree"/etc/apt/apt.conf.d/99mmdebstrap "$tree"/etc/apt/sources.list
rm -f "$tree"/etc/resolv.conf "$tree"/etc/hostname "$tree"/boot/initrd.img-* "$tree"/initrd.img*
# A name server address that refuses at once: nothing in the guest ever waits for a time limit of the resolver.
echo 'nameserver 10.213.0.1' >"$tree/etc/resolv.conf"
echo homelab >"$tree/etc/hostname"
install -d "$tree/var/log/journal"

chroot "$tree" systemctl --quiet enable systemd-networkd.service ssh.service quota.service
chroot "$tree" systemctl --quiet disable docker.service docker.socket containerd.service \
  systemd-networkd-wait-online.service systemd-pstore.service netavark-dhcp-proxy.socket netavark-dhcp-proxy.service \
  netavark-firewalld-reload.service fstrim.timer dpkg-db-backup.timer apt-daily.timer apt-daily-upgrade.timer 2>/dev/null
# Each of these costs time at every boot under emulation and none is used: consoles, host keys that exist already, other machines' hardware.
chroot "$tree" systemctl --quiet mask getty.target sshd-keygen.service systemd-network-generator.service \
  systemd-networkd-persistent-storage.service systemd-binfmt.service systemd-hwdb-update.service \
  modprobe@efi_pstore.service modprobe@drm.service sys-kernel-tracing.mount sys-kernel-debug.mount \
  systemd-pcrphase.service systemd-tpm2-setup.service systemd-tpm2-setup-early.service e2scrub_reap.service
install -d "$tree/etc/systemd/system-generators"
for generator in debug getty gpt-auto hibernate-resume rc-local ssh system-update sysv tpm2; do
  ln -s /dev/null "$tree/etc/systemd/system-generators/systemd-$generator-generator"
done
chroot "$tree" systemctl --quiet set-default multi-user.target
