#!/bin/bash
# Runs once in the guest, before its disk goes into the cache: puts the images that every test needs into both engines' stores.
set -euo pipefail

images=/var/tmp/images
base=localhost/homelab-runner-base:latest
base_config=(--change 'USER runner' --change 'WORKDIR /home/runner'
  --change 'ENV RUNNER_MANUALLY_TRAP_SIG=1' --change 'ENV ACTIONS_RUNNER_PRINT_LOG_TO_STDOUT=1'
  --change 'ENV ImageOS=ubuntu24' --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin')
busybox=localhost/busybox:latest
busybox_config=(--change 'CMD ["/bin/sh"]')

systemctl start docker.service
for engine in podman docker; do
  "$engine" import "${base_config[@]}" "$images/runner-base.tar" "$base"
  "$engine" import "${busybox_config[@]}" "$images/busybox.tar" "$busybox"
  # The first container of a store writes much that later ones find.
  "$engine" run --rm "$busybox" true
done
systemctl stop docker.service docker.socket containerd.service
rm -rf "$images"
sync
