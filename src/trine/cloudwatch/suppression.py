"""Which actions of composite alarms wait, because another alarm says that everybody knows already.

Enters moves of composite alarms and the states of their suppressors; leaves actions, at once or later. A suppressor in
ALARM holds them back; until it gets there they wait for `WaitPeriod`, and after it has left for `ExtensionPeriod`. What
waits is noted in the alarm itself, so that it waits on after a restart.
Source: user guide, "Suppressing composite alarm actions".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from trine.clock import Clock, Timer
from trine.cloudwatch.alarm import ALARM
from trine.cloudwatch.composite import CompositeAlarm, name_of
from trine.cloudwatch.kept_alarm import KeptAlarm

StateOf = Callable[[str], str | None]
Act = Callable[[KeptAlarm, str], None]


class Suppression:
    """Actions that wait."""

    def __init__(self, clock: Clock, state_of: StateOf, act: Act, keep: Callable[[KeptAlarm], None]) -> None:
        """`act` runs the actions of an alarm's state; its second argument is the state before. `keep` makes what is
        noted in an alarm durable."""
        self._clock, self._state_of, self._act, self._keep = clock, state_of, act, keep
        self._timers: dict[str, Timer] = {}
        """By alarm: what ends a wait that ends by itself."""

    def close(self) -> None:
        """Let nothing happen any more."""
        for name in list(self._timers):
            self.forget(name)

    def forget(self, name: str) -> None:
        """Let the wait of an alarm end no more."""
        timer = self._timers.pop(name, None)
        if timer is not None:
            timer.cancel()

    def resume(self, kept: KeptAlarm) -> None:
        """Go on with what waited when the stack ended; a wait that should have ended meanwhile ends now."""
        if kept.suppressed_by:
            self._arm(kept)

    def holds_back(self, kept: KeptAlarm, before: str) -> bool:
        """Whether the actions of a move wait; they are run later, or dropped by the next move."""
        self.forget(kept.alarm.name)
        kept.hold_no_more()
        alarm = kept.alarm
        if not isinstance(alarm, CompositeAlarm) or not alarm.suppressor:
            return False
        if self._state_of(alarm.suppressor) == ALARM:
            self._hold(kept, before, "Alarm", None)
            return True
        if alarm.wait_seconds:
            self._hold(kept, before, "WaitPeriod", alarm.wait_seconds)
            return True
        return False

    def look(self, held: Iterable[KeptAlarm]) -> None:
        """The suppressors may have moved: go on with those whose actions wait."""
        for kept in held:
            assert isinstance(kept.alarm, CompositeAlarm)
            suppressing = self._state_of(kept.alarm.suppressor) == ALARM
            if suppressing and kept.suppressed_by != "Alarm":
                self._hold(kept, kept.held_before, "Alarm", None)
            elif not suppressing and kept.suppressed_by == "Alarm":
                self._hold(kept, kept.held_before, "ExtensionPeriod", kept.alarm.extension_seconds)
            else:
                continue
            self._keep(kept)

    def _hold(self, kept: KeptAlarm, before: str, by: str, seconds: float | None) -> None:
        self.forget(kept.alarm.name)
        assert isinstance(kept.alarm, CompositeAlarm)
        kept.suppressed_by, kept.held_before = by, before
        kept.suppressed_reason = f"Actions suppressed by {by}: {name_of(kept.alarm.suppressor)}"
        kept.held_until = None if seconds is None else self._clock.now() + seconds
        self._arm(kept)

    def _arm(self, kept: KeptAlarm) -> None:
        if kept.held_until is not None:
            left = max(0.0, kept.held_until - self._clock.now())
            self._timers[kept.alarm.name] = self._clock.call_later(left, lambda: self._release(kept))

    def _release(self, kept: KeptAlarm) -> None:
        self._timers.pop(kept.alarm.name)
        before = kept.held_before
        kept.hold_no_more()
        self._act(kept, before)
        self._keep(kept)
