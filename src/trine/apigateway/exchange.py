"""One request under way: what is known of it so far. Rooms read it; the corridor fills it in, step by step.

It also answers `$context.…` questions for mapping templates, gateway responses and access logs (see `context.py`).
"""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Mapping
from typing import Any

from trine.apigateway.deployment import DeployedRoute
from trine.apigateway.errors import GatewayError, message_text
from trine.apigateway.stage import Located
from trine.aws.ids import Ids
from trine.http.message import Request
from trine.iam.caller import Caller
from trine.trace import Trace, Way

_WAY = ("apigateway.router", "apigateway.event", "apigateway.integration")
"""The rooms of a request that goes well, as its trace keeps them."""


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
    refused: GatewayError | None = None
    """Why the gateway itself answered, once it did."""
    integration_status: int | None = None
    integration_error: str | None = None
    endpoint_request_id: str | None = None
    """Request id of the integration, such as Lambda's."""
    sent: tuple[str, bytes] | None = None
    """Where the integration's request went, and its body; for execution logs."""
    received: bytes | None = None
    """The integration's answer, before mapping."""
    _trace_header: str | None = None
    overrides: dict[str, Any] | None = None
    """`responseOverride` and `requestOverride` that a request template has set."""
    routed_ns = event_ns = integrated_ns = 0
    """When its route was found, its event made, the integration done: monotonic nanoseconds, 0 before."""
    event_detail: Mapping[str, Any] | None = None
    """What its trace tells of the event."""

    def __init__(self, request: Request, located: Located, names: tuple[str, str], trace: Trace, namer: Namer) -> None:
        self.request = request
        self.method = request.method
        self.deployed, self.path, self.full_path, self.domain_name, self.domain_prefix, self.shown_path = located
        self.rest = self.deployed.rest
        """True under a REST API."""
        self.request_id, self.extended_id = names
        self.now_seconds = trace.started_at
        self.source_ip = request.peer_host
        self.trace = trace
        self._namer = namer

    @property
    def trace_header(self) -> str:
        """The `X-Amzn-Trace-Id` to pass on: the client's when it names a root, else a new one."""
        header = self._trace_header
        if header is None:  # no `cached_property`: in Python 3.11 its first look takes a lock and 3 µs
            incoming = self.request.headers.get(b"x-amzn-trace-id")
            if incoming is not None and b"Root=" in incoming and len(incoming) <= TRACE_HEADER_BYTES:
                header = incoming.decode("latin-1")
            else:
                header = self._namer.trace_header(self.now_seconds)
            self._trace_header = header
        return header

    def own_context(self) -> dict[str, Any] | None:
        """`$context` where it is not that of an HTTP request: a WebSocket's event. None for requests."""
        return None

    @property
    def error(self) -> Mapping[str, Any] | None:
        """`$context.error`; None unless the gateway itself answered."""
        error = self.refused
        if error is None:
            return None
        message = error.message if self.rest else error.refusal.http_message
        return {
            "responseType": error.refusal.type,
            "message": message,
            "messageString": message_text(message),
            "validationErrorString": error.facts.get("validationErrorString"),
        }

    @property
    def integration_latency_ms(self) -> int:
        """From the event's making to the integration's answer; 0 when there was none."""
        return (self.integrated_ns - self.event_ns) // 1_000_000 if self.event_ns and self.integrated_ns else 0

    @property
    def authorizer_latency_ms(self) -> int:
        """What the authorizer took."""
        at = {step.room: step.ended_ns for step in self.trace.steps}
        authorized_ns = at.get("apigateway.authorizer", 0)
        return max(0, authorized_ns - self.routed_ns) // 1_000_000 if self.routed_ns and authorized_ns else 0

    def made_event(self, detail: Mapping[str, Any]) -> None:
        """The integration's request is made; `detail` for the trace."""
        self.event_detail, self.event_ns = detail, self.trace.reached()

    def way(self) -> Way:
        """The rooms that it has passed, for its trace. Only with a route."""
        route = self.route
        return (_WAY, route.trace_detail, self.routed_ns, self.event_detail, self.event_ns,
                route.integration_detail, self.integrated_ns)  # fmt: skip

    @property
    def has_route(self) -> bool:
        """False while no route was found."""
        return hasattr(self, "route")


_POOL_BYTES = 6_144
_ID_CHARACTERS = 15
_TRACE_DIGITS = 24
TRACE_HEADER_BYTES = 512


class Namer:
    """Makes the names of requests. They are no secrets, so they are cut from texts made of random bytes beforehand."""

    __slots__ = ("_base64", "_base64_at", "_hex", "_hex_at", "_ids", "_root", "_second")

    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self._hex = self._base64 = ""
        self._hex_at = self._base64_at = 0
        self._second = -1
        self._root = ""
        """How trace headers of `_second` begin."""

    def _digits(self, count: int) -> str:
        at = self._hex_at
        if at + count > len(self._hex):
            self._hex, at = self._ids.random_bytes(_POOL_BYTES).hex(), 0
        self._hex_at = at + count
        return self._hex[at : at + count]

    def names(self, *, rest: bool) -> tuple[str, str]:
        """(request id, extended request id): a UUID and 16 characters with REST, the latter twice with HTTP APIs."""
        at = self._base64_at
        if at + _ID_CHARACTERS > len(self._base64):
            self._base64, at = b2a_base64(self._ids.random_bytes(_POOL_BYTES), newline=False).decode(), 0
        self._base64_at = at + _ID_CHARACTERS
        extended = self._base64[at : at + _ID_CHARACTERS] + "="
        if not rest:
            return extended, extended
        return self._ids.uuid(), extended

    def trace_header(self, now_seconds: float) -> str:
        """A new `X-Amzn-Trace-Id`."""
        second = int(now_seconds)
        if second != self._second:
            self._second, self._root = second, f"Root=1-{second:08x}-"
        at = self._hex_at
        if at + _TRACE_DIGITS > len(self._hex):
            return self._root + self._digits(_TRACE_DIGITS)
        self._hex_at = at + _TRACE_DIGITS
        return self._root + self._hex[at : at + _TRACE_DIGITS]
