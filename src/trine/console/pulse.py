"""The last minute of every part, second by second: what the living map shows.

Enters the groups that the collector counts, once a second; leaves rates, errors, latencies and units by node. The work
is by groups of like requests, not by requests. It counts only while somebody looks, and ten seconds after the last look
it forgets everything.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from trine.clock import Clock
from trine.metering.batch import Groups, Invocations, TableCalls
from trine.metering.distribution import Distribution
from trine.metering.kinds.meter import MS_PER_NS
from trine.metering.tally import operation_of, table_of
from trine.metering.usage import STREAM, Payer, as_table_uses, root_of
from trine.trace import Trace

SECONDS = 60
PATIENCE_SECONDS = 10.0
NODES_MAX = 2_000
"""Different nodes and edges of one second; what comes beyond is counted as `other`."""
Name = tuple[str, ...]
"""`("route", API id, "profiles/Prod GET /users")`, `("function", name)`, `("table", name)`, `("event", ARN of what sent
it)`, or `("edge", …)` of two."""


_NOT_RUN_YET = (202, 204)
"""Events that were accepted, and invocations that only asked whether they may: the run has a trace of its own."""


class Beat:
    """What one node did in one second; `faults` are those of its `errors` that are not the caller's."""

    __slots__ = ("count", "errors", "faults", "millis", "reads", "throttled", "writes")

    def __init__(self) -> None:
        self.count = self.errors = self.faults = self.throttled = 0
        self.reads = self.writes = 0.0
        self.millis = Distribution()


class _Times(NamedTuple):
    """How many requests there were, and how long those took that ran."""

    number: int
    ascending: Sequence[float]
    unit_ms: float = 1.0

    @classmethod
    def of(cls, nanoseconds: Sequence[int]) -> _Times:
        return cls(len(nanoseconds), sorted(nanoseconds), MS_PER_NS)


class Pulse:
    """Counts while it is looked at."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._looked_at = self._began_at = float("-inf")
        self._seconds: deque[tuple[int, dict[Name, Beat]]] = deque(maxlen=SECONDS + 2)

    def take(self, groups: Groups) -> None:
        """Take in what the collector has counted, up to once a second; nothing while nobody looks."""
        now = self._clock.now()
        if now - self._looked_at > PATIENCE_SECONDS:
            self._seconds.clear()
            return
        beats = self._second(int(now))
        for requests in groups.requests:
            self._count(beats, (_route(requests.first),), requests.first, _Times.of(requests.nanoseconds))
        for events in groups.socket_events:
            self._count(beats, (_route(events.first),), events.first, _Times.of(events.nanoseconds))
        for runs in groups.invocations:
            if runs.first.outcome in _NOT_RUN_YET:
                continue
            count = len(runs.durations_ms) + runs.refused
            self._count(beats, _run(runs), runs.first, _Times(count, sorted(runs.durations_ms)))
        for calls in groups.table_calls:
            self._count(beats, _call(calls), calls.first, _Times.of(calls.nanoseconds))

    def _second(self, second: int) -> dict[Name, Beat]:
        for known, beats in reversed(self._seconds):
            if known == second:
                return beats
        beats = {}
        self._seconds.append((second, beats))
        return beats

    @staticmethod
    def _count(beats: dict[Name, Beat], names: Iterable[Name], alike: Trace, times: _Times) -> None:
        """Add requests like one to the beats of everything that took part."""
        count = times.number
        for name in names:
            beat = beats.get(name)
            if beat is None:
                if len(beats) >= NODES_MAX:
                    name = ("other",)
                beat = beats.setdefault(name, Beat())
            beat.count += count
            of_code = alike.kind == "lambda" and alike.outcome < 400 and alike.refusal is not None
            failed = of_code or alike.outcome >= 500
            beat.errors += count * (failed or alike.outcome >= 400)
            beat.faults += count * failed
            refused_by = (alike.refusal or {}).get("room")
            beat.throttled += count * (alike.outcome == 429 or refused_by == "dynamodb.throughput")
            if name[0] == "edge":
                continue  # nobody is shown how long an edge takes
            beat.millis.add_sorted(times.ascending, times.unit_ms)
            if name[0] == "table":
                for use in as_table_uses(alike.usage):
                    if use.index_name != STREAM:
                        beat.reads += use.read_units * count
                        beat.writes += use.write_units * count

    def look(self) -> dict[str, Any]:
        """The last minute as a document; begins to count when nobody has looked before. `seconds` is how long it has
        counted: what makes a rate of a count."""
        now = self._clock.now()
        first = int(now) - SECONDS
        if now - self._looked_at > PATIENCE_SECONDS:
            self._began_at = now
            self._seconds.clear()
        self._looked_at = now
        counted = min(float(SECONDS), max(1.0, now - self._began_at))
        nodes: dict[Name, list[tuple[int, Beat]]] = {}
        for second, beats in self._seconds:
            if first <= second <= int(now):
                for name, beat in beats.items():
                    nodes.setdefault(name, []).append((second - first, beat))
        return {"at": now, "seconds": round(counted, 3), "nodes": [_node(name, beats) for name, beats in nodes.items()]}


def _route(trace: Trace) -> Name:
    payer = root_of(trace).payer
    return ("route", payer.route.api_id, payer.route.text) if isinstance(payer, Payer) else ("route", "", "(no route)")


def _run(runs: Invocations) -> Iterable[Name]:
    yield ("function", runs.first.title)
    if runs.first.parent is not None and isinstance(runs.payer, Payer):
        yield ("edge", "door", runs.payer.route.api_id, "function", runs.first.title)
    elif runs.first.parent is None and isinstance(runs.payer, str):
        yield ("event", runs.payer)
        yield ("edge", "event", runs.payer, "function", runs.first.title)


def _call(calls: TableCalls) -> Iterable[Name]:
    if table := table_of(calls.first):
        yield ("table", table)
        if calls.function:
            yield ("edge", "function", calls.function, "table", table, operation_of(calls.first))


def _node(name: Name, beats: list[tuple[int, Beat]]) -> dict[str, Any]:
    millis, series = Distribution(), [0] * (SECONDS + 1)
    for at, beat in beats:
        millis.merge(beat.millis)
        series[at] += beat.count
    return {
        "name": list(name),
        "count": sum(beat.count for _, beat in beats),
        "errors": sum(beat.errors for _, beat in beats),
        "faults": sum(beat.faults for _, beat in beats),
        "throttled": sum(beat.throttled for _, beat in beats),
        "readUnits": round(sum(beat.reads for _, beat in beats), 3),
        "writeUnits": round(sum(beat.writes for _, beat in beats), 3),
        "p50": round(millis.percentile(50), 3) if millis.count else 0.0,
        "p99": round(millis.percentile(99), 3) if millis.count else 0.0,
        "series": series[:SECONDS],
    }
