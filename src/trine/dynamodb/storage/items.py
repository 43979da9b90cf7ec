"""One item's transition, and the commit that carries everything that follows from it.

A `Write` enters: a table, a key and a pure rule from the item as it is to the item as it shall be. Its effects leave as
one `Change`: the item, the entries of every index, counts and sizes, and the stream's record. The rule runs inside
the store's `decide`, so it may run again after a conflict and must touch nothing but its `Transition`.
"""

from __future__ import annotations

from asyncio import Future
from collections.abc import Callable, Sequence
from typing import Literal, TypeVar

from msgspec import Struct

from trine.dynamodb.errors import (
    ConditionalCheckFailedException,
    ItemCollectionSizeLimitExceededException,
    ThrottledError,
)
from trine.dynamodb.limits import WRITE_UNIT_BYTES
from trine.dynamodb.model.attribute import Item
from trine.dynamodb.model.capacity import write_units
from trine.dynamodb.model.item import STORED_HEADER_SIZE_BYTES, decode_stored, encode_stored, stored_size
from trine.dynamodb.storage.charges import charge_repeated, charge_write, release_write
from trine.dynamodb.storage.collections import Collections, size_of
from trine.dynamodb.storage.history import history_record
from trine.dynamodb.storage.indexes import IndexChange, index_changes
from trine.dynamodb.storage.stream import stream_record
from trine.dynamodb.storage.table import Table
from trine.dynamodb.storage.tokens import Token
from trine.kv.store import Change, Current, Store
from trine.trace import Trace

Result = TypeVar("Result")
Units = Literal["standard", "transactional", "none"]
"""What writes cost: what they weigh, twice that, or nothing (what the service does by itself)."""


class Transition(Struct, eq=False):
    """One item before and after a write. Bytes are decoded only when someone asks."""

    table: Table
    old_stored: bytes | None
    new_stored: bytes | None
    """Begins as the old one."""
    _old: Item | None = None
    _new: Item | None = None
    index_changes: Sequence[IndexChange] = ()
    expired: bool = False
    """The service deletes the item because its time has come; streams say so."""
    throttled: ThrottledError | ItemCollectionSizeLimitExceededException | None = None
    """Why there were no units for it, or no room; then it does not happen."""
    collection_bytes: int = 0
    """The size of its item collection after it, where the table has local indexes."""

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


class Write(Struct, frozen=True, eq=False, gc=False):
    """One wish: the item under `key` of `table` shall follow `rule`."""

    table: Table
    key: bytes
    rule: Rule


