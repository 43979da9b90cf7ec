"""One request through one service: a list of steps, one for each room it passed.

Rooms mark that they are done, or why they refused; readers get steps with times and details. Hardly any trace is ever
read, so what the usual request leaves is one struct and one tuple; steps are made of them when someone asks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from msgspec import Struct

from trine.clock import Clock

CHILDREN_MAX = 200
"""Most traces linked under one parent (a function that makes ten thousand table calls keeps the first ones)."""


class Step(NamedTuple):
    """One room's mark: its name, when it was done (monotonic nanoseconds) and what it found."""

    room: str
    ended_ns: int
    detail: Mapping[str, Any] | None


Detail = Mapping[str, Any] | Callable[[], Mapping[str, Any]] | None
"""What a room found; a function of no arguments makes it only when someone reads the step."""
_Mark = tuple[str, int, Detail]
"""A `Step` as it is kept: every request leaves several, hardly any is ever read."""
Way = tuple[Any, ...]
"""The marks of a way that most requests take, in one piece: (rooms, detail, time, detail, time, …), one pair for each
of `rooms`; 0 for a room that was not reached. A corridor that sets it pays for a tuple (0.1 µs) and a look at the clock
for each room (`reached`) instead of a step. Four rooms, where the trace was begun by `TraceBook.begin` (`rows`)."""


class Trace(Struct, eq=False):
    """The steps of one request through one service (`kind`), linked to the request that caused it.

    Every request makes one: a Struct is made by C alone, in half the time of a class whose `__init__` sets the fields.
    """

    kind: str
    request_id: str
    _tick: Callable[[], int]
    started_ns: int
    started_at: float = 0.0
    """Seconds since the epoch; 0 until it closes where `TraceBook.begin` began it."""
    ended_ns: int = 0
    title: str = ""
    """One line for people: `GET /users/7`, `dynamodb:GetItem Profiles`."""
    outcome: int = 0
    """HTTP status that went out; 0 while the request is under way."""
    usage: Any = None
    """What the request consumed, set by its wing in the words of `metering.usage`; None when nothing."""
    payer: Any = None
    """On whose account it goes (`metering.usage`): set by the corridor that let the request in."""
    way: Way | None = None
    """The marks that the corridor noted in one piece."""
    closed_by: str | None = None
    """The last room, which was done when the answer went out."""
    refusal: Mapping[str, Any] | None = None
    """Why it was refused, in words and facts, when it was."""
    plain: bool = True
    """Whether nothing but `way`, `usage` and `payer` tells of it so far, notes beside the way left aside."""
    listed: bool = False
    """Whether it stands in its book's ring already."""
    origin: tuple[bytes | None, bytes | None] | None = None
    """The caller's `traceparent` and `X-Amzn-Trace-Id`, where the book keeps origins."""
    parent: Trace | None = None
    _marks: list[Any] | None = None
    """Room, time and detail of one mark after the other: kept as tuples, they would take twice the room."""
    _children: list[Trace] | None = None

    @classmethod
    def begun(cls, kind: str, request_id: str, clock: Clock, parent: Trace | None = None) -> Trace:
        """The trace of a request that begins now."""
        trace = cls(kind, request_id, clock.monotonic_ns, clock.monotonic_ns(), clock.now())
        if parent is not None:
            trace.link_to(parent)
        return trace

    @property
    def steps(self) -> list[Step]:
        """What the rooms have marked so far, in order; a new list."""
        return [
            Step(room, ended_ns, detail() if callable(detail) else detail) for room, ended_ns, detail in self._all()
        ]

    def _noted(self) -> list[_Mark]:
        marks = self._marks or []
        return list(zip(marks[::3], marks[1::3], marks[2::3], strict=True))

    def _all(self) -> list[_Mark]:
        """Every mark, in order of time; a new list."""
        marks = self._noted()
        if self.way is not None:
            rooms, *found = self.way
            on_way = [mark for mark in zip(rooms, found[1::2], found[::2], strict=True) if mark[1]]
            marks = sorted([*on_way, *marks], key=_ended) if marks else on_way
        if self.closed_by is not None:
            marks.append((self.closed_by, self.ended_ns, None))
        return marks

    def times(self) -> Iterator[tuple[str, int]]:
        """(room, monotonic nanoseconds) of each mark, in order; the details are left alone."""
        return ((room, ended_ns) for room, ended_ns, _ in self._all())

    @property
    def last_room(self) -> str:
        """The room that marked last; empty when none has."""
        marks = self._all()
        return marks[-1][0] if marks else ""

    @property
    def children(self) -> list[Trace]:
        """The traces linked under this one, in order; a new list."""
        return list(self._children or ())

    def link_to(self, parent: Trace) -> None:
        """Hang this trace under the one that caused it, when that is known only after it was opened."""
        self.parent, self.plain = parent, False
        siblings = parent._children
        if siblings is None:
            parent._children = [self]
        elif len(siblings) < CHILDREN_MAX:
            siblings.append(self)

    def reached(self) -> int:
        """Monotonic nanoseconds: when a room of `way` is done."""
        return self._tick()

    def step(self, room: str, detail: Detail = None) -> None:
        """Mark that `room` is done now; its time began where the step before it ended."""
        marks = self._marks
        if marks is None:
            self._marks = [room, self._tick(), detail]
        else:
            marks += (room, self._tick(), detail)

    def refuse_as(self, refusal: Mapping[str, Any]) -> None:
        """Mark a refusal whose `room`, `reason` and facts stand in a mapping already; nobody may change it later."""
        self.refusal, self.plain = refusal, False
        self.step(refusal["room"], refusal)

    def refuse(self, room: str, reason: str, **facts: Any) -> None:
        """Mark that `room` refused the request, and why."""
        self.refuse_as({"room": room, "reason": reason, **facts})

    def as_document(self) -> dict[str, Any]:
        """This trace and its children as plain JSON values; times in microseconds from this trace's start."""
        return self._document(self.started_ns)

    def _document(self, origin_ns: int) -> dict[str, Any]:
        steps = self.steps
        begun = [self.started_ns, *(step.ended_ns for step in steps)]
        ended_ns = self.ended_ns or begun[-1]
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
                for begin_ns, step in zip(begun, steps, strict=False)
            ],
            "children": [child._document(origin_ns) for child in self._children or ()],
        }


class Untraced(Trace):
    """A trace that notes nothing: what requests pay for being traced is measured against it."""

    def link_to(self, parent: Trace) -> None:
        """Remember the parent only."""
        self.parent = parent

    def reached(self) -> int:
        """Never."""
        return 0

    def step(self, room: str, detail: Detail = None) -> None:
        """Note nothing."""

    def refuse_as(self, refusal: Mapping[str, Any]) -> None:
        """Keep the reason for the answer."""
        self.refusal = refusal

    def refuse(self, room: str, reason: str, **facts: Any) -> None:
        """Keep the reason for the answer."""
        self.refusal = {"room": room, "reason": reason, **facts}


def _ended(mark: _Mark) -> int:
    return mark[1]
