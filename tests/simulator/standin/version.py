# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Versions: which release this program stands in for, and comparing versions by their numbers."""

import functools
import json
import os
import re

_NUMBERS = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?")


def numbers(text):
    """``"3.5.0-rc01"`` -> ``(3, 5, 0)``. Raises ValueError for what is no version."""
    match = _NUMBERS.match(text)
    if not match:
        raise ValueError(f"not a version: {text!r}")
    return tuple(int(part or 0) for part in match.groups())


@functools.total_ordering
class Version:
    """A release, for example 3.5.0 with commit 0be11fd. Compares with texts: ``version >= "3.3.4"``."""

    def __init__(self, release, commit):
        self.release = release
        self.commit = commit
        self.numbers = numbers(release)

    def __eq__(self, other):
        return self.numbers == (other.numbers if isinstance(other, Version) else numbers(other))

    def __lt__(self, other):
        return self.numbers < (other.numbers if isinstance(other, Version) else numbers(other))

    __hash__ = None

    def within(self, since, until):
        """True if since <= self < until; None is an open end. Tables by version use it."""
        return (since is None or self >= since) and (until is None or self < until)

    @property
    def full(self):
        """As the Version column shows it: ``3.5.0-0be11fd``."""
        return f"{self.release}-{self.commit}"

    @property
    def comment(self):
        """@@version_comment (section 4.5)."""
        return self.full if self >= "3.1" else f"StarRocks version {self.release}"

    @property
    def mysql(self):
        """The default of mysql_server_version, which ``version()`` shows (section 4.5)."""
        return "8.0.33" if self >= "3.4" else "5.1.0"

    @property
    def je(self):
        """The release of the Berkeley DB Java Edition inside, which stands in its error texts (section 0.4, 3.6)."""
        return "18.3.20" if self >= "3.4" else "18.3.16" if self >= "3.0" else "7.3.7"


def load(path=None):
    """The version from the file that the release carries (STANDIN_VERSION_FILE or $STARROCKS_HOME/lib/...)."""
    path = path or os.environ.get("STANDIN_VERSION_FILE") or os.path.join(
        os.environ["STARROCKS_HOME"], "lib", "standin-version.json")
    with open(path, encoding="utf-8") as file:
        content = json.load(file)
    return Version(content["version"], content["commit"])
