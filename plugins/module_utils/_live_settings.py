# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Settings that running nodes hold in memory: read them, compare them with what is wished, decide what to set.

Front ends and back ends differ in words and in what their values may hold; a SettingsKind says how. The server is not
to be trusted with the checks: a front end takes 'maybe' for false, and WITH PERSISTENT writes fe.conf before it looks
at key and value (starrocks.md sections 0.10, 0.16). So key, mutability and type are checked here, by what the nodes
themselves say of their settings.
"""

import difflib
import re
from collections import namedtuple

from ansible_collections.starrocks.cluster.plugins.module_utils import _wait
from ansible_collections.starrocks.cluster.plugins.module_utils._changes import Change
from ansible_collections.starrocks.cluster.plugins.module_utils._connection import SqlError
from ansible_collections.starrocks.cluster.plugins.module_utils._sql_module import Failure
from ansible_collections.starrocks.cluster.plugins.module_utils._statements import HIDDEN, SECRET_WORDS, quote
from ansible_collections.starrocks.cluster.plugins.module_utils._tables import TableError

# How often a statement is run that was accepted and yet is not shown everywhere: a front end that has just restarted
# misses the first push, because the pushing one still holds its old connection (StarRocks issue 5655).
TRIES = 2

SettingsKind = namedtuple('SettingsKind', ('title', 'file', 'digits', 'forbidden', 'advice'))
SettingsKind.__doc__ = """``title`` of one such node; ``file`` that it reads at its start; ``digits`` to which it
shows floating point numbers (None: all); ``forbidden``: (expression, why) pairs of what no value may hold; ``advice``
where a value cannot be set while it runs."""

_ONE_LINE = (re.compile(r'[\x00-\x1f\x7f]'), 'holds a line break or another control character')
_ENVIRONMENT = re.compile(r'\$\{')
FRONTEND = SettingsKind(
    'front end', 'fe.conf', None, (_ONE_LINE,),
    'write it into fe.conf (starrocks_fe_config where the roles own that file) and restart the front ends')
# Source: be/src/common/configbase.cpp prints doubles with the stream's six digits and replaces ${NAME} when it sets a
# value; be/src/runtime/schema_table_sink.cpp tells other back ends by JSON that it puts together without escapes.
BACKEND = SettingsKind(
    'back end', 'be.conf', 6,
    (_ONE_LINE,
     (re.compile(r'["\\]'), 'holds a quotation mark or a backslash, which one back end cannot tell another'),
     (_ENVIRONMENT, 'holds ${, which a back end replaces by its environment')),
    'write it into be.conf or cn.conf (starrocks_be_config, starrocks_cn_config) and restart the nodes')
# What must not be written into fe.conf besides. Source: fe-core ConfigBase, which reads it by java.util.Properties.
FORBIDDEN_IN_FILE = (
    (re.compile(r'\\'), 'holds a backslash, which the front end reads otherwise from fe.conf'),
    (_ENVIRONMENT,
     'holds ${, which the front end replaces by its environment when it reads fe.conf, or does not start'))

Setting = namedtuple('Setting', ('name', 'value', 'type', 'mutable'))
Setting.__doc__ = """One row: texts as the server shows them; ``mutable`` is None where the server does not tell."""

NodeSettings = namedtuple('NodeSettings', ('title', 'address', 'row', 'settings', 'problem', 'others'))
NodeSettings.__doc__ = """One node. ``title``: what it is in words; ``settings``: {name or alias: Setting}, None where
they are not known, with ``problem`` the reason in words; ``row``: what the module returns of the node besides;
``others``: names of further settings that it has."""
NodeSettings.__new__.__defaults__ = (None, ())

Pending = namedtuple('Pending', ('name', 'text', 'nodes'))
Pending.__doc__ = """A setting to set to ``text`` because these NodeSettings have another value."""

Plan = namedtuple('Plan', ('findings', 'pending', 'restart_required', 'before', 'after', 'names'))
Plan.__doc__ = """``findings`` are reasons not to do anything; ``restart_required`` names of differing settings that
cannot be set live; ``before`` and ``after``: {address: {name: text}} of what changes, for the diff; ``names`` of all
wished settings as the nodes call them -> their wished values."""

_NAME = re.compile(r'^[A-Za-z_][A-Za-z0-9_]{0,127}$')
_SECRET_NAME = re.compile(r'^(?!enable_).*(?:%s)s?$' % SECRET_WORDS, re.IGNORECASE)


# What the nodes say

def frontend_settings(rows):
    """{name or alias: Setting} of the rows of ADMIN SHOW FRONTEND CONFIG, dicts of texts. Raises TableError."""
    settings = {}
    for row in _with_columns(rows, 'ADMIN SHOW FRONTEND CONFIG', ('key', 'alias_names', 'value', 'type', 'is_mutable')):
        setting = Setting(row['key'], row['value'], row['type'], row['is_mutable'] == 'true')
        settings[setting.name] = setting
        for alias in row['alias_names'].strip('[]').split(','):
            settings.setdefault(alias.strip(), setting)
    settings.pop('', None)
    return settings


def backend_settings(rows):
    """{BE_ID: {name: Setting}} of rows of information_schema.be_configs, dicts of texts. Raises TableError.

    The first releases of 3.0 have the columns BE_ID, NAME and VALUE alone (StarRocks pull request 22682); what they do
    not tell is left to the server.
    """
    by_id = {}
    for row in _with_columns(rows, 'information_schema.be_configs', ('be_id', 'name', 'value')):
        mutable = None if row.get('mutable') is None else row['mutable'] in ('1', 'true')
        settings = by_id.setdefault(int(row['be_id']), {})
        settings[row['name']] = Setting(row['name'], row['value'], row.get('type') or 'string', mutable)
    return by_id


def _with_columns(rows, source, columns):
    missing = [column for column in columns if rows and column not in rows[0]]
    if missing:
        raise TableError('%s was answered without %s (columns: %s)' % (source, ', '.join(missing), ', '.join(rows[0])))
    return rows


# Values

def is_secret(name):
    """Whether the value of a setting is one to hide: ssl_keystore_password, aws_s3_secret_key, auth_token."""
    return bool(_SECRET_NAME.match(name))


def _plain(value):
    """The text of a single value as StarRocks writes it."""
    if isinstance(value, bool):
        return 'true' if value else 'false'
    return (repr(value) if isinstance(value, float) else str(value)).strip()


def _boolean(value):
    text = _plain(value).lower()
    if text not in ('true', 'false'):
        raise ValueError('is neither true nor false')
    return text == 'true'


def _whole(bits):
    limit = 2 ** (bits - 1)

    def read(value):
        text = _plain(value)
        if not re.match(r'^[-+]?[0-9]+$', text):
            raise ValueError('is no whole number')
        if not -limit <= int(text) < limit:
            raise ValueError('does not fit into %d bits' % bits)
        return int(text)
    return read


def _floating(value):
    text = _plain(value)
    if not re.match(r'^[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?$', text):
        raise ValueError('is no number')
    return float(text)


# Reader of a single value by the type that is shown for it: Java's on front ends, those of be/src/common/configbase.h
# on back ends, of older ones with C++'s "std::" and "_t", which are taken off. What is not listed is text.
_READERS = {
    'boolean': _boolean, 'bool': _boolean,
    'short': _whole(16), 'int16': _whole(16),
    'int': _whole(32), 'integer': _whole(32), 'int32': _whole(32),
    'long': _whole(64), 'int64': _whole(64),
    'double': _floating, 'float': _floating,
}
_LIST_TYPE = re.compile(r'^(?:(?P<java>\w+)\[\]|(?:list|vector)<(?P<cpp>\w+)>)$')


def read_value(type_name, value):
    """The typed value of a wish, or of a shown text, by the setting's type; raises ValueError with what is wrong.

    Lists may be given as such or, as StarRocks takes them, as a text with commas.
    """
    bare = type_name.replace('std::', '').lower()
    match = _LIST_TYPE.match(bare)
    if match:
        reader = _reader(match.group('java') or match.group('cpp'))
        items = value if isinstance(value, list) else _plain(value).split(',')
        return [reader(item) for item in items if _plain(item) != '']
    if isinstance(value, list):
        raise ValueError('is a list, but the setting holds one value')
    return _reader(bare)(value)


def _reader(name):
    return _READERS.get(name[:-2] if name.endswith('_t') else name, _plain)


def read_shown(setting):
    """The typed value of a Setting as it is shown; the text itself where it is not what its type says."""
    text = setting.value or ''
    if setting.type.endswith('[]') and text.startswith('[') and text.endswith(']'):
        text = text[1:-1]
    if setting.type == 'bool':
        # What C++ prints for one unless it is told otherwise.
        text = {'1': 'true', '0': 'false'}.get(text, text)
    try:
        return read_value(setting.type, text)
    except ValueError:
        return text


def text_of(value):
    """What to put into a statement for a typed value."""
    return ','.join(_plain(item) for item in value) if isinstance(value, list) else _plain(value)


def _is_same(kind, wished, shown):
    if isinstance(wished, float) and kind.digits:
        return shown in (wished, float('%.*g' % (kind.digits, wished)))
    return wished == shown


# Wishes

def check_wishes(kind, wishes, forbidden=()):
    """What is wrong with the option ``settings`` whatever the nodes say, as a list of texts; empty if nothing is.

    ``forbidden`` is added to that of the kind.
    """
    if not wishes:
        return ['settings is empty: name at least one setting']
    findings = []
    for name in wishes:
        if not _NAME.match(str(name)):
            findings.append('settings: %s is no name of a setting' % _short(repr(str(name))))
            continue
        items = wishes[name] if isinstance(wishes[name], list) else [wishes[name]]
        for item in items:
            reason = _item_lacks(item, kind.forbidden + tuple(forbidden), len(items) > 1 or items is wishes[name])
            if reason:
                findings.append('settings: %s %s' % (name, reason))
    return findings


def _item_lacks(item, forbidden, in_list):
    if item is None:
        return 'has no value'
    if isinstance(item, (dict, list)):
        return 'is neither one value nor a list of values'
    text = _plain(item)
    if in_list and ',' in text:
        return 'has an element with a comma, which StarRocks takes for two elements'
    for expression, reason in forbidden:
        if expression.search(text):
            return reason
    return ''


def _short(text):
    return text if len(text) <= 80 else text[:77] + '...'


def secrets_in(wishes):
    """The texts in ``wishes`` that must not be shown."""
    texts = set()
    for name, value in wishes.items():
        if is_secret(str(name)):
            texts.update(_plain(item) for item in (value if isinstance(value, list) else [value])
                         if item is not None and not isinstance(item, bool))
    return texts - {''}


def discreet_settings(params):
    """The option ``settings`` as it may be shown."""
    return {name: HIDDEN if is_secret(str(name)) else value for name, value in params['settings'].items()}


# Decisions

def plan(kind, wishes, nodes, report_immutable=False, force=False):
    """The Plan that gives ``nodes`` the values of ``wishes``.

    ``nodes``: NodeSettings, of which only those with settings count. ``report_immutable``: a differing setting that
    needs a restart is no finding. ``force``: set also what is right already.
    """
    known = [node for node in nodes if node.settings is not None]
    findings, pending, restart_required, names, given_as = [], [], [], {}, {}
    before = {node.address: {} for node in known}
    after = {node.address: {} for node in known}
    for given in wishes:
        try:
            name = _name_of(kind, given, known)
            if name in names:
                raise ValueError('%s and %s are one setting: keep one of them' % (given_as[name], given))
            values = _values_of(name, given, wishes[given], known)
        except ValueError as finding:
            findings.append(str(finding))
            continue
        names[name], given_as[name] = values[0], given
        differing = [node for node, value in zip(known, values)
                     if not _is_same(kind, value, read_shown(node.settings[name]))]
        if any(node.settings[name].mutable is False for node in differing):
            restart_required.append(name)
            if not report_immutable:
                findings.append('%s takes another value only with a restart (it is %s on %s): %s' % (
                    name, _in_words(name, read_shown(differing[0].settings[name])),
                    ', '.join(node.address for node in differing), kind.advice))
            continue
        if differing or (force and all(node.settings[name].mutable is not False for node in known)):
            pending.append(Pending(name, text_of(values[0]), differing))
        for node in differing:
            before[node.address][name] = _in_words(name, read_shown(node.settings[name]), 'another value')
            after[node.address][name] = _in_words(name, values[0], 'the given value')
    return Plan(findings, pending, restart_required, _filled(before), _filled(after), names)


def _name_of(kind, given, known):
    """What the ``known`` nodes call the setting ``given``. Raises ValueError with a finding."""
    lacking = [node for node in known if given not in node.settings]
    if lacking:
        raise ValueError(_unknown(kind, given, known, lacking))
    name = known[0].settings[given].name
    # In another version the alias is the name.
    return name if all(name in node.settings for node in known) else given


def _values_of(name, given, wish, known):
    """The typed value of a wish for each of the ``known`` nodes. Raises ValueError with a finding."""
    try:
        return [read_value(node.settings[given].type, wish) for node in known]
    except ValueError as error:
        raise ValueError('%s: %s %s (its type is %s)' % (
            name, 'the value' if is_secret(name) else _short(text_of(wish)), error, known[0].settings[given].type))


def _filled(values):
    return {address: settings for address, settings in values.items() if settings}


def _in_words(name, value, instead=HIDDEN):
    return instead if is_secret(name) else text_of(value)


def _unknown(kind, name, known, lacking):
    where = '' if len(lacking) == len(known) else ' on ' + ', '.join(node.address for node in lacking)
    hint = nearest(name, {other for node in lacking for other in list(node.settings) + list(node.others)})
    return '%s is no setting of a %s%s%s' % (name, kind.title, where, ' (did you mean %s?)' % hint if hint else '')


def nearest(name, names):
    """The one of ``names`` that ``name`` may be a slip of, or None."""
    for other in sorted(names):
        if other.lower() == name.lower():
            return other
    found = difflib.get_close_matches(name, sorted(names), n=1, cutoff=0.75)
    return found[0] if found else None


# Statements (section 2.2)

def set_frontend_config(name, text, persistent=False):
    """One setting per statement: the grammar takes no second one."""
    return 'ADMIN SET FRONTEND CONFIG (%s = %s)%s' % (
        quote(name, '"'), quote(text, '"'), ' WITH PERSISTENT' if persistent else '')


def common_text(name, nodes):
    """The text with which a statement gives the setting the value that all of ``nodes`` show; None if they differ."""
    texts = {text_of(read_shown(node.settings[name])) for node in nodes}
    return texts.pop() if len(texts) == 1 else None


def update_backend_config(name, text, ids):
    """For the nodes with these ``ids``."""
    nodes = '= %d' % ids[0] if len(ids) == 1 else 'IN (%s)' % ', '.join(str(number) for number in ids)
    return 'UPDATE information_schema.be_configs SET VALUE = %s WHERE NAME = %s AND BE_ID %s' % (
        quote(text), quote(name), nodes)


# What both modules do

# A node that has just died or started is shown wrongly for up to 20 s (starrocks.md section 0.1).
GHOST_SECONDS = 30


def read_when_told(look, advice=''):
    """The NodeSettings that ``look()`` gives, as soon as all living nodes tell theirs; Failure if one never does."""
    try:
        return _wait.poll(look, _silent, GHOST_SECONDS)
    except _wait.WaitTimeout as late:
        raise Failure('not every living node told its settings within %d s: %s%s'
                      % (GHOST_SECONDS, '; '.join(late.reasons), advice))


def _silent(nodes):
    """What to wait for: living nodes that do not tell their settings, those with the same reason together."""
    by_reason = {}
    for node in nodes:
        if node.row['alive'] and node.settings is None:
            by_reason.setdefault((node.title, node.problem), []).append(node.address)
    return ['%s %s: %s' % (title, ', '.join(addresses), problem) for (title, problem), addresses in by_reason.items()]


def report(nodes, names, after=None):
    """The rows to return: of each node its ``row``, its values of ``names`` typed, and the problem with it if any.

    ``after``: names -> values that all nodes will have had set (check mode).
    """
    rows = []
    for node in nodes:
        values = None
        if node.settings is not None:
            values = {name: read_shown(node.settings[name]) for name in names if name in node.settings}
            values.update((name, value) for name, value in (after or {}).items() if name in values)
            values = {name: HIDDEN if is_secret(name) else value for name, value in values.items()}
        rows.append(dict(node.row, settings=values, error=node.problem))
    return rows


def start(module, kind, forbidden=(), findings=()):
    """Hide what is secret in the option ``settings``, and end the module if anything is wrong with it or there are
    other ``findings``."""
    wishes = module.params['settings']
    module.hide(secrets_in(wishes))
    module.refuse(check_wishes(kind, wishes, forbidden) + list(findings))


def settle(module, kind, result_key, read, statements_of, run, told=()):
    """From the wishes to the module's result: read, decide, do, see.

    ``read()`` gives NodeSettings; ``statements_of(pending)`` the statements for one Pending; ``run(statement)`` runs
    one. ``told`` is filled by ``run`` with what StarRocks said of nodes that it did not reach. A failure tells what is
    known of each node under ``result_key``.
    """
    params = module.params
    runs, plans = {}, []

    def decide(nodes):
        decided = plan(kind, params['settings'], nodes, report_immutable=params['immutable'] == 'report',
                       force=params.get('force') and not runs)
        plans.append(decided)
        known = {'restart_required': decided.restart_required, result_key: report(nodes, decided.names)}
        if decided.findings:
            raise Failure('refused, and nothing was set: %s' % '. '.join(decided.findings), **known)
        statements = [statement for pending in decided.pending for statement in statements_of(pending)]
        if any(runs.get(statement, 0) >= TRIES for statement in statements):
            left = ['%s could not be set on %s' % (pending.name, ', '.join(node.address for node in pending.nodes))
                    for pending in decided.pending]
            raise Failure('; '.join(left) + ('. StarRocks said: %s' % '; '.join(told) if told else ''), **known)
        return Change(statements, decided.before, decided.after, [], [], [])

    def run_counted(statement):
        run(statement)
        runs[statement] = runs.get(statement, 0) + 1

    try:
        change, nodes = module.converge(read, decide, again_at_end=True, run=run_counted)
    except SqlError as error:
        if not plans:
            raise
        raise Failure(str(error), **{result_key: _report_if_possible(read, plans[-1].names)})
    first = plans[0]
    predicted = {pending.name: first.names[pending.name] for pending in first.pending} if module.check_mode else None
    for node in nodes:
        if node.settings is None:
            module.module.warn('%s %s: %s. It starts with what its %s says'
                               % (node.title, node.address, node.problem, kind.file))
    return {'restart_required': first.restart_required, result_key: report(nodes, first.names, predicted),
            'diff': dict(before=change.before, after=change.after)}


def _report_if_possible(read, names):
    """report() for a failure, whose own message must not be lost when the nodes cannot be asked any more."""
    try:
        return report(read(), names)
    except (Failure, SqlError):
        return []
