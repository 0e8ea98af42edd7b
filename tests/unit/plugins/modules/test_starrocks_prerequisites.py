# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""starrocks_prerequisites on real files of a host laid out below a folder; programs are scripts of this test.

Every change is made by the same law: check mode says it and does nothing, the real run does it, the next one has
nothing to do, and state absent gives back what was there (`Host.by_law`).
"""

import os
import stat

import pytest
from ansible_collections.starrocks.cluster.plugins.modules import starrocks_prerequisites
from ansible_collections.starrocks.cluster.tests.unit.plugins.in_process import run_module

FILES = {
    'etc/ssh/sshd_config': 'Port 22\nUsePAM no\n',
    'etc/pam.d/sshd': 'session required pam_unix.so\n',
    'etc/pam.d/login': 'session required pam_limits.so\n',
    'etc/fstab': 'UUID=1 / ext4 defaults 0 1\nUUID=2 none swap sw 0 0\n',
    'etc/hosts': '127.0.0.1 localhost\n127.0.1.1 h1\n',
    'etc/timezone': 'Etc/UTC\n',
    'etc/selinux/config': 'SELINUX=enforcing\n',
    'etc/chrony/chrony.conf': 'pool 2.debian.pool.ntp.org iburst\n',
    'etc/nftables.conf': 'flush ruleset\n',
    'usr/share/zoneinfo/Asia/Shanghai': 'TZif',
    'usr/sbin/sshd': '',
    'proc/sys/vm/swappiness': '60\n',
    'proc/net/tcp': 'sl local_address rem_address st\n   0: 00000000:0016 00000000:0000 0A 0:0 0:0 0 0 0 700 1\n',
    'proc/swaps': 'Filename Type Size Used Priority\n/dev/sda2 partition 1 0 -2\n',
    'sys/kernel/mm/transparent_hugepage/enabled': '[always] madvise never\n',
    'sys/kernel/mm/transparent_hugepage/defrag': 'always defer [madvise] never\n',
    'sys/fs/selinux/enforce': '1',
}

# Each program notes what it was called with; what it answers is in a file named after it.
PROGRAM = r'''#!/bin/sh
name=$(basename "$0")
here=$(dirname "$0")
echo "$name $*" >> "$here/calls"
runs() { printf 'ActiveState=active\nUnitFileState=enabled\n\n'; }
case "$name $*" in
"systemctl show"*) runs; printf 'ActiveState=inactive\n\n'; runs ;;
"sshd -T") echo 'port 22'; grep -i '^usepam yes' "$ROOT/etc/ssh/sshd_config" || echo 'usepam no' ;;
"nft --handle list chain"*) cat "$here/chain" ;;
"nft -f "*) sed -n 's/.*\(comment ".*"\)/\1 # handle 4/p' "$ROOT/etc/nftables.d/starrocks.nft" > "$here/chain" ;;
"nft delete rule"*) : > "$here/chain" ;;
swapoff*) echo 'Filename Type Size Used Priority' > "$ROOT/proc/swaps" ;;
swapon*) printf 'Filename Type Size Used Priority\n/dev/sda2 partition 1 0 -2\n' > "$ROOT/proc/swaps" ;;
"setenforce "*) printf %s "$1" > "$ROOT/sys/fs/selinux/enforce" ;;
esac
if grep -q "^$name $1" "$here/refuse"; then echo 'it does not like it' >&2; exit 1; fi
'''
PROGRAMS = ('systemctl', 'nft', 'swapoff', 'swapon', 'setenforce', 'udevadm', 'firewall-cmd')

ASKED = {
    'user': 'starrocks',
    'limits': {'nofile': '20000'},
    'pam': True,
    'sshd': True,
    'hosts': [{'address': '10.0.0.1', 'names': ['h1.example.com', 'h1']}],
    'timezone': 'Asia/Shanghai',
    'time': {'servers': ['10.0.0.250'], 'timeout': 0},
    'sysctl': {'settings': {'vm.swappiness': 0}},
    'huge_pages': 'madvise',
    'swap_off': True,
    'io_scheduler': {'rotational': 'mq-deadline', 'solid_state': 'none'},
    'locale': 'C.UTF-8',
    'selinux': 'permissive',
    'firewall': {'backend': 'nftables', 'ports': [9030], 'sources': ['10.0.0.0/24']},
}
PARTS = [name for name, dummy, dummy in starrocks_prerequisites._prerequisites.PARTS]


class Host:
    """A host below a folder, and the module run on it."""

    def __init__(self, root):
        self.root = root
        self.bin = root / 'test-bin'
        for path, text in FILES.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        (root / 'run').mkdir()
        (root / 'etc' / 'localtime').symlink_to('../usr/share/zoneinfo/Etc/UTC')
        self.bin.mkdir()
        for path in [self.bin / name for name in PROGRAMS] + [root / 'usr/sbin/sshd']:
            path.write_text(PROGRAM)
            path.chmod(0o755)
        # sshd is called by its full path, and keeps its notes with the others'.
        (root / 'usr/sbin/sshd').unlink()
        (self.bin / 'sshd').write_text(PROGRAM)
        (self.bin / 'sshd').chmod(0o755)
        (root / 'usr/sbin/sshd').symlink_to(self.bin / 'sshd')
        for name in ('calls', 'refuse', 'chain'):
            (self.bin / name).touch()
            if not (root / 'usr/sbin' / name).exists():
                (root / 'usr/sbin' / name).symlink_to(self.bin / name)

    def run(self, check_mode=False, only=None, **arguments):
        """Run the module with all that is asked for, or with the named options alone."""
        asked = {name: value for name, value in ASKED.items() if only is None or name in ('user',) + tuple(only)}
        return run_module(starrocks_prerequisites, dict(asked, **arguments), check_mode)

    def calls(self):
        """Return the calls of programs since this was asked last, but those that only look."""
        lines = (self.bin / 'calls').read_text().splitlines()
        (self.bin / 'calls').write_text('')
        looks = ('systemctl show', 'sshd -T', 'nft --version', 'nft --handle', 'firewall-cmd --state', 'chronyc')
        return [line for line in lines if not line.startswith(looks)]

    def files(self):
        """Return path -> (mode, text or target) of the host's files, but what the test itself keeps there."""
        found = {}
        for path in sorted(self.root.rglob('*')):
            name = str(path.relative_to(self.root))
            if name.startswith(('test-bin', 'usr/sbin')) or (path.is_dir() and not path.is_symlink()):
                continue
            found[name] = os.readlink(path) if path.is_symlink() else (
                stat.S_IMODE(path.stat().st_mode), path.read_text().rstrip('\n'))
        return found

    def by_law(self, **arguments):
        """Check mode, the real run, and once more. Returns what the real run returned."""
        before = self.files()
        foreseen = self.run(check_mode=True, **arguments)
        assert self.files() == before and self.calls() == []
        done = self.run(**arguments)
        assert not done['failed'], done['msg']
        assert (foreseen['changed'], foreseen['parts'], foreseen['diff'], foreseen['commands']) == (
            done['changed'], done['parts'], done['diff'], done['commands'])
        self.calls()
        after = self.files()
        again = self.run(**arguments)
        assert (again['changed'], again['parts'], again['diff'], self.calls()) == (False, [], [], [])
        assert self.files() == after
        return done


