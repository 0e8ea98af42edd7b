#!/usr/bin/python
# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r'''
module: starrocks_release
short_description: Install one component of a StarRocks release on a host
description:
  - Fetches a release archive, checks it and unpacks one component of it, all in one pass. Nothing of the archive is
    kept, and memory stays below 100 MB.
  - Files are unpacked beside the component's folder, stamped when all are on the disk, and moved into place by one
    rename. An interrupted run leaves nothing that looks complete; a rerun clears up and starts again.
  - When the component is installed in the wanted version, its files are compared with the stamp. Files that are missing
    or changed are put back from the archive; otherwise the archive is not read at all.
  - The node's own folders (C(conf), C(meta), C(storage), C(log)) are never touched. C(conf) comes from the archive with
    the first install only.
  - An installation made by hand is adopted where it is of the wanted version. The front end's jar and the back end's
    program tell theirs; where they do not, and for a broker, the files are compared with the archive.
  - The version of an installed component is never changed. That is what the upgrade playbook is for. With
    O(state=staged) another version is unpacked beside it, while the node serves, to be put in place by
    M(starrocks.cluster.starrocks_switch).
  - With O(src) on the controller, only the component's part of the archive travels, and only to hosts that need it. The
    part is kept in C($XDG_CACHE_HOME/starrocks.cluster) for the next run.
  - Large archives take minutes on slow lines, and a module cannot print while it runs. With C(async) and C(poll) the
    task says that it still does, unless O(src) is on the controller.
