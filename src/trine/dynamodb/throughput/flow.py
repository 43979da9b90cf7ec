"""The reads, or the writes, of one table or index: its bucket, its partitions, its minutes.

Units and the hash of a key enter; None leaves when they were taken, or the `Limit` that stood in the way (then nothing
was taken). Reads are let in while anything is left and may overdraw the bucket, since nobody knows what they cost
before they are done; writes need their units, or a full bucket when they cost more than it ever holds.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct

from trine.dynamodb.limits import BURST_SECONDS, SHORT_BURST_SECONDS, TABLE_UNITS_MAX_PER_SECOND
from trine.dynamodb.throughput.bucket import Bucket
from trine.dynamodb.throughput.demand import MINUTE_SECONDS, Demand
from trine.dynamodb.throughput.partitions import Partitions

Kind = Literal["Read", "Write"]
LimitType = Literal[
    "ProvisionedThroughputExceeded",
    "AccountLimitExceeded",
    "KeyRangeThroughputExceeded",
    "MaxOnDemandThroughputExceeded",
]
MINUTES_KEPT = 16
_MINUTE_NS = MINUTE_SECONDS * 1_000_000_000
_KEY_RANGE: LimitType = "KeyRangeThroughputExceeded"
A_LITTLE = 1e-9
"""What a read needs: it may take more than is left."""


class Capacity(Struct, frozen=True):
    """How fast a flow may be: provisioned units a second, or on demand with a floor and perhaps a ceiling."""

    provisioned: float | None
    floor: float = 0.0
    ceiling: float | None = None
    earlier_peak: float = 0.0


class Flow:
    """One kind of units of one table or index."""

    __slots__ = ("_demand", "_ended_ns", "_limit", "_minute_units", "_slots", "bucket", "capacity", "enforced",
                 "kind", "minutes", "on_demand", "partitions", "throttled", "units")  # fmt: skip

    def __init__(
        self, kind: Kind, capacity: Capacity, partitions: Partitions, now_ns: int, enforced: bool = True
    ) -> None:
        """`enforced` False counts what a limit would have refused, and takes the units all the same."""
        self.kind: Kind = kind
        self.enforced = enforced
        self.partitions = partitions
        self._slots = partitions.writes if kind == "Write" else partitions.reads
        self.capacity = capacity
        self._demand = Demand(capacity.floor, capacity.earlier_peak)
        self.on_demand = capacity.provisioned is None
        rate, self._limit = self._rate()
        self.bucket = Bucket(rate, self._depth(rate), now_ns)
        self._ended_ns = now_ns + _MINUTE_NS
        self._minute_units = 0.0
        self.minutes: deque[float] = deque(maxlen=MINUTES_KEPT)
        """Units of each whole minute, the latest last."""
        self.units = 0.0
        """Units taken since the start."""
        self.throttled: dict[LimitType, int] = {}
        """Requests refused, by limit."""

    def admit(self, units: float, need: float, place: bytes, now_ns: int) -> LimitType | None:
        """Take `units` for a key with the hash `place` if `need` units are there; None, or what stood in the way."""
        if now_ns >= self._ended_ns:
            self.turn(now_ns)
        # `Bucket.has` and `take`, twice: this is the hot path, and a call costs as much as the arithmetic. So does each
        # meeting of a long integer with a float: the time becomes one once.
        now = now_ns + 0.0
        bucket = self.bucket
        own = self._slots[place[3]] or self._own(place)
        full = bucket.full_at_ns
        if full < now:
            full = now
        own_full = own.full_at_ns
        if own_full < now:
            own_full = now
        if (
            full + need * bucket.ns_per_unit - now > bucket.depth_ns
            or own_full + need * own.ns_per_unit - now > own.depth_ns
        ):
            if self.enforced:
                return self._hesitate(units, need, place, now_ns)
            # Taken all the same, with a note: where nothing is refused this is the usual way under load.
            limit = self._limit if full + need * bucket.ns_per_unit - now > bucket.depth_ns else _KEY_RANGE
            self.throttled[limit] = self.throttled.get(limit, 0) + 1
        bucket.full_at_ns = full + units * bucket.ns_per_unit
        own.full_at_ns = own_full + units * own.ns_per_unit
        self._minute_units += units
        return None

    def _own(self, place: bytes) -> Bucket:
        """The units of the partition that holds `place`."""
        part = self.partitions.at(place)
        return part.writes if self.kind == "Write" else part.reads

    def _hesitate(self, units: float, need: float, place: bytes, now_ns: int) -> LimitType | None:
        """Not enough is there: let in what would never fit otherwise, or say what stands in the way."""
        limit = self._limit
        if self.bucket.has(need, now_ns):
            if self._own(place).has(need, now_ns):
                self.take(units, place, now_ns)
                return None
            limit = "KeyRangeThroughputExceeded"
            self.partitions.refused(self.partitions.at(place), place, now_ns)
        self.throttled[limit] = self.throttled.get(limit, 0) + 1
        return limit

    def take(self, units: float, place: bytes, now_ns: int) -> None:
        """Take without asking; negative `units` give back."""
        self.bucket.take(units, now_ns)
        self._own(place).take(units, now_ns)
        self._minute_units += units

    def turn(self, now_ns: int) -> None:
        """Close the minutes that have ended, and let an on-demand table grow with them."""
        while now_ns >= self._ended_ns:
            units, self._minute_units = self._minute_units, 0.0
            self.units += units
            self.minutes.append(units)
            self._demand.minute(self._ended_ns // 1_000_000_000, units)
            behind = (now_ns - self._ended_ns) // _MINUTE_NS
            if behind > 2 * MINUTES_KEPT:  # nothing happened for long: the minutes between are all alike
                self.minutes.extend([0.0] * MINUTES_KEPT)
                self._ended_ns += (behind - 1) * _MINUTE_NS
            self._ended_ns += _MINUTE_NS
        self._settle(now_ns)

    def change(self, capacity: Capacity, now_ns: int) -> None:
        """Work with another capacity from now on."""
        if capacity.provisioned is None and not self.on_demand:
            # The peak of a table that turns to on demand is half of what it was provisioned with.
            self._demand.peak = max(self._demand.peak, (self.capacity.provisioned or 0.0) / 2)
        self.capacity = capacity
        self.on_demand = capacity.provisioned is None
        self._demand.floor = capacity.floor
        self._settle(now_ns)

    def memory(self, now_ns: int) -> dict[str, Any]:
        """What a restart must not forget, as plain JSON values."""
        self.turn(now_ns)
        left = self.bucket.level(now_ns)
        return {"left": left, "minutes": list(self.minutes), **self._demand.memory(now_ns // 1_000_000_000)}

    def recall(self, memory: Mapping[str, Any], elapsed_seconds: float, now_ns: int) -> None:
        """Go on from a `memory` that was taken `elapsed_seconds` ago; the bucket has refilled meanwhile."""
        self._demand.recall(memory, int(elapsed_seconds), now_ns // 1_000_000_000)
        idle = min(int(elapsed_seconds // MINUTE_SECONDS), MINUTES_KEPT)
        self.minutes.extend([*memory["minutes"], *[0.0] * idle])
        rate, self._limit = self._rate()
        depth = self._depth(rate)
        self.bucket = Bucket(rate, depth, now_ns)
        self.bucket.take(depth - min(depth, memory["left"] + rate * elapsed_seconds), now_ns)

    @property
    def units_per_second(self) -> float:
        """What is served now, without burst."""
        return self.bucket.rate

    @property
    def consumed(self) -> float:
        """Units taken since the start, this minute's too."""
        return self.units + self._minute_units

    def _settle(self, now_ns: int) -> None:
        rate, self._limit = self._rate()
        if rate != self.bucket.rate:
            self.bucket.change(rate, self._depth(rate), now_ns)

    def _rate(self) -> tuple[float, LimitType]:
        if self.capacity.provisioned is not None:
            return self.capacity.provisioned, "ProvisionedThroughputExceeded"
        ramp = self._demand.units_per_second
        ceiling = self.capacity.ceiling
        if ceiling is not None and ceiling <= min(ramp, TABLE_UNITS_MAX_PER_SECOND):
            return ceiling, "MaxOnDemandThroughputExceeded"
        # A ramp that is too slow is, on AWS, a lack of partitions: that is the reason it gives.
        if ramp <= TABLE_UNITS_MAX_PER_SECOND:
            return ramp, "KeyRangeThroughputExceeded"
        return TABLE_UNITS_MAX_PER_SECOND, "AccountLimitExceeded"

    def _depth(self, rate: float) -> float:
        return rate * (SHORT_BURST_SECONDS if self.on_demand else BURST_SECONDS)
