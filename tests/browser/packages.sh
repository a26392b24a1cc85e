#!/bin/bash
# Installs what the browser tests need on this Debian host; does nothing when all of it is there.
set -euo pipefail
# shellcheck source=tests/apt.sh
. "$(dirname "${BASH_SOURCE[0]}")/../apt.sh"

packages=()
missing() { # PROGRAM PACKAGE...
  command -v "$1" >/dev/null || packages+=("${@:2}")
}
missing chromium chromium fonts-dejavu-core
missing ffmpeg ffmpeg # Playwright's videos
missing npm nodejs npm
[ ${#packages[@]} -gt 0 ] || exit 0

require_apt "${packages[@]}"
install_packages "${packages[@]}"
