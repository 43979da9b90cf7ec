"""Traces for whoever collects them: each closed trace becomes an OpenTelemetry span and goes out by OTLP over HTTP.

Enters closed traces; leaves batches at a collector, by OpenTelemetry's own exporter in a thread of its own (the extra
`trine[otel]`). A request pays one append to a bounded list. What does not fit, or is not taken, is counted and told.
"""

from __future__ import annotations

import hashlib
import logging
import re
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from trine.metering.usage import root_of
from trine.trace import Follower, Trace

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

_log = logging.getLogger("trine.traces")
WAITING_MAX = 10_000
"""Traces that wait to be sent."""
BATCH_MAX = 512
PAUSE_SECONDS = 1.0
"""Between two batches when there is nothing to hurry for."""
SEND_TIMEOUT_SECONDS = 5
CLOSE_SECONDS = 6.0
_TRACEPARENT = re.compile(rb"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(?:-|$)")
"""W3C Trace Context, level 1: version, trace id, parent id, flags; later versions may add members."""
_ROOT = re.compile(rb"Root=1-([0-9a-f]{8})-([0-9a-f]{24})(?![0-9a-f])")
_PARENT = re.compile(rb"Parent=([0-9a-f]{16})(?![0-9a-f])")
"""X-Ray's trace id without its dashes is OpenTelemetry's (AWS Distro for OpenTelemetry maps them so)."""


class Follow(Protocol):
    """`TraceBook.follow`."""

    def __call__(self, follower: Follower, *, every: bool) -> Callable[[], None]: ...


class ExportUnavailable(Exception):
    """OpenTelemetry is not installed; the text says what to install."""


class TraceExport:
    """Sends what closes to `endpoint` (`http://127.0.0.1:4318/v1/traces`) until it is closed."""

    def __init__(self, follow: Follow, endpoint: str, stack_name: str, region: str) -> None:
        """ExportUnavailable when the extra is not installed."""
        try:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
            from opentelemetry.sdk.resources import Resource
        except ImportError as missing:
            raise ExportUnavailable(f"traces go out by OpenTelemetry: pip install 'trine[otel]' ({missing})") from None
        self._exporter = OTLPSpanExporter(endpoint=endpoint, timeout=SEND_TIMEOUT_SECONDS)
        names = {"service.name": stack_name, "cloud.region": region, "telemetry.distro.name": "trine"}
        self._resource = Resource.create(names)
        self._waiting: deque[Trace] = deque(maxlen=WAITING_MAX)
        self.dropped = 0
        """Traces that were not sent: too many waited, or the collector did not take them."""
        self._closing = threading.Event()
        self._stop = follow(self._note, every=True)
        self._thread = threading.Thread(target=self._run, name="trine-otlp", daemon=True)
        self._thread.start()

    def _note(self, traces: Sequence[Trace]) -> None:
        self.dropped += max(0, len(self._waiting) + len(traces) - WAITING_MAX)
        self._waiting.extend(traces)

    def close(self) -> None:
        """Send what waits, within a few seconds, and end the thread."""
        self._stop()
        self._closing.set()
        self._thread.join(CLOSE_SECONDS)
        self._exporter.shutdown()  # type: ignore[no-untyped-call]
        self._thread.join(CLOSE_SECONDS)  # a batch that was being tried again is given up
        if self.dropped:
            _log.warning("%d traces were not sent to the collector", self.dropped)

    def _run(self) -> None:
        while not self._closing.wait(0 if len(self._waiting) >= BATCH_MAX else PAUSE_SECONDS):
            self._send()
        while self._waiting and self._send():
            pass

    def _send(self) -> bool:
        """Send one batch; whether the collector took it."""
        from opentelemetry.sdk.trace.export import SpanExportResult

        batch = [self._waiting.popleft() for _ in range(min(BATCH_MAX, len(self._waiting)))]
        if not batch:
            return True
        try:
            taken = self._exporter.export([self._span(trace) for trace in batch]) is SpanExportResult.SUCCESS
        except Exception:
            # The last except of this thread: whatever the exporter meets, requests must not notice.
            _log.exception("a batch of traces could not be sent")
            taken = False
        if not taken:
            self.dropped += len(batch)
        return taken

    def _span(self, trace: Trace) -> ReadableSpan:
        from opentelemetry.sdk.trace import Event, ReadableSpan
        from opentelemetry.trace import SpanContext, SpanKind, TraceFlags
        from opentelemetry.trace.status import Status, StatusCode

        root = root_of(trace)
        trace_id, caller_id = origin_of(root) or (_number(root.request_id, 16), 0)

        def context(of: Trace) -> SpanContext:
            return SpanContext(trace_id, _number(of.request_id, 8), False, TraceFlags(1))

        parent = None
        if trace.parent is not None:
            parent = context(trace.parent)
        elif caller_id:
            parent = SpanContext(trace_id, caller_id, True, TraceFlags(1))
        begun_ns = int(trace.started_at * 1e9)
        events = [
            Event(step.room, _attributes(step.detail or {}), begun_ns + step.ended_ns - trace.started_ns)
            for step in trace.steps
        ]
        attributes: dict[str, Any] = {"trine.request_id": trace.request_id, "trine.kind": trace.kind}
        if trace.outcome:
            attributes["http.response.status_code"] = trace.outcome
        if trace.refusal is not None:
            attributes["trine.refused_by"] = str(trace.refusal.get("room"))
        failed = trace.outcome >= 500
        return ReadableSpan(
            name=str(trace.title or trace.kind)[:200],
            context=context(trace),
            parent=parent,
            resource=self._resource,
            attributes=attributes,
            events=events,
            kind=SpanKind.SERVER if trace.parent is None else SpanKind.INTERNAL,
            status=Status(StatusCode.ERROR if failed else StatusCode.UNSET),
            start_time=begun_ns,
            end_time=begun_ns + max(0, trace.ended_ns - trace.started_ns),
        )


def origin_of(root: Trace) -> tuple[int, int] | None:
    """(trace id, the caller's span id or 0) from what the caller sent: `traceparent` first, then X-Ray's header."""
    traceparent, amazon = root.origin or (None, None)
    if traceparent is not None and (found := _TRACEPARENT.match(traceparent)) is not None:
        trace_id, span_id = int(found[1], 16), int(found[2], 16)
        if trace_id and span_id:
            return trace_id, span_id
    if (
        amazon is not None
        and (found := _ROOT.search(amazon)) is not None
        and (trace_id := int(found[1] + found[2], 16))
    ):
        parent = _PARENT.search(amazon)
        return trace_id, int(parent[1], 16) if parent is not None else 0
    return None


def _number(request_id: str, size_bytes: int) -> int:
    """An id of OpenTelemetry's from a request id: the same request has the same wherever it is asked for."""
    return int.from_bytes(hashlib.sha256(request_id.encode()).digest()[:size_bytes], "big") or 1


def _attributes(detail: Any) -> dict[str, Any]:
    return {
        str(name): value if isinstance(value, bool | int | float | str) else str(value)[:500]
        for name, value in detail.items()
    }
