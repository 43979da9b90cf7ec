"""A process that writes for ever and prints what was acknowledged; the kill test ends it. python kv_hammer.py DIR"""

from __future__ import annotations

import asyncio
import os
import sys

from trine.clock import SystemClock
from trine.kv.durable import DurableStore
from trine.kv.store import Change, Current

WRITERS = 8
SEGMENT_BYTES = 64 << 10


def counted(writer: int, number: int) -> Change[None]:
    """One write: a pair of keys, an append and a counter, all or nothing."""
    name = b"%d/%06d" % (writer, number)
    value = b"%d " % number * (number % 60)
    return Change(None, {b"first/" + name: value, b"second/" + name: value}, [(b"log/", name)], {b"count": 1})


async def write(store: DurableStore, writer: int) -> None:
    number = int(store.get(b"next/%d" % writer) or b"0")
    while True:

        def decide(current: Current, number: int = number) -> Change[None]:
            change = counted(writer, number)
            return Change(
                None, {**change.puts, b"next/%d" % writer: b"%d" % (number + 1)}, change.appends, change.counters
            )

        await store.transact([b"next/%d" % writer], decide)
        os.write(1, b"%d %d\n" % (writer, number))
        number += 1


async def main(directory: str) -> None:
    store = DurableStore(directory, SystemClock(), segment_bytes=SEGMENT_BYTES)
    os.write(1, b"open\n")
    await asyncio.gather(*[write(store, writer) for writer in range(WRITERS)])


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
