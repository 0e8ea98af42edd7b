# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small release archives, a server for them, and ways to run the module: for the tests of starrocks_release."""

import contextlib
import gzip
import hashlib
import http.server
import io
import os
import pathlib
import random
import signal
import struct
import tarfile
import threading
import zipfile

from ansible_collections.starrocks.cluster.plugins.modules import starrocks_release
from ansible_collections.starrocks.cluster.tests.unit.plugins import in_process

MTIME = 1_700_000_000


def version_class(version):
    """com/starrocks/common/Version.class, with the constants of a real one in another order."""
    constants = []

    def constant(tag, data):
        constants.append(bytes([tag]) + data)
        return len(constants)

    def utf8(text):
        return constant(1, struct.pack('>H', len(text)) + text.encode())

    def string_field(name, text):
        value = constant(8, struct.pack('>H', utf8(text)))
        return struct.pack('>HHHHHIH', 0x19, utf8(name), utf8('Ljava/lang/String;'), 1, utf8('ConstantValue'), 2, value)

    this_class = constant(7, struct.pack('>H', utf8('com/starrocks/common/Version')))
    # A long takes two places in the pool.
    constant(5, struct.pack('>q', 1))
    constants.append(b'')
    fields = [string_field('STARROCKS_COMMIT_HASH', '0be11fd'), string_field('STARROCKS_VERSION', version)]
    return (struct.pack('>IHHH', 0xCAFEBABE, 0, 61, len(constants) + 1) + b''.join(constants)
            + struct.pack('>HHHHH', 0x31, this_class, this_class, 0, len(fields)) + b''.join(fields) + b'\0\0\0\0')


def frontend_jar(version):
    """A jar that tells a version."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, 'w') as jar:
        jar.writestr(zipfile.ZipInfo('META-INF/MANIFEST.MF'), 'Manifest-Version: 1.0\n')
        jar.writestr(zipfile.ZipInfo('com/starrocks/common/Version.class'), version_class(version))
    return data.getvalue()


def contents(version='3.5.0'):
    """{path in the archive: bytes} of a small release; programs are those below bin."""
    noise = random.Random(version)
    return {
        'fe/bin/start_fe.sh': f'#!/bin/sh\n# {version}\n'.encode(),
        'fe/bin/stop_fe.sh': b'#!/bin/sh\n',
        'fe/conf/fe.conf': b'# as released\n',
        'fe/conf/hadoop_env.sh': b'# as released\n',
        'fe/lib/starrocks-fe.jar': frontend_jar(version),
        'fe/lib/large.jar': noise.randbytes(700_000),
        'fe/webroot/static/index.html': b'<html/>',
        'be/bin/start_be.sh': b'#!/bin/sh\n',
        'be/conf/be.conf': b'# as released\n',
        'be/lib/starrocks_be': f'#!/bin/sh\necho {version}-0be11fd\n'.encode(),
        'be/www/index.html': b'<html/>',
        'apache_hdfs_broker/bin/start_broker.sh': b'#!/bin/sh\n',
        'apache_hdfs_broker/conf/apache_hdfs_broker.conf': b'# as released\n',
        'apache_hdfs_broker/lib/broker.jar': noise.randbytes(200_000),
        'LICENSE.txt': b'license\n',
    }


def member(name, data=None, **fields):
    """(TarInfo, bytes) of one member: a file where data is given."""
    info = tarfile.TarInfo(name)
    info.mtime = MTIME
    info.size = len(data or b'')
    info.mode = 0o755 if '/bin/' in name or name.endswith('starrocks_be') else 0o644
    for key, value in fields.items():
        setattr(info, key, value)
    return info, data


def tar_bytes(members):
    """A tar of (TarInfo, bytes)."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode='w', format=tarfile.GNU_FORMAT) as tar:
        for info, content in members:
            tar.addfile(info, None if content is None else io.BytesIO(content))
    return data.getvalue()


def release_members(version='3.5.0', top=None, files=None):
    """The members of a release archive: folders before their files."""
    top = f'StarRocks-{version}-ubuntu-amd64' if top is None else top
    files = contents(version) if files is None else files
    folders = sorted({parent for path in files for parent in map(str, pathlib.PurePosixPath(path).parents)} - {'.'})
    prefix = f'{top}/' if top else ''
    return ([member(prefix + folder, type=tarfile.DIRTYPE, mode=0o755) for folder in folders]
            + [member(prefix + path, data) for path, data in files.items()])


