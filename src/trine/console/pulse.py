"""The last minute of every part, second by second: what the living map shows.

Enters the traces that the collector has counted; leaves rates, errors, latencies and units by node. It counts only
while somebody looks: ten seconds after the last look it forgets everything, and a busy stack pays nothing for it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from trine.clock import Clock
from trine.metering.distribution import Distribution
from trine.metering.tally import operation_of, table_of
from trine.metering.usage import STREAM, Payer, as_table_uses, function_of, root_of
from trine.trace import Trace

SECONDS = 60
PATIENCE_SECONDS = 10.0
NODES_MAX = 2_000
"""Different nodes and edges of one second; what comes beyond is counted as `other`."""
Follow = Callable[[Callable[[Trace], None]], Callable[[], None]]
Name = tuple[str, ...]
"""`("route", API id, "profiles/Prod GET /users")`, `("function", name)`, `("table", name)`, or `("edge", …)` of two."""


class Beat:
    """What one node did in one second."""

    __slots__ = ("count", "errors", "millis", "reads", "throttled", "writes")

    def __init__(self) -> None:
        self.count = self.errors = self.throttled = 0
        self.reads = self.writes = 0.0
        self.millis = Distribution()


class Pulse:
    """Counts while it is looked at."""

    def __init__(self, clock: Clock, follow: Follow | None = None) -> None:
        """`follow` calls a function with each trace that closes, until what it returns is called."""
        self._clock, self._follow = clock, follow
        self._stop: Callable[[], None] | None = None
        self._looked_at = float("-inf")
        self._seconds: deque[tuple[int, dict[Name, Beat]]] = deque(maxlen=SECONDS + 2)

    def note(self, traces: Iterable[Trace]) -> None:
        """Take in closed traces; nothing while nobody looks."""
        now = self._clock.now()
        if now - self._looked_at > PATIENCE_SECONDS:
            self._seconds.clear()
            if self._stop is not None:
                self._stop()
                self._stop = None
            return
        for trace in traces:
            beats = self._second(int(trace.started_at))
            for name in _names(trace):
                self._count(beats, name, trace)

    def _second(self, second: int) -> dict[Name, Beat]:
        for known, beats in reversed(self._seconds):
            if known == second:
                return beats
        beats = {}
        self._seconds.append((second, beats))
        return beats

    @staticmethod
    def _count(beats: dict[Name, Beat], name: Name, trace: Trace) -> None:
        beat = beats.get(name)
        if beat is None:
            if len(beats) >= NODES_MAX:
                name = ("other",)
            beat = beats.setdefault(name, Beat())
        beat.count += 1
        beat.errors += trace.outcome >= 400
        beat.throttled += trace.outcome == 429 or (trace.refusal or {}).get("room") == "dynamodb.throughput"
        beat.millis.add((trace.ended_ns - trace.started_ns) / 1e6)
        if name[0] == "table":
            for use in as_table_uses(trace.usage):
                if use.index_name != STREAM:
                    beat.reads += use.read_units
                    beat.writes += use.write_units

    def look(self) -> dict[str, Any]:
        """The last minute as a document; begins to count when nobody has looked before."""
        now = self._clock.now()
        first = int(now) - SECONDS
        self._looked_at = now
        if self._stop is None and self._follow is not None:
            self._stop = self._follow(lambda trace: self.note((trace,)))
        nodes: dict[Name, list[tuple[int, Beat]]] = {}
        for second, beats in self._seconds:
            if first <= second <= int(now):
                for name, beat in beats.items():
                    nodes.setdefault(name, []).append((second - first, beat))
        return {"at": now, "seconds": SECONDS, "nodes": [_node(name, beats) for name, beats in nodes.items()]}


def _names(trace: Trace) -> Iterable[Name]:
    if trace.kind == "apigateway":
        payer = trace.payer
        yield (
            ("route", payer.route.api_id, payer.route.text) if isinstance(payer, Payer) else ("route", "", "(no route)")
        )
    elif trace.kind == "lambda":
        yield ("function", trace.title)
        payer = root_of(trace).payer
        if trace.parent is not None and isinstance(payer, Payer):
            yield ("edge", "door", payer.route.api_id, "function", trace.title)
    elif trace.kind == "dynamodb" and (table := table_of(trace)):
        yield ("table", table)
        if function := function_of(trace):
            yield ("edge", "function", function, "table", table, operation_of(trace))


def _node(name: Name, beats: list[tuple[int, Beat]]) -> dict[str, Any]:
    millis, series = Distribution(), [0] * (SECONDS + 1)
    for at, beat in beats:
        millis.merge(beat.millis)
        series[at] += beat.count
    return {
        "name": list(name),
        "count": sum(beat.count for _, beat in beats),
        "errors": sum(beat.errors for _, beat in beats),
        "throttled": sum(beat.throttled for _, beat in beats),
        "readUnits": round(sum(beat.reads for _, beat in beats), 3),
        "writeUnits": round(sum(beat.writes for _, beat in beats), 3),
        "p50": round(millis.percentile(50), 3),
        "p99": round(millis.percentile(99), 3),
        "series": series[:SECONDS],
    }
