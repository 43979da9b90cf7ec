"""The promise of `kv.store`, said in examples; every store keeps it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from trine.clock import ManualClock
from trine.kv.errors import StoreClosed
from trine.kv.store import KEY_BYTES_LIMIT, Change, Current, Store

OpenStore = Callable[[Path, ManualClock], Store]
Scenario = Callable[[Store], Awaitable[None]]
ALL = (b"", b"\xff" * 8)


def play(open_store: OpenStore, directory: Path, scenario: Scenario, clock: ManualClock | None = None) -> None:
    """Open a store, run the scenario, close it whatever happened."""

    async def run() -> None:
        store = open_store(directory / "state", clock or ManualClock())
        try:
            await scenario(store)
        finally:
            await store.close()

    asyncio.run(run())


async def put(store: Store, **values: bytes | None) -> None:
    puts = {name.encode(): value for name, value in values.items()}
    await store.transact(list(puts), lambda current: Change(None, puts))


def test_a_transaction_sees_current_values_and_its_change_is_read_back(open_store: OpenStore, tmp_path: Path) -> None:
    async def scenario(store: Store) -> None:
        await put(store, a=b"1", b=b"2")
        seen: list[Current] = []

        def decide(current: Current) -> Change[str]:
            seen.append(dict(current))
            return Change("said", {b"a": None, b"c": b"3"})

        assert await store.transact([b"a", b"b", b"x"], decide) == "said"
        assert seen[-1] == {b"a": b"1", b"b": b"2", b"x": None}
        assert [store.get(key) for key in (b"a", b"b", b"c", b"")] == [None, b"2", b"3", None]
        assert store.page(*ALL, 10) == [(b"b", b"2"), (b"c", b"3")]

    play(open_store, tmp_path, scenario)


def test_transactions_of_one_group_see_each_other_in_order(open_store: OpenStore, tmp_path: Path) -> None:
    async def scenario(store: Store) -> None:
        def count(current: Current) -> Change[int]:
            value = int(current[b"n"] or b"0") + 1
            return Change(value, {b"n": b"%d" % value})

        results = await asyncio.gather(*[store.transact([b"n"], count) for _ in range(600)])
        assert results == list(range(1, 601))
        assert store.get(b"n") == b"600"

    play(open_store, tmp_path, scenario)


def test_an_exception_stays_with_its_own_future_and_writes_nothing(open_store: OpenStore, tmp_path: Path) -> None:
    class ConditionFailed(Exception):
        pass

    async def scenario(store: Store) -> None:
        def refuse(current: Current) -> Change[None]:
            raise ConditionFailed

        def stop(current: Current) -> Change[None]:
            raise StopIteration

        good = [store.transact([b"a"], lambda current, n=n: Change(n, {b"%d" % n: b"x"})) for n in range(3)]
        bad = store.transact([b"a"], refuse)
        worse = store.transact([b"a"], stop)
        last = store.transact([b"a"], lambda current: Change("last"))
        assert await asyncio.gather(*good, last) == [0, 1, 2, "last"]
        with pytest.raises(ConditionFailed):
            await bad
        with pytest.raises(RuntimeError, match="StopIteration"):
            await worse
        assert len(store.page(*ALL, 10)) == 3

    play(open_store, tmp_path, scenario)


@pytest.mark.parametrize(
    "change",
    [
        Change(None, {b"a": b"1", b"": b"x"}),
        Change(None, {b"a": b"1", b"k" * (KEY_BYTES_LIMIT + 1): b"x"}),
        Change(None, {b"a": b"1"}, counters={b"text": 1}),
        Change(None, {b"a": b"1"}, counters={b"full": 1}),
        Change(None, {b"a": b"1"}, counters={b"n": 1 << 70}),
    ],
    ids=["empty key", "long key", "no counter", "counter overflow", "amount too large"],
)
def test_a_bad_change_is_refused_whole(open_store: OpenStore, tmp_path: Path, change: Change[None]) -> None:
    async def scenario(store: Store) -> None:
        await put(store, text=b"text", full=(2**63 - 1).to_bytes(8, "big"))
        with pytest.raises(ValueError, match=r"key|counter"):
            await store.transact([], lambda current: change)
        assert store.get(b"a") is None

    play(open_store, tmp_path, scenario)


def test_appends_are_unique_and_in_commit_order(open_store: OpenStore, tmp_path: Path) -> None:
    async def scenario(store: Store) -> None:
        def append(n: int) -> Change[None]:
            return Change(None, {}, [(b"log/", b"%d" % n), (b"log/", b"%d+" % n)])

        for start in (0, 5, 10):
            await asyncio.gather(*[store.transact([], lambda c, n=n: append(n)) for n in range(start, start + 5)])
        pairs = store.page(b"log/", b"log0", 100)
        assert [value for _, value in pairs] == [b"%d%s" % (n, sign) for n in range(15) for sign in (b"", b"+")]
        assert all(len(key) == 4 + 16 for key, _ in pairs)

    play(open_store, tmp_path, scenario)


def test_counters_add_without_being_named(open_store: OpenStore, tmp_path: Path) -> None:
    async def scenario(store: Store) -> None:
        def add(amount: int) -> Change[None]:
            return Change(None, counters={b"n": amount})

        await asyncio.gather(*[store.transact([], lambda c, a=a: add(a)) for a in (5, -12, 3)])
        assert store.get(b"n") == (-4).to_bytes(8, "big", signed=True)
        seen = await store.transact([b"n"], lambda current: Change(current[b"n"], {b"n": None}, counters={b"n": 2}))
        assert seen == (-4).to_bytes(8, "big", signed=True)
        assert store.get(b"n") == (2).to_bytes(8, "big", signed=True)

    play(open_store, tmp_path, scenario)


def test_a_snapshot_stands_still_and_can_be_read_while_writes_go_on(open_store: OpenStore, tmp_path: Path) -> None:
    async def scenario(store: Store) -> None:
        for n in range(0, 400, 2):
            await put(store, **{f"k{n:03d}": b"old"})
        with store.snapshot() as snapshot:
            expected = [(f"k{n:03d}".encode(), b"old") for n in range(0, 400, 2)]
            forward, backward = snapshot.scan(b"k", b"l"), snapshot.scan(b"k", b"l", reverse=True)
            got_forward, got_backward = [], []
            for n in range(200):
                await put(store, **{f"k{n:03d}": b"new" if n % 3 else None, f"k{399 - n:03d}": b"new"})
                got_forward.append(next(forward))
                got_backward.append(next(backward))
            assert got_forward == expected
            assert got_backward == expected[::-1]
            assert next(forward, None) is None
            assert snapshot.get(b"k002") == b"old"
            assert snapshot.get(b"k001") is None
            assert snapshot.page(b"k", b"l", 1000) == expected
        assert store.get(b"k002") == b"new"
        snapshot.close()
        with pytest.raises(StoreClosed):
            snapshot.get(b"k002")

    play(open_store, tmp_path, scenario)


def test_a_page_ends_at_its_count_its_bytes_or_its_range(open_store: OpenStore, tmp_path: Path) -> None:
    async def scenario(store: Store) -> None:
        await put(store, **{f"k{n:02d}": b"v" * 100 for n in range(50)})
        keys = [f"k{n:02d}".encode() for n in range(50)]

        def page(*args: object, **options: object) -> list[bytes]:
            return [key for key, _ in store.page(*args, **options)]  # type: ignore[arg-type]

        assert page(b"k10", b"k20", 100) == keys[10:20]
        assert page(b"k10", b"k20", 3) == keys[10:13]
        assert page(b"k10", b"k20", 3, reverse=True) == keys[17:20][::-1]
        assert page(b"k", b"l", 100, limit_bytes=1) == keys[:1]
        assert page(b"k", b"l", 100, limit_bytes=2000) == keys[:20]
        assert page(b"k", b"l", 100, limit_bytes=2001) == keys[:21]
        assert page(b"k", b"l", 5, limit_bytes=2001) == keys[:5]
        assert page(b"k", b"l", 100, limit_bytes=2001, reverse=True) == keys[:28:-1]
        assert page(b"k", b"l", 100, limit_bytes=10**9) == keys
        assert page(b"k20", b"k10", 5) == page(b"k10", b"k10", 5) == page(b"k", b"l", 0) == []

    play(open_store, tmp_path, scenario)


def test_a_replica_trails_by_its_lag(open_store: OpenStore, tmp_path: Path) -> None:
    clock = ManualClock()

    async def scenario(store: Store) -> None:
        def trailing(lag_seconds: float) -> bytes | None:
            with store.replica(lag_seconds) as replica:
                return replica.get(b"n")

        await put(store, n=b"0")
        with pytest.raises(ValueError, match="history"):
            trailing(1)
        store.keep_history(10)
        for n in range(1, 40):
            clock.advance(1)
            await put(store, n=b"%d" % n)
            await put(store, **{f"filler{n}": b"f" * 300})
        assert [trailing(lag) for lag in (0, 0.5, 1, 1.5, 9.5)] == [b"39", b"38", b"38", b"37", b"29"]
        clock.advance(100)
        assert trailing(10) == b"39"
        store.keep_history(0)
        assert trailing(0) == b"39"

    play(open_store, tmp_path, scenario, clock)


def test_delete_range_deletes_exactly_the_range(open_store: OpenStore, tmp_path: Path) -> None:
    async def scenario(store: Store) -> None:
        await put(store, **{f"k{n:04d}": b"v" for n in range(1000)})
        assert await store.delete_range(b"k0100", b"k0900") == 800
        assert await store.delete_range(b"k0100", b"k0900") == 0
        assert [key for key, _ in store.page(*ALL, 9999)] == [
            f"k{n:04d}".encode() for n in (*range(100), *range(900, 1000))
        ]

    play(open_store, tmp_path, scenario)


def test_long_keys_keep_their_order(open_store: OpenStore, tmp_path: Path) -> None:
    async def scenario(store: Store) -> None:
        model = {}
        for length in (1, 509, 510, 511, 512, 600, 5000, KEY_BYTES_LIMIT):
            for last in (b"a", b"m", b"z"):
                model[b"p" * (length - 1) + last] = b"%d" % length
        model[b"q" * 511 + b"\0"] = b"q"
        model[b"o" * 600] = b"o"
        for key, value in model.items():
            await store.transact([], lambda c, key=key, value=value: Change(None, {key: value}))
        ordered = sorted(model.items())
        for start, stop in (
            ALL,
            (b"p" * 511, b"p" * 4999),
            (b"p" * 512 + b"a", b"p" * 511 + b"z"),
            (b"o" * 601, b"q" * 511),
        ):
            expected = [pair for pair in ordered if start <= pair[0] < stop]
            assert store.page(start, stop, 100) == expected
            assert store.page(start, stop, 100, reverse=True) == expected[::-1]
        for key in list(model)[::2]:
            await store.transact([], lambda c, key=key: Change(None, {key: None}))
            del model[key]
        assert store.page(*ALL, 100) == sorted(model.items())
        assert all(store.get(key) == value for key, value in model.items())

    play(open_store, tmp_path, scenario)


def test_a_cancelled_transaction_is_left_out_or_harmless(open_store: OpenStore, tmp_path: Path) -> None:
    async def scenario(store: Store) -> None:
        futures = [store.transact([], lambda c, n=n: Change(n, {b"%d" % n: b"x"})) for n in range(10)]
        for future in futures[::2]:
            future.cancel()
        assert await asyncio.gather(*futures[1::2]) == [1, 3, 5, 7, 9]
        await put(store, after=b"1")
        assert store.get(b"9") == b"x"

    play(open_store, tmp_path, scenario)


def test_a_closed_store_says_so_and_finishes_what_it_accepted(open_store: OpenStore, tmp_path: Path) -> None:
    async def scenario(store: Store) -> None:
        accepted = [store.transact([], lambda c, n=n: Change(n, {b"%d" % n: b"x"})) for n in range(500)]
        await store.close()
        assert [future.result() for future in accepted] == list(range(500))
        with pytest.raises(StoreClosed):
            await store.transact([], lambda current: Change(None, {b"a": b"b"}))
        with pytest.raises(StoreClosed):
            store.snapshot()
        with pytest.raises(StoreClosed):
            store.get(b"a")
        with pytest.raises(StoreClosed):
            store.page(b"", b"z", 1)

    play(open_store, tmp_path, scenario)
