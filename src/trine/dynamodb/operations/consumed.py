"""What an answer tells about its cost: transitions and pages counted into `model.capacity`'s documents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from trine.dynamodb.model.capacity import Consistency, ConsumedCapacity, Returned
from trine.dynamodb.storage.charges import entry_write_units, item_write_units
from trine.dynamodb.storage.items import Transition
from trine.metering.usage import take
from trine.trace import Trace


def wanted(returned: Returned | None) -> bool:
    """Whether the request asked for ConsumedCapacity."""
    return returned is not None and returned != "NONE"


def consistency_of(consistent_read: bool | None) -> Consistency:
    """The consistency that a request's `ConsistentRead` asks for."""
    return "strong" if consistent_read else "eventual"


def add_transition(consumed: ConsumedCapacity, transition: Transition, *, transactional: bool = False) -> None:
    """Count a write and the index entries that followed it."""
    consumed.add_table(write=item_write_units(transition, transactional))
    for change in transition.index_changes:
        units = entry_write_units(change, transactional)
        consumed.add_index(change.index.name, is_global=change.index.definition.is_global, write=units)


def write_capacity(returned: Returned | None, transition: Transition) -> bytes | None:
    """The JSON of one write's ConsumedCapacity, or None when it is not wanted."""
    if not wanted(returned):
        return None
    consumed = ConsumedCapacity(transition.table.name)
    add_transition(consumed, transition)
    return orjson.dumps(consumed.document(returned))


def consumed_list(
    consumed: Mapping[str, ConsumedCapacity], returned: Returned | None, *, by_kind: bool = False
) -> list[dict[str, Any] | None]:
    """ConsumedCapacity of an operation on several tables: one document for each."""
    return [capacity.document(returned, by_kind=by_kind) for capacity in consumed.values()]


def take_consumed(trace: Trace, consumed: ConsumedCapacity) -> None:
    """Note on a request's trace what a part of it has consumed; local indexes take from the table."""
    local_read = sum(read for read, _ in consumed.local_indexes.values())
    local_write = sum(write for _, write in consumed.local_indexes.values())
    take(trace, consumed.table_name, None, consumed.table_read + local_read, consumed.table_write + local_write)
    for name, (read, write) in consumed.global_indexes.items():
        take(trace, consumed.table_name, name, read, write)


def write_capacities(transitions: Iterable[Transition], *, transactional: bool = False) -> dict[str, ConsumedCapacity]:
    """Table name → what the transitions in it cost together."""
    consumed: dict[str, ConsumedCapacity] = {}
    for transition in transitions:
        name = transition.table.name
        capacity = consumed.get(name)
        if capacity is None:
            capacity = consumed[name] = ConsumedCapacity(name)
        add_transition(capacity, transition, transactional=transactional)
    return consumed
