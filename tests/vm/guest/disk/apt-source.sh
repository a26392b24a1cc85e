#!/bin/bash
# Prints the address of the Debian mirror that apt uses on this host.
# HOMELAB_RUNNERS_DEBIAN_MIRROR overrides it, for hosts that are not Debian.
set -euo pipefail

if [ -n "${HOMELAB_RUNNERS_DEBIAN_MIRROR:-}" ]; then
  echo "$HOMELAB_RUNNERS_DEBIAN_MIRROR"
  exit 0
fi

# Both print one source per line, its address first. Security archives hold no base system: their suites end with -security.
deb822() {
  local file
  for file in /etc/apt/sources.list.d/*.sources; do
    # An empty line between two files, so that their stanzas stay apart.
    [ -f "$file" ] && { grep -v '^#' "$file" || true; echo; }
  done | awk 'BEGIN { RS = ""; FS = "\n" }
    {
      uri = suites = types = components = signed = ""; enabled = 1
      for (i = 1; i <= NF; i++) {
        if ($i ~ /^URIs:/) { split($i, words, /[ \t]+/); uri = words[2] }
        if ($i ~ /^Suites:/) suites = $i
        if ($i ~ /^Types:/) types = $i
        if ($i ~ /^Components:/) components = $i
        if ($i ~ /^Signed-By:/) signed = $i
        if ($i ~ /^Enabled:[ \t]*no/) enabled = 0
      }
      if (enabled && uri != "" && types ~ /deb( |$)/ && components ~ / main( |$)/ && suites !~ /-security/) print uri, suites, signed
    }'
}
one_line() {
  cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null |
    sed -nE 's/^deb[[:space:]]+(\[[^]]*\])?[[:space:]]*([^[:space:]]+)(.*)/\2\3 \1/p' |
    awk '$2 !~ /-security|\/updates/ && / main( |$)/'
}

ID=
# shellcheck source=/dev/null
. /etc/os-release
sources=$({ deb822; one_line; } || true)
# Debian's own archive before others that also call their component "main"; on Debian a private mirror may not say so.
mirror=$(grep -i debian <<<"$sources" | awk 'NR == 1 { print $1 }' || true)
if [ -z "$mirror" ] && [ "$ID" = debian ]; then
  mirror=$(awk 'NR == 1 { print $1 }' <<<"$sources")
fi
case $mirror in
  mirror+file:*)
    # mirror+file:/path and mirror+file:///path are the same.
    list=${mirror#mirror+file:}
    mirror=$(awk '!/^#/ && NF { print $1; exit }' "/${list#"${list%%[!/]*}"}")
    ;;
esac
if [ -z "$mirror" ]; then
  echo "no Debian mirror is named in apt's sources of this host" >&2
  echo "hint: set HOMELAB_RUNNERS_DEBIAN_MIRROR to the address of one" >&2
  exit 1
fi
echo "$mirror"
