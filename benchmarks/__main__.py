"""`python -m benchmarks`: install the peers, run the rows, print the tables."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from pathlib import Path

from benchmarks import (
    bills,
    console_run,
    front_run,
    functions_run,
    gateway_run,
    identity_run,
    load,
    observing,
    socket_run,
    table_run,
)
from benchmarks.front_servers import FRONT_SERVERS
from benchmarks.installing import Cache
from benchmarks.results import table
from benchmarks.scenarios import growth
from benchmarks.table_servers import SERVERS

RESULTS = Path(__file__).with_name("results.md")
SECTION = "\n## "
PARTS = ("table", "front", "gateway", "sockets", "functions", "identity", "observing", "console", "bills", "all")


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Trine beside its peers, in one run.")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "trine-bench", help="where peers live")
    parser.add_argument("--rounds", type=int, default=3, help="rounds; medians are shown")
    parser.add_argument("--seconds", type=float, default=3.0, help="seconds of load for each cell and round")
    parser.add_argument("--part", choices=PARTS, default="all", help="which part to run")
    parser.add_argument("--only", default="", help="only rows whose title holds this")
    parser.add_argument(
        "--servers", default="", help=f"only these, by `;`: {'; '.join(dict.fromkeys((*SERVERS, *FRONT_SERVERS)))}"
    )
    parser.add_argument("--growth", type=int, default=0, metavar="ITEMS", help="only growth: a table of so many items")
    parser.add_argument("--write", action="store_true", help=f"write the tables to {RESULTS.name} as well")
    return parser.parse_args()


HEADING = """# Trine beside its peers

Made by `make bench` on {cores} cores ({machine}, Python {python}). Load: {generator}, on the same cores as the
servers. Medians of interleaved rounds. Read the ratios: figures of another machine or run cannot be compared with
these.

A cell is requests per second (p50/p99 in milliseconds; processor time of the server for one request). Every request
is signed; Trine verifies the signature and the caller's role, the peers check neither. Trine (without *memory*)
answers a write when it is on disk; no other server here does.
"""


def heading() -> str:
    return HEADING.format(
        cores=os.cpu_count(),
        machine=platform.machine(),
        python=platform.python_version(),
        generator=load.generator(),
    )


def measured(chosen: argparse.Namespace, cache: Cache, wanted: list[str]) -> list[str]:
    """The sections of the parts that were asked for."""
    parts = []
    if chosen.part in ("table", "all"):
        names = [name for name in SERVERS if not wanted or name in wanted]
        rows, field = table_run.run(cache, names, chosen.only, chosen.rounds, chosen.seconds)
        columns = [name for name in SERVERS if any(name in row.cells for row in rows)]
        parts += ["## The table", "", table(rows, columns), "", field.start_table()]
    if chosen.part in ("front", "all"):
        names = [name for name in FRONT_SERVERS if not wanted or name in wanted]
        found = front_run.run(cache, names, chosen.only, chosen.rounds, chosen.seconds)
        rows = [row for row in found.rows.values() if row.cells]
        columns = [name for name in FRONT_SERVERS if any(name in row.cells for row in rows)]
        parts += ["## Through the front door", "", table(rows, columns), "", found.start_table()]
    if chosen.part in ("gateway", "all") and not chosen.only:
        parts += ["## The front door alone", "", gateway_run.run(chosen.rounds, chosen.seconds), ""]
    if chosen.part in ("sockets", "all") and not chosen.only:
        parts += ["## WebSocket APIs alone", "", socket_run.run(chosen.rounds, chosen.seconds), ""]
    if chosen.part in ("functions", "all") and not chosen.only:
        parts += ["## Functions alone", "", functions_run.run(), ""]
    if chosen.part in ("identity", "all") and not chosen.only:
        parts += ["## Who are you, may you", "", identity_run.run(), ""]
    if chosen.part in ("observing", "all"):
        parts += ["## Being watched", "", observing.run(cache, chosen.only, chosen.rounds, chosen.seconds), ""]
    if chosen.part in ("console", "all") and not chosen.only:
        parts += ["## The console open", "", console_run.run(cache, chosen.rounds, chosen.seconds), ""]
    if chosen.part in ("bills", "all") and not chosen.only:
        parts += ["## What a month costs", "", bills.run(), ""]
    return parts


def main() -> int:
    chosen = options()
    wanted = [name.strip() for name in chosen.servers.split(";") if name.strip()]
    cache = Cache(chosen.cache.expanduser().absolute())
    parts = [heading()]
    if chosen.growth:
        parts += ["## Growth", "", growth.run(cache, chosen.growth, chosen.rounds, chosen.seconds), ""]
    else:
        parts += measured(chosen, cache, wanted)
    text = "\n".join(parts)
    print(text)
    if chosen.write:
        RESULTS.write_text(renewed(RESULTS.read_text(), text))
    return 0


def renewed(old: str, new: str) -> str:
    """The results with the sections that were run now; those of earlier runs stay behind them."""
    sections = {part.partition("\n")[0]: part.strip() for part in (*old.split(SECTION)[1:], *new.split(SECTION)[1:])}
    return SECTION.join([new.split(SECTION)[0].strip() + "\n", *(part + "\n" for part in sections.values())])


if __name__ == "__main__":
    sys.exit(main())
