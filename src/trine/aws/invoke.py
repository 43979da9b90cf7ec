"""Invoking a function, as the words that callers and the function wing share.

The front door, event sources and the Lambda API know functions only through `Invoker`. Enters an `InvokeRequest`,
leaves a future of an `InvokeResponse`; a refusal (unknown function, throttled, not permitted, payload too large) is
an `AwsError` raised from the future.
"""

from __future__ import annotations

from asyncio import Future
from dataclasses import dataclass
from typing import Literal, Protocol

from trine.trace import Trace

InvocationType = Literal["RequestResponse", "Event", "DryRun"]


@dataclass(frozen=True, slots=True)
class ServiceCaller:
    """A service that invokes by the function's resource policy: `apigateway.amazonaws.com` for one source ARN."""

    service: str
    source_arn: str
    source_account: str


@dataclass(frozen=True, slots=True)
class InvokeRequest:
    """One wish to run a function. `payload` is the event as JSON bytes. `function` is a name or any ARN form."""

    function: str
    payload: bytes
    invocation_type: InvocationType = "RequestResponse"
    qualifier: str | None = None
    client_context: str | None = None
    """Base64 JSON, as in `X-Amz-Client-Context`."""
    tail_log: bool = False
    caller: ServiceCaller | None = None
    """Checked against the function's resource policy; None when the caller was already authorized by identity."""
    trace: Trace | None = None
    """The trace of the request that causes this invocation."""
    trace_header: str | None = None
    """`X-Amzn-Trace-Id` to pass on."""


@dataclass(frozen=True, slots=True)
class InvokeResponse:
    """What came back. `function_error` is `Unhandled` or `Handled` when the function failed; payload tells how."""

    status: int
    payload: bytes
    request_id: str
    function_error: str | None = None
    executed_version: str = "$LATEST"
    log_tail: bytes | None = None
    """Last 4 KB of the invocation's log when asked for."""


class Invoker(Protocol):
    """Whoever can run functions."""

    def invoke(self, request: InvokeRequest) -> Future[InvokeResponse]:
        """Run a function; never blocks. The future fails with `AwsError` when the function did not run."""