version_added: 0.1.0
author: the starrocks.cluster authors (@starrocks-cluster)
options:
  component:
    description: The component, named as its folder in the archive. Compute nodes run from V(be).
    type: str
    choices: [apache_hdfs_broker, be, fe]
    required: true
  version:
    description:
      - The version that is to be installed, V(3.5.0) for example.
      - Refused where the archive's file name, its folder or the front end's jar tells another one.
    type: str
    required: true
  state:
    description:
      - V(present), the component is installed in O(version).
      - V(staged), the release waits beside the installed one of another version, complete, in the folder
        C(.COMPONENT.staging-VERSION) of O(dest). Nothing is done where O(version) is installed already. What is staged
        of other versions is removed. Refused where nothing is installed.
    type: str
    choices: [present, staged]
    default: present
  src:
    description:
      - The release archive (C(.tar.gz)), C(http://) or C(https://) to be read by the host, or a path.
      - A relative path on the controller is looked for as M(ansible.builtin.copy) does.
    type: str
    required: true
  mirrors:
    description:
      - Further addresses of the same archive, for an O(src) that is C(http://) or C(https://). They are tried in order
        where one cannot be read (it cannot be reached, breaks off for good, or answers with an error), and go on where
        it broke off.
      - An archive with a wrong O(checksum) is refused, whatever other addresses have.
    type: list
    elements: str
    default: []
  remote_src:
    description: Whether a path in O(src) is on the host, not on the controller.
    type: bool
    default: false
  dest:
    description: The folder that holds the component's folder. Made where it is missing.
    type: path
    required: true
  checksum:
    description: Checksum of the archive, C(ALGORITHM:HEX). The algorithm is C(sha256), C(sha512), C(sha1) or C(md5).
    type: str
  owner:
    description: Owner of the installed files, by name or number. Default is the user who runs the module.
    type: str
  group:
    description: Group of the installed files, by name or number.
    type: str
  allow_insecure_http:
    description: Whether plain C(http) without a O(checksum) is accepted.
    type: bool
    default: false
  use_proxy:
    description: Whether the proxies of the environment (E(http_proxy), E(https_proxy), E(no_proxy)) are used.
    type: bool
    default: true
  validate_certs:
    description: Whether the certificate of a server is checked.
    type: bool
    default: true
  ca_path:
    description: File with the certificate authorities to trust. Default is those of the host.
    type: path
  url_username:
    description: User name for the server of O(src). Not sent to servers that it redirects to, nor to other mirrors.
    type: str
  url_password:
    description: Password for the server of O(src).
    type: str
  timeout:
    description: Seconds without a byte after which a connection counts as lost.
    type: int
    default: 60
  retries:
    description: How often in a row a lost connection is tried again. A download goes on where it broke off.
    type: int
    default: 3
  part_of:
    description: Of what archive O(src) is the component's part. Set by the action plugin.
    type: dict
    suboptions:
      name:
        description: File name of the archive.
        type: str
        required: true
      size:
        description: Size of the archive in bytes.
        type: int
        required: true
      sha256:
        description: Checksum of the archive.
        type: str
        required: true
      unpacked_size:
        description: Size of the component's files in bytes.
        type: int
        required: true
attributes:
  check_mode:
    description: Can run in check mode and say what it would do without changing anything.
    support: full
  diff_mode:
    description: Says in diff mode what has changed, or would change.
    support: full
seealso:
  - module: starrocks.cluster.starrocks_node
'''

EXAMPLES = r'''
- name: Install the front end; each host fetches the archive
  starrocks.cluster.starrocks_release:
    component: fe
    version: 3.5.0
    src: https://releases.starrocks.io/starrocks/StarRocks-3.5.0-ubuntu-amd64.tar.gz
    checksum: sha256:0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0
    dest: /opt/starrocks
    owner: starrocks
    group: starrocks

- name: Install the back end from an archive on the controller
  starrocks.cluster.starrocks_release:
    component: be
    version: 3.5.0
    src: /srv/releases/StarRocks-3.5.0-ubuntu-amd64.tar.gz
    dest: /opt/starrocks
    owner: starrocks

- name: Install the broker from an archive that is on the host already
  starrocks.cluster.starrocks_release:
    component: apache_hdfs_broker
    version: 3.5.0
    src: /mnt/releases/StarRocks-3.5.0-ubuntu-amd64.tar.gz
    remote_src: true
    dest: /opt/starrocks
    owner: starrocks

- name: Have the next version wait beside the installed one, while the front end serves
  starrocks.cluster.starrocks_release:
    component: fe
    version: 3.5.1
    state: staged
    src: https://releases.starrocks.io/starrocks/StarRocks-3.5.1-ubuntu-amd64.tar.gz
    mirrors:
      - https://mirror.example.com/starrocks/StarRocks-3.5.1-ubuntu-amd64.tar.gz
    dest: /opt/starrocks
    owner: starrocks
    group: starrocks

- name: Fetch through a proxy
  starrocks.cluster.starrocks_release:
    component: fe
    version: 3.5.0
    src: https://releases.starrocks.io/starrocks/StarRocks-3.5.0-ubuntu-amd64.tar.gz
    dest: /opt/starrocks
  environment:
    https_proxy: http://proxy.example.com:3128
'''

RETURN = r'''
component:
  description: The component.
  returned: always
  type: str
  sample: fe
version:
  description: The wanted version.
  returned: always
  type: str
  sample: 3.5.0
home:
  description: The component's folder.
  returned: always
  type: str
  sample: /opt/starrocks/fe
previous_version:
  description: The version that was found. Null where none was, or where the files do not tell.
  returned: always
  type: str
  sample: 3.5.0
action:
  description:
    - What was done, or would be done in check mode.
    - V(install), first install. V(fill), the same into a folder that existed. V(adopt), files installed by hand were
      recognised. V(compare), they were compared with the archive, then adopted. V(repair), files were put back.
      V(stage), the release was staged. V(attributes), mode or owner was put right. V(nothing).
  returned: success
  type: str
  sample: install
archive_needed:
  description: Whether the archive had to be read, or would have to be.
  returned: success
  type: bool
files:
  description: Paths below the component's folder, or below that of the staged release, that differed from the release.
  returned: success
  type: list
  elements: str
  sample: [lib/starrocks-fe.jar]
staging:
  description:
    - Folder of the release of O(version) that is staged, or would be in check mode. Null where there is none.
  returned: success
  type: str
  sample: /opt/starrocks/.fe.staging-3.5.1
stamp:
  description: What the stamp in the component's folder says, without its list of files. Null where there is none.
  returned: success
  type: dict
  contains:
    version:
      description: The installed version.
      type: str
    archive:
      description: C(name), C(size) and C(sha256) of the archive. Null for an adopted one that was not compared.
      type: dict
    adopted:
      description: Whether the files were installed by hand.
      type: bool
    installed_at:
      description: When the stamp was first written, in UTC.
      type: str
msg:
  description: What was done, in one line.
  returned: always
  type: str
  sample: installed 3.5.0
'''

import os

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.starrocks.cluster.plugins.module_utils import _release as rules
from ansible_collections.starrocks.cluster.plugins.module_utils import _release_disk as disk
from ansible_collections.starrocks.cluster.plugins.module_utils._release import ReleaseError
from ansible_collections.starrocks.cluster.plugins.module_utils._release_probe import probe
from ansible_collections.starrocks.cluster.plugins.module_utils._release_source import (
    FileSource,
    MirroredSource,
    UrlSource,
    archive_name,
    check_url,
    is_url,
    same_server,
    without_credentials,
)
from ansible_collections.starrocks.cluster.plugins.module_utils._versions import parse_or_none

# How many differing files a message names.
_NAMED_FILES = 5
# Options that are handed on to open_url.
_URL_OPTIONS = ('use_proxy', 'validate_certs', 'ca_path', 'url_username', 'url_password')
# What of the stamp is returned.
_SHOWN_OF_STAMP = ('version', 'archive', 'adopted', 'installed_at')


class Release:
    """One component on this host: what is there, what is wanted, and the way from one to the other."""

    def __init__(self, params, check_mode, run_command):
        self.params = params
        self.run_command = run_command
        self.component = params['component']
        self.version = params['version']
        self.home = _home(params['dest'], self.component)
        if parse_or_none(self.version) is None:
            raise ReleaseError('version: "%s" is not a StarRocks version, such as 3.5.0.' % self.version)
        self.algorithm, self.digest = rules.parse_checksum(params['checksum'])
        self.mirrors = params['mirrors']
        self.source = self._source()
        origin = params['part_of'] or {}
        for name in [origin.get('name') or archive_name(params['src'])] + [archive_name(url) for url in self.mirrors]:
            rules.check_evidence(name, rules.version_of_name(name), self.version)
        self.owner = disk.account_numbers(params['owner'], params['group'], check_mode)
        self.leftovers = disk.leftovers(self.home)
        self.obsolete = []
        sha256 = origin.get('sha256') or (self.digest if self.algorithm == 'sha256' else None)
        if params['state'] == 'staged':
            self._decide_staging(sha256)
        else:
            self.found = disk.look(self.home, self.component, self.owner, self.run_command)
            self.drift = self.found.drift
            self.decision = rules.decide(self.found, self.version, sha256, self.home)
        self.warnings = []

    def _decide_staging(self, sha256):
        self.found = disk.installed(self.home, self.component, self.run_command)
        waiting = disk.look_staged(self.staging_path, self.owner)
        self.decision = rules.decide_staging(self.found, waiting, self.version, sha256, self.home)
        self.drift = [] if self.decision.action in ('nothing', 'refuse') else waiting.drift
        self.staged_before = sorted(disk.staged(self.home))
        self.obsolete = rules.obsolete(self.found, self.decision, self.staged_before, self.version, self.staging_path)

    @property
    def staging_path(self):
        """Where the wanted version is staged."""
        return disk.staging_path(self.home, self.version)

    def _source(self):
        """Where this host reads the archive; None for one on the controller."""
        params = self.params
        if is_url(params['src']):
            sources = [self._url_source(url) for url in [params['src']] + self.mirrors]
            return MirroredSource(sources) if self.mirrors else sources[0]
        if self.mirrors:
            raise ReleaseError('mirrors: they are for a src that is http:// or https://, and it is %s.' % params['src'])
        if not params['remote_src']:
            return None
        origin = params['part_of']
        return FileSource(params['src'], origin and '%s (part %s)' % (origin['name'], self.component))

    def _url_source(self, url):
        params = self.params
        insecure = params['allow_insecure_http'] or bool(self.digest)
        check_url(url, insecure)
        options = {name: params[name] for name in _URL_OPTIONS}
        if not same_server(url, params['src']):
            options = without_credentials(options)
        options.update(force_basic_auth=bool(options.get('url_username')), http_agent='starrocks.cluster')
        return UrlSource(url, _open_url, options, insecure, params['retries'], params['timeout'])

    @property
    def archive_needed(self):
        """Whether the archive has to be read."""
        return self.decision.action in rules.ARCHIVE_ACTIONS

    @property
    def changed(self):
        """Whether anything is to be done."""
        return self.decision.action != 'nothing' or bool(self.leftovers or self.obsolete)

    def check(self):
        """Raise ReleaseError where what is to be done can be seen to fail."""
        if self.decision.action == 'refuse':
            raise ReleaseError(self.decision.message)
        if self.archive_needed and isinstance(self.source, FileSource) and not os.path.isfile(self.source.path):
            raise ReleaseError('src: there is no file %s on this host.' % self.source.path)
        if self.decision.action == 'stage':
            disk.check_one_file_system(self.home)

    def apply(self):
        """Do what was decided. Raises ReleaseError and EnvironmentError; then nothing that was installed has changed,
        or, with files half put back, the next run goes on."""
        if self.archive_needed and self.source is None:
            raise ReleaseError('src is a path on the controller, and the module was not called by way of its action '
                               'plugin. Call it as starrocks.cluster.starrocks_release in a task.')
        disk.remove_leftovers(self.leftovers)
        for path in self.obsolete:
            disk.remove_staged(path)
        if self.decision.action != 'nothing':
            getattr(self, '_' + self.decision.action)()

    def _archive(self):
        # Imported here because most runs read no archive: threads, zlib and tarfile cost more than all they do.
        from ansible_collections.starrocks.cluster.plugins.module_utils._release_archive import ComponentArchive
        return ComponentArchive(self.source, self.component, self.version, self.algorithm)

    def _origin(self, archive):
        """What the stamp says of the archive that was read."""
        origin = self.params['part_of']
        if origin:
            return {name: origin[name] for name in ('name', 'size', 'sha256')}
        return {'name': self.source.name, 'size': archive.size, 'sha256': archive.digests['sha256']}

    def _unpack(self, staging, wanted=None):
        """Unpack the component, or the wanted paths of it, into staging. Returns the archive, read and checked."""
        archive = self._archive()
        try:
            for entry in archive.entries():
                if wanted is None or wanted(entry):
                    staging.add(entry, archive.read(entry) if entry.kind == 'file' else None)
            archive.check(self.algorithm, self.digest)
        finally:
            archive.close()
        staging.finish()
        return archive

    def _unpack_all(self, staging):
        """Unpack the whole component. Returns its stamp."""
        if self.params['part_of']:
            disk.check_room(staging.path, self.params['part_of']['unpacked_size'])
        archive = self._unpack(staging)
        told = probe(staging.path, self.component, self.run_command) if self.component == 'fe' else None
        rules.check_evidence('the front end of %s' % self.source.shown, told, self.version)
        return disk.new_stamp(self.component, self.version, self._origin(archive), staging.release_files(),
                              staging.release_folders())

    def _staging(self, mends=False):
        return disk.Staging(self.home, self.version, self.owner, mends)

    def _install(self):
        parent = os.path.dirname(self.home)
        if not os.path.isdir(parent):
            os.makedirs(parent, 0o755)
        with self._staging() as staging:
            staging.become_home(self._unpack_all(staging))

    def _fill(self):
        with self._staging() as staging:
            stamp = self._unpack_all(staging)
            # From here on the folder is marked as unfinished, with all that may lie in it.
            earlier = (self.found.stamp or {}).get('files', {})
            begun = dict(stamp, complete=False, files=dict(earlier, **stamp['files']))
            disk.write_stamp(self.home, begun, self.owner)
            staging.place()
            for path in set(earlier) - set(stamp['files']):
                if os.path.lexists(os.path.join(self.home, path)):
                    os.unlink(os.path.join(self.home, path))
            disk.write_stamp(self.home, stamp, self.owner)
        self._attributes()

    def _repair(self):
        stamp = self.found.stamp
        broken = {one.path for one in self.found.drift if not one.attributes_only}

        def wanted(entry):
            if entry.path in broken:
                return True
            recorded = stamp['files'].get(entry.path, {}).get('size')
            if entry.kind == 'file' and recorded is not None and recorded != entry.size:
                raise ReleaseError('%s is not the archive from which %s was installed: %s has %d bytes in it, and %d '
                                   'here. Give the archive of the installed build.'
                                   % (self.source.shown, self.home, entry.path, entry.size, recorded))
            return False

        with self._staging(mends=True) as staging:
            self._unpack(staging, wanted)
            placed = staging.release_files()
            lost = broken - set(staging.files) - set(staging.folders)
            staging.place(broken)
            files = {path: one for path, one in stamp['files'].items() if path not in lost}
            files.update(placed)
            folders = [path for path in stamp['folders'] if path not in lost]
            disk.write_stamp(self.home, dict(stamp, files=files, folders=folders), self.owner)
        if lost:
            self.warnings.append('%s: not in the archive, so not put back: %s' % (self.home, _some(sorted(lost))))
        self._attributes()

    def _stage(self):
        if not self.params['part_of']:
            # What it takes is seen only when it is unpacked, and the node, which writes here too, serves meanwhile: so
            # there has to be room for as much as the installed one takes.
            paths = self.found.stamp['files'] if self.found.stamp else disk.release_paths(self.home, self.component)[0]
            disk.check_room(os.path.dirname(self.home), disk.size_of(self.home, paths))
        with self._staging() as staging:
            staging.stay(self._unpack_all(staging))

    def _adopt(self):
        files, folders = disk.release_paths(self.home, self.component)
        self._adopt_paths(files, folders, None)

    def _compare(self):
        differing, files, folders = [], [], []
        archive = self._archive()
        try:
            for entry in archive.entries():
                if not entry.path or not rules.is_release_path(entry.path):
                    continue
                (folders if entry.kind == 'directory' else files).append(entry.path)
                if not disk.equals(self.home, entry, archive.read(entry) if entry.kind == 'file' else ()):
                    differing.append(entry.path)
            archive.check(self.algorithm, self.digest)
        finally:
            archive.close()
        if differing:
            raise ReleaseError(
                '%s was installed by hand, its files do not tell their version, and %d of them are not those of %s '
                '(wanted version %s): %s. Give version and archive of what is installed; to change it, run the '
                'playbook starrocks.cluster.upgrade afterwards.'
                % (self.home, len(differing), self.source.shown, self.version, _some(differing)))
        self._adopt_paths(files, sorted(folders), self._origin(archive))

    def _adopt_paths(self, files, folders, origin):
        found = disk.records(disk.below(self.home), files)
        stamp = disk.new_stamp(self.component, self.version, origin, found, folders, adopted=True)
        # Not newer than the files: nothing was changed under the process that may be running.
        newest = max([one['mtime_ns'] for one in found.values() if 'mtime_ns' in one] or [0])
        disk.write_stamp(self.home, stamp, self.owner, newest)
        self._attributes()

    def _attributes(self):
        if self.params['state'] == 'staged':
            folder, found = self.staging_path, disk.look_staged(self.staging_path, self.owner)
        else:
            folder, found = self.home, disk.look(self.home, self.component, self.owner, self.run_command)
        disk.mend_attributes(disk.below(folder), found.stamp, [one for one in found.drift if one.attributes_only],
                             self.owner)

    def result(self, stamp):
        """What the module returns; stamp: what stands there at the end, or None."""
        message = self.decision.message
        if self.leftovers:
            message += '; cleared what an interrupted run had left: %s' % _some(self.leftovers)
        if self.obsolete:
            message += '; removed what was staged before: %s' % _some(self.obsolete)
        before, after, staging = self._described()
        return {
            'changed': self.changed,
            'action': self.decision.action,
            'archive_needed': self.archive_needed,
            'previous_version': self.found.version,
            'files': [one.path for one in self.drift],
            'staging': staging,
            'stamp': stamp and {name: stamp[name] for name in _SHOWN_OF_STAMP},
            'diff': {'before_header': self.home, 'after_header': self.home, 'before': before, 'after': after},
            'msg': message,
        }

    def _described(self):
        """(before, after, the staging folder afterwards): the first two as texts, for the diff."""
        if self.params['state'] != 'staged':
            return rules.describe(self.found), rules.describe_after(self.found, self.decision, self.version), None
        before = {os.path.basename(path) for path in self.staged_before}
        after = before - {os.path.basename(path) for path in self.obsolete}
        if self.decision.action == 'stage':
            after.add(os.path.basename(self.staging_path))
        return (rules.describe_staging(self.found, before, self.drift), rules.describe_staging(self.found, after, []),
                self.staging_path if os.path.basename(self.staging_path) in after else None)


def _home(dest, component):
    """The component's folder, links followed: what is staged has to lie on the same file system."""
    return os.path.realpath(os.path.join(dest, component))


def _open_url(*arguments, **options):
    """Ansible's open_url, imported when the first URL is read."""
    from ansible.module_utils.urls import open_url
    return open_url(*arguments, **options)


def _some(paths):
    """Some paths, for a message."""
    more = len(paths) - _NAMED_FILES
    return ', '.join(paths[:_NAMED_FILES]) + (' and %d more' % more if more > 0 else '')


def main():
    module = AnsibleModule(
        argument_spec=dict(
            component=dict(type='str', choices=list(rules.COMPONENTS), required=True),
            version=dict(type='str', required=True),
            state=dict(type='str', choices=['present', 'staged'], default='present'),
            src=dict(type='str', required=True),
            mirrors=dict(type='list', elements='str', default=[]),
            remote_src=dict(type='bool', default=False),
            dest=dict(type='path', required=True),
            checksum=dict(type='str'),
            owner=dict(type='str'),
            group=dict(type='str'),
            allow_insecure_http=dict(type='bool', default=False),
            use_proxy=dict(type='bool', default=True),
            validate_certs=dict(type='bool', default=True),
            ca_path=dict(type='path'),
            url_username=dict(type='str'),
            url_password=dict(type='str', no_log=True),
            timeout=dict(type='int', default=60),
            retries=dict(type='int', default=3),
            part_of=dict(type='dict', options=dict(
                name=dict(type='str', required=True),
                size=dict(type='int', required=True),
                sha256=dict(type='str', required=True),
                unpacked_size=dict(type='int', required=True),
            )),
        ),
        supports_check_mode=True,
    )
    params = module.params
    facts = dict(component=params['component'], version=params['version'],
                 home=os.path.join(params['dest'], params['component']))
    found_version = None
    try:
        release = Release(params, module.check_mode, module.run_command)
        found_version = release.found.version
        release.check()
        if not module.check_mode:
            release.apply()
        for warning in release.warnings:
            module.warn(warning)
        module.exit_json(**dict(facts, **release.result(disk.read_stamp(release.home))))
    except ReleaseError as error:
        module.fail_json(msg=str(error), previous_version=found_version, **facts)
    except EnvironmentError as error:
        module.fail_json(msg='%s of %s: %s' % (params['component'], facts['home'], rules.explain(error)),
                         previous_version=found_version, **facts)


if __name__ == '__main__':
    main()
