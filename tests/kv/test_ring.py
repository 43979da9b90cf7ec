"""Syncing through io_uring, and without it."""

from __future__ import annotations

import asyncio
import errno
import os
import sys
from pathlib import Path

import pytest

import trine.kv.durable as durable_module
from trine.clock import ManualClock
from trine.kv.durable import DurableStore
from trine.kv.errors import StoreError, StoreFull
from trine.kv.ring import Ring, open_ring
from trine.kv.store import Change


@pytest.fixture
def ring() -> Ring:
    opened = open_ring()
    if opened is None:
        pytest.skip("this kernel has no io_uring, or forbids it")
    return opened


async def synced(ring: Ring, descriptor: int) -> int:
    loop = asyncio.get_running_loop()
    done: asyncio.Future[int] = loop.create_future()
    ring.sync(descriptor, loop, done.set_result)
    return await asyncio.wait_for(done, 10)


def test_a_ring_syncs_again_and_again_on_one_loop_after_another(ring: Ring, tmp_path: Path) -> None:
    descriptor = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)

    async def many() -> list[int]:
        results = []
        for number in range(50):
            os.pwrite(descriptor, b"x" * 1000, number * 1000)
            results.append(await synced(ring, descriptor))
        return results

    assert asyncio.run(many()) == [0] * 50
    assert asyncio.run(many()) == [0] * 50
    ring.close()
    ring.close()
    os.close(descriptor)


def test_an_error_is_told_by_its_number(ring: Ring, tmp_path: Path) -> None:
    assert asyncio.run(synced(ring, 9999)) == errno.EBADF
    reader, writer = os.pipe()
    assert asyncio.run(synced(ring, writer)) == errno.EINVAL
    os.close(reader)
    os.close(writer)
    ring.close()


class RefusingRing:
    """A ring whose kernel answers with `code`, after which the disk itself is fine."""

    def __init__(self, code: int) -> None:
        self.code = code

    def sync(self, descriptor: int, loop: asyncio.AbstractEventLoop, synced: object) -> None:
        if self.code < 0:
            raise OSError(-self.code, "the kernel takes no entry")
        loop.call_soon(synced, self.code)  # type: ignore[arg-type]

    def close(self) -> None:
        """Nothing is held."""


@pytest.mark.parametrize(
    ("code", "fault"), [(errno.EAGAIN, None), (-errno.EBUSY, None), (errno.ENOSPC, StoreFull), (errno.EIO, StoreError)]
)
def test_what_the_ring_answers_decides_what_becomes_of_the_group(
    tmp_path: Path, code: int, fault: type[Exception] | None
) -> None:
    async def play() -> None:
        store = DurableStore(tmp_path, ManualClock())
        if store._ring is not None:
            store._ring.close()
        store._ring = RefusingRing(code)  # type: ignore[assignment]
        writing = store.transact([], lambda c: Change("done", {b"a": b"1"}))
        if fault is None:
            assert await writing == "done"
        else:
            with pytest.raises(fault):
                await writing
            assert store.get(b"a") is None
        store._ring = None
        again = store.transact([], lambda c: Change("done", {b"b": b"1"}))
        if code == errno.EIO:  # nobody knows what is on that disk: a restart reads it
            with pytest.raises(StoreError, match="restart"):
                await again
        else:
            assert await again == "done"
        await store.close()
        store = DurableStore(tmp_path, ManualClock())
        assert (store.get(b"a"), store.get(b"b")) == (
            None if fault else b"1",
            None if code == errno.EIO else b"1",
        )
        await store.close()

    asyncio.run(play())


def test_without_io_uring_a_thread_syncs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(durable_module, "open_ring", lambda: None)
    usual = sys.getswitchinterval()

    async def play() -> None:
        store = DurableStore(tmp_path, ManualClock())
        assert store.statistics()["sync"] == "thread"
        assert await store.transact([], lambda c: Change("done", {b"a": b"1"})) == "done"
        assert sys.getswitchinterval() == usual
        await store.close()

    asyncio.run(play())
