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
_ESCAPED = re.compile(r'\\(.)', re.DOTALL)
_MEANT = {escape[1]: letter for letter, escape in _ESCAPES.items()}

# What a statement consists of besides plain text. Comments as StarRocks knows them: -- needs no blank after it and ends
# with \r or \n, # is none (StarRocksLex.g4, 3.5 to 4.1). Each part runs to its end or to that of the statement, so that
# no text takes longer to go through than its length.
_PARTS = r"""
    (?P<comment>--[^\r\n]*|/\*.*?(?:\*/|\Z))
  | (?P<identifier>`[^`]*(?:`|\Z))
  | (?P<string>'(?:\\.|''|[^'\\])*(?:'|\\?\Z)|"(?:\\.|""|[^"\\])*(?:"|\\?\Z))"""
_PART = re.compile(_PARTS, re.DOTALL | re.VERBOSE)
# The text of a function in Python stands between $$ (the same file); elsewhere, and in versions without such functions,
# $ is a letter.
_PART_OF_FUNCTION = re.compile(r'(?P<body>(?<![\w$])\$\$.*?(?:\$\$|\Z)) |' + _PARTS, re.DOTALL | re.VERBOSE)
_WORDS_BEFORE_FUNCTION = frozenset(('OR', 'REPLACE', 'GLOBAL', 'AGGREGATE', 'TABLE'))

# Words that tell of a name, be it of a property or of a setting, that its value is a secret.
SECRET_WORDS = (r'password|passwd|passphrase|pwd|secret|token|credential|jaas|keytab_content'
                r'|(?:access|account|api|private|secret|shared)[._]?key')

# What stands right before a secret.
_SECRET_NEXT = re.compile(r"""(?:
    \bPASSWORD\s*\(                                              # PASSWORD('plain')
  | \bPASSWORD\b(?:\s+FOR\b.*)?\s*=                             # SET PASSWORD [FOR user] = '*HASH'
  | \bIDENTIFIED\s+BY(?:\s+PASSWORD)?                           # IDENTIFIED BY [PASSWORD] 'x'
  | \bIDENTIFIED\s+WITH\s+\S+\s+(?:BY|AS)                       # IDENTIFIED WITH plugin BY|AS 'x'
  | (?:%s)[\w.\-]*["'`]?\s*=                                    # properties such as "aws.s3.secret_key" = "x"
  )\s*$""" % SECRET_WORDS, re.IGNORECASE | re.DOTALL | re.VERBOSE)
# The words before a string that could announce a secret end so, and are within so many characters.
_BEFORE_SECRET = ('(', '=', 'BY', 'AS', 'PASSWORD')
_LOOK_BACK = 300

_READS = frozenset(('SELECT', 'SHOW', 'DESC', 'DESCRIBE', 'EXPLAIN', 'HELP', 'USE', 'WITH', 'VALUES', 'SET'))
# SET of these lasts longer than the session. One SET can set several things.
_SET_LASTING = frozenset(('GLOBAL', 'PASSWORD', 'DEFAULT', 'PROPERTY'))
_WRITES = frozenset(('INSERT', 'UPDATE', 'DELETE', 'OUTFILE'))
# Beginnings of statements that change something whatever follows.
_CHANGES = frozenset((
    'ALTER', 'CREATE', 'DROP', 'TRUNCATE', 'RENAME', 'INSERT', 'UPDATE', 'DELETE', 'LOAD', 'EXPORT', 'SUBMIT', 'GRANT',
    'REVOKE', 'BACKUP', 'RESTORE', 'RECOVER', 'REFRESH', 'CANCEL', 'KILL', 'INSTALL', 'UNINSTALL', 'PAUSE', 'RESUME'))
# Beginnings of statements after which the same words may mean something else on the same connection.
_SETS_SESSION = (['USE'], ['SET'], ['EXECUTE'], ['BEGIN'], ['START'], ['PREPARE'], ['CREATE', 'TEMPORARY'])

# A place for an argument, a percent sign written twice, or one that is neither.
_PLACEHOLDER = re.compile(r'%(?:(?P<escaped>%)|(?P<positional>s)|\((?P<name>[^()]*)\)s)?')


def quote(text, mark="'"):
    """``text`` as a string literal between ``mark``s. Raises ValueError for a NUL, which StarRocks cannot hold."""
    if '\0' in text:
        raise ValueError('a text with a NUL character cannot be sent to StarRocks')
    return mark + _escaped(text, mark) + mark


def _escaped(text, mark):
    return ''.join(_ESCAPES.get(letter, '\\' + letter if letter == mark else letter) for letter in text)


def spellings(text):
    """The forms in which ``text`` may be found: as it is, and as in a string literal with either mark."""
    return {text, _escaped(text, "'"), _escaped(text, '"')}


def _part(statement):
    """The expression of which each match is a part of ``statement``."""
    if '$$' not in statement:
        return _PART
    words = [word for word in re.findall(r'\w+', _without(_PART, statement)) if word not in _WORDS_BEFORE_FUNCTION]
    return _PART_OF_FUNCTION if words[:2] == ['CREATE', 'FUNCTION'] else _PART


