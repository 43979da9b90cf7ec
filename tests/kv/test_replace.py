"""`Store.replace`: one value in the place of another, with its counters, as `transact` would put it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trine.clock import Clock, ManualClock
from trine.kv.errors import StoreClosed
from trine.kv.group import VALUE_AT_ONCE_BYTES
from trine.kv.memory import MemoryStore
from trine.kv.store import KEY_BYTES_LIMIT, TRANSACTION_BYTES_LIMIT, Change, Snapshot, Store

OpenStore = Callable[[Path, Clock], Store]
ALL = (b"", b"\xff" * 4)


def play(open_store: OpenStore, directory: Path, scenario: Callable[[Store], Awaitable[None]]) -> None:
    async def run() -> None:
        store = open_store(directory, ManualClock())
        try:
            await scenario(store)
        finally:
            await store.close()

    asyncio.run(run())


def number(value: int) -> bytes:
    return value.to_bytes(8, "big", signed=True)


def test_the_old_value_is_shown_and_the_counters_follow(open_store: OpenStore, tmp_path: Path) -> None:
    async def scenario(store: Store) -> None:
        seen: list[bytes | None] = []

        def follow(old: bytes | None) -> Mapping[bytes, int]:
            seen.append(old)
            return {b"#n": 2, b"#m": -3}

        assert await store.replace(b"a", b"1", follow, "first") == "first"
        assert await store.replace(b"a", b"2", follow, "second") == "second"
        assert seen == [None, b"1"]
        assert store.page(*ALL, 10) == [(b"#m", number(-6)), (b"#n", number(4)), (b"a", b"2")]

    play(open_store, tmp_path, scenario)


def test_many_at_once_follow_each_other(open_store: OpenStore, tmp_path: Path) -> None:
    async def scenario(store: Store) -> None:
        seen: list[bytes | None] = []

        def follow(old: bytes | None) -> Mapping[bytes, int]:
            seen.append(old)
            return {b"#n": 1}

        await asyncio.gather(*[store.replace(b"a", b"%d" % at, follow, None) for at in range(20)])
        assert seen == [None, *[b"%d" % at for at in range(19)]]
        assert store.get(b"#n") == number(20)

    play(open_store, tmp_path, scenario)


def test_nothing_is_written_where_nothing_follows(open_store: OpenStore, tmp_path: Path) -> None:
    async def scenario(store: Store) -> None:
        assert await store.replace(b"a", b"1", lambda old: None, 7) == 7
        assert store.get(b"a") is None
        await store.replace(b"a", b"1", lambda old: {}, None)
        assert store.page(*ALL, 10) == [(b"a", b"1")]

    play(open_store, tmp_path, scenario)


def test_an_exception_is_the_callers_and_writes_nothing(open_store: OpenStore, tmp_path: Path) -> None:
    async def scenario(store: Store) -> None:
        def refuse(error: Exception) -> Callable[[bytes | None], Mapping[bytes, int]]:
            def follow(old: bytes | None) -> Mapping[bytes, int]:
                raise error

            return follow

        with pytest.raises(LookupError):
            await store.replace(b"a", b"1", refuse(LookupError()), None)
        with pytest.raises(RuntimeError, match="StopIteration"):
            await store.replace(b"a", b"1", refuse(StopIteration()), None)
        assert store.get(b"a") is None

    play(open_store, tmp_path, scenario)


@pytest.mark.parametrize(
    ("key", "value", "counters"),
    [
        (b"", b"1", {}),
        (b"k" * (KEY_BYTES_LIMIT + 1), b"1", {}),
        (b"a", b"1", {b"": 1}),
        (b"a", b"1", {b"k" * (KEY_BYTES_LIMIT + 1): 1}),
        (b"a", b"1", {b"#fine": 1, b"text": 1}),
        (b"a", b"1", {b"#fine": 1, b"full": 1}),
        (b"a", b"1", {b"#fine": 1 << 70}),
        (b"a", b"1", {b"#fine": 1, b"a": 1}),
        (b"a", bytes(TRANSACTION_BYTES_LIMIT), {}),
    ],
    ids=[
        "no key",
        "long key",
        "no counter key",
        "long counter key",
        "no counter",
        "overflow",
        "amount",
        "itself",
        "size",
    ],
)
def test_what_is_wrong_is_refused_whole(
    open_store: OpenStore, tmp_path: Path, key: bytes, value: bytes, counters: dict[bytes, int]
) -> None:
    async def scenario(store: Store) -> None:
        await store.transact([], lambda current: Change(None, {b"text": b"text", b"full": number(2**63 - 1)}))
        with pytest.raises(ValueError, match=r"key|counter|transaction"):
            await store.replace(key, value, lambda old: counters, None)
        assert [key for key, _ in store.page(*ALL, 10)] == [b"full", b"text"]

    play(open_store, tmp_path, scenario)


def test_large_values_go_in(open_store: OpenStore, tmp_path: Path) -> None:
    async def scenario(store: Store) -> None:
        await store.replace(b"a", bytes(VALUE_AT_ONCE_BYTES + 1), lambda old: {b"#n": 1}, None)
        assert store.get(b"a") == bytes(VALUE_AT_ONCE_BYTES + 1)

    play(open_store, tmp_path, scenario)


def test_a_closed_store_says_so(open_store: OpenStore, tmp_path: Path) -> None:
    async def scenario(store: Store) -> None:
        await store.close()
        with pytest.raises(StoreClosed):
            await store.replace(b"a", b"1", lambda old: {}, None)

    play(open_store, tmp_path, scenario)


KEYS = st.sampled_from([b"a", b"b", b"c"])
VALUES = st.binary(max_size=2)


@given(st.data())
def test_memory_holds_what_a_dictionary_holds_and_snapshots_stand_still(data: st.DataObject) -> None:
    """Replacing, deleting, looking back: with an open snapshot the past is kept, without one it is not."""

    async def run() -> None:
        store = MemoryStore(ManualClock())
        model: dict[bytes, bytes] = {}
        snapshots: list[tuple[Snapshot, dict[bytes, bytes]]] = []
        for _ in range(data.draw(st.integers(1, 15))):
            key = data.draw(KEYS)
            step = data.draw(st.integers(0, 4))
            if step <= 1:
                value, amount = data.draw(VALUES), data.draw(st.integers(-3, 3))
                old = model.get(key)

                def follow(found: bytes | None, amount: int = amount, old: bytes | None = old) -> Mapping[bytes, int]:
                    assert found == old
                    return {b"#n": amount}

                await store.replace(key, value, follow, None)
                model[key] = value
                model[b"#n"] = number(int.from_bytes(model.get(b"#n", b""), "big", signed=True) + amount)
            elif step == 2:
                await store.transact((key,), lambda current, key=key: Change(None, {key: None}))
                model.pop(key, None)
            elif step == 3:
                snapshots.append((store.snapshot(), dict(model)))
            elif snapshots:
                snapshots.pop()[0].close()
            assert dict(store.page(*ALL, 100)) == model
            for snapshot, past in snapshots:
                assert dict(snapshot.scan(*ALL)) == past
        for snapshot, _ in snapshots:
            snapshot.close()
        await store.close()

    asyncio.run(run())
