# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The text of every statement that changes something, and what must not be shown of one.

Grammar: starrocks.md section 2. Strings are quoted with backslash escapes, which StarRocks takes back in every
version; host names come from ``_sql_address.check_host`` and hold nothing to escape, but are quoted all the same.
"""

import re

from ansible_collections.starrocks.cluster.plugins.module_utils._sql_address import join_host_port

HIDDEN = '********'

_ESCAPES = {'\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t', '\x1a': '\\Z'}

_STRING = r"""(?:'(?:\\.|''|[^'\\])*'|"(?:\\.|""|[^"\\])*")"""
_SECRETS = (
    # PASSWORD('plain'), SET PASSWORD = '*HASH', IDENTIFIED BY [PASSWORD] 'x', IDENTIFIED WITH plugin BY|AS 'x'
    re.compile(r'(\bPASSWORD\s*\(\s*)%s' % _STRING, re.IGNORECASE | re.DOTALL),
    re.compile(r'(\bPASSWORD\b[^=;]*=\s*)%s' % _STRING, re.IGNORECASE | re.DOTALL),
    re.compile(r'(\bIDENTIFIED\s+BY\s+(?:PASSWORD\s+)?)%s' % _STRING, re.IGNORECASE | re.DOTALL),
    re.compile(r'(\bIDENTIFIED\s+WITH\s+\S+\s+(?:BY|AS)\s+)%s' % _STRING, re.IGNORECASE | re.DOTALL),
    # properties such as "aws.s3.secret_key" = "x"
    re.compile(r'(["\'`]?[\w.\-]*(?:password|passwd|secret|access_key|private_key|shared_key|sas_token|credential)[\w.\-]*["\'`]?'
               r'\s*=\s*)%s' % _STRING, re.IGNORECASE | re.DOTALL),
)


# What a statement consists of besides plain text: comments, strings and quoted identifiers.
_TOKEN = re.compile(r"""--[^\n]*|\#[^\n]*|/\*.*?(?:\*/|$)|`[^`]*`|%s""" % _STRING, re.DOTALL)
_READS = frozenset(('SELECT', 'SHOW', 'DESC', 'DESCRIBE', 'EXPLAIN', 'HELP', 'USE', 'WITH', 'VALUES', 'SET'))
# SET of these lasts longer than the session.
_SET_LASTING = frozenset(('GLOBAL', 'PASSWORD', 'DEFAULT', 'PROPERTY'))
_WRITES = re.compile(r'\b(INSERT|UPDATE|DELETE|INTO\s+OUTFILE)\b')


def quote(text, mark="'"):
    """``text`` as a string literal between ``mark``s. Raises ValueError for a NUL, which StarRocks cannot hold."""
    if '\0' in text:
        raise ValueError('a text with a NUL character cannot be sent to StarRocks')
    return mark + ''.join(_ESCAPES.get(letter, '\\' + letter if letter == mark else letter) for letter in text) + mark


def hide_secrets(statement):
    """``statement`` with every password, secret key and the like replaced, fit for logs and returned values."""
    for pattern in _SECRETS:
        statement = pattern.sub(lambda match: match.group(1) + "'%s'" % HIDDEN, statement)
    return statement


def skeleton(statement):
    """``statement`` in upper case without comments and with every quoted part left empty."""
    return _TOKEN.sub(lambda match: ' ' if match.group(0)[0] in '-#/' else "''", statement).upper()


def is_one_statement(statement):
    """Whether there is exactly one statement: StarRocks runs all that one request holds."""
    return len([part for part in skeleton(statement).split(';') if part.strip()]) == 1


def is_read_only(statement):
    """Whether one statement changes nothing that outlives the session. What is not known to be harmless is not."""
    words = skeleton(statement).replace('(', ' ').replace(')', ' ').split()
    first, second = (words + ['', ''])[:2]
    if first == 'ADMIN':
        return second == 'SHOW'
    if first == 'SET':
        return second not in _SET_LASTING and '@@GLOBAL.' not in ' '.join(words)
    if first in ('EXPLAIN', 'DESC', 'DESCRIBE'):
        # EXPLAIN ANALYZE runs what it explains.
        return second != 'ANALYZE' or not _WRITES.search(' '.join(words))
    return first in _READS and not _WRITES.search(' '.join(words))


