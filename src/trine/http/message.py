"""A request and a response as plain values; bytes as they came, nothing of AWS.

Header names are matched in lower case; the pairs keep the spelling and order of the wire (REST events show it).
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trine.http.server import Server


class Headers:
    """Header pairs in wire order, with quick look-up of a name in lower case."""

    __slots__ = ("_spelled", "by_name", "pairs", "repeats")
    pairs: list[tuple[bytes, bytes]]

    def __init__(
        self,
        pairs: Iterable[tuple[bytes, bytes]] = (),
        by_name: dict[bytes, bytes] | None = None,
        spelled: Sequence[bytes] = (),
    ) -> None:
        """From `pairs`, with `by_name` where that is known already. Or from `by_name`, in wire order, where no name
        comes twice, and the names as they are `spelled`: then the pairs are made when someone asks for them, which
        calls to the table never do.
        """
        self.repeats = False
        """Whether a name comes twice or more."""
        if spelled:
            assert by_name is not None
            self._spelled = spelled
            self.by_name = by_name
            return
        # A list is taken over, not copied: the parser makes one for each request.
        self.pairs = pairs if type(pairs) is list else list(pairs)
        if by_name is None:
            by_name = {name.lower(): value for name, value in self.pairs}
            if len(by_name) != len(self.pairs):  # walked backwards, the first appearance is written last and stays
                by_name = {name.lower(): value for name, value in reversed(self.pairs)}
        self.repeats = len(by_name) != len(self.pairs)
        self.by_name = by_name
        """Lower-case name → value of its first appearance. Made at once, for the parser asks; read without a call."""

    def __getattr__(self, name: str) -> list[tuple[bytes, bytes]]:
        """The pairs, the first time that they are asked for: only what is not there comes here."""
        if name != "pairs":
            raise AttributeError(name)
        self.pairs = made = list(zip(self._spelled, self.by_name.values(), strict=True))
        return made

    def get(self, name: bytes) -> bytes | None:
        """The first value of `name` (lower case), or None."""
        return self.by_name.get(name)

    def all(self, name: bytes) -> list[bytes]:
        """Every value of `name` (lower case), in wire order."""
        return [value for key, value in self.pairs if key.lower() == name]

    def __iter__(self) -> Iterator[tuple[bytes, bytes]]:
        return iter(self.pairs)

    def __len__(self) -> int:
        return len(self.pairs)


class Request:
    """One HTTP request, whole: the server hands it on after the last byte of its body."""

    __slots__ = ("body", "head_bytes", "headers", "method", "path", "peer_host", "peer_port", "query", "target",
                 "version")  # fmt: skip

    def __init__(
        self,
        method: str,
        target: bytes,
        headers: Headers,
        body: bytes = b"",
        peer_host: str = "127.0.0.1",
        peer_port: int = 0,
        version: str = "1.1",
        head_bytes: int = 0,
    ) -> None:
        self.method = method
        self.target = target
        """Origin form as it stood in the request line, percent-encoding untouched."""
        self.path, _, self.query = target.partition(b"?")
        self.headers = headers
        self.body = body
        self.peer_host = peer_host
        self.peer_port = peer_port
        self.version = version
        self.head_bytes = head_bytes
        """Request line and headers have no more bytes than this on the wire; 0: not known."""


class Response:
    """One HTTP response. `body` as bytes is sent with content-length; as an async iterable, chunked.

    An async iterable is read no faster than the client takes it. Its `aclose`, where it has one, is called at its end,
    when the client has gone, and when the body is not wanted at all (HEAD, 204). It raises `BodyBroken` to tell the
    client that the body is not whole: the connection ends without a last chunk.

    The server adds `date`, `content-length` or `transfer-encoding`, and `connection` where needed; handlers never set
    those. `headers` go out in their order and spelling, after `head`: header lines that are rendered already, each
    ending in CR LF, for an endpoint whose headers are the same every time (their maker vouches for them).
    """

    __slots__ = ("body", "head", "headers", "status")

    def __init__(
        self,
        status: int,
        headers: Iterable[tuple[bytes, bytes]] = (),
        body: bytes | AsyncIterable[bytes] = b"",
        head: bytes = b"",
    ) -> None:
        self.status = status
        self.headers: list[tuple[bytes, bytes]] = headers if type(headers) is list else list(headers)
        self.body = body
        self.head = head


class Successor(asyncio.Protocol):
    """What takes a connection over once HTTP is done with it: a WebSocket. It stays under its server's watch."""

    __slots__ = ()

    @abstractmethod
    def begin(self, server: Server, transport: asyncio.Transport, held: bytes, paused: bool) -> None:
        """The answer with status 101 has been written. `held` came behind the request; `paused`: writing is paused.

        From now on the event loop calls this object; it tells `server.forget` when the connection is lost.
        """

    @abstractmethod
    def check(self) -> None:
        """One tick of the server's watch: has this client taken too long?"""

    @abstractmethod
    def shut(self) -> None:
        """The server closes: say goodbye."""

    @abstractmethod
    def cut(self) -> None:
        """The server's grace is over."""


class Switch(Response):
    """The answer 101: the connection is handed over to `successor`. Only for a request that asked for a WebSocket."""

    __slots__ = ("successor",)

    def __init__(self, successor: Successor, head: bytes) -> None:
        super().__init__(101, head=head)
        self.successor = successor


Handler = Callable[[Request], Response | Awaitable[Response]]
"""What a server calls. A plain `Response` is sent at once, with no task or future made: the hot path."""
