"""One request under way: what is known of it so far. Rooms read it; the corridor fills it in, step by step.

It also answers `$context.…` questions for mapping templates, gateway responses and access logs (see `context.py`).
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from trine.apigateway.deployment import DeployedRoute, DeployedStage
from trine.apigateway.stage import Located
from trine.aws.ids import Ids
from trine.http.message import Request
from trine.trace import Trace


class Exchange:
    """A request, where it goes, who sent it."""

    __slots__ = ("authorizer", "deployed", "domain_name", "domain_prefix", "endpoint_request_id", "error",
                 "extended_id", "full_path", "identity", "integration_error", "integration_status", "method",
                 "now_seconds", "overrides", "parameters", "path", "principal_id", "request", "request_id", "route",
                 "source_ip", "trace", "trace_header", "usage", "usage_key")  # fmt: skip

    def __init__(
        self, request: Request, located: Located, request_id: str, extended_id: str, now_seconds: float
    ) -> None:
        self.request = request
        self.method = request.method
        self.deployed: DeployedStage = located.deployed
        self.path = located.path
        self.full_path = located.full_path
        self.domain_name = located.domain_name
        self.domain_prefix = located.domain_prefix
        self.request_id = request_id
        self.extended_id = extended_id
        self.now_seconds = now_seconds
        self.source_ip = request.peer_host
        self.trace_header = ""
        self.trace: Trace | None = None
        self.route: DeployedRoute
        self.parameters: dict[str, str] | None = None
        """Raw path parameters."""
        self.authorizer: Mapping[str, Any] | None = None
        """What stands in `requestContext.authorizer`."""
        self.identity: dict[str, Any] | None = None
        """What authorization adds to `requestContext.identity`."""
        self.usage: Any = None
        """The API key and usage plan that admitted the request."""
        self.error: Mapping[str, Any] | None = None
        """`$context.error`, once the gateway refused."""
        self.integration_status: int | None = None
        self.integration_error: str | None = None
        self.endpoint_request_id: str | None = None
        """Request id of the integration, such as Lambda's."""
        self.overrides: dict[str, Any] | None = None
        """`responseOverride` and `requestOverride` that a request template has set."""
        self.usage_key: str | None = None
        """`usageIdentifierKey` of a Lambda authorizer."""
        self.principal_id: str | None = None
        """Who a Lambda authorizer says the caller is."""

    @property
    def has_route(self) -> bool:
        """False while no route was found."""
        return hasattr(self, "route")

    @property
    def rest(self) -> bool:
        """True under a REST API."""
        return self.deployed.api.is_rest


def make_ids(ids: Ids, *, rest: bool) -> tuple[str, str]:
    """(request id, extended request id): a UUID and 16 characters with REST, the latter twice with HTTP APIs."""
    extended = b64encode(ids.random_bytes(11)).decode()
    return (ids.uuid(), extended) if rest else (extended, extended)


def make_trace_header(incoming: bytes | None, ids: Ids, now_seconds: float) -> str:
    """The `X-Amzn-Trace-Id` to pass on: the client's when it names a root, else a new one."""
    if incoming is not None and b"Root=" in incoming and len(incoming) <= 512:
        return incoming.decode("latin-1")
    return f"Root=1-{int(now_seconds):08x}-{ids.random_bytes(12).hex()}"
