#!/bin/bash
# Installs on this Debian host what building, checking and booting the guest needs; does nothing when all of it is there.
set -euo pipefail
# shellcheck source=tests/apt.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../apt.sh"

missing=()
for program in mmdebstrap qemu-system-x86_64 mke2fs ssh ssh-keygen; do
  command -v "$program" >/dev/null || missing+=("$program")
done
for program in cc git shellcheck strace; do
  command -v "$program" >/dev/null || missing+=("$program")
done
python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
[ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || missing+=(debian-archive-keyring)

# QEMU before 8.1 translates code that another processor is rewriting: under emulation with two of them, a Linux guest panics now and then
# ("Oops: int3"), whenever the kernel patches itself. Mended upstream by "accel/tcg: Always lock pages before translation".
qemu_is_racy() {
  local version
  version=$(qemu-system-x86_64 --version 2>/dev/null | sed -nE 's/^QEMU emulator version ([0-9]+\.[0-9]+).*/\1/p')
  [ "$(printf '%s\n' "$version" 8.1 | sort -V | head -n 1)" != 8.1 ]
}

ID=
VERSION_CODENAME=
# shellcheck source=/dev/null
. /etc/os-release
backports=
if [ "$ID" = debian ] && [ "$VERSION_CODENAME" = bookworm ]; then
  backports=$VERSION_CODENAME-backports
fi
if [ -n "$backports" ] && qemu_is_racy; then
  missing+=(newer-qemu)
fi
[ ${#missing[@]} -gt 0 ] || exit 0

packages=(gcc libc6-dev git shellcheck strace python3-venv mmdebstrap debian-archive-keyring e2fsprogs openssh-client)
require_apt "${packages[@]}" qemu-system-x86

# apt reads a copy of this host's sources with the backports added, and lists of its own: the host's settings stay as they are.
install_with_backports() {
  local directory here
  here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
  directory=$(mktemp -d)
  mkdir -p "$directory/sources" "$directory/lists/partial"
  # apt's own user fetches the lists.
  chmod -R a+rX "$directory"
  [ ! -d /etc/apt/sources.list.d ] || cp -r /etc/apt/sources.list.d/. "$directory/sources"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $("$here/disk/apt-source.sh") $backports main" \
    >"$directory/sources/backports.list"
  local apt_options=(-o "Dir::Etc::SourceParts=$directory/sources" -o "Dir::State::Lists=$directory/lists")
  local result=0
  "${apt_root[@]}" apt-get "${apt_options[@]}" update -q && install_packages "$@" || result=$?
  "${apt_root[@]}" rm -rf "$directory"
  return "$result"
}

# A qemu-utils from one suite conflicts with a qemu-system-x86 from another: apt would remove it, or refuse. Naming both in one call, from the
# same suite, settles it.
if [ -n "$backports" ]; then
  if install_with_backports "${packages[@]}" "qemu-system-x86/$backports" "qemu-utils/$backports" "qemu-system-common/$backports" "seabios/$backports" \
    "qemu-system-data/$backports"; then
    exit 0
  fi
  echo "warning: no newer QEMU from $backports: under emulation a guest may panic now and then, and a scenario then starts anew" >&2
fi
install_packages "${packages[@]}" qemu-system-x86 "qemu-utils${VERSION_CODENAME:+/$VERSION_CODENAME}"
