# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each kind of bad input is refused, in words that name host, variable, what is wrong and what to write instead."""

import copy
from pathlib import Path

import pytest
import yaml
from ansible_collections.starrocks.cluster.plugins.plugin_utils import _inventory
from ansible_collections.starrocks.cluster.plugins.plugin_utils._inventory import (
    FAILURE,
    WARNING,
    Inventory,
    Unchecked,
    failure_text,
    findings,
)

ROLES = Path(__file__).resolve().parents[4] / 'roles'

SHA256 = 'sha256:' + 'a' * 64

GOOD = {
    'starrocks_version': '3.5.0',
    'starrocks_archive': 'https://mirror.example/StarRocks-3.5.0-ubuntu-amd64.tar.gz',
    'starrocks_root_password': 'not-to-be-seen',
}

HOSTS = {
    'starrocks_fe': ['fe1', 'fe2', 'fe3'],
    'starrocks_be': ['be1', 'be2', 'be3'],
}

STORAGE = {'aws_s3_path': 'bucket/prefix', 'aws_s3_access_key': 'AKIA', 'aws_s3_secret_key': 'hunter2',
           'enable_load_volume_from_conf': True}

SHARED_DATA = {'starrocks_run_mode': 'shared_data', 'starrocks_fe_config': STORAGE}

SHARED_DATA_HOSTS = {'starrocks_fe': ['fe1', 'fe2', 'fe3'], 'starrocks_cn': ['cn1']}


def read_roles():
    """Return the roles' defaults (as far as they are no templates) and argument specs."""
    defaults, specs = {}, {}
    for file in ROLES.glob('*/defaults/main.yml'):
        defaults.update(yaml.safe_load(file.read_text()))
    for file in ROLES.glob('*/meta/argument_specs.yml'):
        for entry_point in yaml.safe_load(file.read_text())['argument_specs'].values():
            specs.update(entry_point.get('options') or {})
    return {name: value for name, value in defaults.items() if '{{' not in str(value)}, specs


DEFAULTS, SPECS = read_roles()


def inventory(everywhere=None, groups=None, **by_host):
    """Return a good inventory, changed: everywhere = variables of all hosts, by_host = variables of one."""
    groups = copy.deepcopy(HOSTS if groups is None else groups)
    given = {host: {**GOOD, **(everywhere or {}), **by_host.get(host, {})}
             for hosts in groups.values() for host in hosts}
    return Inventory(groups, {host: {**DEFAULTS, **variables} for host, variables in given.items()},
                     {host: set(variables) for host, variables in given.items()}, SPECS,
                     file_exists=lambda path: path.startswith('/there/'))


def texts(found):
    return [f'{finding.severity}: {finding}' for finding in found]


def test_a_good_inventory_is_clean():
    assert texts(findings(inventory())) == []


def test_a_good_shared_data_inventory_is_clean():
    assert texts(findings(inventory(SHARED_DATA, SHARED_DATA_HOSTS))) == []


def test_compute_nodes_may_join_a_shared_nothing_cluster():
    groups = {**HOSTS, 'starrocks_cn': ['cn1']}
    assert texts(findings(inventory(groups=groups))) == []


def test_one_follower_is_enough():
    groups = {'starrocks_fe': ['fe1'], 'starrocks_be': ['fe1']}
    everywhere = {'starrocks_fe_config': {'default_replication_num': 1}}
    assert texts(findings(inventory(everywhere, groups))) == []


FE_AND_BE = {'starrocks_fe': ['fe1'], 'starrocks_be': ['be1', 'be2', 'be3']}

