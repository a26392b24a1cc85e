#!/bin/bash
# Stands where the simulator's run.sh goes, so that the harness can be tried without the simulator.
set -euo pipefail
exec "$(dirname "$0")/bin/Runner.Listener" run "$@"
