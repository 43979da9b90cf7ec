"""What every read passes once it has read: its units are taken, and what luck had a part in is written down.

A table, a key or a range, and bytes read enter; ThrottledError leaves where units were missing. Notes go to the trace
of the request that runs now: `dynamodb.consistency` where AWS could have answered with an older state,
`dynamodb.access` where a request path reads much more than it returns.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from trine.dynamodb.consistency.recent import RecentWrites
from trine.dynamodb.errors import ThrottledError
from trine.dynamodb.limits import READ_UNIT_BYTES
from trine.dynamodb.model.access_path import instead_of
from trine.dynamodb.model.attribute import Item
from trine.dynamodb.model.capacity import LEAST_READ_UNITS, Consistency, read_units
from trine.dynamodb.model.item import decode_stored, stored_size
from trine.dynamodb.operations.cancellation import Reasons
from trine.dynamodb.operations.operation import Rooms
from trine.dynamodb.operations.reading import Target
from trine.dynamodb.storage.pages import Page
from trine.dynamodb.storage.table import Table
from trine.dynamodb.throughput.meter import place_of
from trine.metering.usage import take
from trine.trace import Trace

REQUEST_PATH_KINDS = ("lambda", "apigateway")
MOSTLY_DROPPED_MIN_COUNT = 10
"""Our own: a filter that drops most of so many items, or more, is pointed out."""
_KEPT_MAX_BYTES = 4096
"""A trace keeps an item of so many bytes until someone reads its note; a larger one is decoded at once."""


def item_read(rooms: Rooms, table: Table, key: bytes, stored: bytes | None, consistency: Consistency) -> None:
    """One item was read (or was not there). ThrottledError when its table has no read units left."""
    meter = table.meter
    if meter is not None:
        units = LEAST_READ_UNITS[consistency]
        if stored is not None and len(stored) > READ_UNIT_BYTES:  # its JSON is never shorter than the item's size
            units = read_units(stored_size(stored), consistency)
        meter.read_table(key[7:11], units)  # `place_of`, without a call
        trace = rooms.trace
        if trace is not None:
            if trace.usage is None:  # `take`, without a call
                trace.usage = table.read_uses[units]
            else:
                take(trace, table.name, None, units, 0.0)
    recent = table.recent
    if recent is not None and recent.until and consistency == "eventual":
        age = recent.age(key, rooms.clock.now)
        if age is not None:
            _note_stale(rooms, table, recent, key, age, None, stored)


def transaction_read(
    rooms: Rooms, tables: Sequence[Table], keys: Sequence[bytes], found: Sequence[bytes | None]
) -> None:
    """Items were read in a transaction. TransactionCanceledException when units were missing for some."""
    reasons = Reasons(len(keys))
    for at, (table, key, stored) in enumerate(zip(tables, keys, found, strict=True)):
        try:
            item_read(rooms, table, key, stored, "transactional")
        except ThrottledError as refused:
            reasons.add(at, refused.reason_code, refused.message)
    reasons.raise_if_any()


def note_unprocessed(trace: Trace | None, refused: ThrottledError, count: int) -> None:
    """Note on the trace that a batch came back in part: its answer is a success, and callers forget to look."""
    if trace is not None:
        trace.step("dynamodb.throughput", {"unprocessed": count, **refused.facts})


def admit_page(target: Target, start: bytes) -> None:
    """ThrottledError when no page that begins at `start` may be read now."""
    meter = target.table.meter
    if meter is not None:
        meter.check_read(place_of(start), _metered_index(target))


def page_read(rooms: Rooms, target: Target, start: bytes, stop: bytes, size_bytes: int) -> None:
    """Bytes between `start` and `stop` were read: take their units, and look for recent writes among them."""
    table = target.table
    if table.meter is not None:
        consistency: Consistency = "strong" if target.consistent else "eventual"
        units = read_units(size_bytes, consistency)
        if target.fetched:
            units += sum(read_units(size, consistency) for size in target.fetched)
        index_name = _metered_index(target)
        table.meter.pay_read(place_of(start), units, index_name)
        if rooms.trace is not None:
            take(rooms.trace, table.name, index_name, units, 0.0)
    recent = table.recent
    if not target.consistent and recent is not None:
        written = recent.in_range(start, stop, rooms.clock.now)
        if written is not None:
            _note_stale(rooms, table, recent, *written, target.index.name if target.index is not None else None)


def look_at_access(rooms: Rooms, target: Target, accept: Callable[[Item], bool] | None, page: Page, scan: bool) -> None:
    """Note on the trace what a Scan in a request path cost, and the key or index that would replace it."""
    trace = rooms.trace
    if trace is None or trace.parent is None or trace.parent.kind not in REQUEST_PATH_KINDS:
        return
    returned, scanned = len(page.items), page.scanned_count
    if not scan and (scanned < MOSTLY_DROPPED_MIN_COUNT or returned * 2 > scanned):
        return
    detail: dict[str, Any] = {
        "operation": "Scan" if scan else "Query",
        "table": target.table.name,
        "units": target.consumed(page.size_bytes).total,
        "scannedCount": scanned,
        "returnedCount": returned,
    }
    if target.index is not None:
        detail["index"] = target.index.name
    equal: frozenset[str] = getattr(accept, "equalities", frozenset())
    given = frozenset() if scan else frozenset(attribute.name for attribute in target.key.partition)
    path = instead_of(target.table.definition, equal, given)
    if path is not None:
        detail["instead"] = path.sentence()
    trace.step("dynamodb.access", detail)


def _metered_index(target: Target) -> str | None:
    index = target.index
    return index.name if index is not None and index.definition.is_global else None


def _note_stale(
    rooms: Rooms,
    table: Table,
    recent: RecentWrites,
    key: bytes,
    age_seconds: float,
    index_name: str | None,
    stored: bytes | None = None,
) -> None:
    """`stored` is what lies under `key`, any version of it, when that is at hand."""
    recent.stale_reads += 1
    trace = rooms.trace
    if trace is None:
        return
    if stored is None:
        stored = rooms.store.get(key)
    detail = partial(_stale, table, age_seconds, index_name, stored)
    if stored is not None and len(stored) > _KEPT_MAX_BYTES:
        trace.step("dynamodb.consistency", detail())
    else:
        trace.step("dynamodb.consistency", detail)


def _stale(table: Table, age_seconds: float, index_name: str | None, stored: bytes | None) -> dict[str, Any]:
    detail: dict[str, Any] = {"could_be_stale": True, "ageMillis": round(age_seconds * 1000, 3), "table": table.name}
    if index_name is not None:
        detail["index"] = index_name
    if stored is not None:
        detail["key"] = table.definition.key_of(decode_stored(stored))
    return detail
