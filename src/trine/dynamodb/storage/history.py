"""A table's change history, for point-in-time recovery: what each write replaced, in the order of commits.

A write enters, a record's bytes leave for the store to append: when the write began, the item's key, and the item as
it was (nothing when there was none). Undoing records from the newest back to a moment turns the items of now into
those of that moment, so switching the history on copies nothing, and what grows too old is dropped from its start.
The cut between "before" and "after" a moment is a place in the order of commits: a restored state is one that was.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from trine.dynamodb.storage.keyspace import HISTORY, table_prefix
from trine.kv.store import Snapshot, Store
from trine.kv.tuple import after

DAY_SECONDS = 24 * 3600
_TIME_BYTES = 8
_KEY_SIZE_BYTES = 2
_STEP_RECORDS = 250
_STEP_BYTES = 2 * 1024 * 1024


class Replaced(NamedTuple):
    """One write: when it began (microseconds), the item's key, and its stored bytes before; None for no item."""

    at: bytes
    """Where the record lies."""
    micros: int
    key: bytes
    stored: bytes | None


class History:
    """The running history of one table. `since` is when it was switched on, in seconds."""

    __slots__ = ("period_days", "prefix", "since", "stop")

    def __init__(self, table_number: int, record: Mapping[str, Any]) -> None:
        self.since: float = record["Since"]
        self.period_days: int = record["PeriodDays"]
        self.prefix = table_prefix(HISTORY, table_number)
        self.stop = after(self.prefix)

    def earliest(self, now: float) -> float:
        """The earliest moment that can be restored."""
        return max(self.since, now - self.period_days * DAY_SECONDS)


def history_record(key: bytes, old_stored: bytes | None, now: float) -> bytes:
    """What to append for a write of `key` that began at `now` and replaces `old_stored`."""
    head = int(now * 1_000_000).to_bytes(_TIME_BYTES, "big") + len(key).to_bytes(_KEY_SIZE_BYTES, "big")
    return head + key + (old_stored or b"")


def opened(pair: tuple[bytes, bytes]) -> Replaced:
    """A record as read."""
    at, value = pair
    start = _TIME_BYTES + _KEY_SIZE_BYTES
    stop = start + int.from_bytes(value[_TIME_BYTES:start], "big")
    return Replaced(at, int.from_bytes(value[:_TIME_BYTES], "big"), value[start:stop], value[stop:] or None)


def micros_of(moment: float) -> int:
    """Seconds as whole microseconds."""
    return int(moment * 1_000_000)


def cut(view: Snapshot, history: History, moment: float) -> bytes:
    """Where in the history of `view` the first write after `moment` lies; its end when there is none."""
    position, bound = history.prefix, micros_of(moment)
    while pairs := view.page(position, history.stop, _STEP_RECORDS, limit_bytes=_STEP_BYTES):
        for pair in pairs:
            if int.from_bytes(pair[1][:_TIME_BYTES], "big") > bound:
                return pair[0]
        position = pairs[-1][0] + b"\0"
    return history.stop


def backwards(view: Snapshot, start: bytes, stop: bytes) -> Iterator[list[Replaced]]:
    """The records with start <= place < stop, the newest first, in bounded steps."""
    while pairs := view.page(start, stop, _STEP_RECORDS, reverse=True, limit_bytes=_STEP_BYTES):
        yield [opened(pair) for pair in pairs]
        stop = pairs[-1][0]


def outdated_keys(store: Store, history: History, now: float, count: int) -> list[bytes]:
    """Places of up to `count` records that are older than the recovery period."""
    bound = micros_of(now - history.period_days * DAY_SECONDS)
    found: list[bytes] = []
    for at, value in store.page(history.prefix, history.stop, count, limit_bytes=_STEP_BYTES):
        if int.from_bytes(value[:_TIME_BYTES], "big") >= bound:
            break
        found.append(at)
    return found
