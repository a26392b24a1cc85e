#!/bin/bash
# Health check of a runner container: is this runner connected to GitHub, as far as can be seen from inside, with no
# network, no secret and no program but bash? Prints one line; exit 0 healthy, 1 not.
# RUNNERCTL_SYSROOT and RUNNERCTL_MAIN_PID are for tests.
set -uo pipefail
umask 022 # people without root read what is noted

readonly sysroot=${RUNNERCTL_SYSROOT:-}
readonly status=$sysroot/run/homelab-runner/status
readonly perf=${RUNNER_PERFLOG:-$status/perf}/Runner.perf
readonly health_file=$status/health
# A session that another listener left behind is refused for about four minutes: no reason to start over before that.
readonly connecting_seconds=300
printf -v now '%(%s)T' -1
readonly now

# For the host: failures in a row, when the first was, when this check is. All of one width and written over the last ones, so that no
# reader finds half of it; there may be no place for it (Compose).
note() { # FAILURES FIRST
    { printf '%10d %10d %10d\n' "$1" "$2" "$now" 1<>"$health_file"; } 2>/dev/null
}

healthy() {
    note 0 0
    printf 'online: %s\n' "$1"
    exit 0
}

unhealthy() {
    printf 'not connected: %s\n' "$1"
    [[ -z ${RUNNERCTL_HEAL_AFTER:-} ]] || ask_for_end
    exit 1
}

# No engine ends the container: it would count checks that were too slow, or could not be started, and so end a workflow job
# that takes all there is. After n failures in a row that this script has found, it asks the entrypoint to end.
ask_for_end() {
    local count=0 first=0 word=''
    [[ ! -f $health_file ]] || read -r count first _ <"$health_file"
    [[ $count =~ ^[1-9][0-9]{0,5}$ && $first =~ ^[1-9][0-9]{0,9}$ ]] || count=0 first=$now
    ((count += 1))
    note "$count" "$first"
    ((count >= RUNNERCTL_HEAL_AFTER)) || return
    [[ ! -f $status/state ]] || read -r word <"$status/state"
    case $word in
    online) ;;
    connecting) ((now - first >= connecting_seconds)) || return ;;
    *) return ;; # registering or on its way out: the entrypoint is at work itself
    esac
    kill -USR1 "${RUNNERCTL_MAIN_PID:-1}"
}

# Fills `comm`, `state` (R, S, T…) and `argv` from a directory of /proc; false when the process is gone.
read_process() {
    local stat
    { read -r comm <"$1/comm" && read -r stat <"$1/stat"; } 2>/dev/null || return
    stat=${stat##*) } # the name in brackets may hold anything
    state=${stat:0:1}
    argv=()
    [[ $comm != Runner.Listener ]] || mapfile -d '' -t argv 2>/dev/null <"$1/cmdline"
}

has_agent_id() {
    local dir text=''
    for dir in "$sysroot/home/runner" "$sysroot/actions-runner"; do
        [[ -f $dir/.runner ]] || continue
        IFS= read -rd '' text <"$dir/.runner" # begins with a byte order mark, so nothing is anchored
        [[ $text =~ \"agentId\"[[:space:]]*:[[:space:]]*[1-9] ]] && return
    done
    return 1
}

session_created() {
    local line created=1
    [[ -f $perf && ! -L $perf ]] || return
    while IFS= read -r line; do
        case $line in
        RunnerProcessStarted:*) created=1 ;;
        SessionCreated:*) created=0 ;;
        esac
    done <"$perf"
    return "$created"
}

listeners=0 stopped=0
for dir in "$sysroot"/proc/[0-9]*; do
    read_process "$dir" || continue
    [[ $state != [ZXx] ]] || continue
    # No workflow job is ever ended by a health check.
    [[ $comm != Runner.Worker ]] || healthy 'running a workflow job'
    [[ $comm == Runner.Listener && " ${argv[*]} " == *' run '* ]] || continue
    ((listeners += 1))
    [[ $state != T ]] || stopped=1
done
((listeners > 0)) || unhealthy 'no listener is running'
((listeners == 1)) || unhealthy "$listeners listeners are running"
((!stopped)) || unhealthy 'the listener is stopped by a signal'
has_agent_id || unhealthy 'the runner has no identity'
session_created || unhealthy 'the listener has no session at GitHub'
healthy 'listening for workflow jobs'
