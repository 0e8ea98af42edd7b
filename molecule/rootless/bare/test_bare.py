# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts that give an account nothing but a home: what deploy asks for, and what check mode does to them."""

import pytest
from shared.cluster import differences


@pytest.fixture(scope="module", autouse=True)
def bare(cluster):
    """The files of all hosts, for the story of the deploy to compare with as well."""
    files = {name: cluster.files(name) for name in cluster.hosts}
    cluster.remember("bare", files)
    return files


def test_the_account_may_do_nothing_as_root(cluster):
    for name in cluster.hosts:
        assert cluster.on(name).run("runuser -u tester -- sudo -n true").rc != 0


def test_what_only_an_administrator_can_do_is_asked_for(cluster, bare):
    """Units that outlive a login, folders outside of the home, and an account that is not the one that connects."""
    cluster.on("u2").check_output("loginctl disable-linger tester")
    try:
        played = cluster.play("deploy", extra={"starrocks_data_dir": "/var/lib/starrocks"}, status=None)
    finally:
        cluster.on("u2").check_output("loginctl enable-linger tester")
    assert "may not write to /var/lib" in played.words and "starrocks_data_dir" in played.words
    assert "An administrator runs once: loginctl enable-linger tester" in played.words
    other = cluster.play("deploy", extra={"starrocks_user": "starrocks"}, status=None)
    assert "Set ansible_user to starrocks, without become, or starrocks_user to the account" in other.words
    assert {name: differences(bare[name], cluster.files(name)) for name in bare} == {name: {} for name in bare}


def test_check_mode_says_what_it_would_do_and_does_nothing(cluster, bare):
    played = cluster.play("deploy", "--check", "--diff")
    assert played.changed > 0
    assert "query_port = 9030" in played.output
    assert {name: differences(bare[name], cluster.files(name)) for name in bare} == {name: {} for name in bare}
    assert {name: cluster.units(name) for name in bare} == {name: {} for name in bare}