def _pieces(statement):
    """``statement`` in pieces: pairs of a text and whether it is a string that holds a secret."""
    before, position = '', 0
    for part in _part(statement).finditer(statement):
        between = statement[position:part.start()]
        before = (before + between)[-_LOOK_BACK:]
        text, secret = part.group(), False
        if part.group('comment'):
            before += ' '
        else:
            secret = bool(part.group('string')) and _announces_secret(before)
            before += "'%s'" % HIDDEN if secret else text
        yield between, False
        yield text, secret
        position = part.end()
    yield statement[position:], False


def hide_secrets(statement):
    """``statement`` with every password, secret key and the like replaced, fit for logs and returned values."""
    return ''.join("'%s'" % HIDDEN if secret else text for text, secret in _pieces(statement))


def secrets_of(statement):
    """The secrets in ``statement``, each as it is written there and, where that differs, as it is meant."""
    found = []
    for text, secret in _pieces(statement):
        if secret:
            mark = text[0]
            written = text[1:-1] if text[1:].endswith(mark) else text[1:]
            found += [written] + [meant for meant in (_unquoted(written, mark),) if meant != written]
    return found


def _unquoted(text, mark):
    return _ESCAPED.sub(lambda match: _MEANT.get(match.group(1), match.group(1)), text.replace(mark * 2, mark))


def _announces_secret(before):
    return before.rstrip().upper().endswith(_BEFORE_SECRET) and bool(_SECRET_NEXT.search(before))


def _without(parts, statement):
    return parts.sub(lambda part: ' ' if part.group('comment') else "''", statement).upper()


def skeleton(statement):
    """``statement`` in upper case without comments and with every quoted part left empty."""
    return _without(_part(statement), statement)


def is_one_statement(statement):
    """Whether there is exactly one statement, all quotes closed: StarRocks runs all that one request holds."""
    parts = _part(statement)
    # What goes on if the statement does is not closed; a comment after -- need not be.
    closed = all(part.group().startswith('--') or parts.match(part.group() + ';').group() == part.group()
                 for part in parts.finditer(statement))
    return closed and len([part for part in skeleton(statement).split(';') if part.strip()]) == 1


def has_hash(statement):
    """Whether there is a # outside of quotes: MySQL begins a comment with it, StarRocks does not know it."""
    return '#' in skeleton(statement)


def _words(statement):
    return re.findall(r'[\w@.]+', skeleton(statement))


def is_read_only(statement):
    """Whether one statement changes nothing that outlives the session. What is not known to be harmless is not."""
    words = _words(statement)
    first, second = (words + ['', ''])[:2]
    if first == 'ADMIN':
        return second == 'SHOW'
    if first == 'SET':
        return not any(word in _SET_LASTING or word.startswith('@@GLOBAL.') for word in words) or words[1:] == [
            'ROLE', 'DEFAULT']
    if first == 'SHOW' or first in ('EXPLAIN', 'DESC', 'DESCRIBE') and second != 'ANALYZE':
        return True
    # EXPLAIN ANALYZE runs what it explains.
    return first in _READS and not _WRITES.intersection(words)


def sets_session(statement):
    """Whether later statements may depend on this one having been run on their connection."""
    words = _words(statement)
    return any(words[:len(beginning)] == beginning for beginning in _SETS_SESSION)


def surely_changes(statement):
    """Whether one statement changes something beyond doubt, so that nobody may call it harmless."""
    words = _words(statement)
    return bool(words) and (words[0] in _CHANGES or words[:2] == ['ADMIN', 'SET']
                            or words[0] == 'SET' and not is_read_only(statement))


def placeholders(statement):
    """``(places, findings)``: the places for arguments, each a name or None for %s, and what is wrong with them."""
    places, findings = [], []
    masked = _part(statement).sub(lambda part: '?' * len(part.group()), statement)
    for match in _PLACEHOLDER.finditer(statement):
        if match.group('escaped'):
            continue
        if match.group('positional') is None and match.group('name') is None:
            findings.append('%r is neither %%s nor %%(name)s: write %%%% for a percent sign'
                            % statement[match.start():match.start() + 10])
            continue
        if masked[match.start()] != '%':
            findings.append('%s stands within quotes or a comment: arguments are quoted as needed, leave the quotes out'
                            % match.group())
        places.append(match.group('name'))
    return places, findings


def secret_places(statement):
    """For each place for an argument, in their order, whether what is put there is a secret."""
    matches = [match for match in _PLACEHOLDER.finditer(statement) if match.group('positional', 'name') != (None, None)]
    # A mark with NUL is in no statement otherwise.
    marks = ['\0%d' % number for number in range(len(matches))]
    filled, position = '', 0
    for match, mark in zip(matches, marks):
        filled += "%s'%s'" % (statement[position:match.start()], mark)
        position = match.end()
    found = set(secrets_of(filled + statement[position:]))
    return [mark in found for mark in marks]


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
