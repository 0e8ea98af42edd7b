# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The session variables of a front end."""

_BOOLEANS = {"true": 1, "false": 0}


def of(config, state):
    """{name: text} that a new session starts with: the recorded ones (before 3.5 those of 3.5.0), SET GLOBAL's."""
    return {**config.session_variables, "version": config.text("mysql_server_version") or config.version.mysql,
            "version_comment": config.version.comment, **state.get("variables", {})}


def selected(value):
    """A variable's text as SELECT @@name shows it: booleans are numbers there."""
    return _BOOLEANS.get(value, value)
