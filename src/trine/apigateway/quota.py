"""Quotas: how many requests a key has made in this day, week or month; kept over restarts.

Enters a plan, a key and a `Quota`; leaves True and one more on the count, or False. Counts live in memory and are
written to the catalogue together, at most once a second: a kill loses at most the last second's counts.
"""

from __future__ import annotations

import logging
from asyncio import Future
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import Struct

from trine.aws.catalogue import Catalogue
from trine.clock import Clock, Timer

_log = logging.getLogger("trine.apigateway")
KIND = "apigateway:usage"
WRITE_DELAY_SECONDS = 1.0
DAYS_KEPT = 90
"""`GetUsage` tells of the latest 90 days."""


class Quota(Struct, frozen=True):
    """`limit` requests per `period` (DAY, WEEK, MONTH); `offset` are taken off in the first period."""

    limit: int
    period: str
    offset: int = 0


def period_start(period: str, now_seconds: float) -> str:
    """The first day of the period, `2026-11-23`. Periods begin at 00:00 UTC; weeks on Sunday (AWS states no day)."""
    today = datetime.fromtimestamp(now_seconds, UTC).date()
    if period == "WEEK":
        today -= timedelta(days=(today.weekday() + 1) % 7)
    elif period == "MONTH":
        today = today.replace(day=1)
    return today.isoformat()


class _Account:
    """The count of one key in one plan."""

    __slots__ = ("days", "dirty", "first", "start", "used")

    def __init__(self, start: str, used: int, first: str, days: dict[str, int] | None = None) -> None:
        self.start, self.used, self.first = start, used, first
        self.days = days or {}
        """Requests of each day, for `GetUsage`; the latest ninety days."""
        self.dirty = False

    def count(self, day: str) -> None:
        """One more request on `day`."""
        self.used += 1
        self.days[day] = self.days.get(day, 0) + 1
        if len(self.days) > DAYS_KEPT:
            del self.days[min(self.days)]
        self.dirty = True


class QuotaLedger:
    """The counts of every key in every plan."""

    def __init__(self, clock: Clock, catalogue: Catalogue | None = None) -> None:
        self._clock = clock
        self._catalogue = catalogue
        self._accounts: dict[str, _Account] = {}
        self._timer: Timer | None = None
        for name, document in catalogue.list(KIND) if catalogue is not None else ():
            days = {str(day): int(used) for day, used in document.get("days", {}).items()}
            self._accounts[name] = _Account(str(document["start"]), int(document["used"]), str(document["first"]), days)

    def use(self, plan_id: str, key_id: str, quota: Quota) -> bool:
        """Count one request; False when the quota is used up."""
        account = self._account(plan_id, key_id, quota)
        limit = quota.limit - (quota.offset if account.start == account.first else 0)
        if account.used >= limit:
            return False
        account.count(period_start("DAY", self._clock.now()))
        if self._timer is None and self._catalogue is not None:
            self._timer = self._clock.call_later(WRITE_DELAY_SECONDS, self._write)
        return True

    def used(self, plan_id: str, key_id: str, quota: Quota) -> tuple[int, int]:
        """(used, remaining) in the running period, as `GetUsage` tells."""
        account = self._account(plan_id, key_id, quota)
        limit = quota.limit - (quota.offset if account.start == account.first else 0)
        return account.used, max(0, limit - account.used)

    def daily(self, plan_id: str, key_id: str, quota: Quota | None, days: list[str]) -> list[list[int]]:
        """`[used, remaining]` of each day, in order; only `[used]` where the plan has no quota."""
        account = self._accounts.get(f"{plan_id}/{key_id}")
        known = account.days if account is not None else {}
        found: list[list[int]] = []
        for day in days:
            used = known.get(day, 0)
            if quota is None:
                found.append([used])
                continue
            noon = datetime.fromisoformat(f"{day}T12:00:00+00:00").timestamp()
            start = period_start(quota.period, noon)
            so_far = sum(count for one, count in known.items() if start <= one <= day)
            offset = quota.offset if account is not None and account.first == start else 0
            found.append([used, max(0, quota.limit - offset - so_far)])
        return found

    def _account(self, plan_id: str, key_id: str, quota: Quota) -> _Account:
        name = f"{plan_id}/{key_id}"
        start = period_start(quota.period, self._clock.now())
        account = self._accounts.get(name)
        if account is None:
            account = self._accounts[name] = _Account(start, 0, start)
        elif account.start != start:
            account.start, account.used = start, 0
        return account

    def _write(self) -> None:
        self._timer = None
        for future in self.flush():
            future.add_done_callback(_report)

    def flush(self) -> list[Future[None]]:
        """Write what changed; resolves when it is durable. The stack calls this when it ends."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        written: list[Future[None]] = []
        if self._catalogue is None:
            return written
        for name, account in self._accounts.items():
            if account.dirty:
                account.dirty = False
                document: dict[str, Any] = {"start": account.start, "used": account.used, "first": account.first}
                document["days"] = dict(account.days)
                written.append(self._catalogue.put(KIND, name, document))
        return written


def _report(future: Future[None]) -> None:
    if not future.cancelled() and (error := future.exception()) is not None:
        _log.error("the usage counts could not be written: %s", error)
