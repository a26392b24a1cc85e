#!/bin/bash
# Prints the directory with programs of Debian 13: Podman's Quadlet generator, systemd-analyze, Docker Compose, Prometheus and its promtool.
# They are unpacked, not installed: nothing on this host changes, and no root is needed where mmdebstrap is there already.
# Kept below $XDG_CACHE_HOME/homelab-runners/debian13, under a key made of all that decides what is unpacked.
set -euo pipefail

packages=podman,systemd,docker-compose,prometheus
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
guest=$here/../vm/guest
cache=${XDG_CACHE_HOME:-$HOME/.cache}/homelab-runners/debian13
key=$(cat "${BASH_SOURCE[0]}" "$guest/disk/apt-source.sh" | sha256sum | cut -c 1-16)
tree=$cache/$key

mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9
# Renamed at the very end: a directory under the key's own name is always complete.
if [ -d "$tree" ]; then
  echo "$tree"
  exit 0
fi

if ! command -v mmdebstrap >/dev/null || ! [ -e /usr/share/keyrings/debian-archive-keyring.gpg ]; then
  "$guest/packages.sh" >&2
fi
# What earlier versions of this script unpacked.
find "$cache" -mindepth 1 -maxdepth 1 -type d -exec rm -rf --one-file-system {} +
scratch=$(mktemp -d "$cache/scratch.XXXXXX")
trap 'rm -rf --one-file-system "$scratch"' EXIT
mkdir "$scratch/tree"
mirror=$("$guest/disk/apt-source.sh")
# Proxies and the like, as apt has them on this host.
apt-config dump --no-empty Acquire 2>/dev/null | grep -v '^Acquire::Languages' >"$scratch/apt.conf" || true

echo "unpacking programs of Debian 13 to check the rendered files with; this is done once and takes a minute" >&2
mmdebstrap --mode=chrootless --quiet --variant=extract --include="$packages" --aptopt="$scratch/apt.conf" \
  --aptopt='Acquire::Retries "5"' --dpkgopt='path-exclude=/usr/share/*' trixie - \
  "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" |
  tar -x -C "$scratch/tree" --no-same-owner --exclude=./dev --exclude=./etc/apt --exclude=./var
mv "$scratch/tree" "$tree"
echo "$tree"
