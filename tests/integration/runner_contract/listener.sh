#!/bin/bash
# Stub of GitHub's bin/Runner.Listener; each test writes what it does into $STUB/listener.
head -n 1 "$STATE" >>"$STUB/states"
perf() { printf '%s:2026-11-23T16:29:56.0000000Z\n' "$1" >>"$RUNNER_PERFLOG/Runner.perf"; }
listen() {
    perf RunnerProcessStarted
    printf '\n√ Connected to GitHub\n\nCurrent runner version: '\''2.336.0'\''\n'
    perf SessionCreated
    printf '2026-11-23 16:29:56Z: Listening for Jobs\n'
}
interrupted() {
    echo INT >>"$STUB/signals"
    head -n 1 "$STATE" >>"$STUB/states"
    echo Exiting...
    exit 0
}
for_ever() { while :; do sleep 0.02; done; }
wait_for() { until [[ -e $STUB/$1 ]]; do sleep 0.02; done; }
trap interrupted INT
trap 'echo TERM >>"$STUB/signals"; exit 143' TERM
printf '%s\n' "$$" >"$STUB/listener.pid.new"
mv "$STUB/listener.pid.new" "$STUB/listener.pid"
# shellcheck source=/dev/null
. "$STUB/listener"
