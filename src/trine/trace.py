"""What happened to one request: a list of steps, one for each room it passed.

Every corridor opens a `Trace`, every room it calls adds one step, and a refusal says in its step's detail which
statement, route, limit or missing permission decided. `trine explain`, the waterfall, metrics and receipts are all
read from here. A `TraceBook` keeps the latest ones, bounded, so that busy table traffic cannot push out a refusal.
Hardly any trace is ever read, so what the usual request leaves is one struct and one tuple; steps are made of them when
someone asks.
"""

from __future__ import annotations

from collections import OrderedDict, deque
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
of `rooms`; 0 for a room that was not reached. A corridor that sets it pays for a tuple (0.1 µs) instead of a call for
each room (0.8 µs together)."""


class Trace(Struct, eq=False):
    """The steps of one request through one service (`kind`), linked to the request that caused it.

    Every request makes one: a Struct is made by C alone, in half the time of a class whose `__init__` sets the fields.
    """

    kind: str
    request_id: str
    _tick: Callable[[], int]
    started_ns: int
    started_at: float
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
    origin: tuple[bytes | None, bytes | None] | None = None
    """The caller's `traceparent` and `X-Amzn-Trace-Id`, where the book keeps origins."""
    parent: Trace | None = None
    _marks: list[_Mark] | None = None
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

    def _all(self) -> list[_Mark]:
        """Every mark, in order of time; not to be changed."""
        marks = self._marks or []
        if self.way is not None:
            rooms, *found = self.way
            on_way = [mark for mark in zip(rooms, found[1::2], found[::2], strict=True) if mark[1]]
            marks = sorted([*on_way, *marks], key=_ended) if marks else on_way
        if self.closed_by is not None:
            return [*marks, (self.closed_by, self.ended_ns, None)]
        return marks

    def times(self) -> Iterator[tuple[str, int]]:
        """(room, monotonic nanoseconds) of each mark, in order; the details are left alone."""
        return ((room, ended_ns) for room, ended_ns, _ in self._all())

    def time_of(self, room: str) -> int | None:
        """Nanoseconds from the mark before `room`'s to its own (the last one); None when it left none."""
        marks = self._marks if self.way is None and self.closed_by is None else self._all()
        at = len(marks or ())
        while marks and at:  # from the end: what is asked for is one of the last
            at -= 1
            if marks[at][0] == room:
                return marks[at][1] - (marks[at - 1][1] if at else self.started_ns)
        return None

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
        self.parent = parent
        siblings = parent._children
        if siblings is None:
            parent._children = [self]
        elif len(siblings) < CHILDREN_MAX:
            siblings.append(self)

    def step(self, room: str, detail: Detail = None) -> None:
        """Mark that `room` is done now; its time began where the step before it ended."""
        # In full, here and below: a request marks seven times, and a call for it would cost as much as the marking.
        if self._marks is None:
            self._marks = [(room, self._tick(), detail)]
        else:
            self._marks.append((room, self._tick(), detail))

    def _mark(self, mark: _Mark) -> None:
        if self._marks is None:
            self._marks = [mark]
        else:
            self._marks.append(mark)

    def refuse_as(self, refusal: Mapping[str, Any]) -> None:
        """Mark a refusal whose `room`, `reason` and facts stand in a mapping already; nobody may change it later."""
        self.refusal = refusal
        self._mark((refusal["room"], self._tick(), refusal))

    def refuse(self, room: str, reason: str, **facts: Any) -> None:
        """Mark that `room` refused the request, and why."""
        self.refusal = {"room": room, "reason": reason, **facts}
        self._mark((room, self._tick(), self.refusal))

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

    def step(self, room: str, detail: Detail = None) -> None:
        """Note nothing."""

    def refuse_as(self, refusal: Mapping[str, Any]) -> None:
        """Keep the reason for the answer."""
        self.refusal = refusal

    def refuse(self, room: str, reason: str, **facts: Any) -> None:
        """Keep the reason for the answer."""
        self.refusal = {"room": room, "reason": reason, **facts}