# (what, inventory, severity, host, variable, words of the message)
CASES = [
    ('no front end', inventory(groups={'starrocks_be': ['be1', 'be2', 'be3']}), FAILURE, '', 'starrocks_fe',
     ['no host in this group', 'Put one host']),
    ('no follower', inventory({'starrocks_fe_role': 'observer'}), FAILURE, 'fe1, fe2, fe3', 'starrocks_fe_role',
     ['no front end is a follower', 'starrocks_fe_role: follower']),
    ('even number of followers', inventory(fe3={'starrocks_fe_role': 'observer'}), WARNING, 'fe1, fe2',
     'starrocks_fe_role', ['2 followers', 'odd number']),
    ('nothing that stores', inventory(groups={'starrocks_fe': ['fe1']}), WARNING, '', 'starrocks_be', ['no data']),
    ('unknown role', inventory(fe2={'starrocks_fe_role': 'folower'}), FAILURE, 'fe2', 'starrocks_fe_role',
     ["'folower'", 'follower or observer']),
    ('two front ends on one machine',
     inventory(fe1={'ansible_host': '10.0.0.1'}, fe3={'ansible_host': '10.0.0.1', 'ansible_port': 22}),
     FAILURE, 'fe1, fe3', 'ansible_host', ['one machine', '2 front ends']),
    ('two front ends under names that differ in case only',
     inventory(fe1={'ansible_host': 'A.example.'}, fe3={'ansible_host': 'a.example'}),
     FAILURE, 'fe1, fe3', 'ansible_host', ['one machine']),
    ('two back ends on one machine', inventory(be1={'ansible_host': 'x'}, be2={'ansible_host': 'x'}), FAILURE,
     'be1, be2', 'ansible_host', ['2 back ends']),
    ('two local front ends', inventory(fe1={'ansible_connection': 'local'}, fe2={'ansible_connection': 'local'}),
     FAILURE, 'fe1, fe2', 'ansible_host', ['one machine']),
    ('one address given twice', inventory(fe1={'starrocks_address': '10.0.0.9'}, fe2={'starrocks_address': '10.0.0.9'}),
     FAILURE, 'fe1, fe2', 'starrocks_address', ['10.0.0.9', 'Give each its own']),
    ('different http ports', inventory(fe2={'starrocks_fe_http_port': 8031}), FAILURE, '', 'starrocks_fe_http_port',
     ['8031 on fe2', '8030 on fe1', 'the same']),
    ('different edit log ports', inventory(fe2={'starrocks_fe_edit_log_port': 9011}), WARNING, '',
     'starrocks_fe_edit_log_port', ['9011 on fe2', 'Join']),
    ('one port twice in a node', inventory(be1={'starrocks_be_brpc_port': 9050}), FAILURE, 'be1',
     'starrocks_be_brpc_port', ['9050 is also starrocks_be_heartbeat_service_port']),
    ('back end and compute node on one host', inventory(groups={**HOSTS, 'starrocks_cn': ['be1']}), FAILURE, 'be1',
     'starrocks_cn_heartbeat_service_port', ['9050', 'back end and compute node share this machine', 'free port']),
    ('their agents, which serve shared-data clusters but listen in all',
     inventory(groups={**HOSTS, 'starrocks_cn': ['be1']}), FAILURE, 'be1', 'starrocks_cn_starlet_port',
     ['9070', 'back end and compute node share this machine']),
    ('front end and back end that clash',
     inventory({'starrocks_be_be_http_port': 8030, 'starrocks_fe_config': {'default_replication_num': 1}},
               {'starrocks_fe': ['one'], 'starrocks_be': ['one']}),
     FAILURE, 'one', 'starrocks_be_be_http_port', ['8030 is also starrocks_fe_http_port']),
    ('clash of two inventory names of one machine',
     inventory({'starrocks_be_be_http_port': 8030}, FE_AND_BE, fe1={'ansible_host': 'm'}, be1={'ansible_host': 'm'}),
     FAILURE, 'fe1, be1', 'starrocks_be_be_http_port', ['8030 is also starrocks_fe_http_port']),
    ('port out of range', inventory(be1={'starrocks_be_brpc_port': 65536}), FAILURE, 'be1', 'starrocks_be_brpc_port',
     ['not between 1 and 65535']),
    ('port that is text', inventory(be1={'starrocks_be_brpc_port': 'eight'}), FAILURE, 'be1',
     'starrocks_be_brpc_port', ["'eight' is not a number"]),
    ('port that is a boolean', inventory(be1={'starrocks_be_brpc_port': True}), FAILURE, 'be1',
     'starrocks_be_brpc_port', ['is not a number']),
    ('port for root only', inventory({'starrocks_fe_http_port': 80}), WARNING, 'fe1, fe2, fe3',
     'starrocks_fe_http_port', ['only root']),
    ('version missing', inventory({'starrocks_version': ''}), FAILURE, 'all hosts', 'starrocks_version',
     ['not set', '3.5.0']),
    ('version that is a number', inventory({'starrocks_version': 3.5}), FAILURE, 'all hosts', 'starrocks_version',
     ["'3.5' is not a StarRocks version", 'three numbers']),
    ('version that is none', inventory({'starrocks_version': 'latest'}), FAILURE, 'all hosts', 'starrocks_version',
     ["'latest' is not a StarRocks version"]),
    ('version too old', inventory({'starrocks_version': '2.4.5', 'starrocks_archive': '/there/x.tar.gz'}), FAILURE,
     'all hosts', 'starrocks_version', ['older than 2.5']),
    ('version too new', inventory({'starrocks_version': '4.3.0', 'starrocks_archive': '/there/x.tar.gz'}), WARNING,
     'all hosts', 'starrocks_version', ['newer than 4.2']),
    ('two versions', inventory(be3={'starrocks_version': '3.5.1'}), FAILURE, '', 'starrocks_version',
     ['3.5.1 on be3', 'One inventory is one cluster']),
    ('two passwords', inventory(be3={'starrocks_root_password': 'another-secret'}), FAILURE, '',
     'starrocks_root_password', ['differs between hosts']),
    ('archive missing', inventory({'starrocks_archive': ''}), FAILURE, 'all hosts', 'starrocks_archive', ['not set']),
    ('archive over plain http', inventory({'starrocks_archive': 'http://m.example/StarRocks-3.5.0.tar.gz'}), FAILURE,
     'all hosts', 'starrocks_archive', ['plain http', 'checksum', 'starrocks_allow_insecure_http']),
    ('archive from nowhere', inventory({'starrocks_archive': 'ftp://m.example/StarRocks-3.5.0.tar.gz'}), FAILURE,
     'all hosts', 'starrocks_archive', ['ftp']),
    ('archive that is not there', inventory({'starrocks_archive': '/gone/StarRocks-3.5.0.tar.gz'}), FAILURE,
     'all hosts', 'starrocks_archive', ['not on the controller', 'starrocks_archive_remote_src']),
    ('archive on the hosts without a full path',
     inventory({'starrocks_archive': 'x.tar.gz', 'starrocks_archive_remote_src': True}), FAILURE, 'all hosts',
     'starrocks_archive', ['not a full path']),
    ('archive of another version', inventory({'starrocks_archive': '/there/StarRocks-3.4.4-ubuntu-amd64.tar.gz'}),
     FAILURE, 'all hosts', 'starrocks_archive', ['3.4.4', '3.5.0']),
    ('checksum without algorithm', inventory({'starrocks_checksum': 'a' * 64}), FAILURE, 'all hosts',
     'starrocks_checksum', ['sha256']),
    ('checksum too short', inventory({'starrocks_checksum': 'sha256:abc'}), FAILURE, 'all hosts',
     'starrocks_checksum', ['64 hex digits']),
    ('network that is none', inventory({'starrocks_priority_networks': ['10.0.0.0/33']}), FAILURE, 'all hosts',
     'starrocks_priority_networks', ["'10.0.0.0/33' is not a network", 'CIDR']),
    ('address for a network', inventory(fe1={'starrocks_priority_networks': ['10.0.0.1']}), FAILURE, 'fe1',
     'starrocks_priority_networks', ['no /']),
    ('network as text', inventory({'starrocks_priority_networks': '10.0.0.0/8'}), FAILURE, 'all hosts',
     'starrocks_priority_networks', ['Write a list']),
    ('empty root password', inventory({'starrocks_root_password': ''}), FAILURE, 'all hosts',
     'starrocks_root_password', ['is empty', 'starrocks_allow_empty_root_password: true']),
    ('run mode that is none', inventory({'starrocks_run_mode': 'shared'}), FAILURE, 'all hosts', 'starrocks_run_mode',
     ['shared_nothing or shared_data']),
    ('back ends in a shared-data cluster', inventory(SHARED_DATA), FAILURE, 'be1, be2, be3', 'starrocks_run_mode',
     ['compute nodes in place of back ends']),
    ('shared-data without compute nodes', inventory(SHARED_DATA, {'starrocks_fe': ['fe1']}), FAILURE, '',
     'starrocks_cn', ['no host in this group']),
    ('shared-data before 3.0',
     inventory({**SHARED_DATA, 'starrocks_version': '2.5.22', 'starrocks_archive': '/there/a'}, SHARED_DATA_HOSTS),
     FAILURE, 'all hosts', 'starrocks_run_mode', ['2.5.22 knows no shared_data']),
    ('shared-data without storage', inventory({'starrocks_run_mode': 'shared_data'}, SHARED_DATA_HOSTS), WARNING,
     'fe1, fe2, fe3', 'starrocks_fe_config', ['CREATE STORAGE VOLUME']),
    ('shared-data 3.0 without storage',
     inventory({'starrocks_run_mode': 'shared_data', 'starrocks_version': '3.0.9', 'starrocks_archive': '/there/a'},
               SHARED_DATA_HOSTS), FAILURE, 'fe1, fe2, fe3', 'starrocks_fe_config', ['aws_s3_path']),
    ('storage without credentials',
     inventory({**SHARED_DATA, 'starrocks_fe_config': {'aws_s3_path': 'b', 'aws_s3_access_key': 'k',
                                                       'aws_s3_use_instance_profile': 'false',
                                                       'enable_load_volume_from_conf': True}}, SHARED_DATA_HOSTS),
     FAILURE, 'fe1, fe2, fe3', 'starrocks_fe_config', ['no credentials', 'aws_s3_access_key and aws_s3_secret_key']),
    ('azure storage without a path',
     inventory({**SHARED_DATA, 'starrocks_fe_config': {'cloud_native_storage_type': 'azblob',
                                                       'azure_blob_sas_token': 't', 'azure_blob_endpoint': 'e',
                                                       'enable_load_volume_from_conf': True}}, SHARED_DATA_HOSTS),
     FAILURE, 'fe1, fe2, fe3', 'starrocks_fe_config', ['lacks azure_blob_path']),
    ('storage that 3.5 does not read',
     inventory({**SHARED_DATA, 'starrocks_fe_config': {'aws_s3_path': 'b'}}, SHARED_DATA_HOSTS), WARNING,
     'fe1, fe2, fe3', 'starrocks_fe_config', ['enable_load_volume_from_conf: true']),
    ('host type that is none', inventory({'starrocks_host_type': 'NAME'}), FAILURE, 'all hosts', 'starrocks_host_type',
     ['IP or FQDN']),
    ('fewer back ends than replicas', inventory(groups={**HOSTS, 'starrocks_be': ['be1']}), WARNING, 'fe1, fe2, fe3',
     'starrocks_fe_config', ['default_replication_num: 1']),
    ('boolean that is none', inventory({'starrocks_allow_insecure_http': 'perhaps'}), FAILURE, 'all hosts',
     'starrocks_allow_insecure_http', ['true or false']),
    ('settings that are text', inventory({'starrocks_be_config': 'mem_limit = 80%'}), FAILURE, 'all hosts',
     'starrocks_be_config', ['dictionary']),
    ('setting that a variable stands for', inventory({'starrocks_fe_config': {'query_port': 9031}}), FAILURE,
     'fe1, fe2, fe3', 'starrocks_fe_config', ['sets query_port', 'set starrocks_fe_query_port']),
    ('setting under the name of 2.5', inventory({'starrocks_be_config': {'webserver_port': 8041}}), FAILURE,
     'be1, be2, be3', 'starrocks_be_config', ['set starrocks_be_be_http_port']),
    ('storage among the settings', inventory({'starrocks_be_config': {'storage_root_path': '/d'}}), FAILURE,
     'be1, be2, be3', 'starrocks_be_config', ['set starrocks_be_storage_root_path']),
    ('broker port among the settings', inventory({'starrocks_broker_config': {'broker_ipc_port': 8001}}), FAILURE,
     'be1, be2, be3', 'starrocks_broker_config', ['set starrocks_broker_ipc_port']),
    ('setting of two lines', inventory({'starrocks_be_config': {'mem_limit': '1\nkey = 2'}}), FAILURE, 'be1, be2, be3',
     'starrocks_be_config', ['mem_limit several lines']),
    ('setting that is a list', inventory({'starrocks_be_config': {'mem_limit': ['80%']}}), FAILURE, 'be1, be2, be3',
     'starrocks_be_config', ['mem_limit a list']),
    ('folder that is no full path', inventory(be1={'starrocks_log_dir': 'logs'}), FAILURE, 'be1', 'starrocks_log_dir',
     ["'logs' is not a full path"]),
    ('storage that is no full path', inventory(be1={'starrocks_be_storage_root_path': '/a,medium:SSD;b'}), FAILURE,
     'be1', 'starrocks_be_storage_root_path', ["'b' is not a full path"]),
    ('storage shared by two nodes',
     inventory({'starrocks_be_storage_root_path': '/a;/b', 'starrocks_cn_storage_root_path': '/b,medium:SSD'},
               {**HOSTS, 'starrocks_cn': ['be1']}),
     FAILURE, 'be1', 'starrocks_cn_storage_root_path', ['/b is also in starrocks_be_storage_root_path']),
    ('heap that is none', inventory({'starrocks_fe_heap_size': '8 GB'}), FAILURE, 'fe1, fe2, fe3',
     'starrocks_fe_heap_size', ["'8 GB' is not a Java heap size"]),
    ('unknown variable', inventory({'starrocks_fe_htp_port': 8030}), WARNING, 'all hosts', 'starrocks_fe_htp_port',
     ['Did you mean starrocks_fe_http_port?']),
    ('unknown variable like no other', inventory(be1={'starrocks_qqqqqqqqqqqqqqqq': 1}), WARNING, 'be1',
     'starrocks_qqqqqqqqqqqqqqqq', ['Take it out']),
    ('value that needs facts',
     inventory(fe1={'starrocks_fe_heap_size': Unchecked("'ansible_memtotal_mb' is undefined")}), WARNING,
     'fe1', 'starrocks_fe_heap_size', ['cannot be computed here', 'ansible_memtotal_mb']),
]


