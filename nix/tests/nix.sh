# shellcheck shell=bash
# Sourced by the scripts beside it, from the top of the repository. Nix runs without a daemon, a binary cache and nixpkgs; what ./offline has stands in for the latter.
# Reading what is built during evaluation would need a builder for it: an error here.
export NIX_CONFIG='build-users-group =
sandbox = false
substituters =
experimental-features = nix-command flakes
allow-import-from-derivation = false'

nix/tests/packages.sh
debian13=$(tests/integration/debian13.sh)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# The copy of the directory `nix` that is looked at.
module=$PWD/nix
# Without its debugging symbols, which would be copied into the store each time.
runnerctl=$scratch/runnerctl
strip -o "$runnerctl" target/debug/runnerctl

# build ATTRIBUTE OPTION...: builds a part of facts.nix with the runnerctl under test and prints its places. What went wrong is shown.
build() {
  local attribute=$1
  shift
  nix-build --no-out-link "$module/tests/facts.nix" -A "$attribute" --arg runnerctlBin "$runnerctl" --argstr debian13 "$debian13" "$@" 2>"$scratch/log" ||
    { cat "$scratch/log" >&2 && return 1; }
}

# evaluate ATTRIBUTE OPTION...: prints a part of facts.nix as JSON.
evaluate() {
  local attribute=$1
  shift
  nix-instantiate --eval --strict --json "$module/tests/facts.nix" -A "$attribute" "$@"
}

# The facts as they are committed: sorted, a line for each value.
evaluate_facts() {
  evaluate facts "$@" | python3 -m json.tool --sort-keys --indent 1 --no-ensure-ascii
}
