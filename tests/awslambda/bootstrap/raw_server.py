"""A server that hears each request as it stands on the wire and leaves the answer, down to its bytes, to a test."""

from __future__ import annotations

import contextlib
import socket
import threading
from abc import ABC, abstractmethod

from trine.awslambda.bootstrap import sdk_wire

Headers = dict[str, str]


class RawServer(ABC):
    """Listens on a free port of the loopback; a thread for each connection, until `close`."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0
        threading.Thread(target=self._accept, daemon=True).start()

    @abstractmethod
    def answer(self, connection: socket.socket, line: str, headers: Headers, body: bytes) -> bool:
        """Answer one request over `connection`; False ends that connection."""

    def close(self) -> None:
        """Take no further connection."""
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError), connection.makefile("rb") as reader:
            while line := reader.readline():
                headers: Headers = {}
                while text := reader.readline().decode("latin-1").strip():
                    name, _, value = text.partition(": ")
                    headers[name] = value
                lengths = [value for name, value in headers.items() if name.lower() == "content-length"]
                body = reader.read(int(lengths[0]) if lengths else 0)
                if not self.answer(connection, line.decode("latin-1").strip(), headers, body):
                    return


def forget_connections() -> None:
    """Close what the SDK's short road keeps for its next request."""
    for pool in sdk_wire._idle.values():
        for connection in pool:
            connection.close()
    sdk_wire._idle.clear()
