#!/usr/bin/python
# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r'''
module: starrocks_release_info
short_description: Tell which StarRocks releases are on a host
description:
  - Tells for each node of the host which version is installed, which ones are kept, and whether a change between two
    was cut off.
  - Changes nothing.
version_added: 0.1.0
author: the starrocks.cluster authors (@starrocks-cluster)
options:
  dest:
    description: The folder that holds the components' folders.
    type: path
    required: true
  nodes:
    description: The nodes of this host.
    type: list
    elements: dict
    required: true
    suboptions:
      kind:
        description: Kind of the node.
        type: str
        choices: [fe, be, cn, broker]
        required: true
      component:
        description: The component that it runs from, named as its folder. Compute nodes run from V(be).
        type: str
        choices: [apache_hdfs_broker, be, fe]
        required: true
attributes:
  check_mode:
    description: Runs the same way in check mode.
    support: full
  diff_mode:
    description: There is never a difference.
    support: none
seealso:
  - module: starrocks.cluster.starrocks_release
  - module: starrocks.cluster.starrocks_switch
'''

EXAMPLES = r'''
- name: See which versions of the front end are here
  starrocks.cluster.starrocks_release_info:
    dest: /opt/starrocks
    nodes:
      - {kind: fe, component: fe}
'''

RETURN = r'''
releases:
  description: What there is for each node of O(nodes), in their order.
  type: list
  elements: dict
  returned: success
  contains:
    kind:
      description: Kind of the node.
      type: str
    component:
      description: Its component.
      type: str
    installed:
      description: Version of the files, by their stamp or by themselves; null where they do not tell, where nothing is
        installed and where a change is half done.
      type: str
    backups:
      description: Versions that are kept and complete, the one that was in use last first.
      type: list
      elements: str
    pending:
      description: C(from) and C(to) of a change that was cut off; null where there is none.
      type: dict
  sample:
    - kind: fe
      component: fe
      installed: 3.5.0
      backups: [3.4.4]
      pending: null
'''

import os

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.starrocks.cluster.plugins.module_utils import _switch
from ansible_collections.starrocks.cluster.plugins.module_utils._release import ReleaseError


def look(home, component, run_command):
    """Return what there is in a component's folder."""
    return {'component': component, 'installed': _switch.installed_version(home, component, run_command),
            'backups': [one['version'] for one in _switch.backups(home) if one['complete']],
            'pending': _switch.pending(home)}


def main():
    module = AnsibleModule(
        argument_spec=dict(
            dest=dict(type='path', required=True),
            nodes=dict(type='list', elements='dict', required=True, options=dict(
                kind=dict(type='str', choices=['fe', 'be', 'cn', 'broker'], required=True),
                component=dict(type='str', choices=['apache_hdfs_broker', 'be', 'fe'], required=True))),
        ),
        supports_check_mode=True,
    )
    seen, releases = {}, []
    for node in module.params['nodes']:
        component = node['component']
        if component not in seen:
            try:
                seen[component] = look(os.path.join(module.params['dest'], component), component, module.run_command)
            except ReleaseError as error:
                module.fail_json(msg=str(error))
        releases.append(dict(seen[component], kind=node['kind']))
    module.exit_json(changed=False, releases=releases)


if __name__ == '__main__':
    main()
