"""Growth: the same work on a small and on a large table, on Trine's durable store. Opt-in: loading takes long.

Both are measured after a while of the same reads: a page of the tree that is not in memory costs a read of the disk
(0.2 ms here), whatever the table's size; the machine should have more memory than the large table has bytes. Beside the
time of a request stands the server's processor time, which neighbours on the machine disturb less.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.data import TABLE, create_table, item, key
from benchmarks.installing import Cache
from benchmarks.load import drive
from benchmarks.signing import Call, Signer
from benchmarks.table_servers import TableServer
from benchmarks.wire import Wire

SMALL_ITEMS = 10_000
PER_PARTITION = 1_000
CONNECTIONS = 16
REQUESTS = 5_000
RESIGN_EVERY_ITEMS = 500_000
"""Signatures are good for 15 minutes; loading may take longer."""
GOALS = {"GetItem": 1.25, "PutItem": 2.0}
WARM_ROUNDS = 5
"""Rounds of reads of which nothing is counted."""


def _load(server: TableServer, first: int, last: int) -> None:
    """Write items number `first` to `last`, each once."""
    source = random.Random(first)
    with Wire(server.port) as wire:
        for start in range(first, last, 25):
            if (start - first) % RESIGN_EVERY_ITEMS == 0:
                signer = Signer(server.key)  # type: ignore[arg-type]
                print(f"growth: {start:,} items", file=sys.stderr, flush=True)
            numbers = range(start, min(start + 25, last))
            puts = [{"PutRequest": {"Item": item(*divmod(number, PER_PARTITION), source)}} for number in numbers]
            call = Call("BatchWriteItem", {"RequestItems": {TABLE: puts}})
            status, answer = wire.ask_json(signer.request(call, server.port))
            if status != 200 or answer.get("UnprocessedItems"):
                raise RuntimeError(f"BatchWriteItem: {status} {answer}")


def _requests(server: TableServer, operation: str, items: int, source: random.Random) -> list[bytes]:
    signer = Signer(server.key)  # type: ignore[arg-type]
    requests = []
    for _ in range(REQUESTS):
        place = divmod(source.randrange(items), PER_PARTITION)
        more: dict[str, Any] = {"Key": key(*place)} if operation == "GetItem" else {"Item": item(*place, source)}
        requests.append(signer.request(Call(operation, {"TableName": TABLE, **more}), server.port))
    return requests


def _micros(
    servers: dict[int, TableServer], operation: str, rounds: int, seconds: float
) -> dict[int, tuple[float, float]]:
    """Items → microseconds and processor microseconds for one request at full load over the whole key space.

    The tables take turns; medians of the rounds.
    """
    found: dict[int, list[tuple[float, float]]] = {items: [] for items in servers}
    for number in range(rounds):
        for items, server in servers.items():
            requests = _requests(server, operation, items, random.Random(items + number))
            before = server.process.cpu_seconds()
            measured = drive(server.port, requests, CONNECTIONS, seconds)
            spent = server.process.cpu_seconds() - before
            found[items].append((1e6 / measured.per_second, spent / measured.requests * 1e6))
    return {
        items: (median(time for time, _ in pairs), median(spent for _, spent in pairs))
        for items, pairs in found.items()
    }


def run(cache: Cache, items: int, rounds: int, seconds: float) -> str:
    """Small and large side by side, in turns, as a Markdown table."""
    with tempfile.TemporaryDirectory(prefix="trine-bench-") as directory:
        servers: dict[int, TableServer] = {}
        loaded_seconds = {}
        try:
            for count in (SMALL_ITEMS, items):
                server = servers[count] = TableServer("Trine", cache, Path(directory) / str(count))
                with Wire(server.port) as wire:
                    create_table(wire, Signer(server.key), server.port)  # type: ignore[arg-type]
                since = time.perf_counter()
                _load(server, 0, count)
                loaded_seconds[count] = time.perf_counter() - since
            for number in range(WARM_ROUNDS):
                for count, server in servers.items():
                    drive(
                        server.port, _requests(server, "GetItem", count, random.Random(-number)), CONNECTIONS, seconds
                    )
            lines = [f"| | {SMALL_ITEMS:,} items | {items:,} items | ratio |", "|---|---|---|---|"]
            for operation, goal in GOALS.items():
                small, large = _micros(servers, operation, rounds, seconds).values()
                for what, before, after in (("", small[0], large[0]), (", processor", small[1], large[1])):
                    mark = "reached" if after / before <= goal else "**missed**"
                    ratio = f"{after / before:.2f} (goal ≤ {goal:g}: {mark})"
                    lines.append(f"| {operation}{what} | {before:.0f} µs | {after:.0f} µs | {ratio} |")
            sizes = [f"{server.process.memory_mib()[0]:.0f} MiB" for server in servers.values()]
            lines.append(f"| resident memory | {sizes[0]} | {sizes[1]} | |")
            lines.append(f"| loaded in | {loaded_seconds[SMALL_ITEMS]:.0f} s | {loaded_seconds[items]:.0f} s | |")
        finally:
            for server in servers.values():
                server.process.stop()
    return "\n".join(lines)
