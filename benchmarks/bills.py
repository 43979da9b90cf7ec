"""What a month costs, three ways, for three loads: idle, steady and spike.

What one request is, is measured: the application behind the front door serves some, and their average goes into three
load profiles. Figures in USD a month: on demand, provisioned with auto scaling, and always-on machines.
"""

from __future__ import annotations

import sys
import urllib.request
from collections.abc import Mapping
from typing import Any

from benchmarks.front_servers import APPLICATION, fill_users
from trine.metering.profile import profile_of
from trine.testing import RunningStack, running

REQUESTS = 200
MEMORY_MB = 256
"""Of the application's functions."""
LOADS: dict[str, dict[str, Any]] = {
    "idle: nobody calls, 1 GB stored": {"requests_per_second": 0, "storage_gb": 1},
    "steady: 100 requests a second": {"requests_per_second": 100, "storage_gb": 1},
    "spike: 400 a second for ten minutes at noon, else one": {
        "requests_per_second": 1,
        "nights": {"from": "22:00", "to": "06:00", "requests_per_second": 0},
        "spikes": [{"at": "12:00", "minutes": 10, "requests_per_second": 400}],
        "storage_gb": 1,
    },
}
"""The load profiles, as a user would write them (docs/metering.md)."""


def run() -> str:
    """The three figures as a Markdown table."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    with running(APPLICATION, parameters={"Runtime": version}) as stack:
        fill_users(stack.client("dynamodb"))
        _ask(stack)
        books = stack.call(stack.stack.wings.observing.books)
    (route,) = [group for group in books.bill(0, 10**9, "route")["groups"] if "/users/" in group["name"]]
    kind = request_kind(route)
    found = {name: books.projection(0, 10**9, profile_of({**load, "requests": [kind]})) for name, load in LOADS.items()}
    lines = ["| | requests a month | on demand | provisioned, auto scaling | always on |", "|---|---|---|---|---|"]
    for name, month in found.items():
        ways = [month[way]["usd"] for way in ("onDemand", "provisioned", "alwaysOn")]
        lines.append(f"| {name} | {month['requests']:,.0f} | " + " | ".join(f"${usd:,.2f}" for usd in ways) + " |")
    said = (
        f"One request: {kind['function_ms']:.1f} ms of a {MEMORY_MB} MB function, {kind['read_units']:g} read units, "
        f"{kind['log_bytes']:.0f} bytes of log."
    )
    return "\n".join([*lines, "", said])


def request_kind(route: Mapping[str, Any]) -> dict[str, Any]:
    """What one request of a route is, from its group in a bill."""
    calls, counts = route["calls"], route["counts"]
    return {
        "api": "http",
        "function_ms": counts["lambda"]["billedMs"] / calls,
        "memory_mb": MEMORY_MB,
        "read_units": counts["table"]["readUnits"] / calls,
        "response_bytes": counts["http"]["bytesOut"] / calls,
        "log_bytes": counts["lambda"]["logBytes"] / calls,
    }


def _ask(stack: RunningStack) -> None:
    """Requests that read a user."""
    for number in range(REQUESTS):
        with urllib.request.urlopen(f"{stack.url}/users/u{number % 50}") as answer:
            assert answer.status == 200
