#!/bin/bash
# Stands in for mv, rm, sync and tee in a container. Counts those that have to do with the token or the identity, and stops for ever before the one whose number stands in
# the file `at` beside it. What is beside config.sh while that runs does not count: where that is, is the affair of the requests.
here=${0%/*}
case $* in
*identity/registering.new*) ;;
*/identity* | */token/* | */home/runner/.*)
    printf x >>"$here/taken"
    if (($(stat -c %s "$here/taken") > $(<"$here/at"))) && mkdir "$here/stopped" 2>/dev/null; then
        exec sleep 600
    fi
    ;;
esac
export PATH=${PATH#*:}
exec "${0##*/}" "$@"
