#!/bin/bash
# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Make a Debian root folder. Called by image.py in mount and process namespaces of its own, so that an interrupted
# run leaves neither mounts nor processes. Folders: $1 holds "files" (copied over the root) and gets "root".
# Environment: RELEASE MIRROR PACKAGES DOWNLOADED_PACKAGES MASKED_UNITS ENABLED_UNITS. Progress goes to descriptor 3.
set -euo pipefail

work=$1
root=$work/root
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
step() { echo "$*" >&3; }
inside() { chroot "$root" "$@"; }

step "downloading and unpacking Debian $RELEASE"
debootstrap --variant=minbase --include=ca-certificates "$RELEASE" "$root" "$MIRROR"

cp -r --no-preserve=all "$work/files/." "$root/"
# No service starts in the image (101: forbidden by policy), and dpkg need not wait for the disk.
printf '#!/bin/sh\nexit 101\n' > "$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"
echo force-unsafe-io > "$root/etc/dpkg/dpkg.cfg.d/unsafe-io"
mount -t proc proc "$root/proc"
cp /etc/resolv.conf "$root/etc/resolv.conf"
inside update-ca-certificates

step "installing packages: systemd, SSH server, Python, JDK"
inside apt-get -q update
# shellcheck disable=SC2086  # lists of names
inside apt-get -q -y install $PACKAGES
inside apt-get clean
# shellcheck disable=SC2086
inside apt-get -q -y --download-only install $DOWNLOADED_PACKAGES

# shellcheck disable=SC2086
inside systemctl mask $MASKED_UNITS
# shellcheck disable=SC2086
inside systemctl enable $ENABLED_UNITS

# What must differ from host to host, or belongs to the build.
rm -f "$root"/etc/ssh/ssh_host_* "$root/usr/sbin/policy-rc.d" "$root/etc/dpkg/dpkg.cfg.d/unsafe-io"
rm -f "$root/etc/resolv.conf" "$root/etc/hostname" "$root/var/lib/dbus/machine-id"
: > "$root/etc/machine-id"
rm -rf "$root"/var/log/*.log "$root"/var/log/apt "$root"/tmp/*
find "$root/usr/share/doc" "$root/usr/share/man" -type f -delete  # the folders stay: packages link into them
umount "$root/proc"
