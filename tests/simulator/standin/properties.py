# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings files of every kind of node: Java properties, and ${NAME} in their values."""

import os
import re


def properties(path):
    """The ``key = value`` lines of a Java properties file, without its comments. A missing file is an empty one."""
    result = {}
    if not os.path.exists(path):
        return result
    with open(path, encoding="utf-8") as file:
        for line in re.sub(r"\\\n\s*", "", file.read()).splitlines():
            match = re.match(r"\s*([^#!\s=:][^\s=:]*)\s*[=: ]\s*(.*?)\s*$", line)
            if match:
                result[match.group(1)] = match.group(2)
    return result


def expand(value):
    """``${STARROCKS_HOME}/meta`` with the environment's values; unknown names stay as they are."""
    return re.sub(r"\$\{(\w+)\}", lambda match: os.environ.get(match.group(1), match.group(0)), value)
