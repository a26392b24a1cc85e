#!/bin/bash
# switch NAME: in the guest, what `nixos-rebuild test` does with a host of guest.nix, by the rules of NixOS' switch-to-configuration as far as our units meet them:
# pre-switch checks; stop of what is gone; activation (accounts, /etc); daemon-reload; restart of what has changed, but for what says X-RestartIfChanged=false, slices,
# sockets and targets; start of the targets that are active, but for those that say X-OnlyManualStart=true.
set -euo pipefail
new=$(readlink "/hosts/$1")
old=$(readlink /run/current-host || true)
etc=/etc/systemd/system

bash "$new/check" "$new" test || { echo "pre-switch check failed" >&2 && exit 1; }

is_active() {
  systemctl is-active --quiet "$1" || [ "$(systemctl show --value -p ActiveState "$1")" = activating ]
}
# Of a host, its units but for links that want them.
units_of() {
  if [ -n "$1" ]; then
    find "$1/etc/systemd/system" -maxdepth 1 ! -type d -printf '%f\n' | sort
  fi
}

stop=() restart=() skipped=()
for unit in $(units_of "$old"); do
  is_active "$unit" || continue
  if ! [ -e "$new/etc/systemd/system/$unit" ]; then
    stop+=("$unit")
  elif ! diff -q <(grep -v '^SourcePath=' "$old/etc/systemd/system/$unit") <(grep -v '^SourcePath=' "$new/etc/systemd/system/$unit") >/dev/null; then
    case $unit in
      *.slice | *.socket | *.target) ;;
      *)
        if grep -qx 'X-RestartIfChanged=false' "$new/etc/systemd/system/$unit"; then
          skipped+=("$unit")
        else
          restart+=("$unit")
        fi
        ;;
    esac
  fi
done
if [ ${#stop[@]} -gt 0 ]; then
  echo "stopping: ${stop[*]}"
  systemctl stop "${stop[@]}"
fi

# Activation.
cut -d' ' -f1 "$new/accounts" >/tmp/accounts-new
if [ -n "$old" ]; then
  while read -r name _; do
    grep -qx "$name" /tmp/accounts-new || { userdel "$name" && sed -i "/^$name:/d" /etc/subuid /etc/subgid; }
  done <"$old/accounts"
fi
while read -r name id home ranges; do
  id "$name" >/dev/null 2>&1 && continue
  groupadd --gid "$id" "$name"
  useradd --uid "$id" --gid "$id" --home-dir "$home" --no-create-home --shell /usr/sbin/nologin -K SUB_UID_COUNT=0 -K SUB_GID_COUNT=0 "$name"
  sed -i "/^$name:/d" /etc/subuid /etc/subgid
  for range in $ranges; do
    echo "$name:$range" | tee -a /etc/subuid >>/etc/subgid
  done
done <"$new/accounts"
find "$etc" -lname '/nix/store/*' -delete
rm -rf /etc/homelab-runners
for unit in $(units_of "$new"); do
  ln -s "$(readlink -f "$new/etc/systemd/system/$unit")" "$etc/$unit"
done
for wanted in "$new"/etc/systemd/system/multi-user.target.wants/*; do
  [ -L "$wanted" ] && ln -sfn "$(readlink -f "$wanted")" "$etc/multi-user.target.wants/${wanted##*/}"
done
[ ! -d "$new/etc/homelab-runners" ] || cp -r --no-dereference "$new/etc/homelab-runners" /etc/homelab-runners
ln -sfn "$new" /run/current-host
systemctl daemon-reload

[ ${#skipped[@]} -eq 0 ] || echo "NOT restarting: ${skipped[*]}"
if [ ${#restart[@]} -gt 0 ]; then
  echo "restarting: ${restart[*]}"
  systemctl restart "${restart[@]}"
fi
start=(multi-user.target)
for unit in $(units_of "$new"); do
  case $unit in
    *.target)
      ! is_active "$unit" || grep -qx 'X-OnlyManualStart=true' "$etc/$unit" || start+=("$unit")
      ;;
  esac
done
systemctl start "${start[@]}"
