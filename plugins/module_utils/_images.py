# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images of the metadata: which one each front end has.

How images come about (StarRocks' source, fe-core, at 4.x: com.starrocks.journal.JournalWriter,
leader.CheckpointController, http.meta.MetaService, http.rest.ShowMetaInfoAction): ALTER SYSTEM CREATE IMAGE only marks
the journal. With the next entry that anybody writes, heartbeats among them, the journal is rolled; the leader looks
every minute whether its newest image is older than what is rolled, has a new one made (from 3.4 on by another front
end), and has the others fetch it. An image is called by the id of the last journal entry in it. So one that holds
all that was written when it was asked for has at least the journal id of that time, whether it came by this asking or
by itself.

SHOW_HA tells the newest image that a front end has on its disk, of the global metadata. That of the StarManager, which
shared-data clusters make beside it, is shown nowhere.
"""

import base64
import json

from ansible_collections.starrocks.cluster.plugins.module_utils._changes import Change, Feature
from ansible_collections.starrocks.cluster.plugins.module_utils._sql_address import join_host_port
from ansible_collections.starrocks.cluster.plugins.module_utils._tables import iso_of, leader_of, seconds_of

CREATE_IMAGE = 'ALTER SYSTEM CREATE IMAGE'
# Section 2.1.
FEATURE = Feature('ALTER SYSTEM CREATE IMAGE', '2.5.3', 'wait for the image that StarRocks makes by itself')

PAGE = '/api/show_meta_info?action=SHOW_HA'
# The page has a few hundred bytes.
LARGEST_PAGE = 1024 * 1024
OK = 200
UNAUTHORIZED = 401


def journal_id_of(frontends):
    """The id of the last journal entry: what the leader shows of itself. None without a leader."""
    leader = leader_of(frontends)
    return leader['replayed_journal_id'] if leader else None


def parse_page(text):
    """``(journal_id, time)`` of the image in an answer of SHOW_HA: 0 and None without one. Raises ValueError."""
    page = json.loads(text)
    if not isinstance(page, dict) or 'last_checkpoint_version' not in page:
        raise ValueError('no last_checkpoint_version')
    milliseconds = int(page.get('last_checkpoint_time', 0))
    return int(page['last_checkpoint_version']), iso_of(milliseconds // 1000) if milliseconds else None


def fetch_page(host, port, user, password, timeout):
    """The text of SHOW_HA of one front end. Raises OSError or ValueError.

    The account is told only to a front end that asks for it (enable_http_auth), as this is no encrypted connection.
    """
    status, reason, body = _get(host, port, {}, timeout)
    if status == UNAUTHORIZED:
        account = base64.b64encode(('%s:%s' % (user, password)).encode('utf-8')).decode('ascii')
        status, reason, body = _get(host, port, {'Authorization': 'Basic ' + account}, timeout)
    if status != OK:
        raise OSError('HTTP status %d %s' % (status, reason))
    return body.decode('utf-8')


def _get(host, port, headers, timeout):
    """``(status, reason, body)``. Neither a proxy nor a redirect is followed: it is this front end that is asked."""
    # Imported where it is needed: most waits ask for no image.
    from http.client import HTTPConnection, HTTPException

    connection = HTTPConnection(host, port, timeout=timeout)
    try:
        connection.request('GET', PAGE, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.reason, answer.read(LARGEST_PAGE)
    except HTTPException as error:
        raise OSError('no HTTP is spoken there (%s)' % type(error).__name__)
    finally:
        connection.close()


def pages_for(session):
    """The ``fetch`` of read_images with the account of a Session."""
    options = session.options
    return lambda host, port: fetch_page(host, port, options.user, session.password_in_use, options.connect_timeout)


def read_images(frontends, fetch):
    """The image of each living front end: list of {host, port, journal_id, time, error}, in the order of the rows.

    ``fetch(host, port)`` gives the text of its page. What could not be read has an error in words and journal_id None.
    """
    images = []
    for row in frontends:
        if not row['alive']:
            continue
        image = {'host': row['host'], 'port': row['http_port'], 'journal_id': None, 'time': None, 'error': ''}
        try:
            image['journal_id'], image['time'] = parse_page(fetch(row['host'], row['http_port']))
        except (OSError, ValueError) as error:
            image['error'] = '%s could not be read: %s' % (PAGE, error)
        images.append(image)
    return images


def images_lack(images, journal_id):
    """Which of ``images`` do not hold all up to ``journal_id``, as a list of reasons."""
    reasons = []
    for image in images:
        address = join_host_port(image['host'], image['port'])
        if image['error']:
            reasons.append('%s: %s' % (address, image['error']))
        elif image['journal_id'] < journal_id:
            shown = 'has no image' if not image['journal_id'] else 'has image.%d' % image['journal_id']
            reasons.append('%s %s, and it has to be image.%d or a later one' % (address, shown, journal_id))
    return reasons


def _is_young(image, images, max_age, now):
    """Whether the leader's ``image`` is at most ``max_age`` seconds old, and all ``images`` are it or later ones."""
    return (not images_lack(images, image['journal_id'] or 1) and image['time'] is not None
            and now - seconds_of(image['time']) <= max_age)


def decide_image(frontends, images, max_age, now):
    """The Change that has an image made, unless there is one of at most ``max_age`` seconds (None: in any case).

    ``images``: see read_images; empty if nobody was asked. ``now``: seconds since 1970.
    """
    refusals = []
    leader = leader_of(frontends)
    if leader is None:
        refusals.append('the cluster has no leader, and only a leader has an image made: start front ends until a '
                        'majority of the followers runs')
    if images and all(image['error'] for image in images):
        refusals.append('no front end shows its image, so nobody could see the new one arrive (%s): let this host '
                        'reach the http_port of the front ends, or leave the waiting out with wait: false'
                        % images[0]['error'])
    before = {join_host_port(image['host'], image['port']): 'image.%s' % image['journal_id'] for image in images}
    of_leader = [image for image in images if leader is not None and image['host'] == leader['host']]
    if refusals or (max_age is not None and of_leader and _is_young(of_leader[0], images, max_age, now)):
        return Change([], before, before, [], refusals, [], [FEATURE])
    after = dict.fromkeys(before, 'image.%d or later' % leader['replayed_journal_id'])
    return Change([CREATE_IMAGE], before, after, [], [], [], [FEATURE])
