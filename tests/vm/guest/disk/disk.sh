#!/bin/bash
# Builds the guest's disk, kernel and ssh key into DIR. Needs root (calls sudo otherwise).
# Usage: disk.sh DIR
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
dir=$(realpath "$1")
if [ "$(id -u)" -ne 0 ]; then
  # The files must not stay root's: the user's own later runs write and remove them.
  sudo env PATH="$PATH:/usr/sbin:/sbin" \
    HOMELAB_RUNNERS_DEBIAN_MIRROR="${HOMELAB_RUNNERS_DEBIAN_MIRROR:-}" "$here/disk.sh" "$dir"
  exec sudo chown -R "$(id -u):$(id -g)" "$dir"
fi

export PATH=$PATH:/usr/sbin:/sbin
cd "$dir"
scratch=$(mktemp -d "$dir/scratch.XXXXXX")
trap 'rm -rf --one-file-system "$scratch"' EXIT

mirror=$("$here/apt-source.sh")
source="deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main"
# Proxies and the like, as apt has them on this host; they are removed from the tree again below.
apt-config dump --no-empty Acquire | grep -v '^Acquire::Languages' >"$scratch/apt.conf" || true

packages() { sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$here/$1" | paste -sd,; }
bootstrap() { # VARIANT PACKAGES TREE [OPTION…]
  # No initial ram disk: the cloud kernel has ext4 and NVMe built in.
  INITRD=No mmdebstrap --mode=root --quiet --variant="$1" --include="$(packages "$2")" --aptopt="$scratch/apt.conf" \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' "${@:4}" trixie "$3" "$source"
}

echo "building the base of the runner image" >&2
bootstrap extract runner-base.packages "$scratch/base"
"$here/runner-base.sh" "$scratch/base" "$scratch"

echo "building the guest's disk" >&2
ssh-keygen -q -t ed25519 -N '' -C homelab-runners-vm -f id
# A hook, because systemctl wants /proc, which is mounted in the tree only meanwhile. The shell of the hook expands the variables.
export HERE=$here KEY=$dir/id.pub
# shellcheck disable=SC2016
bootstrap apt guest.packages "$scratch/root" --customize-hook='"$HERE/rootfs.sh" "$1" "$KEY"'
cp "$scratch"/root/boot/vmlinuz-* vmlinuz
install -d "$scratch/root/var/tmp/images"
mv "$scratch/runner-base.tar" "$scratch/busybox.tar" "$scratch/root/var/tmp/images/"

rm -f disk.img
truncate -s 12G disk.img
# No journal: the disk is thrown away after each run, and nothing else slows a first write as much.
mke2fs -q -t ext4 -O ^has_journal -E lazy_itable_init=0,nodiscard -d "$scratch/root" disk.img
