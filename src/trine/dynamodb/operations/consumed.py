"""What an answer tells about its cost: transitions and pages counted into `model.capacity`'s documents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from trine.dynamodb.model.capacity import Consistency, ConsumedCapacity, Returned, index_write_units, write_units
from trine.dynamodb.model.item import stored_size
from trine.dynamodb.storage.items import Transition


def wanted(returned: Returned | None) -> bool:
    """Whether the request asked for ConsumedCapacity."""
    return returned is not None and returned != "NONE"


def consistency_of(consistent_read: bool | None) -> Consistency:
    """The consistency that a request's `ConsistentRead` asks for."""
    return "strong" if consistent_read else "eventual"


def add_transition(consumed: ConsumedCapacity, transition: Transition, *, transactional: bool = False) -> None:
    """Count a write and the index entries that followed it."""
    old, new = transition.old_stored, transition.new_stored
    size_bytes = max(stored_size(old) if old is not None else 0, stored_size(new) if new is not None else 0)
    consumed.add_table(write=write_units(size_bytes, transactional=transactional))
    for change in transition.index_changes:
        units = index_write_units(
            change.old_size_bytes,
            change.new_size_bytes,
            key_changed=change.rekeyed,
            changed=True,
            transactional=transactional,
        )
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
