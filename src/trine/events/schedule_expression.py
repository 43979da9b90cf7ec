"""When a schedule runs: `rate(…)`, `cron(…)` and `at(…)`, in a time zone.

Pure. Enters the expression's text, leaves the next moment after another one. Sources: EventBridge user guide,
"Schedule expressions"; Scheduler user guide, "Schedule types": in spring a time that does not exist is skipped, in
autumn a time that comes twice runs once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from trine.events.cron import Cron, parse_cron

_RATE = re.compile(r"rate\((\d+)\s+(minutes?|hours?|days?)\)")
_CRON = re.compile(r"cron\((.*)\)")
_AT = re.compile(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)")
_UNIT_SECONDS = {"minute": 60, "hour": 3_600, "day": 86_400}
_GAPS_MAX = 400
"""Times in a row that fall into gaps of a zone before the search ends."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Every so many seconds, counted from when the schedule was made."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Once:
    """One moment, in seconds since the epoch."""

    moment: float


@dataclass(frozen=True, slots=True)
class ScheduleExpression:
    """A parsed expression."""

    text: str
    kind: Rate | Once | Cron
    zone: tzinfo

    def next_after(self, moment: float, created_at: float) -> float | None:
        """The first run after `moment`; None when there is none any more. Seconds since the epoch."""
        kind = self.kind
        if isinstance(kind, Once):
            return kind.moment if kind.moment > moment else None
        if isinstance(kind, Rate):
            passed = max(0, int((moment - created_at) // kind.seconds))
            return created_at + (passed + 1) * kind.seconds
        local = datetime.fromtimestamp(moment, self.zone).replace(tzinfo=None)
        for _ in range(_GAPS_MAX):
            found = kind.next_after(local)
            if found is None:
                return None
            seconds = found.replace(tzinfo=self.zone).timestamp()
            exists = datetime.fromtimestamp(seconds, self.zone).replace(tzinfo=None) == found
            if exists and seconds > moment:
                return seconds
            local = found
        return None


def parse_schedule(text: str, zone_name: str | None = None, *, scheduler: bool = False) -> ScheduleExpression:
    """The expression of a text. ValueError, with the reason.

    Rules know no `at(…)` and no zones, and tell `1 minute` from `2 minutes`; Scheduler takes `rate(5 minute)`.
    """
    zone = _zone(zone_name)
    rate = _RATE.fullmatch(text)
    if rate is not None:
        count, unit = int(rate[1]), rate[2]
        if count < 1 or (not scheduler and (count == 1) == unit.endswith("s")):
            raise ValueError("a rate is at least 1; one minute, two minutes")
        return ScheduleExpression(text, Rate(count * _UNIT_SECONDS[unit.rstrip("s")]), zone)
    cron = _CRON.fullmatch(text)
    if cron is not None:
        return ScheduleExpression(text, parse_cron(cron[1]), zone)
    at = _AT.fullmatch(text)
    if at is not None and scheduler:
        moment = datetime.fromisoformat(at[1]).replace(tzinfo=zone)
        return ScheduleExpression(text, Once(moment.timestamp()), zone)
    raise ValueError("neither rate(…) nor cron(…)" + (" nor at(yyyy-mm-ddThh:mm:ss)" if scheduler else ""))


def _zone(name: str | None) -> tzinfo:
    if name is None or name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name} is no time zone") from None
