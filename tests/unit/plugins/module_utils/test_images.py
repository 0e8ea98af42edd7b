# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which image each front end has, and starrocks_image over a scripted driver."""

import http.server
import socket
import threading

import pytest
from ansible_collections.starrocks.cluster.plugins.module_utils import _images as images
from ansible_collections.starrocks.cluster.plugins.module_utils._tables import seconds_of
from ansible_collections.starrocks.cluster.plugins.modules import starrocks_image
from ansible_collections.starrocks.cluster.tests.unit.plugins.module_utils.sql_double import (
    FRONTEND_COLUMNS,
    Driver,
    Frontend,
    frontend_row,
    lost,
)

PAGE = ('{"can_read":"false","role":"LEADER","is_ready":"true","last_checkpoint_version":"77",'
        '"last_checkpoint_time":"1795403738228","current_journal_id":"148","observer_nodes":"","master":"127.0.0.1"}')


@pytest.mark.parametrize('text, expected', [
    (PAGE, (77, '2026-11-23T03:15:38Z')),
    ('{"last_checkpoint_version":"0","last_checkpoint_time":"0"}', (0, None)),  # transcripts, 12
])
def test_a_page(text, expected):
    assert images.parse_page(text) == expected


@pytest.mark.parametrize('text', ['{}', '[]', '<html>', '', '{"last_checkpoint_version":"many"}'])
def test_no_page(text):
    with pytest.raises(ValueError):
        images.parse_page(text)


def test_images_of_the_living():
    def fetch(host, port):
        if host == 'f1':
            raise OSError('Connection refused')
        return {'f2': PAGE, 'f3': '<html>'}[host]

    rows = [row('f1'), row('f2', 'LEADER'), row('f3'), row('f4', alive=False)]
    seen = images.read_images(rows, fetch)
    assert [(image['host'], image['journal_id'], bool(image['error'])) for image in seen] == [
        ('f1', None, True), ('f2', 77, False), ('f3', None, True)]
    reasons = images.images_lack(seen, 77)
    assert len(reasons) == 2 and 'Connection refused' in reasons[0] and reasons[0].startswith('f1:8030: ')
    assert images.images_lack([dict(seen[1], journal_id=0)], 1) == [
        'f2:8030 has no image, and it has to be image.1 or a later one']


def row(host, role='FOLLOWER', alive=True, port=8030):
    return {'host': host, 'role': role, 'alive': alive, 'http_port': port, 'replayed_journal_id': 90}


ROWS = [row('f1'), row('f2', 'LEADER')]
NOW = seconds_of('2026-11-23T04:00:00Z')


def image(host, journal_id=77, time='2026-11-23T03:59:00Z', error=''):
    return {'host': host, 'port': 8030, 'journal_id': journal_id, 'time': time, 'error': error}


BROKEN = image('f1', None, None, 'refused')


@pytest.mark.parametrize('max_age, seen, young', [
    (None, [image('f1'), image('f2')], False),
    (60, [image('f1'), image('f2')], True),
    (59, [image('f1'), image('f2')], False),
    (60, [image('f1', 78), image('f2')], True),
    (60, [image('f1', 76), image('f2')], False),
    # When a follower got it does not count.
    (60, [image('f1', time='2026-11-23T01:00:00Z'), image('f2')], True),
    (60, [image('f1'), image('f2', time='2026-11-23T01:00:00Z')], False),
    (60, [BROKEN, image('f2')], False),
    (60, [image('f1', 0, None), image('f2', 0, None)], False),
    (60, [image('f1')], False),
])
def test_whether_an_image_is_young_enough(max_age, seen, young):
    change = images.decide_image(ROWS, seen, max_age, NOW)
    assert change.refusals == [] and change.statements == ([] if young else ['ALTER SYSTEM CREATE IMAGE'])
    assert (change.before == change.after) is young
    if not young:
        assert change.after['f1:8030'] == 'image.90 or later'


@pytest.mark.parametrize('rows, seen, words', [
    ([row('f1')], [], 'has no leader'),
    (ROWS, [BROKEN, BROKEN], 'no front end shows its image'),
])
def test_no_image_is_made(rows, seen, words):
    change = images.decide_image(rows, seen, None, NOW)
    assert change.statements == [] and words in change.refusals[0]


@pytest.mark.parametrize('max_age', [None, 60])
def test_the_statement_is_not_in_every_version(max_age):
    assert images.decide_image(ROWS, [image('f1'), image('f2')], max_age, NOW).needs == [images.FEATURE]


ACCOUNT = 'Basic cm9vdDpzZWNyZXQ='  # root:secret


@pytest.fixture
def asked():
    """A function: start an HTTP server that answers with these statuses in turn; its port, what it was asked."""
    servers = []

    def start(*statuses):
        left, requests = list(statuses), []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                requests.append((self.path, self.headers.get('Authorization')))
                self.send_response(left.pop(0))
                self.end_headers()
                self.wfile.write(PAGE.encode())

            def log_message(self, *arguments):
                pass

        servers.append(http.server.HTTPServer(('127.0.0.1', 0), Handler))
        threading.Thread(target=servers[-1].serve_forever, args=(0.01,), daemon=True).start()
        return servers[-1].server_port, requests

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize('statuses, accounts', [((200,), [None]), ((401, 200), [None, ACCOUNT])])
def test_the_account_is_sent_only_where_it_is_asked_for(asked, statuses, accounts):
    port, requests = asked(*statuses)
    assert images.fetch_page('127.0.0.1', port, 'root', 'secret', 5) == PAGE
    assert requests == [(images.PAGE, account) for account in accounts]


