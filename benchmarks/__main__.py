"""`python -m benchmarks`: install the peers, run the rows, print the tables."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from pathlib import Path

from benchmarks import load, table_run
from benchmarks.installing import Cache
from benchmarks.results import table
from benchmarks.table_servers import ECHO, SERVERS

RESULTS = Path(__file__).with_name("results.md")


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Trine beside its peers, in one run.")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "trine-bench", help="where peers live")
    parser.add_argument("--rounds", type=int, default=3, help="rounds; medians are shown")
    parser.add_argument("--seconds", type=float, default=3.0, help="seconds of load for each cell and round")
    parser.add_argument("--only", default="", help="only rows whose title holds this")
    parser.add_argument("--servers", default="", help=f"only these, by `;`: {'; '.join(SERVERS)}")
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


def main() -> int:
    chosen = options()
    names = [name.strip() for name in chosen.servers.split(";") if name.strip()] or list(SERVERS)
    cache = Cache(chosen.cache.expanduser().absolute())
    rows, field = table_run.run(cache, names, chosen.only, chosen.rounds, chosen.seconds)
    columns = [
        name for name in SERVERS if name in field.servers and (name != ECHO or any(name in row.cells for row in rows))
    ]
    parts = [heading(), "## The table", "", table(rows, columns), ""]
    parts += ["## Start and memory", "", "| | ready after | resident, idle |", "|---|---|---|"]
    parts += [
        f"| {server.name} | {server.ready_seconds * 1000:.0f} ms | {server.idle_mib[1]:.0f} MiB |"
        for server in field.servers.values()
        if server.name != ECHO
    ]
    parts += ["", *(f"- {name} was left out: {why}" for name, why in field.missing.items())]
    text = "\n".join(parts)
    print(text)
    if chosen.write:
        RESULTS.write_text(text + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
