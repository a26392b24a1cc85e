#!/bin/bash
# Stub of GitHub's config.sh; each test writes what it does into $STUB/config.
printf '%s\n' "$*" >>"$STUB/config.calls"
head -n 1 "$STATE" >>"$STUB/states"
identity() { # AGENT_ID
    printf '\xef\xbb\xbf{\n  "agentId": %s,\n  "agentName": "homelab-runner-3"\n}' "$1" >.runner
    printf '\xef\xbb\xbf{\n  "scheme": "OAuth"\n}' >.credentials
    printf '\xef\xbb\xbf{\n  "modulus": "AQAB"\n}' >.credentials_rsaparams
}
wait_for() { until [[ -e $STUB/$1 ]]; do sleep 0.02; done; }
printf '%s\n' "$$" >"$STUB/config.pid"
# shellcheck source=/dev/null
. "$STUB/config"
