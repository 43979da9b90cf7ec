"""Segments, checkpoints and full disks, on the real machinery: folding processes and a small file system."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from kv_faults import FailingDisk, abandon, pair, pairs_present, without_folding

import trine.kv.fold as fold_module
import trine.kv.group as group_module
from tests.waiting import until
from trine.clock import ManualClock
from trine.kv.durable import DurableStore
from trine.kv.errors import StoreError, StoreFull
from trine.kv.log import segments
from trine.kv.maintenance import verify
from trine.kv.recovery import read_segment
from trine.kv.store import Change
from trine.kv.tree import LmdbTree

SMALL = 4096


async def settled(store: DurableStore) -> None:
    """Wait until everything that is complete has been folded, or folding has failed."""
    while store._frozen and store._checkpoint_error is None:
        await store._checkpointer.finished()


async def series(store: DurableStore, start: int, stop: int, size: int = 150) -> None:
    for number in range(start, stop):
        assert await store.transact([], lambda current, n=number: pair(n, size)) == number


def test_segments_are_folded_and_removed_while_writes_go_on(tmp_path: Path) -> None:
    async def play() -> None:
        store = DurableStore(tmp_path, ManualClock(), segment_bytes=SMALL)
        await series(store, 0, 60)
        await settled(store)
        statistics = store.statistics()
        assert statistics["segments_to_fold"] == 0
        assert statistics["checkpoints"] >= 5
        assert statistics["tree_keys"] > 80
        assert segments(tmp_path / "log") == [statistics["segment"]]
        assert pairs_present(store) == 60
        await store.close()

    asyncio.run(play())


def test_writes_wait_when_folding_lags_and_go_on_after_it(tmp_path: Path) -> None:
    async def play() -> None:
        store = DurableStore(tmp_path, ManualClock(), segment_bytes=1024, frozen_limit=1)
        results = await asyncio.gather(*[store.transact([], lambda c, n=n: pair(n, 4000)) for n in range(300)])
        assert results == list(range(300))
        await series(store, 300, 303)
        assert store.statistics()["segments_to_fold"] <= 1
        assert pairs_present(store) == 303
        await store.close()

    asyncio.run(play())


def test_a_folding_process_that_dies_costs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = tmp_path / "python"  # one that never comes to an end by itself, however slow the machine is
    python.write_text("#!/bin/sh\nexec sleep 300\n")
    python.chmod(0o755)

    async def play() -> None:
        store = DurableStore(tmp_path / "state", ManualClock(), segment_bytes=SMALL)
        monkeypatch.setattr("sys.executable", str(python))
        await series(store, 0, 30)
        process = store._checkpointer._process
        assert process is not None
        monkeypatch.undo()
        os.kill(process.pid, signal.SIGKILL)
        await until(lambda: "status -9" in str(store.statistics()["checkpoint_error"]), "the death to be noticed")
        await series(store, 30, 60)
        await settled(store)
        assert store.statistics()["checkpoint_error"] is None
        assert pairs_present(store) == 60
        await store.close()

    asyncio.run(play())


def test_writes_are_refused_when_the_log_is_full_and_cannot_be_folded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def play() -> None:
        store = DurableStore(tmp_path, ManualClock(), segment_bytes=1024, frozen_limit=1)
        monkeypatch.setattr("sys.executable", "/nonexistent/python")
        with pytest.raises(StoreError, match="cannot be folded"):
            await series(store, 0, 30)
        present = pairs_present(store)
        assert 1 < present < 30
        monkeypatch.undo()
        await series(store, present, present + 5)
        assert pairs_present(store) == present + 5
        await store.close()

    asyncio.run(play())


def test_a_fold_interrupted_at_any_step_is_repeated(tmp_path: Path) -> None:
    async def leave() -> None:
        store = DurableStore(tmp_path / "state", ManualClock(), segment_bytes=1024, frozen_limit=99)
        store._checkpointer._process = object()  # type: ignore[assignment]  # stands for one that never ends
        await series(store, 0, 20)
        store._checkpointer._process = None
        await abandon(store)

    asyncio.run(leave())
    log = tmp_path / "state" / "log"
    last = max(number for number in segments(log) if read_segment(log, number).complete)
    assert last > 3
    for _ in range(last):  # each time it dies between its commit and the removal of the segment
        tree = LmdbTree(tmp_path / "state" / "tree")
        with pytest.raises(OSError, match="Input"):
            fold_module.fold(tree, log, FailingDisk(stop_at=0), last)
        tree.close()
    assert segments(log)[0] == 1

    async def check() -> None:
        store = DurableStore(tmp_path / "state", ManualClock())
        assert pairs_present(store) == 20
        await store.close()

    asyncio.run(check())
    assert verify(tmp_path / "state").faults == []


def test_a_fold_killed_between_two_steps_shows_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fold_module, "STEP_KEYS", 3)

    async def leave() -> None:
        store = DurableStore(tmp_path / "state", ManualClock(), segment_bytes=8192, frozen_limit=99)
        store._checkpointer._process = object()  # type: ignore[assignment]  # stands for one that never ends
        for _ in range(2):
            await series(store, 0, 20)
        await store.delete_range(b"a0005", b"a0010")
        await store.delete_range(b"b0005", b"b0010")
        await series(store, 5, 10)
        store._checkpointer._process = None
        await abandon(store)

    class Killed(Exception):
        pass

    asyncio.run(leave())
    log = tmp_path / "state" / "log"
    write = LmdbTree.write
    steps = 0

    def killed_after(tree: LmdbTree, puts: dict[bytes, bytes | None], mark: bytes) -> None:
        nonlocal steps
        if steps == 0:
            raise Killed
        steps -= 1
        write(tree, puts, mark)

    async def check() -> None:
        store = DurableStore(tmp_path / "state", ManualClock())
        assert pairs_present(store) == 20
        await store.close()

    monkeypatch.setattr(LmdbTree, "write", killed_after)
    for allowed in range(8):
        steps = allowed
        last = max(number for number in segments(log) if read_segment(log, number).complete)
        tree = LmdbTree(tmp_path / "state" / "tree")
        with pytest.raises(Killed):
            fold_module.fold(tree, log, FailingDisk(), last)
        tree.close()
        asyncio.run(check())
        assert verify(tmp_path / "state").faults == []


def test_a_fold_whose_owner_is_gone_makes_room_for_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fold_module, "STEP_KEYS", 3)

    async def leave() -> None:
        store = without_folding(DurableStore(tmp_path, ManualClock(), segment_bytes=4096, frozen_limit=99))
        await series(store, 0, 20)
        await abandon(store)

    asyncio.run(leave())
    tree = LmdbTree(tmp_path / "tree")
    with pytest.raises(fold_module.Orphaned):
        fold_module.fold(tree, tmp_path / "log", FailingDisk(), 1, lambda: False)
    assert tree.statistics()["tree_keys"] == 3
    tree.close()

    async def check() -> None:
        store = DurableStore(tmp_path, ManualClock())
        assert pairs_present(store) == 20
        await store.close()

    asyncio.run(check())


def test_replicas_and_snapshots_outlive_checkpoints(tmp_path: Path) -> None:
    clock = ManualClock()

    async def play() -> None:
        store = DurableStore(tmp_path, clock, segment_bytes=1024)
        store.keep_history(100)
        snapshots = []
        for number in range(20):
            await series(store, number, number + 1)
            snapshots.append(store.snapshot())
            clock.advance(1)
        await settled(store)
        assert store.statistics()["checkpoints"] > 3
        for number, snapshot in enumerate(snapshots):
            assert pairs_present(snapshot) == number + 1  # type: ignore[arg-type]
            with store.replica(20 - number - 0.5) as replica:
                assert pairs_present(replica) == number + 1  # type: ignore[arg-type]
            snapshot.close()
        assert len(store._past) > 3
        clock.advance(1000)
        await series(store, 20, 22)
        clock.advance(1000)
        await series(store, 22, 30)
        await settled(store)
        assert len(store._past) <= 9
        await store.close()

    asyncio.run(play())


def test_groups_are_bounded_and_so_is_the_queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_module, "QUEUE_COUNT_LIMIT", 1000)

    async def play() -> None:
        store = DurableStore(tmp_path, ManualClock())
        writes = [store.transact([], lambda c, n=n: Change(n, {b"%d" % n: b"x"})) for n in range(1001)]
        assert await asyncio.gather(*writes[:1000]) == list(range(1000))
        with pytest.raises(StoreError, match="waiting"):
            await writes[1000]
        assert store.statistics()["groups"] == 4
        large = [store.transact([], lambda c, n=n: Change(n, {b"%d" % n: b"x" * (3 << 20)})) for n in range(4)]
        await asyncio.gather(*large)
        assert store.statistics()["groups"] == 6
        with pytest.raises(ValueError, match="larger"):
            await store.transact([], lambda c: Change(None, {b"a": b"x" * (33 << 20), b"b": b"x" * (33 << 20)}))
        await store.close()

    asyncio.run(play())


def test_a_value_of_the_wrong_type_stops_nothing(tmp_path: Path) -> None:
    async def play() -> None:
        store = DurableStore(tmp_path, ManualClock())
        with pytest.raises(TypeError):
            await store.transact([], lambda c: Change(None, {b"a": "text"}))  # type: ignore[dict-item]
        assert store.get(b"a") is None
        await series(store, 0, 2)
        await store.close()

    asyncio.run(play())


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 12 MB, where this process may mount one; elsewhere test_log's injected faults stand alone."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=12m", "trine-test", str(tmp_path)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("this process may not mount a file system")
    yield tmp_path
    subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


def test_a_full_file_system_is_said_and_survived(small_disk: Path) -> None:
    async def play() -> None:
        ballast = small_disk / "ballast"
        store = DurableStore(small_disk / "state", ManualClock(), segment_bytes=1 << 20)
        ballast.write_bytes(bytes(6 << 20))
        with pytest.raises(StoreFull, match="room"):
            await series(store, 0, 2000, 20_000)
        present = pairs_present(store)
        assert present > 50
        with pytest.raises(StoreFull):
            await store.transact([], lambda c: pair(present, 3_000_000))
        assert pairs_present(store) == present
        ballast.unlink()
        await series(store, present, present + 10)
        await settled(store)
        await store.close()
        store = DurableStore(small_disk / "state", ManualClock())
        assert pairs_present(store) == present + 10
        await store.close()
        assert verify(small_disk / "state").faults == []

    asyncio.run(play())


def test_no_room_to_begin_with_is_said(small_disk: Path) -> None:
    (small_disk / "ballast").write_bytes(bytes((12 << 20) - 8192))
    with pytest.raises((StoreFull, OSError)):
        DurableStore(small_disk / "state", ManualClock())
    (small_disk / "ballast").unlink()
    asyncio.run(DurableStore(small_disk / "state", ManualClock()).close())
