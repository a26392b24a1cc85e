#!/bin/bash
# Installs on this Debian host what building with Nix needs (root, or sudo); does nothing when all of it is there.
set -euo pipefail

missing=()
command -v nix-build >/dev/null || missing+=(nix-bin)
command -v mmdebstrap >/dev/null || missing+=(mmdebstrap)
[ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || missing+=(debian-archive-keyring)
command -v python3 >/dev/null || missing+=(python3-minimal)

root=()
if [ "$(id -u)" -ne 0 ]; then
  root=(sudo)
fi

if [ ${#missing[@]} -gt 0 ]; then
  if ! command -v apt-get >/dev/null; then
    echo "missing: ${missing[*]}" >&2
    echo "hint: install them with the package manager of this host" >&2
    exit 1
  fi
  if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
    echo "missing: ${missing[*]}" >&2
    echo "hint: install them as root: apt-get install ${missing[*]}" >&2
    exit 1
  fi
  echo "installing: ${missing[*]}" >&2
  install_missing() {
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}" >&2
  }
  install_missing || {
    "${root[@]}" apt-get update -q >&2
    install_missing
  }
fi

# Without a daemon, the store belongs to whoever builds.
if [ "$(id -u)" -ne 0 ] && ! [ -d /nix ]; then
  sudo install -d -m 0755 -o "$(id -un)" /nix
fi
