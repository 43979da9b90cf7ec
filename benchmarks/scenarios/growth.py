"""Growth: the same work on a small and on a large table, on Trine's durable store. Opt-in: loading takes long."""

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


def _micros(server: TableServer, operation: str, items: int, rounds: int, seconds: float) -> float:
    """Microseconds for one request at full load over the whole key space, the median of the rounds."""
    source = random.Random(items)
    found = []
    for _ in range(rounds):
        signer = Signer(server.key)  # type: ignore[arg-type]
        requests = []
        for _ in range(REQUESTS):
            place = divmod(source.randrange(items), PER_PARTITION)
            more: dict[str, Any] = {"Key": key(*place)} if operation == "GetItem" else {"Item": item(*place, source)}
            requests.append(signer.request(Call(operation, {"TableName": TABLE, **more}), server.port))
        found.append(1e6 / drive(server.port, requests, CONNECTIONS, seconds).per_second)
    return median(found)


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
            lines = [f"| | {SMALL_ITEMS:,} items | {items:,} items | ratio |", "|---|---|---|---|"]
            for operation, goal in GOALS.items():
                small, large = (_micros(servers[count], operation, count, rounds, seconds) for count in servers)
                mark = "reached" if large / small <= goal else "**missed**"
                lines.append(
                    f"| {operation} | {small:.0f} µs | {large:.0f} µs | {large / small:.2f} (goal ≤ {goal:g}: {mark}) |"
                )
            sizes = [f"{server.process.memory_mib()[0]:.0f} MiB" for server in servers.values()]
            lines.append(f"| resident memory | {sizes[0]} | {sizes[1]} | |")
            lines.append(f"| loaded in | {loaded_seconds[SMALL_ITEMS]:.0f} s | {loaded_seconds[items]:.0f} s | |")
        finally:
            for server in servers.values():
                server.process.stop()
    return "\n".join(lines)
