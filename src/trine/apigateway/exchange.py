"""One request under way: what is known of it so far. Rooms read it; the corridor fills it in, step by step.

It also answers `$context.…` questions for mapping templates, gateway responses and access logs (see `context.py`).
"""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Mapping
from typing import Any, NamedTuple

from trine.apigateway.deployment import DeployedRoute
from trine.apigateway.stage import Located
from trine.aws.ids import Ids
from trine.http.message import Request
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
    overrides: dict[str, Any] | None = None
    """`responseOverride` and `requestOverride` that a request template has set."""

    def __init__(
        self, request: Request, located: Located, names: RequestNames, now_seconds: float, trace: Trace
    ) -> None:
        self.request = request
        self.method = request.method
        self.deployed, self.path, self.full_path, self.domain_name, self.domain_prefix, self.shown_path = located
        self.rest = self.deployed.rest
        """True under a REST API."""
        self.request_id, self.extended_id, self.trace_header = names
        self.now_seconds = now_seconds
        self.source_ip = request.peer_host
        self.trace = trace

    @property
    def has_route(self) -> bool:
        """False while no route was found."""
        return hasattr(self, "route")


class RequestNames(NamedTuple):
    """What a request is called: its id, its extended id, and the `X-Amzn-Trace-Id` to pass on."""

    request_id: str
    extended_id: str
    trace_header: str


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

    def names(self, incoming_trace: bytes | None, now_seconds: float, *, rest: bool) -> RequestNames:
        """REST: a UUID and 16 characters; HTTP: the 16 characters twice. The client's trace id stays when it has a
        root."""
        at = self._at
        if at + _ID_BYTES + _TRACE_BYTES > len(self._pool):
            self._pool, at = self._ids.random_bytes(_POOL_BYTES), 0
        self._at = at + _ID_BYTES + _TRACE_BYTES
        extended = b2a_base64(self._pool[at : at + _ID_BYTES], newline=False).decode()
        if incoming_trace is not None and b"Root=" in incoming_trace and len(incoming_trace) <= TRACE_HEADER_BYTES:
            trace_header = incoming_trace.decode("latin-1")
        else:
            trace_header = f"Root=1-{int(now_seconds):08x}-{self._pool[at + _ID_BYTES : self._at].hex()}"
        return RequestNames(self._ids.uuid() if rest else extended, extended, trace_header)
