"""What the open console costs: a thousand requests a second at one route, with the map in Chromium and without it.

The load is paced, so both ways serve the same requests; rounds alternate, and the figure is the median of the rounds'
ratios of the server's processor time for one request. Needs Chromium and Playwright, as the console's tests do.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.front_servers import TrineUp
from benchmarks.installing import Cache
from trine.cli.client import request as signed
from trine.stack import run_file

GOAL_PERCENT = 5.0
REQUESTS_PER_SECOND = 1_000
CONNECTIONS = 8
SETTLE_SECONDS = 2.0
"""After the map has opened or closed; the server counts for it until ten seconds after the last look."""
PATIENCE_SECONDS = 11.0
CHROMIUM = os.environ.get("CHROMIUM_PATH") or shutil.which("chromium") or shutil.which("chromium-browser")


def run(cache: Cache, rounds: int, seconds: float) -> str:
    """The figure as a Markdown table, or why there is none."""
    if CHROMIUM is None:
        return "No Chromium on this machine: the open console was not measured."
    open_micros, closed_micros = [], []
    with tempfile.TemporaryDirectory(prefix="trine-bench-") as directory:
        server = TrineUp(cache, Path(directory) / "up")
        try:
            request = server.request("/hello")
            _cpu_of_one(server, request, seconds)  # warm
            with _browser() as browser:
                for _ in range(rounds):
                    with _map(browser, server):
                        time.sleep(SETTLE_SECONDS)
                        open_micros.append(_cpu_of_one(server, request, seconds))
                    time.sleep(PATIENCE_SECONDS)
                    closed_micros.append(_cpu_of_one(server, request, seconds))
        finally:
            server.stop()
    cost = (median(on / off for on, off in zip(open_micros, closed_micros, strict=True)) - 1) * 100
    mark = "reached" if cost <= GOAL_PERCENT else "**missed**"
    return (
        f"| {REQUESTS_PER_SECOND:,} requests a second | map open | nobody looks | cost |\n|---|---|---|---|\n"
        f"| hello, CPU of the server for one request | {median(open_micros):.1f} µs | {median(closed_micros):.1f} µs "
        f"| {cost:+.1f} % (goal ≤ {GOAL_PERCENT:g} %: {mark}) |"
    )


def _cpu_of_one(server: TrineUp, request: bytes, seconds: float) -> float:
    """Microseconds of processor time of the server and its functions for one request."""
    before = sum(process.cpu_seconds() for process in server.processes)
    count = _drive(server.port, request, seconds)
    found = (sum(process.cpu_seconds() for process in server.processes) - before) / count * 1e6
    print(f"{found:.1f} µs, {count} requests", file=sys.stderr, flush=True)
    return found


def _drive(port: int, request: bytes, seconds: float) -> int:
    """Send `request` at the pace from several processes; how many were answered."""
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        share = [(port, request, seconds, REQUESTS_PER_SECOND / 2, CONNECTIONS // 2)] * 2
        return sum(pool.starmap(_send, share))


def _send(port: int, request: bytes, seconds: float, per_second: float, connections: int) -> int:
    sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(connections)]
    began, count = time.perf_counter(), 0
    while (now := time.perf_counter() - began) < seconds:
        due = min(int(now * per_second) - count, connections)
        for one in sockets[:due]:
            one.sendall(request)
        for one in sockets[:due]:
            answer = one.recv(65_536)
            if not answer.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(f"the server answered {answer[:80]!r}")
        count += max(0, due)
        if due <= 0:
            time.sleep(0.000_5)
    for one in sockets:
        one.close()
    return count


@contextmanager
def _browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@contextmanager
def _map(browser: Any, server: TrineUp) -> Iterator[None]:
    """The console's map, open in a page of its own."""
    found = run_file.read(server.state)
    page = browser.new_page()
    with signed(found, "POST", "/_trine/link", service="trine") as answer:
        page.goto(json.loads(answer.read())["url"])
    page.wait_for_selector("svg.map")
    yield
    page.close()
