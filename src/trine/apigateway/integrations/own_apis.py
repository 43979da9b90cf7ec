"""HTTP integrations that name an API of this very stack: `https://{api-id}.execute-api.{region}.amazonaws.com/…`.

Enters the call of an HTTP integration; leaves its answer, made by the front door itself for APIs of the stack, by the
network for everything else. APIs that call one another in a circle are cut.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable
from contextvars import ContextVar
from typing import Protocol
from urllib.parse import urlsplit

from trine.http.client import Client
from trine.http.client_exchange import Answer
from trine.http.client_stream import StreamedAnswer
from trine.http.errors import ConnectFailed
from trine.http.limits import CallLimits
from trine.http.message import Headers, Request, Response

HOPS_MAX = 10
"""APIs of the stack that may call one another within one request."""
_hops: ContextVar[int] = ContextVar("hops", default=0)
Pairs = Iterable[tuple[bytes, bytes]]


class Caller(Protocol):
    """Whoever makes the calls of HTTP integrations."""

    async def call(self, method: str, url: str, headers: Pairs, body: bytes, limits: CallLimits) -> Answer:
        """The whole answer."""

    async def open(self, method: str, url: str, headers: Pairs, body: bytes, limits: CallLimits) -> StreamedAnswer:
        """An answer whose body is still coming."""


class OwnApis:
    """A `Caller` that asks the front door for the stack's own APIs."""

    def __init__(
        self, client: Client, api_ids: Collection[str], door: Callable[[Request], Response | Awaitable[Response]]
    ) -> None:
        self._client, self._api_ids, self._door = client, frozenset(api_ids), door

    async def call(self, method: str, url: str, headers: Pairs, body: bytes, limits: CallLimits) -> Answer:
        """As `Client.call`. ConnectFailed for a circle."""
        parts = urlsplit(url)
        api_id, _, rest = (parts.hostname or "").partition(".")
        if api_id not in self._api_ids or not rest.startswith("execute-api."):
            return await self._client.call(method, url, headers, body, limits)
        hops = _hops.get()
        if hops >= HOPS_MAX:
            raise ConnectFailed(f"the stack's APIs call one another more than {HOPS_MAX} deep")
        _hops.set(hops + 1)  # each integration runs in a task, and so in a context, of its own
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        pairs = [(b"Host", parts.netloc.encode()), *(pair for pair in headers if pair[0].lower() != b"host")]
        answer = self._door(Request(method, target.encode(), Headers(pairs), body))
        response = answer if isinstance(answer, Response) else await answer
        content = response.body
        if not isinstance(content, bytes):
            content = b"".join([piece async for piece in content])
        return Answer(response.status, Headers(response.headers), content)

    async def open(self, method: str, url: str, headers: Pairs, body: bytes, limits: CallLimits) -> StreamedAnswer:
        """As `Client.open`: own APIs are asked over the network like all others."""
        return await self._client.open(method, url, headers, body, limits)
