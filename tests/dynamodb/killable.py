"""`trine dynamodb` as a process that tests kill, and a client's connection to it that outlives it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.dynamodb.history import Lost, NotDone

TRINE = str(Path(sys.executable).with_name("trine"))
REFUSED = ("TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded", "TransactionInProgress")
STREAM_OPERATIONS = ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")


class Failed(Exception):
    """The condition did not hold."""


def outcome(status: int, body: bytes) -> Any:
    """The document of an answer; Failed for a condition, NotDone for what the server did not do."""
    document = json.loads(body)
    if status == 200:
        return document
    reasons = [reason["Code"] for reason in document.get("CancellationReasons", [])]
    error = str(document["__type"])
    if any(code in error or code in reasons for code in REFUSED):
        raise NotDone
    if "ConditionalCheckFailed" in error or "ConditionalCheckFailed" in reasons:
        raise Failed
    raise AssertionError((status, document))


class Wire:
    """One client's connection to a server that may die; `port` is asked each time."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, operation: str, document: dict[str, Any]) -> Any:
        """The answer's document. Lost where there came none, NotDone where nothing was done, Failed for a condition."""
        body = json.dumps(document).encode()
        service = "DynamoDBStreams_20120810" if operation in STREAM_OPERATIONS else "DynamoDB_20120810"
        head = (
            f"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Amz-Target: {service}.{operation}\r\n"
            f"Content-Type: application/x-amz-json-1.0\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        try:
            return outcome(*await asyncio.wait_for(self._exchange(head.encode() + body), 60))
        except TimeoutError:
            raise
        except (OSError, asyncio.IncompleteReadError) as fault:
            self.close()
            raise Lost from fault

    async def _exchange(self, request: bytes) -> tuple[int, bytes]:
        if self._streams is None:
            try:
                self._streams = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError as fault:
                raise NotDone from fault
        reader, writer = self._streams
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length:")[2].partition("\r\n")[0])
        return int(head.split()[1]), await reader.readexactly(length)

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def verify_and_start(port: int, state: Path, *options: str) -> subprocess.Popen[bytes]:
    """Start the server again on a state that `trine store verify` has nothing to say against."""
    verified = subprocess.run([TRINE, "store", "verify", str(state)], capture_output=True, text=True)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    return start(port, state, *options)


def start(port: int, state: Path, *options: str) -> subprocess.Popen[bytes]:
    """Start the server; it is ready."""
    command = [TRINE, "dynamodb", "--port", str(port), "--json", *options]
    server = subprocess.Popen([*command, "--state", str(state)], stdout=subprocess.PIPE, cwd=state.parent)
    assert server.stdout is not None
    assert b"dynamodbUrl" in server.stdout.readline()
    return server


def stop(server: subprocess.Popen[bytes]) -> None:
    """End the server as Ctrl-C does."""
    os.kill(server.pid, signal.SIGINT)
    server.wait(30)
    assert server.stdout is not None
    server.stdout.close()
