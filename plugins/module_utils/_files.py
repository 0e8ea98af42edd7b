# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files and folders of a host, made as they should be: in one step, with a diff, and not at all in check mode."""

import os
import shutil
import tempfile

from ansible_collections.starrocks.cluster.plugins.module_utils._node import file_diff


class Files(object):
    """Reads and changes files and folders; in check mode it only reads.

    ``owner`` and ``group`` are the numbers of whom they belong to; -1 leaves that as it is found.
    """

    def __init__(self, module, owner=-1, group=-1):
        self.module = module
        self.check_mode = module.check_mode
        self.owner, self.group = owner, group
        self.changed = False
        self.diff = []

    def note(self, text):
        """Record a change: it counts, and it stands in the diff."""
        self.changed = True
        self.diff.append({'prepared': text if text.endswith('\n') else text + '\n'})

    def attributes(self, path):
        """Return (owner, group, mode) of a path, None where it is absent."""
        try:
            status = os.lstat(path)
        except OSError:
            return None
        return status.st_uid, status.st_gid, status.st_mode & 0o7777

    def wanted_attributes(self, found, mode, owned=True):
        """Return the attributes a path should have; what is not asked for (mode None) stays as found."""
        uid, gid = (self.owner, self.group) if owned else (-1, -1)
        if found is not None:
            uid, gid = (found[0] if uid < 0 else uid), (found[1] if gid < 0 else gid)
        if mode is None:
            return uid, gid, found[2] if found is not None else 0o644
        return uid, gid, int(mode, 8)

    @staticmethod
    def describe(attributes):
        """Return attributes as text; an owner that is left as it comes is left out."""
        if attributes is None:
            return ''
        owner = '' if -1 in attributes[:2] else '%s:%s ' % attributes[:2]
        return '%s%04o' % (owner, attributes[2])

    def directory(self, path, mode):
        """Make a directory, or mend its owner and mode. A symbolic link to a directory is left to its maker."""
        if os.path.islink(path) and os.path.isdir(path):
            return
        found = self.attributes(path)
        if found is not None and not os.path.isdir(path):
            self.module.fail_json(msg="%s is in the way: a directory is needed there, and it is something else. "
                                      "Move it aside and run again." % path)
        wanted = self.wanted_attributes(found, mode)
        if found == wanted:
            return
        self.note('--- %s/ (%s)\n+++ %s/ (%s)\n' % (
            path, self.describe(found) or 'absent', path, self.describe(wanted)))
        if self.check_mode:
            return
        if found is None:
            os.makedirs(path)
        os.chown(path, wanted[0], wanted[1])
        os.chmod(path, wanted[2])

    def file(self, path, content, mode, owned=True, check=None):
        """Write a file in one step (write beside it, fsync, rename), or mend its owner and mode.

        A symbolic link is replaced by the file: what it points to is somebody else's. ``check`` is called with the path
        of the new text before it takes its place, and raises to keep it from that.
        """
        found = self.attributes(path)
        before = None
        if found is not None and not os.path.islink(path):
            if not os.path.isfile(path):
                self.module.fail_json(msg="%s is in the way: a file is needed there, and it is something else. "
                                          "Move it aside and run again." % path)
            with open(path, 'rb') as handle:
                before = handle.read().decode('utf-8', 'replace')
        wanted = self.wanted_attributes(found, mode, owned)
        if before == content and found == wanted:
            return False
        self.note(file_diff(path, before, content, self.describe(found), self.describe(wanted)))
        if self.check_mode:
            return True
        if before == content:
            os.chown(path, wanted[0], wanted[1])
            os.chmod(path, wanted[2])
            return True
        if not os.path.isdir(os.path.dirname(path)):
            os.makedirs(os.path.dirname(path))
        handle, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix='.' + os.path.basename(path))
        try:
            with os.fdopen(handle, 'wb') as stream:
                stream.write(content.encode('utf-8'))
                stream.flush()
                os.fchown(stream.fileno(), wanted[0], wanted[1])
                os.fchmod(stream.fileno(), wanted[2])
                os.fsync(stream.fileno())
            if check is not None:
                check(temporary)
            self._label(temporary, path, found is not None)
            os.rename(temporary, path)
        finally:
            if os.path.lexists(temporary):
                os.unlink(temporary)
        return True

    def _label(self, temporary, path, there):
        """Give a new file the SELinux context of the one whose place it takes, or the policy's for that path."""
        if self.module.selinux_enabled():
            context = self.module.selinux_context(path) if there else self.module.selinux_default_context(path)
            self.module.set_context_if_different(temporary, context, False)

    def remove(self, path):
        """Remove a file or a folder with all that is in it; of a mount point, what is in it."""
        if not os.path.lexists(path):
            return
        if os.path.ismount(path):
            for name in sorted(os.listdir(path)):
                self.remove(os.path.join(path, name))
            return
        self.note('--- %s\n+++ %s (absent)\n' % (path, path))
        if self.check_mode:
            return
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        else:
            os.unlink(path)
