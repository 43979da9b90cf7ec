"""What being watched costs: traces, usage and measures together, on against off, row by row in one run.

Each row is measured on one server that notes its requests and looks away in turns (`watched_server`); the figure is the
median of the rounds' ratios. Where the memory of a process happens to lie makes watching dearer or cheaper for as long
as it lives, so several are started, one after the other.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks import table_run
from benchmarks.front_run import ROWS as FRONT_ROWS
from benchmarks.front_run import check as check_front
from benchmarks.front_servers import TrineUp
from benchmarks.installing import Cache
from benchmarks.load import drive
from benchmarks.process import Process
from benchmarks.signing import Signer
from benchmarks.table_servers import TableServer, trine_table
from benchmarks.watched_server import LOOK_AWAY, WATCH, WATCHED_TRINE

GOAL_PERCENT = 5.0
WAYS = {"watched": WATCH, "not watched": LOOK_AWAY}
SERVERS = 4
"""Started anew; the rounds are shared out among them."""
SWITCH_SECONDS = 0.05
"""After a signal, for the server to have seen it."""


class Spent(NamedTuple):
    """One round: processor time of the server for one request, and requests per second."""

    microseconds: float
    per_second: float


Rounds = dict[str, list[Spent]]
"""By way, as many of one as of the other."""


class WatchedUp(TrineUp):
    """`trine up` with the switches."""

    program = WATCHED_TRINE


def run(cache: Cache, only: str, rounds: int, seconds: float) -> str:
    """The rows whose title holds `only`, as a Markdown table."""
    spent: dict[str, Rounds] = {}
    of_each = -(-rounds // SERVERS)
    for number in range(SERVERS):
        with tempfile.TemporaryDirectory(prefix="trine-bench-") as directory:
            _tables(cache, Path(directory), only, of_each, seconds, spent)
            _fronts(cache, Path(directory), only, of_each, seconds, spent)
        print(f"server {number + 1} of {SERVERS}", file=sys.stderr, flush=True)
    lines = [_line(title, found) for title, found in spent.items()]
    heading = [
        "| | CPU for one request, watched | not watched | cost | requests/s, watched | not watched | change |",
        "|---|---|---|---|---|---|---|",
    ]
    return "\n".join([*heading, *lines, "", verdict(lines)])


def _tables(cache: Cache, directory: Path, only: str, rounds: int, seconds: float, spent: dict[str, Rounds]) -> None:
    rows = [row for row in table_run.ROWS if only.lower() in row.title.lower()]
    if not rows:
        return
    start = trine_table("--memory", program=WATCHED_TRINE)
    server = TableServer("Trine, watched", cache, directory / "table", start)
    try:
        assert server.key is not None
        signer = Signer(server.key)
        server.fill(signer)
        for row in rows:
            requests = [signer.request(call, server.port) for call in row.calls()]
            table_run.check(row, server, requests)
            load = _Load([server.process], server.port, requests, row.connections, seconds)
            load.rounds(rounds, spent.setdefault(row.title, {way: [] for way in WAYS}))
    finally:
        server.process.stop()


def _fronts(cache: Cache, directory: Path, only: str, rounds: int, seconds: float, spent: dict[str, Rounds]) -> None:
    rows = [row for row in FRONT_ROWS if only.lower() in row.title.lower()]
    if not rows:
        return
    server = WatchedUp(cache, directory / "front")
    try:
        for row in rows:
            check_front(row, server)
            requests = [server.request(path) for path in row.paths()]
            load = _Load(server.processes, server.port, requests, row.connections, seconds)
            load.rounds(rounds, spent.setdefault(row.title, {way: [] for way in WAYS}))
    finally:
        server.stop()


class _Load(NamedTuple):
    """One row's load on one server, whose own process is the first."""

    processes: Sequence[Process]
    port: int
    requests: list[bytes]
    connections: int
    seconds: float

    def rounds(self, count: int, spent: Rounds) -> None:
        """`count` rounds of both ways, each round in another order than the one before, added to `spent`."""
        self._measure(WATCH)  # warm
        for _ in range(count):
            turned = len(spent["watched"]) % 2
            for way, signal in reversed(WAYS.items()) if turned else WAYS.items():
                spent[way].append(self._measure(signal))
        self.processes[0].signal(WATCH)

    def _measure(self, signal: int) -> Spent:
        self.processes[0].signal(signal)
        time.sleep(SWITCH_SECONDS)
        before = self._cpu_seconds()
        found = drive(self.port, self.requests, self.connections, self.seconds)
        return Spent((self._cpu_seconds() - before) / found.requests * 1e6, found.per_second)

    def _cpu_seconds(self) -> float:
        return sum(process.cpu_seconds() for process in self.processes)


def _line(title: str, spent: Rounds) -> str:
    on, off = spent["watched"], spent["not watched"]
    cost = (median(one.microseconds / other.microseconds for one, other in zip(on, off, strict=True)) - 1) * 100
    slower = (median(one.per_second / other.per_second for one, other in zip(on, off, strict=True)) - 1) * 100
    mark = "reached" if cost <= GOAL_PERCENT else "**missed**"
    spent_each = (f"{median(one.microseconds for one in way):.1f} µs" for way in (on, off))
    served = (f"{median(one.per_second for one in way):,.0f}" for way in (on, off))
    judged = f"{cost:+.2f} % (goal ≤ {GOAL_PERCENT:g} %: {mark})"
    return f"| {' | '.join((title, *spent_each, judged, *served, f'{slower:+.2f} %'))} |"


def verdict(rows: Sequence[str]) -> str:
    """The dearest of all rows, against the goal."""
    costs = {row.split("|")[1].strip(): float(row.split("|")[4].split()[0]) for row in rows}
    if not costs:
        return "No row was measured."
    dearest = max(costs, key=lambda title: costs[title])
    mark = "reached" if costs[dearest] <= GOAL_PERCENT else "**missed**"
    return f"- dearest row: {dearest}, {costs[dearest]:+.2f} % (goal ≤ {GOAL_PERCENT:g} %): {mark}"
