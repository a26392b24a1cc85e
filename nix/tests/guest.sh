#!/bin/bash
# guest.sh DIR: builds the hosts of guest.nix and copies all that they need to DIR/nix/store, with links to them in DIR/hosts.
set -euo pipefail
target=$(realpath "$1")
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=nix.sh
. nix/tests/nix.sh

mkdir -p "$target/nix/store" "$target/hosts"
for name in first edited fewer off; do
  host=$(nix-build --no-out-link nix/tests/guest.nix -A "$name" --arg runnerctlBin "$runnerctl" --argstr debian13 "$debian13" 2>"$scratch/log") ||
    { cat "$scratch/log" >&2 && exit 1; }
  ln -sfn "$host" "$target/hosts/$name"
  nix-store --query --requisites "$host" >>"$scratch/closure"
done
sort -u "$scratch/closure" | xargs cp -a --no-dereference --target-directory="$target/nix/store"
# Removing a copy must be possible.
chmod -R u+w "$target/nix/store"
cp nix/tests/guest-switch.sh "$target/hosts/switch"
