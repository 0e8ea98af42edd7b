# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the bytes of an archive come from: a file, or a URL that is read to its end through lost connections."""

import socket
import time
from http.client import HTTPException
from urllib.error import HTTPError, URLError
from urllib.parse import urljoin, urlsplit

from ansible_collections.starrocks.cluster.plugins.module_utils._release import ReleaseError, human_size

# Bytes that are read, hashed and unpacked at a time.
BLOCK = 256 * 1024

URL_SCHEMES = ('http', 'https')
_REDIRECTS = (301, 302, 303, 307, 308)
_MOST_REDIRECTS = 10
# Answers that another try may mend: time-out, too many requests, and what proxies and mirrors say under load.
_PASSING = (408, 425, 429, 500, 502, 503, 504)
# The longest pause between two tries, in seconds; the first is one second and each further one twice as long.
_LONGEST_PAUSE = 30
_CONNECTION_ERRORS = (URLError, HTTPException, socket.error, socket.timeout, EOFError)


class UnreadableError(ReleaseError):
    """An address from which the archive cannot be read; from another one it may be."""


def is_url(source):
    """Whether a source is a URL, of whatever scheme."""
    return '://' in source


def archive_name(source):
    """The file name of a path or URL, without query: what may be shown and kept."""
    path = urlsplit(source).path if is_url(source) else source
    return path.rstrip('/').rsplit('/', 1)[-1]


def shown_url(url):
    """A URL as it may be shown: no user information, no query (both may hold secrets)."""
    parts = urlsplit(url)
    return '%s://%s%s' % (parts.scheme, parts.netloc.rpartition('@')[2], parts.path)


def check_url(url, plain_http_allowed):
    """Raise ReleaseError where a URL must not be read."""
    parts = urlsplit(url)
    if parts.scheme not in URL_SCHEMES:
        raise ReleaseError('%s: an archive is read from http, https or a path, not from "%s:".'
                           % (shown_url(url), parts.scheme))
    if parts.password is not None:
        raise ReleaseError('%s: a password in a URL would be shown in outputs. Give it as url_username and '
                           'url_password.' % shown_url(url))
    if parts.scheme == 'http' and not plain_http_allowed:
        raise ReleaseError('%s: whoever is on the way can change what plain http carries. Give a checksum '
                           '(sha256:...), use https, or allow it by name: allow_insecure_http '
                           '(starrocks_allow_insecure_http) true.' % shown_url(url))


class FileSource:
    """The blocks of a file. shown: what messages call it, its path by default."""

    def __init__(self, path, shown=None):
        self.path = path
        self.name = archive_name(path)
        self.shown = shown or path

    def blocks(self):
        """Yield the file's bytes in order. Raises ReleaseError where it cannot be read."""
        try:
            with open(self.path, 'rb') as stream:
                while True:
                    block = stream.read(BLOCK)
                    if not block:
                        return
                    yield block
        except (IOError, OSError) as error:
            raise ReleaseError('%s cannot be read: %s' % (self.shown, error.strerror or error))


