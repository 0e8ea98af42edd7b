# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import pytest
from ansible_collections.starrocks.cluster.plugins.module_utils._changes import (
    BACKEND_BLACKLIST,
    COMPUTE_NODE_BLACKLIST,
    LOCATIONS,
    WAREHOUSES,
    read_start_time,
    version_lacks,
)


@pytest.mark.parametrize('version, lacking', [
    ('2.5.22', [LOCATIONS, WAREHOUSES, BACKEND_BLACKLIST, COMPUTE_NODE_BLACKLIST]),
    ('3.2.7', [LOCATIONS, WAREHOUSES, BACKEND_BLACKLIST, COMPUTE_NODE_BLACKLIST]),
    ('3.2.8-9d16cb2', [WAREHOUSES, BACKEND_BLACKLIST, COMPUTE_NODE_BLACKLIST]),
    ('3.3.0-rc01-3b8cb0c', [COMPUTE_NODE_BLACKLIST]),
    ('4.0.0-d7c2237', []),
    ('MAIN-RELEASE-d094052', []),
    (None, []),
])
def test_what_a_version_lacks(version, lacking):
    features = [LOCATIONS, WAREHOUSES, BACKEND_BLACKLIST, COMPUTE_NODE_BLACKLIST]
    reasons = version_lacks(version, features)
    assert [reason.split(' came with')[0] for reason in reasons] == [feature.title for feature in lacking]
    assert all('StarRocks %s' % feature.since in reason and feature.instead in reason
               for feature, reason in zip(lacking, reasons))


@pytest.mark.parametrize('text, read', [
    ('2026-11-23T03:05:32Z', '2026-11-23T03:05:32Z'), ('', None),
    # As StarRocks shows it, where that is in UTC.
    ('2026-11-23 03:05:32', '2026-11-23T03:05:32Z')])
def test_when_the_process_before_had_started(text, read):
    assert read_start_time(text) == read


def test_what_is_no_time():
    with pytest.raises(ValueError, match="'yesterday' is no time such as"):
        read_start_time('yesterday')
