# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test hosts: Debian with systemd in podman containers.

commands  running programs, saying what is done, file locks
recipe    what is in a host's image (data only)
image     building that image, keeping it in the cache
machine   what must be true of this machine while hosts exist, and putting it back afterwards
sets      named sets of hosts: addresses, keys, inventory, start and stop
cli       the command line
"""