class Effects:
    """Everything that one commit writes, gathered from its transitions."""

    __slots__ = ("_current", "_now", "appends", "counters", "puts", "trace", "units")

    def __init__(self, current: Current, now: float, units: Units = "standard", trace: Trace | None = None) -> None:
        self._current = current
        self._now, self.units, self.trace = now, units, trace
        if trace is not None:
            trace.usage = None  # `decide` may be called again
        self.puts: dict[bytes, bytes | None] = {}
        self.counters: dict[bytes, int] = {}
        self.appends: list[tuple[bytes, bytes]] = []

    def add(self, transition: Transition, key: bytes) -> None:
        """What follows from `transition` of the item under `key`; nothing when the item stays as it was.

        Its units are taken first, changed or not: ThrottledError when there are none, and nothing follows.
        """
        table, old, new = transition.table, transition.old_stored, transition.new_stored
        same = new is old or new == old
        if table.indexes and not same:
            transition.index_changes = index_changes(table, transition.old, transition.new)
        if table.meter is not None and self.units != "none":
            charge_write(transition, key, self.units == "transactional", self.trace)
        if table.collections is not None:
            self._collect(table.collections, transition, key)
        if same:
            return
        if table.recent is not None:
            table.recent.wrote(key, self._now)
        self.puts[key] = new
        for counter, amount in _sums(table, old, new).items():
            self.count(counter, amount)
        if transition.index_changes:
            self._follow_indexes(transition)
        if table.expiry is not None:
            self.puts.update(table.expiry.changes(key, transition.old, transition.new))
        if table.history is not None:
            self.appends.append((table.history.prefix, history_record(key, old, self._now)))
        if table.stream is not None:
            record = stream_record(transition, table.stream, self._now)
            if record is not None:
                self.appends.append((table.stream.prefix, record))

    def _collect(self, collections: Collections, transition: Transition, key: bytes) -> None:
        """Count what the transition does to its item collection. ItemCollectionSizeLimitExceededException."""
        old, new = transition.old_stored, transition.new_stored
        grown = (stored_size(new) if new is not None else 0) - (stored_size(old) if old is not None else 0)
        for change in transition.index_changes:
            if not change.index.definition.is_global:
                grown += change.size_delta_bytes
        counter = collections.counter(key)
        size_bytes = size_of(self._current[counter]) + self.counters.get(counter, 0) + grown
        if grown > 0 and size_bytes > collections.most_bytes:
            raise ItemCollectionSizeLimitExceededException("Collection size exceeded.")
        transition.collection_bytes = max(0, size_bytes)
        if grown:
            self.count(counter, grown)

    def count(self, key: bytes, amount: int) -> None:
        """Add to a counter."""
        self.counters[key] = self.counters.get(key, 0) + amount

    def _follow_indexes(self, transition: Transition) -> None:
        recent = transition.table.recent
        for change in transition.index_changes:
            self.puts.update(change.puts)
            if recent is not None:
                for key in change.puts:
                    recent.wrote(key, self._now)
            if change.count_delta:
                self.count(change.index.count_key, change.count_delta)
            if change.size_delta_bytes:
                self.count(change.index.size_key, change.size_delta_bytes)

    def change(self, result: Result) -> Change[Result]:
        """The store's change."""
        return Change(result, self.puts, self.appends, self.counters)


def _sums(table: Table, old: bytes | None, new: bytes | None) -> dict[bytes, int]:
    """What a change of an item adds to the table's counters: its count and its size in bytes."""
    if old is not None and new is not None:
        grown = stored_size(new) - stored_size(old)
        return {table.size_key: grown} if grown else {}
    if new is not None:
        return {table.count_key: 1, table.size_key: stored_size(new)}
    if old is not None:
        return {table.count_key: -1, table.size_key: -stored_size(old)}
    return {}


def commit_one(
    store: Store, write: Write, answer: Callable[[Transition], Result], now: float, trace: Trace | None = None
) -> Future[Result]:
    """Run one write and answer from its transition, all in the store's `decide`. `trace` learns what it cost."""
    key, table, rule = write.key, write.table, write.rule

    def decide(current: Current) -> Change[Result]:
        old = current[key]
        transition = Transition(table, old, old)
        try:
            rule(transition)
        except ConditionalCheckFailedException:
            # AWS counts a write that its condition stopped as if it had happened.
            if trace is not None:
                trace.usage = None
            charge_write(transition, key, trace=trace)
            raise
        if table.alone:  # as `Effects` does it, where there is nothing to gather: most writes, and 1 µs
            if trace is not None:
                trace.usage = None
            charge_write(transition, key, trace=trace)
            new = transition.new_stored
            if new is old or new == old:
                return Change(answer(transition))
            if table.recent is not None:
                table.recent.wrote(key, now)
            return Change(answer(transition), {key: new}, (), _sums(table, old, new))
        effects = Effects(current, now, trace=trace)
        effects.add(transition, key)
        return effects.change(answer(transition))

    keys = (key,) if table.collections is None else (key, table.collections.counter(key))
    return store.transact(keys, decide)


