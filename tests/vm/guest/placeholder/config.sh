#!/bin/bash
# Stands where the simulator's config.sh goes, so that the harness can be tried without the simulator.
set -euo pipefail
echo "placeholder config.sh"
