#!/bin/bash
# Runs the listener, again after an update or a passing error. As in GitHub's runner, every other failure ends here
# with exit code 0.
#
# With RUNNER_MANUALLY_TRAP_SIG set, SIGINT and SIGTERM both reach the listener as SIGINT and this script waits for
# it. Without, bash's own way with signals applies.

root="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"

# Runs the helper once, in the foreground.
run_once() {
    "$root/run-helper.sh" "$@"
}

# Runs the helper once in the background, so that the traps of this shell are served while it runs.
run_once_with_traps() {
    "$root/run-helper.sh" "$@" &
    helper=$!
    wait "$helper"
    local code=$?
    if [[ -z "$stop_code" ]]; then
        return "$code"
    fi
    # The trap ended only the waiting; the listener may take its time.
    while kill -0 "$helper" 2>/dev/null; do
        wait "$helper"
    done
    exit "$stop_code"
}

stop_code=""
run=run_once
if [[ -n "$RUNNER_MANUALLY_TRAP_SIG" ]]; then
    run=run_once_with_traps
    # Job control gives the helper a process group of its own, in which SIGINT is not ignored.
    set -m
    trap 'stop_code=130; kill -INT -- "-$helper"' INT
    trap 'stop_code=143; kill -INT -- "-$helper"' TERM
fi

while :; do
    "$run" "$@"
    code=$?
    case "$code" in
    2 | 3 | 4)
        echo "Restarting runner..."
        ;;
    7)
        # Only reported when ACTIONS_RUNNER_RETURN_VERSION_DEPRECATED_EXIT_CODE=1.
        echo "Exiting runner..."
        exit 7
        ;;
    *)
        echo "Exiting runner..."
        exit 0
        ;;
    esac
done
