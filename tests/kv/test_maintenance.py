"""Verify, compact and fork a state directory; damage of every file is noticed and named."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

import pytest

from trine.clock import ManualClock
from trine.kv.durable import DurableStore
from trine.kv.errors import StoreBusy, StoreDamaged, StoreError, StoreTooNew
from trine.kv.maintenance import compact, fork, verify
from trine.kv.store import Change

ALL = (b"", b"\xff")


async def fill(directory: Path, count: int, segment_bytes: int = 1 << 20, size: int = 300) -> None:
    store = DurableStore(directory, ManualClock(), segment_bytes=segment_bytes)
    for start in range(0, count, 20):
        await asyncio.gather(
            *[
                store.transact([], lambda c, n=n: Change(None, {b"%06d" % n: b"%d" % n * size}))
                for n in range(start, start + 20)
            ]
        )
    while store._frozen:
        await store._checkpointer.finished()
    await store.close()


async def content(directory: Path) -> list[tuple[bytes, bytes]]:
    store = DurableStore(directory, ManualClock())
    try:
        return store.page(*ALL, 10**6)
    finally:
        await store.close()


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Two segments folded into the tree, a few groups in the log."""
    asyncio.run(fill(tmp_path / "state", 100, segment_bytes=20_000))
    return tmp_path / "state"


def test_a_good_state_verifies(state: Path) -> None:
    found = verify(state)
    assert found.faults == []
    assert found.tree_keys > 0
    assert found.last_group == 5
    assert not found.torn_tail
    assert found.segments_to_fold >= 1


def test_a_torn_tail_is_told_and_is_no_fault(state: Path) -> None:
    segment = max((state / "log").iterdir())
    with segment.open("r+b") as file:
        file.seek(len(segment.read_bytes().rstrip(b"\0")) // 512 * 512 + 512)
        file.write(b"half a record")
    found = verify(state)
    assert (found.faults, found.torn_tail) == ([], True)


def test_a_changed_value_in_the_tree_is_found(state: Path) -> None:
    file = state / "tree" / "data.mdb"
    data = file.read_bytes()
    assert b"11" * 300 in data
    file.write_bytes(data.replace(b"11" * 300, b"11" * 299 + b"10"))  # wherever it lies, old pages included
    [fault] = verify(state).faults
    assert "data.mdb" in fault
    assert "checksum" in fault


def test_a_cut_tree_is_refused_not_fatal(state: Path) -> None:
    file = state / "tree" / "data.mdb"
    whole = file.read_bytes()
    for keep in (len(whole) // 2, 3 * 4096, 8192):
        file.write_bytes(whole[:keep])
        with pytest.raises(StoreDamaged, match=r"data\.mdb.*restore"):
            DurableStore(state, ManualClock())
        assert file.stat().st_size == keep
    file.write_bytes(whole)
    assert len(asyncio.run(content(state))) == 100


def test_a_page_of_garbage_is_a_clear_error_wherever_it_lies(state: Path) -> None:
    file = state / "tree" / "data.mdb"
    whole = file.read_bytes()
    refusals: list[str] = []
    for page in range(2, min(len(whole) // 4096, 40)):
        file.write_bytes(whole[: page * 4096] + b"\xa7" * 4096 + whole[(page + 1) * 4096 :])
        try:
            asyncio.run(content(state))
        except StoreDamaged as damaged:
            refusals.append(str(damaged))
    assert refusals
    assert all("restore" in refusal for refusal in refusals)


@pytest.mark.parametrize("garbage", [b"garbage" * 3000, b"\0" * 20_000, b"x"])
def test_a_tree_of_garbage_is_refused(state: Path, garbage: bytes) -> None:
    (state / "tree" / "data.mdb").write_bytes(garbage)
    with pytest.raises(StoreDamaged, match=r"tree|log"):
        DurableStore(state, ManualClock())
    assert verify(state).faults


def test_a_lost_tree_is_refused(state: Path) -> None:
    shutil.rmtree(state / "tree")
    with pytest.raises(StoreDamaged, match=r"log.*missing"):
        DurableStore(state, ManualClock())


def test_a_damaged_log_is_a_fault(state: Path) -> None:
    segment = max((state / "log").iterdir())
    with segment.open("r+b") as file:
        file.seek(10)
        file.write(b"???")
    [fault] = verify(state).faults
    assert segment.name in fault


def test_maintenance_keeps_off_a_running_store_and_a_newer_one(state: Path, tmp_path: Path) -> None:
    async def busy() -> None:
        store = DurableStore(state, ManualClock())
        for work in (lambda: verify(state), lambda: compact(state), lambda: fork(state, tmp_path / "fork")):
            with pytest.raises(StoreBusy, match=str(os.getpid())):
                work()
        await store.close()

    asyncio.run(busy())
    with pytest.raises(StoreDamaged, match="no state"):
        verify(tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()
    (state / "format").write_text("trine-kv 99\n")
    with pytest.raises(StoreTooNew):
        verify(state)


def test_compaction_keeps_everything_and_shrinks(tmp_path: Path) -> None:
    async def churn() -> None:
        await fill(tmp_path / "state", 2000, segment_bytes=200_000)
        store = DurableStore(tmp_path / "state", ManualClock(), segment_bytes=200_000)
        assert await store.delete_range(b"000100", b"001900") == 1800
        await store.close()

    asyncio.run(churn())
    before = asyncio.run(content(tmp_path / "state"))
    old_bytes, new_bytes = compact(tmp_path / "state")
    assert new_bytes < old_bytes / 2
    assert verify(tmp_path / "state").faults == []
    assert asyncio.run(content(tmp_path / "state")) == before
    assert len(before) == 200
    assert not (tmp_path / "state" / "tree.draft").exists()


def test_a_fork_goes_its_own_way(state: Path, tmp_path: Path) -> None:
    before = asyncio.run(content(state))
    fork(state, tmp_path / "fork")
    with pytest.raises(StoreError, match="exists"):
        fork(state, tmp_path / "fork")
    asyncio.run(fill(tmp_path / "fork", 40, size=7))
    assert asyncio.run(content(state)) == before
    assert asyncio.run(content(tmp_path / "fork"))[:40] == [(b"%06d" % n, b"%d" % n * 7) for n in range(40)]
    assert verify(state).faults == verify(tmp_path / "fork").faults == []


def test_the_store_its_fork_and_what_is_rewritten_are_their_owners_alone(state: Path, tmp_path: Path) -> None:
    compact(state)
    fork(state, tmp_path / "fork")
    for folder in (state, tmp_path / "fork"):
        found = [path for path in folder.rglob("*") if path.name != "format"]
        assert found
        assert [path for path in found if path.stat().st_mode & 0o077] == [], "access keys lie in here"


def test_a_running_store_is_forked_as_of_now(state: Path, tmp_path: Path) -> None:
    async def play() -> None:
        store = DurableStore(state, ManualClock(), segment_bytes=20_000)
        writes = [store.transact([], lambda c, n=n: Change(None, {b"x%06d" % n: b"v" * 500})) for n in range(200)]
        await asyncio.gather(*writes[:20])
        before = store.page(*ALL, 10**6)
        await store.fork(tmp_path / "fork")
        await asyncio.gather(*writes)
        with pytest.raises(StoreError, match="exists"):
            await store.fork(tmp_path / "fork")
        await store.transact([], lambda c: Change(None, {b"y": b"after"}))
        await store.close()
        forked = await content(tmp_path / "fork")
        assert set(before) <= set(forked)
        assert b"y" not in dict(forked)

    asyncio.run(play())
    assert verify(tmp_path / "fork").faults == []
    assert verify(state).faults == []
