#!/usr/bin/python
# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r'''
module: starrocks_connectivity
short_description: Check whether hosts reach each other, before StarRocks runs
description:
  - Connects to ports of other hosts and looks up their names, and says what stands in the way.
  - Before nodes run nobody listens. With O(state=listening) a process listens on their ports for the moment of the
    check; it closes each connection at once, and ends by itself.
  - Nothing of the host is changed, so it works the same way in check mode.
version_added: 0.1.0
author: the starrocks.cluster authors (@starrocks-cluster)
options:
  state:
    description:
      - With V(checked) it connects to O(targets) and looks up O(names).
      - >-
        With V(listening) it listens on those of O(ports) on which nobody listens. A listener that an earlier run left
        is ended first.
      - With V(absent) it ends the listener.
    type: str
    choices: [checked, listening, absent]
    default: checked
  ports:
    description: Ports to listen on, with O(state=listening).
    type: list
    elements: dict
    default: []
    suboptions:
      port:
        description: The port.
        type: int
        required: true
      address:
        description: Address of this host; empty for all of them.
        type: str
        default: ''
      name:
        description: Name of the port, C(edit_log_port) for example.
        type: str
        required: true
      kind:
        description: Kind of the node that it belongs to.
        type: str
        choices: [fe, be, cn, broker]
        required: true
  seconds:
    description: Seconds after which the listener ends by itself.
    type: float
    default: 60
  idle:
    description: Seconds after the last connection, once there was one, after which the listener ends by itself.
    type: float
    default: 3
  targets:
    description: What to connect to, with O(state=checked).
    type: list
    elements: dict
    default: []
    suboptions:
      host:
        description: Inventory name of the host, by which it is called in RV(checks).
        type: str
        required: true
      address:
        description: Its address.
        type: str
        required: true
      port:
        description: The port.
        type: int
        required: true
      name:
        description: Name of the port.
        type: str
        required: true
      kind:
        description: Kind of the node that it belongs to.
        type: str
        choices: [fe, be, cn, broker]
        required: true
      listening:
        description:
          - Whether somebody is known to listen there. A refusal comes from a firewall then, and is a failure.
          - Otherwise a refusal is a warning, since nobody can tell who refused.
        type: bool
        default: false
  names:
    description: Names to look up, with O(state=checked).
    type: list
    elements: dict
    default: []
    suboptions:
      host:
        description: Inventory name of the host.
        type: str
        required: true
      name:
        description: Its name as the nodes know it.
        type: str
        required: true
      addresses:
        description: Its addresses. The name must stand for one or more of them and for no other.
        type: list
        elements: str
        required: true
  timeout:
    description: Seconds in which a connection must come about. All are tried at once.
    type: float
    default: 3
  manage_firewall:
    description: A later step opens the firewalls, so that a port that is not reached is a warning only.
    type: bool
    default: false
  manage_hosts_file:
    description: A later step writes C(/etc/hosts), so that a wrong name is a warning only.
    type: bool
    default: false
attributes:
  check_mode:
    description: Runs the same way in check mode.
    support: full
  diff_mode:
    description: There is never a difference.
    support: none
seealso:
  - module: starrocks.cluster.starrocks_preflight
  - module: starrocks.cluster.starrocks_preflight_report
'''

EXAMPLES = r'''
- name: Listen where the front end is going to
  starrocks.cluster.starrocks_connectivity:
    state: listening
    ports:
      - {kind: fe, name: edit_log_port, port: 9010}
      - {kind: fe, name: http_port, port: 8030}

- name: See whether the first front end is reached from here
  starrocks.cluster.starrocks_connectivity:
    targets:
      - {host: fe1, address: 10.10.0.11, kind: fe, name: edit_log_port, port: 9010, listening: true}
    names:
      - {host: fe1, name: fe1.example.com, addresses: [10.10.0.11]}

- name: Listen no more
  starrocks.cluster.starrocks_connectivity:
    state: absent
'''

RETURN = r'''
checks:
  description: >-
    The checks C(network) and C(names), each with C(name), C(status) (V(ok), V(warning) or V(failure)), C(found),
    C(needed) and C(fix), as M(starrocks.cluster.starrocks_preflight) has them. The module does not fail for them.
  type: list
  elements: dict
  returned: with O(state=checked)
  sample:
    - name: network
      status: failure
      found: no answer within 3 s from fe2 (10.10.0.12), port 9010 (edit_log_port) of its front end
      needed: a connection to each port that this host uses there
      fix: >-
        A firewall on fe2 or on the way drops packets, or 10.10.0.12 is not its address in the network of the cluster
        (starrocks_priority_networks). Open there: 9010 (starrocks_fe_edit_log_port).
listening:
  description: Those of O(ports) on which somebody listens now, whether the listener or who did before.
  type: list
  elements: dict
  returned: with O(state=listening)
not_opened:
  description: Those of O(ports) on which it could not listen, each with C(error).
  type: list
  elements: dict
  returned: with O(state=listening)
pid:
  description: Process id of the listener; null when there was nothing to listen on.
  type: int
  returned: with O(state=listening)
ended:
  description: Process ids of the listeners that were ended.
  type: list
  elements: int
  returned: with O(state=listening) or O(state=absent)
