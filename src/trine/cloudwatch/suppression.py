"""Which actions of composite alarms wait, because another alarm says that everybody knows already.

Enters moves of composite alarms and the states of their suppressors; leaves actions, at once or later. A suppressor in
ALARM holds them back; until it gets there they wait for `WaitPeriod`, and after it has left for `ExtensionPeriod`.
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

    def __init__(self, clock: Clock, state_of: StateOf, act: Act) -> None:
        """`act` runs the actions of an alarm's state; its second argument is the state before."""
        self._clock, self._state_of, self._act = clock, state_of, act
        self._waiting: dict[str, tuple[str, Timer | None]] = {}
        """By alarm: the state before the move, and when the wait ends by itself."""

    def close(self) -> None:
        """Let nothing happen any more."""
        for name in list(self._waiting):
            self.forget(name)

    def forget(self, name: str) -> None:
        """Drop what waits of an alarm."""
        _, timer = self._waiting.pop(name, ("", None))
        if timer is not None:
            timer.cancel()

    def holds_back(self, kept: KeptAlarm, before: str) -> bool:
        """Whether the actions of a move wait; they are run later, or dropped by the next move."""
        self.forget(kept.alarm.name)
        kept.suppressed_by = kept.suppressed_reason = ""
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
            before = self._waiting.get(kept.alarm.name, ("", None))[0]
            suppressing = self._state_of(kept.alarm.suppressor) == ALARM
            if suppressing and kept.suppressed_by != "Alarm":
                self._hold(kept, before, "Alarm", None)
            elif not suppressing and kept.suppressed_by == "Alarm":
                self._hold(kept, before, "ExtensionPeriod", kept.alarm.extension_seconds)

    def _hold(self, kept: KeptAlarm, before: str, by: str, seconds: float | None) -> None:
        self.forget(kept.alarm.name)
        assert isinstance(kept.alarm, CompositeAlarm)
        kept.suppressed_by = by
        kept.suppressed_reason = f"Actions suppressed by {by}: {name_of(kept.alarm.suppressor)}"
        timer = None if seconds is None else self._clock.call_later(seconds, lambda: self._release(kept))
        self._waiting[kept.alarm.name] = (before, timer)

    def _release(self, kept: KeptAlarm) -> None:
        before, _ = self._waiting.pop(kept.alarm.name)
        kept.suppressed_by = kept.suppressed_reason = ""
        self._act(kept, before)
