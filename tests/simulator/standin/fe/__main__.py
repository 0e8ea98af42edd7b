# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python3 -m standin.fe``: what start_fe.sh runs in place of the Java class StarRocksFE."""

import sys

from standin.fe.main import main

sys.exit(main(sys.argv[1:]))
