#!/bin/bash
# Installs on this Debian host what building, checking and booting the guest needs; does nothing when all of it is there.
set -euo pipefail

missing=()
for program in mmdebstrap qemu-system-x86_64 mke2fs ssh ssh-keygen; do
  command -v "$program" >/dev/null || missing+=("$program")
done
for program in cc git shellcheck; do
  command -v "$program" >/dev/null || missing+=("$program")
done
python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
[ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || missing+=(debian-archive-keyring)
[ ${#missing[@]} -gt 0 ] || exit 0

if ! command -v apt-get >/dev/null; then
  echo "missing: ${missing[*]}" >&2
  echo "hint: install them with the package manager of this host" >&2
  exit 1
fi
root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "missing: ${missing[*]}" >&2
    echo "hint: install gcc git shellcheck python3-venv mmdebstrap qemu-system-x86 e2fsprogs openssh-client as root" >&2
    exit 1
  fi
  root=(sudo)
fi

echo "installing the packages of: ${missing[*]}" >&2
VERSION_CODENAME=
# shellcheck source=/dev/null
. /etc/os-release
# A qemu-utils from backports conflicts with the release's qemu-system-x86: apt would remove it, or refuse. Naming both in one call,
# qemu-utils pinned to the release, settles it.
install=("${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends --allow-downgrades
  gcc libc6-dev git shellcheck python3-venv mmdebstrap debian-archive-keyring e2fsprogs openssh-client qemu-system-x86 "qemu-utils${VERSION_CODENAME:+/$VERSION_CODENAME}")
if ! "${install[@]}"; then
  "${root[@]}" apt-get update -q
  "${install[@]}"
fi
