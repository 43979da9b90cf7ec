"""kill -9 at any moment: every acknowledged write is there afterwards, and nothing is there by half."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from kv_hammer import SEGMENT_BYTES, WRITERS

from trine.clock import ManualClock
from trine.kv.durable import DurableStore
from trine.kv.maintenance import verify


def hammer(directory: Path, acknowledged: list[int], lines: int) -> None:
    """Let the writers write until `lines` more writes are acknowledged, then kill them."""
    script = Path(__file__).with_name("kv_hammer.py")
    process = subprocess.Popen([sys.executable, str(script), str(directory)], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"open\n"
        said = [process.stdout.readline() for _ in range(lines)]
        os.kill(process.pid, signal.SIGKILL)
        said += process.stdout.readlines()  # acknowledged before the kill, still in the pipe
    finally:
        process.kill()
        process.communicate()
    for line in said:
        if line.endswith(b"\n"):
            writer, number = map(int, line.split())
            acknowledged[writer] = max(acknowledged[writer], number + 1)


async def check(directory: Path, acknowledged: list[int]) -> None:
    """Everything acknowledged is there, whole, and consistent with the counter and the appended log."""
    store = DurableStore(directory, ManualClock(), segment_bytes=SEGMENT_BYTES)
    written = 0
    for writer in range(WRITERS):
        first = store.page(b"first/%d/" % writer, b"first/%d0" % writer, 10**6)
        second = store.page(b"second/%d/" % writer, b"second/%d0" % writer, 10**6)
        assert len(first) == len(second) >= acknowledged[writer]
        for number, pairs in enumerate(zip(first, second, strict=True)):
            name, value = b"%d/%06d" % (writer, number), b"%d " % number * (number % 60)
            assert pairs == ((b"first/" + name, value), (b"second/" + name, value))
        written += len(first)
    appended = [value for _, value in store.page(b"log/", b"log0", 10**6)]
    assert len(appended) == len(set(appended)) == written
    assert int.from_bytes(store.get(b"count") or b"", "big") == written
    await store.close()
    assert verify(directory).faults == []


@pytest.mark.parametrize("rounds", [2, pytest.param(25, marks=pytest.mark.slow)])
@pytest.mark.timeout(300)
def test_kill_9_under_several_writers(tmp_path: Path, rounds: int) -> None:
    chance = random.Random()
    acknowledged = [0] * WRITERS
    for _ in range(rounds):
        hammer(tmp_path / "state", acknowledged, chance.randrange(1, 3000))
        asyncio.run(check(tmp_path / "state", acknowledged))