@pytest.mark.parametrize('case', CASES, ids=[case[0] for case in CASES])
def test_bad_input_is_told(case):
    _, bad, severity, host, variable, words = case
    found = [finding for finding in findings(bad)
             if (finding.severity, finding.host, finding.variable) == (severity, host, variable)]
    fitting = [finding for finding in found if all(word in finding.message for word in words)]
    assert len(fitting) == 1, texts(findings(bad))
    assert (str(fitting[0]) in failure_text(findings(bad))) == (severity == FAILURE)


# Words that look bad and are right: no finding at all.
ALLOWED = [
    ('plain http with a checksum', {'starrocks_archive': 'http://m.example/StarRocks-3.5.0.tar.gz',
                                    'starrocks_checksum': SHA256}),
    ('plain http allowed by name', {'starrocks_archive': 'http://m.example/StarRocks-3.5.0.tar.gz',
                                    'starrocks_allow_insecure_http': 'yes'}),
    ('empty password allowed by name', {'starrocks_root_password': '', 'starrocks_allow_empty_root_password': True}),
    ('archive on the controller', {'starrocks_archive': '/there/StarRocks-3.5.0-ubuntu-amd64.tar.gz'}),
    ('archive on the hosts', {'starrocks_archive': '/gone/a.tar.gz', 'starrocks_archive_remote_src': True}),
    ('archive without a version in its name', {'starrocks_archive': 'https://m.example/release.tar.gz'}),
    ('port as text', {'starrocks_fe_http_port': '8030'}),
    ('network with host bits', {'starrocks_priority_networks': ['10.1.2.3/16', 'fd00::/8']}),
    ('version with a stage', {'starrocks_version': '3.5.0-rc01', 'starrocks_archive': '/there/a'}),
    ('ports of another mode', {'starrocks_fe_cloud_native_meta_port': 8030}),
    ('settings of the user', {'starrocks_fe_config': {'qe_max_connection': 1024, 'enable_udf': True, 'ssl': ''}}),
    ('one file for several names', {'starrocks_be_storage_root_path': '/data1,medium:HDD;/data2,medium:SSD'}),
]


