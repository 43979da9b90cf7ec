"""What being watched costs: traces, usage and measures together, on against off, row by row in one run.

Each row is measured on two servers that differ in `--observe` alone, in turns and in both orders; the figure is the
median of the rounds' ratios of processor time for one request. Load and noise of the machine fall on both alike. Two
processes of one program differ by up to five percent for as long as they live (where their memory happens to lie), so
several pairs are started, one after the other.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

from benchmarks import table_run
from benchmarks.front_run import ROWS as FRONT_ROWS
from benchmarks.front_run import check as check_front
from benchmarks.front_servers import TrineUp
from benchmarks.installing import Cache
from benchmarks.load import drive
from benchmarks.process import Process
from benchmarks.signing import Signer
from benchmarks.table_servers import TableServer, trine_table

GOAL_PERCENT = 5.0
WAYS = ("all", "nothing")
PAIRS = 4
"""Of servers, started anew; the rounds are shared out among them."""
Spent = dict[str, dict[str, list[float]]]
"""Title of a row → way → microseconds of processor time for one request, a round each."""
Pair = dict[str, Sequence[Process]]


class ObservedUp(TrineUp):
    """`trine up` as it is."""

    options = ("--observe", "all")


class UnobservedUp(TrineUp):
    """`trine up` that notes nothing of its requests."""

    options = ("--observe", "nothing")


def run(cache: Cache, only: str, rounds: int, seconds: float) -> str:
    """The rows whose title holds `only`, as a Markdown table."""
    heading = ["| | CPU for one request, watched | not watched | cost |", "|---|---|---|---|"]
    spent: Spent = {}
    of_each = -(-rounds // PAIRS)
    for number in range(PAIRS):
        with tempfile.TemporaryDirectory(prefix="trine-bench-") as directory:
            _tables(cache, Path(directory), only, of_each, seconds, spent)
            _fronts(cache, Path(directory), only, of_each, seconds, spent)
        print(f"pair {number + 1} of {PAIRS}", file=sys.stderr, flush=True)
    lines = [_line(title, found) for title, found in spent.items()]
    return "\n".join([*heading, *lines, "", verdict(lines)])


def _tables(cache: Cache, directory: Path, only: str, rounds: int, seconds: float, spent: Spent) -> None:
    rows = [row for row in table_run.ROWS if only.lower() in row.title.lower()]
    if not rows:
        return
    servers: dict[str, TableServer] = {}
    try:
        for way in WAYS:
            start = trine_table("--memory", "--observe", way)
            servers[way] = TableServer(f"Trine, {way}", cache, directory / f"table-{way}", start)
        for server in servers.values():
            assert server.key is not None
            server.fill(Signer(server.key))
        for row in rows:
            loads: dict[str, Callable[[], float]] = {}
            for way, server in servers.items():
                assert server.key is not None
                signer = Signer(server.key)
                requests = [signer.request(call, server.port) for call in row.calls()]
                table_run.check(row, server, requests)
                loads[way] = _load([server.process], server.port, requests, row.connections, seconds)
            _measure(row.title, loads, rounds, spent)
    finally:
        for server in servers.values():
            server.process.stop()


def _fronts(cache: Cache, directory: Path, only: str, rounds: int, seconds: float, spent: Spent) -> None:
    rows = [row for row in FRONT_ROWS if only.lower() in row.title.lower()]
    if not rows:
        return
    servers: dict[str, TrineUp] = {}
    try:
        for way, kind in zip(WAYS, (ObservedUp, UnobservedUp), strict=True):
            servers[way] = kind(cache, directory / f"front-{way}")
        for row in rows:
            loads = {}
            for way, server in servers.items():
                check_front(row, server)
                requests = [server.request(path) for path in row.paths()]
                loads[way] = _load(server.processes, server.port, requests, row.connections, seconds)
            _measure(row.title, loads, rounds, spent)
    finally:
        for server in servers.values():
            server.stop()


def _load(
    processes: Sequence[Process], port: int, requests: list[bytes], connections: int, seconds: float
) -> Callable[[], float]:
    """A function that puts load on and tells the microseconds of processor time of the server for one request."""

    def measure() -> float:
        before = sum(process.cpu_seconds() for process in processes)
        found = drive(port, requests, connections, seconds)
        return (sum(process.cpu_seconds() for process in processes) - before) / found.requests * 1e6

    return measure


def _measure(title: str, loads: dict[str, Callable[[], float]], rounds: int, spent: Spent) -> None:
    for way in WAYS:
        loads[way]()  # warm
    found = spent.setdefault(title, {way: [] for way in WAYS})
    for _ in range(rounds):
        for way in WAYS if len(found["all"]) % 2 == 0 else reversed(WAYS):
            found[way].append(loads[way]())


def _line(title: str, spent: dict[str, list[float]]) -> str:
    cost = (median(on / off for on, off in zip(spent["all"], spent["nothing"], strict=True)) - 1) * 100
    mark = "reached" if cost <= GOAL_PERCENT else "**missed**"
    return (
        f"| {title} | {median(spent['all']):.1f} µs | {median(spent['nothing']):.1f} µs | "
        f"{cost:+.2f} % (goal ≤ {GOAL_PERCENT:g} %: {mark}) |"
    )


def verdict(rows: Sequence[str]) -> str:
    """The dearest of all rows, against the goal."""
    costs = {row.split("|")[1].strip(): float(row.split("|")[4].split()[0]) for row in rows}
    if not costs:
        return "No row was measured."
    dearest = max(costs, key=lambda title: costs[title])
    mark = "reached" if costs[dearest] <= GOAL_PERCENT else "**missed**"
    return f"- dearest row: {dearest}, {costs[dearest]:+.2f} % (goal ≤ {GOAL_PERCENT:g} %): {mark}"
