"""One request under way: what is known of it so far. Rooms read it; the corridor fills it in, step by step.

It also answers `$context.…` questions for mapping templates, gateway responses and access logs (see `context.py`).
"""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from trine.apigateway.deployment import DeployedRoute
from trine.apigateway.stage import Located
from trine.aws.ids import Ids
from trine.http.message import Request
from trine.iam.caller import Caller
from trine.trace import Trace


class Exchange:
    """A request, where it goes, who sent it. What is not known yet stands in the class, so that making one is cheap."""

    trace: Trace
    route: DeployedRoute
    parameters: dict[str, str] | None = None
    """Raw path parameters."""
    authorizer: Mapping[str, Any] | None = None
    """What stands in `requestContext.authorizer`."""
    identity: Mapping[str, Any] | None = None
    """What authorization adds to `requestContext.identity`."""
    caller: Caller | None = None
    """Who signed the request (AWS_IAM)."""
    principal_id: str | None = None
    """Who a Lambda authorizer says the caller is."""
    usage_key: str | None = None
    """`usageIdentifierKey` of a Lambda authorizer."""
    error: Mapping[str, Any] | None = None
    """`$context.error`, once the gateway refused."""
    integration_status: int | None = None
    integration_error: str | None = None
    endpoint_request_id: str | None = None
    """Request id of the integration, such as Lambda's."""
    sent: tuple[str, bytes] | None = None
    """Where the integration's request went, and its body; for execution logs."""
    received: bytes | None = None
    """The integration's answer, before mapping."""
    overrides: dict[str, Any] | None = None
    """`responseOverride` and `requestOverride` that a request template has set."""

    def __init__(
        self, request: Request, located: Located, names: tuple[str, str], now_seconds: float, trace: Trace, namer: Namer
    ) -> None:
        self.request = request
        self.method = request.method
        self.deployed, self.path, self.full_path, self.domain_name, self.domain_prefix, self.shown_path = located
        self.rest = self.deployed.rest
        """True under a REST API."""
        self.request_id, self.extended_id = names
        self.now_seconds = now_seconds
        self.source_ip = request.peer_host
        self.trace = trace
        self._namer = namer

    @cached_property
    def trace_header(self) -> str:
        """The `X-Amzn-Trace-Id` to pass on: the client's when it names a root, else a new one."""
        incoming = self.request.headers.get(b"x-amzn-trace-id")
        if incoming is not None and b"Root=" in incoming and len(incoming) <= TRACE_HEADER_BYTES:
            return incoming.decode("latin-1")
        return self._namer.trace_header(self.now_seconds)

    @property
    def integration_latency_ms(self) -> int:
        """From the event's making to the integration's answer; 0 when there was none."""
        return self._between_ms("apigateway.event", "apigateway.integration")

    @property
    def authorizer_latency_ms(self) -> int:
        """What the authorizer took."""
        return self._between_ms("apigateway.router", "apigateway.authorizer")

    def _between_ms(self, begin: str, end: str) -> int:
        at = {step.room: step.ended_ns for step in self.trace.steps}
        return max(0, at[end] - at[begin]) // 1_000_000 if begin in at and end in at else 0

    @property
    def has_route(self) -> bool:
        """False while no route was found."""
        return hasattr(self, "route")


_POOL_BYTES = 4_096
_ID_BYTES = 11
_TRACE_BYTES = 12
TRACE_HEADER_BYTES = 512


class Namer:
    """Makes the names of requests. They are no secrets, so they are cut from a pool of random bytes."""

    __slots__ = ("_at", "_ids", "_pool")

    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self._pool = b""
        self._at = 0

    def _take(self, count: int) -> bytes:
        at = self._at
        if at + count > len(self._pool):
            self._pool, at = self._ids.random_bytes(_POOL_BYTES), 0
        self._at = at + count
        return self._pool[at : at + count]

    def names(self, *, rest: bool) -> tuple[str, str]:
        """(request id, extended request id): a UUID and 16 characters with REST, the latter twice with HTTP APIs."""
        extended = b2a_base64(self._take(_ID_BYTES), newline=False).decode()
        return (self._ids.uuid() if rest else extended, extended)

    def trace_header(self, now_seconds: float) -> str:
        """A new `X-Amzn-Trace-Id`."""
        return f"Root=1-{int(now_seconds):08x}-{self._take(_TRACE_BYTES).hex()}"
