"""The values of asynchronous invocation: an accepted event, how its function wants it treated, and how it ended.

Pure; the queue, its store and the destinations all speak in them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from trine.aws.invoke import InvokeRequest, InvokeResponse
from trine.awslambda import limits


@dataclass(frozen=True, slots=True)
class AsyncEvent:
    """One event on its way. Times in seconds since the epoch."""

    request_id: str
    function: str
    qualifier: str | None
    payload: bytes
    client_context: str | None
    trace_header: str | None
    accepted_at: float
    attempts: int = 0
    """Times that the function ran with it."""
    throttles: int = 0
    """Times in a row that it could not be run at all."""
    next_at: float = 0.0
    source: str | None = None
    """ARN of what sent it by itself: a topic, rule or schedule."""

    def request(self) -> InvokeRequest:
        """The invocation that it asks for."""
        return InvokeRequest(
            self.function,
            self.payload,
            "RequestResponse",
            self.qualifier,
            self.client_context,
            trace_header=self.trace_header,
            source=self.source,
        )


@dataclass(frozen=True, slots=True)
class EventConfig:
    """How a function's events are treated (`AWS::Lambda::EventInvokeConfig`, `DeadLetterConfig`)."""

    retries: int = limits.ASYNC_RETRIES_MAX
    age_seconds: int = limits.ASYNC_AGE_MAX_SECONDS
    on_success: str | None = None
    on_failure: str | None = None
    dead_letter: str | None = None
    modified_at: float = 0.0
    """Seconds since the epoch."""
    properties: Mapping[str, Any] = field(default_factory=dict)
    """As they were given."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an event ended; `response` is the last invocation's, None when there was none."""

    condition: Literal["Success", "RetriesExhausted", "EventAgeExceeded"]
    attempts: int
    response: InvokeResponse | None
