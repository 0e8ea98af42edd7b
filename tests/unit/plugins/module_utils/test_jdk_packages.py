# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which package brings a JDK: by distribution and version of StarRocks."""

import pytest
from ansible_collections.starrocks.cluster.plugins.module_utils import _jdk_packages
from ansible_collections.starrocks.cluster.plugins.module_utils._preflight import jdk_rule


def system(name, version='', like=''):
    return {'id': name, 'version': version, 'like': like.split()}


ROCKY_9 = system('rocky', '9.3', 'rhel centos fedora')
ALL_OF_REDHAT = {8: 'java-1.8.0-openjdk-devel', 11: 'java-11-openjdk-devel', 17: 'java-17-openjdk-devel',
                 21: 'java-21-openjdk-devel'}

# system -> family, packages by major version
SYSTEMS = [
    (system('debian', '10'), 'debian', {11: 'openjdk-11-jdk-headless'}),
    (system('debian', '11'), 'debian', {11: 'openjdk-11-jdk-headless', 17: 'openjdk-17-jdk-headless'}),
    (system('debian', '12'), 'debian', {17: 'openjdk-17-jdk-headless'}),
    (system('debian', '13'), 'debian', {21: 'openjdk-21-jdk-headless'}),
    (system('debian', '14'), 'debian', {21: 'openjdk-21-jdk-headless'}),
    (system('debian'), 'debian', {21: 'openjdk-21-jdk-headless'}),
    (system('debian', '9'), 'debian', {}),
    (system('ubuntu', '18.04', 'debian'), 'debian', {}),
    (system('centos', '7', 'rhel fedora'), 'redhat', {8: ALL_OF_REDHAT[8], 11: ALL_OF_REDHAT[11]}),
    (system('rhel', '8.10', 'fedora'), 'redhat', ALL_OF_REDHAT),
    (ROCKY_9, 'redhat', ALL_OF_REDHAT),
    (system('almalinux', '10.0', 'rhel centos fedora'), 'redhat', {21: ALL_OF_REDHAT[21]}),
    (system('anolis', '8.8', 'rhel fedora centos'), 'redhat', ALL_OF_REDHAT),
    (system('amzn', '2023', 'fedora'), 'redhat', {}),
    (system('opensuse-leap', '15.6', 'suse opensuse'), 'suse',
     {major: 'java-%d-openjdk-devel' % major for major in (11, 17, 21)}),
    (system('arch'), 'other', {}),
    (system(''), 'other', {}),
]


@pytest.mark.parametrize(('found', 'family', 'packages'), SYSTEMS)
def test_systems(found, family, packages):
    assert _jdk_packages.family(found) == family
    assert _jdk_packages.jdk_packages(found) == packages


@pytest.mark.parametrize('version', ['20.04', '22.04', '24.04', '24.10'])
def test_every_ubuntu_has_all_of_them(version):
    assert _jdk_packages.jdk_packages(system('ubuntu', version, 'debian')) == {
        major: 'openjdk-%d-jdk-headless' % major for major in (8, 11, 17, 21)}


# system, version of StarRocks -> package
CHOICES = [
    (system('debian', '10'), '3.3.15', 'openjdk-11-jdk-headless'),
    (system('debian', '10'), '3.5.0', None),
    (system('debian', '12'), '2.5.22', 'openjdk-17-jdk-headless'),
    (system('debian', '12'), '4.2.0', 'openjdk-17-jdk-headless'),
    (system('debian', '13'), '3.5.0', 'openjdk-21-jdk-headless'),
    (ROCKY_9, '2.5.22', 'java-11-openjdk-devel'),
    (ROCKY_9, '3.5.0', 'java-17-openjdk-devel'),
    (ROCKY_9, '4.2.0', 'java-21-openjdk-devel'),
    (system('centos', '7'), '3.2.16', 'java-11-openjdk-devel'),
    (system('centos', '7'), '3.5.0', None),
    (system('arch'), '3.5.0', None),
]


@pytest.mark.parametrize(('found', 'version', 'package'), CHOICES)
def test_the_package_for_a_version(found, version, package):
    assert _jdk_packages.choose_package(found, jdk_rule(version)) == package


def test_what_start_fe_refuses_is_not_installed():
    rule = jdk_rule('3.2.16')._replace(refused=(11, 17, 21))
    assert _jdk_packages.choose_package(ROCKY_9, rule) == 'java-1.8.0-openjdk-devel'
