"""What time takes away: expired items, old stream records, outdated history, transaction tokens that count no more.

One timer ticks by the injected clock; each tick starts at most one owned task, which deletes in small commits. An
expired item goes through the same `Transition` as any deletion, so its index entries and stream record follow.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from trine.clock import Clock, Timer
from trine.dynamodb.limits import SWEEP_MAX_COUNT, SWEEP_SECONDS
from trine.dynamodb.storage.history import History, outdated_keys
from trine.dynamodb.storage.items import Transition, Write, commit_all
from trine.dynamodb.storage.stream import Stream, expired_keys
from trine.dynamodb.storage.table import Table
from trine.dynamodb.storage.tables import Tables
from trine.dynamodb.storage.tokens import expired_tokens
from trine.kv.errors import StoreError
from trine.kv.store import Change, Current, Store

_log = logging.getLogger("trine.dynamodb")


class Sweeper:
    """The sweep of one store."""

    def __init__(self, store: Store, tables: Tables, clock: Clock, deleted: Callable[[], None] = lambda: None) -> None:
        """`deleted` is called after items were deleted."""
        self._store, self._tables, self._clock, self._deleted = store, tables, clock, deleted
        self._timer: Timer | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Tick from now on; needs the running loop."""
        self._timer = self._clock.every(SWEEP_SECONDS, self._tick)

    async def close(self) -> None:
        """Stop ticking and end the sweep under way."""
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _tick(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._sweep_logged())

    async def _sweep_logged(self) -> None:
        try:
            await self.sweep()
        except StoreError as fault:
            _log.error("the sweep was interrupted: %s", fault)
        except Exception:
            # The last except of this task: nobody awaits it.
            _log.exception("the sweep failed")

    async def sweep(self) -> None:
        """Delete everything that is due now."""
        now = self._clock.now()
        for table in self._tables:
            while await self._expire(table, now) == SWEEP_MAX_COUNT:
                pass
            for stream in table.streams:
                while await self._trim(stream, now) == SWEEP_MAX_COUNT:
                    pass
            while table.history is not None and await self._outdate(table.history, now) == SWEEP_MAX_COUNT:
                pass
        await self._delete(expired_tokens(self._store, now))

    async def _expire(self, table: Table, now: float) -> int:
        """Delete up to one step's items whose time has come; how many."""
        expiry = table.expiry
        if expiry is None:
            return 0

        def rule(transition: Transition) -> None:
            # The item may have been given a new time since the look.
            if expiry.is_due(transition.old, now):
                transition.expired = True
                transition.become(None)

        keys = expiry.due(self._store, now, SWEEP_MAX_COUNT)
        if keys:
            await commit_all(self._store, [Write(table, key, rule) for key in keys], lambda done: None, now, "none")
            self._deleted()
        return len(keys)

    async def _trim(self, stream: Stream, now: float) -> int:
        """Delete up to one step's records that are too old; how many."""
        return await self._delete(list(expired_keys(self._store, stream, now, SWEEP_MAX_COUNT)))

    async def _outdate(self, history: History, now: float) -> int:
        """Delete up to one step's records of what was replaced before the recovery period; how many."""
        return await self._delete(outdated_keys(self._store, history, now, SWEEP_MAX_COUNT))

    async def _delete(self, keys: Sequence[bytes]) -> int:
        if keys:

            def decide(current: Current) -> Change[None]:
                return Change(None, dict.fromkeys(keys))

            await self._store.transact((), decide)
        return len(keys)
