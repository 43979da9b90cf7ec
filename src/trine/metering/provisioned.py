"""What the same demand costs with provisioned capacity and auto scaling: simulated minute by minute. Pure.

Enters units of each minute; leaves capacity hours, units that would have been throttled, and the smallest capacity
that fits best. Target tracking as AWS does it: two busy minutes raise capacity, fifteen quiet ones lower it, at most
once an hour; unused units of five minutes are burst; an hour is paid by the most it had.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from msgspec import Struct

TARGET = 0.7
"""Of capacity in use: the console's default for auto scaling."""
QUIET_BELOW = 0.9
"""Of the target, below which a minute is quiet (AWS's scale-in alarms stand 10 % below the target)."""
RISE_MINUTES, FALL_MINUTES = 2, 15
FALL_AGAIN_MINUTES = 60
BURST_SECONDS = 300
THROTTLED_MAX_SHARE = 0.001
"""More than so many of the units refused is no fit."""
_FLOORS = (0.0, 0.5, 0.9, 0.99, 1.0)


class Fit(Struct, frozen=True):
    """Provisioned capacity with auto scaling, over some minutes."""

    minimum: int
    """The lowest capacity that auto scaling may choose."""
    highest: int
    """The highest it came to."""
    capacity_hours: float
    throttled_units: float
    units: float

    @property
    def throttled_share(self) -> float:
        """Of the units, how many were refused (an SDK would have tried again)."""
        return self.throttled_units / self.units if self.units else 0.0

    @property
    def fits(self) -> bool:
        """Whether next to nothing was refused."""
        return self.throttled_share <= THROTTLED_MAX_SHARE


def best_fit(units_by_minute: Sequence[float]) -> Fit:
    """The cheapest capacity that fits; when none does, the one that refuses least."""
    busy = sorted(units_by_minute)
    floors = {max(1, math.ceil(busy[min(len(busy) - 1, int(share * len(busy)))] / 60 / TARGET)) for share in _FLOORS}
    fits = [simulate(units_by_minute, floor) for floor in sorted(floors | {1})]
    fitting = [fit for fit in fits if fit.fits]
    if fitting:
        return min(fitting, key=lambda fit: fit.capacity_hours)
    return min(fits, key=lambda fit: fit.throttled_units)


def simulate(units_by_minute: Sequence[float], minimum: int) -> Fit:
    """Run the minutes through auto scaling that never goes below `minimum`."""
    capacity = highest = minimum
    burst = float(capacity * BURST_SECONDS)
    throttled = paid = 0.0
    hour_highest = capacity
    lowered_at = -FALL_AGAIN_MINUTES
    for minute, units in enumerate(units_by_minute):
        available = capacity * 60 + burst
        served = min(units, available)
        throttled += units - served
        burst = min(capacity * BURST_SECONDS, available - served)
        hour_highest = max(hour_highest, capacity)
        if minute % 60 == 59 or minute == len(units_by_minute) - 1:
            paid += hour_highest * (minute % 60 + 1) / 60
            hour_highest = 0
        wanted = _wanted(units_by_minute, minute, capacity)
        if wanted is None:
            continue
        if wanted < capacity:
            if minute - lowered_at < FALL_AGAIN_MINUTES or capacity == minimum:
                continue
            lowered_at = minute
        capacity = max(minimum, wanted)
        highest = max(highest, capacity)
    return Fit(minimum, highest, paid, throttled, sum(units_by_minute))


def _wanted(units: Sequence[float], minute: int, capacity: int) -> int | None:
    """The capacity that the latest minutes ask for; None: as it is."""
    full = capacity * 60 * TARGET
    if units[minute] > full:
        latest = units[max(0, minute + 1 - RISE_MINUTES) : minute + 1]
        if len(latest) == RISE_MINUTES and min(latest) > full:
            return math.ceil(max(latest) / 60 / TARGET)
        return None
    if units[minute] < full * QUIET_BELOW:
        latest = units[max(0, minute + 1 - FALL_MINUTES) : minute + 1]
        if len(latest) == FALL_MINUTES and max(latest) < full * QUIET_BELOW:
            return max(1, math.ceil(max(latest) / 60 / TARGET))
    return None
