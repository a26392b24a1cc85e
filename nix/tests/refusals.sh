#!/bin/bash
# What nix/module/render.sh is there to refuse, each brought about, and the sentence that it says.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=nix.sh
. nix/tests/nix.sh

# A configuration that evaluates and that runnerctl does not take.
refused() {
  if build "unbuildable.$1" >/dev/null 2>"$scratch/said"; then
    echo "$1: was built" >&2
    exit 1
  fi
  grep -F -- "$2" "$scratch/said" >/dev/null || { cat "$scratch/said" >&2 && echo "$1: does not say: $2" >&2 && exit 1; }
}
refused unknownKey 'nonsense'
refused latestImage 'latest'
refused formatWithoutWebhook 'belongs to a webhook'

# The builder itself, with the variables of units.nix; each test changes one of them, or the runnerctl.
evaluate accounts.defaults >"$scratch/accounts.json"
account_file() {
  python3 -c 'import json, sys; sys.stdout.write(json.load(open(sys.argv[1]))[sys.argv[2]])' "$scratch/accounts.json" "$1"
}
configFile=$(build configs.defaults)
passwd=$(account_file passwd)
group=$(account_file group)
subuid=$(account_file subuid)
subgid=$(account_file subgid)
podman=$(build podman)
stateDirectory=/var/lib/homelab-runners
engineProgram=$podman/bin/podman
podmanProgram=$podman/bin/podman
quadlet=$podman/libexec/podman/quadlet
systemd=$(build systemd)
mkdir "$scratch/bin"
export PATH=$scratch/bin:$PATH configFile passwd group subuid subgid stateDirectory runnerctl engineProgram podmanProgram quadlet systemd

# render NAME: runs the builder in a directory of its own.
render() {
  mkdir "$scratch/$1"
  (cd "$scratch/$1" && out=$scratch/$1/out bash -euc ". '$module/module/render.sh'") >"$scratch/said" 2>&1
}
# says SENTENCE NAME: the builder fails and says it.
says() {
  if render "$2"; then
    echo "$2: was rendered" >&2
    exit 1
  fi
  grep -F -- "$1" "$scratch/said" >/dev/null || { cat "$scratch/said" >&2 && echo "$2: does not say: $1" >&2 && exit 1; }
}
# A runnerctl that adds to what it has written: $1 is a command, in the tree.
adding() {
  printf '%s\n' '#!/bin/bash' "set -e; '$runnerctl' \"\$@\"; if [ -d tree ]; then cd tree; $1; fi" >"$scratch/bin/runnerctl"
  chmod +x "$scratch/bin/runnerctl"
}

adding :
render as-it-is || { cat "$scratch/said" >&2 && exit 1; }
stateDirectory=/srv/runners says 'does not know where to put: tree/var/lib/homelab-runners/scripts/' file-in-a-strange-place
passwd=$(account_file passwd | grep -v runner-3) says 'the units name other accounts' account-that-is-not-made
adding 'echo "Nonsense=1" >>etc/systemd/system/homelab-runners-1.slice'
says 'systemd has something to say about the units' key-that-systemd-passes-over
adding 'echo "MemoryMax=lots" >>etc/systemd/system/homelab-runners-1.slice'
says 'systemd has something to say about the units' limit-that-systemd-passes-over
adding 'sed -i "s#ExecStart=/#ExecStart=/nowhere/#" etc/systemd/system/homelab-runners-prune.service'
says 'systemd has something to say about the units' program-that-is-not-there
adding 'sed -i "s/^.Container.$/&\nNonsense=1/" etc/containers/systemd/homelab-runner@1.container'
says "unsupported key 'Nonsense'" key-that-quadlet-refuses
adding 'echo "Nonsense=1" >>etc/systemd/system/homelab-runners-1.slice'
systemd='' render nobody-asks-systemd || { cat "$scratch/said" >&2 && exit 1; }