@pytest.fixture
def host(tmp_path, monkeypatch):
    host = Host(tmp_path)
    monkeypatch.setattr(starrocks_prerequisites, 'ROOT', str(tmp_path))
    monkeypatch.setattr(starrocks_prerequisites, 'MOMENT_SECONDS', 0)
    monkeypatch.setenv('PATH', '%s:%s' % (host.bin, os.environ['PATH']))
    monkeypatch.setenv('ROOT', str(tmp_path))
    return host


def kernel_takes(host):
    """Do what the kernel does with what is written into its files."""
    for name in ('enabled', 'defrag'):
        path = host.root / 'sys/kernel/mm/transparent_hugepage' / name
        word = path.read_text().split()
        if len(word) == 1:
            path.write_text(' '.join('[%s]' % text if text == word[0] else text
                                     for text in ('always', 'madvise', 'never')) + '\n')


@pytest.mark.parametrize('name', [name for name in PARTS if name != 'timezone'])
def test_each_part_is_set_and_taken_back(host, name):
    before = host.files()
    option = {'kernel': 'sysctl', 'swap': 'swap_off'}.get(name, name)
    apply = name != 'huge_pages'
    done = host.by_law(only=[option], apply=apply)
    assert done['changed'] and done['parts'] == [name] and host.files() != before
    # Whatever is switched on, all is taken back.
    back = host.by_law(only=['limits', 'sysctl', 'firewall'], state='absent', apply=apply)
    assert back['parts'] == [name]
    assert host.files() == before


def test_all_parts_at_once(host):
    before = host.files()
    done = host.run(check_mode=True)
    assert done['parts'] == PARTS and host.files() == before
    done = host.run()
    kernel_takes(host)
    assert done['parts'] == PARTS
    assert 'sshd -t -f' in '\n'.join(host.calls())
    assert 'systemctl reload ssh.service' in done['commands'] and 'swapoff -a' in done['commands']
    assert not any('restart ssh' in command for command in done['commands'])
    assert not host.run()['changed']
    host.run(state='absent')
    kernel_takes(host)
    after = host.files()
    # A host keeps its time zone.
    assert {path for path in after if after[path] != before.get(path)} == {'etc/localtime', 'etc/timezone'}


def test_nothing_is_changed_that_is_not_asked_for(host):
    before = host.files()
    result = run_module(starrocks_prerequisites, {'user': 'starrocks'})
    assert (result['changed'], result['parts'], host.files()) == (False, [], before)
    assert host.calls() == []


