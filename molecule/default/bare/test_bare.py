# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A bare host, and what check mode does to it: nothing."""

from shared.cluster import differences


def test_check_mode_says_what_it_would_do_and_does_nothing(cluster):
    before = cluster.files("s1")
    cluster.remember("bare", before)
    played = cluster.play("deploy", "--check", "--diff")
    assert differences(before, cluster.files("s1")) == {}
    assert played.changed > 0
    assert "query_port = 9030" in played.output
    assert cluster.units("s1") == {}
