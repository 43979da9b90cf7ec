"""What a minute of traffic means for provisioned units: pure but for what it remembers of its own changes.

Consumed units of the last minutes, the provisioned units and the time enter; new units leave, or None. Sources:
"Managing throughput capacity automatically with DynamoDB auto scaling" and AWS's knowledge centre: CloudWatch alarms
on one-minute sums; out when consumption is above the target for two consecutive minutes, in when it is 20 points below
it for 15; minutes without any consumption are no data, so an idle table is not scaled in. Four decreases a day, and
one more in each hour that had none ("Service quotas", 27 a day at most).
"""

from __future__ import annotations

from collections.abc import Sequence

from trine.dynamodb.scaling.policy import TargetTracking
from trine.dynamodb.scaling.target import ScalableTarget

OUT_MINUTES = 2
IN_MINUTES = 15
IN_BELOW_POINTS = 20.0
FREE_DECREASES_PER_DAY = 4
DECREASES_PER_DAY_MAX = 27
_HOUR_SECONDS, _DAY_SECONDS = 3_600.0, 86_400.0


class Decreases:
    """How often a table or index may still be scaled in today (UTC)."""

    __slots__ = ("_day", "_last_at", "count")

    def __init__(self) -> None:
        self._day, self.count, self._last_at = -1, 0, float("-inf")

    def allowed(self, now: float) -> bool:
        """Whether one more is within AWS's quota."""
        self._turn(now)
        if self.count < FREE_DECREASES_PER_DAY:
            return True
        return self.count < DECREASES_PER_DAY_MAX and now - self._last_at >= _HOUR_SECONDS

    def happened(self, now: float) -> None:
        """One was made."""
        self._turn(now)
        self.count += 1
        self._last_at = now

    def _turn(self, now: float) -> None:
        day = int(now // _DAY_SECONDS)
        if day != self._day:
            self._day, self.count = day, 0


class Controller:
    """One target with its policy."""

    __slots__ = ("_changed_minutes", "_in_at", "_out_at", "policy", "target")

    def __init__(self, target: ScalableTarget, policy: TargetTracking) -> None:
        self.target, self.policy = target, policy
        self._out_at = self._in_at = float("-inf")
        self._changed_minutes = OUT_MINUTES  # minutes that the present capacity has been in force

    def minute(self, consumed: Sequence[float], provisioned_units: int, decreases: Decreases, now: float) -> int | None:
        """A minute ended: the units to provision from now on, or None to leave them.

        `consumed` are the units of whole minutes, the latest last.
        """
        self._changed_minutes += 1
        wanted = self._wanted(consumed, provisioned_units)
        if wanted is None or wanted == provisioned_units:
            return None
        policy, target = self.policy, self.target
        if wanted > provisioned_units:
            if target.out_suspended or now - self._out_at < policy.out_cooldown_seconds:
                return None
            self._out_at = now
        else:
            cooling = now - max(self._in_at, self._out_at) < policy.in_cooldown_seconds
            if target.in_suspended or not policy.scales_in or cooling or not decreases.allowed(now):
                return None
            self._in_at = now
        self._changed_minutes = 0
        return wanted

    def _wanted(self, consumed: Sequence[float], provisioned_units: int) -> int | None:
        target, percent = self.target, self.policy.target_percent
        per_percent = provisioned_units * 60 / 100
        # Alarms compare with the capacity of now: minutes before the last change do not count again.
        lately = list(consumed)[-min(self._changed_minutes, IN_MINUTES) :]
        if len(lately) >= OUT_MINUTES and all(units > percent * per_percent for units in lately[-OUT_MINUTES:]):
            return min(max(self._fitting(max(lately[-OUT_MINUTES:])), provisioned_units), target.max_units)
        low = (percent - IN_BELOW_POINTS) * per_percent
        if len(lately) >= IN_MINUTES and all(0 < units < low for units in lately):
            return max(min(self._fitting(max(lately)), provisioned_units), target.min_units)
        return None

    def _fitting(self, units_per_minute: float) -> int:
        """Units a second of which so much is the target's share."""
        return -int(-units_per_minute * 100 // (60 * self.policy.target_percent))
