#!/usr/bin/python
# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r'''
module: starrocks_backup
short_description: Keep a copy of the metadata and configuration of a node on its host
description:
  - Copies files of one node into a folder of their own, before its version is changed. The node may run.
  - Of a front end's metadata it takes what a crash at that moment would have left, from which the front end recovers by
    itself. Journal files that are changed no more are hard links where they can be, so that a backup takes little room
    and time.
  - The folder gets its name when all of it is on the disk. An interrupted run leaves nothing that looks complete, and
    the next one clears up.
  - A backup that is there already is left as it is.
version_added: 0.1.0
author: the starrocks.cluster authors (@starrocks-cluster)
options:
  name:
    description: Name of the backup and of its folder, for example the time and the version, V(20261130T1944-3.4.4).
    type: str
    required: true
  dest:
    description: The folder that holds the backups of this node, and of no other. Made where it is missing.
    type: path
    required: true
  state:
    description:
      - V(present), the backup exists, and no more than O(keep) of them.
      - V(verified), compares it with its manifest, and fails where it differs.
    type: str
    choices: [present, verified]
    default: present
  sources:
    description: What is copied. Required with O(state=present).
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: A folder or a file. Links in a folder are copied as links, and refused in metadata.
        type: path
        required: true
      kind:
        description: V(metadata), the C(meta_dir) of a front end. V(configuration), anything that can just be copied.
        type: str
        choices: [metadata, configuration]
        required: true
      as:
        description: Path below the backup.
        type: str
        required: true
  keep:
    description: How many backups are kept in O(dest), the newest by the time in their manifests.
    type: int
    default: 3
  versions:
    description: What the manifest says of the node's versions.
    type: dict
    default: {}
  owner:
    description: Owner of the folders made for backups. What is copied keeps its own. Default is who runs the module.
    type: str
  group:
    description: Group of the folders made for backups.
    type: str
  mode:
    description: Permission bits of the backup's folder, as an octal string. Configuration files hold secrets.
    type: str
    default: '0700'
attributes:
  check_mode:
    description: Says what would be copied and removed, and changes nothing.
    support: full
  diff_mode:
    description: Lists what is copied and removed.
    support: full
'''

EXAMPLES = r'''
- name: Back up the front end before its upgrade
  starrocks.cluster.starrocks_backup:
    name: 20261130T1944-3.4.4
    dest: /var/lib/starrocks/backups/fe
    versions: {from: 3.4.4, to: 3.5.1}
    sources:
      - {path: /var/lib/starrocks/fe/meta, kind: metadata, as: meta}
      - {path: /opt/starrocks/fe/conf, kind: configuration, as: conf}

- name: Is it still what it was?
  starrocks.cluster.starrocks_backup:
    name: 20261130T1944-3.4.4
    dest: /var/lib/starrocks/backups/fe
    state: verified
'''

RETURN = r'''
path:
  description: The backup's folder.
  returned: always
  type: str
  sample: /var/lib/starrocks/backups/fe/20261130T1944-3.4.4
bytes:
  description: Size of its files.
  returned: success
  type: int
files:
  description: Number of its files.
  returned: success
  type: int
linked:
  description: How many of them are hard links to files of the node.
  returned: success
  type: int
time:
  description: When it was made, in UTC. Null in check mode for one that is not there.
  returned: success
  type: str
versions:
  description: What its manifest says of the node's versions.
  returned: success
  type: dict
removed:
  description: Names of the older backups that were removed.
  returned: with O(state=present)
  type: list
  elements: str
problems:
  description: What is wrong with the backup, one line for each file.
  returned: with O(state=verified)
  type: list
  elements: str
'''

import grp
import os
import pwd

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.starrocks.cluster.plugins.module_utils import _node_backup as backup
from ansible_collections.starrocks.cluster.plugins.module_utils._node_backup import BackupError

# How many problems a message names; the result has all.
NAMED_PROBLEMS = 5


def number(params, option, lookup, check_mode):
    """Return the number of an account or group, -1 for as it comes (also in check mode before it exists)."""
    name = params[option]
    if name is None:
        return -1
    try:
        return lookup(name)[2]
    except KeyError:
        if check_mode:
            return -1
        raise BackupError("The %s '%s' does not exist on this host." % (option, name))


def permissions(text):
    """Return permission bits as a number."""
    try:
        return int(text, 8)
    except ValueError:
        raise BackupError("mode: '%s' is no octal number such as 0700." % text)


def present(params, path, check_mode):
    """Make the backup where it is not there, then remove what is too much; returns the result."""
    dest, name, sources = params['dest'], params['name'], params['sources']
    backup.check_request(name, dest, sources, params['keep'])
    owner = tuple(number(params, option, lookup, check_mode)
                  for option, lookup in (('owner', pwd.getpwnam), ('group', grp.getgrnam)))
    mode = permissions(params['mode'])
    manifest = backup.existing(dest, name, sources)
    leftovers = backup.leftovers(dest)
    if not check_mode:
        backup.remove_leftovers(leftovers)  # first, since they take room
    changes = ['--- %s\n+++ %s (absent)\n' % (left, left) for left in leftovers]
    files = manifest['files'] if manifest else backup.foresee(dest, sources)
    made = None
    if manifest is None:
        if not check_mode:
            made = backup.make(dest, name, sources, params['versions'], owner, mode)
            files = made['files']
        changes.append(backup.listed(path, files))
    removed = backup.outdated(backup.times(dest), params['keep'], name)
    for old in removed:
        changes.append('--- %s\n+++ %s (absent)\n' % (2 * (os.path.join(dest, old),)))
        if not check_mode:
            backup.remove(dest, old)
    shown = manifest or made or {'time': None, 'versions': params['versions']}
    return dict(backup.summary(files), changed=bool(changes), diff=[{'prepared': text} for text in changes],
                time=shown['time'], versions=shown['versions'], removed=removed)


def verified(path):
    """Compare the backup with its manifest; returns the result."""
    problems = backup.verify(path)
    manifest = backup.read_manifest(path)
    result = dict(backup.summary(manifest['files']), changed=False, time=manifest['time'],
                  versions=manifest['versions'], problems=problems)
    if problems:
        named = problems[:NAMED_PROBLEMS]
        more = len(problems) - len(named)
        result.update(failed=True, msg='%s is not what its manifest says: %s%s. Do not restore from it.' % (
            path, '; '.join(named), ', and %d more' % more if more else ''))
    return result


def main():
    module = AnsibleModule(
        argument_spec=dict(
            name=dict(type='str', required=True),
            dest=dict(type='path', required=True),
            state=dict(type='str', choices=['present', 'verified'], default='present'),
            sources=dict(type='list', elements='dict', default=[], options={
                'path': dict(type='path', required=True),
                'kind': dict(type='str', choices=['metadata', 'configuration'], required=True),
                'as': dict(type='str', required=True)}),
            keep=dict(type='int', default=3),
            versions=dict(type='dict', default={}),
            owner=dict(type='str'),
            group=dict(type='str'),
            mode=dict(type='str', default='0700'),
        ),
        supports_check_mode=True,
    )
    params = module.params
    path = os.path.join(params['dest'], params['name'])
    try:
        result = present(params, path, module.check_mode) if params['state'] == 'present' else verified(path)
    except BackupError as error:
        module.fail_json(msg=str(error), path=path)
    except EnvironmentError as error:
        module.fail_json(msg='The backup %s could not be made, or read: %s.' % (path, error), path=path)
    if result.pop('failed', False):
        module.fail_json(path=path, **result)
    module.exit_json(path=path, **result)


if __name__ == '__main__':
    main()
