#!/bin/bash
# Turns an extracted (not configured) Debian tree into the base of the stand-in runner image, laid out like the official image: users, sudo,
# no documentation. Writes runner-base.tar and busybox.tar into DIR.
# Usage: runner-base.sh TREE DIR
set -euo pipefail

tree=$1 dir=$2

# Weight without use here. perl is only wanted by git's least used subcommands.
rm -rf "$tree"/usr/share/{doc,man,locale,info,lintian,bash-completion,zsh,perl,perl5,gitweb,bug,common-licenses} \
  "$tree"/usr/lib/x86_64-linux-gnu/{perl,perl-base,gconv,libperl.so*} "$tree"/usr/bin/{perl*,openssl,docker-init} \
  "$tree"/usr/share/{i18n,keyrings} "$tree"/var/{cache,lib/apt,lib/dpkg,log} "$tree"/usr/libexec/docker/cli-plugins
rm -f "$tree"/etc/apt/apt.conf.d/* "$tree"/etc/apt/sources.list
rm -f "$tree"/usr/bin/{scalar,git-shell,cvtsudoers} "$tree"/usr/sbin/sudo_{logsrvd,sendlog} \
  "$tree"/usr/lib/x86_64-linux-gnu/{libdb-5.3,libmvec}.so*
ln -sf ../../bin/git "$tree/usr/lib/git-core/git"

# The tree was extracted, not installed: what the packages' own scripts would have written.
cat >"$tree/etc/passwd" <<'END'
root:x:0:0:root:/root:/bin/bash
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
runner:x:1001:1001::/home/runner:/bin/bash
END
cat >"$tree/etc/group" <<'END'
root:x:0:
tty:x:5:
sudo:x:27:runner
docker:x:123:runner
nogroup:x:65534:
runner:x:1001:
END
printf 'root:*:20000::::::\nrunner:*:20000::::::\n' >"$tree/etc/shadow"
chmod 640 "$tree/etc/shadow"
printf 'passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n' >"$tree/etc/nsswitch.conf"
printf 'Defaults env_reset\nroot ALL=(ALL) ALL\n%%sudo ALL=(ALL) NOPASSWD:ALL\n' >"$tree/etc/sudoers"
chmod 440 "$tree/etc/sudoers"
install -d "$tree/etc/pam.d"
for stack in sudo other; do
  printf '%s required pam_permit.so\n' auth account session password >"$tree/etc/pam.d/$stack"
done
install -d "$tree/etc/ssl/certs"
find "$tree/usr/share/ca-certificates" -name '*.crt' -exec cat {} + >"$tree/etc/ssl/certs/ca-certificates.crt"
ln -sf mawk "$tree/usr/bin/awk"
install -d -m 1777 "$tree/tmp" "$tree/var/tmp"
install -d "$tree"/{dev,proc,sys,run,root,var/cache,var/log,var/lib} "$tree/var/run"
rmdir "$tree/var/run"
ln -s /run "$tree/var/run"
install -d -o 1001 -g 123 "$tree/home/runner"
chroot "$tree" ldconfig

tar -C "$tree" --numeric-owner --one-file-system -cf "$dir/runner-base.tar" .

# The image of jobs that run containers: one static program under its many names.
install -d "$dir/busybox"/{bin,dev,etc,proc,sys,run}
install -d -m 1777 "$dir/busybox/tmp"
install "$tree/usr/bin/busybox" "$dir/busybox/bin/busybox"
chroot "$dir/busybox" /bin/busybox --install -s /bin
printf 'root:x:0:0:root:/:/bin/sh\n' >"$dir/busybox/etc/passwd"
printf 'root:x:0:\n' >"$dir/busybox/etc/group"
tar -C "$dir/busybox" --numeric-owner -cf "$dir/busybox.tar" .
