# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings that the roles give fe.conf, be.conf and cn.conf, by version and JDK.

Sources: StarRocks' ``Config.java``, ``config.h`` and ``bin/start_*.sh`` at 2.5 to 3.5, the documentation for 4.x.
"""

from __future__ import annotations

from ansible_collections.starrocks.cluster.plugins.module_utils._versions import parse_or_none

LOG_FOLDER_KEYS = (
    ('sys_log_dir', (0, 0)), ('audit_log_dir', (0, 0)), ('dump_log_dir', (0, 0)),
    ('big_query_log_dir', (3, 0)), ('internal_log_dir', (3, 1)), ('profile_log_dir', (3, 1)),
)
"""Settings of fe.conf that name a folder for logs, with the first version that knows them."""

BACK_END_PORT_KEYS = {
    ('be', 'be_http_port'): ((3, 0), 'webserver_port'),
    ('cn', 'be_http_port'): ((3, 0), 'webserver_port'),
    ('cn', 'be_port'): ((3, 1), 'thrift_port'),
}
"""(kind, setting) -> (first version of that name, the name before)."""

JDK_8_GC_OPTIONS = '-Xloggc:{log_dir}/fe.gc.log.$DATE -XX:+PrintGCDateStamps -XX:+PrintGCDetails'
JDK_9_GC_OPTIONS = '-Xlog:gc*:{log_dir}/fe.gc.log.$DATE:time'
"""JDK 9 and later refuse to start with the options of JDK 8 (`Unrecognized VM option 'PrintGCDateStamps'`)."""


def release_line(version: str) -> tuple[int, int]:
    """Return (major, minor) of a StarRocks version; (0, 0) where the text is none (validation says so elsewhere)."""
    parsed = parse_or_none(str(version))
    return parsed.line if parsed else (0, 0)


def java_options(version: str, java_major: int | None, heap_size: str, log_dir: str, home: str) -> str:
    """Return JAVA_OPTS for a front end: what the release ships, for the JDK that is really there.

    The shipped JAVA_OPTS of 2.5 to 3.2 hold options of JDK 8 that end a JDK 17 at once, seen in fe.out only.
    ``java_major`` None (not known yet) means a JDK that the version asks for, which is 11 or later.
    """
    options = ['-Dlog4j2.formatMsgNoLookups=true', '-Xmx%s' % heap_size, '-XX:+UseG1GC']
    collector = JDK_8_GC_OPTIONS if java_major == 8 else JDK_9_GC_OPTIONS
    options.append(collector.format(log_dir=log_dir))
    if release_line(version) >= (3, 3):
        options.append('-Djava.security.policy=%s/conf/udf_security.policy' % home)
    return ' '.join(options)


def front_end_settings(version, run_mode, log_dir, home, java_home, java_major, heap_size, java_opts=''):
    """Return the settings of fe.conf besides ports, metadata and address: dict of key to text.

    ``java_opts``: the user's own JAVA_OPTS, which replace the computed ones as a whole.
    """
    known = release_line(version)
    settings = {key: log_dir for key, since in LOG_FOLDER_KEYS if known >= since}
    options = java_opts or java_options(version, java_major, heap_size, log_dir, home)
    settings.update(LOG_DIR=log_dir, DATE='$(date +%Y%m%d-%H%M%S)', JAVA_OPTS=options)
    if known < (3, 1):
        # start_fe.sh of 2.5 and 3.0 refuses a JDK later than 8 without it (exit 255).
        settings['JAVA_OPTS_FOR_JDK_9'] = options
    if java_home:
        settings['JAVA_HOME'] = java_home
    if known >= (3, 0):
        settings['run_mode'] = run_mode
    return settings


def back_end_settings(version, kind, ports, storage_root_path, log_dir, priority_networks, java_home):
    """Return the settings of be.conf or cn.conf (``kind`` be or cn): dict of key to value."""
    known = release_line(version)
    settings = {}
    for name, port in ports.items():
        since, before = BACK_END_PORT_KEYS.get((kind, name), ((0, 0), name))
        settings[name if known >= since else before] = port
    settings.update(storage_root_path=storage_root_path, sys_log_dir=log_dir, LOG_DIR=log_dir,
                    priority_networks=';'.join(priority_networks))
    if java_home:
        settings['JAVA_HOME'] = java_home
    if known >= (3, 5):
        settings['JAVA_OPTS'] = '--add-opens=java.base/java.util=ALL-UNNAMED'
    return settings


def storage_folders(storage_root_path: str) -> list[str]:
    """Return the folders of a storage_root_path: ``/data1,medium:HDD;/data2`` is ``['/data1', '/data2']``."""
    return [part.split(',')[0].strip() for part in str(storage_root_path).split(';') if part.strip()]
