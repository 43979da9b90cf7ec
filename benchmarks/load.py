"""Load: `wrk` with requests made beforehand; without it several Python processes over raw sockets.

A measurement counts only answers without an error status, and none with a broken connection; a run with errors is
reported as failed, never as fast.
"""

from __future__ import annotations

import contextlib
import functools
import json
import multiprocessing
import shutil
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

SEPARATOR = b"\1\2\1\2"
SPARE_SECONDS = 20

LUA = """
local file = io.open("%s", "rb"); local data = file:read("*a"); file:close()
local requests, position, separator = {}, 1, "\\1\\2\\1\\2"
while true do
  local first, last = data:find(separator, position, true)
  if not first then break end
  requests[#requests + 1] = data:sub(position, first - 1); position = last + 1
end
local count, index = #requests, 0
request = function() index = index + 1; return requests[index %% count + 1] end
done = function(summary, latency, _)
  local e = summary.errors
  io.write(string.format('JSON{"requests":%%d,"micros":%%d,"bytes":%%d,"broken":%%d,"refused":%%d,"p50":%%d,"p99":%%d,"max":%%d}\\n',
    summary.requests, summary.duration, summary.bytes, e.connect + e.read + e.write + e.timeout, e.status,
    latency:percentile(50), latency:percentile(99), latency.max))
end
"""


class LoadFailed(Exception):
    """The server answered with errors, or not at all; the message says how many."""


@dataclass(frozen=True)
class Measured:
    """What one run of load found."""

    requests: int
    per_second: float
    p50_milliseconds: float
    p99_milliseconds: float
    bytes_each: float


def generator() -> str:
    """The load generator that this machine has, in words."""
    return "wrk" if shutil.which("wrk") else "Python processes (wrk is not on PATH; figures are lower bounds)"


def drive(port: int, requests: list[bytes], connections: int, seconds: float, *, refusals: bool = False) -> Measured:
    """Send `requests` in a circle over `connections` for `seconds`. Raises LoadFailed. `refusals`: every answer must
    have an error status, for it is refusing that is measured."""
    if shutil.which("wrk"):
        return _wrk(port, requests, connections, seconds, refusals=refusals)
    return _python(port, requests, connections, seconds)


def _wrk(port: int, requests: list[bytes], connections: int, seconds: float, *, refusals: bool) -> Measured:
    with tempfile.TemporaryDirectory() as directory:
        data, script = Path(directory) / "requests", Path(directory) / "script.lua"
        data.write_bytes(b"".join(request + SEPARATOR for request in requests))
        script.write_text(LUA % data)
        command = [
            "wrk",
            "-t1",
            f"-c{connections}",
            f"-d{max(1, round(seconds))}s",
            "--timeout",
            "10s",
            "-s",
            str(script),
        ]
        done = subprocess.run(
            [*command, f"http://127.0.0.1:{port}/"],
            capture_output=True,
            text=True,
            timeout=seconds + SPARE_SECONDS,
            check=False,
        )
    _, found, tail = done.stdout.partition("JSON")
    if not found:
        raise LoadFailed(f"wrk: {(done.stderr or done.stdout)[:200]}")
    summary = json.loads(tail.splitlines()[0])
    unexpected = summary["requests"] - summary["refused"] if refusals else summary["refused"]
    if summary["broken"] or unexpected or not summary["requests"]:
        raise LoadFailed(f"{summary['broken'] + unexpected} errors in {summary['requests']} requests")
    return Measured(
        summary["requests"],
        summary["requests"] / summary["micros"] * 1e6,
        summary["p50"] / 1000,
        summary["p99"] / 1000,
        summary["bytes"] / summary["requests"],
    )


def _python(port: int, requests: list[bytes], connections: int, seconds: float) -> Measured:
    context = multiprocessing.get_context("spawn")
    workers = min(connections, 4)
    shares = [connections // workers + (index < connections % workers) for index in range(workers)]
    with context.Pool(workers) as pool:
        found = pool.starmap(
            _circle, [(port, requests[index::workers], share, seconds) for index, share in enumerate(shares)]
        )
    delays = sorted(delay for part, _ in found for delay in part)
    size_bytes = sum(size for _, size in found)
    if not delays:
        raise LoadFailed("no answers")
    middle, late = delays[len(delays) // 2], delays[len(delays) * 99 // 100]
    return Measured(len(delays), len(delays) / seconds, middle * 1e3, late * 1e3, size_bytes / len(delays))


def _circle(port: int, requests: list[bytes], connections: int, seconds: float) -> tuple[list[float], int]:
    """One process: its connections take turns, one request in flight on each."""
    with contextlib.ExitStack() as stack:
        connect = functools.partial(socket.create_connection, ("127.0.0.1", port), timeout=10)
        sockets = [stack.enter_context(connect()) for _ in range(connections)]
        delays, size_bytes, index = [], 0, 0
        ends_at = time.perf_counter() + seconds
        while time.perf_counter() < ends_at:
            sent = []
            for wire in sockets:
                wire.sendall(requests[index % len(requests)])
                index += 1
                sent.append(time.perf_counter())
            for wire, since in zip(sockets, sent, strict=True):
                size_bytes += _read_answer(wire)
                delays.append(time.perf_counter() - since)
        return delays, size_bytes


def _read_answer(wire: socket.socket) -> int:
    data = wire.recv(65536)
    while b"\r\n\r\n" not in data:
        data += wire.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    if head[9:10] != b"2":
        raise LoadFailed(head.split(b"\r\n")[0].decode("latin-1"))
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            size_bytes = int(value)
            while len(body) < size_bytes:
                body += wire.recv(65536)
            break
    else:
        while not body.endswith(b"0\r\n\r\n"):
            body += wire.recv(65536)
    return len(head) + 4 + len(body)
