# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a part of a host is made of, and how texts that belong to others are changed so that it can be taken back."""

import collections
import re

Part = collections.namedtuple('Part', 'name files links settings commands after listens warnings')
"""What one part wants. ``files``: list of File. ``links``: list of Link. ``settings``: list of Setting, those that
differ alone. ``commands``: command lines that the host's state asks for now. ``after``: command lines to be run once
one of the files has changed. ``listens``: TCP ports on which somebody has to listen again after them. ``warnings``:
texts."""

File = collections.namedtuple('File', 'path text mode check')
"""A file's whole text, None for a file that must not be there. ``mode`` None leaves the mode as it is (0644 for a new
file). ``check``: the command line that must accept the new text before it takes its place; {} is its path."""

Link = collections.namedtuple('Link', 'path target')
Setting = collections.namedtuple('Setting', 'path before value')
"""A value of the running kernel: the file to write it to, what it is, what it should be."""

HEADER = '# Managed by Ansible (starrocks.cluster): what is changed here by hand is lost at the next run.\n'
BEGIN = '# BEGIN starrocks.cluster (managed by Ansible)\n'
END = '# END starrocks.cluster\n'
ASIDE = '#starrocks.cluster# '
"""Stands before lines of others that are out of force for as long as StarRocks is here."""


def part(name, files=(), links=(), settings=(), commands=(), after=(), listens=(), warnings=()):
    """Return a Part, as far as it is given."""
    return Part(name, *(list(one) for one in (files, links, settings, commands, after, listens, warnings)))


def without_block(text):
    """Return a text without our block."""
    return re.sub(re.escape(BEGIN) + '.*?' + re.escape(END), '', text, flags=re.DOTALL)


def with_block(text, lines, first=False):
    """Return a text with our block, at its end or, where the first of several settings counts, at its beginning."""
    rest = without_block(text)
    block = BEGIN + ''.join(line + '\n' for line in lines) + END
    if first:
        return block + rest
    return rest + ('' if rest.endswith('\n') or not rest else '\n') + block


def set_aside(text, pattern):
    """Return a text in which the lines that match are out of force."""
    return ''.join(ASIDE + line if re.match(pattern, line) else line for line in text.splitlines(True))


def put_back(text):
    """Return a text in which the lines that were set aside are in force again."""
    return ''.join(line[len(ASIDE):] if line.startswith(ASIDE) else line for line in text.splitlines(True))


def chosen_word(text):
    """Return the chosen word of a file of the kernel's: ``always [madvise] never``; None without one."""
    match = re.search(r'\[(\S+)\]', text or '')
    return match.group(1) if match else None


def changed(path, facts, text, mode=None, check=None):
    """Return [File] where a file that is there should have another text, else []."""
    return [File(path, text, mode, check)] if facts['texts'].get(path) not in (None, text) else []


def removed(path, facts):
    return [File(path, None, None, None)] if facts['texts'].get(path) is not None else []