class UrlSource:
    """The blocks of what a URL names. A lost connection is taken up again where it broke off.

    open_url: ansible.module_utils.urls.open_url, or one like it; options: its further keywords (proxy, certificates,
    credentials); retries: how often in a row a request without any progress is tried again; timeout: seconds without a
    byte after which a connection counts as lost.
    """

    def __init__(self, url, open_url, options=None, plain_http_allowed=False, retries=3, timeout=60, pause=time.sleep):
        self.url = url
        self.name = archive_name(url)
        self.shown = shown_url(url)
        self._open_url = open_url
        self._options = options or {}
        self._plain_http_allowed = plain_http_allowed
        self._retries = retries
        self._timeout = timeout
        self._pause = pause
        self.size = None
        self._mark = None
        self._answered = False

    def blocks(self, position=0, size=None):
        """Yield the bytes in order, from a position on. Raises UnreadableError where they cannot be had.

        size: of the whole, where another address has told it.
        """
        self.size = size
        failures = 0
        while True:
            try:
                for block in self._blocks_from(position):
                    position += len(block)
                    failures = 0
                    yield block
                if self.size is None or position >= self.size:
                    return
                lost = 'the connection was closed after %s of %s' % (human_size(position), human_size(self.size))
            except HTTPError as error:
                if error.code not in _PASSING:
                    raise UnreadableError('%s: the server answered %d %s. Look at the address, and whether this host '
                                          'may reach it.' % (self.shown, error.code, error.reason))
                lost = 'the server answered %d %s' % (error.code, error.reason)
            except _CONNECTION_ERRORS as error:
                lost = str(getattr(error, 'reason', error)) or error.__class__.__name__
            failures += 1
            if failures > self._retries:
                raise UnreadableError('%s could not be read to its end: %s (%d tries, %s read). Look at the address, '
                                      'and whether this host reaches it, directly or by the proxy of its environment.'
                                      % (self.shown, lost, failures, human_size(position)))
            self._pause(min(2 ** (failures - 1), _LONGEST_PAUSE))

    def _blocks_from(self, position):
        """Yield what comes after the first ``position`` bytes, over one connection."""
        response = self._request(position)
        try:
            if position and response.getcode() == 200:
                # The server knows no ranges: it sends all again.
                self._skip(response, position)
            while True:
                block = response.read(BLOCK)
                if not block:
                    return
                yield block
        finally:
            response.close()

    def _request(self, position):
        """The response whose body begins at ``position``, or at 0 with status 200; redirects followed."""
        url = self.url
        for dummy in range(_MOST_REDIRECTS):
            headers = {'Accept-Encoding': 'identity'}
            if position:
                headers['Range'] = 'bytes=%d-' % position
            options = self._options if same_server(url, self.url) else without_credentials(self._options)
            try:
                response = self._open_url(url, headers=headers, timeout=self._timeout, follow_redirects='none',
                                          decompress=False, **options)
            except HTTPError as error:
                if error.code == 416:
                    raise self._another_file()
                if error.code not in _REDIRECTS or not error.headers.get('Location'):
                    raise
                url = urljoin(url, error.headers['Location'])
                check_url(url, self._plain_http_allowed)
                continue
            self._check_unchanged(response, position)
            return response
        raise ReleaseError('%s: more than %d redirects.' % (self.shown, _MOST_REDIRECTS))

    def _check_unchanged(self, response, position):
        """Remember size and mark of the first answer; raise ReleaseError where a later one is of another file."""
        headers = response.headers
        mark = headers.get('ETag') or headers.get('Last-Modified')
        if response.getcode() == 206:
            sent, dummy, size = headers.get('Content-Range', '').partition('/')
            if not sent.startswith('bytes %d-' % position):
                raise ReleaseError('%s: asked for byte %d on, the server sent "%s".' % (self.shown, position, sent))
        else:
            size = headers.get('Content-Length') or ''
        size = int(size) if size.isdigit() else None
        if position and (mark if self._answered else None, size) != (self._mark, self.size):
            raise self._another_file()
        self._mark, self.size = mark, size
        self._answered = True

    def _another_file(self):
        """The error for an answer that does not go on with what was read before."""
        if self._answered:
            return ReleaseError('%s changed on the server while it was read. Run again.' % self.shown)
        return UnreadableError('%s is another file than the one that was begun at another address.' % self.shown)

    @staticmethod
    def _skip(response, count):
        while count > 0:
            block = response.read(min(count, BLOCK))
            if not block:
                raise EOFError('the connection was closed again before the place where it broke off')
            count -= len(block)


class MirroredSource:
    """The blocks of an archive that lies at several addresses: a list of UrlSource, tried in order.

    Where one is lost after some bytes the next goes on there, if it tells the same size.
    """

    def __init__(self, sources):
        self._sources = sources
        self.name = sources[0].name
        self.shown = sources[0].shown

    def blocks(self):
        """Yield the bytes in order. Raises UnreadableError, which names all addresses, where none has them."""
        position, size, failures = 0, None, []
        for source in self._sources:
            self.shown = source.shown
            try:
                for block in source.blocks(position, size):
                    position += len(block)
                    yield block
                return
            except UnreadableError as error:
                failures.append(str(error))
                size = source.size if position else None
        raise UnreadableError('None of %d addresses gave the archive. %s' % (len(failures), ' '.join(failures)))


def same_server(url, other):
    """Whether two URLs are of one server: what is secret for one is for the other."""
    return _origin(url) == _origin(other)


def _origin(url):
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def without_credentials(options):
    """Credentials are for the server that was named, not for the one that it points to."""
    return {key: value for key, value in options.items() if key not in ('url_username', 'url_password')}
