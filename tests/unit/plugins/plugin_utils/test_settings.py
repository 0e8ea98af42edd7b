# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import pytest
from ansible_collections.starrocks.cluster.plugins.plugin_utils import _settings as settings


def front_end(version, java_major=17, **changes):
    wishes = {
        'run_mode': 'shared_nothing',
        'log_dir': '/logs',
        'home': '/sr/fe',
        'java_home': '/jdk',
        'java_major': java_major,
        'heap_size': '1g',
    }
    wishes.update(changes)
    return settings.front_end_settings(version, **wishes)


@pytest.mark.parametrize('version', ['2.5.22', '3.1.17', '3.2.16', '3.3.15', '3.5.0', '4.2.0'])
def test_a_jdk_17_gets_no_option_of_jdk_8(version):
    options = front_end(version)['JAVA_OPTS']
    assert '-Xmx1g' in options and '-Xlog:gc*:/logs/fe.gc.log.$DATE:time' in options
    assert 'PrintGCDateStamps' not in options and 'CMS' not in options


def test_jdk_8_gets_its_own_options():
    assert '-XX:+PrintGCDateStamps' in front_end('2.5.22', java_major=8)['JAVA_OPTS']


@pytest.mark.parametrize('version, wanted', [('2.5.22', True), ('3.0.9', True), ('3.1.17', False), ('3.5.0', False)])
def test_java_opts_for_jdk_9_only_where_the_script_asks_for_it(version, wanted):
    assert ('JAVA_OPTS_FOR_JDK_9' in front_end(version)) is wanted
    assert 'JAVA_OPTS_FOR_JDK_11' not in front_end(version)


def test_the_policy_file_from_3_3():
    assert 'udf_security.policy' in front_end('3.3.0')['JAVA_OPTS']
    assert 'udf_security.policy' not in front_end('3.2.16')['JAVA_OPTS']


def test_own_java_opts_replace_the_computed_ones():
    assert front_end('3.5.0', java_opts='-Xmx2g')['JAVA_OPTS'] == '-Xmx2g'


def test_run_mode_from_3_0():
    assert 'run_mode' not in front_end('2.5.22')
    assert front_end('3.0.0', run_mode='shared_data')['run_mode'] == 'shared_data'


@pytest.mark.parametrize(
    'version, kind, names',
    [
        ('2.5.22', 'be', {'be_port', 'webserver_port'}),
        ('3.0.9', 'be', {'be_port', 'be_http_port'}),
        ('2.5.22', 'cn', {'thrift_port', 'webserver_port'}),
        ('3.0.9', 'cn', {'thrift_port', 'be_http_port'}),
        ('3.1.0', 'cn', {'be_port', 'be_http_port'}),
    ],
)
def test_port_names_by_version(version, kind, names):
    found = settings.back_end_settings(
        version, kind, {'be_port': 9060, 'be_http_port': 8040}, '/data', '/logs', ['10.0.0.0/8'], ''
    )
    assert {name for name in found if name.endswith('_port')} == names
    assert found['priority_networks'] == '10.0.0.0/8' and 'JAVA_HOME' not in found


def test_several_networks_are_joined_as_starrocks_reads_them():
    found = settings.back_end_settings('3.5.0', 'be', {}, '/data', '/logs', ['10.0.0.0/8', '192.168.0.0/16'], '/jdk')
    assert found['priority_networks'] == '10.0.0.0/8;192.168.0.0/16'
    assert found['JAVA_OPTS'] == '--add-opens=java.base/java.util=ALL-UNNAMED'


@pytest.mark.parametrize(
    'text, folders',
    [('/data', ['/data']), ('/data1,medium:HDD;/data2,medium:SSD', ['/data1', '/data2']), ('', []), (' /a ; ', ['/a'])],
)
def test_storage_folders(text, folders):
    assert settings.storage_folders(text) == folders
