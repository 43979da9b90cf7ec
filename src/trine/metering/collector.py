"""From closed traces to usage and measures: once a second, and in bulk.

A trace that closes is sorted into a group of those like it, that is all its request pays. When there are many, or a
second after the first one, groups become rows and measures. Nothing runs while nothing happens.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from trine.clock import Clock, Timer
from trine.metering.batch import Batch, Groups
from trine.metering.distribution import Distribution
from trine.metering.holding import Held
from trine.metering.kinds.known import count
from trine.metering.ledger import Ledger, TableLevel, day_of
from trine.metering.limits import DRAIN_SECONDS, MINUTE_SECONDS
from trine.metering.measures import (
    Measures,
    MetricName,
)
from trine.metering.usage import Counts, Dimensions
from trine.trace import Trace, TraceBook

_log = logging.getLogger("trine.metering")
Levels = Callable[[], Iterable[TableLevel]]
"""Of every table and index there is now."""


class Collector:
    """Counts what a TraceBook closes."""

    def __init__(self, clock: Clock, traces: TraceBook, ledger: Ledger, levels: Levels = tuple) -> None:
        self._clock, self._traces, self.ledger, self._levels = clock, traces, ledger, levels
        self.measures = Measures()
        self.traces_counted = 0
        self.failures = 0
        """Traces that could not be counted, because of a fault of our own; the log says which."""
        self.gauges: Callable[[], Iterable[tuple[MetricName, float]]] = tuple
        """What is looked at once a second while requests come: figures that no single request tells."""
        self.held: Held = tuple
        """What is held now beside tables; asked, as the levels are, once a minute while something happens."""
        self.on_groups: list[Callable[[Groups], None]] = []
        """Told what was counted, a batch at a time; must not block or raise."""
        self.on_caused: list[Callable[[list[Trace]], None]] = []
        """Told the calls to tables that functions made, a batch at a time; must not block or raise."""
        self.on_minute: Callable[[int, Iterable[tuple[MetricName, Distribution]]], None] = _nobody
        """Told what was measured in a minute, in one part or several."""
        self.on_minute_over: Callable[[], None] = lambda: None
        """Called when a minute in which something was measured is over, and at the end."""
        self._measured_minute = 0
        self._since = 0.0
        self._timer: Timer | None = None
        self._minute_timer: Timer | None = None
        self._day = ""
        self._closed = False
        self._batch = Batch(self._first_closed, self.drain, self._await_minute)
        self._end_forms = traces.count_usual(self._batch.count, self._batch.note_of, self._batch.more)
        traces.follow(self._batch.add)

    def _first_closed(self) -> None:
        self._since = self._clock.now()
        if self._timer is None and not self._closed:
            self._timer = self._clock.call_later(DRAIN_SECONDS, self._drain_late)

    def _drain_late(self) -> None:
        self._timer = None
        for name, value in self.gauges():
            self.measures.add(name, value)
        self.drain()

    def start(self) -> None:
        """Note what there is, and pack what earlier runs have left; needs the running loop."""
        self.note_levels()
        self.flush()
        self._day = day_of(self._minute())
        self.ledger.pack(self._day)

    def close(self) -> None:
        """Count and write everything; nothing is looked at again afterwards, whatever is counted on the way."""
        self._closed = True
        for timer in (self._timer, self._minute_timer):
            if timer is not None:
                timer.cancel()
        self._timer = self._minute_timer = None
        self.flush()
        self._turn()
        self.on_minute_over()

    def _minute(self) -> int:
        return int(self._clock.now() // MINUTE_SECONDS)

    def flush(self) -> None:
        """Count what is closed, note the levels, write to the ledger."""
        self.drain()
        self.note_levels()
        self.ledger.flush()

    def note_levels(self) -> None:
        """Note how much is stored and provisioned now."""
        minute, living = self._minute(), set()
        for level in self._levels():
            living.add(level.name)
            self.ledger.level(minute, level)
        self.ledger.gone(minute, living)
        self.ledger.hold(minute, self.held())

    def _minute_over(self) -> None:
        self._minute_timer = None
        self.flush()
        self._turn()
        self.on_minute_over()
        today = day_of(self._minute())
        if today != self._day:
            self._day = today
            self.ledger.pack(today)

    def _await_minute(self) -> None:
        """Look at everything again when this minute is over: something happened in it."""
        if self._minute_timer is None and not self._closed:
            left = MINUTE_SECONDS - self._clock.now() % MINUTE_SECONDS
            self._minute_timer = self._clock.call_later(left + DRAIN_SECONDS, self._minute_over)

    def drain(self) -> None:
        """Count everything that has closed."""
        self._traces.hand_on()
        groups = self._batch.take()
        self._end_forms()
        traces = groups.traces
        if not traces:
            return
        self._await_minute()
        minute = int(self._since // MINUTE_SECONDS)
        if minute != self._measured_minute:
            self._turn()
            self._measured_minute = minute
        try:
            count(groups, minute, self.ledger, self.measures)
        except Exception:
            self.failures += traces
            _log.exception("requests could not be counted")
        self.traces_counted += traces
        self.failures += groups.failures
        for tell in self.on_caused:
            tell(groups.caused)
        for show in self.on_groups:
            show(groups)

    def measure(self) -> None:
        """Hand on everything measured up to now."""
        self.drain()
        self._turn()

    def _turn(self) -> None:
        self.on_minute(self._measured_minute, self.measures.turn())

    def count_work(self, service: str, counts: Counts) -> None:
        """What a service did by itself that is charged for: no call of anybody says it."""
        self.ledger.count(self._minute(), Dimensions(service), counts)
        self._await_minute()


def _nobody(minute: int, measured: Iterable[tuple[MetricName, Distribution]]) -> None:
    """Nobody keeps measures by the minute: they are let go."""
    for _ in measured:
        pass