@pytest.mark.parametrize(('what', 'everywhere'), ALLOWED, ids=[case[0] for case in ALLOWED])
def test_good_input_is_left_alone(what, everywhere):
    assert texts(findings(inventory(everywhere))) == []


def test_containers_behind_one_address_are_several_machines():
    ports = {f'fe{number}': {'ansible_host': '127.0.0.1', 'ansible_port': 2200 + number} for number in (1, 2, 3)}
    assert texts(findings(inventory(**ports))) == []


def test_brokers_run_on_the_back_ends_unless_they_have_a_group():
    assert inventory().hosts_of('broker') == ['be1', 'be2', 'be3']
    assert inventory(groups={**HOSTS, 'starrocks_broker': ['fe1']}).hosts_of('broker') == ['fe1']


def test_broker_port_is_checked_where_brokers_run():
    found = findings(inventory({'starrocks_broker_ipc_port': 8040}))
    assert [(finding.host, finding.variable) for finding in found] == [('be1, be2, be3', 'starrocks_broker_ipc_port')]


def test_all_findings_come_at_once_failures_first():
    bad = inventory({'starrocks_version': 'x', 'starrocks_root_password': '', 'starrocks_nonsense': 1},
                    fe1={'starrocks_fe_role': 'leader'})
    found = findings(bad)
    assert [finding.severity for finding in found] == [FAILURE] * 3 + [WARNING] * 2
    text = failure_text(found)
    assert text.startswith('The inventory is refused, and nothing was changed. 3 things')
    assert text.count('\n- ') == 3


