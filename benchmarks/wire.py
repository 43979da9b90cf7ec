"""One raw keep-alive connection: sends bytes, reads whole answers. For loading data and for checking answers."""

from __future__ import annotations

import json
import socket
from types import TracebackType
from typing import Any

ANSWER_TIMEOUT_SECONDS = 30.0


class Wire:
    """A connection to a server on 127.0.0.1, opened again where the server closes it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._open()

    def _open(self) -> None:
        self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=ANSWER_TIMEOUT_SECONDS)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._stream = self._socket.makefile("rb")

    def __enter__(self) -> Wire:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def _close(self) -> None:
        self._stream.close()
        self._socket.close()

    def ask(self, request: bytes) -> tuple[int, bytes]:
        """Send one request; status and body of its answer. Raises ConnectionError where the answer breaks off."""
        self._socket.sendall(request)
        line = self._stream.readline()
        if not line:
            raise ConnectionError("the server closed the connection instead of answering")
        headers: dict[str, str] = {}
        while (entry := self._stream.readline().strip()) != b"":
            name, _, value = entry.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        if headers.get("transfer-encoding", "").lower() == "chunked":
            body = b""
            while size := int(self._stream.readline().split(b";")[0], 16):
                body += self._stream.read(size)
                self._stream.readline()
            self._stream.readline()
        elif "content-length" in headers:
            body = self._stream.read(int(headers["content-length"]))
        else:
            body = self._stream.read()
            headers["connection"] = "close"
        if headers.get("connection", "").lower() == "close" or line.startswith(b"HTTP/1.0"):
            self._close()
            self._open()
        return int(line.split()[1]), body

    def ask_json(self, request: bytes) -> tuple[int, Any]:
        """Send one request; status and the JSON value of its answer."""
        status, body = self.ask(request)
        return status, json.loads(body) if body else None
