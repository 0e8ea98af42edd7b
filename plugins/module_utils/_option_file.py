# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The connection options from a MySQL option file, and their defaults.

The format is that of MySQL's manual, "Using Option Files": groups in brackets, ``name = value``, ``-`` and ``_`` alike
in names, quotes and backslash escapes in values. What is included (``!include``) is not read, as with PyMySQL. No
message shows what stands in a line, since it may be a password.
"""

import io
import re

GROUP = 'client'

# Where neither the task nor the file says anything.
DEFAULTS = {'login_port': 9030, 'login_user': 'root', 'login_password': ''}

# Name in the file -> option of the modules.
OPTIONS = {
    'host': 'login_hosts',
    'port': 'login_port',
    'user': 'login_user',
    'password': 'login_password',
    'ssl-ca': 'ca_cert',
    'ssl-cert': 'client_cert',
    'ssl-key': 'client_key',
    'ssl-mode': 'check_hostname',
    'ssl-verify-server-cert': 'check_hostname',
}

# MySQL's modes; without an entry: not TLS at any price, which is what modules do without TLS options.
SSL_MODES = {'DISABLED': None, 'PREFERRED': None, 'REQUIRED': False, 'VERIFY_CA': False, 'VERIFY_IDENTITY': True}
_SWITCHES = {'': True, '1': True, 'on': True, 'true': True, '0': False, 'off': False, 'false': False}

_GROUP = re.compile(r'^\[\s*(?P<name>[^\]]+?)\s*\]$')
_ESCAPE = re.compile(r'\\([btnr\\s"\'])')
_ESCAPED = {'b': '\b', 't': '\t', 'n': '\n', 'r': '\r', 's': ' '}
_QUOTED = re.compile(r'''^(?P<mark>["'])(?P<inner>(?:\\.|(?!(?P=mark)).)*)(?P=mark)\s*(?:#.*)?$''')
_COMMENT = re.compile(r'\s#.*$')


class OptionFileError(ValueError):
    """What is wrong with a file, without its text."""


def parse_value(text):
    """The value that ``text``, all that stands after the ``=``, means. Raises ValueError."""
    quoted = _QUOTED.match(text)
    if quoted:
        value = quoted.group('inner')
    else:
        value = _COMMENT.sub('', text).rstrip()
        if '#' in value:
            raise ValueError("put the value in quotes: with a bare # MySQL's client and Ansible's MySQL modules differ")
    return _ESCAPE.sub(lambda match: _ESCAPED.get(match.group(1), match.group(1)), value)


def parse(text):
    """``{name: value}`` of the group [client] in ``text``; names with ``-``. The last of equal names counts.

    Raises OptionFileError.
    """
    group, found = None, {}
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if not line or line[0] in '#;!':
            continue
        heading = _GROUP.match(_COMMENT.sub('', line).rstrip())
        if heading:
            group = heading.group('name')
            continue
        if group is None:
            raise OptionFileError('line %d stands before the first [group]' % number)
        if group != GROUP:
            continue
        name, dummy, value = line.partition('=')
        name = name.strip().replace('_', '-')
        try:
            found[name] = parse_value(value.strip())
        except ValueError as error:
            raise OptionFileError('line %d, %s: %s' % (number, name, error))
    return found


def as_options(found):
    """Options of the modules from what parse() found. Raises OptionFileError."""
    options = {}
    for name, option in OPTIONS.items():
        if name in found:
            try:
                options[option] = _READERS.get(name, str)(found[name])
            except (KeyError, ValueError):
                raise OptionFileError('%s holds none of its values' % name)
    return options


_READERS = {
    'host': lambda text: [text],
    'port': int,
    'ssl-mode': lambda text: SSL_MODES[text.upper()],
    'ssl-verify-server-cert': lambda text: _SWITCHES[text.lower()],
}


def settled(params):
    """``(params, findings)``: a copy of a module's parameters in which the config file and the defaults fill the gaps.

    ``findings`` are texts about the config file. What the task gives wins.
    """
    findings, options = [], {}
    path = params.get('config_file')
    if path is not None:
        try:
            with io.open(path, encoding='utf-8') as file:
                options = as_options(parse(file.read()))
        except OptionFileError as error:
            findings.append('config_file: %s: %s' % (path, error))
        except UnicodeDecodeError:
            findings.append('config_file: %s is no text in UTF-8' % path)
        except (IOError, OSError) as error:
            findings.append('config_file: %s: %s' % (path, error.strerror))
    complete = dict(params)
    for source in (options, DEFAULTS):
        complete.update((option, value) for option, value in source.items() if complete.get(option) is None)
    return complete, findings
