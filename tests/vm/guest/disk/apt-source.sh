#!/bin/bash
# Prints the address of the Debian mirror that apt uses on this host.
# HOMELAB_RUNNERS_DEBIAN_MIRROR overrides it, for hosts that are not Debian.
set -euo pipefail

if [ -n "${HOMELAB_RUNNERS_DEBIAN_MIRROR:-}" ]; then
  echo "$HOMELAB_RUNNERS_DEBIAN_MIRROR"
  exit 0
fi

# Security archives have no base system: their suites end with -security.
one_line() {
  cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null |
    sed -E 's/^deb[[:space:]]+\[[^]]*\]/deb/' |
    awk '$1 == "deb" && $3 !~ /-security|\/updates/ && / main( |$)/ { print $2 }'
}
deb822() {
  # An empty line between two files, so that their stanzas stay apart.
  for file in /etc/apt/sources.list.d/*.sources; do
    [ -f "$file" ] && { grep -v '^#' "$file" || true; echo; }
  done | awk 'BEGIN { RS = ""; FS = "\n" }
    {
      uri = ""; suites = ""; enabled = 1; types = ""; components = ""
      for (i = 1; i <= NF; i++) {
        if ($i ~ /^URIs:/) { split($i, words, /[ \t]+/); uri = words[2] }
        if ($i ~ /^Suites:/) suites = $i
        if ($i ~ /^Types:/) types = $i
        if ($i ~ /^Components:/) components = $i
        if ($i ~ /^Enabled:[ \t]*no/) enabled = 0
      }
      if (enabled && uri != "" && types ~ /deb( |$)/ && components ~ / main( |$)/ && suites !~ /-security/) print uri
    }'
}

mirror=$({ deb822; one_line; } | grep -i debian | head -n 1 || true)
case $mirror in
  mirror+file:*)
    list=${mirror#mirror+file:}
    mirror=$(awk '!/^#/ && NF { print $1; exit }' "$list")
    ;;
esac
if [ -z "$mirror" ]; then
  echo "no Debian mirror is named in apt's sources of this host" >&2
  echo "hint: set HOMELAB_RUNNERS_DEBIAN_MIRROR to the address of one" >&2
  exit 1
fi
echo "$mirror"
