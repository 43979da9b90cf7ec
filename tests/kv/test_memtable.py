"""Sorted keys and versions in memory."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

import trine.kv.memtable as module
from trine.clock import ManualClock
from trine.kv.history import History
from trine.kv.memory import MemoryStore
from trine.kv.memtable import Memtable, SortedKeys
from trine.kv.store import Change


@given(st.lists(st.binary(min_size=1, max_size=2)), st.binary(max_size=2), st.binary(max_size=2), st.integers(0, 9))
def test_sorted_keys_are_a_sorted_set(keys: list[bytes], start: bytes, stop: bytes, limit: int) -> None:
    small, module._BLOCK_KEYS = module._BLOCK_KEYS, 8
    try:
        held, model = SortedKeys(), set[bytes]()
        for key in keys:
            if key in model:
                held.discard(key)
                model.remove(key)
            else:
                held.add(key)
                model.add(key)
            inside = sorted(key for key in model if start <= key < stop)
            assert held.page(start, stop, limit, False) == inside[:limit]
            assert held.touches(start, stop) == bool(inside)
            assert held.page(start, stop, limit, True) == inside[::-1][:limit]
        again = SortedKeys.of(sorted(model))
        assert again.page(b"", b"\xff" * 3, 9999, False) == sorted(model)
    finally:
        module._BLOCK_KEYS = small


def test_many_keys_in_every_order() -> None:
    for order in (range(5000), range(4999, -1, -1), [n * 7919 % 5000 for n in range(5000)]):
        held = SortedKeys()
        for number in order:
            held.add(b"%04d" % number)
        assert held.page(b"", b"a", 9999, False) == [b"%04d" % n for n in range(5000)]
        assert held.page(b"0100", b"4900", 3, True) == [b"4899", b"4898", b"4897"]
        for number in order:
            held.discard(b"%04d" % number)
        assert held.page(b"", b"a", 9999, True) == []


def test_versions_are_seen_by_sequence_and_forgotten() -> None:
    table = Memtable()
    for sequence, value in enumerate([b"a", None, b"b", b"c"], 1):
        table.apply({b"k": value}, sequence, True)
    seen = [table.at(b"k", sequence) for sequence in range(6)]
    assert [version and version[1] for version in seen] == [None, b"a", None, b"b", b"c", b"c"]
    table.forget(b"k", 3)
    assert table.at(b"k", 2) is None
    assert (table.at(b"k", 3) or ())[:2] == (3, b"b")
    table.forget(b"k", 9)
    assert table.versions == {b"k": (4, b"c", None)}
    table.apply({b"k": None}, 5, False)
    table.forget(b"k", 5)
    table.forget(b"k", 5)
    assert table.versions == {}
    assert table.keys.page(b"", b"z", 9, False) == []


def test_the_memory_store_forgets_what_nobody_can_see() -> None:
    async def play() -> None:
        store = MemoryStore(ManualClock())

        async def put(value: bytes | None) -> None:
            await store.transact([], lambda c: Change(None, {b"%d" % n: value for n in range(100)}))

        with store.snapshot() as snapshot:
            for value in (b"a", b"b", None, b"c", None):
                await put(value)
            assert snapshot.page(b"", b"z", 9) == []
        await put(b"d")
        assert all(version[2] is None for version in store._table.versions.values())
        with store.snapshot():
            await put(None)
        await store.transact([], lambda c: Change(None, {b"k": b"v"}))
        assert list(store._table.versions) == [b"k"]
        assert store._replaced == set()

    asyncio.run(play())


def test_a_memtable_is_shed_in_steps() -> None:
    table = Memtable()
    table.apply({b"%05d" % n: b"x" for n in range(10_000)}, 1, False)
    steps = 0
    while table.shed(1000):
        steps += 1
    assert steps == 9
    assert table.versions == {}


def test_a_busy_store_keeps_a_short_ring_of_its_past() -> None:
    clock = ManualClock()
    history = History(clock, 0)
    history.keep(10)
    for sequence in range(1, 200_001):
        clock.advance(0.001)
        history.committed(sequence)
    assert len(history._times) < 5000
    for lag_seconds in (0.5, 3, 10):
        assert abs(history.at_lag(lag_seconds) - (200_000 - lag_seconds * 1000)) <= 20
    assert 189_000 < history.floor() <= 190_000
    clock.advance(11)
    assert history.at_lag(10) == history.floor() == 200_000