'''

import concurrent.futures
import errno
import os
import selectors
import socket
import time

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.starrocks.cluster.plugins.module_utils import _connectivity, _listener
from ansible_collections.starrocks.cluster.plugins.module_utils._node import listening_ports

KINDS = ['fe', 'be', 'cn', 'broker']

PORT_OPTIONS = dict(
    port=dict(type='int', required=True),
    address=dict(type='str', default=''),
    name=dict(type='str', required=True),
    kind=dict(type='str', choices=KINDS, required=True),
)

TARGET_OPTIONS = dict(
    host=dict(type='str', required=True),
    address=dict(type='str', required=True),
    port=dict(type='int', required=True),
    name=dict(type='str', required=True),
    kind=dict(type='str', choices=KINDS, required=True),
    listening=dict(type='bool', default=False),
)

NAME_OPTIONS = dict(
    host=dict(type='str', required=True),
    name=dict(type='str', required=True),
    addresses=dict(type='list', elements='str', required=True),
)

ARGUMENTS = dict(
    state=dict(type='str', choices=['checked', 'listening', 'absent'], default='checked'),
    ports=dict(type='list', elements='dict', default=[], options=PORT_OPTIONS),
    seconds=dict(type='float', default=60),
    idle=dict(type='float', default=3),
    targets=dict(type='list', elements='dict', default=[], options=TARGET_OPTIONS),
    names=dict(type='list', elements='dict', default=[], options=NAME_OPTIONS),
    timeout=dict(type='float', default=3),
    manage_firewall=dict(type='bool', default=False),
    manage_hosts_file=dict(type='bool', default=False),
)

AT_ONCE = 500
"""Connections tried at once: an account may have no more than 1024 files open."""

LOOKUPS_AT_ONCE = 20


# --- listening -------------------------------------------------------------------------------------------------------

def listen(wishes):
    """Have a listener on each port that is free; returns the result of state=listening."""
    ended = _listener.end()[0]
    taken = listening_ports()
    listening = [wish for wish in wishes['ports'] if wish['port'] in taken]
    not_opened, sockets = [], []
    for wish in wishes['ports']:
        if wish['port'] in taken:
            continue
        try:
            sockets += _listener.open_sockets(wish['address'], wish['port'])
            listening.append(wish)
        except OSError as error:
            not_opened.append(dict(wish, error=os.strerror(error.errno) if error.errno else str(error)))
    pid = _listener.start(sockets, wishes['idle'], wishes['seconds']) if sockets else None
    for one in sockets:
        one.close()
    return dict(listening=listening, not_opened=not_opened, pid=pid, ended=ended)


# --- checking --------------------------------------------------------------------------------------------------------

def connect_all(targets, timeout):
    """Return an errno for each target, 0 where a connection came about; see _connectivity."""
    numbers = []
    for begin in range(0, len(targets), AT_ONCE):
        numbers += _connect_some(targets[begin:begin + AT_ONCE], timeout)
    return numbers


def _connect_some(targets, timeout):
    numbers = [errno.ETIMEDOUT] * len(targets)
    waiting = 0
    with selectors.DefaultSelector() as selector:
        for index, target in enumerate(targets):
            made, numbers[index] = _begin(target)
            if numbers[index] == errno.EINPROGRESS:
                numbers[index] = errno.ETIMEDOUT
                selector.register(made, selectors.EVENT_WRITE, index)
                waiting += 1
            elif made:
                made.close()
        until = time.monotonic() + timeout
        while waiting and time.monotonic() < until:
            for key, dummy in selector.select(max(0, until - time.monotonic())):
                numbers[key.data] = key.fileobj.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                selector.unregister(key.fileobj)
                key.fileobj.close()
                waiting -= 1
        for key in list(selector.get_map().values()):
            key.fileobj.close()
    return numbers


def _begin(target):
    """Begin to connect; returns (socket or None, errno so far)."""
    try:
        family, kind, protocol, dummy, where = socket.getaddrinfo(
            target['address'], target['port'], 0, socket.SOCK_STREAM)[0]
    except (socket.gaierror, UnicodeError):
        return None, _connectivity.NAME_UNKNOWN
    try:
        made = socket.socket(family, kind, protocol)
    except OSError as error:
        return None, error.errno
    made.setblocking(False)
    return made, made.connect_ex(where)


def look_up(name):
    """Return the addresses that a name stands for here, or the text of the error."""
    try:
        return sorted({row[4][0] for row in socket.getaddrinfo(name, None, 0, socket.SOCK_STREAM)})
    except socket.gaierror as error:
        return error.strerror or str(error)
    except UnicodeError as error:
        return str(error)


def look_up_all(names):
    """Look up several names at once: one that nobody answers for takes its time."""
    if not names:
        return []
    with concurrent.futures.ThreadPoolExecutor(LOOKUPS_AT_ONCE) as pool:
        return list(pool.map(look_up, [name['name'] for name in names]))


def check(wishes):
    """Return the result of state=checked."""
    numbers = connect_all(wishes['targets'], wishes['timeout'])
    answers = look_up_all(wishes['names'])
    return dict(checks=_connectivity.network_checks(
        wishes['targets'], numbers, wishes['timeout'], wishes['manage_firewall'])
        + _connectivity.name_checks(wishes['names'], answers, wishes['manage_hosts_file']))


def main():
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    if module.params['state'] == 'listening':
        result = listen(module.params)
    elif module.params['state'] == 'absent':
        result = dict(ended=_listener.end()[0])
    else:
        result = check(module.params)
    module.exit_json(changed=False, **result)


if __name__ == '__main__':
    main()