@pytest.mark.parametrize('statuses, words', [
    ((500,), 'HTTP status 500 Internal Server Error'), ((302,), 'HTTP status 302 Found'),
    ((401, 401), 'HTTP status 401 Unauthorized')])
def test_another_status_is_passed_on(asked, statuses, words):
    port, dummy = asked(*statuses)
    seen = images.read_images([row('127.0.0.1', port=port)],
                              lambda host, port: images.fetch_page(host, port, 'root', 'secret', 5))
    assert seen[0]['error'].endswith(words) and seen[0]['journal_id'] is None


def test_a_server_of_another_kind():
    with socket.create_server(('127.0.0.1', 0)) as server:
        def speak():
            with server.accept()[0] as connection:
                connection.recv(4096)
                connection.sendall(b'SSH-2.0-OpenSSH\r\n')

        threading.Thread(target=speak, daemon=True).start()
        with pytest.raises(OSError, match='no HTTP is spoken there'):
            images.fetch_page('127.0.0.1', server.getsockname()[1], 'root', 'secret', 5)


# The module

COLUMNS = FRONTEND_COLUMNS + ('HttpPort', 'ReplayedJournalId')


class Cluster:
    def __init__(self):
        self.journal_id = 90
        # What each front end shows, look by look; the last one stays.
        self.pages = {'fe1': [40], 'fe2': [40]}
        self.frontend = Frontend({'SHOW FRONTENDS': self.listing, images.CREATE_IMAGE: ((), [])})
        self.driver = Driver({('fe1', 9030): self.frontend})

    def listing(self):
        self.journal_id += 1
        rows = [frontend_row('fe1', 'LEADER'), frontend_row('fe2'), frontend_row('fe3', alive='false')]
        return COLUMNS, [cells + ['8030', str(self.journal_id)] for cells in rows]

    def page(self, host, port, user, password, timeout):
        pages = self.pages[host]
        number = pages.pop(0) if len(pages) > 1 else pages[0]
        if isinstance(number, Exception):
            raise number
        return '{"last_checkpoint_version":"%d","last_checkpoint_time":"%d"}' % (number, NOW * 1000)

    @property
    def changes(self):
        return [statement for statement in self.frontend.log if not statement.startswith('SHOW')]


@pytest.fixture
def cluster(use, monkeypatch):
    made = Cluster()
    use(made.driver)
    monkeypatch.setattr(images, 'fetch_page', made.page)
    return made


def test_an_image_is_made_and_seen(cluster, run):
    result = run(starrocks_image, check=True)
    assert (result['changed'], result['queries'], cluster.changes) == (True, [images.CREATE_IMAGE], [])
    assert result['diff'] == {'before': {'fe1:8030': 'image.40', 'fe2:8030': 'image.40'},
                              'after': {'fe1:8030': 'image.91 or later', 'fe2:8030': 'image.91 or later'}}
    cluster.pages = {'fe1': [40, 40, 93, 93], 'fe2': [40, 40, 40, 93]}
    result = run(starrocks_image)
    assert (result['changed'], cluster.changes, result['journal_id']) == (True, [images.CREATE_IMAGE], 92)
    assert [(entry['host'], entry['journal_id']) for entry in result['images']] == [('fe1', 93), ('fe2', 93)]
    assert result['not_alive'] == ['fe3'] and 'fe3 is not alive' in result['warned']


def test_one_that_does_not_get_it_is_named(cluster, run):
    cluster.pages = {'fe1': [40, 200], 'fe2': [40]}
    result = run(starrocks_image, wait_timeout=30)
    assert result['failed'] and result['changed']
    assert result['msg'] == ('not all front ends got the image within 30 s: fe2:8030 has image.40, and it has to be '
                             'image.91 or a later one')
    assert [entry['journal_id'] for entry in result['images']] == [200, 40]


def test_a_lost_answer_is_asked_for_again(cluster, run):
    """It cannot be known whether the statement was heard; to ask twice does no harm."""
    cluster.frontend.faults.append(('ALTER', lost(), True))
    cluster.pages = {'fe1': [40, 200], 'fe2': [40, 200]}
    result = run(starrocks_image)
    assert result['changed'] and cluster.changes == [images.CREATE_IMAGE] * 2


def test_without_waiting_nobody_is_asked(cluster, run):
    cluster.pages = {}
    result = run(starrocks_image, wait=False)
    assert (result['changed'], result['images'], cluster.changes) == (True, [], [images.CREATE_IMAGE])


def test_a_young_image_is_left(cluster, run, monkeypatch):
    monkeypatch.setattr(starrocks_image.time, 'time', lambda: NOW + 100)
    result = run(starrocks_image, max_age=100)
    assert (result['changed'], result['queries'], cluster.changes) == (False, [], [])
    assert cluster.frontend.log == ['SHOW FRONTENDS'] and len(result['images']) == 2
    cluster.pages = {'fe1': [40, 200], 'fe2': [40, 200]}
    assert run(starrocks_image, max_age=99)['changed']


def test_bad_options(cluster, run):
    result = run(starrocks_image, max_age=-1, wait_timeout=-2, login_hosts=[])
    assert all(words in result['msg'] for words in ('max_age: -1', 'wait_timeout: -2', 'login_hosts is empty'))
    assert cluster.driver.connects == []


def test_pages_that_cannot_be_reached(cluster, run):
    cluster.pages = {'fe1': [OSError('refused')], 'fe2': [OSError('refused')]}
    result = run(starrocks_image)
    assert result['failed'] and 'let this host reach the http_port' in result['msg'] and cluster.changes == []
