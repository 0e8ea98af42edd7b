# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The version of a component's files, from the files themselves; the service is not touched.

The front end's is a constant in its jar, the back end's is what its program prints. A broker carries none.
"""

import glob
import os
import re
import struct
import zipfile

from ansible_collections.starrocks.cluster.plugins.module_utils._release import version_of_build

# gensrc/script/gen_build_version.py of StarRocks writes this class, 2.5 to 4.x.
_VERSION_CLASS = 'com/starrocks/common/Version.class'
_VERSION_FIELD = b'STARROCKS_VERSION'
# The jar with that class: starrocks-fe.jar; in 4.1 and later, where that is a wrapper, fe-core-main.jar.
_VERSION_JARS = ('fe-core-main.jar', 'starrocks-fe.jar', 'fe-*.jar')
# A class of a few constants: a larger one is not the one meant.
_LARGEST_CLASS = 1024 * 1024

# Sizes of the entries of a class file's constant pool by tag (Java Virtual Machine Specification, 4.4).
_UTF8, _STRING, _LONG, _DOUBLE = 1, 8, 5, 6
_CONSTANT_SIZES = {3: 4, 4: 4, _LONG: 8, _DOUBLE: 8, 7: 2, _STRING: 2, 9: 4, 10: 4, 11: 4, 12: 4, 15: 3, 16: 2, 17: 4,
                   18: 4, 19: 2, 20: 2}

# Seconds that `starrocks_be --version` may take: it loads a program of some gigabytes.
_PROBE_TIMEOUT = 60


def probe(home, component, run_command):
    """The version of the files in a component's folder, or None where they do not tell.

    ``run_command``: AnsibleModule's.
    """
    if component == 'fe':
        return version_of_build(frontend_build(os.path.join(home, 'lib')))
    if component == 'be':
        return version_of_build(backend_build(home, run_command))
    return None


def frontend_build(lib):
    """What the front end's jar calls its version, or None."""
    for pattern in _VERSION_JARS:
        for path in sorted(glob.glob(os.path.join(lib, pattern))):
            try:
                with zipfile.ZipFile(path) as jar:
                    if jar.getinfo(_VERSION_CLASS).file_size <= _LARGEST_CLASS:
                        return constant_of_class(jar.read(_VERSION_CLASS), _VERSION_FIELD)
            except (zipfile.BadZipfile, KeyError, EnvironmentError, ValueError):
                continue
    return None


def constant_of_class(data, field):
    """The text of a static final String of a Java class file, or None. Raises ValueError for what is no class file."""
    try:
        return _constant_of_class(data, field)
    except (struct.error, IndexError, KeyError):
        raise ValueError('no Java class file')


def _constant_of_class(data, field):
    magic, dummy, count = struct.unpack_from('>IIH', data, 0)
    if magic != 0xCAFEBABE:
        raise ValueError('no Java class file')
    position, constants, index = 10, {}, 1
    while index < count:
        tag = struct.unpack_from('>B', data, position)[0]
        if tag == _UTF8:
            length = struct.unpack_from('>H', data, position + 1)[0]
            constants[index] = data[position + 3:position + 3 + length]
            position += 3 + length
        else:
            if tag == _STRING:
                constants[index] = struct.unpack_from('>H', data, position + 1)[0]
            position += 1 + _CONSTANT_SIZES[tag]
        index += 2 if tag in (_LONG, _DOUBLE) else 1
    position += 6  # access flags, this class, super class
    interfaces = struct.unpack_from('>H', data, position)[0]
    position += 2 + 2 * interfaces
    fields = struct.unpack_from('>H', data, position)[0]
    position += 2
    for dummy in range(fields):
        dummy, name, dummy, attributes = struct.unpack_from('>HHHH', data, position)
        position += 8
        for dummy in range(attributes):
            attribute, length = struct.unpack_from('>HI', data, position)
            if constants.get(name) == field and constants.get(attribute) == b'ConstantValue':
                text = constants[struct.unpack_from('>H', data, position + 6)[0]]
                return constants[text].decode('utf-8')
            position += 6 + length
    return None


def backend_build(home, run_command):
    """What the back end's program prints as its version (``3.3.5-6d81f75``), or None.

    It runs as the owner of its file, never as root for a file of somebody else, with the libraries of
    bin/start_backend.sh.
    """
    lib = os.path.join(home, 'lib')
    program = os.path.join(lib, 'starrocks_be')
    try:
        owner = os.stat(program)
    except EnvironmentError:
        return None
    folders = [os.path.join(lib, 'jemalloc'), os.path.join(lib, 'hadoop', 'native'), lib]
    if os.environ.get('JAVA_HOME'):
        folders.insert(2, os.path.join(os.environ['JAVA_HOME'], 'lib', 'server'))
    command = ['timeout', str(_PROBE_TIMEOUT)]
    if os.geteuid() == 0 and owner.st_uid != 0:
        command = ['setpriv', '--reuid=%d' % owner.st_uid, '--regid=%d' % owner.st_gid, '--clear-groups'] + command
    # The libraries are for the program alone: the two above still run as root.
    command += ['env', 'STARROCKS_HOME=' + home, 'LD_LIBRARY_PATH=' + ':'.join(folders), program, '--version']
    try:
        status, out, dummy = run_command(command, cwd='/', handle_exceptions=False)
    except EnvironmentError:
        return None
    match = re.search(r'\d+\.\d+\.\d+\S*', (out.splitlines() or [''])[0])
    return match.group(0) if status == 0 and match else None
