#!/bin/bash
# Breaks the module in one place after the other, in a copy, and expects the facts or the build of the units to fail each time.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=nix.sh
. nix/tests/nix.sh

# A file below nix/module, what stands there, what stands there instead (-: nothing), and what it stands for; between them a tab.
mutations=$(
  cat <<'LIST'
options.nix	tokensFile = mkOption	tokenFile = mkOption	a misspelt option
options.nix	types.externalPath	types.path	tokens may be in the store
options.nix	ints.between 1 1000	ints.unsigned	no runner at all
options.nix	default = 1879048192	default = 1879113728	other ids
options.nix	"quadlet" else "service"	"service" else "quadlet"	another format
reports.nix	default = "127.0.0.1:8089"	default = "0.0.0.0:8089"	reports for everybody
settings.nix	load_credential = true	load_credential = false	tokens are read, not handed over
settings.nix	limits = table cfg.limits	limit = table cfg.limits	a misspelt key
settings.nix	fleet_limits = table cfg.fleetLimits	fleet_limits = table cfg.limits	a changed limit
settings.nix	unit_format = cfg.unitFormat;	-	no format
settings.nix	lib.mkDefault value	lib.mkForce value	settings do not win
types.nix	[1-9][0-9]*%	[0-9]*%	a quota of nothing
fleet.nix	== "private"	!= "none"	an account without an engine
fleet.nix	"homelab-runner-	"homelab-runners-	a misspelt account
accounts.nix	count = runnerId;	count = runnerId + 1;	sub-ids that hold the account's own
accounts.nix	runnerId = 1001	runnerId = 1000	not the image's user
accounts.nix	isSystemUser = true;	isSystemUser = false;	accounts that can log in
accounts.nix	subGidRanges = ranges "startGid" number;	-	no subordinate groups
units.nix	systemd.packages = [ cfg.finalUnits ];	-	units that systemd never sees
units.nix	environment.etc."homelab-runners/config.toml"	environment.etc."homelab-runner/config.toml"	the config in another place
units.nix	engineProgram =	engine =	a misspelt variable
units.nix	virtualisation.podman.enable = lib.mkIf usesPodman true;	-	no Podman
units.nix	subgid = subordinate "subGidRanges"	subgid = subordinate "subUidRanges"	groups that are users
units.nix	lib.mkIf cfg.reports.openFirewall	lib.mkIf cfg.enable	a firewall that is always open
units.nix	lib.mkIf cfg.monitor.openFirewall	lib.mkIf cfg.enable	a firewall that is open for the monitor
monitor.nix	default = "127.0.0.1:8090"	default = "0.0.0.0:8090"	a monitor for everybody
settings.nix	enabled = cfg.monitor.enable;	enable = cfg.monitor.enable;	a misspelt key of the monitor
render.sh	check --no-tokens	check	the config is not checked
render.sh	cp tree/etc/systemd/system/* "$units"	cp tree/etc/systemd/system/*.service "$units"	units that are lost
render.sh	cp -n generated/*.service "$units"	-	runners without a unit
render.sh	"$units"/* | cut	"$units"/*.socket | sed s/1/9/ | cut	a wrong account
switch.nix	homelab-runners-roll = {	homelab-runner-roll = {	a wrong unit name
switch.nix	wantedBy = [ "multi-user.target" ];	-	runners that do not start at boot
switch.nix	RemainAfterExit = true;	-	every switch rolls
switch.nix	cfg.finalUnits	-	changed units are not rolled
switch.nix	Type = "exec"	Type = "oneshot"	a switch that waits for runners
switch.nix	roll --check	roll	a check that changes something
switch.nix	switch | test)	switch)	a test that cancels workflow jobs
assertions.nix	cfg.tokensFile != null ||	true ||	a dropped assertion
assertions.nix	!hasCredential ||	true ||	a credential without a file
github.nix	types.externalPath	types.path	a credential in the store
settings.nix	{ inherit (cfg) ephemeral; }	{ }	an option without an effect
settings.nix	{ inherit github; }	{ github = { }; }	a credential that nobody uses
assertions.nix	!(lib.any isToken (strings settings))	true	tokens in the store
assertions.nix	strangers == [ ]	true	runners that are not
assertions.nix	lib.optional (onHost != [ ])	lib.optional false	a dropped warning
LIST
)

# All that the units say; their own place in the store is another with every change.
texts() {
  for place in $1; do
    (cd "$place" && find . -type f -exec sed -E 's#/nix/store/[0-9a-z]{32}-homelab-runners-units#UNITS#' {} +)
  done
}

passes() {
  evaluate_facts --show-trace 2>"$scratch/complaint" | cmp -s nix/tests/facts.json - && units=$(build units 2>"$scratch/complaint") && texts "$units" | cmp -s "$scratch/expected" -
}

texts "$(build units)" >"$scratch/expected"

number=0
survivors=0
while IFS=$'\t' read -r file old new what; do
  number=$((number + 1))
  module=$scratch/nix
  rm -rf "$module"
  cp -r nix "$module"
  MUTATION_OLD=$old MUTATION_NEW=$new python3 - "$module/module/$file" <<'PYTHON'
import os, sys
path, old, new = sys.argv[1], os.environ["MUTATION_OLD"], os.environ["MUTATION_NEW"]
new = "" if new == "-" else new
text = open(path).read()
if old not in text:
    sys.exit(f"{path}: {old} is not there any more; mend the list of mutations")
open(path, "w").write(text.replace(old, new))
PYTHON
  if passes; then
    echo "not found: $what ($file: $old -> $new)" >&2
    survivors=$((survivors + 1))
  fi
done <<<"$mutations"
if [ "$survivors" -gt 0 ]; then
  exit 1
fi
echo "$number mutations, all found"
