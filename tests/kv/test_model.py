"""Every store against a dictionary: random transactions, snapshots, replicas, ranges, restarts (hypothesis)."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from trine.clock import ManualClock
from trine.kv.durable import DurableStore
from trine.kv.memory import MemoryStore
from trine.kv.store import Change, Current, Snapshot, Store

ALL = (b"", b"\xff" * 4)
HISTORY_SECONDS = 8
KEYS = st.one_of(
    st.binary(min_size=1, max_size=2).filter(lambda key: not key.startswith(b"~")),
    st.sampled_from([b"k" * 510, b"k" * 511, b"k" * 512, b"k" * 600 + b"a", b"k" * 600 + b"b", b"j\xff\xff"]),
)
BOUNDS = st.one_of(st.binary(max_size=2), KEYS)
VALUES = st.one_of(st.none(), st.binary(max_size=3), st.binary(min_size=300, max_size=301))
COUNTERS = st.sampled_from([b"#counter-a", b"#counter-b"])


class Model(RuleBasedStateMachine):
    """The store beside a dict that is copied for every state worth remembering."""

    keeps = False

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock()
        self.loop = asyncio.new_event_loop()
        self.directory = Path(tempfile.mkdtemp(prefix="trine-kv-"))
        self.store = self.opened()
        self.model: dict[bytes, bytes] = {}
        self.appended = 0
        self.snapshots: list[tuple[Snapshot, dict[bytes, bytes]]] = []
        self.past: list[tuple[float, dict[bytes, bytes]]] = [(self.clock.now(), {})]

    def opened(self) -> Store:
        store: Store = self.loop.run_until_complete(self._open())
        store.keep_history(HISTORY_SECONDS)
        return store

    async def _open(self) -> Store:
        raise NotImplementedError

    def teardown(self) -> None:
        for snapshot, _ in self.snapshots:
            snapshot.close()
        self.loop.run_until_complete(self.store.close())
        self.loop.close()
        shutil.rmtree(self.directory)

    async def _together(self, changes: list[Change[None]], keys: list[bytes]) -> None:
        """Transactions queued at once; each must see what those before it left."""

        def decide(change: Change[None], current: Current) -> Change[None]:
            assert dict(current) == {key: self.model.get(key) for key in keys}
            for key, value in change.puts.items():
                if value is None:
                    self.model.pop(key, None)
                else:
                    self.model[key] = value
            for key, amount in change.counters.items():
                total = int.from_bytes(self.model.get(key, bytes(8)), "big", signed=True) + amount
                self.model[key] = total.to_bytes(8, "big", signed=True)
            return change

        await asyncio.gather(
            *[self.store.transact(keys, lambda current, c=change: decide(c, current)) for change in changes]
        )

    @rule(
        puts=st.lists(st.dictionaries(KEYS, VALUES, max_size=4), min_size=1, max_size=6),
        keys=st.lists(KEYS, max_size=3),
    )
    def put(self, puts: list[dict[bytes, bytes | None]], keys: list[bytes]) -> None:
        self.loop.run_until_complete(self._together([Change(None, put) for put in puts], keys))
        self.remember()

    @rule(counters=st.lists(st.dictionaries(COUNTERS, st.integers(-9, 9), max_size=2), min_size=1, max_size=5))
    def count(self, counters: list[dict[bytes, int]]) -> None:
        self.loop.run_until_complete(self._together([Change(None, counters=c) for c in counters], [b"#counter-a"]))
        self.remember()

    @rule(count=st.integers(1, 4))
    def append(self, count: int) -> None:
        async def append() -> None:
            values = [b"%d" % (self.appended + n) for n in range(count)]
            await asyncio.gather(
                *[self.store.transact([], lambda c, v=v: Change(None, appends=[(b"~", v)])) for v in values]
            )
            self.appended += count

        self.loop.run_until_complete(append())
        pairs = self.store.page(b"~", b"~\xff", 10_000)
        assert [value for _, value in pairs] == [b"%d" % n for n in range(self.appended)]
        self.model.update(pairs[-count:])
        self.remember()

    @rule(start=BOUNDS, stop=BOUNDS)
    def delete_range(self, start: bytes, stop: bytes) -> None:
        async def delete() -> int:
            return await self.store.delete_range(start, stop)

        gone = [key for key in self.model if start <= key < stop and not key.startswith(b"~")]
        if any(start <= key < stop for key in self.model if key.startswith(b"~")):
            return
        assert self.loop.run_until_complete(delete()) == len(gone)
        for key in gone:
            del self.model[key]
        self.remember()

    @rule(seconds=st.sampled_from([0.0, 0.5, 1.0, 3.0]))
    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule()
    def open_snapshot(self) -> None:
        if len(self.snapshots) < 5:
            self.snapshots.append((self.store.snapshot(), dict(self.model)))

    @rule(place=st.integers(0, 4))
    def close_snapshot(self, place: int) -> None:
        if self.snapshots:
            self.snapshots.pop(place % len(self.snapshots))[0].close()

    @rule(
        start=BOUNDS,
        stop=BOUNDS,
        limit=st.integers(1, 30),
        reverse=st.booleans(),
        limit_bytes=st.none() | st.integers(1, 900),
    )
    def range(self, start: bytes, stop: bytes, limit: int, reverse: bool, limit_bytes: int | None) -> None:
        for reader, model in [(self.store, self.model), *self.snapshots]:
            expected = sorted((p for p in model.items() if start <= p[0] < stop), reverse=reverse)
            got = reader.page(start, stop, limit, reverse=reverse, limit_bytes=limit_bytes)
            assert got == expected[: len(got)]
            total = sum(len(value) for _, value in got)
            assert len(got) == min(limit, len(expected)) or (limit_bytes is not None and total >= limit_bytes)
            assert limit_bytes is None or len(got) <= 1 or total - len(got[-1][1]) < limit_bytes

    @rule(lag_seconds=st.sampled_from([0.0, 0.5, 1.0, 2.5, 8.0]))
    def replica(self, lag_seconds: float) -> None:
        then = self.clock.now() - lag_seconds
        state = next((state for time, state in reversed(self.past) if time <= then), self.past[0][1])
        with self.store.replica(lag_seconds) as replica:
            assert list(replica.scan(*ALL)) == sorted(state.items())

    @rule()
    def reopen(self) -> None:
        if not self.keeps:
            return
        for snapshot, _ in self.snapshots:
            snapshot.close()
        self.snapshots.clear()
        self.loop.run_until_complete(self.store.close())
        self.store = self.opened()
        self.past = [(self.clock.now(), dict(self.model))]

    def remember(self) -> None:
        self.past.append((self.clock.now(), dict(self.model)))

    @invariant()
    def newest_and_snapshots_agree(self) -> None:
        for reader, model in [(self.store, self.model), *self.snapshots]:
            assert reader.page(*ALL, 100_000) == sorted(model.items())
        for key in list(self.model)[:5]:
            assert self.store.get(key) == self.model[key]


class MemoryModel(Model):
    async def _open(self) -> Store:
        return MemoryStore(self.clock)


class DurableModel(Model):
    keeps = True

    async def _open(self) -> Store:
        return DurableStore(self.directory / "state", self.clock)


class SmallSegmentsModel(Model):
    keeps = True

    async def _open(self) -> Store:
        return DurableStore(self.directory / "state", self.clock, segment_bytes=1024)


LIGHT = settings(max_examples=12, stateful_step_count=25, suppress_health_check=list(HealthCheck), database=None)
HEAVY = settings(LIGHT, max_examples=150, stateful_step_count=60)

MemoryModel.TestCase.settings = settings(LIGHT, max_examples=40)
DurableModel.TestCase.settings = LIGHT
SmallSegmentsModel.TestCase.settings = settings(LIGHT, max_examples=5)
TestMemory = MemoryModel.TestCase
TestDurable = DurableModel.TestCase
TestSmallSegments = SmallSegmentsModel.TestCase


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("machine", [MemoryModel, DurableModel, SmallSegmentsModel])
def test_many_more(machine: type[Model]) -> None:
    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(machine, settings=HEAVY)
