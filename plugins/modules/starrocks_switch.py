#!/usr/bin/python
# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r'''
module: starrocks_switch
short_description: Exchange the files of a stopped StarRocks node for those of another version, or back
description:
  - Puts a release that was staged by M(starrocks.cluster.starrocks_release), or one that was kept by an earlier switch,
    in the place of the one that is there. Everything of the release is exchanged (C(bin), C(lib), C(spark-dpp),
    C(webroot), C(www), ...) by renaming. C(conf), C(meta), C(storage), C(log) and all else are never touched.
  - The old release is kept beside the new one as C(bin.bak-VERSION), C(lib.bak-VERSION), ..., with its stamp. A backup
    is never overwritten; where such a name is taken, a number is put behind it. C(bin.bak) and C(lib.bak) that people
    made are left alone.
  - C(lib/udf), C(lib/small_file) and C(lib/udf-runtime) of a back end or compute node are copied into the new C(lib).
  - A journal (C(.starrocks-switch.json)) is on the disk before the first file moves. After an interruption at any point
    the next run brings the switch to its end, or undoes it when the old version is asked for. C(bin) goes first and
    comes last, so that nothing can start a node whose files are of two versions.
  - If a step fails, the old release is put back at once.
  - Refused while a process of the node lives from the folder. The module stops and starts nothing.
  - Only releases whose files equal their stamps are put in place.
version_added: 0.1.0
author: the starrocks.cluster authors (@starrocks-cluster)
options:
  component:
    description: The component, named as its folder in the archive. Compute nodes run from V(be).
    type: str
    choices: [apache_hdfs_broker, be, fe]
    required: true
  dest:
    description: The folder that holds the component's folder.
    type: path
    required: true
  version:
    description:
      - The version that is to be in place, V(3.5.0) for example.
      - Without it, an interrupted switch is brought to its end, and else nothing is done.
      - V(unknown) is the backup of an installation made by hand whose files do not tell their version.
    type: str
  source:
    description:
      - Where the files come from. V(staged), from the folder C(.COMPONENT.staging-VERSION). V(backup), from what an
        earlier switch kept; that is a rollback. V(auto), from what is staged, if that is complete, else from a backup.
      - An interrupted switch is brought to its end, or undone, whatever this says.
    type: str
    choices: [auto, staged, backup]
    default: auto
  keep:
    description:
      - How many backups stay after a switch, the ones made last. The one just made always stays. Older ones are removed
        whole, and so is one of the version that is now in place.
    type: int
    default: 2
  owner:
    description: Owner of the files put in place, by name or number. Not changed when left out.
    type: str
  group:
    description: Group of the files put in place, by name or number. Not changed when left out.
    type: str
attributes:
  check_mode:
    description: Can run in check mode and say what it would do without changing anything.
    support: full
  diff_mode:
    description: Says in diff mode which folders go where.
    support: full
seealso:
  - module: starrocks.cluster.starrocks_release
  - module: starrocks.cluster.starrocks_node
'''

EXAMPLES = r'''
- name: Put the staged version in place; the front end of this host is stopped
  starrocks.cluster.starrocks_switch:
    component: fe
    dest: /opt/starrocks
    version: 3.5.1
    owner: starrocks
    group: starrocks

- name: Go back to the version before
  starrocks.cluster.starrocks_switch:
    component: fe
    dest: /opt/starrocks
    version: 3.4.4
    source: backup

- name: Bring a switch to its end that was interrupted
  starrocks.cluster.starrocks_switch:
    component: be
    dest: /opt/starrocks
'''

RETURN = r'''
component:
  description: The component.
  returned: always
  type: str
  sample: fe
home:
  description: The component's folder.
  returned: always
  type: str
  sample: /opt/starrocks/fe
action:
  description:
    - What was done, or would be done in check mode.
    - V(switch). V(resume), an interrupted switch was brought to its end. V(undo), it was undone. V(nothing).
  returned: success
  type: str
  sample: switch
version:
  description: The version that is in place afterwards. Null where the files do not tell.
  returned: success
  type: str
  sample: 3.5.1
previous_version:
  description:
    - The version that was in place before. With RV(action=undo), the one that the interrupted switch was on its way to.
      Null where the files did not tell.
  returned: success
  type: str
  sample: 3.4.4
backup:
  description: The names, in the component's folder, under which the old release is kept.
  returned: success
  type: list
  elements: str
  sample: [bin.bak-3.4.4, lib.bak-3.4.4, spark-dpp.bak-3.4.4]
backups:
  description: The versions of which a complete backup is kept afterwards, the one made last first.
  returned: success
  type: list
  elements: str
  sample: [3.4.4, 3.4.2]
msg:
  description: What was done, in one line.
  returned: always
  type: str
  sample: switched from 3.4.4 to 3.5.1
'''

import os

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.starrocks.cluster.plugins.module_utils import _release as rules
from ansible_collections.starrocks.cluster.plugins.module_utils import _release_disk as disk
from ansible_collections.starrocks.cluster.plugins.module_utils import _switch
from ansible_collections.starrocks.cluster.plugins.module_utils._release import ReleaseError


def main():
    module = AnsibleModule(
        argument_spec=dict(
            component=dict(type='str', choices=list(rules.COMPONENTS), required=True),
            dest=dict(type='path', required=True),
            version=dict(type='str'),
            source=dict(type='str', choices=list(_switch.SOURCES), default='auto'),
            keep=dict(type='int', default=2),
            owner=dict(type='str'),
            group=dict(type='str'),
        ),
        supports_check_mode=True,
    )
    params = module.params
    facts = dict(component=params['component'], home=os.path.join(params['dest'], params['component']))
    try:
        owner = disk.account_numbers(params['owner'], params['group'], module.check_mode)
        prepared = _switch.prepare(facts['home'], params['component'], params['version'], params['source'],
                                   params['keep'], owner, module.run_command)
        prepared.check_stopped()
        if not module.check_mode:
            prepared.apply()
    except ReleaseError as error:
        module.fail_json(msg=str(error), **facts)
    except EnvironmentError as error:
        module.fail_json(msg='%s of %s: %s' % (params['component'], facts['home'], rules.explain(error)), **facts)
    for warning in prepared.warnings:
        module.warn(warning)
    module.exit_json(
        changed=prepared.changed, action=prepared.action, version=prepared.version,
        previous_version=prepared.previous_version, backup=prepared.backup, backups=prepared.backups,
        diff={'prepared': prepared.diff}, msg=prepared.message, **facts)


if __name__ == '__main__':
    main()