def test_a_clean_inventory_has_no_failure_text():
    assert failure_text(findings(inventory())) == ''
    assert failure_text(findings(inventory({'starrocks_nonsense': 1}))) == ''


SECRETS = [
    {'starrocks_fe_config': 'aws_s3_secret_key = hunter2'},
    {'starrocks_fe_config': {'aws_s3_secret_key': ['hunter2'], 'query_port': 'hunter2'}},
    {'starrocks_root_password': ['hunter2']},
    {'starrocks_archive': 'http://user:hunter2@m.example/StarRocks-3.4.4.tar.gz?token=hunter2'},
    {'starrocks_root_password': Unchecked('template error in "hunter2"')},
]


@pytest.mark.parametrize('everywhere', SECRETS)
def test_no_finding_shows_a_secret(everywhere):
    found = findings(inventory(everywhere, fe1={'starrocks_root_password': 'hunter2-too'}))
    assert found
    assert 'hunter2' not in ' '.join(texts(found))


def test_every_port_of_the_table_is_a_variable_of_the_roles():
    for kind, ports in _inventory.PORTS.items():
        for port in ports:
            assert isinstance(DEFAULTS[f'starrocks_{kind}_{port}'], int)


def test_every_variable_that_the_rules_name_exists():
    named = {variable for kind in _inventory.OWNED_SETTINGS for variable in _inventory.owned_settings(kind).values()}
    named |= set(_inventory.CLUSTER_WIDE)
    assert named - set(SPECS) == set()
