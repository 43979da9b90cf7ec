"""WebSocket APIs alone: what a message there and back costs the server, and what connections that say nothing hold.

The client writes ready frames on plain sockets, so that most of the machine is the server's. Costs are processor time
of the server for one message.
"""

from __future__ import annotations

import resource
import selectors
import socket
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks.gateway_run import serve_module
from benchmarks.process import Process

CONNECTIONS = 16
HELD = 5_000
MESSAGE = b'{"action":"echo","text":"hello"}'
HANDSHAKE = (
    b"GET /prod HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
FRAME = bytes([0x81, 0x80 | len(MESSAGE), 0, 0, 0, 0]) + MESSAGE
"""A text frame under a mask of zeros."""
CONNECTS_PER_SECOND = 400
"""Below the account's limit of new connections."""


def _connected(port: int) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port), timeout=30)
    client.sendall(HANDSHAKE)
    head = b""
    while b"\r\n\r\n" not in head:
        head += client.recv(4_096)
    if not head.startswith(b"HTTP/1.1 101"):
        raise RuntimeError(f"no WebSocket: {head[:200]!r}")
    return client


def _messages(port: int, process: Process, seconds: float) -> tuple[float, float]:
    """(messages a second, microseconds of the server for one) with one message under way on each connection."""
    clients = [_connected(port) for _ in range(CONNECTIONS)]
    ready = selectors.DefaultSelector()
    for client in clients:
        ready.register(client, selectors.EVENT_READ)
        client.sendall(FRAME)
    answered, before, since = 0, process.cpu_seconds(), time.perf_counter()
    while time.perf_counter() - since < seconds:
        for key, _ in ready.select(1):
            client = key.fileobj
            assert isinstance(client, socket.socket)
            if client.recv(4_096)[:1] != b"\x81":
                raise RuntimeError("the answer is no text frame")
            answered += 1
            client.sendall(FRAME)
    took, spent = time.perf_counter() - since, process.cpu_seconds() - before
    for client in clients:
        client.close()
    return answered / took, spent / answered * 1e6


def _held(port: int, process: Process) -> str:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < HELD + 200:
        return f"- {HELD:,} connections held: not measured, this system allows {hard:,} descriptors"
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, HELD + 200), hard))
    before_mib = process.memory_mib()[0]
    held: list[socket.socket] = []
    began = time.perf_counter()
    try:
        for number in range(HELD):
            held.append(_connected(port))
            time.sleep(max(0.0, began + number / CONNECTS_PER_SECOND - time.perf_counter()))
        grown_mib = process.memory_mib()[0]
    finally:
        for one in held:
            one.close()
    each_kib = (grown_mib - before_mib) * 1024 / HELD
    grown = f"{before_mib:.0f} MiB before, {grown_mib:.0f} MiB with them"
    return f"- {HELD:,} connections held: {grown}, {each_kib:.1f} KiB each"


def run(rounds: int, seconds: float) -> str:
    """All rows of WebSocket APIs, as Markdown."""
    with tempfile.TemporaryDirectory(prefix="trine-bench-") as directory:
        process, port = serve_module("benchmarks.socket_server", Path(directory))
        try:
            found = [_messages(port, process, seconds) for _ in range(rounds + 1)][1:]  # the first one warms up
            held = _held(port, process)
        finally:
            process.stop()
    rate, micros = (median(figures) for figures in zip(*found, strict=True))
    title = f"a message to a MOCK route and its answer, {CONNECTIONS} connections"
    return "\n".join([f"- {title}: {rate:,.0f} a second, {micros:.0f} µs of the server", held])
