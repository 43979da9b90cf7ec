"""What a write takes from its table's meter: the same units that its answer tells.

A transition and its key enter; units of the table and of each index leave, and are taken. Local indexes take from the
table ("local secondary indexes … consume the table's write capacity").
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trine.dynamodb.limits import WRITE_UNIT_BYTES
from trine.dynamodb.model.capacity import index_write_units, read_units, write_units
from trine.dynamodb.model.item import stored_size
from trine.dynamodb.storage.indexes import IndexChange
from trine.dynamodb.throughput.meter import IndexUnits, place_of
from trine.metering.usage import take
from trine.trace import Trace

if TYPE_CHECKING:
    from trine.dynamodb.storage.items import Transition


def item_write_units(transition: Transition, transactional: bool = False) -> float:
    """Units of the table itself: the larger one of the item before and after."""
    old, new = transition.old_stored, transition.new_stored
    if (old is None or len(old) <= WRITE_UNIT_BYTES) and (new is None or len(new) <= WRITE_UNIT_BYTES):
        return 2.0 if transactional else 1.0  # JSON is never shorter than the item's size
    size_bytes = max(stored_size(old) if old is not None else 0, stored_size(new) if new is not None else 0)
    return write_units(size_bytes, transactional=transactional)


def entry_write_units(change: IndexChange, transactional: bool = False) -> float:
    """Units of one index."""
    return index_write_units(
        change.old_size_bytes,
        change.new_size_bytes,
        key_changed=change.rekeyed,
        changed=True,
        transactional=transactional,
    )


def charge_write(transition: Transition, key: bytes, transactional: bool = False, trace: Trace | None = None) -> None:
    """Take what the write costs, and note it on the request's trace. ThrottledError when it cannot be had; then
    nothing is taken.
    """
    table = transition.table
    meter = table.meter
    if meter is None:
        return
    if not transition.index_changes:
        units = item_write_units(transition, transactional)
        meter.write_table(key[7:11], units)  # `place_of`, without a call
        if trace is not None:
            if trace.usage is None:  # `take`, without a call
                trace.usage = table.write_uses[units]
            else:
                take(trace, table.name, None, 0.0, units)
        return
    units, indexes = _with_indexes(transition, transactional)
    meter.write(place_of(key), units, indexes)
    if trace is not None:
        take(trace, table.name, None, 0.0, units)
        for name, _, index_units in indexes:
            take(trace, table.name, name, 0.0, index_units)


def charge_repeated(transition: Transition, key: bytes, trace: Trace | None = None) -> None:
    """Take what a transaction that happened before costs: the reading of its items. ThrottledError."""
    meter, old = transition.table.meter, transition.old_stored
    if meter is not None:
        units = read_units(stored_size(old) if old is not None else 0, "transactional")
        meter.read(place_of(key), units)
        if trace is not None:
            take(trace, transition.table.name, None, units, 0.0)


def release_write(transition: Transition, key: bytes, transactional: bool = False) -> None:
    """Give back what `charge_write` took: the transaction does not happen."""
    meter = transition.table.meter
    if meter is not None:
        meter.give_back(place_of(key), *_with_indexes(transition, transactional))


def _with_indexes(transition: Transition, transactional: bool) -> tuple[float, list[IndexUnits]]:
    units = item_write_units(transition, transactional)
    indexes: list[IndexUnits] = []
    for change in transition.index_changes:
        amount = entry_write_units(change, transactional)
        if not change.index.definition.is_global:
            units += amount
            continue
        *_, entry_key = change.puts  # the new entry's, where an entry moves
        indexes.append((change.index.name, place_of(entry_key), amount))
    return units, indexes
