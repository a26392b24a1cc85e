#!/bin/bash
# Runs in the guest: makes the stand-in for GitHub's runner image from the base that is already in the engine's store and the runner's own
# programs. Much quicker under emulation than `build`, which runs a container and copies file by file.
# Usage: runner-image.sh ENGINE IMAGE DIR
set -euo pipefail

engine=$1 image=$2 programs=$3
container=$("$engine" create localhost/homelab-runner-base:latest /bin/bash)
trap '"$engine" rm --force "$container" >/dev/null' EXIT
if [ "$engine" = podman ]; then
  root=$(podman mount "$container")
  cp -r --no-preserve=ownership "$programs/." "$root/home/runner/"
  chown -R 1001:123 "$root/home/runner"
  podman unmount "$container" >/dev/null
else
  # Not --archive, which despite its name gives everything to the image's user and that user's group.
  tar -C "$programs" --owner=1001 --group=123 --numeric-owner -cf - . | docker cp -q - "$container:/home/runner"
fi
"$engine" commit --change 'CMD ["/bin/bash"]' "$container" "$image" >/dev/null
