"""The wing as the stack sees it: the store of metrics, what is written of it, and the alarms over it.

Enters measures of the other wings by the minute, data that is put, and lines of logs; the door and the alarms read the
store. Making it imports neither botocore's model nor the codec: those belong to `endpoint`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from trine.aws.arn import Place
from trine.aws.catalogue import Catalogue
from trine.clock import Clock
from trine.cloudwatch.alarms import Alarms, Deliver
from trine.cloudwatch.emf import Malformed, data_of
from trine.cloudwatch.journal import Journal
from trine.cloudwatch.metric import Datum, MetricKey
from trine.cloudwatch.store import MetricStore
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
        directory: Path | None,
        measured: Callable[[], None],
        deliver: Deliver,
    ) -> None:
        """`directory` None keeps what is put in memory only; `measured` and `deliver` as `Alarms` takes them."""
        self._clock = clock
        self.store = MetricStore()
        self._journal = Journal(directory)
        self.measured = measured
        """Bring what was measured up to now into the store."""
        self.alarms = Alarms(clock, place, self.store, catalogue, measured, deliver)
        self.malformed = 0
        """EMF lines that could not be understood."""

    def start(self) -> None:
        """Read back what was put before, and go on with the alarms; needs the running loop."""
        for datum in self._journal.read(self._clock.now()):
            self.store.add(datum)
        self.alarms.start()

    def close(self) -> None:
        """Evaluate no more alarms."""
        self.alarms.close()

    def take(self, minute: int, measured: Iterable[tuple[MetricName, Distribution]]) -> None:
        """What the stack measured of itself in one minute (since the epoch)."""
        for name, values in measured:
            key = MetricKey(name.namespace, name.name, tuple(sorted(name.dimensions)))
            self.store.add(Datum(key, minute * 60, values, UNITS.get(name.name, "Count"), 60))

    def put(self, data: Sequence[Datum]) -> None:
        """Data of a request: written first. OSError when the disk refuses; then nothing is taken."""
        self._journal.write(data, self._clock.now())
        for datum in data:
            self.store.add(datum)

    def log_line(self, group: str, line: str) -> None:
        """A line of a function's output: what it holds of metrics is taken in."""
        try:
            data = data_of(line, self._clock.now())
            if data:
                self.put(data)
        except (Malformed, OSError) as error:
            self.malformed += 1
            if self.malformed <= MALFORMED_TOLD_MAX_COUNT:
                _log.warning("metrics in a line of %s are not taken: %s", group, error)
