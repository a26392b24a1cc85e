#!/bin/bash
# Installs what the browser tests need on this Debian host; does nothing when all of it is there.
set -euo pipefail

packages=()
missing() { # PROGRAM PACKAGE...
  command -v "$1" >/dev/null || packages+=("${@:2}")
}
missing chromium chromium fonts-dejavu-core
missing ffmpeg ffmpeg # Playwright's videos
missing npm nodejs npm
[ ${#packages[@]} -gt 0 ] || exit 0

if ! command -v apt-get >/dev/null; then
  echo "missing: ${packages[*]}" >&2
  echo 'hint: install them with the package manager of this host' >&2
  exit 1
fi
root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "missing: ${packages[*]}" >&2
    echo "hint: as root: apt-get install ${packages[*]}" >&2
    exit 1
  fi
  root=(sudo)
fi

echo "installing ${packages[*]}" >&2
install=("${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${packages[@]}")
"${install[@]}" || { "${root[@]}" apt-get update -q && "${install[@]}"; }
