"""What happened to one request: a list of steps, one for each room it passed.

Every corridor opens a `Trace`, every room it calls adds one step, and a refusal says in its step's detail which
statement, route, limit or missing permission decided. `trine explain`, the waterfall, metrics and receipts are all
read from here. A `TraceBook` keeps the latest ones, bounded, so that busy table traffic cannot push out a refusal.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from trine.clock import Clock

CHILDREN_MAX = 200
"""Most traces linked under one parent (a function that makes ten thousand table calls keeps the first ones)."""


class Step(NamedTuple):
    """One room's mark: its name, when it was done (monotonic nanoseconds) and what it found."""

    room: str
    ended_ns: int
    detail: Mapping[str, Any] | None


_new = tuple.__new__


class Trace:
    """The steps of one request through one service (`kind`), linked to the request that caused it."""

    __slots__ = ("_tick", "children", "ended_ns", "kind", "outcome", "parent", "refusal", "request_id", "started_at",
                 "started_ns", "steps", "title")  # fmt: skip

    def __init__(self, kind: str, request_id: str, clock: Clock, parent: Trace | None = None) -> None:
        self.kind = kind
        self.request_id = request_id
        self._tick: Callable[[], int] = clock.monotonic_ns
        self.started_ns = self._tick()
        self.started_at = clock.now()
        self.ended_ns = 0
        self.steps: list[Step] = []
        self.title = ""
        """One line for people: `GET /users/7`, `dynamodb:GetItem Profiles`."""
        self.outcome: int = 0
        """HTTP status that went out; 0 while the request is under way."""
        self.refusal: Mapping[str, Any] | None = None
        """Why it was refused, in words and facts, when it was."""
        self.parent = parent
        self.children: list[Trace] = []
        if parent is not None and len(parent.children) < CHILDREN_MAX:
            parent.children.append(self)

    def link_to(self, parent: Trace) -> None:
        """Hang this trace under the one that caused it, when that is known only after it was opened."""
        self.parent = parent
        if len(parent.children) < CHILDREN_MAX:
            parent.children.append(self)

    def step(self, room: str, detail: Mapping[str, Any] | None = None) -> None:
        """Mark that `room` is done now; its time began where the step before it ended."""
        # As `Step(…)`, without the Python frame that a NamedTuple's constructor is.
        self.steps.append(_new(Step, (room, self._tick(), detail)))

    def refuse(self, room: str, reason: str, **facts: Any) -> None:
        """Mark that `room` refused the request, and why."""
        self.refusal = {"room": room, "reason": reason, **facts}
        self.steps.append(Step(room, self._tick(), self.refusal))

    def as_document(self) -> dict[str, Any]:
        """This trace and its children as plain JSON values; times in microseconds from this trace's start."""
        return self._document(self.started_ns)

    def _document(self, origin_ns: int) -> dict[str, Any]:
        ended_ns = self.ended_ns or (self.steps[-1].ended_ns if self.steps else self.started_ns)
        begun = [self.started_ns, *(step.ended_ns for step in self.steps)]
        return {
            "kind": self.kind,
            "requestId": self.request_id,
            "title": self.title,
            "startedAt": self.started_at,
            "status": self.outcome,
            "startMicros": (self.started_ns - origin_ns) // 1000,
            "endMicros": (ended_ns - origin_ns) // 1000,
            "refusal": dict(self.refusal) if self.refusal is not None else None,
            "steps": [
                {
                    "room": step.room,
                    "startMicros": (begin_ns - origin_ns) // 1000,
                    "endMicros": (step.ended_ns - origin_ns) // 1000,
                    "detail": dict(step.detail) if step.detail is not None else None,
                }
                for begin_ns, step in zip(begun, self.steps, strict=False)
            ],
            "children": [child._document(origin_ns) for child in self.children],
        }


class TraceBook:
    """The latest traces, found by request id. One ring for each kind and one more for refusals."""

    def __init__(self, clock: Clock, capacity_per_ring: int = 2_000) -> None:
        self._clock = clock
        self._capacity = capacity_per_ring
        self._rings: dict[str, OrderedDict[str, Trace]] = {}
        self._refused: OrderedDict[str, Trace] = OrderedDict()

    def open(self, kind: str, request_id: str, parent: Trace | None = None) -> Trace:
        """Start the trace of a request that has just come in."""
        trace = Trace(kind, request_id, self._clock, parent)
        ring = self._rings.get(kind)
        if ring is None:
            ring = self._rings[kind] = OrderedDict()
        ring[request_id] = trace
        if len(ring) > self._capacity:
            ring.popitem(last=False)
        return trace

    def close(self, trace: Trace, status: int) -> None:
        """The answer of `trace`'s request has gone out with `status`."""
        trace.outcome = status
        trace.ended_ns = self._clock.monotonic_ns()
        if trace.refusal is not None or status >= 400:
            self._refused[trace.request_id] = trace
            if len(self._refused) > self._capacity:
                self._refused.popitem(last=False)

    def find(self, request_id: str) -> Trace | None:
        """The trace of `request_id`, or None when it is unknown or has been pushed out."""
        for ring in (self._refused, *self._rings.values()):
            if (trace := ring.get(request_id)) is not None:
                return trace
        return None

    def latest(self, kind: str, count: int = 50) -> Iterator[Trace]:
        """Up to `count` traces of `kind`, the newest first."""
        ring = self._rings.get(kind, OrderedDict())
        for _, trace in zip(range(count), reversed(ring.values()), strict=False):
            yield trace
