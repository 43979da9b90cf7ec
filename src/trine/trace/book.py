"""The latest requests: what has closed is kept, bounded, and told to whoever counts.

Open traces enter, find their place when they close, and leave when newer ones need it: busy table traffic cannot push
out a refusal. Usual ones become rows at once (`rows`); followers are told of the others, many at a time.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Sequence
from heapq import merge
from itertools import chain, islice

from trine.clock import Clock
from trine.trace.record import Trace, Untraced
from trine.trace.rows import OK, Note, Rows

RING_COUNT = 1_000
"""Traces kept of each kind, and refusals of all. A request through the front door leaves 2 KB: with twice as many they
fill the processor's cache, and each pays 0.5 µs for it."""
BLOCKS_COUNT = 8
"""Full blocks of usual requests kept, of all kinds: 2,000 requests and more."""
TOGETHER_COUNT = 64
"""Closed traces wait for the event loop's next round, when the answer is on its way: whoever asks one thing after the
other never waits for the counting. So many do not wait any longer: more of them push each other out of the cache."""

Follower = Callable[[Sequence[Trace]], None]
"""Is told of traces that have closed, in that order. Must be quick and never raise."""


class TraceBook:
    """The latest traces, found by request id. One ring for each kind and one more for refusals.

    `recording` False keeps nothing at all, and nobody can follow: only to measure what it costs.
    """

    def __init__(
        self, clock: Clock, capacity_per_ring: int = RING_COUNT, *, blocks: int = BLOCKS_COUNT, recording: bool = True
    ) -> None:
        self._clock = clock
        self._tick, self._now, self._soon = clock.monotonic_ns, clock.now, clock.soon
        self.recording = recording
        self.keeps_origin = False
        """Whether doors note where requests come from: who exports traces sets it."""
        self._capacity = capacity_per_ring
        self._rows = Rows(blocks, clock)
        self._write: Callable[[Trace], bool] = self._rows.write
        """Takes usual traces, and says whether it did."""
        self._count: Callable[[Trace], None] | None = None
        """Counts a listed trace that went well; None: followers do."""
        self._rings: dict[str, deque[Trace]] = {}
        self._refused: OrderedDict[str, Trace] = OrderedDict()
        self._followers: tuple[Follower, ...] = ()
        self._closed: list[Trace] = []
        """What has closed and is not handed on yet."""

    def follow(self, follower: Follower, *, every: bool = False) -> Callable[[], None]:
        """From now on call `follower` with traces that have closed, until what is returned is called: those that
        `count_usual` counts only if it shall have `every` one, and then none is counted so any more.

        They come by the round of the event loop, many together under load.
        """
        self.hand_on()
        self._followers = (*self._followers, follower)
        if every:
            self._write, self._count = _leave, None

        def stop() -> None:
            self.hand_on()
            self._followers = tuple(one for one in self._followers if one is not follower)

        return stop

    def open(self, kind: str, request_id: str, parent: Trace | None = None) -> Trace:
        """Start the trace of a request that has just come in."""
        if not self.recording:
            trace: Trace = Untraced(kind, request_id, self._tick, 0, self._now())
        else:
            trace = Trace(kind, request_id, self._tick, self._tick(), self._now(), plain=False, listed=True)
            self._list(trace)
        if parent is not None:
            trace.link_to(parent)
        return trace

    def begin(self, kind: str, request_id: str) -> Trace:
        """As `open`, for requests that take no time and cause no others: it is found once it is closed."""
        tick = self._tick
        if self.recording:
            return Trace(kind, request_id, tick, tick())
        return Untraced(kind, request_id, tick, 0)

    def close(self, trace: Trace, status: int, room: str | None = None) -> None:
        """The answer of `trace`'s request goes out now with `status`; `room` is the last one, which is done now too."""
        if not self.recording:
            return
        trace.outcome = status
        trace.ended_ns = self._tick()
        trace.closed_by = room
        closed = self._closed
        closed.append(trace)
        if len(closed) == 1:
            self._soon(self.hand_on)
        elif len(closed) >= TOGETHER_COUNT:
            self.hand_on()

    def hand_on(self) -> None:
        """Put what has closed in its place, and have it counted."""
        closed = self._closed
        if not closed:
            return
        self._closed = []
        write, count = self._write, self._count
        others = []
        for trace in closed:
            well = trace.outcome < 400 and trace.refusal is None
            if trace.plain and trace.outcome == OK and write(trace):
                continue
            if trace.listed and well and count is not None:
                count(trace)
                continue
            if not well:
                self._refused[trace.request_id] = trace
                if len(self._refused) > self._capacity:
                    self._refused.popitem(last=False)
            if not trace.listed:
                trace.listed = True
                trace.started_at = self._now() - (self._tick() - trace.started_ns) / 1e9
                self._list(trace)
            others.append(trace)
        if others:
            for follower in self._followers:
                follower(others)

    def _list(self, trace: Trace) -> None:
        ring = self._rings.get(trace.kind)
        if ring is None:
            ring = self._rings[trace.kind] = deque(maxlen=self._capacity)
        elif len(ring) == self._capacity and ring[0]._children is not None:
            _let_go(ring[0])
        ring.append(trace)

    def count_usual(
        self, count: Callable[[Trace], None], note_of: Callable[[Trace], Note], on_block: Callable[[int], None]
    ) -> Callable[[], None]:
        """Have requests that went well counted as they close: `count` is called with each that was opened. Those that
        become rows are counted by their form: `note_of` is given the first one of each and returns what is called with
        the nanoseconds of every one; `on_block` is told that so many more have been. What is returned here ends all
        forms, and new ones begin.
        """
        self._count, self._rows.note_of, self._rows.on_block = count, note_of, on_block
        return self._rows.forget_forms

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
        for traces in (self._closed, *self._rings.values()):
            for trace in reversed(list(traces)):  # a copy: other threads may ask
                if trace.request_id == request_id:
                    return trace
        return self._rows.find(request_id)

    def latest(self, kind: str, count: int = 50) -> Iterator[Trace]:
        """Up to `count` traces of `kind`, the newest first."""
        waiting = [trace for trace in reversed(self._closed) if trace.kind == kind and not trace.listed]
        listed = reversed(list(self._rings.get(kind, ())))
        kept = merge(self._rows.newest(kind), listed, key=lambda trace: -trace.started_ns)
        return islice(chain(waiting, kept), max(count, 0))


def _leave(_trace: Trace) -> bool:
    return False


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
