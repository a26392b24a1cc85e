#!/bin/bash
# Everything about Nix that can be checked without nixpkgs and without NixOS: `make nix`.
#
#   check.sh [--update] [--nixpkgs DIR]
#
# --update writes facts.json and docs/nixos-options.md anew; read the difference before committing it.
# --nixpkgs evaluates the facts with the lib of that nixpkgs as well; they have to be the same.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

update=
nixpkgs=
while [ $# -gt 0 ]; do
  case $1 in
    --update) update=1 ;;
    --nixpkgs) shift && nixpkgs=$(realpath "$1") ;;
    *) echo "usage: nix/tests/check.sh [--update] [--nixpkgs DIR]" >&2 && exit 2 ;;
  esac
  shift
done

# shellcheck source=nix.sh
. nix/tests/nix.sh
PATH=$(nix/tests/tools.sh):$PATH

step() {
  echo "nix: $1" >&2
}

# The first argument is what is committed, the second what was made just now.
compare() {
  if [ -n "$update" ]; then
    cp "$2" "$1"
  elif ! diff -u "$1" "$2"; then
    echo "nix: $1 is out of date; if that is meant: nix/tests/check.sh --update" >&2
    exit 1
  fi
}

step 'every file is well-formed, formatted, and of use'
mapfile -t files < <(git ls-files --cached --others --exclude-standard '*.nix')
for file in "${files[@]}"; do
  nix-instantiate --parse "$file" >/dev/null
done
nixfmt --check "${files[@]}"
deadnix --fail --no-lambda-pattern-names "${files[@]}"

step 'flake.lock names a revision and its content'
python3 - <<'PYTHON'
import json, re
locked = json.load(open("flake.lock"))["nodes"]["nixpkgs"]["locked"]
assert re.fullmatch("[0-9a-f]{40}", locked["rev"]) and re.fullmatch("sha256-[A-Za-z0-9+/]{43}=", locked["narHash"]), locked
PYTHON

step 'the module makes of each configuration what facts.json says'
evaluate_facts >"$scratch/facts.json"
compare nix/tests/facts.json "$scratch/facts.json"
if [ -n "$nixpkgs" ]; then
  step "and the same with the lib of $nixpkgs"
  evaluate_facts --arg nixpkgsLib "$nixpkgs/lib" | diff -u nix/tests/facts.json -
fi

step 'the units build, twice the same'
build units >/dev/null
build examples >/dev/null
build units --check >/dev/null
# Where this host lets Nix make one: a builder of NixOS sees no /run, no /tmp and no network.
if [ "$(id -u)" -eq 0 ]; then
  step 'and in a sandbox'
  build units --check --option sandbox true --option extra-sandbox-paths "/bin /usr /lib /lib64 $debian13" >/dev/null
fi

step 'what cannot work does not build'
nix/tests/refusals.sh

step 'the units are those of install-units'
nix/tests/same-units.sh

step 'the reference of the options is up to date'
evaluate optionsDoc | python3 -c 'import json, sys; sys.stdout.write(json.load(sys.stdin))' >"$scratch/options.md"
compare docs/nixos-options.md "$scratch/options.md"

step 'the script of the NixOS test is Python'
evaluate testScript | python3 -c 'import ast, json, sys; ast.parse(json.load(sys.stdin))'

step 'the flake evaluates and its checks build, with the stand-in for nixpkgs'
nix flake check --offline --no-write-lock-file --override-input nixpkgs "path:$PWD/nix/tests/offline" . 2>"$scratch/log" || { cat "$scratch/log" >&2 && exit 1; }

step 'each mutation of the module is found'
nix/tests/mutations.sh

step 'done'
