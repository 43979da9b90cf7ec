"""The three figures: idle costs only storage, a spike is cheapest on demand, and one request is what was measured."""

from __future__ import annotations

import pytest

from benchmarks.bills import LOADS, request_kind
from trine.metering.ledger import Ledger
from trine.metering.prices import load_prices
from trine.metering.profile import profile_of
from trine.stack.observing import Books

KIND = {"api": "http", "function_ms": 2, "memory_mb": 256, "read_units": 0.5}


def _month(name: str) -> dict[str, float]:
    books = Books(Ledger(None).view(), load_prices(), "us-east-1", 1_800_000_000.0)
    load = next(load for title, load in LOADS.items() if title.startswith(name))
    month = books.projection(0, 10**9, profile_of({**load, "requests": [KIND]}))
    return {way: month[way]["usd"] for way in ("onDemand", "provisioned", "alwaysOn")}


def test_idle_costs_only_storage() -> None:
    assert _month("idle")["onDemand"] == pytest.approx(0.25)


def test_a_spike_is_cheapest_on_demand() -> None:
    spike = _month("spike")
    assert min(spike, key=lambda way: spike[way]) == "onDemand"


def test_steady_traffic_is_cheapest_on_machines() -> None:
    steady = _month("steady")
    assert min(steady, key=lambda way: steady[way]) == "alwaysOn"
    assert steady["provisioned"] < steady["onDemand"]


def test_logs_of_a_profile_cost_by_the_gb() -> None:
    books = Books(Ledger(None).view(), load_prices(), "us-east-1", 1_800_000_000.0)
    load = {"requests_per_second": 1, "storage_gb": 0}
    month, silent = (
        books.projection(0, 10**9, profile_of({**load, "requests": [{**KIND, "log_bytes": size}]}))["onDemand"]["usd"]
        for size in (1024**3 / 2_628_000, 0)
    )
    assert month - silent == pytest.approx(0.50)


def test_one_request_is_the_average_of_its_route() -> None:
    counts = {"lambda": {"billedMs": 30, "logBytes": 2500}, "table": {"readUnits": 5}, "http": {"bytesOut": 2000}}
    kind = request_kind({"calls": 10, "counts": counts})
    assert (kind["function_ms"], kind["read_units"], kind["response_bytes"]) == (3, 0.5, 200)
    assert kind["log_bytes"] == 250
