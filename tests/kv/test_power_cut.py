"""Power lost at any moment of a store's life: from its first start over folding, forking and compacting.

The real program runs under `strace`, in processes and with LMDB and all; `crash_states` makes what a file system may
leave at each moment. Each of these states must open, hold what was acknowledged, and no half of a transaction.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from crash_states import MODES, TRACING, Image
from kv_faults import pairs_present, without_folding

from trine.clock import SystemClock
from trine.kv import maintenance
from trine.kv.disk import Disk
from trine.kv.durable import DurableStore

LIFE = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from kv_faults import pair
from trine.clock import SystemClock
from trine.kv import maintenance
from trine.kv.disk import Disk
from trine.kv.durable import DurableStore

root = Path(sys.argv[1])

def say(text):
    print(text, flush=True)

async def write(numbers, fork=None):
    store = DurableStore(root / "store", SystemClock(), disk=Disk(), segment_bytes=16_384)
    for number in numbers:
        change = pair(number, 400)
        await store.transact((), lambda current: change)
        say(f"store {number}")
        if number == fork:
            await store.fork(root / "running")
            say(f"running {number}")
    await store.close()

asyncio.run(write(range(60)))
asyncio.run(write(range(60, 75), fork=72))
maintenance.compact(root / "store")
maintenance.fork(root / "store", root / "resting")
say("resting 74")
asyncio.run(write(range(75, 90)))
"""


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """(the folder that a store lived in, the trace of its life)."""
    folder = tmp_path_factory.mktemp("life")
    trace = tmp_path_factory.mktemp("trace") / "strace"
    command = [*TRACING, str(trace), sys.executable, "-c", LIFE, str(folder), str(Path(__file__).parent)]
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    except FileNotFoundError:
        pytest.skip("there is no strace")
    if "ptrace" in run.stderr.lower():
        pytest.skip("processes may not be traced here")
    assert run.returncode == 0, run.stderr
    return folder, trace


def _left(directory: Path) -> int:
    """How many transactions the state that was left holds; asserts that each is whole and none is missing between."""

    async def opened() -> int:
        store = without_folding(DurableStore(directory, SystemClock(), disk=Disk()))
        try:
            return pairs_present(store)
        finally:
            await store.close()

    present = asyncio.run(opened())
    assert maintenance.verify(directory).faults == []
    return present


def _moments(life: tuple[Path, Path], every: int) -> Iterator[tuple[int, Image, dict[str, int]]]:
    image = Image(life[0])
    for moment, said in enumerate(image.play(life[1])):
        if moment % every == 0:
            words = said.split()
            yield moment, image, dict(zip(words[::2], map(int, words[1::2]), strict=True))


@pytest.mark.parametrize("every", [23, pytest.param(1, marks=pytest.mark.slow)])
def test_nothing_acknowledged_is_lost_whatever_the_disk_kept(
    life: tuple[Path, Path], tmp_path: Path, every: int
) -> None:
    moments = 0
    for moment, image, acknowledged in _moments(life, every):
        for mode in MODES:
            left = tmp_path / f"{moment}-{mode}"
            image.root.left(left, random.Random(f"{moment} {mode}"), mode)
            for name in ("store", "running", "resting"):
                if name in acknowledged or (left / name).exists():
                    assert _left(left / name) > acknowledged.get(name, -1), (moment, mode, name)
            shutil.rmtree(left)
        moments += 1
    assert moments >= 300 // every


def test_a_tree_that_was_being_made_when_the_power_went_is_made_anew(tmp_path: Path) -> None:
    async def lived(directory: Path) -> None:
        await DurableStore(directory, SystemClock(), disk=Disk()).close()

    asyncio.run(lived(tmp_path / "store"))
    shutil.rmtree(tmp_path / "store" / "log")  # the moment before the first segment
    for torn in (b"", os.urandom(512), bytes(8_192), os.urandom(8_192)):
        (tmp_path / "store" / "tree" / "data.mdb").write_bytes(torn)
        asyncio.run(lived(tmp_path / "store"))
        assert maintenance.verify(tmp_path / "store").faults == []
        shutil.rmtree(tmp_path / "store" / "log")
