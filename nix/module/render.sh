# shellcheck shell=bash
# Renders the units into $out/lib/systemd/system. Sourced by the builder of units.nix, which sets the variables; `set -e` is on.
# shellcheck disable=SC2154

# A host of nothing but the config and the accounts: what is rendered depends on them alone.
host=$PWD/host
mkdir -p "$host/etc/homelab-runners"
cp "$configFile" "$host/etc/homelab-runners/config.toml"
for file in passwd group subuid subgid; do
  printf '%s' "${!file}" >"$host/etc/$file"
done

programs=(--runnerctl="$runnerctl" --engine-program="$engineProgram")
if [ -n "$podmanProgram" ]; then
  programs+=(--podman="$podmanProgram")
fi
runnerctl --root="$host" check --no-tokens
runnerctl --root="$host" "${programs[@]}" generate --out="$PWD/tree"

units=$out/lib/systemd/system
mkdir -p "$units"
cp tree/etc/systemd/system/* "$units"

# Podman's own generator, now instead of at every boot: a switch of NixOS sees no units of generators.
if [ -d tree/etc/containers/systemd ]; then
  mkdir -p "$out/share/homelab-runners"
  # The generator writes their place into the units.
  cp -r tree/etc/containers/systemd "$out/share/homelab-runners/quadlet"
  mkdir generated
  QUADLET_UNIT_DIRS=$out/share/homelab-runners/quadlet "$quadlet" -no-kmsg-log "$PWD/generated"
  cp -n generated/*.service "$units"
fi

# Scripts lie with the state, where `runnerctl roll` writes them. Anything else would be lost in silence.
strays=$(find tree -type f ! -path 'tree/etc/systemd/system/*' ! -path 'tree/etc/containers/systemd/*' ! -path "tree$stateDirectory/scripts/*")
if [ -n "$strays" ]; then
  echo "homelab-runners: the module does not know where to put: $strays" >&2
  exit 1
fi

# A unit of an account that NixOS does not make would fail at its start.
grep -hoE '^(Socket)?User=homelab-runner-[0-9]+$' "$units"/* | cut -d= -f2 | sort -u >named || true
cut -d: -f1 "$host/etc/passwd" | sort -u >made
if ! diff -u made named >&2; then
  echo "homelab-runners: the units name other accounts (+) than the module makes (-)" >&2
  exit 1
fi

if [ -n "$systemd" ]; then
  # As a user's systemd: the host's would make directories in /run, and a builder has none. It reads the same keys, and refuses one: DynamicUser=. What it only warns of,
  # such as a limit that it passes over, is as bad.
  mkdir runtime read
  cp "$units"/* read
  sed -i '/^DynamicUser=/d' read/*
  for target in basic shutdown; do
    echo '[Unit]' >"read/$target.target"
  done
  result=0
  XDG_RUNTIME_DIR=$PWD/runtime SYSTEMD_UNIT_PATH=$PWD/read \
    "$systemd/bin/systemd-analyze" --user verify --man=no read/* 2>complaints || result=$?
  if [ "$result" -ne 0 ] || grep -F "$PWD/read/" complaints >/dev/null; then
    cat complaints >&2
    echo "homelab-runners: systemd has something to say about the units; services.homelabRunners.verifyUnits = false builds them all the same" >&2
    exit 1
  fi
fi
