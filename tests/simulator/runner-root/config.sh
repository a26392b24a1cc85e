#!/bin/bash
# Configures or removes the runner. A stand-in for the script of the same name in GitHub's runner; it leaves out the
# check for .NET's libraries, since the programs below bin/ need none.

if [[ $(id -u) -eq 0 && -z "$RUNNER_ALLOW_RUNASROOT" ]]; then
    echo "Must not run with sudo"
    exit 1
fi

cd "$(dirname "${BASH_SOURCE[0]}")" || exit 1

# Keeps this shell's PATH and some variables for later starts of the runner.
# shellcheck source=env.sh
source ./env.sh

if [[ "$1" == "remove" ]]; then
    ./bin/Runner.Listener "$@"
else
    ./bin/Runner.Listener configure "$@"
fi
