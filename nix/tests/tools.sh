#!/bin/bash
# Sees to what check.sh needs: Nix, mmdebstrap, nixfmt and deadnix. Prints the directory of the latter two.
# On Debian; the first two come from apt (root, or sudo), the others from crates.io, built once and kept in the cache.
set -euo pipefail

missing=()
command -v nix-build >/dev/null || missing+=(nix-bin)
command -v mmdebstrap >/dev/null || missing+=(mmdebstrap)
[ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || missing+=(debian-archive-keyring)
command -v python3 >/dev/null || missing+=(python3-minimal)

if [ ${#missing[@]} -gt 0 ]; then
  if ! command -v apt-get >/dev/null; then
    echo "missing: ${missing[*]}" >&2
    echo "hint: install them with the package manager of this host" >&2
    exit 1
  fi
  root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
      echo "missing: ${missing[*]}" >&2
      echo "hint: install them as root: apt-get install ${missing[*]}" >&2
      exit 1
    }
    root=(sudo)
  fi
  echo "installing: ${missing[*]}" >&2
  install() {
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}" >&2
  }
  install || {
    "${root[@]}" apt-get update -q >&2
    install
  }
fi

# Without optimisation: they are built in half the time, and format a file in milliseconds all the same.
tools=${XDG_CACHE_HOME:-$HOME/.cache}/homelab-runners/nix-tools
for tool in nixfmt=nixfmt_rs@0.5.3 deadnix=deadnix@1.3.1; do
  crate=${tool#*=}
  if ! [ -x "$tools/$crate/bin/${tool%%=*}" ]; then
    echo "building ${tool%%=*} to check Nix files with; this is done once" >&2
    cargo install --quiet --debug --locked --root "$tools/$crate" "$crate" >&2
  fi
  mkdir -p "$tools/bin"
  ln -sf "../$crate/bin/${tool%%=*}" "$tools/bin/${tool%%=*}"
done
echo "$tools/bin"
