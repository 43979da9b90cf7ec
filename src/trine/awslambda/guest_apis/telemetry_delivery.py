"""How telemetry reaches an extension: batches posted by HTTP as JSON lists, or lines of JSON over one TCP connection.

Enters a destination as it stands in a subscription and batches of events, leaves bytes on a loopback socket. Source:
developer guide, "Telemetry API reference", Destination.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, Protocol
from urllib.parse import urlsplit, urlunsplit

from trine.clock import Clock
from trine.http.errors import ClientError
from trine.http.limits import CallLimits

HOSTS = ("sandbox.localdomain", "sandbox")
_LIMITS = CallLimits(connect_timeout_seconds=1.0, total_timeout_seconds=3.0, body_bytes=65_536)


class InvalidSubscription(Exception):
    """What an extension asks for is wrong; the text tells it how."""


class Delivery(Protocol):
    """One destination."""

    async def deliver(self, batch: list[bytes]) -> None:
        """Hand over events. Raises OSError when the receiver did not take them."""

    async def close(self) -> None:
        """Nothing more follows."""


def delivery(wish: dict[str, Any], clock: Clock) -> Delivery:
    """The way to a subscription's `destination`. Raises InvalidSubscription."""
    given = wish.get("destination")
    given = given if isinstance(given, dict) else {}
    protocol = given.get("protocol")
    if protocol == "HTTP":
        return _Http(_url(given), clock)
    if protocol == "TCP":
        port = given.get("port")
        if not isinstance(port, int) or isinstance(port, bool) or not 0 < port < 65_536:
            raise InvalidSubscription(f"destination.port must be a port's number, not {port!r}")
        return _Tcp(port)
    raise InvalidSubscription("destination.protocol must be HTTP or TCP")


def _url(given: Any) -> str:
    url = str(given.get("URI") if given.get("URI") is not None else given.get("uri"))
    try:
        parts = urlsplit(url)
        port = parts.port or 80
    except ValueError:
        raise InvalidSubscription(f"destination.URI is no address: {url}") from None
    if parts.scheme != "http" or parts.hostname not in HOSTS:
        raise InvalidSubscription(f"destination.URI must begin with http://{HOSTS[0]}, not {url}")
    return urlunsplit(("http", f"127.0.0.1:{port}", parts.path or "/", parts.query, ""))


class _Http:
    def __init__(self, url: str, clock: Clock) -> None:
        from trine.http.client import Client  # most servers never post to an extension

        self._url = url
        self._client = Client(clock, _LIMITS)

    async def deliver(self, batch: list[bytes]) -> None:
        body = b"[" + b",".join(batch) + b"]"
        try:
            await self._client.call("POST", self._url, [(b"content-type", b"application/json")], body)
        except ClientError as error:
            raise OSError(str(error)) from error

    async def close(self) -> None:
        """Each batch is a call of its own."""


class _Tcp:
    def __init__(self, port: int) -> None:
        self._port = port
        self._writer: asyncio.StreamWriter | None = None

    async def deliver(self, batch: list[bytes]) -> None:
        try:
            async with asyncio.timeout(_LIMITS.total_timeout_seconds):
                if self._writer is None:
                    _, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
                self._writer.write(b"\n".join(batch) + b"\n")
                await self._writer.drain()
        except OSError:  # TimeoutError is one
            await self.close()
            raise

    async def close(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            with contextlib.suppress(OSError):
                writer.close()
                await writer.wait_closed()
