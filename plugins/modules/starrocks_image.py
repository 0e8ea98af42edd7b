#!/usr/bin/python
# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: starrocks_image
short_description: Have an image of the metadata made, and see it on every front end
version_added: 0.1.0
description:
  - Runs C(ALTER SYSTEM CREATE IMAGE) and waits until each living front end holds an image with all that had been
    written before. StarRocks asks for that between an upgrade and the next one, and after a downgrade before the next
    upgrade.
  - StarRocks makes the image within about a minute, as its checkpointer looks once a minute.
  - Which image a front end has is asked for at its C(http_port), C(/api/show_meta_info?action=SHOW_HA). The host that
    runs the module has to reach that port. The account is sent there only if the front end asks for it
    (C(enable_http_auth)), then without encryption.
options:
  max_age:
    description:
      - Leave it at the image that is there, if the leader's is at most so many seconds old and each other living front
        end has it or a later one.
      - Without this option each run has an image made.
    type: int
extends_documentation_fragment:
  - starrocks.cluster.connection
  - starrocks.cluster.connection.wait
  - starrocks.cluster.connection.attributes
notes:
  - Front ends that are not alive are not waited for. They are named in RV(not_alive) and in a warning, and fetch an
    image when they come back.
  - Shared-data clusters make an image of the StarManager beside it, which StarRocks shows nowhere, so it cannot be
    waited for.
  - Needs StarRocks 2.5.3 or later.
seealso:
  - module: starrocks.cluster.starrocks_wait
    description: Its condition V(image) waits without having an image made.
author:
  - the starrocks.cluster authors (@starrocks-cluster)
"""

EXAMPLES = r"""
- name: Have an image made before the upgrade
  starrocks.cluster.starrocks_image:
    login_hosts: [fe1, fe2, fe3]
    login_password: "{{ starrocks_root_password }}"
    wait_timeout: 600

- name: Have one made unless there is one of the last hour
  starrocks.cluster.starrocks_image:
    login_hosts: [fe1, fe2, fe3]
    login_password: "{{ starrocks_root_password }}"
    max_age: 3600
"""

RETURN = r"""
queries:
  description: The statements that were run, or in check mode would be.
  returned: always
  type: list
  elements: str
  sample: [ALTER SYSTEM CREATE IMAGE]
journal_id:
  description:
    - The last entry of the journal before. An image of this number or a later one holds all that was written then.
  returned: success
  type: int
  sample: 13077
images:
  description:
    - The newest image of each living front end.
    - Empty with O(wait=false) without O(max_age), as nobody is asked for it.
  returned: success
  type: list
  elements: dict
  contains:
    host:
      description: The front end.
      type: str
      sample: 10.0.0.11
    port:
      description: Its C(http_port).
      type: int
      sample: 8030
    journal_id:
      description: The number of the image, 0 if there is none, null if that could not be read.
      type: int
      sample: 13081
    time:
      description: When the front end got it, in UTC.
      type: str
      sample: '2026-11-23T03:15:38Z'
    error:
      description: Why it could not be read, else empty.
      type: str
not_alive:
  description: Front ends that are not alive and got no image.
  returned: success
  type: list
  elements: str
  sample: [10.0.0.13]
"""

import time

from ansible_collections.starrocks.cluster.plugins.module_utils import _images
from ansible_collections.starrocks.cluster.plugins.module_utils._sql_module import SqlModule, wait_arguments
from ansible_collections.starrocks.cluster.plugins.module_utils._tables import FRONTENDS


def run(module):
    params = module.params
    module.refuse(['max_age: %d is not at least 0' % params['max_age']] if (params['max_age'] or 0) < 0 else [])
    session = module.session
    fetch = _images.pages_for(session)
    look = params['wait'] or params['max_age'] is not None

    def read():
        frontends = session.rows(FRONTENDS)
        return {'frontends': frontends, 'images': _images.read_images(frontends, fetch) if look else []}

    def decide(seen):
        return _images.decide_image(seen['frontends'], seen['images'], params['max_age'], time.time())

    def results(seen):
        return dict(images=seen['images'], not_alive=[row['host'] for row in seen['frontends'] if not row['alive']],
                    journal_id=journal_id) if seen else {}

    first = read()
    journal_id = _images.journal_id_of(first['frontends'])
    pending = [first]
    change, seen = module.converge(lambda: pending.pop() if pending else read(), decide)
    if seen is None:
        seen = first
        if params['wait']:
            seen = module.wait_until(read, lambda state: _images.images_lack(state['images'], journal_id),
                                     'not all front ends got the image', results)
    for row in seen['frontends']:
        if not row['alive']:
            module.module.warn('front end %s is not alive and has not got the image' % row['host'])
    return dict(results(seen), diff=dict(before=change.before, after=change.after))


def main():
    SqlModule(dict(wait_arguments(), max_age=dict(type='int'))).run(run)


if __name__ == '__main__':
    main()
