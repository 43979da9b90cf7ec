"""The front door alone: what it costs to answer, to refuse, to guard, to find a route, to hold idle connections.

The server is `gateway_server`: integrations answer at once, so that only the door is measured. Costs are processor time
of the server for one request, for other work on the machine does not change that; all rows take turns in every round.
"""

from __future__ import annotations

import json
import random
import resource
import socket
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks import gateway_server
from benchmarks.load import drive
from benchmarks.process import Process, free_port
from benchmarks.table_servers import REPOSITORY
from benchmarks.wire import Wire
from trine.apigateway.router import Router

CONNECTIONS = 16
WARM_UP_SECONDS = 1.0
IDLE_CONNECTIONS = 10_000
ROUTES = (10, 10_000)
MATCHES = 20_000

ECHO = "bare echo"
BODY = json.dumps({"item": "book", "count": 2, "tags": ["a", "b"]}).encode()
GOALS = {"MOCK": 0.5, "cached denial, 403": 0.5}
"""Share of the bare echo's rate that a row has to reach."""
GUARDS_GOAL_MICROS = 60.0
ROUTES_GOAL = 1.2
IDLE_GOAL_MIB = 200.0


def _request(method: str, path: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    lines = {"Host": "127.0.0.1", "User-Agent": "bench", "Accept": "*/*", **headers}
    if body:
        lines |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body


def requests(now_seconds: float) -> dict[str, tuple[bytes, int]]:
    """Title → (request, expected status)."""
    bearer = {"Authorization": f"Bearer {gateway_server.token(now_seconds)}"}
    caller = {**bearer, "x-api-key": gateway_server.KEY, "x-tenant": "t1"}
    browser = {**bearer, "Origin": "https://shop.example"}
    return {
        ECHO: (_request("GET", "/mock", {}), 200),
        "MOCK": (_request("GET", "/mock", {}), 200),
        "cached denial, 403": (_request("GET", "/denied", {"Authorization": "x"}), 403),
        "no API key, 403": (_request("GET", "/keyed", {}), 403),
        "throttled, 429": (_request("GET", "/limited", {}), 429),
        "Lambda proxy, function at once": (_request("GET", "/function", {}), 200),
        "MOCK with a body": (_request("POST", "/mock", caller, BODY), 200),
        "MOCK, all guards of REST": (_request("POST", "/guarded", caller, BODY), 200),
        "HTTP API": (_request("GET", "/_apis/http01/open", browser), 200),
        "HTTP API, JWT, throttle, CORS": (_request("GET", "/_apis/cors01/guarded", browser), 200),
    }


class Costs:
    """Processor time and rate of each row, over the rounds."""

    def __init__(self) -> None:
        self.micros: dict[str, list[float]] = {}
        self.rates: dict[str, list[float]] = {}

    def add(self, title: str, micros: float, rate: float) -> None:
        self.micros.setdefault(title, []).append(micros)
        self.rates.setdefault(title, []).append(rate)

    def of(self, title: str) -> float:
        """Microseconds of one request, the median."""
        return median(self.micros[title])

    def table(self) -> list[str]:
        lines = ["| | requests/s | processor time | of a bare echo |", "|---|---|---|---|"]
        for title in self.micros:
            share = self.of(ECHO) / self.of(title)
            lines.append(f"| {title} | {median(self.rates[title]):,.0f} | {self.of(title):.1f} µs | {share:.2f} |")
        lines.append("")
        for title, goal in GOALS.items():
            rate = median(self.rates[title]) / median(self.rates[ECHO])
            verdict = _verdict(rate, goal, "× the rate of a bare echo", least=True)
            lines.append(f"- {title}: {verdict}; {self.of(ECHO) / self.of(title):.2f} × by processor time")
        rest = self.of("MOCK, all guards of REST") - self.of("MOCK with a body")
        http = self.of("HTTP API, JWT, throttle, CORS") - self.of("HTTP API")
        lines.append(
            f"- all guards: {rest:.1f} µs (token, API key, throttle, parameters, model), {http:.1f} µs (JWT, "
            f"throttle, CORS), together {_verdict(rest + http, GUARDS_GOAL_MICROS, 'µs')}"
        )
        lambda_micros = self.of("Lambda proxy, function at once")
        for title in ("no API key, 403", "throttled, 429"):
            lines.append(f"- {title}: {_verdict(self.of(title), lambda_micros, 'µs, what a 200 costs the door')}")
        return lines


def _verdict(value: float, goal: float, unit: str, *, least: bool = False) -> str:
    reached = value >= goal if least else value <= goal
    sign = "≥" if least else "≤"
    return f"{value:.2f} {unit} (goal {sign} {goal:.4g}): {'reached' if reached else '**missed**'}"


def serve_module(module: str, directory: Path) -> tuple[Process, int]:
    """A server module as a process that is ready, and its port."""
    port = free_port()
    command = [sys.executable, "-m", module, str(port)]
    process = Process(command, directory / f"{module}.log", {"PYTHONPATH": str(REPOSITORY)}, REPOSITORY)
    process.wait_until_ready(port)
    return process, port


def run(rounds: int, seconds: float) -> str:
    """All rows of the front door alone, as Markdown."""
    costs = Costs()
    with tempfile.TemporaryDirectory(prefix="trine-bench-") as directory:
        echo = door = None
        try:
            echo, echo_port = serve_module("benchmarks.echo_server", Path(directory))
            door, door_port = serve_module("benchmarks.gateway_server", Path(directory))
            for number in range(rounds):
                for title, (request, status) in requests(time.time()).items():
                    process, port = (echo, echo_port) if title == ECHO else (door, door_port)
                    _measure(costs, title, process, port, request, status, seconds)
                print(f"front door alone, round {number + 1} of {rounds}", file=sys.stderr, flush=True)
            idle = _idle(door, door_port, seconds)
        finally:
            for started in (echo, door):
                if started is not None:
                    started.stop()
    return "\n".join([*costs.table(), _routes(), *idle])


def _measure(
    costs: Costs, title: str, process: Process, port: int, request: bytes, status: int, seconds: float
) -> None:
    with Wire(port) as wire:
        for _ in range(2):  # the second one finds the verdict and the keys of the first
            found, answer = wire.ask(request)
        if found != status:
            raise RuntimeError(f"{title}: {found} {answer[:200]!r}")
    refusals = status >= 400
    drive(port, [request], CONNECTIONS, WARM_UP_SECONDS, refusals=refusals)
    before = process.cpu_seconds()
    measured = drive(port, [request], CONNECTIONS, seconds, refusals=refusals)
    costs.add(title, (process.cpu_seconds() - before) / measured.requests * 1e6, measured.per_second)


def _routes() -> str:
    """Finding a route among ten and among ten thousand, in turns."""
    source = random.Random(1)
    spent: dict[int, list[float]] = {count: [] for count in ROUTES}
    routers, paths = {}, {}
    for count in ROUTES:
        routes = [("GET", f"/services/s{number}/items/{{id}}", number) for number in range(count)]
        routers[count] = Router(routes, rest=True)
        chosen = [source.randrange(count) for _ in range(MATCHES)]
        paths[count] = [f"/services/s{number}/items/i{number}" for number in chosen]
    for _ in range(7):
        for count in ROUTES:
            match = routers[count].match
            since = time.process_time()
            for path in paths[count]:
                match("GET", path)
            spent[count].append((time.process_time() - since) / MATCHES * 1e6)
    few, many = (min(spent[count]) for count in ROUTES)
    return f"- a route among {ROUTES[1]:,}: {many:.2f} µs, among {ROUTES[0]} {few:.2f} µs: " + _verdict(
        many / few, ROUTES_GOAL, "×"
    )


def _idle(door: Process, port: int, seconds: float) -> list[str]:
    """Ten thousand keep-alive connections that say nothing, and what one busy client notices of them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = IDLE_CONNECTIONS + 200
    if hard < wanted:
        return [f"- {IDLE_CONNECTIONS:,} idle connections: not measured, this system allows {hard:,} descriptors"]
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    request = _request("GET", "/mock", {})
    alone = [drive(port, [request], 1, seconds).p99_milliseconds for _ in range(3)]
    before_mib = door.memory_mib()[0]
    idle: list[socket.socket] = []
    try:
        for _ in range(IDLE_CONNECTIONS):
            idle.append(socket.create_connection(("127.0.0.1", port), timeout=10))
            idle[-1].sendall(request)
        for one in idle:
            one.recv(4_096)
        grown_mib = door.memory_mib()[0]
        beside = [drive(port, [request], 1, seconds).p99_milliseconds for _ in range(3)]
    finally:
        for one in idle:
            one.close()
    return [
        f"- {IDLE_CONNECTIONS:,} idle connections: {before_mib:.0f} MiB before, "
        + _verdict(grown_mib, IDLE_GOAL_MIB, "MiB with them"),
        f"- p99 of one busy client: {median(alone):.2f} ms alone, {median(beside):.2f} ms beside them",
    ]
