# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""information_schema.be_configs: a query in which every living node tells, or sets, its own settings.

Sources: be/src/exec/schema_scanner/schema_be_configs_scanner.cpp, be/src/runtime/schema_table_sink.cpp. UPDATE is
planned like any other query, so its WHERE may be what it likes; each node that is meant is told, and the first error of
any is the statement's.
"""

import json
import urllib.parse
import urllib.request

from standin.fe import errors, settings, show

_COLUMNS = ("BE_ID", "NAME", "VALUE", "TYPE", "DEFAULT", "MUTABLE")
_TYPES = ("number", "text", "text", "text", "text", "number")
_ALL_COLUMNS_SINCE = "3.0.1"  # StarRocks pull request 22682


def _ask(node, path, data=None):
    """What a node answers, as JSON. Raises SqlError."""
    try:
        with urllib.request.urlopen(settings.url_of(node, path), data, timeout=5) as answer:
            return json.load(answer)
    except (OSError, ValueError) as error:
        raise errors.SqlError(f"rpc failed with {node['host']}: {error}") from None


def _nodes(frontend):
    state = frontend.replica.state
    return [node for node in state["backends"] + state["compute_nodes"] if node["alive"]]


def read(frontend, where=None):
    """The table, or the rows for which a filter of the grammar holds. Raises SqlError."""
    frontend.workers.run_on_all()
    rows = [[str(node["id"]), item["name"], item["value"], item["type"], item["default"], str(int(item["mutable"]))]
            for node in _nodes(frontend) for item in _ask(node, "/standin/report")["configs"]]
    table = show.filtered(show.Table(_COLUMNS, rows, _TYPES), where)
    if frontend.version >= _ALL_COLUMNS_SINCE:
        return table
    return show.Table(_COLUMNS[:3], [row[:3] for row in table.rows], _TYPES[:3])


def update(frontend, value, where=None):
    """Set VALUE in the rows for which ``where`` holds. Raises SqlError when all have been tried."""
    if where is None:
        raise errors.analysis(frontend.version, "must specify where clause to prevent full table update")
    nodes = {str(node["id"]): node for node in _nodes(frontend)}
    failures = []
    for number, name, *_rest in read(frontend, where).rows:
        query = urllib.parse.urlencode({name: value})
        try:
            said = _ask(nodes[number], f"/api/update_config?{query}", b"")["msg"]
            failures.append(said.partition(", reason: ")[2])
        except errors.SqlError as error:
            failures.append(error.message)
    failure = next(filter(None, failures), None)
    if failure:
        raise errors.SqlError(failure)