def commit_plain(
    store: Store,
    table: Table,
    key: bytes,
    new: bytes,
    size_bytes: int,
    result: Result,
    now: float,
    trace: Trace | None = None,
) -> Future[Result]:
    """As `commit_one`, of a table that is `alone`, where nobody asks what the item was: most puts. In one room, for
    each call would cost as much as what it does: 10,000 instructions less. `size_bytes`: of the new item.
    """
    meter, recent, size_key = table.meter, table.recent, table.size_key

    def follow(old: bytes | None) -> dict[bytes, int] | None:
        if meter is not None:
            if trace is not None:
                trace.usage = None  # `follow` may be called again
            units = 1.0 if len(new) <= WRITE_UNIT_BYTES else write_units(size_bytes)  # JSON is never shorter
            if old is not None and len(old) > WRITE_UNIT_BYTES:
                units = max(units, write_units(stored_size(old)))
            meter.write_table(key[7:11], units)  # `place_of`
            if trace is not None:
                trace.usage = table.write_uses[units]
        if new == old:
            return None
        if recent is not None:
            recent.wrote(key, now)
        if old is None:
            return {table.count_key: 1, size_key: size_bytes}
        grown = size_bytes - int.from_bytes(old[1:STORED_HEADER_SIZE_BYTES], "big")  # `stored_size`
        return {size_key: grown} if grown else {}

    return store.replace(key, new, follow, result)


def _keys_of(writes: Sequence[Write]) -> list[bytes]:
    """What a commit of `writes` reads: the items, and the sizes of their collections."""
    keys = [write.key for write in writes]
    for write in writes:
        collections = write.table.collections
        if collections is not None and (counter := collections.counter(write.key)) not in keys:
            keys.append(counter)
    return keys


def commit_all(
    store: Store,
    writes: Sequence[Write],
    answer: Callable[[Sequence[Transition]], Result],
    now: float,
    units: Units = "standard",
    trace: Trace | None = None,
) -> Future[Result]:
    """Run several writes of different keys. Those that find no units are `throttled`, the others happen all the same;
    in a transaction `answer` must refuse, and nothing happens and nothing is paid.
    """

    def decide(current: Current) -> Change[Result]:
        effects = Effects(current, now, units, trace)
        transitions = [Transition(write.table, old := current[write.key], old) for write in writes]
        _add_all(effects, writes, transitions)
        return effects.change(answer(transitions))

    return store.transact(_keys_of(writes), decide)


def _add_all(effects: Effects, writes: Sequence[Write], transitions: Sequence[Transition]) -> None:
    throttled = False
    for write, transition in zip(writes, transitions, strict=True):
        write.rule(transition)
        try:
            effects.add(transition, write.key)
        except ThrottledError as refused:
            transition.throttled = refused
            throttled = True
        except ItemCollectionSizeLimitExceededException as refused:
            if effects.units != "transactional":
                raise
            release_write(transition, write.key, True)
            transition.throttled = refused
            throttled = True
    if throttled and effects.units == "transactional":
        if effects.trace is not None:
            effects.trace.usage = None
        for write, transition in zip(writes, transitions, strict=True):
            if transition.throttled is None:
                release_write(transition, write.key, True)


def commit_once(
    store: Store,
    writes: Sequence[Write],
    token: Token,
    answer: Callable[[Sequence[Transition]], Result],
    repeated: Callable[[Sequence[Transition]], Result],
    now: float,
    trace: Trace | None = None,
) -> Future[Result]:
    """As `commit_all`, but once for each token: when it happened before, `repeated` answers and nothing is written."""

    def decide(current: Current) -> Change[Result]:
        transitions = [Transition(write.table, old := current[write.key], old) for write in writes]
        if token.seen(current[token.key]):
            for write, transition in zip(writes, transitions, strict=True):
                charge_repeated(transition, write.key, trace)
            return Change(repeated(transitions))
        effects = Effects(current, now, "transactional", trace)
        _add_all(effects, writes, transitions)
        effects.puts[token.key] = token.record()
        return effects.change(answer(transitions))

    return store.transact([*_keys_of(writes), token.key], decide)
