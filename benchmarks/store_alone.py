"""The ordered store alone, without HTTP: `python -m benchmarks.store_alone [KEYS]`.

Processor time for reads (this thread's), transactions a second for writes in closed groups. In a temporary directory.
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from trine.clock import SystemClock
from trine.kv.durable import DurableStore
from trine.kv.memory import MemoryStore
from trine.kv.store import Change, Store

VALUE = bytes(400)
KEYS_PER_PARTITION = 2500
ROUNDS = 5
WRITE_SECONDS = 2.0


def key(number: int) -> bytes:
    """Partitions of 2,500 keys, as a table has them."""
    return b"t1\0customer#%05d\0order#%08d" % (number // KEYS_PER_PARTITION, number % KEYS_PER_PARTITION)


def microseconds(read: Callable[[bytes], object], keys: list[bytes]) -> float:
    """The best round's processor time of one call."""
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.thread_time()
        for one in keys:
            read(one)
        best = min(best, (time.thread_time() - start) / len(keys) * 1e6)
    return best


async def load(store: Store, count: int) -> None:
    """Fill the store, 500 keys to a transaction."""
    for start in range(0, count, 500):
        puts: dict[bytes, bytes | None] = {key(number): VALUE for number in range(start, min(start + 500, count))}
        await store.transact((), lambda current, puts=puts: Change(None, puts))


async def writes(store: Store, count: int, together: int) -> tuple[float, float]:
    """Transactions a second at `together` in flight, and their processor time in microseconds."""
    chance = random.Random(1)
    done = 0
    start, spent = time.perf_counter(), time.process_time()
    while time.perf_counter() - start < WRITE_SECONDS:
        keys = [key(chance.randrange(count)) for _ in range(together)]
        await asyncio.gather(*[store.transact((k,), lambda current, k=k: Change(None, {k: VALUE})) for k in keys])
        done += together
    return done / (time.perf_counter() - start), (time.process_time() - spent) / done * 1e6


async def run(store: Store, count: int) -> None:
    """One store's lines."""
    await load(store, count)
    chance = random.Random(2)
    spread = [key(chance.randrange(count)) for _ in range(5000)]
    near = [key(number) for number in range(0, min(count, 4 * KEYS_PER_PARTITION), 40)]
    ten = microseconds(lambda k: store.page(k, b"t2", 10), near)
    print(f"{store.statistics()['kind']}, {count:,} keys")
    one, any_one = microseconds(store.get, near), microseconds(store.get, spread)
    print(f"  get {one:.2f} µs, at random {any_one:.2f} µs; ten {ten:.2f} µs")
    for together in (1, 16, 64):
        rate, spent = await writes(store, count, together)
        print(f"  {together} in flight: {rate:,.0f} transactions/s, {spent:.1f} µs of processor each")
    await store.close()


def main() -> None:
    """Memory first, then the disk."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    asyncio.run(run(MemoryStore(SystemClock()), count))
    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(run(DurableStore(Path(directory) / "state", SystemClock()), count))


if __name__ == "__main__":
    main()
