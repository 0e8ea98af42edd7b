# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``java -m standin.jvm -Xmx1g ... CLASS argument...``: run the program that stands for a Java class.

The options were judged by the real JVM (release/common/lib/java); here they are only part of the command line,
where ``ps`` shows them as it does for the real one.
"""

import runpy
import sys

from standin.process import set_name

PROGRAMS = {
    "com.starrocks.StarRocksFE": "standin.fe",
    "com.starrocks.broker.hdfs.BrokerBootstrap": "standin.broker",
}


def main(arguments):
    """Run the class that the arguments name; its own arguments follow it."""
    set_name("java")
    while arguments and arguments[0].startswith("-"):
        arguments = arguments[1:]
    if not arguments or arguments[0] not in PROGRAMS:
        sys.exit(f"Error: Could not find or load main class {arguments[0] if arguments else ''}")
    sys.argv[1:] = arguments[1:]
    runpy.run_module(PROGRAMS[arguments[0]], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1:])
