"""One item's transition, and the commit that carries everything that follows from it.

A `Write` enters: a table, a key and a pure rule from the item as it is to the item as it shall be. Its effects leave as
one `Change`: the item, the entries of every index, counts and sizes, and the stream's record. The rule runs inside
the store's `decide`, so it may run again after a conflict and must touch nothing but its `Transition`.
"""

from __future__ import annotations

from asyncio import Future
from collections.abc import Callable, Sequence
from typing import TypeVar

from trine.dynamodb.model.attribute import Item
from trine.dynamodb.model.item import decode_stored, encode_stored, stored_size
from trine.dynamodb.storage.indexes import IndexChange, index_changes
from trine.dynamodb.storage.tables import Table
from trine.kv.store import Change, Current, Store

Result = TypeVar("Result")


class Transition:
    """One item before and after a write. Bytes are decoded only when someone asks."""

    __slots__ = ("_new", "_old", "index_changes", "new_stored", "old_stored", "table")

    def __init__(self, table: Table, old_stored: bytes | None) -> None:
        self.table = table
        self.old_stored = old_stored
        self.new_stored = old_stored
        self._old: Item | None = None
        self._new: Item | None = None
        self.index_changes: Sequence[IndexChange] = ()

    @property
    def old(self) -> Item | None:
        """The item as it was, None when there was none. Not to be changed."""
        if self._old is None and self.old_stored is not None:
            self._old = decode_stored(self.old_stored)
        return self._old

    @property
    def new(self) -> Item | None:
        """The item as it will be, None when it will be gone. Not to be changed."""
        if self._new is None and self.new_stored is not None:
            self._new = self.old if self.new_stored is self.old_stored else decode_stored(self.new_stored)
        return self._new

    def become(self, item: Item | None, stored: bytes | None = None) -> None:
        """The item shall be this; `stored` is its stored form when it is known already."""
        self._new = item
        if item is None:
            self.new_stored = None
        else:
            self.new_stored = encode_stored(item) if stored is None else stored


Rule = Callable[[Transition], None]


class Write:
    """One wish: the item under `key` of `table` shall follow `rule`."""

    __slots__ = ("key", "rule", "table")

    def __init__(self, table: Table, key: bytes, rule: Rule) -> None:
        self.table, self.key, self.rule = table, key, rule


def commit_one(store: Store, write: Write, answer: Callable[[Transition], Result]) -> Future[Result]:
    """Run one write and answer from its transition, all in the store's `decide`."""
    key, table, rule = write.key, write.table, write.rule

    def decide(current: Current) -> Change[Result]:
        transition = Transition(table, current[key])
        rule(transition)
        puts: dict[bytes, bytes | None] = {}
        counters: dict[bytes, int] = {}
        add_effects(transition, key, puts, counters)
        return Change(answer(transition), puts, (), counters)

    return store.transact((key,), decide)


def commit_all(
    store: Store, writes: Sequence[Write], answer: Callable[[Sequence[Transition]], Result]
) -> Future[Result]:
    """Run several writes of different keys, all or nothing."""

    def decide(current: Current) -> Change[Result]:
        puts: dict[bytes, bytes | None] = {}
        counters: dict[bytes, int] = {}
        transitions = []
        for write in writes:
            transition = Transition(write.table, current[write.key])
            write.rule(transition)
            add_effects(transition, write.key, puts, counters)
            transitions.append(transition)
        return Change(answer(transitions), puts, (), counters)

    return store.transact([write.key for write in writes], decide)


def add_effects(
    transition: Transition, key: bytes, puts: dict[bytes, bytes | None], counters: dict[bytes, int]
) -> None:
    """Add what must be committed for `transition` besides what is there already."""
    table, old, new = transition.table, transition.old_stored, transition.new_stored
    if new is old or new == old:
        return
    puts[key] = new
    grown = (stored_size(new) if new is not None else 0) - (stored_size(old) if old is not None else 0)
    if old is None:
        _count(counters, table.count_key, 1)
    elif new is None:
        _count(counters, table.count_key, -1)
    if grown:
        _count(counters, table.size_key, grown)
    if table.indexes:
        transition.index_changes = index_changes(table, transition.old, transition.new)
        for change in transition.index_changes:
            puts.update(change.puts)
            if change.count_delta:
                _count(counters, change.index.count_key, change.count_delta)
            if change.size_delta_bytes:
                _count(counters, change.index.size_key, change.size_delta_bytes)


def _count(counters: dict[bytes, int], key: bytes, amount: int) -> None:
    counters[key] = counters.get(key, 0) + amount
