"""The stores that keep the promise, each as a function from a directory and a clock to an open store."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from trine.clock import Clock
from trine.kv.disk import Disk
from trine.kv.durable import DurableStore
from trine.kv.memory import MemoryStore
from trine.kv.store import Store

sys.path.insert(0, str(Path(__file__).parent))  # for kv_faults, which is shared by several files here

OpenStore = Callable[[Path, Clock], Store]


def _durable_small(directory: Path, clock: Clock) -> Store:
    """Segments so small that most tests see them rotate, fold and disappear; the thread syncs, not the ring."""
    return DurableStore(directory, clock, disk=Disk(), segment_bytes=16_384)


OPENERS: dict[str, OpenStore] = {
    "memory": lambda directory, clock: MemoryStore(clock),
    "durable": lambda directory, clock: DurableStore(directory, clock),
    "durable-small-segments": _durable_small,
}


@pytest.fixture(params=list(OPENERS))
def open_store(request: pytest.FixtureRequest) -> OpenStore:
    """Each store in turn."""
    opener: OpenStore = OPENERS[request.param]
    return opener
