#!/usr/bin/python
# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: starrocks_frontend
short_description: Register, rename and drop a front end of a StarRocks cluster
version_added: 0.1.0
description:
  - Registers a front end on the leader, renames its host, or drops it.
  - The process itself is not started or stopped. A new front end has to be started the first time with C(--helper),
    between the registration (O(wait=false)) and the wait for its join.
options:
  host:
    description:
      - Address or name of the front end's host. StarRocks takes one front end per host.
      - IPv6 addresses need StarRocks 3.3.
    type: str
    required: true
  edit_log_port:
    description: The front end's C(edit_log_port).
    type: int
    default: 9010
  role:
    description:
      - The role to register it with. One registered with the other role is an error, since StarRocks cannot change it.
      - A leader is a follower.
      - What is dropped is found by O(host) alone.
    type: str
    choices: [follower, observer]
    default: follower
  state:
    description:
      - V(present) registers it.
      - V(absent) drops it. The leader is refused, and a follower without which fewer than a majority would be alive.
        As a follower that has died is shown alive for up to 20 s, only those count whose query port answers.
    type: str
    choices: [present, absent]
    default: present
  renamed_from:
    description:
      - The host by which the front end may still be registered. Where it is, it is renamed to O(host).
      - StarRocks does not change one IPv4 address to another, and does not rename the leader.
      - The next start of the front end has to come up with the new address; a name needs C(start_fe.sh --host_type
        FQDN). Until then it runs on as it was.
      - Used with O(state=present). A front end that is registered by neither host is an error.
    type: str
  previous_start_time:
    description:
      - The C(start_time) that was shown before the front end was restarted.
      - Given, the wait ends only once another one is shown. For up to 20 s a listing shows the dead process as alive.
    type: str
extends_documentation_fragment:
  - starrocks.cluster.connection
  - starrocks.cluster.connection.wait
  - starrocks.cluster.connection.attributes
notes:
  - With O(state=present) the wait is over when the leader shows C(Join) and C(Alive), and the front end's own query
    port answers.
seealso:
  - module: starrocks.cluster.starrocks_cluster_info
author:
  - the starrocks.cluster authors (@starrocks-cluster)
"""

EXAMPLES = r"""
- name: Register a follower before its first start
  starrocks.cluster.starrocks_frontend:
    login_hosts: [fe1]
    login_password: "{{ starrocks_root_password }}"
    host: 10.0.0.12
    wait: false

- name: Wait until it has joined
  starrocks.cluster.starrocks_frontend:
    login_hosts: [fe1]
    login_password: "{{ starrocks_root_password }}"
    host: 10.0.0.12
    wait_timeout: 120

- name: Call a front end by its name from now on
  starrocks.cluster.starrocks_frontend:
    login_hosts: [fe1]
    login_password: "{{ starrocks_root_password }}"
    host: fe2.example.com
    renamed_from: 10.0.0.12
    wait: false

- name: Drop an observer
  starrocks.cluster.starrocks_frontend:
    login_hosts: [fe1]
    login_password: "{{ starrocks_root_password }}"
    host: 10.0.0.14
    role: observer
    state: absent
"""

RETURN = r"""
queries:
  description: The statements that were run, or in check mode would be, without those that only read.
  returned: always
  type: list
  elements: str
  sample: ['ALTER SYSTEM ADD FOLLOWER "10.0.0.12:9010"']
frontend:
  description:
    - The row of SHOW FRONTENDS of this front end, in snake_case and typed, unknown values null; null if it is absent.
    - In check mode, and for a new one without O(wait), what is known of it beforehand.
  returned: always
  type: dict
  sample:
    name: 10.0.0.12_9010_1795403753958
    host: 10.0.0.12
    edit_log_port: 9010
    http_port: 8030
    query_port: 9030
    rpc_port: 9020
    role: FOLLOWER
    join: true
    alive: true
    start_time: '2026-11-23T03:16:21Z'
    err_msg: ''
    version: 3.5.0-0be11fd
still_listening:
  description:
    - C(host:port) at which the process of a front end that was just dropped goes on to take connections, with a stale
      view of the cluster. Null if nothing answers there, or it was not registered.
    - It has to be stopped, and its C(meta_dir) moved aside before it can be added again.
  returned: with O(state=absent)
  type: str
  sample: 10.0.0.14:9030
"""

from ansible_collections.starrocks.cluster.plugins.module_utils import _sql_address, _wait
from ansible_collections.starrocks.cluster.plugins.module_utils._changes import read_start_time, refuse_rename
from ansible_collections.starrocks.cluster.plugins.module_utils._frontend_changes import decide_frontend, find_frontend
from ansible_collections.starrocks.cluster.plugins.module_utils._sql_module import SqlModule, wait_arguments
from ansible_collections.starrocks.cluster.plugins.module_utils._tables import FRONTENDS


def read_options(params):
    """``(values, findings)``: the options that are texts, as they were read, and what is wrong with them."""
    values, findings = {}, []
    for option, check in (('host', _sql_address.check_host), ('edit_log_port', _sql_address.check_port),
                          ('renamed_from', _sql_address.check_host),
                          ('previous_start_time', read_start_time)):
        try:
            values[option] = None if params[option] is None else check(params[option])
        except ValueError as error:
            findings.append('%s: %s' % (option, error))
    if not findings and values['renamed_from'] is not None:
        findings = refuse_rename('renamed_from:', values['renamed_from'], values['host'])
    return values, findings


def run(module):
    params = module.params
    values, findings = read_options(params)
    module.refuse(findings)
    host, port = values['host'], values['edit_log_port']
    session = module.session
    present = params['state'] == 'present'
    listened = []

    def read():
        rows = session.rows(FRONTENDS)
        session.learn(rows)
        return rows

    def decide(rows):
        row = find_frontend(rows, host, session.resolve)
        if not present and row is not None and row['query_port']:
            listened.append((row['host'], row['query_port']))
        return decide_frontend(rows, host, port, params['role'], params['state'], session.resolve,
                               renamed_from=values['renamed_from'], answers=_wait.port_answers)

    def lacks(rows):
        reason = _wait.frontend_lacks(find_frontend(rows, host, session.resolve), values['previous_start_time'],
                                      _wait.port_answers)
        return ['%s %s' % (_sql_address.join_host_port(host, port), reason)] if reason else []

    change, seen = module.converge(read, decide, again_at_end=not present)
    row = change.rows[0] if change.rows else None
    if present and params['wait'] and not module.check_mode:
        rows = module.wait_until(read, lacks, 'the front end was not joined and alive',
                                 lambda last: dict(frontend=find_frontend(last, host, session.resolve)), seen)
        row = find_frontend(rows, host, session.resolve)
    if not module.check_mode:
        for note in change.notes:
            module.module.warn(note)
    results = dict(frontend=row, diff=dict(before=change.before, after=change.after))
    if not present:
        results['still_listening'] = None if module.check_mode else _still_listening(listened)
    return results


def _still_listening(addresses):
    """The first of ``addresses`` at which something answers, as ``host:port``, or None."""
    for host, port in addresses:
        if _wait.port_answers(host, port):
            return _sql_address.join_host_port(host, port)
    return None


def main():
    arguments = dict(
        host=dict(type='str', required=True),
        edit_log_port=dict(type='int', default=9010),
        role=dict(type='str', choices=['follower', 'observer'], default='follower'),
        state=dict(type='str', choices=['present', 'absent'], default='present'),
        renamed_from=dict(type='str'),
        previous_start_time=dict(type='str'),
    )
    arguments.update(wait_arguments())
    SqlModule(arguments).run(run)


if __name__ == '__main__':
    main()
