#!/bin/bash
# Installs on this Debian host what building with Nix needs (root, or sudo); does nothing when all of it is there.
set -euo pipefail
# shellcheck source=tests/apt.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../tests/apt.sh"

missing=()
command -v nix-build >/dev/null || missing+=(nix-bin)
command -v mmdebstrap >/dev/null || missing+=(mmdebstrap)
[ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || missing+=(debian-archive-keyring)
command -v python3 >/dev/null || missing+=(python3-minimal)

if [ ${#missing[@]} -gt 0 ]; then
  require_apt "${missing[@]}"
  install_packages "${missing[@]}"
fi

# Without a daemon, the store belongs to whoever builds.
if [ "$(id -u)" -ne 0 ] && ! [ -d /nix ]; then
  sudo install -d -m 0755 -o "$(id -un)" /nix
fi
