"""Quotas: how many requests a key has made in this day, week or month; kept over restarts and kills.

Enters a plan, a key and a `Quota`; leaves True and one more on the count, or False. The counts lie in a file of
`Counters`: what was counted is counted whatever becomes of the process, and processes that name the same file count
together.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from msgspec import Struct

from trine.apigateway.counters import Counters, Record
from trine.clock import Clock

DAYS_KEPT = 90
"""`GetUsage` tells of the latest 90 days."""
PERIOD = struct.Struct("<qqq")
"""First day of the running period, requests in it, first day of the first period; days as `date.toordinal`."""
DAY = struct.Struct("<II")
"""A day, and its requests; ninety of them follow, the day's place is its ordinal modulo ninety."""
RECORD_BYTES = PERIOD.size + DAYS_KEPT * DAY.size


class Quota(Struct, frozen=True):
    """`limit` requests per `period` (DAY, WEEK, MONTH); `offset` are taken off in the first period."""

    limit: int
    period: str
    offset: int = 0


def period_start(period: str, now_seconds: float) -> date:
    """The first day of the period. Periods begin at 00:00 UTC; weeks on Sunday (AWS states no day)."""
    return _start(period, datetime.fromtimestamp(now_seconds, UTC).date())


def _start(period: str, day: date) -> date:
    if period == "WEEK":
        return day - timedelta(days=(day.weekday() + 1) % 7)
    return day.replace(day=1) if period == "MONTH" else day


class QuotaLedger:
    """The counts of every key in every plan."""

    def __init__(self, clock: Clock, path: Path | None = None, *, shared: bool = True) -> None:
        """`path` is the file that keeps the counts (None: they end with the process), `shared` whether other processes
        count in it too. CountersUnusable."""
        self._clock = clock
        self._counters = Counters(path, RECORD_BYTES, shared=shared)
        self._records: dict[tuple[str, str], Record] = {}
        self._day_ends_at = 0.0
        self._today = date.min

    def use(self, plan_id: str, key_id: str, quota: Quota | None) -> bool:
        """Count one request; False when the quota is used up. Without a quota every request is counted."""
        record = self._record(plan_id, key_id)
        today = self._day()
        period = _start(quota.period, today).toordinal() if quota is not None else 0
        with self._counters:
            buffer, offset = record.buffer, record.offset
            start, used, first = PERIOD.unpack_from(buffer, offset)
            if quota is not None:
                first = first or period
                if start != period:
                    start, used = period, 0
                if used >= quota.limit - (quota.offset if start == first else 0):
                    return False
                used += 1
                PERIOD.pack_into(buffer, offset, start, used, first)
            self._count(buffer, offset + PERIOD.size, today.toordinal())
        return True

    @staticmethod
    def _count(buffer: mmap.mmap, days_at: int, day: int) -> None:
        place = days_at + day % DAYS_KEPT * DAY.size
        counted, requests = DAY.unpack_from(buffer, place)
        DAY.pack_into(buffer, place, day, min(requests + 1, 0xFFFFFFFF) if counted == day else 1)

    def used(self, plan_id: str, key_id: str, quota: Quota) -> tuple[int, int]:
        """(used, remaining) in the running period, as `GetUsage` tells."""
        start, used, first = self._period(plan_id, key_id)
        period = _start(quota.period, self._day()).toordinal()
        if start != period:
            used = 0
        limit = quota.limit - (quota.offset if period == (first or period) else 0)
        return used, max(0, limit - used)

    def daily(self, plan_id: str, key_id: str, quota: Quota | None, days: Sequence[date]) -> list[list[int]]:
        """`[used, remaining]` of each day, in order; only `[used]` where the plan has no quota."""
        known = self._known(plan_id, key_id)
        first = self._period(plan_id, key_id)[2]
        found: list[list[int]] = []
        for day in days:
            used = known.get(day.toordinal(), 0)
            if quota is None:
                found.append([used])
                continue
            start = _start(quota.period, day).toordinal()
            so_far = sum(count for one, count in known.items() if start <= one <= day.toordinal())
            offset = quota.offset if first == start else 0
            found.append([used, max(0, quota.limit - offset - so_far)])
        return found

    def _day(self) -> date:
        """Today in UTC, worked out once a day."""
        now = self._clock.now()
        if not self._day_ends_at - 86_400 <= now < self._day_ends_at:
            self._today = datetime.fromtimestamp(now, UTC).date()
            self._day_ends_at = (now // 86_400 + 1) * 86_400
        return self._today

    def _record(self, plan_id: str, key_id: str) -> Record:
        record = self._records.get((plan_id, key_id))
        if record is None:
            record = self._records[plan_id, key_id] = self._counters.record(f"{plan_id}/{key_id}")
        return record

    def _period(self, plan_id: str, key_id: str) -> tuple[int, int, int]:
        record = self._record(plan_id, key_id)
        with self._counters:
            start, used, first = PERIOD.unpack_from(record.buffer, record.offset)
        return start, used, first

    def _known(self, plan_id: str, key_id: str) -> dict[int, int]:
        """Requests by day."""
        record = self._record(plan_id, key_id)
        days_at = record.offset + PERIOD.size
        with self._counters:
            cells = bytes(record.buffer[days_at : days_at + DAYS_KEPT * DAY.size])
        return {day: count for day, count in DAY.iter_unpack(cells) if day}

    def close(self) -> None:
        """Let go of the file."""
        self._counters.close()
