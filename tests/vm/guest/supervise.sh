#!/bin/bash
# Runs a program for as long as standard input stays open, then kills it and removes DIR. The caller holds the other end of that pipe, so that
# neither QEMU nor its files outlive the caller, however it ends. A program that ends earlier leaves its exit code in DIR/ended.
# Usage: supervise.sh DIR PROGRAM [ARGUMENT…]
set -euo pipefail

dir=$1
shift
# A terminal's Ctrl-C is for the caller; what follows from it arrives through the pipe.
trap '' INT HUP TERM
"$@" </dev/null &
program=$!
# Bash gives /dev/null to what runs in the background unless told otherwise.
cat <&0 >/dev/null &
caller=$!

finish() {
  kill -KILL "$program" 2>/dev/null || true
  wait "$program" 2>/dev/null || true
  rm -rf "$dir"
}
trap finish EXIT

status=0
wait -n -p ended || status=$?
if [ "$ended" = "$program" ]; then
  echo "$status" >"$dir/ended.new"
  mv "$dir/ended.new" "$dir/ended"
  wait "$caller" || true
fi
