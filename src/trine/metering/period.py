"""Ranges of time as people write them, in minutes since the epoch. Pure; the time of day is passed in.

Enters `2026-11-28`, `2026-11-28T14:00Z`, `today`, `yesterday`, `month`, `90m`, `24h`, `7d`; leaves minutes.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from trine.metering.limits import MINUTE_SECONDS

MINUTES_PER_MONTH = 730 * 60
"""A month as AWS's pricing calculator has it: 730 hours."""
_AGO = re.compile(r"(\d{1,6})\s*(m|h|d|w)")
_MINUTES = {"m": 1, "h": 60, "d": 24 * 60, "w": 7 * 24 * 60}


class PeriodFault(Exception):
    """A time that cannot be read; the message says how to write one."""


def minute_at(text: str, now: float) -> int:
    """The minute that `text` means at `now`. PeriodFault."""
    given = text.strip()
    today = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if given == "now":
        return int(now // MINUTE_SECONDS) + 1
    if given == "today":
        return _minute(today)
    if given == "yesterday":
        return _minute(today) - _MINUTES["d"]
    if given == "month":
        return _minute(today.replace(day=1))
    if (ago := _AGO.fullmatch(given)) is not None:
        return int(now // MINUTE_SECONDS) + 1 - int(ago[1]) * _MINUTES[ago[2]]
    try:
        moment = datetime.fromisoformat(given)
    except ValueError:
        raise PeriodFault(
            f"{given[:60]!r} is no time: write 2026-11-28, 2026-11-28T14:00Z, today, yesterday, month, or how long "
            "ago: 90m, 24h, 7d"
        ) from None
    return _minute(moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC))


def shown(minute: int) -> str:
    """`2026-11-28T14:00Z`."""
    try:
        return datetime.fromtimestamp(minute * MINUTE_SECONDS, UTC).strftime("%Y-%m-%dT%H:%MZ")
    except (OverflowError, ValueError, OSError):
        raise PeriodFault("the range of time is beyond what a calendar holds") from None


def _minute(moment: datetime) -> int:
    return int(moment.timestamp() // MINUTE_SECONDS)
