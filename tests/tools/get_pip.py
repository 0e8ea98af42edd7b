# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Put pip into the virtual environments of ansible-test from Python's own bundle.

ansible-test wants to download a script for that; tests/tools/sanity lays this one in its cache, so that the sanity
tests need no network beyond the package index.
"""

import ensurepip

ensurepip.bootstrap(default_pip=True)