def write_archive(folder, version='3.5.0', members=None, name=None):
    """Write an archive into a folder; returns its path."""
    path = pathlib.Path(folder, name or f'StarRocks-{version}-ubuntu-amd64.tar.gz')
    path.write_bytes(gzip.compress(tar_bytes(members or release_members(version)), mtime=0))
    return path


def sha256(path):
    """The checksum option of a file."""
    return 'sha256:' + hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


def unpack_by_hand(archive, component, dest):
    """What the manual says: unpack, move the component's folder to its place."""
    with tarfile.open(archive) as tar:
        for info in tar:
            parts = info.name.split('/')
            if component in parts[:2]:
                info.name = '/'.join(parts[parts.index(component):])
                tar.extract(info, dest)


def run_module(check_mode=False, **params):
    """Run the module in this process; returns its result, with failed true or false."""
    return in_process.run_module(starrocks_release, dict({'component': 'fe', 'version': '3.5.0'}, **params), check_mode)


# What changes files, or makes sure of them: the places where a crash is of interest.
_STEPS = ('mkdir', 'rename', 'unlink', 'rmdir', 'fsync', 'symlink', 'utime', 'chmod', 'fchmod', 'chown', 'open')


def killed(step, call):
    """Call a function in a child that kills itself before its n-th change on the disk; False where it ended before."""
    child = os.fork()
    if child == 0:
        count = 0

        def counted(function):
            def call_counted(*arguments, **options):
                nonlocal count
                count += 1
                if count == step:
                    os.kill(os.getpid(), signal.SIGKILL)
                return function(*arguments, **options)
            return call_counted
        with contextlib.suppress(BaseException):
            for name in _STEPS:
                setattr(os, name, counted(getattr(os, name)))
            call()
        os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def killed_at(step, **params):
    """The module, killed so."""
    return killed(step, lambda: run_module(**params))


def listing(folder):
    """{path: bytes or link target} of all files below a folder."""
    return {str(path.relative_to(folder)): os.readlink(path) if path.is_symlink() else path.read_bytes()
            for path in sorted(folder.rglob('*')) if path.is_symlink() or path.is_file()}


def released(component='fe', version='3.5.0'):
    """What an installed component holds, without its stamp."""
    prefix = component + '/'
    return {path[len(prefix):]: data for path, data in contents(version).items() if path.startswith(prefix)}


class Server:
    """A web server on 127.0.0.1 for one file.

    cuts: byte counts after which the first connections are closed, one each. statuses: what the first requests are
    answered with instead. ranges: whether it knows them. moved: the address that /moved redirects to. requests: what
    was asked.
    """

    def __init__(self, path, cuts=(), statuses=(), ranges=True, password=None, moved=None, etag='"one"'):
        self.path, self.cuts, self.statuses, self.ranges = path, list(cuts), list(statuses), ranges
        self.password, self.moved, self.etag = password, moved, etag
        self.requests = []
        self.headers = []
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                server.answer(self)

            def log_message(self, *arguments):
                pass
        self._server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.url = f'http://127.0.0.1:{self._server.server_port}/releases/{pathlib.Path(path).name}'

    def __enter__(self):
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={'poll_interval': 0.02}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_dummy):
        self._server.shutdown()
        self._server.server_close()

    def answer(self, request):
        """Answer one request."""
        self.requests.append((request.path, request.headers.get('Range')))
        self.headers.append(dict(request.headers))
        if self.statuses:
            request.send_error(self.statuses.pop(0))
            return
        if request.path.endswith('/moved'):
            request.send_response(302)
            request.send_header('Location', self.moved)
            request.end_headers()
            return
        if self.password and 'Authorization' not in request.headers:
            request.send_error(401)
            return
        data = pathlib.Path(self.path).read_bytes()
        start = int((request.headers.get('Range') or 'bytes=0-')[6:-1]) if self.ranges else 0
        request.send_response(206 if start else 200)
        if start:
            request.send_header('Content-Range', f'bytes {start}-{len(data) - 1}/{len(data)}')
        request.send_header('Content-Length', str(len(data) - start))
        request.send_header('ETag', self.etag)
        request.end_headers()
        request.wfile.write(data[start:start + self.cuts.pop(0)] if self.cuts else data[start:])