def node_list(nodes):
    """``"h1:9050", "h2:9050"`` of ``(host, port)`` pairs."""
    return ', '.join(quote(join_host_port(host, port), '"') for host, port in nodes)


def add_frontend(role, host, port):
    """One FE: the grammar takes exactly one per statement."""
    return 'ALTER SYSTEM ADD %s %s' % (role, node_list([(host, port)]))


def drop_frontend(role, host, port):
    return 'ALTER SYSTEM DROP %s %s' % (role, node_list([(host, port)]))


def rename_frontend(old, new):
    """Hosts without ports: there is one front end per host (section 2.1)."""
    return 'ALTER SYSTEM MODIFY FRONTEND HOST %s TO %s' % (quote(old, '"'), quote(new, '"'))


def add_nodes(noun, nodes, warehouse=None):
    """``noun`` is BACKEND, COMPUTE NODE or BROKER with its name; None is the default warehouse."""
    into = '' if warehouse is None else ' INTO WAREHOUSE %s' % quote(warehouse, '"')
    return 'ALTER SYSTEM ADD %s %s%s' % (noun, node_list(nodes), into)


def drop_nodes(noun, nodes, warehouse=None, force=False):
    from_ = '' if warehouse is None else ' FROM WAREHOUSE %s' % quote(warehouse, '"')
    return 'ALTER SYSTEM DROP %s %s%s%s' % (noun, node_list(nodes), from_, ' FORCE' if force else '')


def rename_backend(old, new):
    """Hosts without ports: one statement renames one of the back ends of that host (see _node_changes)."""
    return 'ALTER SYSTEM MODIFY BACKEND HOST %s TO %s' % (quote(old, '"'), quote(new, '"'))


def set_location(address, location):
    """``address`` is host:port; an empty location clears the label."""
    return 'ALTER SYSTEM MODIFY BACKEND %s SET ("labels.location" = %s)' % (quote(address, '"'), quote(location, '"'))


def change_disks(action, paths, address):
    """``action``: DECOMMISSION, DISABLE, CANCEL DECOMMISSION or CANCEL DISABLE."""
    return 'ALTER SYSTEM %s DISK %s ON BACKEND %s' % (
        action, ', '.join(quote(path, '"') for path in paths), quote(address, '"'))


def show_blacklist(noun):
    """``noun`` is BACKEND or COMPUTE NODE; the asked front end answers for itself alone (section 2.2)."""
    return 'SHOW %s BLACKLIST' % noun


def change_blacklist(action, noun, ids):
    """``action``: ADD or DELETE; ``ids`` are those of the listing. Changes the list of the asked front end alone."""
    return '%s %s BLACKLIST %s' % (action, noun, ', '.join(str(number) for number in ids))


def drop_all_brokers(name):
    """Also forgets the name, which dropping the last address leaves behind (section 3.4)."""
    return 'ALTER SYSTEM DROP ALL %s' % broker_noun(name)


def broker_noun(name):
    return 'BROKER ' + quote(name, '"')


def decommission_backends(nodes):
    return 'ALTER SYSTEM DECOMMISSION BACKEND %s' % node_list(nodes)


def cancel_decommission_backends(nodes):
    """The one statement of its kind without ALTER SYSTEM in front."""
    return 'CANCEL DECOMMISSION BACKEND %s' % node_list(nodes)


def user_identity(name, host):
    return '%s@%s' % (quote(name), quote(host))


def create_user(name, host, password):
    return 'CREATE USER %s IDENTIFIED BY %s' % (user_identity(name, host), quote(password))


def set_password(name, host, password):
    return 'SET PASSWORD FOR %s = PASSWORD(%s)' % (user_identity(name, host), quote(password))


def drop_user(name, host):
    return 'DROP USER %s' % user_identity(name, host)
