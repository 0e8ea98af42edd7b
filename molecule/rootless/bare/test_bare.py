# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the hosts are before the deploy, for the story to compare with."""


def test_hosts_give_no_rights(cluster):
    cluster.remember("bare", {name: cluster.files(name) for name in cluster.hosts})
    for name in cluster.hosts:
        assert cluster.on(name).run("runuser -u tester -- sudo -n true").rc != 0
