# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which package brings a JDK (with javac), by distribution: a table and the choice from it. No I/O."""

import re


def _debian_name(major):
    return 'openjdk-%d-jdk-headless' % major


def _rpm_name(major):
    return 'java-%s-openjdk-devel' % ('1.8.0' if major == 8 else major)


JDK_PACKAGES = {
    'debian': (_debian_name, (((10,), (11,)), ((11,), (11, 17)), ((12,), (17,)), ((13,), (21,)))),
    'ubuntu': (_debian_name, (((20, 4), (8, 11, 17, 21)),)),
    'redhat': (_rpm_name, (((7,), (8, 11)), ((8,), (8, 11, 17, 21)), ((10,), (21,)))),
    'suse': (_rpm_name, (((15,), (11, 17, 21)),)),
}
"""How packages are called, and which major versions there are from which release on (the distributions' package lists).

A release newer than the last row has what the last row has; one older than the first is not known."""

DISTRIBUTIONS = {
    'debian': 'debian', 'ubuntu': 'ubuntu',
    'rhel': 'redhat', 'centos': 'redhat', 'rocky': 'redhat', 'almalinux': 'redhat', 'ol': 'redhat', 'fedora': 'redhat',
    'sles': 'suse', 'sled': 'suse', 'suse': 'suse', 'opensuse': 'suse', 'opensuse-leap': 'suse',
    'amzn': None,
}
"""ID or ID_LIKE of /etc/os-release -> row of JDK_PACKAGES; Amazon's system is like Fedora, but not in its JDKs."""

FAMILIES = {'debian': 'debian', 'ubuntu': 'debian', 'redhat': 'redhat', 'suse': 'suse'}


def _known_as(system):
    """Return what the names of a system stand for in DISTRIBUTIONS, its own name first: a list."""
    return [DISTRIBUTIONS[name] for name in [system['id']] + system['like'] if name in DISTRIBUTIONS]


def family(system):
    """Return debian, redhat, suse or other for a system: {id, like, version} of /etc/os-release."""
    return next((FAMILIES[name] for name in _known_as(system) if name), 'other')


def jdk_packages(system):
    """Return {major: package} of a system, empty where it is not known."""
    known = _known_as(system)
    if not known or known[0] is None:
        return {}
    name_of, releases = JDK_PACKAGES[known[0]]
    version = tuple(int(number) for number in re.findall(r'\d+', system['version']))
    # A system without a version is one that always has the newest.
    rows = [majors for since, majors in releases if not version or since <= version]
    return {major: name_of(major) for major in rows[-1]} if rows else {}


def preference(rule):
    """Return the key that sorts major versions for a JdkRule: the recommended one, the next newer ones, older ones."""
    return lambda major: (major < rule.recommended, abs(major - rule.recommended))


def choose_package(system, rule):
    """Return the package of the best JDK that a JdkRule (_preflight.JDK_RULES) lets pass, None if there is none."""
    packages = jdk_packages(system)
    fitting = sorted((major for major in packages if major >= rule.lowest and major not in rule.refused),
                     key=preference(rule))
    return packages[fitting[0]] if fitting else None
