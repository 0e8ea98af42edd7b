# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The session variable time_zone: which values it takes, and times as a session shows them.

The rules are those of StarRocks' TimeUtils.checkTimeZoneValidAndStandardize and SetStmtAnalyzer (fe-core, 3.x).
"""

import datetime
import re
import zoneinfo

from standin.fe import errors

_OFFSET = re.compile(r"([+-]?)(\d{1,2}):(\d{2})")
_WEST, _EAST = -12 * 60, 14 * 60  # minutes: as far as there are zones
# CST means China's. Of Java's three-letter names (ZoneId.SHORT_IDS) only those are here that people type.
_ALIASES = {"CST": "Asia/Shanghai", "PRC": "Asia/Shanghai", "CTT": "Asia/Shanghai", "UTC": "UTC", "GMT": "UTC",
            "EST": "-05:00", "MST": "-07:00", "HST": "-10:00", "JST": "Asia/Tokyo", "IST": "Asia/Kolkata"}


def _minutes(match):
    number = int(match.group(2)) * 60 + int(match.group(3))
    return -number if match.group(1) == "-" else number


def _zone(name):
    """The tzinfo of a valid name. Raises ValueError or LookupError for one that is none."""
    name = _ALIASES.get(name, name)
    offset = _OFFSET.fullmatch(name[3:] if name[:3] in ("UTC", "GMT") and len(name) > 3 else name)
    if not offset:
        return zoneinfo.ZoneInfo(name)
    if not _WEST <= _minutes(offset) <= _EAST or int(offset.group(3)) > 59:
        raise ValueError(name)
    return datetime.timezone(datetime.timedelta(minutes=_minutes(offset)))


def standard(version, name):
    """The value as it is kept, ``+8:00`` as ``+08:00``. Raises SqlError 1298 for what is no zone."""
    unknown = errors.analysis(version, f"Unknown or incorrect time zone: '{name}'", 1298)
    offset = _OFFSET.fullmatch(name)
    named = "/" in name or name in _ALIASES or _OFFSET.fullmatch(name[3:] if name[:3] in ("UTC", "GMT") else "")
    if not offset and not named:
        raise unknown
    try:
        _zone(name)
    except (ValueError, LookupError, OSError):
        raise unknown from None
    if not offset:
        return name
    return f"{offset.group(1) or '+'}{int(offset.group(2)):02d}:{offset.group(3)}"


def shown(milliseconds, name):
    """A time as text in a zone, None being the zone of the process; None for 0, which means never."""
    if not milliseconds:
        return None
    moment = datetime.datetime.fromtimestamp(milliseconds // 1000, datetime.timezone.utc)
    return moment.astimezone(_zone(name) if name else None).strftime("%Y-%m-%d %H:%M:%S")
