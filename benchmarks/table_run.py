"""The table rows: start every server, fill it, check its answers, then let all take turns, round by round."""

from __future__ import annotations

import gc
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.installing import Cache, NotInstalled
from benchmarks.load import LoadFailed, drive
from benchmarks.process import NotReady
from benchmarks.results import Cell, Row
from benchmarks.scenario import TableRow
from benchmarks.scenarios import batch_write, get_item, mixed, put_item, query, transact_write, update_item
from benchmarks.signing import UNKNOWN, Call, Key, Signer
from benchmarks.table_servers import ECHO, SERVERS, TableServer
from benchmarks.wire import Wire

ROWS = [module.ROW for module in (get_item, query, put_item, update_item, transact_write, batch_write, mixed)]
CHECKED_REQUESTS = 25
CHECK_SECONDS = 5.0
"""No server is checked longer than this; the slowest ones answer few requests meanwhile."""
SLOW_PER_SECOND = 50
"""A server below this in one row is not asked again in its later rounds."""


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


class Field:
    """All table servers, running side by side."""

    def __init__(self, cache: Cache, names: Sequence[str], directory: Path) -> None:
        self.servers: dict[str, TableServer] = {}
        self.missing: dict[str, str] = {}
        for name in names:
            try:
                self.servers[name] = TableServer(name, cache, directory / name.replace(", ", "-").replace(" ", "-"))
            except (NotInstalled, NotReady, RuntimeError) as error:
                self.missing[name] = str(error).strip().replace("\n", " ")[:200]
                say(f"{name}: left out: {self.missing[name]}")
        keys = [server.key for server in self.servers.values() if server.key is not None]
        anyone: Key = keys[0] if keys else UNKNOWN
        # Peers get the signatures of Trine's caller: the same headers for all, verified by one.
        self.keys = {name: server.key or anyone for name, server in self.servers.items()}

    def fill(self) -> None:
        for name, server in list(self.servers.items()):
            try:
                server.fill(Signer(self.keys[name]))
            except (OSError, RuntimeError, ValueError) as error:
                self.missing[name] = f"could not be filled: {error}"[:200]
                say(f"{name}: {self.missing[name]}")
                self.servers.pop(name).process.stop()

    def start_table(self) -> str:
        """Start-up time and idle memory as a Markdown table, and who was left out."""
        lines = ["| | ready after | resident, idle |", "|---|---|---|"]
        lines += [
            f"| {server.name} | {server.ready_seconds * 1000:.0f} ms | {server.idle_mib[0]:.0f} MiB |"
            for server in self.servers.values()
            if server.name != ECHO
        ]
        lines += ["", *(f"- {name} was left out: {why}" for name, why in self.missing.items()), ""]
        return "\n".join(lines)

    def close(self) -> None:
        for server in self.servers.values():
            server.process.stop()


def check(row: TableRow, server: TableServer, requests: list[bytes]) -> None:
    """Send some requests of a row one by one and look at each answer. Raises LoadFailed."""
    calls = row.calls()
    ends_at = time.perf_counter() + CHECK_SECONDS
    with Wire(server.port) as wire:
        for call, request in list(zip(calls, requests, strict=True))[:CHECKED_REQUESTS]:
            status, answer = wire.ask_json(request)
            if status != 200 or not is_right(row, server, call, answer):
                raise LoadFailed(f"{status} {json.dumps(answer)}")
            if time.perf_counter() > ends_at:
                return


def is_right(row: TableRow, server: TableServer, call: Call, answer: Any) -> bool:
    """Whether an answer is the one that its request asks for."""
    try:
        return bool(answer == call.document) if server.name == ECHO else row.check(call, answer)
    except (KeyError, TypeError, IndexError):  # a part that a right answer has is missing
        return False


def measure(row: TableRow, field: Field, rounds: int, seconds: float) -> Row:
    """All rounds of one row."""
    names = [name for name in field.servers if name != ECHO or row.with_echo]
    cells = {name: Cell() for name in names}
    for number in range(rounds):
        for name in names:
            cell, server = cells[name], field.servers[name]
            if cell.failure or (cell.per_second and cell.per_second[-1] < SLOW_PER_SECOND):
                continue
            signer = Signer(field.keys[name])  # signed anew each round: signatures are good for 15 minutes
            requests = [signer.request(call, server.port) for call in row.calls()]
            try:
                if number == 0:
                    check(row, server, requests)
                before = server.process.cpu_seconds()
                found = drive(server.port, requests, row.connections, seconds)
                spent = server.process.cpu_seconds() - before
                check(row, server, requests)
            except (LoadFailed, OSError, ValueError, KeyError) as error:
                cell.failure = " ".join(str(error).split())[:120] or type(error).__name__
                say(f"{row.title}: {name}: {cell.failure}")
                continue
            cell.add(
                found.per_second,
                found.p50_milliseconds,
                found.p99_milliseconds,
                spent / found.requests * 1e6,
            )
            gc.collect()
        say(f"{row.title}, round {number + 1}: " + ", ".join(f"{name} {cell.text()}" for name, cell in cells.items()))
    return Row(row.title, cells, row.goals, row.p99_goal_milliseconds)


def run(cache: Cache, names: Sequence[str], only: str, rounds: int, seconds: float) -> tuple[list[Row], Field]:
    """The rows whose title holds `only`; the field comes back closed, with what it knows of start and memory."""
    with tempfile.TemporaryDirectory(prefix="trine-bench-") as directory:
        field = Field(cache, [name for name in SERVERS if name in names], Path(directory))
        try:
            field.fill()
            rows = [measure(row, field, rounds, seconds) for row in ROWS if only.lower() in row.title.lower()]
        finally:
            field.close()
    return rows, field
