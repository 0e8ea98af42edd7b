# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What makes a host ready: the rules on hosts made up, among them RedHat's, which no test host has.

What is set and then taken back leaves the text that was there: `there_and_back`.
"""

import pytest
from ansible_collections.starrocks.cluster.plugins.module_utils import _prerequisites
from ansible_collections.starrocks.cluster.plugins.module_utils._host_parts import (
    put_back,
    set_aside,
    with_block,
    without_block,
)

RULES = {name: (present, absent) for name, present, absent in _prerequisites.PARTS}

LIMITS = {'path': '/etc/security/limits.d/99-starrocks.conf', 'nofile': '655350', 'nproc': '65535',
          'memlock': 'infinity', 'stack': '8388608'}
SYSCTL = {'path': '/etc/sysctl.d/99-zz-starrocks.conf', 'settings': {
    'vm.overcommit_memory': 1, 'vm.swappiness': '0', 'vm.max_map_count': 262144, 'kernel.pid_max': 200000}}
KERNEL = {'/proc/sys/vm/overcommit_memory': '0', '/proc/sys/vm/swappiness': '60', '/proc/sys/vm/max_map_count': '65530',
          '/proc/sys/kernel/pid_max': '4194304',
          '/sys/kernel/mm/transparent_hugepage/enabled': '[always] madvise never',
          '/sys/kernel/mm/transparent_hugepage/defrag': 'always defer defer+madvise [madvise] never'}


def wishes(**changes):
    result = {'state': 'present', 'user': 'starrocks', 'limits': None, 'pam': False, 'sshd': False, 'hosts': None,
              'timezone': None, 'time': None, 'sysctl': None, 'huge_pages': None, 'swap_off': False,
              'io_scheduler': None, 'locale': None, 'selinux': None, 'firewall': None, 'apply': True,
              'check_mode': False}
    result.update(changes)
    return result


def facts(texts=(), **changes):
    result = {'texts': dict(texts), 'pam': {}, 'sshd': None, 'kernel': dict(KERNEL), 'swaps': [], 'localtime': '',
              'time_client': None, 'chrony_unit': None, 'selinux': None, 'firewalld': None, 'nftables': None}
    result.update(changes)
    return result


def present(name, found, **wanted):
    return RULES[name][0](found, wishes(**wanted))


def absent(name, found, **wanted):
    return RULES[name][1](found, wishes(state='absent', **wanted))


def written(part, texts):
    """Return the texts as they are when the part has been put in place."""
    result = dict(texts)
    for file in part.files:
        result[file.path] = file.text
    return result


def there_and_back(name, texts, found=None, **wanted):
    """Set a part and take it back: the second time nothing is to do, and in the end all is as it was. Returns the
    texts in between."""
    found = found or {}
    between = written(present(name, facts(texts, **found), **wanted), texts)
    again = present(name, facts(between, **found), **wanted)
    assert written(again, between) == between
    after = written(absent(name, facts(between, **found), **wanted), between)
    assert {path: text for path, text in after.items() if text is not None} == dict(texts)
    return between


# --- texts -----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('text', ['', 'a = 1\n', 'a = 1\n\nb = 2\n'])
@pytest.mark.parametrize('first', [True, False])
def test_a_block_comes_once_and_goes_without_a_trace(text, first):
    once = with_block(text, ['x', 'y'], first)
    assert once.startswith('# BEGIN starrocks.cluster') == (first or not text)
    assert with_block(once, ['x', 'y'], first) == once
    assert with_block(once, ['z'], first).count('BEGIN') == 1 and '\nx\n' not in with_block(once, ['z'], first)
    assert without_block(once) == text


def test_a_last_line_without_an_end_gets_one():
    assert with_block('a', ['x']).splitlines()[:2] == ['a', '# BEGIN starrocks.cluster (managed by Ansible)']


def test_lines_out_of_force_come_back():
    text = 'pool a\n# pool b\nserver c\n'
    aside = set_aside(text, r'(pool|server)\s')
    assert aside == '#starrocks.cluster# pool a\n# pool b\n#starrocks.cluster# server c\n'
    assert set_aside(aside, r'(pool|server)\s') == aside
    assert put_back(aside) == text


# --- limits, PAM, sshd -----------------------------------------------------------------------------------------------

def test_limits_are_written_in_the_units_of_their_file():
    (file,) = present('limits', facts(), limits=LIMITS).files
    assert file.text.splitlines()[1:] == [
        'starrocks - nofile 655350', 'starrocks - nproc 65535', 'starrocks - memlock unlimited',
        'starrocks - stack 8192']
    there_and_back('limits', {}, limits=LIMITS)
    assert absent('limits', facts()).files == []


DEBIAN_PAM = {
    'login': 'auth optional pam_faildelay.so\n@include common-session\nsession    required   pam_limits.so\n',
    'sshd': '@include common-auth\n@include common-session\nsession    required     pam_limits.so\n',
    'common-session': 'session [default=1] pam_permit.so\nsession required pam_unix.so\n'}
REDHAT_PAM = {
    'login': '#%PAM-1.0\nsession    required     pam_loginuid.so\nsession    include      system-auth\n',
    'sshd': '#%PAM-1.0\nsession    required     pam_loginuid.so\nsession    include      password-auth\n',
    'system-auth': '-session     optional      pam_systemd.so\nsession     required      pam_limits.so\n',
    'password-auth': '-session   optional   pam_systemd.so\nsession [success=1 default=ignore] pam_succeed_if.so\n'
                     'session required /usr/lib64/security/pam_limits.so\n'}
BARE_PAM = {'login': 'session required pam_unix.so\n', 'sshd': '# session required pam_limits.so\nsession broken\n'}


@pytest.mark.parametrize(('pam', 'lacking'), [
    (DEBIAN_PAM, []),
    (REDHAT_PAM, []),
    (BARE_PAM, ['login', 'sshd']),
    (dict(DEBIAN_PAM, sshd='@include common-session\n'), ['sshd']),
    (dict(REDHAT_PAM, **{'password-auth': 'session required pam_unix.so\n'}), ['sshd']),
    ({'login': 'session substack a\n', 'a': 'session include login\n'}, ['login']),
    ({'login': '@include missing\n'}, ['login']),
    ({}, []),
], ids=['Debian', 'RedHat', 'bare', 'one lacks it', 'an included one lacks it', 'in a circle', 'missing', 'no PAM'])
def test_pam_limits_is_added_where_no_session_has_it(pam, lacking):
    part = present('pam', facts(pam=pam), pam=True)
    assert [file.path for file in part.files] == ['/etc/pam.d/' + name for name in lacking]
    for file, name in zip(part.files, lacking):
        assert 'session    required    pam_limits.so' in file.text and file.text.startswith(pam[name])
    between = dict(pam, **{name: file.text for name, file in zip(lacking, part.files)})
    assert all(between[file.path.rsplit('/', 1)[1]] == file.text for file in present(
        'pam', facts(pam=between), pam=True).files)
    back = absent('pam', facts(pam=between))
    assert dict(between, **{file.path.rsplit('/', 1)[1]: file.text for file in back.files}) == pam


SSHD = '/etc/ssh/sshd_config'


def server(use_pam, unit='ssh.service'):
    return {'program': '/usr/sbin/sshd', 'use_pam': use_pam, 'unit': unit, 'ports': [22]}


def test_sshd_is_told_to_use_pam_before_anything_else_is_said():
    texts = {SSHD: 'Include /etc/ssh/sshd_config.d/*.conf\nUsePAM no\n'}
    part = present('sshd', facts(texts, sshd=server(False)), sshd=True)
    (file,) = part.files
    assert file.text.splitlines()[1] == 'UsePAM yes' and file.text.endswith(texts[SSHD])
    assert file.check == ['/usr/sbin/sshd', '-t', '-f', '{}']
    assert part.after == [['systemctl', 'reload', 'ssh.service']]
    # Once it is there, sshd -T says yes: that is no reason to take it out again.
    assert present('sshd', facts({SSHD: file.text}, sshd=server(True)), sshd=True).files == []
    there_and_back('sshd', texts, {'sshd': server(False)}, sshd=True)


def test_sshd_is_left_alone_where_it_uses_pam_or_is_not_there():
    assert present('sshd', facts({SSHD: ''}, sshd=server(True)), sshd=True).files == []
    assert present('sshd', facts({SSHD: None}), sshd=True) == present('sshd', facts({SSHD: ''}), sshd=True)
    assert absent('sshd', facts({SSHD: 'UsePAM yes\n'}, sshd=server(True))).files == []


def test_a_server_that_a_socket_starts_is_not_reloaded():
    assert present('sshd', facts({SSHD: ''}, sshd=server(False, None)), sshd=True).after == []


# --- kernel ----------------------------------------------------------------------------------------------------------

def test_the_kernel_is_set_now_and_for_each_boot_and_given_back():
    texts = {}
    part = present('kernel', facts(texts), sysctl=SYSCTL)
    assert part.files[0].text.splitlines()[1:] == [
        '# was 65530', 'vm.max_map_count = 262144', '# was 0', 'vm.overcommit_memory = 1', '# was 60',
        'vm.swappiness = 0']
    assert [(one.path, one.before, one.value) for one in part.settings] == [
        ('/proc/sys/vm/max_map_count', '65530', '262144'), ('/proc/sys/vm/overcommit_memory', '0', '1'),
        ('/proc/sys/vm/swappiness', '60', '0')]
    live = dict(KERNEL, **{one.path: one.value for one in part.settings})
    between = written(part, texts)
    again = present('kernel', facts(between, kernel=live), sysctl=SYSCTL)
    assert written(again, between) == between and again.settings == []
    back = absent('kernel', facts(between, kernel=live), sysctl=SYSCTL)
    assert dict(live, **{one.path: one.value for one in back.settings}) == KERNEL
    assert [(file.path, file.text) for file in back.files] == [(SYSCTL['path'], None)]


def test_limits_of_the_kernel_are_raised_and_never_lowered():
    part = present('kernel', facts(), sysctl=SYSCTL)
    assert 'pid_max' not in part.files[0].text
    assert present('kernel', facts(kernel=dict(KERNEL, **{'/proc/sys/kernel/pid_max': '32768'})),
                   sysctl=SYSCTL).settings[0].value == '200000'
    # What the file says stays there, whoever raised the running kernel's value since.
    ours = {SYSCTL['path']: '# was 32768\nkernel.pid_max = 200000\n'}
    part = present('kernel', facts(ours), sysctl={'path': SYSCTL['path'], 'settings': {'kernel.pid_max': 200000}})
    assert 'kernel.pid_max = 200000' in part.files[0].text and part.settings == []


def test_a_kernel_that_may_not_be_changed_has_its_files_written():
    part = present('kernel', facts(), sysctl=SYSCTL, apply=False)
    assert part.settings == [] and 'vm.swappiness = 0' in part.files[0].text
    assert present('huge_pages', facts(), huge_pages='madvise', apply=False).settings == []


def test_a_setting_that_the_kernel_does_not_have_is_left_out_and_told():
    part = present('kernel', facts(), sysctl={'path': '/s', 'settings': {'vm.fast': 1, 'vm.swappiness': 0}})
    assert 'vm.fast' not in part.files[0].text and part.warnings == [
        'This kernel has no setting vm.fast; it is left out.']


def test_huge_pages_now_and_at_each_boot_and_back():
    part = present('huge_pages', facts(), huge_pages='madvise')
    assert 'w /sys/kernel/mm/transparent_hugepage/enabled - - - - madvise' in part.files[0].text
    assert [(one.path.rsplit('/', 1)[1], one.before, one.value) for one in part.settings] == [
        ('enabled', 'always', 'madvise')]
    between = written(part, {})
    live = dict(KERNEL, **{'/sys/kernel/mm/transparent_hugepage/enabled': 'always [madvise] never'})
    again = present('huge_pages', facts(between, kernel=live), huge_pages='madvise')
    assert written(again, between) == between and again.settings == []
    back = absent('huge_pages', facts(between, kernel=live))
    assert [(one.before, one.value) for one in back.settings] == [('madvise', 'always')]
    assert absent('huge_pages', facts()).settings == [] and absent('huge_pages', facts()).files == []
    assert present('huge_pages', facts(kernel={}), huge_pages='madvise').files == []


FSTAB = '/etc/fstab'


def test_swap_goes_and_comes_back():
    texts = {FSTAB: '# swap of old\nUUID=1 / ext4 defaults 0 1\nUUID=2 none swap sw 0 0\n'
                    '/swap.img\tnone\tswap\tsw\t0\t0\n'}
    between = there_and_back('swap', texts, swap_off=True)
    assert between[FSTAB].count('#starrocks.cluster# ') == 2 and '\nUUID=1 /' in between[FSTAB]
    assert present('swap', facts(texts, swaps=['/dev/sda2']), swap_off=True).commands == [['swapoff', '-a']]
    assert present('swap', facts(texts, swaps=['/dev/sda2']), swap_off=True, apply=False).commands == []
    assert present('swap', facts({FSTAB: None}), swap_off=True).files == []


def test_a_rule_of_udev_per_sort_of_disk():
    asked = {'rotational': 'mq-deadline', 'solid_state': 'none'}
    between = there_and_back('io_scheduler', {}, io_scheduler=asked)
    (text,) = between.values()
    assert 'ATTR{queue/rotational}=="1", ATTR{queue/scheduler}="mq-deadline"' in text
    assert 'ATTR{queue/rotational}=="0", ATTR{queue/scheduler}="none"' in text
    one = present('io_scheduler', facts(), io_scheduler={'rotational': None, 'solid_state': 'kyber'}, apply=False)
    assert one.files[0].text.count('ACTION') == 1 and one.after == []


# --- locale, zone, names, time ---------------------------------------------------------------------------------------

def test_the_locale_is_for_logins_of_the_account():
    (text,) = there_and_back('locale', {}, locale='C.UTF-8').values()
    assert '= "starrocks" ]; then export LANG=C.UTF-8; fi' in text


def test_the_time_zone_is_set_and_kept():
    texts = {'/etc/timezone': 'Etc/UTC\n'}
    part = present('timezone', facts(texts, localtime='/usr/share/zoneinfo/Etc/UTC'), timezone='Asia/Shanghai')
    assert [(link.path, link.target) for link in part.links] == [
        ('/etc/localtime', '/usr/share/zoneinfo/Asia/Shanghai')]
    assert [(file.path, file.text) for file in part.files] == [('/etc/timezone', 'Asia/Shanghai\n')]
    # RedHat has no /etc/timezone.
    part = present('timezone', facts({'/etc/timezone': None}, localtime='/usr/share/zoneinfo/Asia/Shanghai'),
                   timezone='Asia/Shanghai')
    assert (part.links, part.files) == ([], [])
    assert absent('timezone', facts(texts)) == _prerequisites.part('timezone')


def test_names_of_all_hosts_come_first_and_loopback_loses_them():
    texts = {'/etc/hosts': '127.0.0.1 localhost\n127.0.1.1 fe1.old fe1\n10.9.9.9 other\n'}
    entries = [{'address': '10.0.0.1', 'names': ['fe1.example.com', 'fe1']}, {'address': 'fd00::2', 'names': ['fe2']}]
    between = there_and_back('hosts', texts, hosts=entries)['/etc/hosts']
    assert between.splitlines()[1:3] == ['10.0.0.1 fe1.example.com fe1', 'fd00::2 fe2']
    assert '#starrocks.cluster# 127.0.1.1 fe1.old fe1' in between and '\n127.0.0.1 localhost\n' in between


DEBIAN_CHRONY = {'/etc/chrony/chrony.conf': 'confdir /etc/chrony/conf.d\npool 2.debian.pool.ntp.org iburst\n'
                                            'makestep 1 3\n'}
REDHAT_7_CHRONY = {'/etc/chrony.conf': 'server 0.centos.pool.ntp.org iburst\nserver 1.centos.pool.ntp.org iburst\n'
                                       'rtcsync\n'}
REDHAT_9_CHRONY = {'/etc/chrony.conf': 'pool 2.rocky.pool.ntp.org iburst\nsourcedir /run/chrony-dhcp\n'}


def chronyd(name, active=True, enabled=True):
    return {'name': name, 'active': active, 'enabled': enabled}


@pytest.mark.parametrize('texts, unit', [(DEBIAN_CHRONY, 'chrony.service'), (REDHAT_7_CHRONY, 'chronyd.service'),
                                         (REDHAT_9_CHRONY, 'chronyd.service')], ids=['Debian', 'RedHat 7', 'RedHat 9'])
def test_time_servers_take_the_place_of_the_distribution_s(texts, unit):
    found = {'time_client': 'chronyd', 'chrony_unit': chronyd(unit)}
    wanted = {'time': {'servers': ['10.0.0.250', 'ntp.example.com'], 'timeout': 0}}
    (text,) = there_and_back('time', texts, found, **wanted).values()
    in_force = [line for line in text.splitlines() if line.startswith(('server', 'pool'))]
    assert in_force == ['server 10.0.0.250 iburst', 'server ntp.example.com iburst']
    part = present('time', facts(texts, **found), **wanted)
    assert part.after == [['systemctl', 'restart', unit]] and part.commands == []
    # Without servers of its own, what the distribution says stays, and what we said goes.
    part = present('time', facts(dict.fromkeys(texts, text), **found), time={'servers': [], 'timeout': 0})
    assert [file.text for file in part.files] == list(texts.values())


def test_a_chrony_that_does_not_run_is_enabled_and_started():
    found = facts(REDHAT_9_CHRONY, chrony_unit=chronyd('chronyd.service', False, False))
    part = present('time', found, time={'servers': [], 'timeout': 0})
    assert part.commands == [['systemctl', 'enable', 'chronyd.service'], ['systemctl', 'start', 'chronyd.service']]
    assert part.after == []


def test_another_time_client_is_respected():
    found = facts(DEBIAN_CHRONY, time_client='systemd-timesyncd', chrony_unit=chronyd('chrony.service', False, False))
    part = present('time', found, time={'servers': ['10.0.0.250'], 'timeout': 0})
    assert (part.files, part.commands) == ([], [])
    assert part.warnings[0].startswith('systemd-timesyncd keeps the time of this host')
    assert present('time', found, time={'servers': [], 'timeout': 0}).warnings == []


def test_no_time_client_at_all_is_told_but_for_check_mode():
    asked = {'time': {'servers': [], 'timeout': 0}}
    assert 'No time client' in present('time', facts(), **asked).warnings[0]
    assert present('time', facts(), check_mode=True, **asked).warnings == []
    assert absent('time', facts()) == _prerequisites.part('time')


# --- SELinux, firewall -----------------------------------------------------------------------------------------------

SELINUX = {'/etc/selinux/config': '# SELINUX= can be enforcing\nSELINUX=enforcing\nSELINUXTYPE=targeted\n'}


def test_selinux_is_permissive_now_and_at_boot():
    between = there_and_back('selinux', SELINUX, {'selinux': '1'}, selinux='permissive')['/etc/selinux/config']
    assert '\nSELINUX=permissive\n' in between and '\nSELINUXTYPE=targeted\n' in between
    assert present('selinux', facts(SELINUX, selinux='1'), selinux='permissive').commands == [['setenforce', '0']]
    assert present('selinux', facts(SELINUX, selinux='0'), selinux='permissive').commands == []
    assert present('selinux', facts(SELINUX, selinux='1'), selinux='permissive', apply=False).commands == []
    assert absent('selinux', facts({'/etc/selinux/config': between}, selinux='0')).after == [['setenforce', '1']]


def test_selinux_that_is_to_be_off_is_off_at_the_next_boot():
    part = present('selinux', facts(SELINUX, selinux='1'), selinux='disabled')
    assert 'SELINUX=disabled' in part.files[0].text and 'next boot' in part.warnings[0]
    none = facts({'/etc/selinux/config': None})
    assert present('selinux', none, selinux='disabled') == _prerequisites.part('selinux')


def firewall(backend, sources=(), ports=(9030, 8030)):
    return {'backend': backend, 'ports': list(ports), 'sources': list(sources), 'zone': None,
            'chain': 'inet filter input'}


def test_firewalld_lets_the_ports_in_for_all_or_for_networks():
    found = {'zone': 'public', 'rules': [], 'in_force': []}
    base = ['firewall-cmd', '--permanent', '--zone=public']
    reload_it = ['firewall-cmd', '--reload']
    part = present('firewall', facts(firewalld=found), firewall=firewall('firewalld'))
    assert part.commands == [reload_it, base + ['--add-service=starrocks'], reload_it]
    assert '  <port protocol="tcp" port="8030"/>\n  <port protocol="tcp" port="9030"/>\n' in part.files[0].text
    part = present('firewall', facts(firewalld=dict(found, rules=['--%s-service=starrocks'])),
                   firewall=firewall('firewalld', ['fd00::/8', '10.0.0.0/24']))
    assert part.commands[1:-1] == [
        base + ['--remove-service=starrocks'],
        base + ['--add-rich-rule=rule family="ipv4" source address="10.0.0.0/24" service name="starrocks" accept'],
        base + ['--add-rich-rule=rule family="ipv6" source address="fd00::/8" service name="starrocks" accept']]


def test_firewalld_that_is_as_it_should_be_is_left_alone_and_taken_back():
    rules = ['--%s-service=starrocks']
    found = {'zone': 'public', 'rules': rules, 'in_force': rules}
    assert present('firewall', facts(firewalld=found), firewall=firewall('firewalld')).commands == []
    # A run that was cut off before the last reload.
    cut = dict(found, in_force=[])
    assert present('firewall', facts(firewalld=cut), firewall=firewall('firewalld')).commands == [
        ['firewall-cmd', '--reload']]
    texts = {'/etc/firewalld/services/starrocks.xml': '<service/>'}
    part = absent('firewall', facts(texts, firewalld=found), firewall=firewall('nftables'))
    assert part.commands == [['firewall-cmd', '--permanent', '--zone=public', '--remove-service=starrocks']]
    assert part.after == [['firewall-cmd', '--reload']] and part.files[0].text is None
    assert 'firewalld does not run' in present('firewall', facts(), firewall=firewall('firewalld')).warnings[0]
    assert absent('firewall', facts(texts)) == _prerequisites.part('firewall')


NFTABLES = {'/etc/nftables.conf': 'flush ruleset\ntable inet filter {\n\tchain input { }\n}\n'}


def test_nftables_gets_its_rules_once():
    found = {'rules': {}}
    wanted = firewall('nftables', ['10.0.0.0/24', 'fd00::/8'])
    part = present('firewall', facts(NFTABLES, nftables=found), firewall=wanted)
    ours, main = part.files
    assert ours.text.splitlines()[1].startswith(
        'insert rule inet filter input ip saddr { 10.0.0.0/24 } tcp dport { 8030, 9030 } accept comment ')
    assert ours.text.splitlines()[2].startswith('insert rule inet filter input ip6 saddr { fd00::/8 } ')
    assert 'include "/etc/nftables.d/starrocks.nft"' in main.text and main.check[0] == 'nft'
    assert part.commands == [['nft', '-f', '/etc/nftables.d/starrocks.nft']]
    comments = [line.split('"')[1] for line in ours.text.splitlines()[1:]]
    between = written(part, NFTABLES)
    in_force = {'rules': dict(zip((7, 8), comments))}
    again = present('firewall', facts(between, nftables=in_force), firewall=wanted)
    assert again.commands == [] and written(again, between) == between
    other = present('firewall', facts(between, nftables=in_force), firewall=firewall('nftables'))
    assert other.commands == [
        ['nft', 'delete', 'rule', 'inet', 'filter', 'input', 'handle', '7'],
        ['nft', 'delete', 'rule', 'inet', 'filter', 'input', 'handle', '8'],
        ['nft', '-f', '/etc/nftables.d/starrocks.nft']]
    back = absent('firewall', facts(between, nftables=in_force), firewall=wanted)
    assert len(back.commands) == 2
    after = written(back, between)
    assert {path: text for path, text in after.items() if text is not None} == NFTABLES


def test_nftables_without_the_chain_or_not_there_at_all_is_told():
    wanted = firewall('nftables')
    assert "no chain 'inet filter input'" in present(
        'firewall', facts(NFTABLES, nftables={'rules': None}), firewall=wanted).warnings[0]
    assert 'nftables is not installed' in present('firewall', facts(), firewall=wanted).warnings[0]
    assert absent('firewall', facts(), firewall=wanted).commands == []
