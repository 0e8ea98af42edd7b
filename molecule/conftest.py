# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of all scenarios. pytest puts this folder into sys.path, so that tests import from `shared`."""

from __future__ import annotations

import pytest
from shared.cluster import Cluster, of_this_scenario


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    """The hosts of the scenario and the cluster on them."""
    return of_this_scenario()