def test_values_of_the_kernel_are_given_back(host):
    asked = {'only': ['sysctl', 'huge_pages']}
    host.run(**asked)
    kernel_takes(host)
    assert (host.root / 'proc/sys/vm/swappiness').read_text() == '0\n'
    assert '[madvise]' in (host.root / 'sys/kernel/mm/transparent_hugepage/enabled').read_text()
    assert not host.run(**asked)['changed']
    host.run(state='absent', **asked)
    kernel_takes(host)
    assert (host.root / 'proc/sys/vm/swappiness').read_text() == '60\n'
    assert '[always]' in (host.root / 'sys/kernel/mm/transparent_hugepage/enabled').read_text()


def test_a_configuration_that_sshd_refuses_does_not_take_the_place_of_the_old_one(host):
    (host.bin / 'refuse').write_text('sshd -t\n')
    before = (host.root / 'etc/ssh/sshd_config').read_text()
    result = host.run()
    assert result['failed'] and 'The new file is refused, and the old one stays' in result['msg']
    assert 'it does not like it' in result['msg']
    assert (host.root / 'etc/ssh/sshd_config').read_text() == before
    assert not [call for call in host.calls() if call.startswith('systemctl reload')]
    assert [path.name for path in (host.root / 'etc/ssh').iterdir()] == ['sshd_config']


def test_a_command_that_was_cut_off_is_made_good(host):
    """The file is new, and sshd has not been told: the next run tells it."""
    (host.bin / 'refuse').write_text('systemctl reload\n')
    result = host.run()
    assert result['failed']
    assert "'systemctl reload ssh.service' failed on this host: it does not like it" in result['msg']
    (host.bin / 'refuse').write_text('')
    host.calls()
    result = host.run()
    kernel_takes(host)
    assert 'sshd' in result['parts'] and 'systemctl reload ssh.service' in host.calls()
    assert not host.run()['changed']


def test_a_server_that_does_not_come_back_is_told_before_the_connection_is_lost(host, monkeypatch):
    (host.root / 'proc/net/tcp').write_text('sl local_address rem_address st\n')
    monkeypatch.setattr(starrocks_prerequisites, 'LISTENING_SECONDS', 0.1)
    result = host.run()
    assert result['failed'] and 'Nobody listens on port 22' in result['msg']
    assert 'systemctl reload ssh.service' in result['msg']


def test_a_kernel_that_cannot_be_set_says_what_to_do(host):
    path = host.root / 'proc/sys/vm/swappiness'
    path.unlink()
    path.symlink_to('/proc/version')
    result = host.run()
    assert result['failed'] and 'vm/swappiness cannot be set to 0 on this host' in result['msg']
    assert 'starrocks_kernel_apply: false' in result['msg']


def test_a_link_that_a_distribution_made_is_followed(host):
    path = host.root / 'etc/selinux/config'
    path.rename(host.root / 'etc/selinux-config')
    path.symlink_to('../selinux-config')
    host.run()
    assert path.is_symlink() and 'SELINUX=permissive' in (host.root / 'etc/selinux-config').read_text()


@pytest.mark.parametrize('arguments, said', [
    ({'user': 'a b'}, "user: 'a b' is not an account"),
    ({'locale': 'C; reboot'}, "locale: 'C; reboot' is not a locale"),
    ({'limits': {'nofile': 'plenty', 'stack': '0'}}, "limits.nofile: 'plenty' is neither a number above 0"),
    ({'limits': {'nofile': 'plenty', 'stack': '0'}}, "limits.stack: '0' is neither"),
    ({'hosts': [{'address': 'h1', 'names': []}]}, "'h1' does not appear to be an IPv4 or IPv6 address"),
    ({'hosts': [{'address': '10.0.0.1', 'names': []}]}, 'hosts: 10.0.0.1 has no name'),
    ({'hosts': [{'address': '10.0.0.1', 'names': ['a\nb']}]}, 'is not a host name'),
    ({'timezone': 'Mars/Olympus'}, "this host has no time zone 'Mars/Olympus'"),
    ({'timezone': '../../etc/shadow'}, 'this host has no time zone'),
    ({'time': {'servers': ['a b']}}, "time.servers: 'a b' is not a host name"),
    ({'sysctl': {'settings': {'vm.swappiness\nx': 1}}}, 'is not a setting of the kernel'),
    ({'sysctl': {'settings': {'../../etc/passwd': 1}}}, 'is not a setting of the kernel'),
    ({'io_scheduler': {'rotational': 'a"b'}}, 'is not an I/O scheduler'),
    ({'firewall': {'backend': 'nftables', 'ports': [0]}}, 'firewall.ports: 0 is not between'),
    ({'firewall': {'backend': 'nftables', 'ports': [1], 'sources': ['all']}}, "'all' does not appear to be an IPv4"),
    ({'firewall': {'backend': 'nftables', 'ports': [1], 'chain': 'filter input'}}, 'is not family, table and name'),
    ({'firewall': {'backend': 'firewalld', 'ports': [1], 'zone': 'a b'}}, "firewall.zone: 'a b' is not a zone"),
])
def test_bad_options_are_refused_before_anything_is_changed(host, arguments, said):
    before = host.files()
    result = host.run(**arguments)
    assert result['failed'] and 'nothing was changed' in result['msg'] and said in result['msg']
    assert host.files() == before and host.calls() == []
