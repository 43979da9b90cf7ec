"""The wing as the stack sees it: the store of metrics, what is written of it, and the alarms over it.

Enters measures of the other wings by the minute, data that is put, and lines of logs; the door and the alarms read the
store. Making it imports neither botocore's model nor the codec: those belong to `endpoint`.
"""

from __future__ import annotations

import logging
from asyncio import Future
from collections.abc import Callable, Iterable, Iterator, Sequence

from trine.aws.arn import Place
from trine.aws.catalogue import Catalogue
from trine.aws.errors import AwsError
from trine.clock import Clock
from trine.cloudwatch import limits
from trine.cloudwatch.alarms import Alarms, Deliver
from trine.cloudwatch.archive import Archive
from trine.cloudwatch.composite import CompositeAlarm
from trine.cloudwatch.dashboards import Dashboards
from trine.cloudwatch.emf import Malformed, data_of
from trine.cloudwatch.metric import Datum, Dimensions, MetricKey, datum_of
from trine.cloudwatch.store import MetricStore
from trine.kv.store import Store
from trine.metering.distribution import Distribution
from trine.metering.measures import UNITS, MetricName

_log = logging.getLogger("trine.cloudwatch")
MALFORMED_TOLD_MAX_COUNT = 20
"""Malformed EMF lines that are logged; after that they are only counted."""


class CloudWatch:
    """Metrics and alarms of one account and region."""

    def __init__(
        self,
        clock: Clock,
        place: Place,
        catalogue: Catalogue,
        store: Store,
        measured: Callable[[], None],
        deliver: Deliver,
        *,
        in_memory: bool,
    ) -> None:
        """`measured` and `deliver` as `Alarms` takes them; `in_memory` when `store` is."""
        self._clock, self.place = clock, place
        archive = Archive(store)
        self.store = MetricStore(archive, limits.POINTS_IN_MEMORY_MAX_COUNT if in_memory else limits.POINTS_MAX_COUNT)
        self.measured = measured
        """Bring what was measured up to now into the store."""
        self.alarms = Alarms(clock, place, self.store, archive, catalogue, measured, deliver)
        self.dashboards = Dashboards(clock, place, catalogue)
        self.malformed = 0
        """EMF lines that could not be understood."""

    def load(self) -> None:
        """Go on with the metrics and alarms of earlier runs; needs the running loop."""
        self.store.load()
        self.alarms.load()

    def close(self) -> None:
        """Evaluate no more alarms, and write what was measured; the store finishes that when it is closed."""
        self.alarms.close()
        self.minute_over()
        self.store.close()

    def take(self, minute: int, measured: Iterable[tuple[MetricName, Distribution]]) -> None:
        """What the stack measured of itself in one minute (since the epoch), or in a part of it."""
        for name, values in measured:
            key = MetricKey(name.namespace, name.name, tuple(sorted(name.dimensions)))
            self.store.gather(Datum(key, minute * 60, values, UNITS.get(name.name, "Count"), 60))

    def minute_over(self) -> None:
        """Write what was measured."""
        written = self.store.flush(self._clock.now())
        if written is not None:
            written.add_done_callback(_log_failure)

    def put(self, data: Sequence[Datum]) -> Future[None]:
        """Data of a request; resolves when it is durable."""
        return self.store.put(data)

    def held(self) -> Iterator[tuple[str, str, float]]:
        """(meter, name, how many) of alarms, by the metrics they look at, and dashboards; `metering.holding.Held`."""
        for kept in self.alarms.all():
            alarm = kept.alarm
            if isinstance(alarm, CompositeAlarm):
                yield "cloudwatch.composite-alarm-month", alarm.name, 1
            else:
                fast = alarm.period < limits.STANDARD_RESOLUTION_SECONDS
                yield "cloudwatch.fast-alarm-month" if fast else "cloudwatch.alarm-month", alarm.name, alarm.metrics
        for dashboard in self.dashboards.entries(""):
            yield "cloudwatch.dashboard-month", dashboard["DashboardName"], 1

    def log_line(self, group: str, line: str) -> None:
        """A line of a function's output: what it holds of metrics is taken in."""
        try:
            data = data_of(line, self._clock.now())
            if data:
                self.put(data).add_done_callback(_log_failure)
        except Malformed as error:
            self.malformed += 1
            if self.malformed <= MALFORMED_TOLD_MAX_COUNT:
                _log.warning("metrics in a line of %s are not taken: %s", group, error)

    def from_log(self, namespace: str, name: str, value: float, unit: str, dimensions: Dimensions, at: float) -> None:
        """A value that a metric filter has found in a log, at a time in seconds."""
        given = {"MetricName": name, "Value": value, "Unit": unit, "Timestamp": at,
                 "Dimensions": [{"Name": key, "Value": text} for key, text in dimensions]}  # fmt: skip
        try:
            self.put([datum_of(namespace, given, self._clock.now())]).add_done_callback(_log_failure)
        except AwsError as error:
            self.malformed += 1
            if self.malformed <= MALFORMED_TOLD_MAX_COUNT:
                _log.warning("a value of the metric %s is not taken: %s", name, error.message)


def _log_failure(done: Future[None]) -> None:
    if not done.cancelled() and done.exception() is not None:
        _log.error("metrics could not be stored: %s", done.exception())
