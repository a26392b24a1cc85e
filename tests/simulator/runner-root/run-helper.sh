#!/bin/bash
# Runs the listener once and says what its exit code means. A stand-in for the script of the same name in GitHub's
# runner, which hides most codes: 2, 3 and 4 ask run.sh for another round, nearly all others become 0.

if [[ $(id -u) -eq 0 && -z "$RUNNER_ALLOW_RUNASROOT" ]]; then
    echo "Must not run interactively with sudo"
    exit 1
fi

root="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
seconds_for_update=31

"$root/bin/Runner.Listener" run "$@"
code=$?

case "$code" in
0)
    echo "Runner listener exit with 0 return code, stop the service, no retry needed."
    exit 0
    ;;
1)
    echo "Runner listener exit with terminated error, stop the service, no retry needed."
    exit 0
    ;;
2)
    echo "Runner listener exit with retryable error, re-launch runner in 5 seconds."
    sleep 5
    exit 2
    ;;
3 | 4)
    echo "Runner listener exit because of updating, re-launch runner after successful update"
    for ((second = 0; second < seconds_for_update; second++)); do
        if [[ -f "$root/update.finished" ]]; then
            rm -f "$root/update.finished"
            break
        fi
        sleep 1
    done
    exit "$code"
    ;;
5)
    echo "Runner listener exit with Session Conflict error, stop the service, no retry needed."
    exit 0
    ;;
7)
    if [[ "$ACTIONS_RUNNER_RETURN_VERSION_DEPRECATED_EXIT_CODE" == "1" ]]; then
        echo "Runner listener exit with deprecated version error code: $code"
        exit 7
    fi
    echo "Exiting with unknown error code: $code"
    exit 0
    ;;
*)
    echo "Exiting with unknown error code: $code"
    exit 0
    ;;
esac
