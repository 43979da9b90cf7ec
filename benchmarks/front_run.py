"""The front door's rows: every server started anew each round, for the first call, then loaded in turns."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from botocore.exceptions import BotoCoreError, ClientError

from benchmarks.front_servers import FRONT_SERVERS, BareFloor, FrontServer, TrineUp
from benchmarks.installing import Cache, NotInstalled
from benchmarks.load import LoadFailed, drive
from benchmarks.process import NotReady
from benchmarks.results import Cell, Row
from benchmarks.scenario import FrontRow
from benchmarks.scenarios import first_call, get_user, hello, reload
from benchmarks.wire import Wire

ROWS = (hello.ONE, hello.SIXTEEN, hello.NODE_SIXTEEN, get_user.ONE, get_user.SIXTEEN)
CHECKED_REQUESTS = 20
WARM_UP_SECONDS = 2.0
"""Load that is not counted: environments are started by it, as many as the connections need."""
IDLE_GOAL_MIB = 60
FAULTS = (NotInstalled, NotReady, LoadFailed, OSError, ValueError, KeyError, BotoCoreError, ClientError)


class Found:
    """What the rounds brought, by server."""

    def __init__(self) -> None:
        self.rows = {row.title: Row(row.title, {}, row.goals) for row in ROWS}
        self.first_milliseconds: dict[str, list[float]] = {}
        self.ready_seconds: dict[str, list[float]] = {}
        self.idle_mib: dict[str, tuple[float, float]] = {}
        self.reload_milliseconds: list[float] = []
        """Of Trine, a round each: from saving a function's file to its first answer."""
        self.failures: dict[str, str] = {}

    def start_table(self) -> str:
        """Start, memory and first call as a Markdown table."""
        lines = [
            "| | ready after | server resident, idle | with its processes (PSS) | first call (boto3) |",
            "|---|---|---|---|---|",
        ]
        for name, ready in self.ready_seconds.items():
            resident, everything = self.idle_mib[name]
            first = self.first_milliseconds.get(name)
            text = f"{median(first):.0f} ms" if first else "–"
            lines.append(
                f"| {name} | {median(ready) * 1000:.0f} ms | {resident:.0f} MiB | {everything:.0f} MiB | {text} |"
            )
        lines.append("")
        if own := self.first_milliseconds.get("Trine"):
            lines.append(f"- first call: Trine {_verdict(median(own), first_call.GOAL_MILLISECONDS, 'ms')}")
        if self.reload_milliseconds:
            verdict = _verdict(median(self.reload_milliseconds), reload.GOAL_MILLISECONDS, "ms")
            lines.append(f"- a saved file answers: Trine {verdict}")
        if idle := self.idle_mib.get("Trine"):
            lines.append(f"- idle: Trine {_verdict(idle[0], IDLE_GOAL_MIB, 'MiB')}")
        lines += [f"- {name} was left out: {why}" for name, why in self.failures.items()]
        return "\n".join(lines)


def _verdict(value: float, goal: float, unit: str) -> str:
    return f"{value:.0f} {unit} (goal ≤ {goal:g}): {'reached' if value <= goal else '**missed**'}"


def measure(row: FrontRow, server: FrontServer, seconds: float, cell: Cell) -> None:
    """One server, one row, one round. Raises LoadFailed."""
    requests = [server.request(path) for path in row.paths()]
    check(row, server)
    drive(server.port, requests, row.connections, WARM_UP_SECONDS)
    before = sum(process.cpu_seconds() for process in server.processes)
    found = drive(server.port, requests, row.connections, seconds)
    spent = sum(process.cpu_seconds() for process in server.processes) - before
    check(row, server)
    cell.add(found.per_second, found.p50_milliseconds, found.p99_milliseconds, spent / found.requests * 1e6)


def check(row: FrontRow, server: FrontServer) -> None:
    """Ask one by one and look at each answer. Raises LoadFailed."""
    with Wire(server.port) as wire:
        for path in row.paths()[:CHECKED_REQUESTS]:
            status, answer = wire.ask_json(server.request(path))
            if status != 200 or not row.check(path, answer):
                raise LoadFailed(f"{status} {json.dumps(answer)}")


def run(cache: Cache, names: Sequence[str], only: str, rounds: int, seconds: float) -> Found:
    """Every round: start all, first calls, then the rows in turns, then stop all."""
    found = Found()
    for number in range(rounds):
        with tempfile.TemporaryDirectory(prefix="trine-bench-") as directory:
            servers: dict[str, FrontServer] = {}
            try:
                for name in names:
                    if name not in found.failures:
                        _start(found, servers, name, cache, Path(directory) / name.replace(" ", "-"))
                for row in ROWS:
                    if only.lower() in row.title.lower():
                        _turn(found, row, servers, seconds)
                if isinstance(own := servers.get(TrineUp.name), TrineUp):
                    found.reload_milliseconds.append(reload.measure(own, own.application / "src" / "hello.py"))
            finally:
                for server in servers.values():
                    server.stop()
        for row_found in found.rows.values():
            cells = ", ".join(f"{name} {cell.text()}" for name, cell in row_found.cells.items())
            print(f"{row_found.title}, round {number + 1}: {cells}", file=sys.stderr, flush=True)
    return found


def _start(found: Found, servers: dict[str, FrontServer], name: str, cache: Cache, directory: Path) -> None:
    try:
        server = servers[name] = FRONT_SERVERS[name](cache, directory)
        found.first_milliseconds.setdefault(name, []).append(first_call.measure(server))
    except FAULTS as error:
        found.failures[name] = " ".join(str(error).split())[:300]
        print(f"{name}: {found.failures[name]}", file=sys.stderr, flush=True)
        return
    found.ready_seconds.setdefault(name, []).append(server.ready_seconds)
    found.idle_mib[name] = server.idle_mib


def _turn(found: Found, row: FrontRow, servers: dict[str, FrontServer], seconds: float) -> None:
    for name, server in servers.items():
        if name == BareFloor.name and not row.with_floor:
            continue
        cell = found.rows[row.title].cells.setdefault(name, Cell())
        if cell.failure:
            continue
        try:
            measure(row, server, seconds, cell)
        except FAULTS as error:
            cell.failure = " ".join(str(error).split())[:120] or type(error).__name__
