"""Quotas: how many requests a key has made in this day, week or month; kept over restarts.

Enters a plan, a key and a `Quota`; leaves True and one more on the count, or False. Counts live in memory and are
written to the catalogue together, at most once a second: a kill loses at most the last second's counts.
"""

from __future__ import annotations

import logging
from asyncio import Future
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from trine.aws.catalogue import Catalogue
from trine.clock import Clock, Timer

_log = logging.getLogger("trine.apigateway")
KIND = "apigateway:usage"
WRITE_DELAY_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Quota:
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

    __slots__ = ("dirty", "first", "start", "used")

    def __init__(self, start: str, used: int, first: str) -> None:
        self.start, self.used, self.first = start, used, first
        self.dirty = False


class QuotaLedger:
    """The counts of every key in every plan."""

    def __init__(self, clock: Clock, catalogue: Catalogue | None = None) -> None:
        self._clock = clock
        self._catalogue = catalogue
        self._accounts: dict[str, _Account] = {}
        self._timer: Timer | None = None
        for name, document in catalogue.list(KIND) if catalogue is not None else ():
            self._accounts[name] = _Account(str(document["start"]), int(document["used"]), str(document["first"]))

    def use(self, plan_id: str, key_id: str, quota: Quota) -> bool:
        """Count one request; False when the quota is used up."""
        account = self._account(plan_id, key_id, quota)
        limit = quota.limit - (quota.offset if account.start == account.first else 0)
        if account.used >= limit:
            return False
        account.used += 1
        account.dirty = True
        if self._timer is None and self._catalogue is not None:
            self._timer = self._clock.call_later(WRITE_DELAY_SECONDS, self._write)
        return True

    def used(self, plan_id: str, key_id: str, quota: Quota) -> tuple[int, int]:
        """(used, remaining) in the running period, as `GetUsage` tells."""
        account = self._account(plan_id, key_id, quota)
        limit = quota.limit - (quota.offset if account.start == account.first else 0)
        return account.used, max(0, limit - account.used)

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
                written.append(self._catalogue.put(KIND, name, document))
        return written


def _report(future: Future[None]) -> None:
    if not future.cancelled() and (error := future.exception()) is not None:
        _log.error("the usage counts could not be written: %s", error)
