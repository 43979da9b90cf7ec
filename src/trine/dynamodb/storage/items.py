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
from trine.dynamodb.storage.stream import stream_record
from trine.dynamodb.storage.tables import Table
from trine.dynamodb.storage.tokens import Token
from trine.kv.store import Change, Current, Store

Result = TypeVar("Result")


class Transition:
    """One item before and after a write. Bytes are decoded only when someone asks."""

    __slots__ = ("_new", "_old", "expired", "index_changes", "new_stored", "old_stored", "table")

    def __init__(self, table: Table, old_stored: bytes | None) -> None:
        self.table = table
        self.old_stored = old_stored
        self.new_stored = old_stored
        self._old: Item | None = None
        self._new: Item | None = None
        self.index_changes: Sequence[IndexChange] = ()
        self.expired = False
        """The service deletes the item because its time has come; streams say so."""

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


class Effects:
    """Everything that one commit writes, gathered from its transitions."""

    __slots__ = ("_now", "appends", "counters", "puts")

    def __init__(self, now: float) -> None:
        self._now = now
        self.puts: dict[bytes, bytes | None] = {}
        self.counters: dict[bytes, int] = {}
        self.appends: list[tuple[bytes, bytes]] = []

    def add(self, transition: Transition, key: bytes) -> None:
        """What follows from `transition` of the item under `key`; nothing when the item stays as it was."""
        table, old, new = transition.table, transition.old_stored, transition.new_stored
        if new is old or new == old:
            return
        self.puts[key] = new
        grown = (stored_size(new) if new is not None else 0) - (stored_size(old) if old is not None else 0)
        if old is None:
            self.count(table.count_key, 1)
        elif new is None:
            self.count(table.count_key, -1)
        if grown:
            self.count(table.size_key, grown)
        if table.indexes:
            self._follow_indexes(transition)
        if table.expiry is not None:
            self.puts.update(table.expiry.changes(key, transition.old, transition.new))
        if table.stream is not None:
            record = stream_record(transition, table.stream, self._now)
            if record is not None:
                self.appends.append((table.stream.prefix, record))

    def count(self, key: bytes, amount: int) -> None:
        """Add to a counter."""
        self.counters[key] = self.counters.get(key, 0) + amount

    def _follow_indexes(self, transition: Transition) -> None:
        transition.index_changes = index_changes(transition.table, transition.old, transition.new)
        for change in transition.index_changes:
            self.puts.update(change.puts)
            if change.count_delta:
                self.count(change.index.count_key, change.count_delta)
            if change.size_delta_bytes:
                self.count(change.index.size_key, change.size_delta_bytes)

    def change(self, result: Result) -> Change[Result]:
        """The store's change."""
        return Change(result, self.puts, self.appends, self.counters)


def commit_one(store: Store, write: Write, answer: Callable[[Transition], Result], now: float) -> Future[Result]:
    """Run one write and answer from its transition, all in the store's `decide`."""
    key, table, rule = write.key, write.table, write.rule

    def decide(current: Current) -> Change[Result]:
        transition = Transition(table, current[key])
        rule(transition)
        effects = Effects(now)
        effects.add(transition, key)
        return effects.change(answer(transition))

    return store.transact((key,), decide)


def commit_all(
    store: Store, writes: Sequence[Write], answer: Callable[[Sequence[Transition]], Result], now: float
) -> Future[Result]:
    """Run several writes of different keys, all or nothing."""

    def decide(current: Current) -> Change[Result]:
        effects = Effects(now)
        transitions = []
        for write in writes:
            transition = Transition(write.table, current[write.key])
            write.rule(transition)
            effects.add(transition, write.key)
            transitions.append(transition)
        return effects.change(answer(transitions))

    return store.transact([write.key for write in writes], decide)


def commit_once(
    store: Store,
    writes: Sequence[Write],
    token: Token,
    answer: Callable[[Sequence[Transition]], Result],
    repeated: Callable[[Sequence[Transition]], Result],
    now: float,
) -> Future[Result]:
    """As `commit_all`, but once for each token: when it happened before, `repeated` answers and nothing is written."""

    def decide(current: Current) -> Change[Result]:
        transitions = [Transition(write.table, current[write.key]) for write in writes]
        if token.seen(current[token.key]):
            return Change(repeated(transitions))
        effects = Effects(now)
        for write, transition in zip(writes, transitions, strict=True):
            write.rule(transition)
            effects.add(transition, write.key)
        effects.puts[token.key] = token.record()
        return effects.change(answer(transitions))

    return store.transact([*(write.key for write in writes), token.key], decide)
