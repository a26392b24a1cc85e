#!/bin/bash
# Searches everywhere a secret could end up for those that this host has: the tokens of the `.env`, the host's own credential, and a part of each
# runner's private key. Ends with the number of places and secrets; 1 and the place for a secret that was found.
set -uo pipefail
export LC_ALL=C # grep is many times slower in UTF-8
secrets=$(mktemp -p /run)
sed -n 's/^RUNNER_TOKEN_.*=//p' /etc/homelab-runners/.env >"$secrets"
for file in /var/lib/homelab-runners/*/identity/.credentials_rsaparams; do
  sed 's/^\xef\xbb\xbf//' "$file" | jq -r .d >>"$secrets"
done
credential=/etc/homelab-runners/github-credential
if grep -q '^-----' "$credential" 2>/dev/null; then
  # An App's: each line of its key, and what the tokens begin with that GitHub gives for it.
  { grep -v '^-----' "$credential"; echo ghs_; } >>"$secrets"
elif [ -e "$credential" ]; then
  cat "$credential" >>"$secrets"
fi
# What is known to be there proves that the search works.
grep -qFf "$secrets" /etc/homelab-runners/.env || { echo "the search finds nothing"; exit 2; }
bad=0 places=0
search() { # NAME: standard input must not hold a secret
  places=$((places + 1))
  cat >"$secrets.text"
  [ -s "$secrets.text" ] || { echo "nothing to search in $1"; bad=1; }
  if grep -aqFf "$secrets" "$secrets.text"; then echo "found in $1"; bad=1; fi
}
processes() {
  for process in /proc/[0-9]*; do
    case $(cat "$process/comm") in github-simulat*) continue ;; esac
    cat "$process/cmdline" "$process/environ"
  done 2>/dev/null
}
units() {
  find /etc/systemd/system /etc/containers/systemd /run/systemd/generator -name 'homelab-runner*' -type f -exec cat {} +
}
logs() { for number in 1 2 3 4; do podman logs "homelab-runner-$number"; done 2>&1; }
in_each() { for number in 1 2 3 4; do podman exec "homelab-runner-$number" bash -c "$1"; done 2>/dev/null; }
# Not through a pipe: what is found and counted has to stay in this shell.
search journal < <(journalctl --no-pager -o export)
search inspect < <(podman inspect homelab-runner-{1,2,3,4})
search units < <(units)
search show < <(systemctl show '*' --all)
search processes < <(processes)
search logs < <(logs)
search runtime < <(find /run/homelab-runners -type f -exec cat {} +)
search state < <(find /var/lib/homelab-runners -type f -not -path '*/identity/*' -not -path '*/images/*' -exec cat {} +)
search diag < <(in_each 'cat /home/runner/_diag/*')
search containers < <(in_each 'cat /run/homelab-runner/*/* /proc/*/environ')
search runnerctl < <(runnerctl status --json; runnerctl -vv check 2>&1; runnerctl -vv status 2>&1; runnerctl -vv gc --dry-run 2>&1)
echo "searched $places places for $(wc -l <"$secrets") secrets"
rm -f "$secrets" "$secrets.text"
exit $bad