class TraceBook:
    """The latest traces, found by request id. One ring for each kind and one more for refusals.

    `recording` False keeps nothing at all, and nobody can follow: only to measure what it costs.
    """

    def __init__(self, clock: Clock, capacity_per_ring: int = 2_000, *, recording: bool = True) -> None:
        self._clock = clock
        self._tick, self._now = clock.monotonic_ns, clock.now
        self.recording = recording
        self.keeps_origin = False
        """Whether doors note where requests come from: who exports traces sets it."""
        self._capacity = capacity_per_ring
        self._rings: dict[str, deque[Trace]] = {}
        self._refused: OrderedDict[str, Trace] = OrderedDict()
        self._follower: Callable[[Trace], None] | None = None
        self._followers: list[Callable[[Trace], None]] = []

    def follow(self, follower: Callable[[Trace], None]) -> Callable[[], None]:
        """From now on call `follower` with each trace that closes, until what is returned is called.

        It must be quick and never raise: every request waits for it.
        """
        self._followers.append(follower)
        self._join_followers()

        def stop() -> None:
            if follower in self._followers:
                self._followers.remove(follower)
                self._join_followers()

        return stop

    def _join_followers(self) -> None:
        followers = tuple(self._followers)

        def everyone(trace: Trace) -> None:
            for follower in followers:
                follower(trace)

        self._follower = followers[0] if len(followers) == 1 else everyone if followers else None

    def open(self, kind: str, request_id: str, parent: Trace | None = None) -> Trace:
        """Start the trace of a request that has just come in."""
        tick = self._tick
        if not self.recording:
            return Untraced(kind, request_id, tick, 0, 0.0)
        trace = Trace(kind, request_id, tick, tick(), self._now())
        if parent is not None:
            trace.link_to(parent)
        ring = self._rings.get(kind)
        if ring is None:
            ring = self._rings[kind] = deque(maxlen=self._capacity)
        elif len(ring) == self._capacity and ring[0]._children is not None:
            _let_go(ring[0])
        ring.append(trace)
        return trace

    def close(self, trace: Trace, status: int, room: str | None = None) -> None:
        """The answer of `trace`'s request has gone out with `status`; `room` is the last one, which is done now too."""
        if not self.recording:
            return
        trace.outcome = status
        trace.ended_ns = self._tick()
        trace.closed_by = room
        if status >= 400 or trace.refusal is not None:
            self._refused[trace.request_id] = trace
            if len(self._refused) > self._capacity:
                self._refused.popitem(last=False)
        if self._follower is not None:
            self._follower(trace)

    def find(self, request_id: str) -> Trace | None:
        """The trace of `request_id`, or None when it is unknown or has been pushed out."""
        found = self._find(request_id)
        below, above = found, None if found is None else found.parent
        while below is not None and above is not None:  # causes that were pushed out before have lost their children
            if above._children is None:
                above._children = [below]
            below, above = above, above.parent
        return found

    def _find(self, request_id: str) -> Trace | None:
        if (refused := self._refused.get(request_id)) is not None:
            return refused
        # Every request is kept and hardly any looked for: no index, a walk instead.
        for ring in self._rings.values():
            for trace in reversed(list(ring)):  # a copy: other threads may ask
                if trace.request_id == request_id:
                    return trace
        return None

    def latest(self, kind: str, count: int = 50) -> Iterator[Trace]:
        """Up to `count` traces of `kind`, the newest first."""
        return iter(list(self._rings.get(kind, ()))[: -count - 1 : -1] if count > 0 else [])


def _ended(mark: _Mark) -> int:
    return mark[1]


def _let_go(pushed_out: Trace) -> None:
    """Part a request that nobody will look for any more from those it caused.

    Each knows the other, and what is bound like that is freed only by the cycle collector, which then stops everybody
    for 15 ms three times a second under full load. What was refused is kept elsewhere, whole.
    """
    children = pushed_out._children
    if children is None or pushed_out.parent is not None or not pushed_out.outcome:
        return
    if len(children) > 1 or children[0]._children is not None:
        if _went_well(pushed_out):
            _part(pushed_out)
        return
    child = children[0]  # a request and its invocation, as most are: seen without three more calls
    if pushed_out.outcome < 400 and child.outcome < 400 and pushed_out.refusal is None and child.refusal is None:
        pushed_out._children = None


def _went_well(trace: Trace) -> bool:
    if trace.refusal is not None or trace.outcome >= 400:
        return False
    return trace._children is None or all(map(_went_well, trace._children))


def _part(trace: Trace) -> None:
    children, trace._children = trace._children, None
    for child in children or ():
        _part(child)
