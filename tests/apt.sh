#!/bin/bash
# Installs Debian packages, as root or by sudo. Sourced by the packages.sh of each part of the tests.

apt_root=()
apt_options=() # for apt-get itself

# Says what to do where this cannot be done here.
require_apt() { # PACKAGE...
  if ! command -v apt-get >/dev/null; then
    echo "missing: $*" >&2
    echo 'hint: install them with the package manager of this host' >&2
    exit 1
  fi
  if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
      echo "missing: $*" >&2
      echo "hint: as root: apt-get install $*" >&2
      exit 1
    fi
    apt_root=(sudo)
  fi
}

# With fresh lists where the first try fails: those of a new machine are old or empty.
install_packages() { # PACKAGE...
  local install=("${apt_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get "${apt_options[@]}" install -y -q --no-install-recommends --allow-downgrades "$@")
  echo "installing $*" >&2
  "${install[@]}" >&2 && return
  "${apt_root[@]}" apt-get "${apt_options[@]}" update -q >&2
  "${install[@]}" >&2
}
